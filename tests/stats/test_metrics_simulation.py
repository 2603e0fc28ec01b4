"""Simulations of all metrics and of new trainings run, tell the truth, and a small version of them is not off."""

import numpy as np
import pytest
import simulate_folds
import simulate_metrics

from fer_bench import stats


def test_the_truth_of_each_figure_is_that_of_many_people() -> None:
    """Of 4,000 uneven people each of the five figures is what the simulation says is true, within a point."""
    tested = simulate_metrics.sizes(4000, 10, uneven=True)
    matrices, truth = simulate_metrics.draw(0.8, tested, 1, np.random.default_rng(0))
    assert (matrices[0].sum(axis=2) == tested).all()
    found = dict(zip(simulate_metrics.NAMES, simulate_metrics.intervals(matrices[0]), strict=True))
    assert {name: one.value for name, one in found.items()} == pytest.approx(truth, abs=0.01)
    assert truth["recall, hardest"] < truth["balanced accuracy"] < truth["recall, easiest"]


@pytest.mark.parametrize(("people", "images", "uneven"), [(5, 10, True), (10, 2, False), (20, 10, True)])
def test_metrics_are_covered_in_short(people: int, images: int, uneven: bool) -> None:
    """250 repeats at 80 %: accuracy, balanced accuracy, macro-F1 and single recalls hold in 93 to 97, within error."""
    found = simulate_metrics.coverage(people, images, uneven, 0.8, 250, seed=1)
    assert set(found) == set(simulate_metrics.NAMES)
    assert all(0.9 <= rate <= 0.995 for rate in found.values()), found


def test_new_trainings_are_covered_over_folds_in_short() -> None:
    """70 people, 2 folds, luck of 0.3, 100 repeats: folds hold new trainings, people do not, verdicts are true."""
    found = simulate_folds.measure(70, 2, 0.3, 100, seed=1)
    assert 0.88 <= found["accuracy over folds"] <= 0.99
    assert 0.88 <= found["difference over folds"] <= 0.99
    assert found["difference over people"] < 0.75
    assert found["verdict, trained methods"] <= 0.1 < found["told apart over people"]


@pytest.mark.slow
@pytest.mark.parametrize(("people", "folds", "luck"), simulate_folds.CASES)
def test_new_trainings_are_covered_over_folds(people: int, folds: int, luck: float) -> None:
    """1,000 repeats: intervals over folds hold in 93 to 97 and verdicts on trained methods are false in 6 at most."""
    found = simulate_folds.measure(people, folds, luck, simulate_folds.REPEATS, seed=1)
    assert 0.93 - 0.014 <= found["accuracy over folds"] <= 0.97 + 0.014
    assert 0.93 - 0.014 <= found["difference over folds"] <= 0.97 + 0.014
    assert found["verdict, trained methods"] <= 0.06


def test_a_figure_without_interval_is_not_counted_as_held() -> None:
    """Where there are no bounds that is a miss."""
    empty = stats.Interval.without_bounds(0.5, n=1, people=1, reason="few")
    assert not simulate_folds.holds(empty, 0.5)
