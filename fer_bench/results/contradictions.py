"""Where the files of a run contradict each other or themselves: figures of such a run are nobody's.

What `fer-bench run` writes never does; a table that was edited, put together by hand or taken from another run may.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_bench.errors import UserError
from fer_bench.labels import EMOTIONS

from .csv_files import MANIFEST, find_manifest
from .schema import PROBABILITIES, TRIAL_KEY

__all__ = ["find_contradictions", "listed"]

_ROUNDING = 2e-3
"""How far from one a sum of probabilities may be: twice what a trial may give."""
_COLUMN_OF_UNIT = {"person": "subject", "sequence": "sequence", "image": "image"}
"""Of manifest.csv: what stands as person in the predictions."""


def find_contradictions(
    folder: Path, trials: pd.DataFrame, predictions: pd.DataFrame, watched: pd.DataFrame | None, unit: str
) -> tuple[str, ...]:
    """Sentences on what cannot be true together in a run's tables; none of a run that nobody has touched.

    Parameters
    ----------
    folder : Path
        Of the run, where its manifest.csv is.
    trials, predictions, watched : DataFrame
        As of `fer_bench.results.run_data.RunData`.
    unit : str
        Name of what stands as person in the predictions.
    """
    found = _doubled_trials(trials)
    manifest: pd.DataFrame | None = None
    try:
        manifest = find_manifest(folder, ("image", "label"))
    except UserError as error:
        found.append(f"{error}: labels and people of the predictions could not be held against it.")
    for file, table in (("predictions.parquet", predictions), ("watched.parquet", watched)):
        if table is not None and len(table):
            found += [*_odd_probabilities(file, table), *_doubled_images(file, table)]
            found += _unlike_manifest(file, table, manifest, unit) if manifest is not None else []
    return (*found, *_other_accuracy(trials, predictions))


def listed(names: list[str], most: int = 5) -> str:
    """Name a few, and count the others."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _odd_probabilities(file: str, table: pd.DataFrame) -> list[str]:
    """Rows whose seven numbers are no probabilities, or not those of what was predicted; NaN is told elsewhere."""
    p = table[list(PROBABILITIES)].to_numpy(dtype=np.float64)
    known = np.isfinite(p).all(axis=1)
    with np.errstate(invalid="ignore"):
        outside = known & ((p < 0) | (p > 1 + _ROUNDING)).any(axis=1)
        unsummed = known & ~outside & (np.abs(p.sum(axis=1) - 1) > _ROUNDING)
        lower = known & (p[np.arange(len(p)), _codes(table["predicted"])] < p.max(axis=1))
    told = (
        (outside, "hold probabilities below 0 or above 1"),
        (unsummed, "hold probabilities that do not sum to 1"),
        (lower, "predict another expression than that of their highest probability"),
    )
    return [_told(file, table, wrong, words) for wrong, words in told if wrong.any()]


def _unlike_manifest(file: str, table: pd.DataFrame, manifest: pd.DataFrame, unit: str) -> list[str]:
    names = pd.Index(manifest["image"])
    if manifest.empty:
        return [f"{MANIFEST} is empty, and {file} is not."]
    if not names.is_unique:
        return [f"{MANIFEST}: {int(names.duplicated().sum()):,} images are in it twice."]
    place, images = pd.factorize(_texts(table["image"]))
    rows = names.get_indexer(pd.Index(images))[place]
    known = rows >= 0
    found = [] if known.all() else [_told(file, table, ~known, f"are of images that {MANIFEST} does not name")]
    people = _COLUMN_OF_UNIT.get(unit, "")
    for column, there, words in (("label", "label", "have another label"), ("subject", people, "name another person")):
        if there in manifest:
            expected = manifest[there].to_numpy(dtype=object)[rows]
            unlike = known & (_texts(table[column]) != expected)
            found += [_told(file, table, unlike, f"{words} than {MANIFEST}")] if unlike.any() else []
    return found


def _doubled_images(file: str, table: pd.DataFrame) -> list[str]:
    twice = table.duplicated([*TRIAL_KEY, "image"]).to_numpy()
    return [_told(file, table, twice, "are of an image that the same trial has before")] if twice.any() else []


def _doubled_trials(trials: pd.DataFrame) -> list[str]:
    twice = trials.duplicated(TRIAL_KEY).to_numpy()
    words = "are of a method, protocol, fold and seed that come before"
    return [_told("trials.csv", trials, twice, words)] if twice.any() else []


def _other_accuracy(trials: pd.DataFrame, predictions: pd.DataFrame) -> list[str]:
    """Trials whose accuracy somebody has written into trials.csv, and whose predictions have another one."""
    if "accuracy" not in trials or predictions.empty:
        return []
    right = predictions["label"].astype(object) == predictions["predicted"].astype(object)
    keys = [predictions[name] for name in TRIAL_KEY]
    found = right.groupby(keys, observed=True).mean().rename("found").reset_index()
    table = trials.merge(found, on=TRIAL_KEY)
    told = pd.to_numeric(table["accuracy"], errors="coerce")
    wrong = (told.notna() & ~np.isclose(told, table["found"], atol=1e-4)).to_numpy()
    words = "tell another accuracy than predictions.parquet gives"
    return [_told("trials.csv", table, wrong, words)] if wrong.any() else []


def _codes(names: pd.Series) -> NDArray[np.int64]:
    place, values = pd.factorize(names.astype(object))
    result: NDArray[np.int64] = np.array([EMOTIONS.index(str(value)) for value in values], dtype=np.int64)[place]
    return result


def _texts(column: pd.Series) -> NDArray[np.object_]:
    place, values = pd.factorize(column.astype(object).fillna(""))
    result: NDArray[np.object_] = np.array([str(value) for value in values], dtype=object)[place]
    return result


def _told(file: str, table: pd.DataFrame, wrong: NDArray[np.bool_], words: str) -> str:
    methods = listed(list(dict.fromkeys(table["method"][wrong].astype(str))))
    return (
        f"{file}: {int(wrong.sum()):,} of {len(wrong):,} rows {words}, of {methods}; was it edited? The same "
        "`fer-bench run` writes it anew."
    )
