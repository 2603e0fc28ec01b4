"""Nearest neighbours by the chi-square distance of histograms."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

__all__ = ["ChiSquareNeighbours", "chi_square_distances"]

_BLOCK = 32  # training rows at a time: they and the sums below stay in the cache


def chi_square_distances(X: NDArray[np.float32], Y: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return sum (x - y)^2 / (x + y) for all pairs of rows of frequencies, 0 / 0 counting as 0.

    As x y / (x + y) = 1 / (1 / x + 1 / y), the distance is sum x + sum y - 4 sum 1 / (1 / x + 1 / y), whose inner loop
    is an addition and a reciprocal; an empty bin is an infinite term with reciprocal 0. The distance is that of
    Ahonen, Hadid and Pietikäinen, TPAMI 28(12), 2006, doi 10.1109/TPAMI.2006.244.

    Parameters
    ----------
    X, Y : (n, d), (m, d) float32
        None negative.

    Returns
    -------
    (n, m) float32
    """
    shared = np.empty((len(X), len(Y)), dtype=np.float32)
    ones = np.ones(X.shape[1], dtype=np.float32)
    sums = np.empty((_BLOCK, X.shape[1]), dtype=np.float32)
    with np.errstate(divide="ignore"):
        inverse, others = np.reciprocal(X), np.reciprocal(Y)
        for start in range(0, len(Y), _BLOCK):
            block = others[start : start + _BLOCK]
            room = sums[: len(block)]
            for i, row in enumerate(inverse):
                np.add(block, row, out=room)
                np.reciprocal(room, out=room)
                np.dot(room, ones, out=shared[i, start : start + len(block)])
    shared *= -4
    shared += X.sum(axis=1)[:, None]
    shared += Y.sum(axis=1)
    return np.maximum(shared, 0, out=shared)


class ChiSquareNeighbours(ClassifierMixin, BaseEstimator):
    """Nearest neighbours by `chi_square_distances`, weighted by inverse distance.

    Parameters
    ----------
    n_neighbors : int
        As many as there are training rows at most.

    Attributes
    ----------
    classes_ : (k,) int
    """

    def __init__(self, n_neighbors: int = 5) -> None:
        self.n_neighbors = n_neighbors

    def fit(self, X: NDArray[np.float32], y: NDArray[np.int64]) -> Self:
        """Keep histograms (n, d) and labels (n,)."""
        self.classes_, self.columns_ = np.unique(y, return_inverse=True)
        self.rows_ = X
        return self

    def predict_proba(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return (n, k) shares of the votes; rows at distance zero outvote all others."""
        distances = chi_square_distances(X, self.rows_).astype(np.float64)
        k = min(self.n_neighbors, len(self.rows_))
        near = np.argpartition(distances, k - 1, axis=1)[:, :k]
        votes = _inverse(np.take_along_axis(distances, near, axis=1))
        proba = np.zeros((len(X), len(self.classes_)))
        np.add.at(proba, (np.arange(len(X))[:, None], self.columns_[near]), votes)
        return proba / proba.sum(axis=1, keepdims=True)

    def predict(self, X: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return (n,) classes with most votes."""
        return self.classes_[np.argmax(self.predict_proba(X), axis=1)]


def _inverse(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """One over distance; in a row with a distance of zero, one for those and zero for the others."""
    same = distances == 0
    with np.errstate(divide="ignore"):
        votes = 1 / distances
    return np.where(same.any(axis=1, keepdims=True), same, votes)
