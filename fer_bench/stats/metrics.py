"""How good predictions are: one number, or one number a class, from labels, predictions and probabilities.

Every function takes plain arrays and knows nothing of people, folds or methods; intervals are in `fer_bench.stats`.
Labels and predictions are integers, an index into ``fer_bench.labels.EMOTIONS``. A class without test images has no
recall: it is NaN in the per-class arrays and left out of the averages, never counted as zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fer_bench.errors import InputError
from fer_bench.labels import EMOTIONS, N_CLASSES

__all__ = [
    "CALIBRATION_BINS",
    "LOG_LOSS_CLIP",
    "CalibrationBins",
    "absent_classes",
    "accuracy",
    "balanced_accuracy",
    "brier_score",
    "brier_scores",
    "calibration_bins",
    "confusion_balanced_accuracy",
    "confusion_macro_f1",
    "confusion_matrix",
    "expected_calibration_error",
    "log_loss",
    "log_losses",
    "macro_f1",
    "precision_by_class",
    "recall_by_class",
]

LOG_LOSS_CLIP = 1e-7
"""Probabilities below this count as this in `log_loss`: about the resolution of the stored float32."""

CALIBRATION_BINS = 15
"""Equal-width bins of confidence behind `expected_calibration_error`, as in Guo et al."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class CalibrationBins:
    """Confidence in the top class against how often it is right; k bins of equal width.

    Attributes
    ----------
    edges : (k + 1,) float64
        From 0 to 1; a bin holds confidences above its lower edge up to and with its upper one.
    n : (k,) int64
        Images in each bin.
    confidence, accuracy : (k,) float64
        Means over the bin's images; NaN for an empty bin.
    """

    edges: Floats
    n: NDArray[np.int64]
    confidence: Floats
    accuracy: Floats

    @property
    def error(self) -> float:
        """Expected calibration error: mean distance of the two, weighed by images; NaN for no images."""
        gaps = self.n * np.abs(np.nan_to_num(self.accuracy - self.confidence))
        return float(gaps.sum() / self.n.sum()) if self.n.sum() else float("nan")


def absent_classes(labels: ArrayLike) -> tuple[str, ...]:
    """Codes of the expressions that no label shows: what averages over classes leave out, for saying so.

    Parameters
    ----------
    labels : (n,) integers in 0..6
    """
    truth, _ = _check_pair(labels, labels)
    return tuple(code for code, n in zip(EMOTIONS, np.bincount(truth, minlength=N_CLASSES), strict=True) if not n)


def accuracy(labels: ArrayLike, predicted: ArrayLike) -> float:
    """Share of images whose predicted class is their label.

    Parameters
    ----------
    labels, predicted : (n,) integers in 0..6

    Returns
    -------
    float
        In [0, 1]; NaN for no images.

    Raises
    ------
    InputError
        The arrays differ in length or hold something else than 0 to 6.
    """
    truth, guess = _check_pair(labels, predicted)
    return float((truth == guess).mean()) if truth.size else float("nan")


def confusion_matrix(labels: ArrayLike, predicted: ArrayLike) -> NDArray[np.int64]:
    """Count images by label and prediction.

    Parameters
    ----------
    labels, predicted : (n,) integers in 0..6

    Returns
    -------
    (7, 7) int64
        Row: the label; column: the prediction.

    Raises
    ------
    InputError
        As `accuracy`.
    """
    truth, guess = _check_pair(labels, predicted)
    return np.bincount(truth * N_CLASSES + guess, minlength=N_CLASSES**2).reshape(N_CLASSES, N_CLASSES)


def recall_by_class(labels: ArrayLike, predicted: ArrayLike) -> Floats:
    """Share of each class's images that were found.

    Returns
    -------
    (7,) float64
        In [0, 1]; NaN for a class without images.
    """
    matrix = confusion_matrix(labels, predicted)
    return _ratio(np.diagonal(matrix), matrix.sum(axis=1))


def precision_by_class(labels: ArrayLike, predicted: ArrayLike) -> Floats:
    """Share of each predicted class's images that carry that label.

    Returns
    -------
    (7,) float64
        In [0, 1]; NaN for a class that was never predicted.
    """
    matrix = confusion_matrix(labels, predicted)
    return _ratio(np.diagonal(matrix), matrix.sum(axis=0))


def balanced_accuracy(labels: ArrayLike, predicted: ArrayLike) -> float:
    """Mean recall over the classes that have images (Brodersen et al. 2010, doi 10.1109/ICPR.2010.764)."""
    return float(confusion_balanced_accuracy(confusion_matrix(labels, predicted)))


def macro_f1(labels: ArrayLike, predicted: ArrayLike) -> float:
    """Mean over classes of F1 = 2 TP / (2 TP + FP + FN).

    The mean runs over the classes that occur among labels or predictions, as scikit-learn's does: a class that is
    predicted but never right counts as 0, a class that occurs nowhere is left out.
    """
    return float(confusion_macro_f1(confusion_matrix(labels, predicted)))


def confusion_balanced_accuracy(matrices: ArrayLike) -> Floats:
    """Balanced accuracy of one or many confusion matrices.

    Parameters
    ----------
    matrices : (..., 7, 7)
        Counts, or weighted counts of a bootstrap.

    Returns
    -------
    (...) float64
        NaN for a matrix without images.
    """
    counts = np.asarray(matrices, dtype=np.float64)
    recalls = _ratio(np.diagonal(counts, axis1=-2, axis2=-1), counts.sum(axis=-1))
    return _mean_of_defined(recalls)


