"""How a run directory is laid out: the number that its run.json tells, and the sentence for one of another time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fer_bench.errors import UserError
from fer_bench.labels import EMOTIONS

__all__ = [
    "CURVE_COLUMNS",
    "FAILED",
    "INFO_KEYS",
    "OLDEST_SCHEMA",
    "OPTIONAL_CURVES",
    "PREDICTION_COLUMNS",
    "PROBABILITIES",
    "SCHEMA",
    "STATES",
    "TRIAL_COLUMNS",
    "TRIAL_KEY",
    "WHOLE",
    "check_schema",
    "check_written",
]

SCHEMA = 1
"""Of the run directory's files, as run.json tells; raised when an older fer-bench could no longer read them."""
OLDEST_SCHEMA = 1
"""The oldest that this fer-bench still reads."""


def check_written(folder: Path) -> None:
    """Refuse to go on with a run that another fer-bench lays out differently.

    A folder without a run.json, or with a damaged one, which would be written anew, is none.

    Raises
    ------
    UserError
        See `check_schema`.
    """
    try:
        info = json.loads((folder / "run.json").read_text("utf-8"))
    except (OSError, ValueError):
        return
    check_schema(folder / "run.json", info)


def check_schema(file: Path, info: Any) -> None:
    """Refuse the run.json of a fer-bench that lays a run directory out differently.

    Parameters
    ----------
    file : Path
        Where ``info`` was read, for the message.
    info : object
        What its JSON holds.

    Raises
    ------
    UserError
        It has no schema, a newer one, or one that is no longer read.
    """
    found = info.get("schema") if isinstance(info, dict) else None
    if not isinstance(found, int) or isinstance(found, bool):
        raise UserError(
            f"{file}: expected an object with a schema of {SCHEMA}, found none; is it a folder that fer-bench wrote?"
        )
    written = (info.get("code") or {}).get("version") if isinstance(info.get("code"), dict) else None
    by = f"fer-bench {written}" if written else "another version of fer-bench"
    if found > SCHEMA:
        raise UserError(
            f"{file}: expected schema {SCHEMA} or older, found {found}, written by {by}; "
            "update fer-bench, or give another folder"
        )
    if found < OLDEST_SCHEMA:
        raise UserError(
            f"{file}: expected schema {OLDEST_SCHEMA} or newer, found {found}, written by {by}; "
            "read it with that version, or run the command anew into another folder"
        )


PROBABILITIES = tuple(f"p_{code}" for code in EMOTIONS)
PREDICTION_COLUMNS = (
    *("method", "protocol", "fold", "seed", "image", "subject", "view", "session", "label", "predicted"),
    *PROBABILITIES,
)
TRIAL_COLUMNS = (
    *("id", "method", "protocol", "fold", "seed", "state", "reason", "fit_seconds", "predict_seconds"),
    *("prepare_seconds", "cpu_seconds", "peak_rss_mb", "n_train", "n_test", "estimate_seconds", "warnings"),
)
CURVE_COLUMNS = ("method", "protocol", "fold", "seed", "epoch", "loss")
OPTIONAL_CURVES = ("train_accuracy", "test_accuracy")
INFO_KEYS = ("suite", "profile", "preset", "command", "seed", "dataset", "protocols", "methods")
STATES = ("ok", "failed", "timeout", "oom", "skipped", "missing")
WHOLE = ("fold", "seed")
TRIAL_KEY = ["method", "protocol", "fold", "seed"]


FAILED = ("failed", "timeout", "oom")
"""States of trials that ran and have no result."""
