"""Augmentation: geometry, chance and normalisation."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.transforms._presets import ImageClassification

from fer_bench.deep.networks.zoo import find
from fer_bench.deep.training.augment import IDENTITY, MILD, Normalisation, Ranges, affine_matrices, normalise, warp

IMAGENET = Normalisation(find("resnet18").mean, find("resnet18").std)
RAW = Normalisation((0.0,) * 3, (1 / 255,) * 3)


def _pictures(n: int = 4, side: int = 20) -> torch.Tensor:
    return torch.randint(0, 256, (n, 3, side, side), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def _draw(ranges: Ranges, n: int, seed: int = 0) -> torch.Tensor:
    return affine_matrices(n, ranges, torch.Generator().manual_seed(seed))


def test_zero_ranges_leave_pictures_as_they_are() -> None:
    """Zero ranges give the identity, so a warp is plain normalisation."""
    pictures = _pictures()
    torch.testing.assert_close(warp(pictures, _draw(IDENTITY, 4), IMAGENET), normalise(pictures, IMAGENET))


def test_flip_mirrors_left_and_right() -> None:
    """A certain flip reverses columns and nothing else."""
    pictures = _pictures()
    flipped = warp(pictures, _draw(Ranges(0, (1, 1), 0, 1.0), 4), RAW)
    torch.testing.assert_close(flipped, pictures.flip(3).float(), atol=1e-3, rtol=0)


def test_rotation_turns_by_the_angle_drawn() -> None:
    """A quarter turn moves rows to columns: the matrix is a rotation in pixels, not a shear."""
    pictures = _pictures()
    quarter = torch.tensor([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0]]).expand(4, 2, 3)
    turned = warp(pictures, quarter, RAW)
    assert any(torch.allclose(turned, pictures.rot90(k, (2, 3)).float(), atol=1e-2) for k in (1, 3))


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.floats(0, 45), st.floats(0.5, 1.0), st.floats(1.0, 2.0), st.floats(0, 0.2))
def test_draws_stay_in_their_ranges(seed: int, degrees: float, low: float, high: float, shift: float) -> None:
    """Rotation, magnification and shift read back from the matrices lie within what was asked for."""
    matrices = _draw(Ranges(degrees, (low, high), shift, 0.5), 16, seed)
    zoom = 1 / matrices[:, :, 1].norm(dim=1)
    angle = torch.atan2(-matrices[:, 0, 1], matrices[:, 1, 1]) * 180 / math.pi
    assert zoom.min() >= low - 1e-4
    assert zoom.max() <= high + 1e-4
    assert angle.abs().max() <= degrees + 1e-3
    assert matrices[:, :, 2].abs().max() <= 2 * shift + 1e-6


def test_magnification_above_one_enlarges() -> None:
    """A bright square covers more pixels after magnification by 1.5 than before."""
    pictures = torch.zeros(1, 3, 40, 40, dtype=torch.uint8)
    pictures[:, :, 15:25, 15:25] = 255
    larger = warp(pictures, _draw(Ranges(0, (1.5, 1.5), 0, 0), 1), RAW)
    assert float(larger.sum()) == pytest.approx(1.5**2 * float(pictures.float().sum()), rel=0.05)


def test_each_picture_has_its_own_draw() -> None:
    """One batch holds different matrices, the same seed the same ones, another seed others."""
    first = _draw(MILD, 8)
    assert len({tuple(m.flatten().tolist()) for m in first}) == 8
    assert torch.equal(first, _draw(MILD, 8))
    assert not torch.equal(first, _draw(MILD, 8, seed=1))


def test_normalisation_is_that_of_torchvision() -> None:
    """Pictures reach pretrained networks as torchvision's own transforms deliver them, channels in RGB order."""
    pictures = _pictures(side=64)
    expected = ImageClassification(crop_size=64, resize_size=64)(pictures)
    torch.testing.assert_close(normalise(pictures, IMAGENET), expected, atol=1e-5, rtol=1e-5)
