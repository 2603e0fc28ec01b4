"""All methods that may lead a protocol, each against each, with what was picked from them counted in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fer_bench import stats
from fer_bench.results.outcomes import Key, MethodPredictions

from .report_run import LAST, ReportRun, common_rows
from .tables import Estimate

__all__ = [
    "ADJUSTED_COMPARISONS",
    "ADJUSTED_METHODS",
    "ADJUSTED_P",
    "Compared",
    "Comparisons",
    "compare_all",
    "compare_apiece",
]

ADJUSTED_P = "p (all pairs)"
"""Heading of p values that count every pair of a protocol's methods."""

ADJUSTED_METHODS = "p (all methods)"
"""Heading of p values that count every method of a table, each held against itself or against zero."""

ADJUSTED_COMPARISONS = "p (all comparisons)"
"""Heading of p values that count every comparison of two runs, under all protocols."""


@dataclass(frozen=True)
class Compared:
    """One method minus another.

    Attributes
    ----------
    estimate : Estimate
        Difference of accuracy on the images that both were tested on, with an interval that holds for all pairs at
        once.
    p_value : float
        Adjusted for all pairs; below 5 % exactly where the interval leaves zero out.
    detectable : float
        Difference that would be found, all pairs counted in, with 80 % power; NaN where there is none.
    """

    estimate: Estimate
    p_value: float
    detectable: float

    @property
    def swapped(self) -> Compared:
        """The second minus the first."""
        old = self.estimate
        return replace(self, estimate=replace(old, value=-old.value, low=-old.high, high=-old.low))


@dataclass(frozen=True)
class Comparisons:
    """What `compare_all` found; ``pairs`` counts the comparisons, ``method`` says how they were made."""

    found: Mapping[tuple[str, str], Compared]
    method: str

    @property
    def pairs(self) -> int:
        """How many comparisons p values and intervals hold for at once."""
        return len(self.found)

    def of(self, first: str, second: str) -> Compared | None:
        """First minus second; None where they share no image."""
        straight, turned = self.found.get((first, second)), self.found.get((second, first))
        return straight if straight is not None else None if turned is None else turned.swapped


def compare_all(run: ReportRun, protocol: str) -> Comparisons:
    """Compare all methods that may lead, `ReportRun.standing`; computed once a protocol."""
    if ("comparisons", protocol) not in run.kept:
        run.kept["comparisons", protocol] = _compare_all(run, protocol)
    found: Comparisons = run.kept["comparisons", protocol]
    return found


def _compare_all(run: ReportRun, protocol: str) -> Comparisons:
    outcomes = [run.outcomes[Key(str(name), protocol, LAST)] for name in run.standing(protocol)["method"]]
    groups = _groups(outcomes)
    if len(groups) == 1 and len(outcomes) > 1:
        people = outcomes[0].person
        counts = stats.sum_by_person(np.stack([one.correct for one in outcomes] + [np.ones(len(people))], 1), people)
        family, first, second = stats.all_pairs(counts[:, :-1], counts[:, -1], seed=run.seed, unit=run.unit)
        names = [(outcomes[i].key.method, outcomes[j].key.method) for i, j in zip(first, second, strict=True)]
        return _told(run, family, names, np.full(len(names), len(people)))
    return _on_common_images(run, groups)


def _groups(outcomes: Sequence[MethodPredictions]) -> list[list[MethodPredictions]]:
    """Methods that were tested on the same images and seeds stand together."""
    groups: list[list[MethodPredictions]] = []
    for one in outcomes:
        for group in groups:
            if np.array_equal(one.images, group[0].images) and np.array_equal(one.seeds, group[0].seeds):
                group.append(one)
                break
        else:
            groups.append([one])
    return groups


def _on_common_images(run: ReportRun, groups: Sequence[Sequence[MethodPredictions]]) -> Comparisons:
    """Each pair on the images that both were tested on: a column of differences and one of images for each."""
    everybody = np.unique(np.concatenate([group[0].people for group in groups])) if groups else np.array([])
    names, columns, images = [], [], []
    for place, group in enumerate(groups):
        for other in groups[place:]:
            left, right = common_rows(group[0], other[0])
            who = np.searchsorted(everybody, group[0].people[left])
            tested = np.bincount(who, minlength=len(everybody)).astype(np.float64)
            for i, a in enumerate(group):
                for b in other[i + 1 if other is group else 0 :]:
                    if len(left):
                        apart = a.correct[left].astype(np.float64) - b.correct[right]
                        columns.append(np.bincount(who, weights=apart, minlength=len(everybody)))
                        images.append(tested)
                        names.append((a.key.method, b.key.method))
    if not names:
        return Comparisons({}, "")
    nothing = np.zeros(len(everybody))
    table, tested = np.stack([*columns, nothing], axis=1), np.stack([*images, nothing], axis=1)
    first, second = np.arange(len(names)), np.full(len(names), len(names))
    family = stats.max_t(table, tested, first, second, seed=run.seed, unit=run.unit)
    return _told(run, family, names, tested.sum(axis=0)[:-1])


def compare_apiece(
    run: ReportRun, pairs: Sequence[tuple[MethodPredictions, MethodPredictions]]
) -> tuple[list[Compared | None], str]:
    """Compare the first with the second of each pair, all pairs together, each on the images that both tested.

    Returns
    -------
    list of (Compared or None), str
        In the order of the pairs, None where they share no image; and how all of them were compared.
    """
    shared = [common_rows(a, b) for a, b in pairs]
    places = [place for place, (left, _) in enumerate(shared) if len(left)]
    scores = []
    for place in places:
        (a, b), (left, right) = pairs[place], shared[place]
        scores.append((a.correct[left].astype(np.float64) - b.correct[right], a.people[left]))
    family = stats.max_t_apiece(scores, seed=run.seed, unit=run.unit)
    found: list[Compared | None] = [None] * len(pairs)
    for at, place in enumerate(places):
        found[place] = _one(run, family, at, len(shared[place][0]), len(np.unique(scores[at][1])))
    return found, family.method


def _told(
    run: ReportRun, family: stats.Family, names: Sequence[tuple[str, str]], images: NDArray[np.generic]
) -> Comparisons:
    found = {pair: _one(run, family, at, int(images[at]), family.people) for at, pair in enumerate(names)}
    return Comparisons(found, family.method)


def _one(run: ReportRun, family: stats.Family, at: int, n: int, people: int) -> Compared:
    low, high = float(family.low[at]), float(family.high[at])
    estimate = Estimate(float(family.value[at]), low, high, n, people, family.why(at, run.unit))
    return Compared(estimate, float(family.p_value[at]), float(family.detectable[at]))
