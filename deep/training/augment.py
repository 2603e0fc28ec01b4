"""Augmentation: one affine sampling of a whole batch, each picture with its own draw, fused with normalisation."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

__all__ = [
    "FLIP",
    "IDENTITY",
    "MILD",
    "PAPER",
    "Normalisation",
    "Ranges",
    "affine_matrices",
    "copy_matrices",
    "erase",
    "normalise",
    "warp",
]


@dataclass(frozen=True)
class Ranges:
    """How far pictures are moved; each picture draws uniformly within.

    Attributes
    ----------
    degrees : float
        Rotation, to both sides.
    scale : (float, float)
        Smallest and largest magnification.
    shift : float
        Share of the side by which a picture moves, to all sides.
    flip : float
        Probability of the mirror image.
    """

    degrees: float = 10.0
    scale: tuple[float, float] = (0.9, 1.1)
    shift: float = 0.04
    flip: float = 0.5


MILD = Ranges()
"""Rotation and scale as the article has them, with a small shift for what a face detector would leave."""
IDENTITY = Ranges(0.0, (1.0, 1.0), 0.0, 0.0)
FLIP = Ranges(0.0, (1.0, 1.0), 0.0, 0.5)
"""The mirror image alone, as in the torch notebooks of the article's authors."""
PAPER = Ranges(10.0, (1.0, 1.1), 0.0, 0.5)
"""What Akhand et al. 2021 are recalled to print (10 degrees, 1.1 times, mirror image); not verified in the paper."""


@dataclass(frozen=True)
class Normalisation:
    """Mean and standard deviation of the channels, on the scale of 0 to 1."""

    mean: tuple[float, ...]
    std: tuple[float, ...]


def affine_matrices(n: int, ranges: Ranges, generator: torch.Generator) -> Tensor:
    """Draw n matrices (n, 2, 3), float32, that take places in the new picture to places in the old one.

    Coordinates run from -1 to 1. Always drawn on the CPU, so that every device sees the same pictures.
    """
    return _matrices(torch.rand(5, n, generator=generator), ranges)


def copy_matrices(pictures: Tensor, ranges: Ranges, copies: int) -> Tensor:
    """Matrices (copies, n, 2, 3) of augmented copies: each hangs on the bytes of its picture alone.

    The first copy is the picture as it is.
    """
    drawn = torch.empty(len(pictures), 5, max(copies - 1, 0))
    for row, picture in zip(drawn, pictures.cpu(), strict=True):
        digest = hashlib.blake2b(picture.permute(1, 2, 0).contiguous().numpy(), digest_size=4).digest()
        row.copy_(torch.rand(row.shape, generator=torch.Generator().manual_seed(int.from_bytes(digest))))
    found = torch.empty(copies, len(pictures), 2, 3)
    found[0] = torch.eye(3)[:2]
    for copy in range(1, copies):
        found[copy] = _matrices(drawn[:, :, copy - 1].T, ranges)
    return found


def _matrices(draws: Tensor, ranges: Ranges) -> Tensor:
    """From five uniform numbers for each of n pictures (5, n) to matrices (n, 2, 3)."""
    angle = (2 * draws[0] - 1) * math.radians(ranges.degrees)
    zoom = ranges.scale[0] + draws[1] * (ranges.scale[1] - ranges.scale[0])
    shift = (2 * draws[2:4] - 1) * 2 * ranges.shift
    mirror = torch.where(draws[4] < ranges.flip, -1.0, 1.0)
    cos, sin = angle.cos() / zoom, angle.sin() / zoom
    rows = [torch.stack([cos * mirror, -sin, shift[0]], 1), torch.stack([sin * mirror, cos, shift[1]], 1)]
    return torch.stack(rows, 1)


def warp(pictures: Tensor, matrices: Tensor, normalisation: Normalisation) -> Tensor:
    """Move uint8 pictures (n, c, h, w) by matrices (n, 2, 3), bilinearly, and normalise them.

    Beyond the edge the edge is repeated: a black rim would tell the network how far a picture was turned.
    """
    grid = functional.affine_grid(matrices, list(pictures.shape), align_corners=False)
    moved = functional.grid_sample(pictures.float(), grid, mode="bilinear", padding_mode="border", align_corners=False)
    return _scaled(moved, normalisation)


def erase(pictures: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Set a rectangle of some normalised pictures (n, c, h, w) to their mean, in place.

    Random erasing (Zhong et al. 2020, doi 10.1609/aaai.v34i07.7000): of 2 to 20 % of the picture, its sides 0.3 to 3.3
    to one, anywhere. Always drawn on the CPU.
    """
    n, _, height, width = pictures.shape
    drawn = torch.rand(5, n, generator=generator)
    area, ratio = 0.02 + 0.18 * drawn[1], torch.exp(math.log(3.3) * (2 * drawn[2] - 1))
    tall = ((area * ratio).sqrt().clamp(max=1) * height).round()
    wide = ((area / ratio).sqrt().clamp(max=1) * width).round()
    top, left = (drawn[3] * (height - tall + 1)).floor(), (drawn[4] * (width - wide + 1)).floor()
    tall[drawn[0] >= share] = 0
    y, x = torch.arange(height)[None, :, None], torch.arange(width)[None, None, :]
    inside = (y >= top[:, None, None]) & (y < (top + tall)[:, None, None])
    inside = inside & (x >= left[:, None, None]) & (x < (left + wide)[:, None, None])
    return pictures.masked_fill_(inside[:, None].to(pictures.device), 0.0)


def normalise(pictures: Tensor, normalisation: Normalisation) -> Tensor:
    """Bring uint8 pictures (n, c, h, w) to float32, (x / 255 - mean) / std."""
    return _scaled(pictures.float(), normalisation)


def _scaled(pictures: Tensor, normalisation: Normalisation) -> Tensor:
    """Scale in place; laid out with channels last, which convolutions want."""
    mean = torch.tensor(normalisation.mean, device=pictures.device).view(1, -1, 1, 1)
    std = torch.tensor(normalisation.std, device=pictures.device).view(1, -1, 1, 1)
    pictures = pictures.contiguous(memory_format=torch.channels_last)
    return pictures.sub_(mean * 255).mul_(1 / (255 * std))
