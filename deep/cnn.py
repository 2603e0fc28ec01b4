"""The shallow network: two 3x3 convolutions, each with a 2x2 max-pooling, and a dense layer.

Source: Akhand et al. 2021, doi 10.3390/electronics10091036, section on the "standard CNN" (its authors' code has a
third pair; the article says two, and two it is). Channels 32 and 64, dense layer of 128 units.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from .architectures import Parts

__all__ = ["ConvPool", "cnn2_parts"]


class ConvPool(nn.Module):
    """3x3 convolution, 2x2 max-pooling, ReLU.

    The pooling goes before the ReLU: both are monotone, so the function is the same and ReLU touches a quarter of
    the values.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, h, w) to (n, outputs, h // 2, w // 2)."""
        return functional.relu(functional.max_pool2d(self.conv(x), 2), inplace=True)


def cnn2_parts(size: int) -> tuple[Parts, nn.Module, int]:
    """The stages of ``cnn2`` for square grey images of ``size`` pixels: parts, pool and width before the head."""
    trunk = nn.Sequential(ConvPool(1, 32), ConvPool(32, 64))
    block = nn.Sequential(nn.Flatten(), nn.Linear(64 * (size // 4) ** 2, 128), nn.ReLU(inplace=True))
    return Parts(trunk, block, 128), nn.Identity(), 128
