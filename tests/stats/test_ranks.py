"""Friedman and Nemenyi over people, against scikit-posthocs, scipy and Demsar's own worked example."""

import numpy as np
import pytest
import scikit_posthocs
from scipy import stats as oracle

from fer_bench import stats
from fer_bench.errors import InputError

DEMSAR = {
    "C4.5": (0.763, 0.599, 0.954, 0.628, 0.882, 0.936, 0.661, 0.583, 0.775, 1.0, 0.940, 0.619, 0.972, 0.957),
    "C4.5+m": (0.768, 0.591, 0.971, 0.661, 0.888, 0.931, 0.668, 0.583, 0.838, 1.0, 0.962, 0.666, 0.981, 0.978),
    "C4.5+cf": (0.771, 0.590, 0.968, 0.654, 0.886, 0.916, 0.609, 0.563, 0.866, 1.0, 0.965, 0.614, 0.975, 0.946),
    "C4.5+m+cf": (0.798, 0.569, 0.967, 0.657, 0.898, 0.931, 0.685, 0.625, 0.875, 1.0, 0.962, 0.669, 0.9749, 0.970),
}
"""Table 6 of Demsar 2006: AUC of four variants of a decision tree on 14 data sets.

One value is lowered within its last digit, where his ranks tell apart what he prints as equal.
"""


def test_demsars_worked_example() -> None:
    """Mean ranks 3.143, 2.000, 2.893, 1.964 and critical difference 1.25, as he prints them."""
    found = stats.critical_difference(list(DEMSAR), np.array(list(DEMSAR.values())).T)
    ranks = dict(zip(found.names, found.ranks, strict=True))
    expected = {"C4.5": 3.143, "C4.5+m": 2.0, "C4.5+cf": 2.893, "C4.5+m+cf": 1.964}
    assert ranks == pytest.approx(expected, abs=0.001)
    assert found.difference == pytest.approx(1.25, abs=0.005)
    assert found.names[0] == "C4.5+m+cf"


def test_friedman_equals_scipy_and_nemenyi_scikit_posthocs() -> None:
    """P of Friedman is scipy's, and two methods share a group exactly where Nemenyi's p is above 5 %."""
    for seed in range(5):
        rng = np.random.default_rng(seed)
        scores = rng.binomial(20, np.linspace(0.5, 0.8, 6), size=(25, 6)) / 20
        names = list("abcdef")
        found = stats.critical_difference(names, scores)
        assert found.p_value == pytest.approx(oracle.friedmanchisquare(*scores.T).pvalue)
        p = scikit_posthocs.posthoc_nemenyi_friedman(-scores).to_numpy()
        together = {frozenset((x, y)) for group in found.groups for x in group for y in group if x != y}
        expected = {frozenset((names[i], names[j])) for i in range(6) for j in range(i) if p[i, j] > 0.05}
        assert together == expected


def test_groups_are_the_longest_runs() -> None:
    """Three far apart make no group; equal noise makes one of all; a chain makes two that overlap."""
    rng = np.random.default_rng(0)
    far = stats.critical_difference("abc", rng.random((30, 3)) + np.array([2, 1, 0]))
    near = stats.critical_difference("abc", rng.random((30, 3)))
    chain = stats.critical_difference("abc", rng.random((14, 3)) + np.array([0.4, 0.2, 0]))
    assert (far.names, far.groups) == (("a", "b", "c"), ())
    assert [set(group) for group in near.groups] == [{"a", "b", "c"}]
    assert chain.groups == (("a", "b"), ("b", "c"))


@pytest.mark.parametrize(
    ("names", "shape", "reason"),
    [
        ("ab", (5, 2), "2 methods: ranks take at least three; two have the paired difference"),
        ("abcdefghijk", (5, 11), "11 methods: the diagram is for at most 10"),
        ("abc", (1, 3), "it takes two people"),
        ("abc", (4, 3), "all methods tie on every person"),
    ],
)
def test_where_it_does_not_apply_it_says_why(names: str, shape: tuple[int, int], reason: str) -> None:
    """Two methods, eleven, one person, ties everywhere: a reason in words, not a number."""
    scores = np.full(shape, 0.5) if "tie" in reason else np.random.default_rng(0).random(shape)
    assert stats.critical_difference(names, scores).reason == reason


def test_scores_that_do_not_fit_are_refused() -> None:
    """Wrong shapes, names given twice and scores that are no numbers raise InputError."""
    good = np.random.default_rng(0).random((4, 3))
    for names, scores in (("ab", good), ("aab", good), ("abc", np.full((4, 3), np.nan))):
        with pytest.raises(InputError):
            stats.critical_difference(names, scores)


def test_person_accuracies_by_hand() -> None:
    """One number a person, in sorted order of names."""
    found = stats.person_accuracies([True, False, True], ["b", "b", "a"])
    np.testing.assert_array_equal(found, [1.0, 0.5])
