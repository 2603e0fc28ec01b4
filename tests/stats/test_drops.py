"""A drop against earlier seeds: statsmodels' prediction bound, and a fixed point that scipy finds, too."""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as oracle
from scipy.optimize import brentq
from scipy.special import expit, logit

from fer_bench import stats
from fer_bench.errors import InputError

PEOPLE = np.repeat(np.arange(30), 10)


def seeds(k: int, draw: int) -> np.ndarray:
    """What k seeds get right of 300 images, seeds being of unlike luck."""
    rng = np.random.default_rng(draw)
    return rng.random((k, len(PEOPLE))) < rng.uniform(0.6, 0.9, (k, 1))


@given(st.integers(2, 8), st.integers(0, 1000), st.sampled_from([0.05, 0.01, 0.001]))
@settings(max_examples=40, deadline=None)
def test_a_new_seed_falls_as_far_as_statsmodels_foresees(k: int, draw: int, alpha: float) -> None:
    """The bound is the lower end of statsmodels' prediction interval of a constant, on the logit scale."""
    correct = seeds(k, draw)
    accuracy = correct.mean(axis=1)
    fitted = sm.OLS(logit(accuracy), np.ones(k)).fit()
    lower = fitted.get_prediction([[1.0]]).conf_int(obs=True, alpha=2 * alpha)[0, 0]
    assert stats.new_seed_drop(correct, alpha=alpha) == pytest.approx(accuracy.mean() - expit(lower))


def test_one_seed_foresees_nothing() -> None:
    """How far another seed falls cannot be told from one."""
    with pytest.raises(InputError, match="at least two"):
        stats.new_seed_drop(seeds(1, 0), alpha=0.01)


@pytest.mark.parametrize("tolerated", [0.0, 0.02])
@pytest.mark.parametrize("power", [0.6, 0.8])
def test_the_drop_that_is_caught_solves_its_equation(tolerated: float, power: float) -> None:
    """Of one seed, which has no luck of its own, the drop is the root that scipy finds of threshold plus power."""
    correct = seeds(1, 3)
    accuracy, n = float(correct.mean()), correct.shape[1]
    right = np.bincount(PEOPLE, weights=correct[0])
    threshold, quantile = oracle.t.ppf(0.95, len(right) - 1), oracle.norm.ppf(power)

    def beyond(drop: float) -> float:
        share = drop / accuracy
        within = math.sqrt(share * (1 - share) * right.sum()) / n
        between = share * np.linalg.norm(right - right.mean()) / n
        return max(tolerated, threshold * math.hypot(within, between)) + quantile * within - drop

    found = stats.detectable_drop(correct, PEOPLE, tolerated=tolerated, alpha=0.05, power=power)
    assert found == pytest.approx(brentq(beyond, 1e-6, accuracy), rel=1e-6)


def test_no_drop_has_a_p_value_of_one() -> None:
    """The same answers, or better ones, are no drop; the loss of everything is one of the smallest p there is."""
    correct = seeds(2, 5)
    assert stats.drop_p_value(correct[:1], correct[0], PEOPLE) == 1.0
    assert stats.drop_p_value(correct, np.ones(len(PEOPLE), dtype=bool), PEOPLE) == 1.0
    everything = stats.drop_p_value(np.ones((1, 300), dtype=bool), np.zeros(300, dtype=bool), PEOPLE)
    assert everything == pytest.approx(2.0**-30)
