"""One trial's files: its record, its predictions and its lock."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_bench.utils.files import atomic_write, locked, sha256_file

__all__ = [
    "PREDICTIONS",
    "RECORD",
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


def complete_record(folder: Path, trial_id: str) -> dict[str, Any] | None:
    """Return the record of a trial that ended well and whose predictions are there, or None."""
    try:
        record = json.loads((folder / RECORD).read_text())
        whole = record["state"] == "ok" and record["id"] == trial_id
        if whole and sha256_file(folder / PREDICTIONS) == record["predictions_sha256"]:
            return dict(record)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return None


@contextmanager
def held(folder: Path) -> Iterator[bool]:
    """Hold the lock of a trial's folder; yields whether it was got: else some process computes the trial."""
    with locked(folder / TRIAL_LOCK, wait=False) as mine:
        yield mine


def write_record(folder: Path, record: dict[str, Any]) -> None:
    """Commit a trial's record; the folder counts from then on."""
    with atomic_write(folder / RECORD, "w") as handle:
        json.dump(record, handle, indent=1)


def trial_folder(out: Path, trial_id: str) -> Path:
    """Return where a trial's record and predictions are."""
    return out / "trials" / trial_id


def read_record(out: Path, trial_id: str) -> dict[str, Any] | None:
    """Return a trial's record, or None where it has none or it cannot be read."""
    try:
        record = json.loads((trial_folder(out, trial_id) / RECORD).read_text())
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) and record.get("id") == trial_id else None


def read_predictions(out: Path, trial_id: str) -> dict[str, NDArray[Any]]:
    """Return a finished trial's arrays; empty where they are lost or damaged."""
    try:
        with np.load(trial_folder(out, trial_id) / PREDICTIONS) as arrays:
            return dict(arrays)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error):
        return {}


def finished(out: Path, trial_id: str) -> bool:
    """Tell whether a trial ended well and its predictions are there; failed ones are tried anew by the next run."""
    record = read_record(out, trial_id)
    if record is None or record.get("state") != "ok":
        return False
    try:
        return sha256_file(trial_folder(out, trial_id) / PREDICTIONS) == record.get("predictions_sha256")
    except OSError:
        return False
