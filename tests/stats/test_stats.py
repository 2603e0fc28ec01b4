"""Intervals and tests against oracles (scipy, brute force, textbook figures) and by simulation."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as oracle

from fer_bench import stats
from fer_bench.errors import InputError


def simulate(rng: np.random.Generator, people: int, images: int, spread: float, level: float = 0.8) -> tuple:
    """Correctness with a person effect: each person has an own chance of being classified correctly."""
    own = np.clip(level + spread * rng.standard_normal(people), 0.02, 0.98)
    who = np.repeat(np.arange(people), images)
    return rng.random(people * images) < own[who], who


def test_t_interval_is_the_t_interval_on_person_means() -> None:
    """With equally many images a person it equals scipy's t interval on the persons' means."""
    correct, who = simulate(np.random.default_rng(0), 7, 70, 0.1)
    means = correct.reshape(7, 70).mean(axis=1)
    expected = oracle.t.interval(0.95, 6, loc=means.mean(), scale=oracle.sem(means))
    found = stats.t_interval(correct, who)
    assert (found.low, found.high) == pytest.approx(expected)
    assert (found.value, found.n, found.people) == (pytest.approx(means.mean()), 490, 7)


def test_bootstrap_agrees_with_scipy() -> None:
    """Over 70 people it is close to scipy's BCa bootstrap of person means, and as wide as t within 10 %."""
    correct, who = simulate(np.random.default_rng(1), 70, 35, 0.12)
    means = correct.reshape(70, 35).mean(axis=1)
    bca = oracle.bootstrap((means,), np.mean, rng=np.random.default_rng(0), n_resamples=5000).confidence_interval
    found, t = stats.bootstrap_interval(correct, who, seed=5, repeats=5000), stats.t_interval(correct, who)
    assert (found.low, found.high) == pytest.approx((bca.low, bca.high), abs=0.006)
    assert (found.high - found.low) == pytest.approx(t.high - t.low, rel=0.1)


def test_rule_changes_at_twenty_people() -> None:
    """A difference over 19 people gets the t interval, over 20 the bootstrap; shares always the score interval."""
    for people, word in ((19, "t interval"), (20, "bootstrap")):
        correct, who = simulate(np.random.default_rng(2), people, 10, 0.1)
        other, _ = simulate(np.random.default_rng(3), people, 10, 0.1)
        assert stats.paired_difference(correct, other, who, seed=1).interval.method.startswith(word)
        assert stats.accuracy_interval(correct, who, seed=1).method == "score interval over people"


def test_same_seed_same_interval() -> None:
    """The bootstrap is a function of its seed: equal for equal ones, another for another one."""
    correct, who = simulate(np.random.default_rng(3), 30, 11, 0.2)
    one, two, other = (stats.bootstrap_interval(correct, who, seed=seed) for seed in (4, 4, 5))
    assert one == two
    assert one != other


@pytest.mark.parametrize("people", [3, 7, 70])
def test_perfect_people_still_leave_doubt(people: int) -> None:
    """All images right: no interval of width zero, and wider than independent images would give."""
    who = np.repeat(np.arange(people), 70)
    found = stats.accuracy_interval(np.ones(70 * people, dtype=bool), who, seed=0)
    assert found.value == found.high == 1.0
    assert 0.5 < found.low < stats.wilson_interval(70 * people, 70 * people).low
    assert found.method == "score interval over people"


def test_one_person_has_no_interval() -> None:
    """One person: the accuracy, and NaN bounds that say why."""
    found = stats.accuracy_interval([True, False], ["AF01", "AF01"], seed=0)
    assert found.value == 0.5
    assert np.isnan([found.low, found.high]).all()
    assert "three people" in found.method
    with pytest.raises(InputError):
        stats.t_interval([True, False], ["AF01", "AF01"])


