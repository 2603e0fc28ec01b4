"""Many comparisons at once: joint sign flips against brute force, and p values that agree with their intervals."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_bench import stats
from fer_bench.errors import InputError
from fer_bench.stats import flips


def answers(seed: int, people: int, methods: int, images: int = 20, lead: float = 0.0) -> np.ndarray:
    """Images of each person that each method classified correctly; ``lead`` is the first method's gain."""
    rng = np.random.default_rng(seed)
    own = 0.7 + 0.1 * rng.standard_normal((people, 1)) + 0.05 * rng.standard_normal((people, methods))
    own[:, 0] += lead
    return rng.binomial(images, np.clip(own, 0, 1))


def brute_force(counts: np.ndarray) -> list[float]:
    """Share of all flips of people whose largest statistic over all pairs reaches each pair's, word for word."""
    people, methods = counts.shape
    pairs = [(i, j) for i in range(methods) for j in range(i + 1, methods)]

    def found(columns: np.ndarray, signs: np.ndarray) -> list[float]:
        told = []
        for i, j in pairs:
            d = columns[:, i] - columns[:, j]
            told.append(abs(signs @ d) / np.sqrt(d @ d) if (np.abs(d) > 1e-9).any() else 0.0)
        return told

    rest = counts - counts.mean(axis=0)
    observed = found(counts, np.ones(people))
    every = [np.array(signs) for signs in product((-1, 1), repeat=people)]
    adjusted = []
    for columns in (counts, rest) if len(pairs) > 1 else (counts,):
        largest = np.array([max(found(columns, signs)) for signs in every])
        adjusted.append([(largest >= t - 1e-7).mean() for t in observed])
    return [max(p) for p in zip(*adjusted, strict=True)]


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**31), st.integers(1, 7), st.integers(2, 4), st.sampled_from([1, 3, 20]))
def test_p_is_that_of_brute_force(seed: int, people: int, methods: int, images: int) -> None:
    """Up to seven people p is exactly the share of all joint flips, ties and pairs without a difference included."""
    counts = answers(seed, people, methods, images)
    family, *_ = stats.all_pairs(counts, np.full(people, images), seed=0)
    assert family.p_value == pytest.approx(brute_force(counts), abs=1e-12)


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 2**31),
    people=st.sampled_from([2, 5, 6, 9, 14, 15, 40]),
    methods=st.integers(2, 6),
    lead=st.sampled_from([0.0, 0.05, 0.1, 0.25]),
)
def test_p_and_interval_never_disagree(seed: int, people: int, methods: int, lead: float) -> None:
    """Where there is an interval it leaves zero out exactly where p < 5 %, holds the difference and stays within 1."""
    counts = answers(seed, people, methods, lead=lead)
    found, *_ = stats.all_pairs(counts, np.full(people, 20), seed=1)
    known = np.isfinite(found.low)
    outside = (found.low > 0) | (found.high < 0)
    np.testing.assert_array_equal(outside[known], (found.p_value < stats.ALPHA)[known])
    assert (found.p_value[~known] >= stats.ALPHA).all()
    assert ((found.low <= found.value) & (found.value <= found.high))[known].all()
    assert (found.low[known] >= -1).all()
    assert (found.high[known] <= 1).all()


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**31), st.sampled_from([6, 12, 30]), st.integers(2, 6))
def test_p_falls_as_the_statistic_rises(seed: int, people: int, methods: int) -> None:
    """Adjusted p values are monotone in the statistic, stepping down or not, and lie in (0, 1]."""
    counts, tested = answers(seed, people, methods, lead=0.1), np.full(people, 20)
    found, first, second = stats.all_pairs(counts, tested, seed=1)
    order = np.argsort(found.statistic, kind="stable")
    stepped = stats.step_down(counts, tested, first, second, seed=1)
    for p_value in (found.p_value, stepped):
        assert (np.diff(p_value[order]) <= 1e-12).all()
        assert ((p_value > 0) & (p_value <= 1)).all()
    assert (stepped <= found.p_value + 1e-12).all()


