"""The networks that ship with fer-bench: one record each. Imports no torch.

Where blocks begin is taken from torchvision's modules; ``tests/deep`` holds every record against them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fer_bench.errors import UserError
from fer_bench.methods import WeightsSpec, load_object

from .registry import Network, Work

__all__ = ["CNN", "IMAGENET", "LITERATURE", "NETWORKS", "RENDERED", "find"]

_HERE = "fer_bench.deep.networks.architectures"


def _published(name: str, filename: str, megabytes: float) -> WeightsSpec:
    return WeightsSpec(
        name=name,
        filename=filename,
        megabytes=megabytes,
        origin="torchvision IMAGENET1K_V1, trained on ImageNet-1k, BSD-3-Clause",
        fetch="fer_bench.deep.networks.weights:url",
    )


def _vgg(name: str, file: str, megabytes: float, starts: tuple[int, ...], work: Work) -> Network:
    blocks = tuple(f"block {i}: the convolutions up to max-pooling {i}" for i in range(1, 6))
    build = f"{_HERE}:vgg"
    weights = _published(name, file, megabytes)
    return Network(name, blocks, 512, build=build, starts=starts, quick=32, weights=weights, work=work)


def _resnet(name: str, file: str, megabytes: float, width: int, work: Work, quick: int = 64) -> Network:
    blocks = ("conv1", "layer1", "layer2", "layer3", "layer4")
    weights = _published(name, file, megabytes)
    return Network(name, blocks, width, cut=f"{_HERE}:cut_resnet", quick=quick, weights=weights, work=work)


def _cnn(name: str, pairs: int) -> Network:
    blocks = (*(f"convolution and max-pooling {i + 1}" for i in range(pairs)), "dense layer of 128")
    return Network(
        name,
        blocks,
        128,
        build=f"fer_bench.deep.networks.cnn:{name}",
        cut="fer_bench.deep.networks.cnn:cut",
        size=128,
        smallest=2**pairs,
        channels=1,
        mean=(0.5,),
        std=(0.25,),
    )


CNN = (_cnn("cnn2", 2), _cnn("cnn3", 3))
"""Shallow networks on grey pictures: the article's, and that of its authors' code."""


def _literature(name: str, module: str, blocks: tuple[str, ...], width: int, work: Work, **others: Any) -> Network:
    build = f"fer_bench.deep.literature.{module}:{name}"
    return Network(name, blocks, width, build=build, cut="fer_bench.deep.networks.cnn:cut", work=work, **others)


_GREY: dict[str, Any] = {"channels": 1, "mean": (0.5,), "std": (0.25,), "size": 64}
_EIGHTEEN = ("4 convolutions", "4 convolutions", "5 convolutions", "5 convolutions", "dense")

LITERATURE = (
    _literature(
        "zfnet",
        "zfnet",
        ("conv1", "conv2", "conv3", "conv4", "conv5 and its max-pooling", "two dense layers of 4096"),
        4096,
        Work(1.17, 0.05, 10.0),
        smallest=53,
        quick=56,
    ),
    _literature("cnn18", "cnn18", _EIGHTEEN, 512, Work(2.34, 0.0, 20.0), smallest=16, quick=32, **_GREY),
    _literature("cnn18_narrow", "cnn18", _EIGHTEEN, 64, Work(0.037, 0.0, 12.0), smallest=16, **_GREY),
    _literature(
        "dwt_cnn",
        "dwt_cnn",
        ("Haar sub-bands and 32 maps", "64 maps", "128 maps", "dense layer of 256"),
        256,
        Work(0.039, 0.0, 20.0),
        smallest=16,
        quick=48,
        **_GREY,
    ),
    _literature(
        "expnet",
        "expnet",
        (*(f"convolution and max-pooling {i}" for i in range(1, 6)), "1x1 convolution", "dense layer of 256"),
        256,
        Work(3.35, 0.0, 13.0),
        quick=32,
    ),
    _literature(
        "dbn",
        "dbn",
        ("500 units", "500 units", "2000 units"),
        2000,
        Work(0.0033, 0.3, 2.5),
        smallest=8,
        **{**_GREY, "mean": (0.0,), "std": (1.0,), "quick": 32},
    ),
)
"""Systems that the article names: from scratch, as their papers have them; what is ours stands in their modules."""

IMAGENET = (
    _vgg("vgg16", "vgg16-397923af.pth", 527.8, (0, 5, 10, 17, 24), Work(15.35, 0.09, 25.7)),
    _vgg("vgg19", "vgg19-dcbb9e9d.pth", 548.1, (0, 5, 10, 19, 28), Work(19.51, 0.095, 25.9)),
    _vgg("vgg19_bn", "vgg19_bn-c79401a0.pth", 548.1, (0, 7, 14, 27, 40), Work(19.51, 0.095, 25.1)),
    _resnet("resnet18", "resnet18-f37072fd.pth", 44.7, 512, Work(1.81, 0.227, 16.0)),
    _resnet("resnet34", "resnet34-b627a593.pth", 83.3, 512, Work(3.66, 0.175, 13.0), quick=32),
    _resnet("resnet50", "resnet50-0676ba61.pth", 97.8, 2048, Work(4.09, 0.198, 9.5), quick=32),
    _resnet("resnet152", "resnet152-394f9c45.pth", 230.4, 2048, Work(11.51, 0.07, 9.0), quick=32),
    Network(
        "inception_v3",
        ("stem", "Mixed_5", "Mixed_6", "Mixed_7a to Mixed_7c (8 x 8 at 299 pixels)"),
        2048,
        cut=f"{_HERE}:cut_inception",
        size=299,
        smallest=75,
        quick=75,
        weights=_published("inception_v3", "inception_v3_google-0cc3c7bd.pth", 103.9),
        work=Work(5.71, 0.175, 23.6),
    ),
    Network(
        "densenet161",
        ("stem", "denseblock1", "denseblock2", "denseblock3", "denseblock4 and norm5"),
        2208,
        cut=f"{_HERE}:cut_densenet",
        starts=(0, 4, 6, 8, 10),
        quick=32,
        weights=_published("densenet161", "densenet161-8d451a50.pth", 110.4),
        work=Work(7.73, 0.06, 13.5),
    ),
    Network(
        "mobilenet_v2",
        (
            "24 channels",
            "32 channels",
            "64 channels",
            "96 channels",
            "160 channels",
            "features[17:]: the last inverted residual, the 1x1 to 1280",
        ),
        1280,
        starts=(0, 4, 7, 11, 14, 17),
        weights=_published("mobilenet_v2", "mobilenet_v2-b0353104.pth", 13.6),
        work=Work(0.30, 0.144, 6.5),
        bf16_on_cpu=False,
    ),
    Network(
        "squeezenet1_0",
        ("conv1", "Fire 2 to 4", "Fire 5 to 7", "features[10:]: the last two Fire modules"),
        512,
        starts=(0, 3, 7, 10),
        weights=_published("squeezenet1_0", "squeezenet1_0-b66bff10.pth", 4.8),
        work=Work(0.73, 0.233, 21.0),
    ),
    Network(
        "squeezenet1_1",
        ("conv1", "Fire 2 and 3", "Fire 4 and 5", "Fire 6 and 7", "features[11:]: the last two Fire modules"),
        512,
        starts=(0, 3, 6, 9, 11),
        weights=_published("squeezenet1_1", "squeezenet1_1-b8a52dc0.pth", 4.7),
        work=Work(0.26, 0.248, 17.0),
    ),
    Network(
        "alexnet",
        ("conv1", "conv2", "conv3", "conv4", "conv5 and its max-pooling"),
        256,
        starts=(0, 3, 6, 8, 10),
        smallest=63,
        weights=_published("alexnet", "alexnet-owt-7be5be79.pth", 233.1),
        work=Work(0.66, 0.152, 33.0),
    ),
    Network(
        "mobilenet_v3_small",
        (
            "16 channels and below",
            "24 channels",
            "40 channels",
            "48 channels",
            "96 channels but for the last",
            "features[11:]: the last inverted residual, the 1x1 to 576",
        ),
        576,
        starts=(0, 2, 4, 7, 9, 11),
        weights=_published("mobilenet_v3_small", "mobilenet_v3_small-047dcff4.pth", 9.8),
        work=Work(0.055, 0.164, 2.4),
        bf16_on_cpu=False,
    ),
    Network(
        "efficientnet_b0",
        (
            "16 channels and below",
            "24 channels",
            "40 channels",
            "80 channels",
            "112 channels",
            "192 channels",
            "features[7:]: 320 channels, the 1x1 to 1280",
        ),
        1280,
        starts=(0, 2, 3, 4, 5, 6, 7),
        weights=_published("efficientnet_b0", "efficientnet_b0_rwightman-7f5810bc.pth", 20.5),
        work=Work(0.385, 0.129, 4.8),
        bf16_on_cpu=False,
    ),
    Network(
        "convnext_tiny",
        (
            "stem and 96 channels",
            "192 channels",
            "384 channels",
            "features[6:]: 768 channels, and the layer norm after pooling",
        ),
        768,
        cut=f"{_HERE}:cut_convnext",
        starts=(0, 2, 4, 6),
        quick=32,
        weights=_published("convnext_tiny", "convnext_tiny-983f1562.pth", 109.1),
        work=Work(4.45, 0.170, 10.0),
    ),
    Network(
        "vit_b_16",
        (
            "patches, position and layers 1 to 3",
            "layers 4 to 6",
            "layers 7 to 9",
            "layers 10 and 11",
            "layer 12 and the last layer norm",
        ),
        768,
        build=f"{_HERE}:vit",
        cut=f"{_HERE}:cut_vit",
        starts=(0, 3, 6, 9, 11),
        quick=32,
        weights=_published("vit_b_16", "vit_b_16-c867db91.pth", 330.3),
        work=Work(17.56, 0.082, 14.5),
    ),
)
"""The article's architectures (VGG-19 plain and with BatchNorm), and current architectures."""


