"""Two-dimensional linear discriminant analysis: images stay matrices, and are projected from both sides.

Li and Yuan, Pattern Recognit. Lett. 26(5), 2005, doi 10.1016/j.patrec.2004.09.007 (the criterion, one side); Noushath,
Hemantha Kumar and Shivakumara, Pattern Recognition 39(7), 2006, pp. 1396-1400 (both sides, each on its own). After a
wavelet transform, for expressions: Shih, Chuang and Wang 2008, doi 10.1142/S0218001408006284.
"""

from __future__ import annotations

from math import isqrt
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from fer_bench.errors import InputError

__all__ = ["TwoDimensionalLDA"]


class TwoDimensionalLDA(TransformerMixin, BaseEstimator):
    """Project images A to L' A R, with the directions that separate classes best along columns and along rows.

    For R, the scatter between classes is the sum of n_c (M_c - M)' (M_c - M) over class means M_c, that within classes
    the sum of (A - M_c)' (A - M_c) over images: matrices as small as an image is wide, so they can be estimated from
    few images. R holds the directions r of the largest r' between r / r' within r; L is the same of transposed images.

    Parameters
    ----------
    rows, columns : int
        Directions kept along each side (the columns of L and of R), no more than the image has. The output has
        rows * columns values, 144 by default: 12 of the 33 along each side of a wavelet band, a choice made beforehand
        and not tuned.
    shape : (int, int), optional
        Height and width of an image; square without it.

    Attributes
    ----------
    left_ : (h, rows) float64
        L, strongest direction first, scaled so that the within-class scatter divided by the images, their columns and
        one is the identity: L' within L / (n w) = I.
    right_ : (w, columns) float64
        R, likewise: R' within R / (n h) = I.
    left_ratios_, right_ratios_ : (rows,) and (columns,) float64
        Scatter between classes over scatter within, of each direction.
    n_features_in_ : int

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(20, 6 * 5))
    >>> TwoDimensionalLDA(2, 3, shape=(6, 5)).fit_transform(X, np.arange(20) % 4).shape
    (20, 6)
    """

    def __init__(self, rows: int = 12, columns: int = 12, shape: tuple[int, int] | None = None) -> None:
        self.rows = rows
        self.columns = columns
        self.shape = shape

    def fit(self, X: NDArray[np.floating], y: NDArray[Any]) -> Self:
        """Learn both projections.

        Parameters
        ----------
        X : (n, h * w) floating
            Images, each flattened row by row.
        y : (n,) array
            Classes, at least two.

        Raises
        ------
        InputError
            Rows are no images of that shape, more directions are asked for than there are, or there is one class.
        """
        h, w = self._image_shape(X)
        for name, asked, there in (("rows", self.rows, h), ("columns", self.columns, w)):
            if not 1 <= asked <= there:
                raise InputError(f"{name}: 2D-LDA of {h} x {w} images expects 1 to {there} directions, found {asked}")
        classes, index, counts = np.unique(y, return_inverse=True, return_counts=True)
        if len(index) != len(X) or len(classes) < 2:
            raise InputError(f"y: 2D-LDA expects {len(X)} labels of at least two classes, "
                             f"found {len(index)} of {len(classes)}")  # fmt: skip
        means = np.stack([X[index == c].mean(axis=0, dtype=np.float64) for c in range(len(classes))])
        within = (X - means[index]).reshape(-1, h, w)
        mean = counts @ means / len(X)
        between = (np.sqrt(counts)[:, None] * (means - mean)).reshape(-1, h, w)
        self.left_, self.left_ratios_ = _directions(between.swapaxes(1, 2), within.swapaxes(1, 2), self.rows)
        self.right_, self.right_ratios_ = _directions(between, within, self.columns)
        self.n_features_in_ = h * w
        return self

    def transform(self, X: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return (n, rows * columns) projected images, in the type of X.

        Raises
        ------
        InputError
            Rows are not as long as those that ``fit`` saw.
        """
        check_is_fitted(self, "left_")
        if X.ndim != 2 or X.shape[1] != self.n_features_in_:
            raise InputError(f"X: 2D-LDA expects (n, {self.n_features_in_}) as in training, found {X.shape}")
        images = X.reshape(len(X), len(self.left_), len(self.right_))
        projected = self.left_.T.astype(X.dtype) @ images @ self.right_.astype(X.dtype)
        return projected.reshape(len(X), -1)

    def _image_shape(self, X: NDArray[np.floating]) -> tuple[int, int]:
        if X.ndim != 2:
            raise InputError(f"X: 2D-LDA expects flattened images (n, h * w), found {X.shape}")
        side = isqrt(X.shape[1])
        h, w = (side, side) if self.shape is None else self.shape
        if h * w != X.shape[1]:
            told = "square images" if self.shape is None else f"images of {h} x {w} = {h * w} values"
            raise InputError(f"X: 2D-LDA expects {told}, found rows of {X.shape[1]}; give their shape")
        return h, w


def _directions(
    between: NDArray[np.float64], within: NDArray[np.float64], kept: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Directions along the last axis, strongest first, and their ratios."""
    n, across, d = within.shape
    samples = within.reshape(-1, d)
    scatter = samples.T @ samples / (n * across)
    spread = between.reshape(-1, d)
    spread = spread.T @ spread / (n * across)
    # A millionth of the mean variance keeps it invertible where a place never varies within a class; where none does,
    # a share of the variance between classes that no ordinary images come near to keeps directions and ratios finite.
    least = max(1e-12 * np.trace(spread) / d, np.finfo(np.float32).tiny)
    scatter.flat[:: d + 1] += max(1e-6 * np.trace(scatter) / d, least)
    ratios, directions = eigh(spread, scatter, subset_by_index=(d - kept, d - 1))
    return directions[:, ::-1], ratios[::-1]