@pytest.mark.parametrize(("people", "repeats"), [(7, 1500), (70, 1500)])
def test_coverage_over_people(people: int, repeats: int) -> None:
    """With strong person effects about 95 of 100 intervals hold the truth; Wilson's hold far fewer."""
    rng, truth, hits, naive = np.random.default_rng(11), 0.7, 0, 0
    for _ in range(repeats):
        own = rng.beta(7, 3, people)
        who = np.repeat(np.arange(people), 70)
        correct = rng.random(people * 70) < own[who]
        found = stats.accuracy_interval(correct, who, seed=0, repeats=1000)
        wilson = stats.wilson_interval(correct.sum(), correct.size)
        hits += found.low <= truth <= found.high
        naive += wilson.low <= truth <= wilson.high
    assert 0.92 <= hits / repeats <= 0.97
    assert naive / repeats < 0.8


def test_wilson_agrees_with_scipy_and_the_textbook() -> None:
    """Equal to scipy's Wilson interval; 242 of 245 gives 96.5 to 99.6 %."""
    for successes, n in ((0, 5), (5, 5), (3, 17), (242, 245)):
        expected = oracle.binomtest(successes, n).proportion_ci(method="wilson")
        found = stats.wilson_interval(successes, n)
        assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert (round(found.low, 3), round(found.high, 3)) == (0.965, 0.996)
    assert "assumes independent images" in found.method


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 10), st.integers(1, 8), st.integers(0, 2**31))
def test_sign_flip_equals_enumeration(people: int, images: int, seed: int) -> None:
    """The p value is exactly the share of all 2^people sign flips that reach the observed difference."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(people), images)
    a, b = rng.random((2, people * images)) < np.array([[0.8], [0.5]])
    d = (a.astype(int) - b).reshape(people, images).sum(axis=1)
    flips = np.array([abs(np.dot(signs, d)) for signs in product((-1, 1), repeat=people)])
    found = stats.sign_flip_test(a, b, who)
    assert found.p_value == pytest.approx((flips >= abs(d.sum())).mean())
    assert (found.statistic, found.people, found.n) == (d.sum(), people, people * images)


def test_sign_flip_agrees_with_scipy_for_many_people() -> None:
    """For 70 people it lies within Monte Carlo error of scipy's permutation test on the same differences."""
    rng = np.random.default_rng(8)
    a, who = simulate(rng, 70, 35, 0.1, 0.80)
    b, _ = simulate(rng, 70, 35, 0.1, 0.78)
    d = (a.astype(int) - b).reshape(70, 35).sum(axis=1)
    draws = oracle.permutation_test(
        (d,), np.sum, permutation_type="samples", n_resamples=20000, rng=np.random.default_rng(0)
    )
    assert stats.sign_flip_test(a, b, who).p_value == pytest.approx(draws.pvalue, abs=0.015)


def test_sign_flip_keeps_its_level_where_mcnemar_does_not() -> None:
    """Equal methods, person-by-method effects: 5 % rejected plus noise; McNemar rejects twice that."""
    rng, repeats = np.random.default_rng(21), 300
    who, rejected, naive = np.repeat(np.arange(20), 35), 0, 0
    for _ in range(repeats):
        own = np.clip(0.75 + 0.15 * rng.standard_normal((2, 20)), 0, 1)
        a, b = rng.random((2, who.size)) < own[:, who]
        rejected += stats.sign_flip_test(a, b, who).p_value < 0.05
        naive += stats.mcnemar_test(a, b).p_value < 0.05
    assert rejected / repeats < 0.085
    assert naive / repeats > 0.10


def test_equal_methods_differ_in_nothing() -> None:
    """The same answers twice: difference 0, p values 1, and no interval that would call it certain."""
    correct, who = simulate(np.random.default_rng(4), 12, 10, 0.2)
    found = stats.paired_difference(correct, correct, who, seed=0)
    assert found.interval.value == 0
    assert found.test.p_value == found.mcnemar.p_value == 1.0
    assert np.isnan([found.interval.low, found.interval.high, found.detectable]).all()
    assert found.interval.method == "none: no two people differ"