def confusion_macro_f1(matrices: ArrayLike) -> Floats:
    """Macro-F1 of one or many confusion matrices; see `macro_f1`.

    Parameters
    ----------
    matrices : (..., 7, 7)

    Returns
    -------
    (...) float64
        NaN for a matrix without images.
    """
    counts = np.asarray(matrices, dtype=np.float64)
    true_positives = np.diagonal(counts, axis1=-2, axis2=-1)
    return _mean_of_defined(_ratio(2 * true_positives, counts.sum(axis=-1) + counts.sum(axis=-2)))


def log_loss(labels: ArrayLike, probabilities: ArrayLike) -> float:
    """Mean negative natural logarithm of the probability given to the true class.

    Probabilities are clipped to [`LOG_LOSS_CLIP`, 1], so one confident mistake costs at most 16.1, not infinity.

    Parameters
    ----------
    labels : (n,) integers in 0..6
    probabilities : (n, 7)

    Returns
    -------
    float
        In nats; NaN for no images or where a probability is not finite.

    Raises
    ------
    InputError
        Shapes that do not fit.
    """
    losses = log_losses(labels, probabilities)
    return float(losses.mean()) if losses.size else float("nan")


def brier_score(labels: ArrayLike, probabilities: ArrayLike) -> float:
    """Mean squared distance of the probabilities from the truth, summed over classes.

    Brier's own form (1950, doi 10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2): 0 is perfect, 6/7 is "one seventh
    for all", 2 is certain and wrong. Parameters, NaN and errors as `log_loss`.
    """
    scores = brier_scores(labels, probabilities)
    return float(scores.mean()) if scores.size else float("nan")


def log_losses(labels: ArrayLike, probabilities: ArrayLike) -> Floats:
    """Log loss of each image, (n,): for intervals over people; NaN where one of its probabilities is not finite."""
    truth, given = _check_probabilities(labels, probabilities)
    losses = -np.log(np.clip(given[np.arange(truth.size), truth], LOG_LOSS_CLIP, 1.0))
    return np.where(np.isfinite(given).all(axis=1), losses, np.nan)


def brier_scores(labels: ArrayLike, probabilities: ArrayLike) -> Floats:
    """Brier score of each image, (n,): for intervals over people; NaN where one of its probabilities is not finite."""
    truth, given = _check_probabilities(labels, probabilities)
    scores = ((given - np.eye(N_CLASSES)[truth]) ** 2).sum(axis=1)
    return np.where(np.isfinite(given).all(axis=1), scores, np.nan)


def expected_calibration_error(labels: ArrayLike, probabilities: ArrayLike, *, bins: int = CALIBRATION_BINS) -> float:
    """Mean distance between the confidence in the top class and how often it is right.

    Over `calibration_bins`; each bin's distance weighs by its images (Guo et al. 2017, arXiv 1706.04599). Parameters,
    NaN and errors as `log_loss`.
    """
    truth, given = _check_probabilities(labels, probabilities)
    if not truth.size or not np.isfinite(given).all():
        return float("nan")
    return calibration_bins(truth, given, bins=bins).error


def calibration_bins(labels: ArrayLike, probabilities: ArrayLike, *, bins: int = CALIBRATION_BINS) -> CalibrationBins:
    """Sort images by confidence in their top class: the points of a reliability diagram.

    Parameters
    ----------
    labels : (n,) integers in 0..6
    probabilities : (n, 7)
        Images with a probability that is not finite are left out: the sum of ``n`` tells.
    bins : int
        Bins of equal width (k/bins, (k+1)/bins].

    Raises
    ------
    InputError
        Shapes that do not fit, or no bin.
    """
    truth, given = _check_probabilities(labels, probabilities)
    if bins < 1:
        raise InputError(f"bins: expected at least 1, found {bins}")
    known = np.isfinite(given).all(axis=1)
    truth, given = truth[known], given[known]
    confidence, right = given.max(axis=1), given.argmax(axis=1) == truth
    bin_of = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    n = np.bincount(bin_of, minlength=bins)
    sums = [np.bincount(bin_of, weights=values, minlength=bins) for values in (confidence, right)]
    return CalibrationBins(np.linspace(0, 1, bins + 1), n, _ratio(sums[0], n), _ratio(sums[1], n))


def _check_pair(labels: ArrayLike, predicted: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    truth, guess = np.asarray(labels), np.asarray(predicted)
    if truth.ndim != 1 or truth.shape != guess.shape:
        raise InputError(f"labels and predictions: expected two arrays (n,), found {truth.shape} and {guess.shape}")
    for name, array in (("labels", truth), ("predictions", guess)):
        if array.size and (array.dtype.kind not in "iu" or array.min() < 0 or array.max() >= N_CLASSES):
            raise InputError(f"{name}: expected integers from 0 to {N_CLASSES - 1}, found {array.dtype} {array[:3]}")
    return truth.astype(np.int64), guess.astype(np.int64)


def _check_probabilities(labels: ArrayLike, probabilities: ArrayLike) -> tuple[NDArray[np.int64], Floats]:
    truth, _ = _check_pair(labels, labels)
    given = np.asarray(probabilities, dtype=np.float64)
    if given.shape != (truth.size, N_CLASSES):
        raise InputError(f"probabilities: expected shape ({truth.size}, {N_CLASSES}), found {given.shape}")
    return truth, given


def _ratio(above: NDArray[np.generic], below: NDArray[np.generic]) -> Floats:
    """Divide; NaN where the divisor is zero."""
    top, bottom = np.asarray(above, dtype=np.float64), np.asarray(below, dtype=np.float64)
    result: Floats = np.divide(top, bottom, out=np.full(bottom.shape, np.nan), where=bottom > 0)
    return result


def _mean_of_defined(values: Floats) -> Floats:
    """Mean over the last axis of what is not NaN; NaN where nothing is left."""
    defined = ~np.isnan(values)
    return _ratio(np.where(defined, values, 0.0).sum(axis=-1), defined.sum(axis=-1))
