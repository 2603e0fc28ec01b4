"""Seconds that a trial of a network takes on one core, from multiply-adds; imports no torch."""

from __future__ import annotations

from fer_bench.methods import MethodSpec

__all__ = ["cost"]

# Multiply-adds (10^9) of one forward pass at 224 pixels (299 for Inception), and the last block's share of them.
_FORWARD: dict[str, tuple[float, int, float]] = {
    "vgg16": (15.4, 224, 0.09),
    "vgg19": (19.5, 224, 0.10),
    "vgg19_bn": (19.5, 224, 0.10),
    "resnet18": (1.81, 224, 0.23),
    "resnet34": (3.66, 224, 0.22),
    "resnet50": (4.09, 224, 0.20),
    "resnet152": (11.5, 224, 0.07),
    "inception_v3": (5.71, 299, 0.13),
    "densenet161": (7.73, 224, 0.15),
    "mobilenet_v2": (0.30, 224, 0.12),
    "squeezenet1_0": (0.82, 224, 0.12),
}
_GIGA_A_SECOND = 30.0


def cost(spec: MethodSpec, n_train: int, n_test: int) -> float:
    """Nominal seconds on one core of a laptop without bfloat16 units.

    Parameters
    ----------
    spec : MethodSpec
        Resolved for its profile and preset.
    n_train, n_test : int
        Images trained on and predicted.
    """
    params, side, epochs = spec.params, spec.image.size, int(spec.params["epochs"])
    if spec.network == "cnn2":
        return side**2 * (1.2e-6 * epochs * n_train + 0.3e-6 * n_test)
    giga, reference, block = _FORWARD[spec.network]
    forward = giga * (side / reference) ** 2
    views = int(params.get("views", 0))
    passes = {
        "dense": views,
        "last_block": (views + 3 * block * epochs) if views else (1 + 2 * block) * epochs,
        "entire": 3 * epochs,
        "scratch": 3 * epochs,
    }[spec.mode]
    return 2.0 + (passes * n_train + n_test) * forward / _GIGA_A_SECOND
