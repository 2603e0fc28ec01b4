"""Nearest neighbours, as many as there are: by Euclidean distance, and by the chi-square distance of histograms."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.neighbors import KNeighborsClassifier

__all__ = ["ChiSquareNeighbours", "NearestNeighbours", "chi_square_distances"]

_BLOCK = 32  # training rows at a time: they and the sums below stay in the cache
_BINS = 128  # bins at a time whose products are summed
_MOST_COUNTS = 1024
_FEW = 16  # rows: so many term by term take as long as looking up all the others
_ACCURACY = 1e-7


def chi_square_distances(X: NDArray[np.float32], Y: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return sum (x - y)^2 / (x + y) for all pairs of rows of frequencies, 0 / 0 counting as 0.

    As (x - y)^2 / (x + y) = x + y - 4 x y / (x + y), the distance is sum x + sum y - 2 sum 2 x y / (x + y): a kernel
    that is positive definite in each bin. Frequencies of cells of one size are counts over that size. Over so few
    values the kernel is a small matrix of about ten eigenvectors, so that its sum over bins is a matrix product of
    looked-up rows; of other frequencies, and for a few rows, it is summed term by term. The distance is that of Ahonen,
    Hadid and Pietikäinen, TPAMI 28(12), 2006, doi 10.1109/TPAMI.2006.244.

    Parameters
    ----------
    X, Y : (n, d), (m, d) float32
        None negative.

    Returns
    -------
    (n, m) float32
    """
    counted = _counts(X, Y) if min(len(X), len(Y)) >= _FEW else None
    shared = _shared_of_terms(X, Y) if counted is None else _shared_of_counts(*counted)
    shared *= -2
    shared += X.sum(axis=1)[:, None]
    shared += Y.sum(axis=1)
    return np.maximum(shared, 0, out=shared)


def _counts(X: NDArray[np.float32], Y: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[Any], float] | None:
    """Both as whole multiples of the least frequency above zero, and that frequency; None if they are not."""
    unit = min(float(np.min(rows, where=rows > 0, initial=np.inf)) for rows in (X, Y))
    if unit == np.inf or max(X.max(), Y.max()) / unit >= _MOST_COUNTS:
        return None
    whole = []
    for rows in (X, Y):
        counts = np.rint(rows * np.float32(1 / unit)).astype(np.uint16)
        if not np.allclose(counts * np.float32(unit), rows, rtol=1e-6, atol=0):
            return None
        whole.append(counts)
    return whole[0], whole[1], unit


def _shared_of_counts(X: NDArray[np.uint16], Y: NDArray[np.uint16], unit: float) -> NDArray[np.float32]:
    """Sum of 2 x y / (x + y) over bins, by the eigenvectors of that kernel over all counts there are."""
    values = unit * np.arange(1 + max(X.max(), Y.max()), dtype=np.float64)
    kernel = 2 * np.outer(values, values) / np.maximum(np.add.outer(values, values), unit)
    strength, vectors = np.linalg.eigh(kernel)
    kept = strength > _ACCURACY * strength[-1]
    looked_up = (vectors[:, kept] * np.sqrt(strength[kept])).astype(np.float32)
    shared = np.zeros((len(X), len(Y)), dtype=np.float32)
    for start in range(0, X.shape[1], _BINS):
        bins = slice(start, start + _BINS)
        left, right = (looked_up[rows[:, bins]].reshape(len(rows), -1) for rows in (X, Y))
        shared += left @ right.T
    return shared


def _shared_of_terms(X: NDArray[np.float32], Y: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same sum of any frequencies: x y / (x + y) = 1 / (1 / x + 1 / y), where an empty bin is infinite."""
    shared = np.empty((len(X), len(Y)), dtype=np.float32)
    ones = np.full(X.shape[1], 2, dtype=np.float32)
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
    return shared


class NearestNeighbours(KNeighborsClassifier):  # type: ignore[misc]
    """scikit-learn's, but that of fewer training rows than ``n_neighbors`` all are asked; with distances as weights."""

    def kneighbors(self, X: Any = None, n_neighbors: int | None = None, return_distance: bool = True) -> Any:
        """Return distances and places of the nearest rows."""
        asked = self.n_neighbors if n_neighbors is None else n_neighbors
        return super().kneighbors(X, min(asked, self.n_samples_fit_), return_distance)


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
