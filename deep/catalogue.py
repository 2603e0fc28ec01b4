"""Networks that the harness can find: ``cnn2`` at five sizes, eleven ImageNet architectures in four modes.

Imports no torch: `fer-bench list` reads this in milliseconds.
"""

from __future__ import annotations

from typing import Any

from fer_bench.methods import ImageSpec, MethodSpec, Override, WeightsSpec

from .costs import cost

__all__ = ["METHODS", "cost"]

_FACTORY = "fer_bench.deep.classifier:NetworkClassifier"
_COST = "fer_bench.deep.catalogue:cost"
_ARTICLE = "Akhand et al. 2021, Electronics 10(9):1036, doi 10.3390/electronics10091036"
_FULL: dict[str, Any] = {"epochs": 50, "batch_size": 32, "learning_rate": 5e-4, "betas": [0.9, 0.999]}
_VIEWS = 8

# As printed in the article. With beta2 = 0.009 Adam forgets its second moment within a step: each weight moves by about
# +-learning_rate whatever the gradient's size (sign descent), and by far more where a gradient has just vanished.
# The authors' published code has no such value; it is most probably a misprint of 0.999.
# Its 50 epochs are those of the full profile.
_ARTICLE_PARAMS: dict[str, Any] = {"betas": [0.9, 0.009]}

# At 5e-4 the dense layer over 9,216 and more inputs swings so far in its first steps that all seven outputs are
# constant for five to ten epochs: time that full has and quick has not.
_CNN2_QUICK: dict[str, Any] = {"batch_size": 16, "learning_rate": 1e-4, "augment": False}
_CNN2_QUICK_EPOCHS = {48: 15, 64: 8, 128: 3, 224: 2, 360: 1}

# name: (published file, megabytes)
_WEIGHTS: dict[str, tuple[str, float]] = {
    "vgg16": ("vgg16-397923af.pth", 527.8),
    "vgg19": ("vgg19-dcbb9e9d.pth", 548.1),
    "vgg19_bn": ("vgg19_bn-c79401a0.pth", 548.1),
    "resnet18": ("resnet18-f37072fd.pth", 44.7),
    "resnet34": ("resnet34-b627a593.pth", 83.3),
    "resnet50": ("resnet50-0676ba61.pth", 97.8),
    "resnet152": ("resnet152-394f9c45.pth", 230.4),
    "inception_v3": ("inception_v3_google-0cc3c7bd.pth", 103.9),
    "densenet161": ("densenet161-8d451a50.pth", 110.4),
    "mobilenet_v2": ("mobilenet_v2-b0353104.pth", 13.6),
    "squeezenet1_0": ("squeezenet1_0-b66bff10.pth", 4.8),
}

_SUMMARIES = {
    "dense": "pretrained on ImageNet, only a new linear head learns",
    "last_block": "pretrained on ImageNet, the last block and a new head learn",
    "entire": "pretrained on ImageNet, everything learns",
    "scratch": "random start, everything learns",
}

_QUICK_EPOCHS = {
    ("", "dense"): 20,
    ("", "last_block"): 2,
    ("", "entire"): 1,
    ("", "scratch"): 1,
    ("mobilenet_v2", "last_block"): 6,
    ("mobilenet_v2", "entire"): 4,
    ("squeezenet1_0", "last_block"): 6,
    ("squeezenet1_0", "entire"): 6,
    ("squeezenet1_0", "scratch"): 2,
}


def _weights(network: str) -> WeightsSpec:
    filename, megabytes = _WEIGHTS[network]
    return WeightsSpec(
        name=network,
        filename=filename,
        megabytes=megabytes,
        origin="torchvision IMAGENET1K_V1, trained on ImageNet-1k, BSD-3-Clause",
        fetch="fer_bench.deep.weights:url",
    )


def _cnn2(size: int) -> MethodSpec:
    return MethodSpec(
        name=f"cnn2-{size}",
        family="cnn",
        factory=_FACTORY,
        image=ImageSpec(size, 1),
        params={"network": "cnn2", "mode": "scratch", **_FULL},
        wants=("random_state", "device"),
        network="cnn2",
        mode="scratch",
        profiles={"quick": Override({"epochs": _CNN2_QUICK_EPOCHS[size], **_CNN2_QUICK})},
        presets={"article": Override(_ARTICLE_PARAMS, ImageSpec(size, 1, "grey256"))},
        cost=_COST,
        uses_torch=True,
        watches=True,
        summary=f"two 3x3 convolutions with 2x2 max-pooling, dense 128, grey {size} px",
        reference=_ARTICLE,
    )


def _quick_params(network: str, mode: str) -> dict[str, Any]:
    """What quick changes: few epochs, more of them on small networks; steps that few epochs can be seen to learn by.

    ``entire`` takes smaller steps (5e-4 undoes pretraining within an epoch where there is no BatchNorm) and no
    augmentation, which needs more epochs than these to pay.
    """
    params: dict[str, Any] = {"epochs": _QUICK_EPOCHS.get((network, mode), _QUICK_EPOCHS["", mode]), "batch_size": 16}
    if mode in ("dense", "last_block"):
        params["views"] = 2
    if mode == "entire":
        params |= {"learning_rate": 1e-4, "augment": False}
    return params


def _imagenet(network: str, mode: str) -> MethodSpec:
    inception = network == "inception_v3"
    size, quick = (299, 75) if inception else (224, 64)
    pretrained = mode != "scratch"
    return MethodSpec(
        name=f"{network}-{mode}",
        family="deep",
        factory=_FACTORY,
        image=ImageSpec(size, 3),
        params={"network": network, "mode": mode, **_FULL, **({"views": _VIEWS} if mode == "dense" else {})},
        wants=("random_state", "device", *(("weights",) if pretrained else ())),
        network=network,
        mode=mode,
        weights=_weights(network) if pretrained else None,
        profiles={"quick": Override(_quick_params(network, mode), ImageSpec(quick, 3))},
        presets={"article": Override(_ARTICLE_PARAMS, ImageSpec(size, 3, "grey256"))},
        cost=_COST,
        uses_torch=True,
        watches=True,
        summary=f"{network}, {_SUMMARIES[mode]}",
        reference=_ARTICLE,
    )


METHODS: tuple[MethodSpec, ...] = (
    *(_cnn2(size) for size in _CNN2_QUICK_EPOCHS),
    *(_imagenet(network, mode) for network in _WEIGHTS for mode in _SUMMARIES),
)