@pytest.mark.parametrize("people", [3, 4, 19, 20, 40])
@pytest.mark.parametrize("bounds", [(0.0, 1.0), (-1.0, 1.0), (-np.inf, np.inf)])
@given(right=st.integers(0, 14))
@settings(max_examples=5, deadline=None)
def test_people_who_do_not_differ_leave_doubt(people: int, bounds: tuple[float, float], right: int) -> None:
    """No variation between people gives no interval without width: a share has the score's, other figures none."""
    counts = np.tile([right, 14.0], (people, 1))
    found = stats.people_interval(counts, lambda s: s[:, 0] / s[:, 1], n=14 * people, seed=0, bounds=bounds)
    if bounds == (0.0, 1.0):
        assert found.high - found.low > 3 / (14 * people)
        assert found.low <= found.value <= found.high
        wilson = stats.wilson_interval(right * people, 14 * people)
        assert found.low <= wilson.low + 1e-12
        assert found.high >= wilson.high - 1e-12
    else:
        assert np.isnan([found.low, found.high]).all()
        assert found.method == "none: no two people differ"


def test_people_without_such_images_do_not_count() -> None:
    """Where one of three people has no such image there are two, too few for an interval, and the method says that."""
    counts = np.array([[3.0, 5.0], [2, 5], [0, 0]])
    with np.errstate(invalid="ignore"):
        found = stats.people_interval(counts, lambda s: s[:, 0] / s[:, 1], n=10, seed=0, bounds=(0.0, 1.0))
    assert np.isnan([found.low, found.high]).all()
    assert (found.method, found.people) == ("none: it takes three people", 2)


@pytest.mark.parametrize("people", [7, 40])
def test_paired_difference_is_antisymmetric(people: int) -> None:
    """B minus A is minus A minus B, bounds swapped, with the same p values."""
    rng = np.random.default_rng(people)
    a, who = simulate(rng, people, 20, 0.1, 0.9)
    b, _ = simulate(rng, people, 20, 0.1, 0.7)
    ab, ba = stats.paired_difference(a, b, who, seed=1), stats.paired_difference(b, a, who, seed=1)
    assert ab.interval.value == pytest.approx(a.mean() - b.mean())
    assert (ab.interval.low, ab.interval.high) == pytest.approx((-ba.interval.high, -ba.interval.low))
    assert ab.test.p_value == ba.test.p_value
    assert ab.detectable == ba.detectable > 0


def test_detectable_difference_has_its_power() -> None:
    """A true difference of the size named is found by the paired t test in about 80 of 100 repeats."""
    rng, spread, found = np.random.default_rng(5), 0.1, 0
    who = np.repeat(np.arange(30), 200)
    a, b = np.zeros((2, who.size), dtype=bool)
    counts = np.rint(100 + 200 * spread * rng.standard_normal(30)).astype(int)
    for person, count in enumerate(counts):
        a[person * 200 : person * 200 + count] = True
        b[person * 200 : person * 200 + 100] = True
    size, own = stats.minimum_detectable_difference(a, b, who), np.std((counts - 100) / 200, ddof=1)
    for _ in range(600):
        found += oracle.ttest_1samp(size + own * rng.standard_normal(30), 0).pvalue < 0.05
    assert 0.74 < found / 600 < 0.86


def test_mcnemar_by_hand() -> None:
    """Six images only A gets right, one only B: exact two-sided p = 2 * (1 + 7) / 2^7."""
    a = np.array([1] * 6 + [0] + [1] * 5, dtype=bool)
    b = np.array([0] * 6 + [1] + [1] * 5, dtype=bool)
    found = stats.mcnemar_test(a, b)
    assert found.p_value == pytest.approx(2 * (1 + 7) / 2**7)
    assert found.statistic == 5


