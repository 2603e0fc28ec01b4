"""The ImageNet architectures of torchvision, cut where transfer learning cuts them.

Every network becomes the same chain: blocks from input to output -> global average pool -> head with seven outputs.
What stood behind the pool in torchvision (VGG's and AlexNet's two dense layers of 4,096 units, MobileNetV3's of 1,024,
dropout, SqueezeNet's convolutional classifier) is left out, so that the architectures are compared by their
convolutional parts under one head, and VGG trains 15 to 20 million parameters in place of 138. The linear head has
7 x (width + 1) parameters: 3,591 on VGG, SqueezeNet, ResNet-18 and -34, 14,343 on ResNet-50, -152 and Inception.

May import torch, torchvision and the record of `registry`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional

from .registry import Network

__all__ = ["Parts", "cut_features", "torchvision_network"]


@dataclass(frozen=True)
class Parts:
    """A network cut into what training modes freeze and train.

    Attributes
    ----------
    blocks : tuple of Module
        From input to output.
    pool : module or None
        From the last block's output to (n, width); without parameters. None: averages maps over the image.
    auxiliary : module or None
        A second head on the input of the last block, used in training only (Inception).
    """

    blocks: tuple[nn.Module, ...]
    pool: nn.Module | None = None
    auxiliary: nn.Module | None = None


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
        """Logits (n, classes) from the map (n, 768, h, w) before the last block."""
        x = functional.avg_pool2d(x, 5, 3) if min(x.shape[-2:]) >= 17 else functional.adaptive_avg_pool2d(x, 5)
        x = functional.adaptive_avg_pool2d(self.conv1(self.conv0(x)), 1)
        return self.fc(x.flatten(1))


class Patches(nn.Module):
    """A vision transformer's input: patches as tokens behind the class token, with their places added.

    Places learnt for another number of patches are interpolated, bicubically, as torchvision does it.
    Source: Dosovitskiy et al. 2021, arXiv:2010.11929, section 3.2.
    """

    def __init__(self, net: Any, size: int) -> None:
        super().__init__()
        self.convolution, self.class_token = net.conv_proj, net.class_token
        self.places = nn.Parameter(_places(net.encoder.pos_embedding.detach(), size // net.patch_size))

    def forward(self, x: Tensor) -> Tensor:
        """(n, 3, h, w) to (n, tokens, width)."""
        patches = self.convolution(x).flatten(2).transpose(1, 2)
        return torch.cat([self.class_token.expand(len(x), -1, -1), patches], 1) + self.places


def _places(learnt: Tensor, side: int) -> Tensor:
    """Bring place embeddings (1, 1 + k * k, width) to (1, 1 + side * side, width)."""
    before = math.isqrt(learnt.shape[1] - 1)
    if before == side:
        return learnt.clone()
    first, rest = learnt[:, :1], learnt[:, 1:].transpose(1, 2).unflatten(2, (before, before))
    rest = functional.interpolate(rest, size=(side, side), mode="bicubic", align_corners=True)
    return torch.cat([first, rest.flatten(2).transpose(1, 2)], 1)


class ClassToken(nn.Module):
    """What a vision transformer gives for the image as a whole: its first token."""

    def forward(self, x: Tensor) -> Tensor:
        """(n, tokens, width) to (n, width)."""
        return x[:, 0]


def _slices(layers: nn.Sequential, starts: tuple[int, ...]) -> list[nn.Module]:
    return [layers[at:end] for at, end in zip(starts, (*starts[1:], len(layers)), strict=True)]


def cut_features(net: Any, network: Network, _: int) -> Parts:
    """Cut ``net.features``, one Sequential, at the starts that the record declares."""
    return Parts(tuple(_slices(net.features, network.starts)))


def cut_resnet(net: Any, *_: Any) -> Parts:
    """The stem and four layers."""
    stem = nn.Sequential(net.conv1, net.bn1, net.relu, net.maxpool)
    return Parts((stem, net.layer1, net.layer2, net.layer3, net.layer4))


def cut_densenet(net: Any, network: Network, _: int) -> Parts:
    """The stem and four dense blocks; torchvision applies the last ReLU in ``forward``."""
    *blocks, last = _slices(net.features, network.starts)
    return Parts((*blocks, nn.Sequential(last, nn.ReLU(inplace=True))))


def cut_inception(net: Any, *_: Any) -> Parts:
    """The stem and three sizes of maps; the auxiliary head stands before the last."""
    groups: dict[str, list[nn.Module]] = {"stem": [InceptionInput()], "Mixed_5": [], "Mixed_6": [], "Mixed_7": []}
    for name, layer in net.named_children():
        if name.startswith(("Conv", "Mixed", "maxpool")):
            groups[name[:7] if name.startswith("Mixed") else "stem"].append(layer)
    blocks = tuple(nn.Sequential(*layers) for layers in groups.values())
    return Parts(blocks, auxiliary=InceptionAuxiliary(net.AuxLogits, 7))


def cut_convnext(net: Any, network: Network, _: int) -> Parts:
    """Four blocks; the layer norm that torchvision counts to its classifier stays with the last, behind the pool."""
    *blocks, last = _slices(net.features, network.starts)
    last = nn.Sequential(last, nn.AdaptiveAvgPool2d(1), net.classifier[0])
    return Parts((*blocks, last), pool=nn.Flatten())


def cut_vit(net: Any, network: Network, size: int) -> Parts:
    """Patches, then groups of encoder layers; torchvision's dropout there has probability 0 and is left out."""
    first, *blocks, last = _slices(net.encoder.layers, network.starts)
    first, last = nn.Sequential(Patches(net, size), first), nn.Sequential(last, net.encoder.ln)
    return Parts((first, *blocks, last), pool=ClassToken())


def torchvision_network(name: str, _: int = 0) -> nn.Module:
    """torchvision's own network with 1000 outputs, initialised from torch's global generator (fork it around this)."""
    options = {"aux_logits": True, "init_weights": True} if name == "inception_v3" else {}
    return torchvision.models.get_model(name, weights=None, **options)


def vit(name: str, size: int) -> nn.Module:
    """torchvision's vision transformer, for the places of images of ``size`` pixels (0: as published)."""
    return torchvision.models.get_model(name, weights=None, image_size=size // 16 * 16 or 224)


def vgg(name: str, size: int) -> nn.Module:
    """torchvision's VGG; to start from scratch, without values in the dense layers, which the cut leaves out.

    Drawing those 124 million numbers takes seconds.
    """
    if not size:
        return torchvision_network(name)
    with torch.device("meta"):
        net: Any = torchvision_network(name)
    net.features.to_empty(device="cpu")
    for layer in net.features:
        if isinstance(layer, nn.Conv2d):  # as torchvision does
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
            nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.BatchNorm2d):
            layer.reset_parameters()
    return net
