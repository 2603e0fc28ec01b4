"""Two methods over the folds of a cross-validation, as the literature tests them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtr, stdtrit

from .intervals import NO_WIDTH
from .people import paired_counts, ratio
from .reasons import NotApplicable

__all__ = ["FoldTest", "corrected_t_test"]


@dataclass(frozen=True)
class FoldTest:
    """A test whose units are folds.

    Attributes
    ----------
    difference, low, high : float
        Mean over folds of A's accuracy minus B's, and its interval.
    p_value : float
        Two-sided.
    statistic : float
        t, with folds - 1 degrees of freedom.
    n, folds : int
        Images and folds behind it.
    method : str
        The test and what it assumes, in words for a reader.
    level : float
    """

    difference: float
    low: float
    high: float
    p_value: float
    statistic: float
    n: int
    folds: int
    method: str
    level: float = 0.95


def corrected_t_test(
    correct_a: ArrayLike,
    correct_b: ArrayLike,
    folds: ArrayLike,
    *,
    train_images: float | None = None,
    level: float = 0.95,
) -> FoldTest | NotApplicable:
    """Nadeau and Bengio's corrected resampled t test over folds (2003, doi 10.1023/A:1024068626366).

    Folds share training images, so their differences are not independent: the variance of their mean is taken as
    (1 / folds + tested / trained) times the variance between folds. Shown because papers show it: it takes folds for
    the unit, so where folds share people it does not see how people differ.

    Parameters
    ----------
    correct_a, correct_b : (n,) bool
        The same images in the same order.
    folds : (n,)
        The fold that tested each image; with several seeds, anything that tells all their folds apart.
    train_images : float, optional
        Mean number of images that a fold trains on. Default: all tested images but the fold's own, as in a k-fold
        cross-validation.
    level : float

    Returns
    -------
    FoldTest or NotApplicable

    Raises
    ------
    InputError
        Arrays that do not fit.
    """
    method = "Nadeau-Bengio corrected t test over folds"
    counts = paired_counts(correct_a, correct_b, folds)
    k, n = len(counts), int(counts[:, 1].sum())
    if k < 2:
        return NotApplicable(method, "one fold: it takes two" if k else "no images")
    differences = ratio(counts)
    spread = float(differences.std(ddof=1))
    if not spread > NO_WIDTH:
        return NotApplicable(method, "the difference is the same in all folds")
    tested = n / k
    trained = n - tested if train_images is None else train_images
    if not trained > 0:
        return NotApplicable(method, "no fold trains on anything")
    error = spread * float(np.sqrt(1 / k + tested / trained))
    mean = float(differences.mean())
    half = float(stdtrit(k - 1, 0.5 + level / 2)) * error
    p_value = 2 * float(stdtr(k - 1, -abs(mean) / error))
    low, high = max(-1.0, mean - half), min(1.0, mean + half)
    return FoldTest(mean, low, high, p_value, mean / error, n, k, method, level)
