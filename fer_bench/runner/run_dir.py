"""The run directory: who may write to it, its room on the disk, what a killed call left in it, and its own clock.

What is done is told by `fer_bench.results.records`; the consolidated files are made in `consolidate`.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fer_bench.errors import UserError
from fer_bench.plan.plan import Plan, Trial
from fer_bench.plan.request import Request
from fer_bench.results.info import find_info
from fer_bench.results.records import PREDICTIONS, RECORD, held, trial_folder
from fer_bench.utils.files import atomic_write, clean_temporary, locked, need_writable, temporary_files
from fer_bench.utils.json_files import json_text
from fer_bench.utils.texts import writable

from .place import LOCK, check_folder

__all__ = ["LOCK", "Stopwatch", "check_place", "claimed", "space_needed", "tidy", "write_json"]

_TRIAL_BYTES = 16_000
_REPORT_BYTES = 5e6


def check_place(out: Path, request: Request) -> None:
    """Refuse a place for a run before any work; makes nothing there.

    Raises
    ------
    UserError
        Nothing can be written there, what is there is not ours (`check_folder`), or another run is writing to it.
    """
    need_writable(out, "give another folder with `out`")
    check_folder(out, request)
    if (out / LOCK).exists():
        with claimed(out):
            return


@contextmanager
def claimed(out: Path) -> Iterator[None]:
    """Be the only run that writes to ``out``.

    Raises
    ------
    UserError
        Another one does.
    """
    with locked(out / LOCK, wait=False) as mine:
        if not mine:
            raise UserError(f"{out}: another run is writing there; wait for it, or give another folder with `out`")
        yield


def space_needed(plan: Plan, todo: Iterable[Trial]) -> float:
    """Return about how many bytes a run will add: records and predictions of trials, the consolidated files, a report.

    Probabilities hardly shrink: 7 of 4 bytes an image beside the trial, about as much in the consolidated file.
    """
    unwritten = sum(_TRIAL_BYTES + 32 * t.n_test * (1 + _epochs(t)) for t in todo)
    consolidated = sum(32 * t.n_test * (1 + t.watch) for t in plan.runnable)
    return float(unwritten + consolidated + _REPORT_BYTES)


def _epochs(trial: Trial) -> int:
    """How many times a trial predicts its test images beside the last."""
    return max(1, int(trial.spec.params.get("epochs") or 1)) if trial.watch else 0


class Stopwatch:
    """Seconds that a run spends in each of its phases, on top of those of earlier calls.

    Parameters
    ----------
    out : Path
        The run directory, whose run.json may tell of earlier calls.
    resumed : bool
        Whether something that they did still counts.
    """

    def __init__(self, out: Path, *, resumed: bool) -> None:
        before = find_info(out).get("phase_seconds") if resumed else None
        self.seconds: dict[str, float] = dict(before or {})

    def add(self, phase: str, seconds: float) -> None:
        """Add to a phase what was measured elsewhere."""
        self.seconds[phase] = round(self.seconds.get(phase, 0.0) + seconds, 3)

    @contextmanager
    def __call__(self, phase: str) -> Iterator[None]:
        """Add what happens inside to a phase, however it ends."""
        begun = time.monotonic()
        try:
            yield
        finally:
            self.add(phase, time.monotonic() - begun)


def tidy(out: Path, done: Iterable[str]) -> None:
    """Remove what killed calls left in a run directory: half-written files, and all but the result of what is done.

    For the holder of `claimed` alone. Looks at the run's own places: ``out`` may hold other runs, or be a home.
    """
    for place in (".", "folds", "logs", "tables", "figures", "trials"):
        clean_temporary(out / place)
    for folder in (out / "trials").iterdir():
        # A cluster's worker may still write what a driver that was killed had asked for.
        if any(map(temporary_files, (folder, folder / "checkpoint"))):
            with held(folder) as mine:
                if mine:
                    clean_temporary(folder)
                    clean_temporary(folder / "checkpoint")
    for trial_id in done:
        for leftover in trial_folder(out, trial_id).iterdir():
            if leftover.name in (RECORD, PREDICTIONS):
                continue
            if leftover.is_dir():  # what a long training kept of itself
                shutil.rmtree(leftover, ignore_errors=True)
            else:
                leftover.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Write indented JSON atomically; a number that is none becomes null."""
    with atomic_write(path, "w") as handle:
        handle.write(writable(json_text(value, indent=1, ensure_ascii=False, default=list)) + "\n")
