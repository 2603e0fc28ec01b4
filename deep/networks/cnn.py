"""The shallow networks: 3x3 convolutions, each with a 2x2 max-pooling, and a dense layer of 128 units.

Source: Akhand et al. 2021, doi 10.3390/electronics10091036, section on the "standard CNN". ``cnn2`` is the article's,
which says two pairs (32 and 64 channels); ``cnn3`` that of its authors' published code, which has a third (64).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.grad import conv2d_input, conv2d_weight

from .architectures import Parts

__all__ = ["ConvPool", "cnn2", "cnn3", "cut"]

# Values of the convolution's output for one picture above which it is worth going through a batch in slices, and the
# values that a slice may have (8 MB of float32: stays in cache, and the allocator reuses it without the kernel's help).
_LARGE = 2**19
_SLICE = 2**21


class ConvPool(nn.Module):
    """3x3 convolution, 2x2 max-pooling, ReLU.

    The pooling goes before the ReLU: both are monotone, so the function is the same and ReLU touches a quarter of
    the values. Large float32 pictures on a CPU take `_SlicedConvPool`, which computes the same faster.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, h, w) to (n, outputs, h // 2, w // 2)."""
        weight, bias = self.conv.weight, self.conv.bias
        x = _channels_last(x)
        large = weight.shape[0] * x.shape[2] * x.shape[3] > _LARGE
        if large and x.device.type == "cpu" and not torch.is_autocast_enabled("cpu"):
            return _SlicedConvPool.apply(x, weight, bias)
        return functional.relu(functional.max_pool2d(functional.conv2d(x, weight, bias, padding=1), 2), inplace=True)


class _SlicedConvPool(torch.autograd.Function):
    """`ConvPool` that never holds the convolution's output of a whole batch, and picks the quicker weight gradient.

    Measured at 360 pixels, one thread, AVX2: 263 ms a picture forward and backward by autograd, 131 ms here. Half of
    that is memory that no longer comes fresh from the kernel, half oneDNN's weight gradient, which takes 70 ms on
    channels-last arrays and 28 ms on plain ones (32 to 64 channels, 180 x 180).
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        step = max(1, _SLICE // (weight.shape[0] * x.shape[2] * x.shape[3]))
        pooled = [
            functional.max_pool2d(functional.conv2d(part, weight, bias, padding=1), 2, return_indices=True)
            for part in x.split(step)
        ]
        out = torch.cat([values for values, _ in pooled]).relu_()
        ctx.step = step
        ctx.save_for_backward(x, weight, out, *(indices for _, indices in pooled))
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor, Tensor]:
        x, weight, out, *indices = ctx.saved_tensors
        to_pooled = torch.where(out > 0, gradients[0], 0.0)
        to_weight = torch.zeros(weight.shape, dtype=weight.dtype)
        to_x = []
        for part, slope, where in zip(x.split(ctx.step), to_pooled.split(ctx.step), indices, strict=True):
            to_conv = functional.max_unpool2d(slope, where, 2, output_size=list(part.shape[-2:]))
            if ctx.needs_input_grad[0]:
                to_x.append(conv2d_input(part.shape, weight, to_conv, padding=1))
            if part.shape[1] > 1:
                part, to_conv = part.contiguous(), to_conv.contiguous()
            to_weight += conv2d_weight(part, list(weight.shape), to_conv, padding=1)
        return torch.cat(to_x) if to_x else None, to_weight, to_pooled.sum((0, 2, 3))


def _channels_last(x: Tensor) -> Tensor:
    """Give a one-channel picture the strides of channels last, which ``contiguous`` leaves ambiguous.

    oneDNN takes the ambiguous ones for the plain layout and then reorders the convolution's whole output: ten times
    slower in the weight gradient.
    """
    _, channels, height, width = x.shape
    if channels == 1 and x.is_contiguous():
        return x.as_strided(x.shape, (height * width, 1, width, 1))
    return x


def cnn2(_: str, size: int) -> nn.Sequential:
    """The article's two pairs of convolution and pooling for square grey images of ``size`` pixels, and dense 128."""
    return _shallow((32, 64), size)


def cnn3(_: str, size: int) -> nn.Sequential:
    """The three pairs of the authors' published code, and dense 128."""
    return _shallow((32, 64, 64), size)


def _shallow(widths: tuple[int, ...], size: int) -> nn.Sequential:
    pairs = [ConvPool(before, after) for before, after in zip((1, *widths), widths, strict=False)]
    side = size // 2 ** len(widths)
    dense = nn.Sequential(nn.Flatten(), nn.Linear(widths[-1] * side**2, 128), nn.ReLU(inplace=True))
    return nn.Sequential(*pairs, dense)


def cut(net: nn.Sequential, *_: Any) -> Parts:
    """Its children are its blocks, and what they give needs no pooling."""
    return Parts(tuple(net), pool=nn.Identity())
