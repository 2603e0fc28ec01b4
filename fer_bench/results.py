"""A run directory read back, and the one table that sums it up: ``results.csv``.

`load_run` reads the five consolidated files of a run and checks that they fit together; `collect_outcomes` turns the
predictions into arrays, one `Outcome` a method and protocol; `build_results` computes the rows. Everything is computed
from stored predictions of finished trials: no figure is taken over from a trial's own record but its times.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_bench import metrics, stats
from fer_bench.errors import UserError
from fer_bench.labels import EMOTIONS, N_CLASSES
from fer_bench.seeds import derive_seed

__all__ = [
    "RESULT_COLUMNS",
    "SELECTIONS",
    "Key",
    "Outcome",
    "RunData",
    "build_results",
    "collect_outcomes",
    "confusion_by_person",
    "load_run",
    "report_seed",
]

RESULT_COLUMNS = (
    *("method", "family", "features", "dataset", "protocol", "selection", "tuning", "weights", "crop"),
    *("n_test", "n_trials", "n_done", "status", "accuracy", "accuracy_low", "accuracy_high", "balanced_accuracy"),
    *("macro_f1", "fit_seconds", "predict_ms_per_image"),
)
"""The first columns of ``results.csv``, a promise to whoever reads it; more may follow them, never before them."""

SELECTIONS = ("last_epoch", "best_test_epoch")
"""Which epoch's predictions are scored: the last, or (the article's habit, optimistic) the best on the test images."""

FIGURES = (
    *("accuracy", "accuracy_low", "accuracy_high", "balanced_accuracy", "balanced_accuracy_low"),
    *("balanced_accuracy_high", "macro_f1", "macro_f1_low", "macro_f1_high", "log_loss", "brier", "calibration_error"),
)
SCHEMA = 1
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
TRIAL_KEY = ["method", "protocol", "fold", "seed"]


class Key(NamedTuple):
    """What a row of results is about."""

    method: str
    protocol: str
    selection: str


@dataclass(frozen=True)
class RunData:
    """The consolidated files of one run directory.

    Attributes
    ----------
    path : Path
        The directory.
    info : mapping
        ``run.json``.
    trials : DataFrame
        ``trials.csv``, one row a planned trial.
    predictions : DataFrame
        ``predictions.parquet``, one row a tested image of a finished trial.
    watched : DataFrame or None
        ``watched.parquet``: the same, of the epoch that was best on the test images.
    curves : DataFrame or None
        ``curves.csv``, one row an epoch of a trial.
    """

    path: Path
    info: Mapping[str, Any]
    trials: pd.DataFrame
    predictions: pd.DataFrame
    watched: pd.DataFrame | None = None
    curves: pd.DataFrame | None = None


@dataclass(frozen=True)
class Outcome:
    """What one method gave for the test images of its finished trials; n rows in the order of image and seed.

    Attributes
    ----------
    key : Key
    labels, predicted : (n,) int64
        Index into ``EMOTIONS``.
    probabilities : (n, 7) float64
    people, views, images : (n,) str
    seeds, folds : (n,) int64
    """

    key: Key
    labels: NDArray[np.int64]
    predicted: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    people: NDArray[Any]
    views: NDArray[Any]
    images: NDArray[Any]
    seeds: NDArray[np.int64]
    folds: NDArray[np.int64]

    @property
    def correct(self) -> NDArray[np.bool_]:
        """(n,) bool: whether the predicted class is the label."""
        return self.labels == self.predicted

    @cached_property
    def person(self) -> NDArray[np.int64]:
        """(n,) int64: ``people`` as numbers, in sorted order of their names; quicker to group by."""
        return np.unique(self.people, return_inverse=True)[1].astype(np.int64)


def load_run(path: Path | str) -> RunData:
    """Read a run directory.

    Parameters
    ----------
    path : path
        A directory that ``fer-bench run`` wrote.

    Returns
    -------
    RunData

    Raises
    ------
    UserError
        It is no run directory, its schema is another one, or its files contradict each other.
    """
    folder = Path(path)
    info = _read_info(folder)
    trials = _read_table(folder / "trials.csv", TRIAL_COLUMNS)
    unknown = sorted(set(trials["state"]) - set(STATES))
    if unknown:
        raise UserError(f"{folder / 'trials.csv'}: state {unknown[0]!r} is none of {', '.join(STATES)}")
    finished = bool((trials["state"] == "ok").any())
    predictions = _read_predictions(folder / "predictions.parquet", required=finished)
    watched = _read_predictions(folder / "watched.parquet", required=False)
    run = RunData(
        path=folder,
        info=info,
        trials=trials,
        predictions=_of_finished(predictions, trials),
        watched=_of_finished(watched, trials) if len(watched) else None,
        curves=_read_curves(folder / "curves.csv"),
    )
    _check_complete(run)
    return run


def collect_outcomes(run: RunData) -> dict[Key, Outcome]:
    """Turn predictions into arrays, one entry a method, protocol and selection.

    Parameters
    ----------
    run : RunData

    Returns
    -------
    dict of Key to Outcome
        Last epoch before best test epoch, otherwise in the order of the plan; only what has predictions.
    """
    outcomes: dict[Key, Outcome] = {}
    for selection, table in zip(SELECTIONS, (run.predictions, run.watched), strict=True):
        if table is None:
            continue
        columns = _columns(table)
        for pair, places in table.groupby(["method", "protocol"], sort=False, observed=True).indices.items():
            method, protocol = (str(name) for name in pair)
            key = Key(method, protocol, selection)
            outcomes[key] = _outcome(key, columns, places)
    order = {pair: place for place, pair in enumerate(_planned_pairs(run))}
    ranks = {key: (SELECTIONS.index(key.selection), order[key.method, key.protocol]) for key in outcomes}
    return {key: outcomes[key] for key in sorted(outcomes, key=ranks.__getitem__)}


def build_results(run: RunData, outcomes: Mapping[Key, Outcome] | None = None) -> pd.DataFrame:
    """Sum a run up: one row a method and protocol, a second one where the best test epoch was watched.

    Parameters
    ----------
    run : RunData
    outcomes : mapping, optional
        What `collect_outcomes` gave, where the caller has it already.

    Returns
    -------
    DataFrame
        `RESULT_COLUMNS` first, then further columns. ``fit_seconds`` is the mean over finished trials (one fold),
        ``status`` one of ok (all trials finished), partial (some, or not all were reached), failed (none finished,
        some failed) and skipped (none was started). Figures of a partial row are those of its finished trials.
    """
    scored = collect_outcomes(run) if outcomes is None else outcomes
    rows: list[dict[str, Any]] = []
    for method, protocol in _planned_pairs(run):
        chosen = run.trials[(run.trials["method"] == method) & (run.trials["protocol"] == protocol)]
        for selection in SELECTIONS:
            key = Key(method, protocol, selection)
            if selection == SELECTIONS[0] or key in scored:
                rows.append(_row(run, key, chosen, scored.get(key)))
    extra = [name for name in rows[0] if name not in RESULT_COLUMNS] if rows else []
    return pd.DataFrame(rows, columns=[*RESULT_COLUMNS, *extra])


def confusion_by_person(outcome: Outcome) -> NDArray[np.float64]:
    """Confusion counts of each person, (people, 49): what intervals of balanced accuracy and F1 are made from."""
    cells = np.zeros((len(outcome.labels), N_CLASSES**2))
    cells[np.arange(len(outcome.labels)), outcome.labels * N_CLASSES + outcome.predicted] = 1.0
    return stats.sum_by_person(cells, outcome.person)


def report_seed(run: RunData) -> int:
    """Return the seed of everything that a report draws at random, derived from the run's."""
    return derive_seed(int(run.info["seed"]), "report")


