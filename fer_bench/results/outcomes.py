"""Predictions as arrays: one `MethodPredictions` a method, protocol and selection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_bench import stats
from fer_bench.labels import EMOTIONS, N_CLASSES

from .load import planned_pairs
from .run_data import RunData
from .schema import PROBABILITIES, SELECTIONS

__all__ = ["Key", "MethodPredictions", "collect_predictions", "confusion_by_person"]


class Key(NamedTuple):
    """What a row of results is about."""

    method: str
    protocol: str
    selection: str


@dataclass(frozen=True)
class MethodPredictions:
    """What one method gave for the test images of its finished trials; n rows in the order of image and seed.

    Attributes
    ----------
    key : Key
    labels, predicted : (n,) int64
        Index into ``EMOTIONS``.
    probabilities : (n, 7) float64
    people, views, images : (n,) str
        ``people`` holds groups or images where the data name no people; see ``RunData.unit``.
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
        result: NDArray[np.bool_] = self.labels == self.predicted
        return result

    @cached_property
    def person(self) -> NDArray[np.int64]:
        """(n,) int64: ``people`` as numbers, in sorted order of their names; quicker to group by."""
        return np.unique(self.people, return_inverse=True)[1].astype(np.int64)

    def where(self, chosen: NDArray[np.bool_]) -> MethodPredictions:
        """Keep the rows that are chosen, (n,) bool."""
        arrays = {field.name: getattr(self, field.name)[chosen] for field in fields(self) if field.name != "key"}
        return MethodPredictions(key=self.key, **arrays)


def collect_predictions(run: RunData) -> dict[Key, MethodPredictions]:
    """Turn predictions into arrays, one entry a method, protocol and selection.

    Parameters
    ----------
    run : RunData

    Returns
    -------
    dict of Key to MethodPredictions
        Last epoch before best test epoch, otherwise in the order of the plan; only what has predictions.
    """
    outcomes: dict[Key, MethodPredictions] = {}
    for selection, table in zip(SELECTIONS, (run.predictions, run.watched), strict=True):
        if table is None:
            continue
        columns = _columns(table)
        for pair, places in table.groupby(["method", "protocol"], sort=False, observed=True).indices.items():
            method, protocol = (str(name) for name in pair)
            key = Key(method, protocol, selection)
            outcomes[key] = _outcome(key, columns, places)
    order = {pair: place for place, pair in enumerate(planned_pairs(run))}
    ranks = {key: (SELECTIONS.index(key.selection), order[key.method, key.protocol]) for key in outcomes}
    return {key: outcomes[key] for key in sorted(outcomes, key=ranks.__getitem__)}


def confusion_by_person(outcome: MethodPredictions) -> NDArray[np.float64]:
    """Confusion counts of each person, (people, 49): what intervals of balanced accuracy and F1 are made from."""
    cells = np.zeros((len(outcome.labels), N_CLASSES**2))
    cells[np.arange(len(outcome.labels)), outcome.labels * N_CLASSES + outcome.predicted] = 1.0
    return stats.sum_by_person(cells, outcome.person)


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


def _outcome(key: Key, columns: Mapping[str, NDArray[Any]], places: NDArray[np.int64]) -> MethodPredictions:
    order = np.lexsort((columns["fold"][places], columns["seed"][places], columns["image place"][places]))
    taken = {name: values[places[order]] for name, values in columns.items()}
    return MethodPredictions(
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
