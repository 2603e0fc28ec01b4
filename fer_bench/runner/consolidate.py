"""The consolidated files of a run, which the report reads, from its trials' folders."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_bench.errors import UserError
from fer_bench.labels import EMOTIONS
from fer_bench.plan.plan import Plan, Trial
from fer_bench.results.records import read_predictions, read_record
from fer_bench.results.schema import TRIAL_COLUMNS
from fer_bench.utils.files import atomic_write
from fer_bench.utils.spreadsheets import guarded_csv
from fer_bench.utils.texts import writable

from .score import best_epoch

__all__ = ["consolidate"]


@dataclass(frozen=True)
class _TrialPredictions:
    """What a finished trial says of its test images: rows of the manifest, and (n, 7) probabilities."""

    trial: Trial
    index: NDArray[np.int32]
    proba: NDArray[np.float32]


_MISSING = {
    "failures": "not started: as many trials had failed as --max-failures allows; mend the cause, then run the same "
    "command again",
    "interrupted": "not started: the run was interrupted; run the same command again to go on",
    "storage": "not started: there was no room to store it; make room, then run the same command again",
    "stopped": "not done: the run was stopped; run the same command again to go on",
    "workers": "not done: the cluster had no workers left; run the same command again to go on",
}


def consolidate(out: Path, plan: Plan, not_started: Iterable[str], why: str) -> pd.DataFrame:
    """Write trials.csv, predictions.parquet, watched.parquet and curves.csv from the trials' folders.

    Returns
    -------
    DataFrame
        The rows of trials.csv.
    """
    unstarted, labels = set(not_started), plan.dataset.manifest.labels
    rows, predicted, watched, curves = [], [], [], []
    for trial in plan.trials:
        record = None if trial.skip else read_record(out, trial.id)
        arrays = read_predictions(out, trial.id) if record is not None and record["state"] == "ok" else {}
        if record is not None and record["state"] == "ok" and not arrays:
            record = None  # damaged, and not computed anew yet
        rows.append(_trial_row(plan, trial, record, why if trial.id in unstarted else ""))
        if record is None or not arrays:
            continue
        predicted.append(_TrialPredictions(trial, arrays["index"], arrays["proba"]))
        accuracy, best = best_epoch(arrays, labels)
        if best is not None:
            watched.append(_TrialPredictions(trial, arrays["index"], best))
        curves.append(_curve_rows(trial, record.get("history") or {}, accuracy))
    table = pd.DataFrame(rows, columns=list(TRIAL_COLUMNS))
    _write_csv(out / "trials.csv", table)
    _write_parquet(out / "predictions.parquet", _prediction_table(plan, predicted))
    _write_parquet(out / "watched.parquet", _prediction_table(plan, watched) if watched else None)
    _write_csv(out / "curves.csv", _curve_table(curves))
    return table


def _trial_row(plan: Plan, trial: Trial, record: dict[str, Any] | None, why: str) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": trial.id,
        "method": trial.spec.name,
        "protocol": trial.protocol,
        "fold": trial.fold,
        "seed": trial.seed,
        "n_train": trial.n_train,
        "n_test": trial.n_test,
        "device": trial.device,
        "estimate_seconds": round(trial.estimate_seconds, 2),
    }
    if trial.skip:
        return row | {"state": "skipped", "reason": trial.skip}
    if record is not None and (record["state"] == "ok" or not why):
        known = {key: record[key] for key in TRIAL_COLUMNS if record.get(key) is not None}
        known |= {"reason": writable(str(record.get("reason", "")))}
        return row | known | {"warnings": writable(" | ".join(map(str, record.get("warnings") or [])))}
    if why == "deadline":
        limit = plan.profile.deadline_seconds
        reason = f"the {plan.profile.name} profile ends after {limit:.0f} s; run the same command again to go on"
        return row | {"state": "skipped", "reason": reason}
    return row | {"state": "missing", "reason": _MISSING.get(why, "planned, not run yet; run the same command again")}


def _prediction_table(plan: Plan, predicted: Sequence[_TrialPredictions]) -> pd.DataFrame:
    """One row a tested image of a trial, in the trials' order; columns and types are there without any row, too."""
    manifest = plan.dataset.manifest
    tested = manifest.table.assign(subject=manifest.groups)[["image", "subject", "view", "session", "label"]]
    index = np.concatenate([np.empty(0, dtype=np.int64), *(part.index for part in predicted)])
    proba = np.concatenate([np.empty((0, len(EMOTIONS)), dtype=np.float32), *(part.proba for part in predicted)])
    rows = tested.iloc[index].reset_index(drop=True)
    _name_rows(rows, [part.trial for part in predicted], [len(part.index) for part in predicted])
    rows["predicted"] = np.asarray(EMOTIONS, dtype=object)[proba.argmax(axis=1)]
    for column, code in enumerate(EMOTIONS):
        rows[f"p_{code}"] = proba[:, column].astype(np.float32)
    return rows


def _name_rows(rows: pd.DataFrame, trials: Sequence[Trial], lengths: Sequence[int]) -> None:
    """Put the trials' axes in front of their rows, so many of each."""
    texts = {"method": [t.spec.name for t in trials], "protocol": [t.protocol for t in trials]}
    numbers = {"fold": [t.fold for t in trials], "seed": [t.seed for t in trials]}
    for position, (column, names) in enumerate(texts.items()):
        rows.insert(position, column, pd.Series(np.repeat(np.asarray(names, dtype=object), lengths), dtype=object))
    for position, (column, values) in enumerate(numbers.items(), start=len(texts)):
        rows.insert(position, column, np.repeat(np.asarray(values, dtype=np.int64), lengths))


def _curve_rows(trial: Trial, history: dict[str, list[float | None]], accuracy: Any) -> pd.DataFrame | None:
    epochs = max([len(v) for v in history.values()] + [0 if accuracy is None else len(accuracy)])
    if not epochs:
        return None
    table = pd.DataFrame({"epoch": np.arange(1, epochs + 1)})
    _name_rows(table, [trial], [epochs])
    for column in ("loss", "train_accuracy"):
        table[column] = pd.Series(history.get(column, []), dtype=float)
    table["test_accuracy"] = pd.Series([] if accuracy is None else accuracy, dtype=float)
    return table


def _curve_table(parts: Sequence[pd.DataFrame | None]) -> pd.DataFrame | None:
    found = [part for part in parts if part is not None]
    return pd.concat(found, ignore_index=True) if found else None


def _remove(path: Path) -> None:
    """Remove what an earlier call has written there.

    Raises
    ------
    UserError
        It is a folder, and nobody knows whose.
    """
    if path.is_dir() and not path.is_symlink():
        raise UserError(f"{path}: expected a file, found a folder; move it away, then run the same command again")
    path.unlink(missing_ok=True)


def _write_csv(path: Path, table: pd.DataFrame | None) -> None:
    if table is None:
        _remove(path)
        return
    with atomic_write(path, "w") as handle:
        handle.write(guarded_csv(table, float_format="%.6g"))


def _write_parquet(path: Path, table: pd.DataFrame | None) -> None:
    if table is None:
        _remove(path)
        return
    numbers = [name for name in table.columns if table[name].dtype.kind == "f"]
    with atomic_write(path) as handle:
        table.to_parquet(
            handle,
            index=False,
            compression="zstd",
            compression_level=15,
            # Probabilities hardly repeat; with equal bytes of many numbers side by side they take a third less.
            use_dictionary=[name for name in table.columns if name not in numbers],
            column_encoding=dict.fromkeys(numbers, "BYTE_STREAM_SPLIT"),
        )
