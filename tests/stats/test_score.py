"""Score intervals over people: monotone, within 0 and 1, and true as often as they say near the ceiling, too."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fer_bench import stats


def interval(right: np.ndarray, images: int) -> stats.Interval:
    """Interval of the accuracy of people with so many right answers each, of equally many images."""
    counts = np.column_stack([right, np.full(len(right), images)]).astype(float)
    n = images * len(right)
    return stats.people_interval(counts, lambda s: s[:, 0] / s[:, 1], n=n, seed=0, bounds=(0.0, 1.0))


@settings(deadline=None, max_examples=12)
@given(people=st.integers(3, 70), images=st.sampled_from([5, 14, 70]), spread=st.booleans())
@example(people=3, images=14, spread=False)
@example(people=3, images=70, spread=True)
@example(people=5, images=14, spread=True)
def test_bounds_rise_with_the_number_correct(people: int, images: int, spread: bool) -> None:
    """Adding a right answer never lowers a bound, whether all people take turns or one alone is right at times."""
    places = np.arange(people * images)
    order = places % people if spread else places // images
    last = interval(np.zeros(people), images)
    for number in range(1, min(3 * people if spread else images, people * images) + 1):
        found = interval(np.bincount(order[:number], minlength=people), images)
        assert 0 <= last.low <= found.low <= found.value <= found.high <= 1
        assert found.high >= last.high
        last = found


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**31), people=st.integers(3, 30))
def test_right_and_wrong_are_mirrored(seed: int, people: int) -> None:
    """The interval of the error rate is that of accuracy turned round."""
    right = np.random.default_rng(seed).binomial(14, 0.8, people)
    a, b = interval(right, 14), interval(14 - right, 14)
    assert (b.low, b.high) == pytest.approx((1 - a.high, 1 - a.low), abs=1e-12)


def test_one_error_is_no_surer_than_none() -> None:
    """980 of 980 right reaches higher than 979 of 980, at both ends."""
    all_right, one_wrong = np.full(70, 14), np.r_[13, np.full(69, 14)]
    assert interval(one_wrong, 14).low < interval(all_right, 14).low
    assert interval(one_wrong, 14).high <= interval(all_right, 14).high == 1


@pytest.mark.parametrize(
    ("people", "images", "level"),
    [(5, 14, 0.8), (5, 14, 0.5), (5, 70, 0.8), (7, 14, 0.8), (10, 14, 0.95), (20, 14, 0.97)],
)
def test_coverage_of_few_people_and_near_the_ceiling(people: int, images: int, level: float) -> None:
    """1,500 repeats with people who differ: the truth lies inside in 93 to 97 of 100 within sampling error."""
    rng, held = np.random.default_rng(1), 0
    for _ in range(1500):
        right = rng.binomial(images, rng.beta(25 * level, 25 * (1 - level), people))
        found = interval(right, images)
        held += found.low <= level <= found.high
    assert 0.92 <= held / 1500 <= 0.974


def test_differences_stay_within_one() -> None:
    """A difference over three people who differ much is cut at plus and minus one; over two people there is none."""
    who = np.repeat(np.arange(3), 4)
    a, b = who > 0, np.zeros(12, dtype=bool)
    found = stats.paired_difference(a, b, who, seed=0).interval
    assert found.high == 1.0
    assert found.low >= -1.0
    assert stats.paired_difference(a[:8], b[:8], who[:8], seed=0).interval.reason == "it takes three people"
