"""Seconds that a trial of a network takes on one core, from multiply-adds; imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

from fer_bench.methods import MethodSpec

__all__ = ["cost"]


@dataclass(frozen=True)
class _Work:
    """What a network costs.

    Attributes
    ----------
    giga : float
        Multiply-adds (10^9) of one forward pass at ``side`` pixels, counted by torch's flop counter.
    block : float
        Share of them in the last block.
    rate : float
        10^9 multiply-adds a second in training, one thread, float32, AVX2, measured at 64 pixels (75 for Inception)
        with a second process beside it; depthwise convolutions (MobileNet) reach little.
    """

    giga: float
    block: float
    rate: float
    side: int = 224


_WORK = {
    "vgg16": _Work(15.35, 0.09, 25.7),
    "vgg19": _Work(19.51, 0.095, 25.9),
    "vgg19_bn": _Work(19.51, 0.095, 25.1),
    "resnet18": _Work(1.81, 0.227, 16.0),
    "resnet34": _Work(3.66, 0.175, 17.2),
    "resnet50": _Work(4.09, 0.198, 16.0),
    "resnet152": _Work(11.51, 0.07, 19.0),
    "inception_v3": _Work(5.71, 0.175, 23.6, 299),
    "densenet161": _Work(7.73, 0.06, 19.5),
    "mobilenet_v2": _Work(0.30, 0.144, 6.5),
    "squeezenet1_0": _Work(0.73, 0.233, 21.0),
}
_START = 0.5  # building the network, reading its weights
_FORWARD = 0.7  # of a third of a training step: forward passes alone run at a better rate
_SMALL_MAPS = 1.5  # last blocks work on few pixels and many parameters, at a worse rate
_HEAD = 1e-4  # seconds an image and epoch of a linear head on cached features
_CNN2_TRAIN, _CNN2_PREDICT = 1.15e-6, 0.3e-6  # seconds a pixel


def cost(spec: MethodSpec, n_train: int, n_test: int) -> float:
    """Nominal seconds on one core of a laptop without bfloat16 units.

    Parameters
    ----------
    spec : MethodSpec
        Resolved for its profile and preset.
    n_train, n_test : int
        Images trained on and predicted.
    """
    epochs = int(spec.params["epochs"])
    if spec.network == "cnn2":
        return _START + spec.image.size**2 * (_CNN2_TRAIN * epochs * n_train + _CNN2_PREDICT * n_test)
    work = _WORK[spec.network]
    image = work.giga * (spec.image.size / work.side) ** 2 / work.rate
    passes = _passes(spec.mode, epochs, int(spec.params.get("views", 0)), work.block)
    heads = _HEAD * epochs * n_train if spec.mode == "dense" else 0.0
    return _START + heads + image * (passes * n_train + _FORWARD * n_test)


def _passes(mode: str, epochs: int, views: int, block: float) -> float:
    """Forward passes' worth of work for each training image."""
    if mode == "dense":
        return _FORWARD * views
    if mode == "last_block":
        return _FORWARD * (1 - block) * (views or epochs) + 3 * block * _SMALL_MAPS * epochs
    return 3.0 * epochs
