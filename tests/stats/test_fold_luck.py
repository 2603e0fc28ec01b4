"""Intervals over folds hold new trainings, too; intervals over people do not, and folds tell when that matters."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as distributions

from fer_bench import stats

IMAGES = 14


def table(means, seed=0):
    """Right answers (n,), people and folds of people with these numbers of right answers, one list a fold."""
    rng = np.random.default_rng(seed)
    right, people, folds, who = [], [], [], 0
    for fold, counts in enumerate(means):
        for count in counts:
            right.append(rng.permutation(np.arange(IMAGES) < count))
            people.append(np.full(IMAGES, who))
            folds.append(np.full(IMAGES, fold))
            who += 1
    return np.concatenate(right), np.concatenate(people), np.concatenate(folds)


COUNTS = st.lists(st.lists(st.integers(0, IMAGES), min_size=3, max_size=3), min_size=2, max_size=6)


@settings(max_examples=50, deadline=None)
@given(COUNTS)
def test_equal_folds_have_the_textbooks_interval_and_f(counts):
    """With equal folds: the t interval on fold means, cut to 0 to 1; the F of one-way ANOVA on people; the range."""
    found = stats.fold_spread(*table(counts))
    shares = np.array(counts) / IMAGES
    means = shares.mean(axis=1)
    assert (found.lowest, found.highest) == pytest.approx((means.min(), means.max()))
    assert found.folds == len(counts)
    half = distributions.t.ppf(0.975, len(means) - 1) * means.std(ddof=1) / np.sqrt(len(means))
    expected = np.clip([means.mean() - half, means.mean() + half], 0, 1)
    assert (found.interval.low, found.interval.high) == pytest.approx(tuple(expected), abs=1e-9)
    if (shares.std(axis=1) > 0).any():
        textbook = 1.0 if means.std() == 0 else distributions.f_oneway(*shares).pvalue  # scipy has none for equal folds
        assert found.p_value == pytest.approx(textbook, abs=1e-9)
    else:
        assert np.isnan(found.p_value)


@settings(max_examples=50, deadline=None)
@given(COUNTS, st.integers(0, 9))
def test_a_difference_over_folds_is_the_paired_t_test(counts, seed):
    """With equal folds the test of a pair is scipy's t test on the folds' differences, and swaps its sign."""
    right, people, folds = table(counts, seed)
    other = np.random.default_rng(seed + 1).permutation(right)
    found = stats.fold_difference(right, other, people, folds)
    steps = np.array([(right[folds == f].mean() - other[folds == f].mean()) for f in np.unique(folds)])
    if steps.std() < 1e-12:
        assert isinstance(found, stats.NotApplicable)
        return
    theirs = distributions.ttest_1samp(steps, 0)
    assert (found.difference, found.p_value) == pytest.approx((steps.mean(), theirs.pvalue), abs=1e-9)
    swapped = stats.fold_difference(other, right, people, folds)
    assert (swapped.low, swapped.high) == pytest.approx((-found.high, -found.low), abs=1e-9)


def test_folds_that_share_people_have_none():
    """Where a person is tested in two folds, or there is one fold, nothing is said."""
    right, people, folds = table([[3, 4, 5], [6, 7, 8]])
    shared = np.where(np.arange(len(folds)) == 0, 1, folds)
    for where in (shared, np.zeros_like(folds)):
        assert isinstance(stats.fold_spread(right, people, where), stats.NotApplicable)
        assert isinstance(stats.fold_difference(right, ~right, people, where), stats.NotApplicable)
    assert not stats.people_nested(people, shared)
    assert stats.people_nested(people, folds)


def simulate(n_folds, luck, people=70, repeats=3000):
    """Coverage over folds and over people of an accuracy, and how often two equal methods are told apart by each.

    People have an ease (0.5 on the logit scale) that both methods share and a taste for each (0.3); each fold's model
    has a luck of its own. The formulas are the textbook's, which the properties above hold the functions to.
    """
    rng = np.random.default_rng([n_folds, int(100 * luck)])
    fold, base = np.arange(people) % n_folds, np.log(0.6 / 0.4)
    wide = np.sqrt(0.5**2 + 0.3**2 + luck**2) * np.random.default_rng(0).standard_normal(400_000)
    true = (1 / (1 + np.exp(-base - wide))).mean()
    pull = base + 0.5 * rng.standard_normal((repeats, 1, people)) + 0.3 * rng.standard_normal((repeats, 2, people))
    pull += luck * rng.standard_normal((repeats, 2, n_folds))[:, :, fold]
    shares = rng.binomial(IMAGES, 1 / (1 + np.exp(-pull))) / IMAGES
    found = []
    for values, centre in ((shares[:, 0], true), (shares[:, 0] - shares[:, 1], 0.0)):
        by_fold = np.stack([values[:, fold == f].sum(axis=1) for f in range(n_folds)], axis=1)
        left_out = (by_fold.sum(axis=1, keepdims=True) - by_fold) / (people - np.bincount(fold))
        error = np.sqrt((n_folds - 1) * left_out.var(axis=1))
        outside = [np.abs(values.mean(axis=1) - centre) > distributions.t.ppf(0.975, n_folds - 1) * error]
        error = values.std(axis=1, ddof=1) / np.sqrt(people)
        outside.append(np.abs(values.mean(axis=1) - centre) > distributions.t.ppf(0.975, people - 1) * error)
        found.append(outside)
    (over_folds, over_people), (folds_differ, people_differ) = found
    return 1 - over_folds.mean(), 1 - over_people.mean(), (folds_differ & people_differ).mean(), people_differ.mean()


@pytest.mark.parametrize("n_folds", [2, 3, 5, 10])
@pytest.mark.parametrize("luck", [0.0, 0.15, 0.3])
def test_new_trainings_are_covered_and_equal_methods_not_told_apart(n_folds, luck):
    """Over folds 93 to 97 % are covered, and at most 6 % of equal pairs have a verdict, for 2 to 10 folds."""
    cover, _, told, _ = simulate(n_folds, luck)
    assert 0.93 <= cover <= 0.97
    assert told <= 0.06


def test_intervals_over_people_alone_do_not_hold_new_trainings():
    """With two folds and luck of 0.3 they cover less than 70 %, and tell more than 40 % of equal pairs apart."""
    _, cover, _, told = simulate(2, 0.3)
    assert cover < 0.7
    assert told > 0.4