def _read_info(folder: Path) -> dict[str, Any]:
    file = folder / "run.json"
    if not file.is_file():
        raise UserError(f"{folder} is not a run directory: it holds no run.json; give a directory `fer-bench run` made")
    try:
        info = json.loads(file.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{file} cannot be read as JSON ({error}); run the same `fer-bench run` again") from error
    if not isinstance(info, dict) or info.get("schema") != SCHEMA:
        found = info.get("schema") if isinstance(info, dict) else type(info).__name__
        raise UserError(f"{file}: expected schema {SCHEMA}, found {found}; use the fer-bench version that wrote it")
    absent = [key for key in INFO_KEYS if key not in info]
    if absent:
        raise UserError(f"{file}: {', '.join(absent)} is missing; run the same `fer-bench run` again")
    return info


def _read_table(file: Path, columns: tuple[str, ...], optional: tuple[str, ...] = ()) -> pd.DataFrame:
    if not file.is_file():
        raise UserError(
            f"{file.parent} is not a whole run directory: {file.name} is missing; run `fer-bench run` again"
        )
    text = {"id": str, "method": str, "protocol": str, "state": str, "reason": str, "warnings": str, "device": str}
    gaps = {name: [""] for name in (*columns, *optional) if name not in text}
    table = pd.read_csv(file, dtype=text, keep_default_na=False, na_values=gaps)
    _check_columns(file, table, columns)
    return table


def _read_curves(file: Path) -> pd.DataFrame | None:
    """Read the curves; columns that no method of the run filled may be left out."""
    if not file.is_file():
        return None
    table = _read_table(file, CURVE_COLUMNS, OPTIONAL_CURVES)
    return table.assign(**{name: np.nan for name in OPTIONAL_CURVES if name not in table})


def _read_predictions(file: Path, *, required: bool) -> pd.DataFrame:
    if not file.is_file():
        if required:
            raise UserError(f"{file.parent}: trials.csv has finished trials but {file.name} is missing; run it again")
        return pd.DataFrame(columns=list(PREDICTION_COLUMNS))
    table = pd.read_parquet(file)
    _check_columns(file, table, PREDICTION_COLUMNS)
    for column in ("label", "predicted"):
        strange = sorted(set(table[column].astype(str).unique()) - set(EMOTIONS))
        if strange:
            raise UserError(f"{file}: {column} {strange[0]!r} is none of {', '.join(EMOTIONS)}")
    return table


def _check_columns(file: Path, table: pd.DataFrame, columns: tuple[str, ...]) -> None:
    absent = [name for name in columns if name not in table.columns]
    if absent:
        raise UserError(f"{file}: column {', '.join(absent)} is missing; was it written by another version?")


def _of_finished(table: pd.DataFrame, trials: pd.DataFrame) -> pd.DataFrame:
    """Keep the rows of finished trials; a failed trial's half-written predictions never count."""
    finished = set(trials.loc[trials["state"] == "ok", TRIAL_KEY].itertuples(index=False, name=None))
    groups = table.groupby(TRIAL_KEY, sort=False, observed=True).indices
    kept = [places for trial, places in groups.items() if trial in finished]
    return table.iloc[np.sort(np.concatenate(kept))] if kept else table.iloc[:0]


def _check_complete(run: RunData) -> None:
    claimed = run.trials[run.trials["state"] == "ok"]
    present = set(run.predictions[TRIAL_KEY].drop_duplicates().itertuples(index=False, name=None))
    for trial in claimed.itertuples(index=False):
        if (trial.method, trial.protocol, trial.fold, trial.seed) not in present:
            raise UserError(
                f"{run.path}: trials.csv calls {trial.method} on fold {trial.fold} of {trial.protocol} finished, but "
                "predictions.parquet holds nothing of it; run the same `fer-bench run` again"
            )


def _planned_pairs(run: RunData) -> list[tuple[str, str]]:
    return list(dict.fromkeys(zip(run.trials["method"], run.trials["protocol"], strict=True)))


def _columns(table: pd.DataFrame) -> dict[str, NDArray[Any]]:
    """Turn the columns into arrays once for all methods; ``<name> place`` is the rank of a text among its kind."""
    codes = {code: index for index, code in enumerate(EMOTIONS)}
    columns: dict[str, NDArray[Any]] = {}
    for name in ("label", "predicted"):
        place, values = pd.factorize(table[name])
        columns[name] = np.array([codes[str(value)] for value in values], dtype=np.int64)[place]
    for name in ("subject", "view", "image"):
        place, values = pd.factorize(table[name].astype(object).fillna(""), sort=True)
        columns[name] = np.array([str(value) for value in values])[place]
        columns[f"{name} place"] = place
    for name in ("seed", "fold"):
        columns[name] = table[name].to_numpy(dtype=np.int64)
    columns["probabilities"] = table[list(PROBABILITIES)].to_numpy(dtype=np.float64)
    return columns


def _outcome(key: Key, columns: Mapping[str, NDArray[Any]], places: NDArray[np.int64]) -> Outcome:
    order = np.lexsort((columns["fold"][places], columns["seed"][places], columns["image place"][places]))
    taken = {name: values[places[order]] for name, values in columns.items()}
    return Outcome(
        key=key,
        labels=taken["label"],
        predicted=taken["predicted"],
        probabilities=taken["probabilities"],
        people=taken["subject"],
        views=taken["view"],
        images=taken["image"],
        seeds=taken["seed"],
        folds=taken["fold"],
    )


def _row(run: RunData, key: Key, trials: pd.DataFrame, outcome: Outcome | None) -> dict[str, Any]:
    method, dataset = run.info["methods"].get(key.method, {}), run.info["dataset"]
    done = trials[trials["state"] == "ok"]
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
        "n_people": 0 if outcome is None else len(np.unique(outcome.people)),
        "reason": "; ".join(dict.fromkeys(reason for reason in trials["reason"] if reason)),
    }


