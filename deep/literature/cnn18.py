"""Eighteen convolutions with four subsampling layers.

Source: Liliana, Emotion recognition from facial expression using deep convolutional neural network, J. Phys. Conf.
Ser. 1193:012004, 2019. Known: 18 convolutions, 4 subsampling layers, dropout in
the fully connected part, 92.81 % on CK+ with eight emotions.

Decided here, since the layers' table was not to be had: 3 x 3 convolutions in four blocks of 4, 4, 5 and 5, each closed
by a 2 x 2 max-pooling; 64, 128, 256 and 512 maps; batch normalisation, without which so deep a chain does not start to
learn from so few pictures; one dense layer of 512 with dropout 0.5; grey pictures of 64 pixels. ``cnn18_narrow`` has an
eighth of the maps, for quick runs.
"""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn

__all__ = ["BLOCKS", "blocks", "cnn18", "cnn18_narrow"]

BLOCKS = (4, 4, 5, 5)
_WIDTHS = (64, 128, 256, 512)
_DENSE = 512


def cnn18(_: str, size: int) -> nn.Sequential:
    """The network for square grey images of ``size`` pixels: four blocks and a dense layer."""
    return _build(_WIDTHS, _DENSE, size)


def cnn18_narrow(_: str, size: int) -> nn.Sequential:
    """The same with an eighth of the maps and units."""
    return _build(tuple(width // 8 for width in _WIDTHS), _DENSE // 8, size)


def _build(widths: tuple[int, ...], dense: int, size: int) -> nn.Sequential:
    convolutional = blocks(1, zip(BLOCKS, widths, strict=True))
    inputs = widths[-1] * (size // 2 ** len(BLOCKS)) ** 2
    last = nn.Sequential(nn.Flatten(), nn.Linear(inputs, dense), nn.ReLU(inplace=True), nn.Dropout(0.5))
    return nn.Sequential(*convolutional, last)


def blocks(inputs: int, plan: Iterable[tuple[int, int]]) -> list[nn.Module]:
    """Blocks of (how many, how wide) 3 x 3 convolutions with batch normalisation, ReLU and a 2 x 2 pooling each."""
    found = []
    for depth, width in plan:
        layers: list[nn.Module] = []
        for before in [inputs, *[width] * (depth - 1)]:
            # What a bias would add, batch normalisation takes away.
            convolution = nn.Conv2d(before, width, 3, padding=1, bias=False)
            layers += [convolution, nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
        found.append(nn.Sequential(*layers, nn.MaxPool2d(2)))
        inputs = width
    return found
