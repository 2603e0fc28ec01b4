"""Tests and corrections against statsmodels, and what they say where they cannot reject."""

from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as oracle
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from fer_bench import stats
from fer_bench.errors import InputError


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_agrees_with_statsmodels(p_values: list[float]) -> None:
    """Adjusted p values are statsmodels' step-down Holm values, in the order given."""
    with mock.patch("gc.collect"):  # which statsmodels calls each time: half a second in a process with many objects
        expected = multipletests(p_values, method="holm")[1]
    np.testing.assert_allclose(stats.holm(p_values), expected, atol=1e-12)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.integers(0, 12))
def test_a_larger_family_is_never_more_lenient(p_values: list[float], more: int) -> None:
    """Tests that were not looked at count as if they had come out at 1: the values are those of the whole family."""
    whole = stats.holm([*p_values, *[1.0] * more])[: len(p_values)]
    np.testing.assert_allclose(stats.holm(p_values, family=len(p_values) + more), whole)


def test_a_family_smaller_than_its_tests_is_refused() -> None:
    """Two p values are no family of one."""
    with pytest.raises(InputError, match="family"):
        stats.holm([0.1, 0.2], family=1)


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_agrees_with_statsmodels(only_a: int, only_b: int) -> None:
    """The exact p is statsmodels' for every split of the images that only one method gets right."""
    a = np.repeat([True, False, True], [only_a, only_b, 5])
    b = np.repeat([False, True, True], [only_a, only_b, 5])
    expected = mcnemar([[5, only_a], [only_b, 0]], exact=True).pvalue if only_a + only_b else 1.0
    found = stats.mcnemar_test(a, b)
    assert found.p_value == pytest.approx(expected)
    assert bool(found.reason) == (only_a + only_b == 0)


@given(st.integers(0, 80), st.integers(1, 80))
def test_wilson_agrees_with_statsmodels(successes: int, more: int) -> None:
    """Wilson's bounds are statsmodels' for every count."""
    found = stats.wilson_interval(successes, successes + more)
    expected = proportion_confint(successes, successes + more, method="wilson")
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("differing", "can"), [(0, False), (1, False), (5, False), (6, True), (30, True)])
def test_too_few_people_who_differ_cannot_reject(differing: int, can: bool) -> None:
    """Five people who differ give at least p = 2/32: the test says so; six can reach 2/64."""
    who = np.repeat(np.arange(30), 4)
    a = who < differing
    found = stats.sign_flip_test(a, np.zeros_like(a), who)
    assert (found.reason == "") == can
    assert (found.p_value < stats.ALPHA) == can
    assert found.p_value == pytest.approx(min(1.0, 2.0 ** (1 - differing)))
    assert "nan" not in str(found)


def test_one_person_cannot_decide() -> None:
    """Everything about one person is a number with a reason, or a reason: no exception, no p below one."""
    a, b, who = np.ones(20, dtype=bool), np.zeros(20, dtype=bool), np.zeros(20, dtype=int)
    found = stats.paired_difference(a, b, who, seed=0)
    assert found.test.p_value == 1.0
    assert found.test.reason == "only 1 person differs: p cannot fall below 5 %"
    assert found.interval.reason == "it takes three people"
    assert found.interval.value == 1.0


def test_an_interval_with_bounds_has_no_reason() -> None:
    """The reason is empty exactly where there are bounds."""
    who = np.repeat(np.arange(30), 5)
    a = np.random.default_rng(0).random(150) < 0.7
    assert stats.accuracy_interval(a, who, seed=0).reason == ""
    assert stats.paired_difference(a, a, who, seed=0).interval.reason == "no two people differ"


def test_flips_of_counts_are_flips_of_images() -> None:
    """The p value from each person's difference is that of the test on images."""
    rng = np.random.default_rng(3)
    a, b = rng.random((2, 200)) < np.array([[0.8], [0.6]])
    who = np.repeat(np.arange(20), 10)
    differences = (a.astype(int) - b).reshape(20, 10).sum(axis=1)
    assert stats.flip_p_value(differences) == stats.sign_flip_test(a, b, who).p_value
    assert stats.flip_p_value([]) == 1.0


def test_mean_of_any_figure_is_as_sure_as_accuracy() -> None:
    """Of right and wrong answers the mean's interval is accuracy's; of losses it is scipy's t on person means."""
    rng = np.random.default_rng(4)
    who, right = np.repeat(np.arange(30), 5), rng.random(150) < 0.7
    whole = stats.accuracy_interval(right, who, seed=1)
    assert stats.mean_interval(right, who, seed=1, bounds=(0.0, 1.0)) == whole
    losses, few = rng.exponential(size=60), np.repeat(np.arange(12), 5)
    means = losses.reshape(12, 5).mean(axis=1)
    expected = oracle.t.interval(0.95, 11, loc=means.mean(), scale=oracle.sem(means))
    found = stats.mean_interval(losses, few, seed=1)
    assert (found.low, found.high) == pytest.approx(expected)
    losses[7] = np.nan
    assert stats.mean_interval(losses, few, seed=1).reason == "1 of 60 images have no such figure"
