"""Metrics against scikit-learn and hand-worked examples."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as oracle
from sklearn.calibration import calibration_curve

from fer_bench.errors import InputError
from fer_bench.stats import metrics

CLASSES = list(range(7))
pairs = st.integers(0, 2**32 - 1).flatmap(
    lambda seed: st.tuples(st.just(seed), st.integers(1, 60), st.lists(st.integers(0, 6), min_size=1, unique=True))
)


def draw(case: tuple[int, int, list[int]]) -> tuple[np.ndarray, np.ndarray]:
    seed, n, classes = case
    rng = np.random.default_rng(seed)
    return rng.choice(classes, n), rng.integers(0, 7, n)


@given(pairs)
def test_counts_agree_with_scikit_learn(case: tuple[int, int, list[int]]) -> None:
    """Accuracy, balanced accuracy, macro-F1 and confusion equal scikit-learn's, also where classes are absent."""
    labels, predicted = draw(case)
    present = [c for c in CLASSES if (labels == c).any()]
    recalls = oracle.recall_score(labels, predicted, labels=present, average=None)
    assert metrics.accuracy(labels, predicted) == pytest.approx(oracle.accuracy_score(labels, predicted))
    assert metrics.balanced_accuracy(labels, predicted) == pytest.approx(recalls.mean())
    assert metrics.macro_f1(labels, predicted) == pytest.approx(oracle.f1_score(labels, predicted, average="macro"))
    expected = oracle.confusion_matrix(labels, predicted, labels=CLASSES)
    np.testing.assert_array_equal(metrics.confusion_matrix(labels, predicted), expected)


@given(pairs)
def test_classes_agree_with_scikit_learn(case: tuple[int, int, list[int]]) -> None:
    """Recall and precision a class equal scikit-learn's, NaN exactly where they are undefined."""
    labels, predicted = draw(case)
    kept = {"labels": CLASSES, "average": None, "zero_division": np.nan}
    np.testing.assert_allclose(
        metrics.recall_by_class(labels, predicted), oracle.recall_score(labels, predicted, **kept)
    )
    np.testing.assert_allclose(
        metrics.precision_by_class(labels, predicted), oracle.precision_score(labels, predicted, **kept)
    )


@given(pairs)
def test_probability_scores_agree_with_scikit_learn(case: tuple[int, int, list[int]]) -> None:
    """Log loss equals scikit-learn's and the Brier score is the sum of its seven one-against-rest scores."""
    labels, _ = draw(case)
    given_ = np.random.default_rng(case[0]).dirichlet(np.ones(7), len(labels))
    clipped = np.clip(given_, metrics.LOG_LOSS_CLIP, 1)
    assert metrics.log_loss(labels, given_) == pytest.approx(
        oracle.log_loss(labels, clipped / clipped.sum(axis=1, keepdims=True), labels=CLASSES), abs=1e-4
    )
    brier = sum(((labels == c) - given_[:, c]) @ ((labels == c) - given_[:, c]) for c in CLASSES) / len(labels)
    assert metrics.brier_score(labels, given_) == pytest.approx(brier)


def test_log_loss_of_a_certain_mistake_is_finite() -> None:
    """Probability 0 on the truth costs -ln(clip), not infinity."""
    given_ = np.eye(7)[[1]]
    assert metrics.log_loss(np.array([0]), given_) == pytest.approx(-np.log(metrics.LOG_LOSS_CLIP))


def test_calibration_error_by_hand() -> None:
    """Four images at confidence 0.8 of which three are right, and one certain mistake: (4 * 0.05 + 1 * 1) / 5."""
    given_ = np.full((5, 7), 0.2 / 6)
    given_[:, 0] = 0.8
    given_[4] = np.eye(7)[2]
    labels = np.array([0, 0, 0, 1, 3])
    assert metrics.expected_calibration_error(labels, given_) == pytest.approx((4 * 0.05 + 1.0) / 5)


def test_a_calibrated_guesser_has_no_calibration_error() -> None:
    """One seventh for all, and the first of seven balanced classes is always the guess: error 0, Brier 6/7."""
    labels = np.arange(70) % 7
    given_ = np.full((70, 7), 1 / 7)
    assert metrics.expected_calibration_error(labels, given_) == pytest.approx(0.0, abs=1e-12)
    assert metrics.brier_score(labels, given_) == pytest.approx(6 / 7)


def test_many_confusion_matrices_at_once() -> None:
    """The stacked forms give for each matrix what the single forms give."""
    rng = np.random.default_rng(3)
    stack = rng.integers(0, 5, (4, 7, 7))
    each = [metrics.confusion_macro_f1(matrix) for matrix in stack]
    np.testing.assert_allclose(metrics.confusion_macro_f1(stack), each)
    np.testing.assert_allclose(
        metrics.confusion_balanced_accuracy(stack), [metrics.confusion_balanced_accuracy(matrix) for matrix in stack]
    )


