"""Nadeau and Bengio's corrected t test against baycomp's form of it and by hand."""

import numpy as np
import pytest
from baycomp.single import CorrelatedTTest

from fer_bench import stats
from fer_bench.errors import InputError


def answers(seed: int, k: int, size: int = 70) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    a, b = rng.random((2, k * size)) < np.array([[0.8], [0.75]])
    return a, b, np.repeat(np.arange(k), size)


@pytest.mark.parametrize("k", [2, 5, 10])
def test_agrees_with_baycomp(k: int) -> None:
    """For a k-fold cross-validation p is twice the smaller tail of baycomp's correlated t test."""
    a, b, folds = answers(k, k)
    found = stats.corrected_t_test(a, b, folds)
    scores = [x.reshape(k, -1).mean(axis=1) for x in (b, a)]
    left, right = CorrelatedTTest.probs(*scores)
    assert found.p_value == pytest.approx(2 * min(left, right))
    assert (found.n, found.folds) == (70 * k, k)
    assert found.low < found.difference < found.high


def test_by_hand() -> None:
    """Differences 0.1, 0.2, 0.3 over three folds of ten, trained on twenty: t = 0.2 / (0.1 * sqrt(1/3 + 1/2))."""
    b = np.zeros(30, dtype=bool)
    a = b.copy()
    a[[0, 10, 11, 20, 21, 22]] = True
    found = stats.corrected_t_test(a, b, np.repeat([0, 1, 2], 10))
    assert found.statistic == pytest.approx(0.2 / (0.1 * np.sqrt(1 / 3 + 1 / 2)))
    fewer = stats.corrected_t_test(a, b, np.repeat([0, 1, 2], 10), train_images=10)
    assert fewer.statistic == pytest.approx(0.2 / (0.1 * np.sqrt(1 / 3 + 1)))


def test_swapping_the_methods_turns_the_sign() -> None:
    """B minus A is A minus B mirrored, with the same p."""
    a, b, folds = answers(4, 10)
    ab, ba = stats.corrected_t_test(a, b, folds), stats.corrected_t_test(b, a, folds)
    assert (ab.low, ab.high, ab.p_value) == pytest.approx((-ba.high, -ba.low, ba.p_value))


def test_where_it_does_not_apply_it_says_why() -> None:
    """One fold, no images, equal answers, nothing trained on: reasons in words, not numbers."""
    a, b, folds = answers(5, 2)
    reasons = [
        stats.corrected_t_test(a[:70], b[:70], folds[:70]).reason,
        stats.corrected_t_test(a[:0], b[:0], folds[:0]).reason,
        stats.corrected_t_test(a, a, folds).reason,
        stats.corrected_t_test(a, b, folds, train_images=0).reason,
    ]
    assert reasons == [
        "one fold: it takes two",
        "no images",
        "the difference is the same in all folds",
        "no fold trains on anything",
    ]
    with pytest.raises(InputError):
        stats.corrected_t_test(a, b[:3], folds)
