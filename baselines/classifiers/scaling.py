"""Scalings learnt on the training images only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

__all__ = ["BlockScaler", "CentredRoot", "SquareRoot", "UnitScaler"]


class UnitScaler(TransformerMixin, BaseEstimator):
    """Standardise each feature, then divide by the root of the number of features that vary.

    Training rows then have a mean squared length of one, so that one ``C`` and one kernel width mean the same
    for 1,089 features as for 4,096. A feature that is constant over the training images becomes zero. float32 in,
    float32 out; moments are summed in float64.

    Attributes
    ----------
    mean_, scale_ : (d,) float32
        Subtracted, and multiplied by afterwards.
    """

    def fit(self, X: NDArray[np.float32], y: Any = None) -> Self:
        """Learn mean and scale of (n, d) features."""
        mean = X.mean(axis=0, dtype=np.float64)
        centre, squares = mean.astype(np.float32), np.zeros(X.shape[1])
        for start in range(0, len(X), _CHUNK):
            rows = X[start : start + _CHUNK] - centre
            squares += np.einsum("ij,ij->j", rows, rows)
        deviation = np.sqrt(squares / len(X))
        varies = deviation > 1e-6 * max(1.0, float(np.abs(mean).max()))
        scale = np.zeros_like(deviation)
        scale[varies] = 1.0 / (deviation[varies] * np.sqrt(max(1, varies.sum())))
        self.mean_, self.scale_ = mean.astype(np.float32), scale.astype(np.float32)
        return self

    def transform(self, X: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return (X - mean) * scale, (n, d) float32."""
        scaled = X - self.mean_
        scaled *= self.scale_
        return scaled


_CHUNK = 64  # rows at a time stay in the cache


class SquareRoot(TransformerMixin, BaseEstimator):
    """Square roots of frequencies, scaled to rows of length one.

    Euclidean distance then is Hellinger's distance of the histograms (Arandjelović and Zisserman, CVPR 2012,
    doi 10.1109/CVPR.2012.6248018). Rows of m histograms that each sum to one have length sqrt(m) before scaling.
    """

    def fit(self, X: NDArray[np.float32], y: Any = None) -> Self:
        """Learn the number of histograms in a row, which is the sum of the row."""
        self.length_ = np.float32(np.sqrt(max(1.0, float(X[0].sum(dtype=np.float64)))))
        return self

    def transform(self, X: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return sqrt(X) / length, (n, d) float32."""
        root = np.sqrt(X)
        root /= self.length_
        return root


class CentredRoot(TransformerMixin, BaseEstimator):
    """Square roots of frequencies about their mean, divided by the root of their mean squared distance from it.

    Distances are Hellinger's but for one factor, as those of `SquareRoot` are. Its rows have length one, of which all
    but 8 to 22 in a hundred (LBP, LDP) is the mean that all faces share: a penalty or a kernel width that suits
    standardised values is five to twelve times too stiff there. These rows have a mean of zero and a mean squared
    length of one, as those of `UnitScaler` have, so that one ``C`` and one width mean the same for both.

    Attributes
    ----------
    mean_ : (d,) float32
        Of the roots.
    scale_ : float32
        Multiplies what is left.
    """

    def fit(self, X: NDArray[np.float32], y: Any = None) -> Self:
        """Learn mean and scale of (n, d) frequencies."""
        self._learn(np.sqrt(X))
        return self

    def fit_transform(self, X: NDArray[np.float32], y: Any = None) -> NDArray[np.float32]:
        """Learn, and return what ``transform`` does of the same rows; roots are taken once."""
        root = np.sqrt(X)
        self._learn(root)
        return self._scaled(root)

    def transform(self, X: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return (sqrt(X) - mean) * scale, (n, d) float32."""
        return self._scaled(np.sqrt(X))

    def _learn(self, root: NDArray[np.float32]) -> None:
        self.mean_ = root.mean(axis=0, dtype=np.float64).astype(np.float32)
        squares = 0.0
        for start in range(0, len(root), _CHUNK):
            rows = root[start : start + _CHUNK] - self.mean_
            squares += float(np.vdot(rows, rows))
        self.scale_ = np.float32(np.sqrt(len(root) / squares) if squares else 0.0)

    def _scaled(self, root: NDArray[np.float32]) -> NDArray[np.float32]:
        root -= self.mean_
        root *= self.scale_
        return root


class BlockScaler(TransformerMixin, BaseEstimator):
    """Scale each feature of a concatenation in its own way, so that each contributes the same variance.

    Parameters
    ----------
    parts : sequence of (int, bool)
        Width of each part, and whether it holds histograms (`CentredRoot`) or values (`UnitScaler`).
    """

    def __init__(self, parts: Sequence[tuple[int, bool]]) -> None:
        self.parts = parts

    def fit(self, X: NDArray[np.float32], y: Any = None) -> Self:
        """Learn the scaling of each part of (n, d) features."""
        self.scalers_ = [
            (CentredRoot() if histogram else UnitScaler()).fit(X[:, start:end])
            for start, end, histogram in self._cuts()
        ]
        return self

    def transform(self, X: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return (n, d) float32, rows of mean squared length one over all parts together."""
        scaled = np.empty_like(X)
        for scaler, (start, end, _) in zip(self.scalers_, self._cuts(), strict=True):
            scaled[:, start:end] = scaler.transform(X[:, start:end])
        scaled *= np.float32(1 / np.sqrt(len(self.parts)))
        return scaled

    def _cuts(self) -> list[tuple[int, int, bool]]:
        ends = np.cumsum([width for width, _ in self.parts]).tolist()
        return [(end - width, end, histogram) for end, (width, histogram) in zip(ends, self.parts, strict=True)]
