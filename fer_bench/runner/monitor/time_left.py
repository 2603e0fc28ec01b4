"""The time left of a run that is under way: what was predicted, corrected by how long its trials really took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .state import RunState

__all__ = ["seconds_left"]

_PRIOR = 0.01
"""Share of a call's predicted seconds by which the prediction itself weighs against trials that have ended."""
_OVERHEAD_SECONDS = 0.05
"""Of a trial beside what is predicted for it; else the shortest trials would tell the most of the others."""


def seconds_left(run_state: RunState, predicted: Mapping[str, float], now: float) -> float | None:
    """Return the seconds until all is done; None where nothing runs or waits, or nothing was predicted.

    Parameters
    ----------
    run_state : RunState
        How far the call is.
    predicted : mapping of str to float
        Seconds of each trial that the call has to do.
    now : float
        Seconds since 1970.
    """
    over, running = run_state.over, run_state.running
    waiting = [s for trial, s in predicted.items() if trial not in over and trial not in running]
    if not predicted or not (waiting or running):
        return None
    remaining = sum(s + _OVERHEAD_SECONDS for trial, s in predicted.items() if trial not in over)
    factor = _factor(run_state.measured, remaining)
    waiting = [] if run_state.stopping else waiting
    if not (waiting or running):
        return None
    whole = {t.id: factor * (predicted.get(t.id, 0.0) + _OVERHEAD_SECONDS) for t in running.values()}
    begun = [max(0.0, whole[t.id] - (now - t.since)) for t in running.values()]
    each = [*begun, *(factor * (s + _OVERHEAD_SECONDS) for s in waiting)]
    # No schedule is shorter than its longest trial, nor than all of them spread evenly.
    return max(max(each), sum(each) / max(1, run_state.workers))


def _factor(measured: Sequence[tuple[float, float]], remaining: float) -> float:
    """How many times longer than predicted the rest will take, of ``remaining`` predicted seconds.

    The median over predicted seconds, so that many short trials do not tell of the long ones, and that a first
    trial which also makes the features that the others share tells of itself alone; the prediction has its own,
    small, weight in it.
    """
    weights = [predicted + _OVERHEAD_SECONDS for _, predicted in measured]
    ratios = [(seconds / weight, weight) for (seconds, _), weight in zip(measured, weights, strict=True)]
    ratios = sorted([*ratios, (1.0, _PRIOR * (remaining + sum(weights)))])
    half, below = sum(weight for _, weight in ratios) / 2, 0.0
    for ratio, weight in ratios:
        below += weight
        if below >= half:
            return ratio
    return 1.0
