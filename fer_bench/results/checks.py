"""What a run's files have to hold to be reported at all, and what a reader has to be told of those that do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from fer_bench.errors import UserError
from fer_bench.labels import EMOTION_NAMES, EMOTIONS
from fer_bench.utils import renamed

from .contradictions import listed
from .info import AGAIN

if TYPE_CHECKING:
    from .run_data import RunData

__all__ = ["check_numbers", "checked_info", "find_doubts"]

MAPPINGS_IF_THERE = ("machine", "code", "packages")
DATASET_KEYS = ("name", "n_images", "n_people")
_LARGEST_WHOLE = 2.0**53
_NAMES = dict(zip(EMOTIONS, EMOTION_NAMES, strict=True))


def checked_info(file: Path, info: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``run.json`` with every part that the report takes for granted; of what kind they are is known by now.

    Raises
    ------
    UserError
        The dataset lacks its name or size.
    """
    absent = [key for key in DATASET_KEYS if key not in info["dataset"]]
    if absent:
        raise UserError(f"{file}: dataset: {', '.join(absent)} is missing; {AGAIN}")
    kept = dict(info) | {name: info.get(name) or {} for name in MAPPINGS_IF_THERE}
    for method in kept["methods"].values():
        if (family := method.get("family")) in renamed.FAMILIES:  # as an earlier version called it
            method["family"] = renamed.FAMILIES[family]
    return kept


def check_numbers(file: Path, table: pd.DataFrame, columns: tuple[str, ...], whole: tuple[str, ...] = ()) -> None:
    """Refuse a table whose numbers are none.

    Parameters
    ----------
    file : Path
        Where it was read, for the message.
    table : DataFrame
    columns : tuple of str
        Hold numbers, or nothing where something was not measured.
    whole : tuple of str
        Hold a whole number in every row.

    Raises
    ------
    UserError
        Naming the first column and value.
    """
    for name in (*columns, *whole):
        numbers = pd.to_numeric(table[name], errors="coerce")
        wrong = numbers.isna() if name in whole else numbers.isna() & table[name].notna()
        if name in whole:
            wrong |= (numbers != np.floor(numbers)) | (numbers.abs() > _LARGEST_WHOLE)
        if wrong.any():
            kind = "a whole number" if name in whole else "a number"
            row = int(np.flatnonzero(wrong.to_numpy())[0])
            raise UserError(
                f"{file}: expected {kind} in column {name}, found {table[name].iloc[row]!r} in row {row + 1}; {AGAIN}"
            )


def find_doubts(run: RunData) -> tuple[str, ...]:
    """Sentences on what is odd in a run whose report can be written all the same."""
    return (
        *run.contradictions,
        *_strangers(run),
        *_strange_probabilities(run),
        *_miscounted(run),
        *_absent_expressions(run),
        *_few(run),
        *_unwatched(run),
    )


def _strangers(run: RunData) -> list[str]:
    if not run.strangers:
        return []
    return [
        f"{sum(run.strangers.values()):,} rows of predictions are of trials that trials.csv does not call finished, of "
        f"{listed(list(run.strangers))}: they are left out."
    ]


def _strange_probabilities(run: RunData) -> list[str]:
    """Methods whose probabilities are not numbers: their log loss and the like can't be computed."""
    probabilities = run.predictions[[f"p_{code}" for code in EMOTIONS]].to_numpy(dtype=np.float64)
    bad = ~np.isfinite(probabilities).all(axis=1)
    if not bad.any():
        return []
    methods = list(dict.fromkeys(run.predictions["method"][bad].astype(str)))
    return [
        f"{int(bad.sum()):,} of {len(bad):,} predictions hold probabilities that are no numbers (NaN), of "
        f"{listed(methods)}: log loss, Brier score and calibration are left out there; accuracy counts the class that "
        "was predicted."
    ]


def _miscounted(run: RunData) -> list[str]:
    """Finished trials whose predictions are more or fewer than their test images."""
    if run.predictions.empty:
        return []
    key = ["method", "protocol", "fold", "seed"]
    found = run.predictions.value_counts(key, sort=False).rename("found").reset_index()
    done = run.trials.loc[run.trials["state"] == "ok", [*key, "n_test"]].merge(found, on=key)
    wrong = done[done["n_test"].notna() & (done["n_test"] != done["found"])]
    if wrong.empty:
        return []
    first = wrong.iloc[0]
    more = f" (and {len(wrong) - 1:,} more)" if len(wrong) > 1 else ""
    return [
        f"trials.csv and predictions.parquet differ: {first['method']} on fold {int(first['fold'])} of "
        f"{first['protocol']} has {int(first['n_test']):,} test images in the one and {int(first['found']):,} in the "
        f"other{more}. The figures are of those in predictions.parquet."
    ]


def _absent_expressions(run: RunData) -> list[str]:
    """Expressions that the data are said to show and that no test image of a protocol does."""
    told = run.info["dataset"].get("expressions")
    wanted = [code for code in EMOTIONS if not isinstance(told, dict) or not told or code in told]
    rows = run.predictions
    shown = {str(name): set(found) for name, found in rows.groupby("protocol", sort=False, observed=True)["label"]}
    absent = {name: [code for code in wanted if code not in {str(c) for c in found}] for name, found in shown.items()}
    return [
        f"{name}: no test image shows {' or '.join(_NAMES[code] for code in codes)}; figures of "
        f"{'it' if len(codes) == 1 else 'them'} are empty, and means over expressions are over the others."
        for name, codes in absent.items()
        if codes
    ]


def _few(run: RunData) -> list[str]:
    units = run.predictions["subject"].nunique()
    if units != 1 or not run.unit.tells_people:
        return []
    return ["Only one person was tested: no interval over people and no test between methods can be made."]


def _unwatched(run: RunData) -> list[str]:
    if run.watched is not None or run.curves is None or not run.curves["test_accuracy"].notna().any():
        return []
    return [
        "Epochs were watched on the test images, but watched.parquet is missing or empty: the optimistic figures of "
        "the best epoch on test are left out."
    ]
