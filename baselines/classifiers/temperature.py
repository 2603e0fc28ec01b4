"""Probabilities from decision values: a softmax whose one temperature is fitted on people not trained on.

Source: Guo, Pleiss, Sun and Weinberger, ICML 2017 (arXiv 1706.04599). Dividing by a temperature never changes
which class comes first, so the accuracy is that of the bare classifier. Nothing is clipped here; the harness clips
probabilities from below where it takes their logarithm (`fer_bench.stats.metrics.LOG_LOSS_CLIP`).
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.base import clone
from sklearn.model_selection import GroupShuffleSplit, StratifiedShuffleSplit

__all__ = ["decision_matrix", "fit_temperature", "fit_with_temperature", "tempered"]

_BOUNDS = (-7.0, 7.0)  # log temperature: decision values of any of our classifiers stay well inside
HELD_OUT = 0.25


def decision_matrix(classifier: Any, X: NDArray[Any]) -> NDArray[np.float64]:
    """Return decision values (n, classes), also for two classes where scikit-learn gives one column."""
    values = np.asarray(classifier.decision_function(X), dtype=np.float64)
    return np.column_stack([-values, values]) if values.ndim == 1 else values


def tempered(decisions: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Return softmax(decisions / temperature) by rows."""
    return np.asarray(softmax(decisions / temperature, axis=1))


def fit_temperature(decisions: NDArray[np.float64], columns: NDArray[np.int64]) -> float:
    """Return the temperature with the least log-loss against smoothed targets, within exp(-7)..exp(7).

    The targets are Laplace's rule for m rows and k classes, (m + 1) / (m + k) for the right class and 1 / (m + k) for
    each other, after Platt 1999: where all rows happen to be right, m of them do not make the classifier certain.

    Parameters
    ----------
    decisions : (m, k) float64
    columns : (m,) int
        The right column of each row.
    """
    m, k = decisions.shape
    target = np.full((m, k), 1 / (m + k))
    target[np.arange(m), columns] = (m + 1) / (m + k)

    def loss(log_temperature: float) -> float:
        return -float((target * log_softmax(decisions / np.exp(log_temperature), axis=1)).sum() / m)

    return float(np.exp(minimize_scalar(loss, bounds=_BOUNDS, method="bounded").x))


def _split(
    labels: NDArray[np.int64], groups: NDArray[Any] | None, random_state: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]] | None:
    """Hold a quarter of the people out, or of the images where nobody says who is who; None if that can't be."""
    if groups is not None:
        if len(np.unique(groups)) < 2:
            return None
        splitter = GroupShuffleSplit(1, test_size=HELD_OUT, random_state=random_state)
        return next(splitter.split(labels, labels, groups))
    counts = np.unique(labels, return_counts=True)[1]
    if counts.min() < 2 or len(labels) * HELD_OUT < len(counts):
        return None
    return next(StratifiedShuffleSplit(1, test_size=HELD_OUT, random_state=random_state).split(labels, labels))


def fit_with_temperature(
    classifier: Any,
    X: NDArray[Any],
    labels: NDArray[np.int64],
    groups: NDArray[Any] | None,
    random_state: int,
) -> tuple[float, str | None]:
    """Fit the classifier on all rows, and the temperature on a quarter of the people whom a clone has not seen.

    One split and not several: a single number is learnt, and every further split costs another fit. A classifier
    with ``fit_holding_out(X, y, inner, held)`` shares work between its two fits.

    Parameters
    ----------
    classifier : estimator with ``decision_function``
        Fitted afterwards.
    X : (n, d) array
    labels : (n,) int64
    groups : (n,) array or None
        Who is on each image.
    random_state : int
        Draws the people.

    Returns
    -------
    (float, str or None)
        The temperature; 1.0 with a sentence saying why where no image can be held out.
    """
    parts = _split(labels, groups, random_state)
    if parts is None:
        classifier.fit(X, labels)
        return 1.0, "temperature: too few people or images to hold some out; 1.0 is used"
    inner, held = parts
    known = np.unique(labels[inner])
    held = held[np.isin(labels[held], known)]
    if len(known) < 2 or len(held) == 0:
        classifier.fit(X, labels)
        return 1.0, "temperature: the people left to train on do not cover the classes held out; 1.0 is used"
    share = getattr(classifier, "fit_holding_out", None) or partial(_fit_twice, classifier)
    classes, decisions = share(X, labels, inner, held)
    return fit_temperature(decisions, np.searchsorted(classes, labels[held])), None


def _fit_twice(
    classifier: Any, X: NDArray[Any], y: NDArray[np.int64], inner: NDArray[np.intp], held: NDArray[np.intp]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    model = clone(classifier).fit(X[inner], y[inner])
    classifier.fit(X, y)
    return model.classes_, decision_matrix(model, X[held])
