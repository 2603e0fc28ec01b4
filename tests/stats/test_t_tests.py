"""Student's t for one mean and for two: statsmodels' figures, and a reason where there is none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from fer_bench import stats
from fer_bench.errors import InputError

# Shares of 70 images: what people's accuracies are.
SHARES = st.lists(st.integers(0, 70).map(lambda right: right / 70), min_size=2, max_size=40)


@given(SHARES, st.sampled_from([0.8, 0.95, 0.99]))
def test_the_mean_is_statsmodels(values: list[float], level: float) -> None:
    """Interval, p and degrees of freedom of one mean are statsmodels'; equal values give a reason instead."""
    found = stats.mean_t_test(values, level=level)
    if np.std(values) == 0:
        assert found == stats.NotApplicable("t test of a mean", "no two values differ")
        return
    oracle = DescrStatsW(values)
    _, p_value, freedom = oracle.ttest_mean(0.0)
    assert (found.low, found.high) == pytest.approx(oracle.tconfint_mean(1 - level), abs=1e-12)
    assert (found.value, found.p_value, found.freedom) == pytest.approx((oracle.mean, p_value, freedom), abs=1e-12)
    assert stats.zero_mean_p_value(values) == found.p_value


@given(SHARES, SHARES, st.sampled_from([0.8, 0.95, 0.99]))
def test_two_means_are_statsmodels(a: list[float], b: list[float], level: float) -> None:
    """Welch's interval, p and degrees of freedom are statsmodels'; groups without spread give a reason instead."""
    found = stats.welch_test(a, b, level=level)
    if np.std(a) < 1e-12 and np.std(b) < 1e-12:
        assert found == stats.NotApplicable("Welch's t test", "no two people differ")
        return
    oracle = CompareMeans(DescrStatsW(a), DescrStatsW(b))
    _, p_value, freedom = oracle.ttest_ind(usevar="unequal")
    assert (found.low, found.high) == pytest.approx(oracle.tconfint_diff(1 - level, usevar="unequal"), abs=1e-12)
    assert (found.p_value, found.freedom) == pytest.approx((p_value, freedom))
    assert found.value == pytest.approx(np.mean(a) - np.mean(b), abs=1e-12)


def test_too_few_values_give_a_reason() -> None:
    """One value has no t interval, nor has one person against many: words, not NaN."""
    assert stats.mean_t_test([0.5]).reason == "it takes two values"
    assert stats.welch_test([0.5], [0.1, 0.2]).reason == "it takes two of either group"
    assert stats.zero_mean_p_value([0.0, 0.0]) == 1.0


def test_values_that_are_no_numbers_are_refused() -> None:
    """A NaN among the values is the caller's to leave out, and is told."""
    for test in (stats.mean_t_test, stats.zero_mean_p_value, lambda values: stats.welch_test(values, [0.1, 0.2])):
        with pytest.raises(InputError, match="finite numbers"):
            test([0.5, float("nan")])
