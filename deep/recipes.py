"""Parameters by profile and preset: what the article prints, what its paper has, what its authors' code does.

Akhand et al. 2021, doi 10.3390/electronics10091036; the code is the authors' published notebooks. Where a source is
silent on a network or a mode, the recipe of the nearest one that it has is taken; the comments say where.
"""

from __future__ import annotations

from typing import Any

from fer_bench.methods import ImageSpec, Override

from .networks.registry import Network

__all__ = ["COPIES", "FULL", "presets", "quick"]

FULL: dict[str, Any] = {"epochs": 50, "batch_size": 32, "learning_rate": 5e-4, "betas": [0.9, 0.999]}
COPIES = 8

# As printed in the article. With beta2 = 0.009 Adam forgets its second moment within a step: each weight moves by about
# +-learning_rate whatever the gradient's size (sign descent), and by far more where a gradient has just vanished.
# The authors' published code has no such value; it is most probably a misprint of 0.999.
# Its 50 epochs are those of the full profile.
_ARTICLE: dict[str, Any] = {"betas": [0.9, 0.009]}

# Colour pictures; augmentation as recalled from the paper, not verified; betas as its authors' code has them.
_PAPER: dict[str, Any] = {"augment": "paper"}

# The torch notebooks, which all of Table 3 comes from: everything learns from the first epoch on, 20 epochs.
_TORCH_CODE: dict[str, Any] = {
    "optimizer": "sgd",
    "momentum": 0.9,
    "learning_rate": 1e-3,
    "schedule": "step",
    "step_size": 6,
    "gamma": 0.1,
    "epochs": 20,
    "batch_size": 32,
    "augment": "flip",
    "normalisation": "half",
}
# 5e-4 on these; their VGG-19 is the one with BatchNorm, the plain one takes its recipe here.
_SLOWER = ("densenet161", "resnet50", "vgg19", "vgg19_bn")
_SMALLER_BATCH = ("densenet161", "resnet152")

# The Keras notebooks (VGG-16): stages of one model, whose rates fall from 5e-5 to 1e-5; a dense layer of 512 without
# activation on 7 x 7 x 512 maps, which are averaged over the image first here. Normalisation is taken from their CNN.
_VGG16_CODE: dict[str, Any] = {
    "learning_rate": 5e-5,
    "augment": False,
    "normalisation": "unit",
    "head": "factored",
}
_VGG16_STAGES: tuple[tuple[str, int, float], ...] = (("dense", 15, 1.0), ("last_block", 50, 0.2), ("entire", 30, 0.2))
_VGG16_DEPTH = {"last_block": 2, "entire": 3, "gradual": 3}

_CNN_CODE: dict[str, Any] = {"learning_rate": 5e-5, "augment": False, "normalisation": "unit"}

# At 5e-4 the dense layer over 9,216 and more inputs swings so far in its first steps that all seven outputs are
# constant for five to ten epochs: time that full has and quick has not.
_CNN_QUICK: dict[str, Any] = {"batch_size": 16, "learning_rate": 1e-4, "augment": False}
_SHALLOW = ("cnn2", "cnn3")
_CNN_QUICK_EPOCHS = {48: 15, 64: 8, 128: 3, 224: 2, 360: 1}

_QUICK_EPOCHS = {
    ("", "dense"): 20,
    ("", "last_block"): 2,
    ("", "entire"): 1,
    ("", "scratch"): 1,
    ("", "gradual"): 3,
    ("mobilenet_v2", "last_block"): 6,
    ("mobilenet_v2", "entire"): 4,
    ("mobilenet_v2", "gradual"): 6,
    ("squeezenet1_0", "last_block"): 6,
    ("squeezenet1_0", "entire"): 6,
    ("squeezenet1_0", "scratch"): 2,
    ("squeezenet1_0", "gradual"): 6,
    ("squeezenet1_1", "last_block"): 6,
    ("squeezenet1_1", "entire"): 6,
    ("squeezenet1_1", "scratch"): 2,
    ("squeezenet1_1", "gradual"): 6,
    ("mobilenet_v3_small", "last_block"): 6,
    ("mobilenet_v3_small", "entire"): 4,
    ("mobilenet_v3_small", "gradual"): 6,
}


def presets(network: Network, mode: str, size: int) -> dict[str, Override]:
    """What each preset changes in a row."""
    return {
        "as-printed": Override(_ARTICLE, ImageSpec(size, network.channels, "grey256")),
        "original": Override(_PAPER),
        "authors-code": Override(_authors_code(network, mode)),
    }


def _authors_code(network: Network, mode: str) -> dict[str, Any]:
    if network.channels == 1:
        return _CNN_CODE
    if network.name != "vgg16":
        slower = {"learning_rate": 5e-4} if network.name in _SLOWER else {}
        return {**_TORCH_CODE, **slower, **({"batch_size": 16} if network.name in _SMALLER_BATCH else {})}
    if mode in _VGG16_DEPTH:
        # Their modes are stages that follow one another: VGG-16 "entire" has been "dense" and "last_block" before.
        stages = [list(stage) for stage in _VGG16_STAGES[: _VGG16_DEPTH[mode]]]
        return {
            **_VGG16_CODE,
            "mode": "gradual",
            "stages": stages,
            "epochs": sum(s[1] for s in _VGG16_STAGES[: _VGG16_DEPTH[mode]]),
        }
    return {**_VGG16_CODE, "epochs": 15 if mode == "dense" else 50}


def quick(network: Network, mode: str, size: int) -> Override:
    """What the quick profile changes: few epochs, more of them on small networks, on small pictures.

    Steps are such that few epochs can be seen to learn by: ``entire`` takes smaller ones (5e-4 undoes pretraining
    within an epoch where there is no BatchNorm) and no augmentation, which needs more epochs than these to pay.
    """
    if network.name in _SHALLOW:
        return Override({"epochs": _CNN_QUICK_EPOCHS[size], **_CNN_QUICK})
    epochs = _QUICK_EPOCHS.get((network.name.removesuffix("-rendered"), mode), _QUICK_EPOCHS["", mode])
    params: dict[str, Any] = {"epochs": epochs, "batch_size": 16}
    if mode in ("dense", "last_block"):
        params["augmented_copies"] = 2
    if mode == "gradual":
        params |= {"augmented_copies": 1, "augment": False}
    if mode == "entire":
        params |= {"learning_rate": 1e-4, "augment": False}
    return Override(params, ImageSpec(network.quick, network.channels))