def test_nothing_to_score_is_nan() -> None:
    """No images, or a probability that is not a number, give NaN and never a number that looks like a result."""
    empty, broken = np.array([], dtype=int), np.full((1, 7), np.nan)
    assert np.isnan(metrics.accuracy(empty, empty))
    assert np.isnan(metrics.balanced_accuracy(empty, empty))
    for score in (metrics.log_loss, metrics.brier_score, metrics.expected_calibration_error):
        assert np.isnan(score(np.array([0]), broken))
        assert np.isnan(score(empty, np.empty((0, 7))))


@pytest.mark.parametrize(
    ("labels", "predicted"), [([0, 1], [0]), ([7], [0]), ([0], [-1]), ([[0]], [[0]]), ([0.5], [0.5])]
)
def test_arrays_that_do_not_fit_are_refused(labels: list, predicted: list) -> None:
    """Wrong lengths, wrong classes and wrong types raise InputError."""
    with pytest.raises(InputError):
        metrics.accuracy(np.array(labels), np.array(predicted))


def test_probabilities_of_the_wrong_shape_are_refused() -> None:
    """Six columns where seven are expected raise InputError that names both."""
    with pytest.raises(InputError, match=r"\(2, 7\), found \(2, 6\)"):
        metrics.log_loss(np.array([0, 1]), np.ones((2, 6)) / 6)


@given(pairs, st.integers(1, 20))
def test_calibration_bins_agree_with_scikit_learn(case: tuple[int, int, list[int]], bins: int) -> None:
    """Mean confidence and accuracy of the filled bins equal scikit-learn's calibration curve; the counts add up."""
    labels, _ = draw(case)
    given_ = np.random.default_rng(case[0]).dirichlet(np.ones(7), len(labels))
    found = metrics.calibration_bins(labels, given_, bins=bins)
    right = given_.argmax(axis=1) == labels
    accuracy, confidence = calibration_curve(right, given_.max(axis=1), n_bins=bins)
    np.testing.assert_allclose(found.accuracy[found.n > 0], accuracy)
    np.testing.assert_allclose(found.confidence[found.n > 0], confidence)
    assert found.n.sum() == len(labels)
    assert np.isnan(found.accuracy[found.n == 0]).all()


def test_bins_hold_their_upper_edge() -> None:
    """Confidence 0.5 of two bins lies in the lower one, 0.51 in the upper one."""
    given_ = np.zeros((2, 7))
    given_[:, 0] = (0.5, 0.51)
    np.testing.assert_array_equal(metrics.calibration_bins(np.array([0, 0]), given_, bins=2).n, [1, 1])
    with pytest.raises(InputError, match="bins"):
        metrics.calibration_bins(np.array([0, 0]), given_, bins=0)


def test_broken_probabilities_fall_in_no_bin() -> None:
    """An image whose probabilities are no numbers is in no bin, and the counts show that it is missing."""
    given_ = np.full((3, 7), 1 / 7)
    given_[1, 2] = np.nan
    found = metrics.calibration_bins(np.array([0, 0, 0]), given_)
    assert found.n.sum() == 2
    assert np.isnan(metrics.calibration_bins(np.array([], dtype=int), np.empty((0, 7))).error)


def test_absent_classes_are_named_and_left_out() -> None:
    """Classes without images are told by their codes; averages over classes leave them out, not count them as 0."""
    labels, predicted = np.array([0, 0, 3, 3]), np.array([0, 3, 3, 3])
    assert metrics.absent_classes(labels) == ("AN", "DI", "NE", "SA", "SU")
    assert metrics.balanced_accuracy(labels, predicted) == pytest.approx((0.5 + 1) / 2)
    assert metrics.macro_f1(labels, predicted) == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert metrics.absent_classes(np.arange(7)) == ()


def test_losses_of_images_have_the_figures_mean() -> None:
    """Log loss and Brier score are the means of their images' values; a broken image alone is NaN there."""
    rng = np.random.default_rng(2)
    labels, given_ = rng.integers(0, 7, 50), rng.dirichlet(np.ones(7), 50)
    assert metrics.log_losses(labels, given_).mean() == metrics.log_loss(labels, given_)
    assert metrics.brier_scores(labels, given_).mean() == metrics.brier_score(labels, given_)
    given_[3, 1] = np.inf
    for values in (metrics.log_losses(labels, given_), metrics.brier_scores(labels, given_)):
        np.testing.assert_array_equal(np.flatnonzero(np.isnan(values)), [3])