_RENDERED_SIZE = 96


def _rendered(base: str, file: str, megabytes: float) -> Network:
    """The same architecture, pretrained on this package's rendered faces; its file ships with it."""
    network = next(network for network in IMAGENET if network.name == base)
    name, work = f"{base}-rendered", network.work
    if work is not None:
        work = replace(work, giga=work.giga * (_RENDERED_SIZE / network.size) ** 2)
    weights = WeightsSpec(
        name=name,
        filename=file,
        megabytes=megabytes,
        origin="trained by `fer-bench pretrain` on rendered people of this package, MIT; saw no photograph",
        shipped=f"fer_bench.deep.networks:{file}",
        make="fer_bench.deep.pretrain:pretrain",
    )
    build = "fer_bench.deep.pretrain:features_alone"
    return replace(network, name=name, build=build, size=_RENDERED_SIZE, weights=weights, work=work)


RENDERED = (_rendered("squeezenet1_1", "squeezenet1_1-rendered-49b6fbc0.safetensors", 1.5),)
"""Pretrained on rendered faces, without anybody's photographs."""

NETWORKS = {network.name: network for network in (*CNN, *LITERATURE, *IMAGENET, *RENDERED)}


def find(name: str) -> Network:
    """The record of a network that ships here, or of one at a ``"module:object"`` path.

    Raises
    ------
    UserError
        There is none.
    """
    if name in NETWORKS:
        return NETWORKS[name]
    if ":" not in name:
        raise UserError(f"network: expected one of {', '.join(NETWORKS)}, or module:object of a record, found {name!r}")
    try:
        found = load_object(name)
    except (ImportError, AttributeError, ValueError) as error:
        raise UserError(f"network {name}: cannot be imported: {error}; give module:object of a record") from error
    if not isinstance(found, Network):
        raise UserError(
            f"network {name}: expected a fer_bench.deep.networks.registry.Network, found {type(found).__name__}"
        )
    return found
