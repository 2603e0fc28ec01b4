"""Radial basis function network: centres by k-means, Gaussian activations, a linear read-out."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.cluster import KMeans
from sklearn.linear_model import Ridge
from sklearn.metrics import euclidean_distances

__all__ = ["RBFNetwork"]


class RBFNetwork(ClassifierMixin, BaseEstimator):
    """Gaussian units around k-means centres, read out by ridge regression on the classes.

    The other reading of "radial base function" beside a support vector machine with a Gaussian kernel. One width for
    all units, the mean distance of a centre to its nearest neighbour times a factor: Moody and Darken, Neural
    Computation 1(2), 1989, doi 10.1162/neco.1989.1.2.281.

    Parameters
    ----------
    n_centres : int
        Units; never more than one for five training rows.
    spread : float
        Factor on the mean distance between neighbouring centres.
    alpha : float
        Ridge of the read-out.
    random_state : int
        Seeds k-means.

    Attributes
    ----------
    classes_ : (k,) int
    centres_ : (m, d) float32
    width_ : float
    """

    def __init__(
        self, n_centres: int = 400, spread: float = 3.0, alpha: float = 1e-3, random_state: int | None = None
    ) -> None:
        self.n_centres = n_centres
        self.spread = spread
        self.alpha = alpha
        self.random_state = random_state

    def fit(self, X: NDArray[np.float32], y: NDArray[np.int64]) -> Self:
        """Learn from features (n, d) and labels (n,)."""
        self.classes_ = np.unique(y)
        distinct = len({row.tobytes() for row in X})
        m = max(2, min(self.n_centres, len(X) // 5, distinct))
        self.centres_ = KMeans(m, n_init=1, random_state=self.random_state).fit(X).cluster_centers_
        apart = euclidean_distances(self.centres_)
        np.fill_diagonal(apart, np.inf)
        self.width_ = max(float(self.spread * apart.min(axis=1).mean()), float(np.finfo(np.float32).tiny))
        targets = (y[:, None] == self.classes_).astype(np.float64)
        self.read_out_ = Ridge(alpha=self.alpha).fit(self._activations(X), targets)
        return self

    def decision_function(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return (n, k) read-outs, near one for the class and near zero for the others."""
        return np.asarray(self.read_out_.predict(self._activations(X)))

    def predict(self, X: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return (n,) classes of the largest read-out."""
        return self.classes_[np.argmax(self.decision_function(X), axis=1)]

    def _activations(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        squares = euclidean_distances(X, self.centres_, squared=True).astype(np.float64)
        return np.exp(-squares / (2 * self.width_**2))
