"""The probability of being better by more than a margin, against baycomp and by hand."""

import numpy as np
import pytest
from baycomp.single import Posterior as Oracle
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_bench import stats
from fer_bench.errors import InputError


def two(seed: int, people: int, images: int, ahead: float = 0.1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    a, b = rng.random((2, people * images)) < np.array([[0.6 + ahead], [0.6]])
    return a, b, np.repeat(np.arange(people), images)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**31), st.integers(2, 30), st.floats(0, 0.2))
def test_agrees_with_baycomp(seed: int, people: int, margin: float) -> None:
    """With equally many images a person the three probabilities are those of baycomp's Student posterior."""
    a, b, who = two(seed, people, 20)
    found = stats.probability_better(a, b, who, margin=margin)
    means = (a.astype(float) - b).reshape(people, 20).mean(axis=1)
    if isinstance(found, stats.NotApplicable):
        assert np.ptp(means) < 1e-9
        return
    left, *rope, right = Oracle(means.mean(), means.var(ddof=1) / people, people - 1, rope=margin).probs()
    assert (found.worse, found.better) == pytest.approx((left, right), abs=1e-9)
    assert found.same == pytest.approx(rope[0] if rope else 0.0, abs=1e-9)
    assert (found.n, found.people, found.margin) == (20 * people, people, margin)


def test_swapping_the_methods_swaps_the_probabilities() -> None:
    """B over A is A over B mirrored, and the three sum to one."""
    a, b, who = two(1, 12, 30)
    ab, ba = stats.probability_better(a, b, who), stats.probability_better(b, a, who)
    assert (ab.better, ab.same, ab.worse) == pytest.approx((ba.worse, ba.same, ba.better))
    assert ab.better + ab.same + ab.worse == pytest.approx(1)
    assert "over people" in ab.method


def test_agrees_with_the_interval() -> None:
    """Where the t interval of the difference just touches zero the probability of being better at all is 97.5 %."""
    a, b, who = two(2, 10, 40)
    low = stats.paired_difference(a, b, who, seed=0).interval.low
    assert stats.probability_better(a, b, who, margin=max(low, 0)).better == pytest.approx(
        0.975 if low > 0 else 1, 1e-6
    )


def test_where_it_does_not_apply_it_says_why() -> None:
    """One person, or people who do not differ: a reason in words, not a number; a negative margin is refused."""
    a, b, who = two(3, 5, 10)
    one = stats.probability_better(a[:10], b[:10], who[:10])
    same = stats.probability_better(a, a, who, unit=stats.SEQUENCE)
    assert (one.reason, same.reason) == ("it takes two people", "no two groups differ")
    with pytest.raises(InputError, match="margin"):
        stats.probability_better(a, b, who, margin=-0.1)
