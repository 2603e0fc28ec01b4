"""The one table that sums a run up: ``results.csv``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_bench import stats
from fer_bench.labels import N_CLASSES
from fer_bench.stats import metrics

from .load import planned_pairs, report_seed
from .outcomes import Key, MethodPredictions, collect_predictions, confusion_by_person
from .run_data import RunData
from .schema import BEST_TEST_EPOCH, FAILED, LAST_EPOCH, SELECTIONS

__all__ = ["RESULT_COLUMNS", "build_results"]

RESULT_COLUMNS = (
    *("method", "family", "features", "dataset", "protocol", "selection", "tuning", "weights", "crop"),
    *("n_test", "n_trials", "n_done", "status", "accuracy", "accuracy_low", "accuracy_high", "balanced_accuracy"),
    *("macro_f1", "fit_seconds", "predict_ms_per_image"),
)
"""The first columns of ``results.csv``, a promise to whoever reads it; more may follow them, never before them."""

_FIGURES = (
    *("accuracy", "accuracy_low", "accuracy_high", "balanced_accuracy", "balanced_accuracy_low"),
    *("balanced_accuracy_high", "macro_f1", "macro_f1_low", "macro_f1_high", "log_loss", "brier", "calibration_error"),
)
"""What a row of a method without predictions leaves empty."""


def build_results(run: RunData, outcomes: Mapping[Key, MethodPredictions] | None = None) -> pd.DataFrame:
    """Sum a run up: one row a method and protocol, a second one where the best test epoch was watched.

    Parameters
    ----------
    run : RunData
    outcomes : mapping, optional
        What `collect_predictions` gave, where the caller has it already.

    Returns
    -------
    DataFrame
        `RESULT_COLUMNS` first, then further columns. ``fit_seconds`` is the mean over finished trials (one fold),
        ``status`` one of ok (all trials finished), partial (some, or not all were reached), failed (none finished,
        some failed) and skipped (none was started). ``n_units`` counts what intervals are over (``unit``: person,
        sequence or image), ``n_people`` people alone: 0 where the data name none. ``optimistic`` marks what was, or
        may have been, picked on the test images. Figures of a partial row are those of its finished trials.
    """
    scored = collect_predictions(run) if outcomes is None else outcomes
    rows: list[dict[str, Any]] = []
    for method, protocol in planned_pairs(run):
        chosen = run.trials[(run.trials["method"] == method) & (run.trials["protocol"] == protocol)]
        for selection in SELECTIONS:
            key = Key(method, protocol, selection)
            if selection == LAST_EPOCH or key in scored:
                rows.append(_row(run, key, chosen, scored.get(key)))
    extra = [name for name in rows[0] if name not in RESULT_COLUMNS] if rows else []
    return pd.DataFrame(rows, columns=[*RESULT_COLUMNS, *extra])


def _row(run: RunData, key: Key, trials: pd.DataFrame, outcome: MethodPredictions | None) -> dict[str, Any]:
    method, dataset = run.info["methods"].get(key.method, {}), run.info["dataset"]
    protocol = run.info["protocols"].get(key.protocol, {})
    done = trials[trials["state"] == "ok"]
    units = 0 if outcome is None else len(np.unique(outcome.people))
    return {
        "method": key.method,
        "family": method.get("family", ""),
        "features": method.get("features", ""),
        "dataset": dataset.get("name", ""),
        "protocol": key.protocol,
        "selection": key.selection,
        "tuning": method.get("tuning", ""),
        "weights": method.get("weights", ""),
        "crop": dataset.get("crop", ""),
        "n_test": 0 if outcome is None else len(outcome.labels),
        "n_trials": len(trials),
        "n_done": len(done),
        "status": _status(trials),
        **_figures(run, outcome),
        **_times(done),
        "n_people": units if run.unit.tells_people else 0,
        "unit": run.unit.name,
        "n_units": units,
        "optimistic": key.selection == BEST_TEST_EPOCH or bool(protocol.get("optimistic", False)),
        "reason": "; ".join(dict.fromkeys(reason for reason in trials["reason"] if reason)),
    }


def _status(trials: pd.DataFrame) -> str:
    states = set(trials["state"])
    if states == {"ok"}:
        return "ok"
    if "ok" in states:
        return "partial"
    if states & set(FAILED):
        return "failed"
    return "partial" if "missing" in states else "skipped"


def _figures(run: RunData, outcome: MethodPredictions | None) -> dict[str, Any]:
    if outcome is None:
        return dict.fromkeys(_FIGURES, float("nan")) | {"interval_method": ""}
    seed, n, share = report_seed(run), len(outcome.labels), (0.0, 1.0)
    unit = run.unit
    found = stats.accuracy_interval(outcome.correct, outcome.person, seed=seed, unit=unit)
    counts = confusion_by_person(outcome)
    balanced = stats.people_interval(counts, _balanced_accuracy, n=n, seed=seed, bounds=share, unit=unit)
    f1 = stats.people_interval(counts, _macro_f1, n=n, seed=seed, bounds=share, unit=unit)
    return {
        **_bounded("accuracy", found),
        **_bounded("balanced_accuracy", balanced),
        **_bounded("macro_f1", f1),
        "log_loss": metrics.log_loss(outcome.labels, outcome.probabilities),
        "brier": metrics.brier_score(outcome.labels, outcome.probabilities),
        "calibration_error": metrics.expected_calibration_error(outcome.labels, outcome.probabilities),
        "interval_method": found.method,
    }


def _bounded(name: str, found: stats.Interval) -> dict[str, float]:
    return {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}


def _balanced_accuracy(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    return metrics.confusion_balanced_accuracy(sums.reshape(-1, N_CLASSES, N_CLASSES))


def _macro_f1(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    return metrics.confusion_macro_f1(sums.reshape(-1, N_CLASSES, N_CLASSES))


def _times(done: pd.DataFrame) -> dict[str, float]:
    tested = float(done["n_test"].sum())
    predict = float(done["predict_seconds"].sum())
    return {
        "fit_seconds": float(done["fit_seconds"].mean()) if len(done) else float("nan"),
        "predict_ms_per_image": 1000 * predict / tested if tested else float("nan"),
        "prepare_seconds": float(done["prepare_seconds"].mean()) if len(done) else float("nan"),
        "cpu_seconds": float(done["cpu_seconds"].mean()) if len(done) else float("nan"),
        "peak_rss_mb": float(done["peak_rss_mb"].max()) if len(done) else float("nan"),
    }