def _status(trials: pd.DataFrame) -> str:
    states = set(trials["state"])
    if states == {"ok"}:
        return "ok"
    if "ok" in states:
        return "partial"
    if states & {"failed", "timeout", "oom"}:
        return "failed"
    return "partial" if "missing" in states else "skipped"


def _figures(run: RunData, outcome: Outcome | None) -> dict[str, Any]:
    if outcome is None:
        return dict.fromkeys(FIGURES, float("nan")) | {"interval_method": ""}
    seed, n, share = report_seed(run), len(outcome.labels), (0.0, 1.0)
    found = stats.accuracy_interval(outcome.correct, outcome.person, seed=seed)
    counts = confusion_by_person(outcome)
    balanced = stats.people_interval(counts, _balanced_accuracy, n=n, seed=seed, bounds=share)
    f1 = stats.people_interval(counts, _macro_f1, n=n, seed=seed, bounds=share)
    loss = metrics.log_loss(outcome.labels, outcome.probabilities)
    brier = metrics.brier_score(outcome.labels, outcome.probabilities)
    calibration = metrics.expected_calibration_error(outcome.labels, outcome.probabilities)
    values = (
        *(found.value, found.low, found.high, balanced.value, balanced.low, balanced.high, f1.value, f1.low, f1.high),
        *(loss, brier, calibration),
    )
    return dict(zip(FIGURES, values, strict=True)) | {"interval_method": found.method}


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