def test_step_down_by_brute_force() -> None:
    """Each step holds a statistic against the largest of those that are left, over all flips of people."""
    counts = answers(3, 6, 3, lead=0.2)
    tested, people = np.full(6, 20), 6
    found, first, second = stats.all_pairs(counts, tested, seed=0)
    d = counts[:, first] - counts[:, second]
    every = np.array(list(product((-1, 1), repeat=people)))
    flipped = np.abs(every @ d) / np.sqrt((d**2).sum(axis=0))
    expected, highest = np.empty(3), 0.0
    left = list(np.argsort(-found.statistic))
    while left:
        share = (flipped[:, left].max(axis=1) >= found.statistic[left[0]] - 1e-9).mean()
        highest = max(highest, share)
        expected[left.pop(0)] = highest
    np.testing.assert_allclose(stats.step_down(counts, tested, first, second, seed=0), expected)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**31), st.integers(2, 14))
def test_one_comparison_is_the_sign_flip_test(seed: int, people: int) -> None:
    """A family of one among few people has the exact p of the test of record."""
    counts = answers(seed, people, 2)
    (p_value,) = stats.all_pairs(counts, np.full(people, 20), seed=0)[0].p_value
    assert p_value == pytest.approx(stats.flip_p_value(counts[:, 0] - counts[:, 1]))


def test_drawn_flips_come_close_to_all_of_them() -> None:
    """15 people are drawn, and p lies within sampling error of the exact test's; the seed settles the draws."""
    counts = answers(4, 15, 2)
    one, again, other = (stats.all_pairs(counts, np.full(15, 20), seed=seed)[0] for seed in (1, 1, 2))
    exact = stats.flip_p_value(counts[:, 0] - counts[:, 1])
    assert one.p_value[0] == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / flips.FLIPS))
    np.testing.assert_array_equal(one.p_value, again.p_value)
    assert one.critical != other.critical or one.p_value[0] != other.p_value[0]


def test_thousands_of_units_are_drawn_from_the_normal_law() -> None:
    """Above a thousand units critical values are those of signs within sampling error."""
    counts, tested = answers(5, 1000, 4), np.full(1000, 20)
    signs = stats.all_pairs(counts, tested, seed=1)[0]
    normal = stats.all_pairs(np.vstack([counts, counts[:1]]), np.full(1001, 20), seed=1)[0]
    assert normal.critical == pytest.approx(signs.critical, abs=0.08)


def test_units_of_a_comparison_may_differ() -> None:
    """Columns with images of their own, held against an empty one, give the pairs' own figures."""
    counts, tested = answers(6, 12, 3, lead=0.1), np.full(12, 20)
    whole, first, second = stats.all_pairs(counts, tested, seed=0)
    columns = np.column_stack([counts[:, first] - counts[:, second], np.zeros(12)])
    images = np.column_stack([np.tile(tested[:, None], 3), np.zeros(12)])
    alone = stats.max_t(columns, images, np.arange(3), np.full(3, 3), seed=0)
    for name in ("value", "low", "high", "p_value", "detectable"):
        np.testing.assert_allclose(getattr(alone, name), getattr(whole, name))


def test_few_people_say_why() -> None:
    """Five people cannot reject: p stays above 5 %, no bounds, no detectable difference, and the reason counts them."""
    found, *_ = stats.all_pairs(answers(7, 5, 3, lead=0.3), np.full(5, 20), seed=0)
    assert (found.p_value >= 2 / 32).all()
    assert np.isnan([*found.low, *found.detectable]).all()
    assert found.reason == "5 people are too few for 3 comparisons"


def test_what_does_not_fit_is_refused() -> None:
    """Counts that are no table, or images of other people, are named with what was found."""
    with pytest.raises(InputError, match=r"correct: expected \(people, methods\), found \(3,\)"):
        stats.all_pairs(np.ones(3), np.ones(3), seed=0)
    with pytest.raises(InputError, match=r"columns and tested.*\(3, 2\) and \(4,\)"):
        stats.all_pairs(np.ones((3, 2)), np.ones(4), seed=0)
