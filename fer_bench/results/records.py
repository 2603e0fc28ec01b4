"""One trial's files: its record, its predictions, its lock, and whether by these it is done."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from fer_bench.utils.files import atomic_write, locked, sha256_file
from fer_bench.utils.json_files import find_json, json_text
from fer_bench.utils.regular import unfit

from .schema import State

__all__ = [
    "PREDICTIONS",
    "RECORD",
    "TrialRecord",
    "complete_record",
    "finished",
    "held",
    "read_record",
    "trial_folder",
    "write_record",
]


RECORD = "trial.json"
"""Written last: a trial with this file is complete."""
PREDICTIONS = "predictions.npz"
TRIAL_LOCK = "trial.lock"
_MOST_BYTES = 2_000_000_000


class _Needed(TypedDict):
    id: str
    state: State


class TrialRecord(_Needed, total=False):
    """Kinds of what ``trial.json`` may hold, of what is read again; what no number could tell is null."""

    method: str
    protocol: str
    fold: int
    seed: int
    reason: str
    device: str
    n_train: int
    n_test: int
    fit_seconds: float | None
    predict_seconds: float | None
    prepare_seconds: float | None
    cpu_seconds: float | None
    peak_rss_mb: float | None
    peak_gpu_mb: float | None
    estimate_seconds: float | None
    threads: int | None
    warnings: list[str] | None
    history: dict[str, list[float | None]] | None
    versions: dict[str, str] | None
    code: str | None
    source_hash: str | None
    cpu: str | None
    predictions_sha256: str


def complete_record(folder: Path, trial_id: str) -> dict[str, Any] | None:
    """Return the record of a trial that ended well and whose predictions are there, or None: this alone is done."""
    record = _read(folder, trial_id)
    if record is None or record["state"] != "ok":
        return None
    try:
        if unfit(os.stat(folder / PREDICTIONS), _MOST_BYTES):
            return None
        whole = sha256_file(folder / PREDICTIONS) == record.get("predictions_sha256")
    except OSError:
        return None
    return record if whole else None


def finished(out: Path, trial_id: str) -> bool:
    """Tell whether a trial of a run is done (`complete_record`); failed ones are tried anew by the next run."""
    return complete_record(trial_folder(out, trial_id), trial_id) is not None


def read_record(out: Path, trial_id: str) -> dict[str, Any] | None:
    """Return a trial's record, whatever its state; None where it has none, or one that cannot be read."""
    return _read(trial_folder(out, trial_id), trial_id)


def _read(folder: Path, trial_id: str) -> dict[str, Any] | None:
    record = find_json(folder / RECORD, TrialRecord)
    return dict(record) if record is not None and record["id"] == trial_id else None


@contextmanager
def held(folder: Path) -> Iterator[bool]:
    """Hold the lock of a trial's folder; yields whether it was got: else some process computes the trial."""
    with locked(folder / TRIAL_LOCK, wait=False) as mine:
        yield mine


def write_record(folder: Path, record: dict[str, Any]) -> None:
    """Commit a trial's record; the folder counts from then on."""
    with atomic_write(folder / RECORD, "w") as handle:
        handle.write(json_text(record, indent=1))


def trial_folder(out: Path, trial_id: str) -> Path:
    """Return where a trial's record and predictions are."""
    return out / "trials" / trial_id


def read_predictions(out: Path, trial_id: str) -> dict[str, NDArray[Any]]:
    """Return a finished trial's arrays; empty where they are lost or damaged."""
    file = trial_folder(out, trial_id) / PREDICTIONS
    try:
        if unfit(os.stat(file), _MOST_BYTES):
            return {}
        with np.load(file) as arrays:
            return dict(arrays)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error):
        return {}
