"""Seconds that a trial of a network takes on one core, from multiply-adds; imports no torch."""

from __future__ import annotations

from typing import Any

from fer_bench.methods import MethodSpec

from .networks.registry import Network, Work
from .networks.zoo import find
from .training.stages import plan_stages, whole_epochs

__all__ = ["cost"]

_START = 0.5  # building the network, reading its weights
_FORWARD = 0.7  # of a third of a training step: forward passes alone run at a better rate
_SMALL_MAPS = 1.5  # last blocks work on few pixels and many parameters, at a worse rate
_HEAD = 1e-4  # seconds an image and epoch of a linear head on cached features
# seconds a pixel in training and in prediction
_SHALLOW = {"cnn2": (1.15e-6, 0.3e-6), "cnn3": (1.05e-6, 0.35e-6)}
_UNKNOWN = Work(5.0, 0.2, 15.0)


def cost(spec: MethodSpec, n_train: int, n_test: int) -> float:
    """Nominal seconds on one core of a laptop without bfloat16 units.

    Parameters
    ----------
    spec : MethodSpec
        Resolved for its profile and preset.
    n_train, n_test : int
        Images trained on and predicted.
    """
    params = spec.params
    # rows of other packages may not have all parameters
    least, batch = int(params.get("min_steps", 0)), int(params.get("batch_size", 32))
    epochs = whole_epochs(int(params["epochs"]), least, n_train, batch)
    if spec.network in _SHALLOW:
        train, predict = _SHALLOW[spec.network]
        return _START + spec.image.size**2 * (train * epochs * n_train + predict * n_test)
    network = find(spec.params["network"])
    work = network.work or _UNKNOWN
    image = work.giga * (spec.image.size / network.size) ** 2 / work.rate
    passes, heads = _work(network, work, {**spec.params, "epochs": epochs})
    return _START + _HEAD * heads * n_train + image * (passes * n_train + _FORWARD * n_test)


def _work(network: Network, work: Work, params: Any) -> tuple[float, float]:
    """Forward passes' worth of work for each training image, and epochs of a head on cached features."""
    # rows of other packages may have the parameter's old name
    copies, n = int(params.get("augmented_copies", params.get("views", 0))), len(network.blocks)
    stages = plan_stages(params["mode"], n, int(params["epochs"]), 1.0, params.get("stages"))
    passes = heads = 0.0
    if copies and stages[0].depth < n:  # frozen parts run once for all stages, to the last boundary
        passes += _FORWARD * copies * (1 - _learning(work, stages[0].depth, n))
    for stage in stages:
        learning = _learning(work, stage.depth, n)
        if not copies:
            passes += _FORWARD * (1 - learning) * stage.epochs
        heads += stage.epochs if stage.depth == 0 else 0
        passes += 3 * learning * (_SMALL_MAPS if stage.depth == 1 else 1.0) * stage.epochs
    return passes, heads


def _learning(work: Work, depth: int, n: int) -> float:
    """Share of the multiply-adds in the last ``depth`` of ``n`` blocks; those before the last are taken to be equal."""
    return 0.0 if depth == 0 else work.block + (1 - work.block) * (depth - 1) / max(1, n - 1)
