"""Going on where a killed call or trial stopped: what it has left, and what it took.

Which trials are done already is told by `fer_bench.results.records.finished`, and how a network keeps its training by
`deep.training.checkpoint`; this is what lies between: the note on a trial's attempts beside its checkpoint, and the
time and predictions of earlier calls of a run.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Container
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from fer_bench.utils.files import atomic_write
from fer_bench.utils.json_files import find_json, json_text

from .task import Task

if TYPE_CHECKING:
    from fer_bench.plan.forecast import PredictedCost

__all__ = ["CHECKPOINT", "begin_attempt", "drop_checkpoint", "earlier_seconds", "predicted_before"]

CHECKPOINT = "checkpoint"
"""Folder beside a trial's record in which a long training keeps itself."""
_ATTEMPT = "attempt.json"


def drop_checkpoint(task: Task) -> None:
    """Remove what a training has kept of itself."""
    shutil.rmtree(task.folder / CHECKPOINT, ignore_errors=True)


class _Times(TypedDict):
    begun: float
    earlier: float


class _Attempt(_Times, total=False):
    cautious: str


def begin_attempt(task: Task) -> float:
    """Note that a training begins; returns the seconds of earlier attempts whose work it goes on from.

    A training goes on in the precision that it began in: a safer one goes on from a safer one alone, no other does.
    """
    checkpoint = task.folder / CHECKPOINT
    note = checkpoint / _ATTEMPT
    before, earlier = find_json(note, _Attempt), 0.0
    if ("" if before is None else before.get("cautious", "")) != task.cautious:
        drop_checkpoint(task)
    try:
        kept = [file.stat().st_mtime for file in checkpoint.iterdir() if file.name != _ATTEMPT]
    except OSError:
        kept = []
    if before is not None and kept:
        earlier = before["earlier"] + max(0.0, max(kept) - before["begun"])
    with atomic_write(note, "w") as handle:
        handle.write(json_text({"begun": time.time(), "earlier": earlier, "cautious": task.cautious}))
    return earlier


def earlier_seconds(out: Path) -> tuple[float, float]:
    """Return the seconds that earlier calls have spent on this folder, and of these those of a killed call's trials."""
    from fer_bench.results.info import find_info  # here and below: no worker needs it

    from .monitor.events import read_events
    from .monitor.state import read_state

    info = find_info(out)
    told, complete = float(info.get("elapsed_seconds") or 0.0), bool(info.get("finished"))
    last = read_state(read_events(out), {})
    if complete or last is None or last.ended is not None:
        return told, 0.0
    # It could not write what it took; its events tell.
    return told + last.last - last.started, last.last - (last.last if last.first is None else last.first)


def predicted_before(folder: Path, *, except_for: Container[str] = ()) -> dict[str, PredictedCost]:
    """Return what an earlier call of a run predicted, by trial id, but for the trials that are to be done (again)."""
    from fer_bench.plan.forecast import PredictedCost
    from fer_bench.results.info import find_info

    return {
        row["id"]: PredictedCost(float(row["predicted_seconds"]), row["predicted_from"])
        for row in find_info(folder).get("plan", ())
        if row.get("predicted_from") and row.get("predicted_seconds") is not None and row["id"] not in except_for
    }