def test_holm_by_hand() -> None:
    """0.01, 0.04, 0.03 become 0.03, 0.06, 0.06; ties and ones stay in range; nothing gives nothing."""
    assert stats.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert stats.holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])
    assert stats.holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_rejects_what_the_stepdown_rejects(p_values: list[float]) -> None:
    """Adjusted values at most 0.05 are exactly those that Holm's step-down procedure rejects."""
    rejected = set()
    for step, index in enumerate(np.argsort(p_values, kind="stable")):
        if p_values[index] * (len(p_values) - step) > 0.05:
            break
        rejected.add(int(index))
    assert {i for i, p in enumerate(stats.holm(p_values)) if p <= 0.05} == rejected


def test_sum_by_person_keeps_everybody_apart() -> None:
    """Rows are added by person in sorted order; arrays that do not fit are refused."""
    np.testing.assert_array_equal(stats.sum_by_person([1, 2, 4], ["b", "a", "b"]), [[2], [5]])
    with pytest.raises(InputError):
        stats.sum_by_person([1, 2], ["a"])


def test_single_images_get_wilsons_interval() -> None:
    """Where every image stands for itself the accuracy's interval is Wilson's, and its name says what is assumed."""
    correct = np.arange(300) % 4 > 0
    found = stats.accuracy_interval(correct, np.arange(300), seed=0, unit=stats.IMAGE)
    wilson = oracle.binomtest(225, 300).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((wilson.low, wilson.high))
    assert found.people == 300
    assert found.method == "Wilson over images, assumed independent"


def test_an_image_tested_twice_is_one_unit() -> None:
    """Two seeds on the same images do not make twice as many independent images."""
    once = np.random.default_rng(0).random(400) < 0.7
    twice, images = np.repeat(once, 2), np.repeat(np.arange(400), 2)
    found = stats.accuracy_interval(twice, images, seed=0, unit=stats.IMAGE)
    wilson = stats.wilson_interval(float(once.sum()), 400)
    assert found.people == 400
    assert found.high - found.low == pytest.approx(wilson.high - wilson.low, rel=0.1)


def test_units_word_what_was_done() -> None:
    """The same numbers over groups read over groups, in intervals and in tests."""
    a, who = simulate(np.random.default_rng(4), 30, 10, 0.1)
    b, _ = simulate(np.random.default_rng(5), 30, 10, 0.1)
    people, groups = (stats.paired_difference(a, b, who, seed=1, unit=unit) for unit in (stats.PERSON, stats.SEQUENCE))
    assert (people.interval.low, people.test.p_value) == (groups.interval.low, groups.test.p_value)
    assert (people.interval.method, groups.interval.method) == ("bootstrap over people", "bootstrap over groups")
    assert groups.test.method == "sign-flip test over groups, exact"


def test_sign_flip_over_images_is_mcnemar() -> None:
    """With every image its own unit the sign-flip test is McNemar's exact test."""
    rng = np.random.default_rng(6)
    a, b = rng.random(500) < 0.8, rng.random(500) < 0.75
    flip = stats.sign_flip_test(a, b, np.arange(500), unit=stats.IMAGE)
    assert flip.p_value == pytest.approx(stats.mcnemar_test(a, b).p_value, rel=1e-9)


def test_many_units_take_the_t_interval() -> None:
    """Above a thousand units the t interval stands in; across the border the width hardly changes."""
    widths = {}
    for units in (stats.BOOTSTRAP_MOST, stats.BOOTSTRAP_MOST + 1):
        correct, who = simulate(np.random.default_rng(7), units, 3, 0.1)
        other, _ = simulate(np.random.default_rng(8), units, 3, 0.1)
        found = stats.paired_difference(correct, other, who, seed=1, unit=stats.SEQUENCE).interval
        widths[found.method] = found.high - found.low
    assert list(widths) == ["bootstrap over groups", "t interval over groups"]
    first, second = widths.values()
    assert first == pytest.approx(second, rel=0.1)


def test_unknown_units_are_refused() -> None:
    """A unit that no manifest has is an error that names the three."""
    with pytest.raises(InputError, match="'family' is none of person, sequence, image"):
        stats.find_unit("family")
