"""The ImageNet architectures of torchvision, cut where transfer learning cuts them.

Every network becomes the same chain: trunk -> last block -> global average pool -> one linear layer with seven
outputs. What stood behind the pool in torchvision (VGG's two dense layers of 4,096 units, dropout, SqueezeNet's
convolutional classifier) is left out, so that the architectures are compared by their convolutional parts under one
head, and VGG trains 15 to 20 million parameters in place of 138. The head has 7 x (width + 1) parameters: 3,591 on
VGG, SqueezeNet, ResNet-18 and -34, 8,967 on MobileNet, 14,343 on ResNet-50, -152 and Inception, 15,463 on DenseNet.

May import torch and torchvision, nothing of ours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional

__all__ = [
    "ARCHITECTURES",
    "Architecture",
    "Parts",
    "empty_network",
    "fresh_network",
    "network_names",
    "torchvision_network",
]


@dataclass(frozen=True)
class Parts:
    """A torchvision network cut into what a training mode freezes and what it trains.

    Attributes
    ----------
    trunk, block : Sequential
        Everything before the last block, and the last block.
    width : int
        Channels that the block gives, averaged over the image before the head.
    auxiliary : module or None
        A second head on the trunk's output, used in training only (Inception).
    """

    trunk: nn.Sequential
    block: nn.Sequential
    width: int
    auxiliary: nn.Module | None = None


@dataclass(frozen=True)
class Architecture:
    """One torchvision family.

    Attributes
    ----------
    block : str
        What ``last_block`` trains, in the words of torchvision's modules.
    cut : callable
        Cuts a network of this family into `Parts`.
    size, smallest : int
        Side in pixels that the published weights were trained at, and the smallest that passes through.
    """

    family: str
    block: str
    cut: Callable[[Any], Parts]
    size: int = 224
    smallest: int = 32


class InceptionInput(nn.Module):
    """From ImageNet's normalisation to the -1..1 that Google's Inception weights were trained on."""

    scale: Tensor
    shift: Tensor

    def __init__(self) -> None:
        super().__init__()
        mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
        self.register_buffer("scale", (std / 0.5).view(1, 3, 1, 1))
        self.register_buffer("shift", ((mean - 0.5) / 0.5).view(1, 3, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Rescale (n, 3, h, w)."""
        return x * self.scale + self.shift


class InceptionAuxiliary(nn.Module):
    """Inception's auxiliary head, for any image size.

    torchvision's own needs a map of 17 x 17 (299-pixel images). Smaller maps (3 x 3 at 75 pixels) are brought to the
    5 x 5 that its second convolution needs by adaptive pooling. Source: Szegedy et al. 2016, doi 10.1109/CVPR.2016.308.
    """

    def __init__(self, auxiliary: Any, classes: int) -> None:
        super().__init__()
        self.conv0, self.conv1 = auxiliary.conv0, auxiliary.conv1
        self.fc = nn.Linear(auxiliary.fc.in_features, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (n, classes) from the trunk's map (n, 768, h, w)."""
        x = functional.avg_pool2d(x, 5, 3) if min(x.shape[-2:]) >= 17 else functional.adaptive_avg_pool2d(x, 5)
        x = functional.adaptive_avg_pool2d(self.conv1(self.conv0(x)), 1)
        return self.fc(x.flatten(1))


def _vgg(net: Any) -> Parts:
    layers = list(net.features)
    pools = [i for i, layer in enumerate(layers) if isinstance(layer, nn.MaxPool2d)]
    start = pools[3] + 1  # block 5 stands between the fourth and the fifth max-pooling
    return Parts(nn.Sequential(*layers[:start]), nn.Sequential(*layers[start:]), 512)


def _resnet(net: Any) -> Parts:
    trunk = nn.Sequential(net.conv1, net.bn1, net.relu, net.maxpool, net.layer1, net.layer2, net.layer3)
    return Parts(trunk, nn.Sequential(net.layer4), net.fc.in_features)


def _densenet(net: Any) -> Parts:
    layers = dict(net.features.named_children())
    block = nn.Sequential(layers.pop("denseblock4"), layers.pop("norm5"), nn.ReLU(inplace=True))
    return Parts(nn.Sequential(*layers.values()), block, net.classifier.in_features)


def _inception(net: Any) -> Parts:
    layers = {name: layer for name, layer in net.named_children() if name.startswith(("Conv", "Mixed", "maxpool"))}
    block = nn.Sequential(*(layers.pop(f"Mixed_7{letter}") for letter in "abc"))
    auxiliary = InceptionAuxiliary(net.AuxLogits, 7)
    return Parts(nn.Sequential(InceptionInput(), *layers.values()), block, net.fc.in_features, auxiliary)


def _mobilenet(net: Any) -> Parts:
    return Parts(net.features[:17], net.features[17:], net.last_channel)


def _squeezenet(net: Any) -> Parts:
    return Parts(net.features[:10], net.features[10:], 512)


_VGG = Architecture("vgg", "block 5: the convolutions between the fourth and the fifth max-pooling", _vgg)
_RESNET = Architecture("resnet", "layer4", _resnet)
_INCEPTION = Architecture("inception", "Mixed_7a to Mixed_7c (8 x 8 at 299 pixels)", _inception, 299, 75)

ARCHITECTURES: dict[str, Architecture] = {
    "vgg16": _VGG,
    "vgg19": _VGG,
    "vgg19_bn": _VGG,
    "resnet18": _RESNET,
    "resnet34": _RESNET,
    "resnet50": _RESNET,
    "resnet152": _RESNET,
    "inception_v3": _INCEPTION,
    "densenet161": Architecture("densenet", "denseblock4 and norm5", _densenet),
    "mobilenet_v2": Architecture("mobilenet", "features[17:]: the last inverted residual, the 1x1 to 1280", _mobilenet),
    "squeezenet1_0": Architecture("squeezenet", "features[10:]: the last two Fire modules", _squeezenet),
}
"""What can be built by name; one line adds a network of a family that is here."""


def network_names() -> list[str]:
    """Names that `fer_bench.deep.networks.build` takes."""
    return ["cnn2", *ARCHITECTURES]


def torchvision_network(name: str) -> nn.Module:
    """torchvision's own network with 1000 outputs, initialised from torch's global generator (fork it around this)."""
    options = {"aux_logits": True, "init_weights": True} if name == "inception_v3" else {}
    return torchvision.models.get_model(name, weights=None, **options)


def empty_network(name: str) -> nn.Module:
    """The same on the "meta" device: shapes without values, for those who bring the values."""
    with torch.device("meta"):
        return torchvision_network(name)


def fresh_network(name: str) -> nn.Module:
    """The same with the values that a training from scratch starts from.

    VGG's dense layers, which the cut leaves out, get none: drawing 124 million numbers takes seconds.
    """
    if ARCHITECTURES[name].family != "vgg":
        return torchvision_network(name)
    net: Any = empty_network(name)
    net.features.to_empty(device="cpu")
    for layer in net.features:
        if isinstance(layer, nn.Conv2d):  # as torchvision does
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
            nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.BatchNorm2d):
            layer.reset_parameters()
    return net
