"""Two groups of people under many methods: the largest Welch statistic over joint permutations."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as oracle

from fer_bench import stats
from fer_bench.errors import InputError


def shares(seed: int, people: int, methods: int, lead: float = 0.0, wide: float = 1.0, images: int = 14) -> np.ndarray:
    """Accuracies of people, (people, methods), who share an ease; the first half varies ``wide`` times as much."""
    rng = np.random.default_rng(seed)
    # small enough that none reaches 0 or 1: clipping would move the mean of a group that varies more
    ease = 0.05 * rng.standard_normal((people, 1)) + 0.03 * rng.standard_normal((people, methods))
    ease[: people // 2] = wide * ease[: people // 2] + lead
    return rng.binomial(images, np.clip(0.6 + ease, 0, 1)) / images


def by_hand(values: np.ndarray, first: np.ndarray) -> list[float]:
    """Adjusted p values with scipy's Welch test of every draw, larger of the two ways to draw."""
    centred = values.copy()
    for side in (first, ~first):
        centred[side] -= centred[side].mean(axis=0)
    with np.errstate(all="ignore"):
        observed = np.abs(oracle.ttest_ind(values[first], values[~first], equal_var=False).statistic)
        worst = np.zeros(values.shape[1])
        for table in (values, centred):
            reached, draws = np.zeros(values.shape[1]), 0
            for chosen in combinations(range(len(values)), int(first.sum())):
                side = np.isin(np.arange(len(values)), chosen)
                t = oracle.ttest_ind(table[side], table[~side], equal_var=False).statistic
                reached += np.nanmax(np.abs(np.append(t, 0.0))) >= observed * (1 - 1e-9)
                draws += 1
            worst = np.maximum(worst, reached / draws)
    return list(worst)


@pytest.mark.filterwarnings("ignore:Precision loss")
@pytest.mark.parametrize(("seed", "split"), [(0, 3), (1, 4), (2, 4), (3, 5)])
def test_p_is_that_of_every_draw_with_scipy(seed: int, split: int) -> None:
    """With eight people the adjusted p is the share of all ways to draw a group, as counted with scipy's statistic."""
    values, first = shares(seed, 8, 3, lead=0.2), np.arange(8) < split
    found = stats.max_welch(values, first, seed=0)
    assert list(found.p_value) == pytest.approx(by_hand(values, first))
    assert list(found.value) == pytest.approx(list(values[first].mean(axis=0) - values[~first].mean(axis=0)))


@given(
    seed=st.integers(0, 10**6),
    sizes=st.tuples(st.integers(2, 9), st.integers(2, 9)),
    methods=st.integers(1, 4),
    lead=st.sampled_from([0.0, 0.1, 0.3, 1.0]),
)
def test_p_is_below_5_percent_exactly_where_the_interval_leaves_zero_out(
    seed: int, sizes: tuple[int, int], methods: int, lead: float
) -> None:
    """Whatever the people: p and interval agree, and one without an interval has a p above 5 %, or none, and a why."""
    values, first = shares(seed, sum(sizes), methods, lead=lead), np.arange(sum(sizes)) < sizes[0]
    found = stats.max_welch(values, first, seed=0)
    for value, low, high, p, why in zip(found.value, found.low, found.high, found.p_value, found.reasons, strict=True):
        if why:
            assert np.isnan([low, high]).all()
            assert not p < stats.ALPHA
        else:
            assert low <= value <= high
            assert (p < stats.ALPHA) == (low > 0 or high < 0)


def test_drawn_permutations_agree_with_the_interval_too() -> None:
    """With 40 people draws are random: p and interval agree there, too, with leads of any size among them."""
    told = set()
    for seed in range(12):
        found = stats.max_welch(shares(seed, 40, 4, lead=0.02 * seed), np.arange(40) < 20, seed=seed)
        assert "9,999" in found.method
        for low, high, p in zip(found.low, found.high, found.p_value, strict=True):
            assert (p < stats.ALPHA) == (low > 0 or high < 0)
            told.add(bool(p < stats.ALPHA))
    assert told == {True, False}


def test_more_methods_ask_for_more() -> None:
    """A method's p never falls, and its interval never narrows, where others are looked at with it."""
    values, first = shares(3, 14, 6, lead=0.1), np.arange(14) < 6
    alone, together = (stats.max_welch(part, first, seed=0) for part in (values[:, :1], values))
    assert alone.p_value[0] <= together.p_value[0]
    assert alone.critical < together.critical
    assert together.low[0] < alone.low[0] < alone.high[0] < together.high[0]


def test_few_people_say_why_there_is_no_interval() -> None:
    """Two and two, and three and three, cannot reach 5 %; a lone person, and groups without spread, have a reason."""
    for size in (2, 3):
        found = stats.max_welch(shares(1, 2 * size, 2, lead=0.3), np.arange(2 * size) < size, seed=0)
        assert found.reasons[0] == f"{size} and {size} people are too few to tell two groups apart under 2 methods"
        assert (found.p_value >= stats.ALPHA).all()
    lone = stats.max_welch([[0.5], [0.6], [0.7]], [True, False, False], seed=0)
    assert lone.reasons == ("it takes two people of either group",)
    flat = stats.max_welch([[0.5, 0.1], [0.5, 0.3], [0.7, 0.2], [0.7, 0.9]], [True, True, False, False], seed=0)
    assert flat.reasons[0] == "no two people of a group differ"
    assert np.isnan(flat.p_value[0])
    assert flat.tested == 1


def test_people_who_were_not_tested_are_left_out() -> None:
    """NaN leaves a person out of one method alone: value and people are those of the others."""
    values = shares(5, 12, 2, lead=0.1)
    values[0, 1] = np.nan
    found = stats.max_welch(values, np.arange(12) < 6, seed=0)
    assert list(found.first) == [6, 5]
    assert found.value[1] == pytest.approx(values[1:6, 1].mean() - values[6:, 1].mean())


def test_what_does_not_fit_is_refused() -> None:
    """Groups of another length than the values are told with both shapes."""
    with pytest.raises(InputError, match=r"found \(3, 1\) and \(2,\)"):
        stats.max_welch([[0.1], [0.2], [0.3]], [True, False], seed=0)


def wrong(repeats: int, people: int, first: int, wide: float) -> float:
    """Share of families of eight equal methods in which women and men are told apart."""
    told = 0
    for seed in range(repeats):
        found = stats.max_welch(shares(seed, people, 8, wide=wide), np.arange(people) < first, seed=0)
        told += bool((found.p_value < stats.ALPHA).any())
    return told / repeats


def test_groups_that_are_alike_are_rarely_told_apart() -> None:
    """Of families of eight methods, five against six people, at most 6 % have any p below 5 %."""
    assert wrong(300, 11, 5, 1.0) <= 0.06


@pytest.mark.slow
@pytest.mark.parametrize(("people", "first", "wide"), [(12, 6, 1.0), (20, 10, 2.0), (30, 15, 2.0), (70, 35, 1.0)])
def test_the_level_holds_where_groups_differ_in_spread(people: int, first: int, wide: float) -> None:
    """Over 1,000 families the error stays within 6 % plus two standard errors of the simulation, uneven spread too."""
    assert wrong(1000, people, first, wide) <= 0.06 + 2 * (0.05 * 0.95 / 1000) ** 0.5
