"""How rows are judged, on predictions that are drawn or written down."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_bench import stats
from fer_bench.gate.expected import Reference
from fer_bench.gate.judge import allowed_changes, judge, smallest_drop, tolerance_of

PEOPLE = np.repeat(np.arange(40), 14)
N = len(PEOPLE)


def reference(predicted: np.ndarray, people: np.ndarray = PEOPLE) -> Reference:
    """An expectation whose label is always 0."""
    k, labels = len(predicted), np.zeros(predicted.shape[1], dtype=np.uint8)
    return Reference("m", "p", "people", "none", tuple(range(k)), ("",) * k, labels, predicted, people, "")


def answers(rng: np.random.Generator, seeds: int = 5, accuracy: float = 0.8) -> np.ndarray:
    return (rng.random((seeds, N)) > accuracy).astype(np.uint8)


def verdict(expected: Reference, predicted: np.ndarray, rule: str = "people", **options: float) -> str:
    return judge([(expected, predicted, 0)], [rule], **options)[0].verdict


def lose(predicted: np.ndarray, n: int) -> np.ndarray:
    """The same with n right answers turned wrong, evenly over the images."""
    worse, right = predicted.copy(), np.flatnonzero(predicted == 0)
    worse[right[np.linspace(0, len(right) - 1, n).astype(int)]] = 1
    return worse


def gain(predicted: np.ndarray, n: int) -> np.ndarray:
    """The same with n wrong answers turned right, evenly over the images."""
    better, wrong = predicted.copy(), np.flatnonzero(predicted != 0)
    better[wrong[np.linspace(0, len(wrong) - 1, n).astype(int)]] = 0
    return better


@pytest.mark.parametrize(("flips", "wanted"), [(0, "ok"), (2, "ok"), (3, "regression"), (60, "regression")])
def test_exact_rule_allows_a_few_images_and_no_more(flips, wanted):
    """Half a per cent of 560 images may be answered differently: two pass, the third is a regression."""
    before = answers(np.random.default_rng(0), seeds=1)
    assert allowed_changes(N) == 2
    assert verdict(reference(before), lose(before[0], flips), "exact") == wanted


def test_exact_rule_sees_another_wrong_answer():
    """A wrong answer that becomes another wrong answer leaves accuracy alone, and still is not the same prediction."""
    before = answers(np.random.default_rng(0), seeds=1)
    assert verdict(reference(before), np.where(before[0] == 1, 2, 0).astype(np.uint8), "exact") == "changed"


@pytest.mark.parametrize("rule", ["exact", "people"])
def test_improvement_does_not_pass_by_itself(rule):
    """Whichever the rule, a method that got better is no regression, and not what is expected either."""
    before = answers(np.random.default_rng(1))
    assert verdict(reference(before), np.zeros(N, dtype=np.uint8), rule) == "changed"


def test_a_rise_needs_both_keys_too():
    """A rise that the test tells but the tolerance covers passes, and so does one that only two people enjoy."""
    before = np.repeat(answers(np.random.default_rng(2), 1), 5, axis=0)
    slight = gain(before[0], round(0.03 * N))
    assert verdict(reference(before), slight) == "changed"
    assert verdict(reference(before), slight, tolerance=0.05) == "ok"
    two = np.where(PEOPLE < 4, 0, before[0]).astype(np.uint8)
    assert (before == 0).mean() + 0.02 < (two == 0).mean(), "beyond the tolerance"
    assert verdict(reference(before), two) == "ok"


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 0.9), st.integers(2, 6), st.integers(1, 40))
def test_a_rise_is_a_drop_of_what_is_wrong(seed, accuracy, seeds, family):
    """With right and wrong exchanged, a rise has the tolerance that the drop has, but for its share of false alarms."""
    before = answers(np.random.default_rng(seed), seeds, accuracy)
    swapped = reference((before == 0).astype(np.uint8))
    up = tolerance_of(reference(before), family, rise=True)
    down = tolerance_of(swapped, 3 * family)  # 0.0075 / 3 are 0.0025
    assert up == pytest.approx(down, abs=1e-12)


def test_both_keys_are_needed():
    """A drop that the test tells but the tolerance covers passes, and so does one that only two people suffer."""
    before = np.repeat(answers(np.random.default_rng(2), 1), 5, axis=0)
    slight = lose(before[0], round(0.03 * N))
    assert verdict(reference(before), slight) == "regression"
    assert verdict(reference(before), slight, tolerance=0.05) == "ok"
    two = np.where(PEOPLE < 2, 1, before[0]).astype(np.uint8)
    assert (before != 0).mean() + 0.02 < (two != 0).mean(), "beyond the tolerance"
    assert verdict(reference(before), two) == "ok"


@given(st.integers(0, 2**32 - 1), st.floats(0.0, 0.1), st.integers(1, 40))
def test_tolerance_is_at_least_the_spread_of_five_seeds(seed, luck, family):
    """However far five seeds lie apart, and however many rows there are, none of them is beyond the tolerance."""
    rng = np.random.default_rng(seed)
    found = np.concatenate([answers(rng, 1, 0.8 + luck * rng.standard_normal()) for _ in range(5)])
    accuracies = (found == 0).mean(axis=1)
    assert tolerance_of(reference(found), family) >= accuracies.max() - accuracies.min()


def test_tolerance_of_one_seed_is_the_one_given():
    """Where there is one seed, nothing is known of the spread."""
    assert tolerance_of(reference(answers(np.random.default_rng(0), 1)), 3, 0.01) == 0.01


def test_p_value_is_that_of_the_paired_test_of_record():
    """With one seed it is half the two-sided p of the sign-flip test over people, and 1 where nothing was lost."""
    rng = np.random.default_rng(3)
    before, now = answers(rng, 1) == 0, answers(rng, 1, 0.75)[0] == 0
    two_sided = stats.sign_flip_test(now, before[0], PEOPLE).p_value
    assert stats.drop_p_value(before, now, PEOPLE) == pytest.approx(two_sided / 2)
    assert stats.drop_p_value(before, before[0], PEOPLE) == 1.0


def test_many_units_are_close_to_exact():
    """Above 2,000 units the normal stands in for all flips; both agree to a few per cent of p."""
    rng = np.random.default_rng(4)
    units = np.arange(2001)
    before, now = rng.random((2, 2001)) < 0.8, rng.random(2001) < 0.78
    exact = stats.drop_p_value(before[:, :1999], now[:1999], units[:1999])
    assert stats.drop_p_value(before, now, units) == pytest.approx(exact, rel=0.15)


def test_more_rows_people_or_seeds_change_what_is_caught_as_they_should():
    """More rows raise the smallest drop, more people and more seeds lower it, and too few people catch nothing."""
    rng = np.random.default_rng(5)
    draws = [answers(rng, 20) for _ in range(15)]
    everyone, few = PEOPLE >= 0, PEOPLE < 10

    def told(seeds: int, family: int, who: np.ndarray = everyone) -> float:
        # of several draws, since the spread of five seeds is itself a matter of luck
        return float(np.median([smallest_drop(reference(d[:seeds, who], PEOPLE[who]), family) for d in draws]))

    assert told(5, 20) > told(5, 1) > 0.02
    assert told(20, 5) < told(5, 5) < told(5, 5, few)
    assert math.isinf(told(5, 60, few))


@pytest.mark.parametrize("family", [1, pytest.param(8, marks=pytest.mark.slow)])
def test_a_drop_of_the_size_told_is_caught_four_times_in_five(family):
    """Runs that lose exactly the drop that is printed fail in about 80 % of draws, honest ones hardly ever."""
    rng = np.random.default_rng(6)
    caught, stopped, draws = 0, 0, 80
    for _ in range(draws):
        everything = answers(rng, 6 * family).reshape(family, 6, N)
        references = [reference(part[:5]) for part in everything]
        runs = [part[5] for part in everything]
        stopped += any(row.verdict != "ok" for row in judge_all(references, runs))
        share = smallest_drop(references[0], family) / references[0].correct.mean()
        runs[0] = np.where((runs[0] == 0) & (rng.random(N) < share), 1, runs[0]).astype(np.uint8)
        caught += judge_all(references, runs)[0].verdict == "regression"
    assert 0.68 < caught / draws < 0.92
    assert stopped <= 3


def judge_all(references, runs):
    pairs = [(expected, run, -1) for expected, run in zip(references, runs, strict=True)]
    return judge(pairs, ["people"] * len(pairs))
