"""Choice of parameters by inner cross-validation over people, inside a training fold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.pipeline import Pipeline

from fer_bench.errors import InputError

__all__ = ["INNER_FOLDS", "Search", "search", "settings"]

INNER_FOLDS = 3
"""Three, as the outer test fold says how good the choice is; more folds only make the choice steadier, and dearer."""


@dataclass(frozen=True)
class Search:
    """What was tried and what was chosen.

    Attributes
    ----------
    params : dict
        The setting with the highest share of right answers, the first of equals; empty where nothing could be tried.
    tried : tuple of (dict, float)
        Every setting with its share of right answers over all images held out.
    folds : int
        Inner folds; 0 where nothing could be tried.
    notes : tuple of str
        Sentences for the trial's record.
    """

    params: dict[str, Any]
    tried: tuple[tuple[dict[str, Any], float], ...]
    folds: int
    notes: tuple[str, ...] = ()

    def record(self) -> dict[str, Any]:
        """Return it as what JSON can hold."""
        tried = [{"params": params, "accuracy": accuracy} for params, accuracy in self.tried]
        return {"params": self.params, "inner_folds": self.folds, "tried": tried}


def settings(grid: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Return every combination of a grid's values, the last name's changing fastest.

    Raises
    ------
    InputError
        A name has no list of values.
    """
    for name, values in grid.items():
        if isinstance(values, str) or not isinstance(values, Sequence) or not values:
            raise InputError(f"grid: expected a list of values for {name}, found {values!r}")
    return [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]


def search(
    build: Callable[..., Pipeline],
    grid: Mapping[str, Sequence[Any]],
    X: NDArray[np.float32],
    y: NDArray[np.int64],
    groups: NDArray[Any] | None,
    random_state: int,
) -> Search:
    """Try each setting of a grid on inner folds that never split a person.

    Scaling, projections and what else comes before the classifier are learnt once an inner fold, from its training
    part. A classifier with ``fit_path(X, y, settings)`` shares work between settings.

    Parameters
    ----------
    build : callable
        ``build(n_train=n)`` gives an unfitted pipeline; the grid's names are parameters of its last step.
    grid : mapping of str to sequence
    X : (n, d) float32
        Features of the training fold; nothing else is looked at.
    y : (n,) int64
    groups : (n,) array or None
        Who is on each image; without it images are drawn, not people, and a note says so.
    random_state : int
        Draws the people.

    Raises
    ------
    InputError
        The grid names a parameter that the classifier does not have.
    """
    tries = settings(grid)
    known = build(n_train=len(y))[-1].get_params()
    if unknown := sorted(set(grid) - set(known)):
        raise InputError(f"grid: the classifier takes {', '.join(sorted(known))}, found {', '.join(unknown)}")
    folds, notes = _folds(X, y, groups, random_state)
    if not folds:
        return Search({}, (), 0, notes)
    right = np.zeros(len(tries))
    for train, held in folds:
        right += _right_answers(build(n_train=len(train)), tries, X, y, train, held)
    accuracies = right / sum(len(held) for _, held in folds)
    tried = tuple((params, float(accuracy)) for params, accuracy in zip(tries, accuracies, strict=True))
    return Search(tries[int(np.argmax(accuracies))], tried, len(folds), notes)


def _folds(
    X: NDArray[Any], y: NDArray[np.int64], groups: NDArray[Any] | None, random_state: int
) -> tuple[list[tuple[NDArray[np.intp], NDArray[np.intp]]], tuple[str, ...]]:
    """Draw people, or images where nobody says who is who, so that classes are as even as that allows."""
    few = "tuning: {} is too few for inner folds; the default parameters are used"
    if groups is None:
        n = min(INNER_FOLDS, int(np.unique(y, return_counts=True)[1].min()))
        if n < 2:
            return [], (few.format("one image of some class"),)
        splitter = StratifiedKFold(n, shuffle=True, random_state=random_state)
        return list(splitter.split(X, y)), ("tuning: nobody says who is who, so images were drawn, not people",)
    n = min(INNER_FOLDS, len(np.unique(groups)))
    if n < 2:
        return [], (few.format("one person"),)
    splitter = StratifiedGroupKFold(n, shuffle=True, random_state=random_state)
    folds = [(t, held) for t, held in splitter.split(X, y, groups) if len(held) and len(np.unique(y[t])) > 1]
    return folds, () if folds else (few.format("what the inner folds leave to train on"),)


def _right_answers(
    pipeline: Pipeline,
    tries: list[dict[str, Any]],
    X: NDArray[np.float32],
    y: NDArray[np.int64],
    train: NDArray[np.intp],
    held: NDArray[np.intp],
) -> NDArray[np.int64]:
    """Number of right answers of each setting on the people held out of one inner fold."""
    before, head = pipeline[:-1], pipeline[-1]
    learnt, asked = X[train], X[held]
    if len(before):
        learnt = before.fit_transform(learnt, y[train])
        asked = before.transform(asked)
    if hasattr(head, "fit_path"):
        models = head.fit_path(learnt, y[train], tries)
    else:
        models = (clone(head).set_params(**params).fit(learnt, y[train]) for params in tries)
    return np.array([(model.predict(asked) == y[held]).sum() for model in models])
