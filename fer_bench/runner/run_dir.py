"""The run directory: what is done, and the consolidated files that the report reads."""

from __future__ import annotations

import json
import shutil
import time
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_bench.errors import UserError
from fer_bench.labels import EMOTIONS
from fer_bench.plan.plan import Plan, Trial
from fer_bench.results.schema import check_written
from fer_bench.utils.files import atomic_write, clean_temporary, locked, need_writable, sha256_file, temporary_files
from fer_bench.utils.provenance import code_name, cpu
from fer_bench.utils.texts import writable

from .trial import PREDICTIONS, RECORD, held, versions

__all__ = [
    "LOCK", "Stopwatch", "check_place", "claimed", "consolidate", "finished", "other_versions", "read_record",
    "space_needed", "tidy", "trial_folder", "write_json",
]  # fmt: skip

LOCK = "run.lock"
"""Held by whoever writes to a run directory; the system frees it when the holder dies."""

_TRIAL_COLUMNS = [
    "id", "method", "protocol", "fold", "seed", "state", "reason", "fit_seconds", "predict_seconds",
    "prepare_seconds", "cpu_seconds", "peak_rss_mb", "peak_gpu_mb", "n_train", "n_test", "device",
    "threads", "estimate_seconds", "warnings",
]  # fmt: skip


_TRIAL_BYTES = 16_000
_REPORT_BYTES = 5e6


@dataclass(frozen=True)
class _Predicted:
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


def check_place(out: Path) -> None:
    """Refuse a place for a run before any work; makes nothing there.

    Raises
    ------
    UserError
        Nothing can be written there, another version of fer-bench wrote it, or another run is writing to it.
    """
    need_writable(out, "give another folder with --out")
    check_written(out)
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
            raise UserError(f"{out}: another run is writing there; wait for it, or give another folder with --out")
        yield


def space_needed(plan: Plan, todo: Iterable[Trial]) -> float:
    """Return about how many bytes a run will add: records and predictions of trials, the consolidated files, a report.

    Probabilities hardly shrink: 7 of 4 bytes an image beside the trial, about as much in the consolidated file.
    """
    unwritten = sum(_TRIAL_BYTES + 32 * t.n_test * (1 + t.watch) for t in todo)
    consolidated = sum(32 * t.n_test * (1 + t.watch) for t in plan.runnable)
    return float(unwritten + consolidated + _REPORT_BYTES)


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
        self.seconds: dict[str, float] = {}
        try:
            before = json.loads((out / "run.json").read_text("utf-8"))["phase_seconds"] if resumed else {}
            self.seconds = {str(phase): float(seconds) for phase, seconds in before.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            pass

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


def _read_predictions(out: Path, trial_id: str) -> dict[str, NDArray[Any]]:
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


def other_versions(out: Path, plan: Plan) -> list[str]:
    """Say which finished trials were computed with other packages or code than this call's, or on other processors."""
    packages: Counter[str] = Counter()
    codes: Counter[str] = Counter()
    processors: Counter[str] = Counter()
    here = {"code": code_name(), "cpu": str(cpu()["cpu"])}
    for trial in plan.runnable:
        record = read_record(out, trial.id) or {}
        found = versions(trial.spec.uses_torch)
        packages.update(f"{name} {v}" for name, v in (record.get("versions") or {}).items() if found.get(name) != v)
        codes.update(v for v in [record.get("code")] if v and v != here["code"])
        processors.update(v for v in [record.get("cpu")] if v and v != here["cpu"])
    return [
        *(f"{n} trials were computed with {v}, not with the version installed now" for v, n in packages.items()),
        *(f"{n} trials were computed by {v}, not by what runs now: {here['code']}" for v, n in codes.items()),
        *(
            f"{n} trials were computed on another processor, {v}; this one is {here['cpu']}: mind that in their times"
            for v, n in processors.items()
        ),
    ]


def write_json(path: Path, value: Any) -> None:
    """Write indented JSON atomically."""
    with atomic_write(path, "w") as handle:
        handle.write(writable(json.dumps(value, indent=1, ensure_ascii=False, default=list)) + "\n")


def consolidate(out: Path, plan: Plan, not_started: Iterable[str], why: str) -> pd.DataFrame:
    """Write trials.csv, predictions.parquet, watched.parquet and curves.csv from the trials' folders.

    Returns
    -------
    DataFrame
        The rows of trials.csv.
    """
    unstarted = set(not_started)
    rows, predicted, watched, curves = [], [], [], []
    for trial in plan.trials:
        record = None if trial.skip else read_record(out, trial.id)
        arrays = _read_predictions(out, trial.id) if record is not None and record["state"] == "ok" else {}
        if record is not None and record["state"] == "ok" and not arrays:
            record = None  # damaged, and not computed anew yet
        rows.append(_trial_row(plan, trial, record, why if trial.id in unstarted else ""))
        if record is None or not arrays:
            continue
        predicted.append(_Predicted(trial, arrays["index"], arrays["proba"]))
        accuracy = arrays.get("watched_accuracy")
        if accuracy is not None:
            watched.append(_Predicted(trial, arrays["index"], arrays["watched_proba"]))
        curves.append(_curve_rows(trial, record.get("history") or {}, accuracy))
    table = pd.DataFrame(rows, columns=_TRIAL_COLUMNS)
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
        known = {key: record[key] for key in _TRIAL_COLUMNS if record.get(key) is not None}
        known |= {"reason": writable(str(record.get("reason", "")))}
        return row | known | {"warnings": writable(" | ".join(map(str, record.get("warnings") or [])))}
    if why == "deadline":
        limit = plan.profile.deadline_seconds
        reason = f"the {plan.profile.name} profile ends after {limit:.0f} s; run the same command again to go on"
        return row | {"state": "skipped", "reason": reason}
    return row | {"state": "missing", "reason": _MISSING.get(why, "planned, not run yet; run the same command again")}


def _prediction_table(plan: Plan, predicted: Sequence[_Predicted]) -> pd.DataFrame:
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


def _curve_rows(trial: Trial, history: dict[str, list[float]], accuracy: Any) -> pd.DataFrame | None:
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


def _write_csv(path: Path, table: pd.DataFrame | None) -> None:
    if table is None:
        path.unlink(missing_ok=True)
        return
    with atomic_write(path, "w") as handle:
        table.to_csv(handle, index=False, lineterminator="\n", float_format="%.6g")


def _write_parquet(path: Path, table: pd.DataFrame | None) -> None:
    if table is None:
        path.unlink(missing_ok=True)
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
