"""How a run directory is laid out: columns of its tables, states of trials, selections of epochs."""

from __future__ import annotations

from typing import Literal, get_args

from fer_bench.labels import EMOTIONS

__all__ = [
    "BEST_TEST_EPOCH",
    "CURVE_COLUMNS",
    "FAILED",
    "INFO",
    "INFO_KEYS",
    "LAST_EPOCH",
    "LATER_TRIAL_COLUMNS",
    "OLDEST_SCHEMA",
    "OPTIONAL_CURVES",
    "PREDICTION_COLUMNS",
    "PREDICTION_TEXTS",
    "PROBABILITIES",
    "SCHEMA",
    "SELECTIONS",
    "STATES",
    "TRIAL_COLUMNS",
    "TRIAL_KEY",
    "TRIAL_TEXTS",
    "WHOLE",
    "State",
]

SCHEMA = 1
"""Of the run directory's files, as run.json tells; raised when an older fer-bench could no longer read them."""
OLDEST_SCHEMA = 1
"""The oldest that this fer-bench still reads."""

INFO = "run.json"
"""What a run says of itself; see `fer_bench.results.info`."""
INFO_KEYS = ("suite", "profile", "preset", "command", "seed", "dataset", "protocols", "methods")
"""What a report cannot do without."""

State = Literal["ok", "failed", "timeout", "oom", "skipped", "missing"]
STATES: tuple[State, ...] = get_args(State)
FAILED: tuple[State, ...] = ("failed", "timeout", "oom")
"""States of trials that ran and have no result."""

LAST_EPOCH = "last_epoch"
BEST_TEST_EPOCH = "best_test_epoch"
SELECTIONS = (LAST_EPOCH, BEST_TEST_EPOCH)
"""Which epoch's predictions are scored: the last, or (the article's habit, optimistic) the best on the test images."""

TRIAL_COLUMNS = (
    *("id", "method", "protocol", "fold", "seed", "state", "reason", "fit_seconds", "predict_seconds"),
    *("prepare_seconds", "cpu_seconds", "peak_rss_mb", "peak_gpu_mb", "n_train", "n_test", "device"),
    *("threads", "estimate_seconds", "warnings"),
)
"""Of trials.csv, as they are written."""
LATER_TRIAL_COLUMNS = ("peak_gpu_mb", "device", "threads")
"""Those that a table of an earlier version may lack."""
TRIAL_TEXTS = ("id", "method", "protocol", "state", "reason", "device", "warnings")
"""Those that hold text; the others hold numbers, or nothing."""
TRIAL_KEY = ["method", "protocol", "fold", "seed"]
WHOLE = ("fold", "seed")
"""Hold a whole number in every row."""

PROBABILITIES = tuple(f"p_{code}" for code in EMOTIONS)
PREDICTION_COLUMNS = (
    *("method", "protocol", "fold", "seed", "image", "subject", "view", "session", "label", "predicted"),
    *PROBABILITIES,
)
PREDICTION_TEXTS = ("method", "protocol", "image", "subject", "view", "session", "label", "predicted")
CURVE_COLUMNS = ("method", "protocol", "fold", "seed", "epoch", "loss")
OPTIONAL_CURVES = ("train_accuracy", "test_accuracy")
