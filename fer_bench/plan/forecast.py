"""What a plan will take: time, memory, disk and downloads, and where each figure comes from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from .costs import History, kind_of_cost, load_history
from .machine_speed import machine_slowness
from .plan import Plan, Trial

__all__ = ["SOURCES", "Forecast", "PredictedCost", "forecast"]

SOURCES = {
    "measured": "measured on this machine before",
    "scaled": "measured on this machine with other numbers of images, and scaled",
    "family": "estimated, and corrected by what methods of its family took on this machine",
    "calibrated": "estimated, and scaled by a second's calibration of this machine",
}
"""Where a trial's predicted seconds come from, the best source first."""

_HARNESS_SECONDS = 0.02
"""Of a trial beside its method: loading, checking, compressing, writing."""
_IMPORT_SECONDS = 5.0
"""Until a worker has imported torch."""
_SHARED_SECONDS = 0.005
"""An image of shared work on the nominal laptop, where none has been measured."""
_FEATURE_BYTES = 16_000
"""An image: four thousand numbers of four bytes."""
_RECORD_BYTES, _PREDICTION_BYTES = 12_000, 70
"""Of a trial's files, and of each of its tested images there and in the consolidated table."""


@dataclass(frozen=True)
class PredictedCost:
    """Seconds of one trial, without work that trials share, and which of `SOURCES` they come from."""

    seconds: float
    source: str


@dataclass(frozen=True)
class Forecast:
    """What a plan will take.

    Attributes
    ----------
    trials : mapping of str to PredictedCost
        By id, of all that are not skipped.
    core_seconds : float
        Of all trials, shared work included.
    wall_seconds : float
        Until the last trial ends, with the plan's workers; reading pictures and writing the report not included.
    memory_gb : float
        Of the largest trials that may run at once.
    memory_measured : bool
        Whether all of it was measured on this machine.
    disk_mb : mapping of str to float
        Of pictures, features and results.
    download_mb : float
    """

    trials: Mapping[str, PredictedCost]
    core_seconds: float
    wall_seconds: float
    memory_gb: float
    memory_measured: bool
    disk_mb: Mapping[str, float]
    download_mb: float = 0.0
    slowness: float | None = field(default=None)

    @property
    def seconds(self) -> dict[str, float]:
        """Predicted seconds by trial id."""
        return {trial: found.seconds for trial, found in self.trials.items()}

    @property
    def sources(self) -> dict[str, int]:
        """How many trials are predicted from which of `SOURCES`."""
        counts = Counter(found.source for found in self.trials.values())
        return {source: counts[source] for source in SOURCES if counts[source]}

    def as_json(self) -> dict[str, Any]:
        """Return what ``run.json`` and ``plan --json`` hold."""
        return {
            "core_seconds": round(self.core_seconds, 1),
            "wall_seconds": round(self.wall_seconds, 1),
            "memory_gb": round(self.memory_gb, 2),
            "memory_measured": self.memory_measured,
            "disk_mb": {what: round(size, 1) for what, size in self.disk_mb.items()},
            "download_mb": round(self.download_mb, 1),
            "sources": self.sources,
            "slowness": self.slowness and round(self.slowness, 3),
        }


def forecast(
    plan: Plan,
    *,
    history: History | None = None,
    slowness: Callable[[], float] = machine_slowness,
    before: Mapping[str, PredictedCost] | None = None,
    workers: int = 0,
) -> Forecast:
    """Predict what a plan takes on this machine.

    Parameters
    ----------
    plan : Plan
    history : History, optional
        Default: what this machine has recorded.
    slowness : callable
        Tells how many times longer than the nominal laptop this machine takes; called only where that is needed.
    before : mapping of str to PredictedCost, optional
        What was predicted before trials of this run were done; kept, since prediction with hindsight is none.
    workers : int
        How many trials run at once; 0: as the request says, which knows nothing of a cluster's workers.
    """
    workers = workers or plan.request.n_workers
    history = load_history() if history is None else history
    clock = cache(slowness)  # asked for where it is needed, and once
    families = history.slowness()
    known = before or {}
    trials = {t.id: known.get(t.id) or _predict(t, history, families, clock) for t in plan.runnable}
    shared = _shared_seconds(plan, history, clock)
    per_lane = _schedule(plan, trials, shared, workers)
    memory, measured = _memory_gb(plan, history, workers)
    return Forecast(
        trials=trials,
        core_seconds=sum(p.seconds for p in trials.values()) + sum(shared.values()),
        wall_seconds=max(per_lane, default=0.0),
        memory_gb=memory,
        memory_measured=measured,
        disk_mb=_disk_mb(plan),
        download_mb=sum(spec.megabytes for spec in plan.downloads),
        slowness=clock() if clock.cache_info().currsize else None,
    )


