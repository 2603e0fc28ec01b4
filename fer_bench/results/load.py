"""A run directory read back: five consolidated files that must fit together."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fer_bench.errors import InputError, UserError
from fer_bench.labels import EMOTIONS
from fer_bench.seeds import derive_seed
from fer_bench.utils.texts import one_line

from .checks import check_numbers, checked_info
from .csv_files import need_regular, read_table
from .info import AGAIN, read_info
from .run_data import RunData
from .schema import (
    CURVE_COLUMNS,
    INFO,
    INFO_KEYS,
    LATER_TRIAL_COLUMNS,
    OPTIONAL_CURVES,
    PREDICTION_COLUMNS,
    PREDICTION_TEXTS,
    PROBABILITIES,
    STATES,
    TRIAL_COLUMNS,
    TRIAL_KEY,
    TRIAL_TEXTS,
    WHOLE,
)

__all__ = ["load_run", "planned_pairs", "report_seed"]


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
    info = _whole_info(folder)
    always = tuple(name for name in TRIAL_COLUMNS if name not in LATER_TRIAL_COLUMNS)
    trials = _read_table(folder / "trials.csv", always, LATER_TRIAL_COLUMNS)
    unknown = sorted(set(trials["state"]) - set(STATES))
    if unknown:
        raise UserError(f"{folder / 'trials.csv'}: state {unknown[0]!r} is none of {', '.join(STATES)}")
    finished = bool((trials["state"] == "ok").any())
    predictions = _read_predictions(folder / "predictions.parquet", required=finished)
    watched = _read_predictions(folder / "watched.parquet", required=False)
    kept, kept_watched = (_of_finished(table, trials) for table in (predictions, watched))
    run = RunData(
        path=folder,
        info=info,
        trials=trials,
        predictions=kept,
        watched=kept_watched if len(watched) else None,
        curves=_read_curves(folder / "curves.csv"),
        strangers=_strangers((predictions, kept), (watched, kept_watched)),
    )
    _check_complete(run)
    try:
        _ = run.unit
    except InputError as error:
        raise UserError(f"{folder / INFO}: dataset: {error}; use the fer-bench version that wrote it") from error
    return run


def report_seed(run: RunData) -> int:
    """Return the seed of everything that a report draws at random, derived from the run's."""
    return derive_seed(int(run.info["seed"]), "report")


def planned_pairs(run: RunData) -> list[tuple[str, str]]:
    """Methods and protocols of the plan, in its order."""
    return list(dict.fromkeys(zip(run.trials["method"], run.trials["protocol"], strict=True)))


def _whole_info(folder: Path) -> dict[str, Any]:
    file, info = folder / INFO, read_info(folder)
    absent = [key for key in INFO_KEYS if key not in info]
    if absent:
        raise UserError(f"{file}: {', '.join(absent)} is missing; {AGAIN}")
    return checked_info(file, info)


def _read_table(file: Path, columns: tuple[str, ...], optional: tuple[str, ...] = ()) -> pd.DataFrame:
    if not os.path.lexists(file):
        raise UserError(
            f"{file.parent} is not a whole run directory: {file.name} is missing; run `fer-bench run` again"
        )
    text = dict.fromkeys(TRIAL_TEXTS, str)
    gaps = {name: [""] for name in (*columns, *optional) if name not in text}
    table = read_table(file, AGAIN, dtype=text, na_values=gaps)
    _check_columns(file, table, columns)
    numbers = tuple(name for name in (*columns, *optional) if name in table and name not in (*text, *WHOLE))
    check_numbers(file, table, numbers, WHOLE)
    return table


def _read_curves(file: Path) -> pd.DataFrame | None:
    """Read the curves; columns that no method of the run filled may be left out."""
    if not os.path.lexists(file):
        return None
    table = _read_table(file, CURVE_COLUMNS, OPTIONAL_CURVES)
    return table.assign(**{name: np.nan for name in OPTIONAL_CURVES if name not in table})


def _read_predictions(file: Path, *, required: bool) -> pd.DataFrame:
    if not os.path.lexists(file):
        if required:
            raise UserError(f"{file.parent}: trials.csv has finished trials but {file.name} is missing; run it again")
        return pd.DataFrame(columns=list(PREDICTION_COLUMNS))
    need_regular(file, AGAIN)
    try:
        with file.open("rb") as handle:  # pyarrow opens no name that is not UTF-8
            table = pd.read_parquet(handle)
    except (ValueError, OSError, RuntimeError, LookupError, TypeError, MemoryError) as error:
        # pyarrow's errors are any of these, and name no file
        raise UserError(
            f"{file} cannot be read as Parquet ({one_line(str(error), 300)}): cut short or damaged? Run the same "
            "`fer-bench run` again, which makes it anew from the trials' own files"
        ) from error
    _check_columns(file, table, PREDICTION_COLUMNS)
    for name in PREDICTION_TEXTS:
        if (kind := pd.api.types.infer_dtype(table[name], skipna=True)) not in ("string", "empty", "categorical"):
            raise UserError(f"{file}: expected text in column {name}, found {kind}; {AGAIN}")
    check_numbers(file, table, PROBABILITIES, WHOLE)
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


def _strangers(*tables: tuple[pd.DataFrame, pd.DataFrame]) -> dict[str, int]:
    """Count the rows that were left out, by method."""
    counts: Counter[str] = Counter()
    for whole, kept in tables:
        if len(kept) < len(whole):
            counts.update(whole["method"].astype(str))
            counts.subtract(kept["method"].astype(str))
    return dict(+counts)


def _check_complete(run: RunData) -> None:
    claimed = run.trials[run.trials["state"] == "ok"]
    present = set(run.predictions[TRIAL_KEY].drop_duplicates().itertuples(index=False, name=None))
    for trial in claimed.itertuples(index=False):
        if (trial.method, trial.protocol, trial.fold, trial.seed) not in present:
            raise UserError(
                f"{run.path}: trials.csv calls {trial.method} on fold {trial.fold} of {trial.protocol} finished, but "
                "predictions.parquet holds nothing of it; run the same `fer-bench run` again"
            )
