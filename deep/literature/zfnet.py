"""ZFNet: five convolutions and two dense layers of 4,096 units.

Source: Zeiler and Fergus, Visualizing and Understanding Convolutional Networks, ECCV 2014,
doi 10.1007/978-3-319-10590-1_53, figure 3: 96 maps of 7 x 7 at stride 2, 256 of 5 x 5 at stride 2, then 384, 384 and
256 of 3 x 3; max-pooling of 3 x 3 at stride 2 behind the first, the second and the last; dropout 0.5 in both dense
layers. From 224 pixels maps have 110, 55, 26, 13, 13, 13, 13 and 6 along a side.

Decided here: contrast normalisation across maps is local response normalisation with AlexNet's constants
(Krizhevsky, Sutskever and Hinton 2012, section 3.3); padding is what figure 3's sizes ask for. Nobody publishes weights
of it with torchvision, so it starts from torch's own random values, and trains by the recipe of the other rows from
scratch, where the paper has 70 epochs of SGD on ImageNet.
"""

from __future__ import annotations

from torch import nn

__all__ = ["zfnet"]

_DENSE = 4096


def zfnet(_: str, size: int) -> nn.Sequential:
    """The network for square RGB images of ``size`` pixels: five convolutional blocks and one of the dense layers."""
    return nn.Sequential(
        nn.Sequential(*_convolution(3, 96, 7, stride=2, padding=1), _pool(padding=1), _contrast()),
        nn.Sequential(*_convolution(96, 256, 5, stride=2), _pool(padding=1), _contrast()),
        nn.Sequential(*_convolution(256, 384, 3, padding=1)),
        nn.Sequential(*_convolution(384, 384, 3, padding=1)),
        nn.Sequential(*_convolution(384, 256, 3, padding=1), _pool()),
        nn.Sequential(nn.Flatten(), *_dense(256 * last_side(size) ** 2), *_dense(_DENSE)),
    )


def last_side(size: int) -> int:
    """Side of the maps that enter the dense layers: 6 for 224 pixels."""
    for kernel, stride, padding in ((7, 2, 1), (3, 2, 1), (5, 2, 0), (3, 2, 1), (3, 2, 0)):
        size = (size + 2 * padding - kernel) // stride + 1
    return size


def _convolution(inputs: int, outputs: int, kernel: int, stride: int = 1, padding: int = 0) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, kernel, stride, padding), nn.ReLU(inplace=True)]


def _pool(padding: int = 0) -> nn.Module:
    return nn.MaxPool2d(3, 2, padding)


def _contrast() -> nn.Module:
    return nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=2.0)


def _dense(inputs: int) -> list[nn.Module]:
    return [nn.Linear(inputs, _DENSE), nn.ReLU(inplace=True), nn.Dropout(0.5)]