def _predict(
    trial: Trial, history: History, families: Mapping[str, float], slowness: Callable[[], float]
) -> PredictedCost:
    kind = kind_of_cost(trial.spec, trial.device, trial.watch)
    measured = history.measured(kind, trial.n_train, trial.n_test)
    if measured is not None:
        return PredictedCost(measured, "measured")
    scaled = history.scaled(trial.spec, kind, trial.n_train, trial.n_test)
    if scaled is not None:
        return PredictedCost(scaled, "scaled")
    if trial.spec.family in families and trial.device == "cpu":
        return PredictedCost(trial.estimate_seconds * families[trial.spec.family], "family")
    return PredictedCost(trial.estimate_seconds * slowness(), "calibrated")


def _shared_seconds(plan: Plan, history: History, slowness: Callable[[], float]) -> dict[tuple[Any, ...], float]:
    """Seconds of the features that trials share, each once: an image's time what it was here, or a few milliseconds."""
    each: dict[tuple[Any, ...], float] = {}
    for trial in plan.runnable:
        seconds = history.shared(kind_of_cost(trial.spec, trial.device, trial.watch))
        if seconds or _shares(trial):
            each[_features(trial)] = seconds or each.get(_features(trial), 0.0)
    images = len(plan.dataset.manifest)
    return {what: images * (seconds or _SHARED_SECONDS * slowness()) for what, seconds in each.items()}


def _shares(trial: Trial) -> bool:
    return bool(trial.spec.features) and not trial.spec.uses_torch


def _features(trial: Trial) -> tuple[Any, ...]:
    """What trials of one kind of features have in common; a network's frozen part serves its own mode alone."""
    return trial.spec.features, trial.spec.network, trial.spec.mode, trial.spec.image


def _schedule(
    plan: Plan, predicted: Mapping[str, PredictedCost], shared: Mapping[tuple[Any, ...], float], workers: int
) -> Sequence[float]:
    """Let each trial, in the plan's order, go to the worker that is free first; GPU trials go to the first workers."""
    lanes = [0.0] * max(1, min(workers, len(plan.runnable)))
    with_torch: set[int] = set()
    begun: set[tuple[Any, ...]] = set()
    for trial in plan.runnable:
        able = range(min(len(lanes), plan.request.per_gpu) if trial.device == "cuda" else len(lanes))
        lane = min(able, key=lanes.__getitem__)
        lanes[lane] += predicted[trial.id].seconds + _HARNESS_SECONDS
        if trial.spec.uses_torch and lane not in with_torch:
            with_torch.add(lane)
            lanes[lane] += _IMPORT_SECONDS
        if _features(trial) in shared and _features(trial) not in begun:
            begun.add(_features(trial))
            lanes[lane] += shared[_features(trial)]
    return lanes


def _memory_gb(plan: Plan, history: History, workers: int) -> tuple[float, bool]:
    """Memory of the most demanding trials side by side, and whether all of it was measured."""
    largest: dict[str, tuple[float, bool]] = {}
    for trial in plan.runnable:
        kind = kind_of_cost(trial.spec, trial.device, trial.watch)
        measured = history.rss_mb(kind, trial.n_train, trial.n_test)
        size = _guess_gb(trial) if measured is None else measured / 1e3
        largest[trial.id] = (size, measured is not None)
    top = sorted(largest.values(), reverse=True)[:workers]
    return sum(size for size, _ in top), bool(top) and all(known for _, known in largest.values())


def _guess_gb(trial: Trial) -> float:
    """Memory of a trial from the size of its images: activations of a batch for networks, else kernels and features."""
    pixels = trial.spec.image.size**2
    images = (trial.n_train + trial.n_test) * trial.spec.image.n_bytes / 1e9
    if trial.spec.uses_torch:
        return 0.9 + 1.6e-5 * pixels + 2 * images
    return 0.3 + 2e-4 * trial.n_train + images


def _disk_mb(plan: Plan) -> dict[str, float]:
    n = len(plan.dataset.manifest)
    images = {trial.spec.image for trial in plan.runnable}
    features = {_features(trial) for trial in plan.runnable if _shares(trial)}
    return {
        "pictures": sum(n * spec.n_bytes for spec in images) / 1e6,
        "features": n * len(features) * _FEATURE_BYTES / 1e6,
        "results": _results_bytes(plan.runnable) / 1e6,
    }


def _results_bytes(trials: Iterable[Trial]) -> float:
    return sum(_RECORD_BYTES + _PREDICTION_BYTES * t.n_test * (2 if t.watch else 1) for t in trials)
