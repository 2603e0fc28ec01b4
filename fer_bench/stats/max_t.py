"""Many comparisons of methods at once: adjusted p values and simultaneous intervals that cannot disagree.

A person's differences between methods are strongly correlated: methods fail on the same faces. Holm's correction takes
the worst case for granted; the joint distribution of the statistics over flips of whole people shows what the luck of
all comparisons together can do (Westfall and Young 1993, Resampling-Based Multiple Testing; Romano and Wolf 2005, doi
10.1198/016214504000000539).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from fer_bench.errors import InputError

from .flips import EXACT_PEOPLE, Places, largest_statistics, reached_by_the_rest, squared_norms
from .people import Floats
from .power import detectable_shift
from .units import PERSON, Unit

__all__ = ["TIE", "Family", "all_pairs", "critical_value", "max_t", "max_t_apiece", "shares", "step_down"]

TIE = 1 + 1e-9
"""Statistics that differ by less are equal but for rounding; ties count against a finding."""


@dataclass(frozen=True)
class Family:
    """Comparisons that were made, or could have been picked, together.

    Attributes
    ----------
    value : (k,) float64
        Differences of accuracy, first minus second.
    low, high : (k,) float64
        Bounds that hold all true differences at once in 95 of 100 families; NaN where there are none.
    p_value : (k,) float64
        Adjusted for the whole family; below 5 % exactly where the interval leaves zero out.
    statistic : (k,) float64
        Total over the root of the sum of squares over people.
    detectable : (k,) float64
        Smallest true difference that this test would find with 80 % power; NaN where none would be.
    critical : float
        What a statistic must exceed at 5 %; infinite where so few people cannot reach it.
    people : int
    method : str
        The test in words for a reader.
    reason : str
        Why a comparison that varies has no bounds, where it has none.
    """

    value: Floats
    low: Floats
    high: Floats
    p_value: Floats
    statistic: Floats
    detectable: Floats
    critical: float
    people: int
    method: str
    reason: str

    def why(self, place: int, unit: Unit = PERSON) -> str:
        """Why the comparison at this place has no bounds, a clause without a full stop; empty where it has.

        Parameters
        ----------
        place : int
        unit : Unit
            What the units of the family stand for.
        """
        if not math.isnan(self.low[place]):
            return ""
        differ = self.statistic[place] > 0 or not math.isnan(self.detectable[place])
        return self.reason if differ else f"no two {unit.many} differ"


def all_pairs(
    correct: ArrayLike, tested: ArrayLike, *, seed: int, level: float = 0.95, unit: Unit = PERSON
) -> tuple[Family, Places, Places]:
    """Compare every method with every other.

    This is the family for the best against the others, too. The best is picked by looking at the data, and any method
    could have been it: the largest statistic over all pairs bounds that of whatever pair a selection picks, so p values
    and intervals hold for every pair at once, selection included. (The family of the others against a best that was
    fixed beforehand would not: see ``benchmarks/results/statistics.md``.)

    Parameters
    ----------
    correct : (people, m) whole numbers
        Images of each person that each method classified correctly.
    tested : (people,)
        Images of each person.
    seed : int
        Of the flips, for more than `EXACT_PEOPLE` people.
    level : float
    unit : Unit

    Returns
    -------
    Family, (k,) int64, (k,) int64
        k = m (m - 1) / 2; first and second method of each comparison.
    """
    counts = np.asarray(correct, dtype=np.float64)
    if counts.ndim != 2:
        raise InputError(f"correct: expected (people, methods), found {counts.shape}")
    first, second = np.triu_indices(counts.shape[1], 1)
    return max_t(counts, tested, first, second, seed=seed, level=level, unit=unit), first, second


def max_t(
    columns: ArrayLike,
    tested: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    *,
    seed: int,
    level: float = 0.95,
    unit: Unit = PERSON,
) -> Family:
    """Compare pairs of columns by the largest statistic over joint sign flips of people.

    The statistic of a comparison is the total of its persons' differences over the root of the sum of their squares:
    a monotone function of t, so all comparisons count alike. Its adjusted p is the share of flips whose largest
    statistic over all comparisons reaches it. With one comparison and few people that is `sign_flip_test`'s p.

    Of several comparisons the flips are made twice: of the differences as they are, which is exact where methods are
    equal, and of what is left after the found difference is taken out, since large differences would move together in
    the first and hide how many there are. The larger p, and the larger critical value, counts.

    Stepping down (`step_down`) rejects a little more, but no simultaneous intervals with two ends agree with it
    (Strassburger and Bretz 2008, doi 10.1002/sim.3338); so what is printed beside an interval is this p.

    Parameters
    ----------
    columns : (people, m) whole numbers
        What is compared, summed up by person.
    tested : (people,) or (people, m)
        Images of each person; of each column where they differ.
    first, second : (k,) int
        Columns of each comparison; a second one without images and counts compares the first with zero.
    seed : int
    level : float
    unit : Unit
        What the rows stand for; it words the method.

    Raises
    ------
    InputError
        Arrays that do not fit.
    """
    sums = _Sums.of(columns, tested, first, second)
    statistic = sums.statistic()
    flips = [_flipped(sums.columns, sums, statistic, seed)]
    flips += [_flipped(sums.residuals(), sums, np.full(1, np.inf), seed)] if sums.k > 1 else []
    too_few = 2.0 ** (1 - sums.people) >= 1 - level
    critical = math.inf if too_few else max(critical_value(found, 1 - level) for found in flips)
    low, high = sums.bounds(critical)
    return Family(
        value=sums.value(),
        low=low,
        high=high,
        p_value=np.max([shares(found, statistic) for found in flips], axis=0),
        statistic=statistic,
        detectable=_possible(detectable_shift(critical, sums.people) * sums.error()),
        critical=critical,
        people=sums.people,
        method=f"sign flips {unit.over} of all comparisons together, {_drawn(sums.people, len(flips[0]))}",
        reason=_few(sums, unit),
    )


def _few(sums: _Sums, unit: Unit) -> str:
    who = f"{sums.people} {unit.many} are" if sums.people != 1 else f"1 {unit.one} is"
    return f"{who} too few for {f'{sums.k:,} comparisons' if sums.k > 1 else 'a test at 5 %'}"


def max_t_apiece(
    scores: Sequence[tuple[ArrayLike, ArrayLike]], *, seed: int, level: float = 0.95, unit: Unit = PERSON
) -> Family:
    """Compare as `max_t` does where each comparison has images of its own: two runs, or two protocols of one.

    Parameters
    ----------
    scores : sequence of ((n,) whole numbers, (n,))
        Of each comparison what the first scores on each image minus what the second does, and who is on it; the same
        name stands for the same person in all of them.
    seed : int
    level : float
    unit : Unit
        What the names stand for; it words the method.

    Raises
    ------
    InputError
        Arrays that do not fit.
    """
    if not scores:
        return max_t(np.empty((0, 1)), np.empty((0, 1)), [], [], seed=seed, level=level, unit=unit)
    everybody = np.unique(np.concatenate([np.asarray(people) for _, people in scores]))
    columns = np.zeros((len(everybody), len(scores) + 1))
    images = np.zeros_like(columns)
    for place, (score, people) in enumerate(scores):
        values, names = np.asarray(score, dtype=np.float64), np.asarray(people)
        if values.ndim != 1 or values.shape != names.shape:
            raise InputError(f"scores: expected pairs of (n,), found {values.shape} and {names.shape}")
        who = np.searchsorted(everybody, names)
        columns[:, place] = np.bincount(who, weights=values, minlength=len(everybody))
        images[:, place] = np.bincount(who, minlength=len(everybody))
    k = len(scores)
    return max_t(columns, images, np.arange(k), np.full(k, k), seed=seed, level=level, unit=unit)


def _drawn(people: int, flips: int) -> str:
    return "all flips" if people <= EXACT_PEOPLE else f"{flips:,} flips"


def step_down(columns: ArrayLike, tested: ArrayLike, first: ArrayLike, second: ArrayLike, *, seed: int) -> Floats:
    """Adjusted p values of the step-down procedure (Westfall and Young 1993, algorithm 4.1); see `max_t`.

    The k-th largest statistic is held against the largest of those that are not larger; p values never fall from a
    larger statistic to a smaller one. No interval agrees with them.

    Returns
    -------
    (k,) float64
        Never above the p values of flips of the differences as they are.
    """
    sums = _Sums.of(columns, tested, first, second)
    statistic = sums.statistic()
    order = np.argsort(statistic, kind="stable")
    rising = statistic[order] / TIE
    shares = reached_by_the_rest(sums.columns, sums.first[order], sums.second[order], rising, seed)
    adjusted = np.empty(sums.k)
    adjusted[order] = np.maximum.accumulate(shares[::-1])[::-1]
    return adjusted


@dataclass(frozen=True)
class _Sums:
    """Sums over people that statistics and intervals are made from."""

    columns: Floats
    tested: Floats
    first: Places
    second: Places

    @classmethod
    def of(cls, columns: ArrayLike, tested: ArrayLike, first: ArrayLike, second: ArrayLike) -> _Sums:
        counts, images = np.asarray(columns, dtype=np.float64), np.asarray(tested, dtype=np.float64)
        if counts.ndim != 2 or images.shape not in (counts.shape[:1], counts.shape):
            text = f"columns and tested: expected (people, m) and (people,), found {counts.shape} and {images.shape}"
            raise InputError(text)
        images = images[:, None] if images.ndim == 1 else images
        places = (np.asarray(found, dtype=np.int64) for found in (first, second))
        return cls(counts, np.broadcast_to(images, counts.shape), *places)

    @property
    def people(self) -> int:
        return len(self.columns)

    @property
    def k(self) -> int:
        return len(self.first)

    @cached_property
    def parts(self) -> tuple[Floats, Floats, Floats, Floats, Floats]:
        """Of each comparison: total, sum of squares, sum of products with images, images, sum of squared images."""
        total, product = self.columns.sum(axis=0), (self.columns * self.tested).sum(axis=0)
        squares = squared_norms(self.columns, self.first, self.second)
        images, images2 = self.tested.sum(axis=0), (self.tested**2).sum(axis=0)
        a, b = self.first, self.second
        return total[a] - total[b], squares, product[a] - product[b], images[a], images2[a]

    def value(self) -> Floats:
        total, _, _, images, _ = self.parts
        result: Floats = np.divide(total, images, out=np.full(self.k, np.nan), where=images > 0)
        return result

    def statistic(self) -> Floats:
        total, squares, *_ = self.parts
        return np.divide(np.abs(total), np.sqrt(squares), out=np.zeros(self.k), where=squares > 0)

    def residuals(self) -> Floats:
        """Columns without what each person would have if all were like the mean."""
        images = self.tested.sum(axis=0)
        rate = np.divide(self.columns.sum(axis=0), images, out=np.zeros(len(images)), where=images > 0)
        result: Floats = self.columns - self.tested * rate
        return result

    def error(self) -> Floats:
        """Standard error over people of each difference."""
        _, squares, product, images, images2 = self.parts
        if self.people < 2:
            return np.full(self.k, np.nan)
        value = self.value()
        rest = np.maximum(squares - 2 * value * product + value**2 * images2, 0.0) * self.people / (self.people - 1)
        rest[rest <= 1e-9 * squares] = np.nan
        result: Floats = np.sqrt(rest) / images
        return result

    def bounds(self, critical: float) -> tuple[Floats, Floats]:
        """All values that the test does not reject at this critical value: between the roots of a quadratic.

        A difference v is kept where (total - v images)^2 <= critical^2 times the sum of squares of what is left of
        each person after v is taken out.
        """
        total, squares, product, images, images2 = self.parts
        if math.isinf(critical):
            return np.full(self.k, np.nan), np.full(self.k, np.nan)
        c2 = critical**2
        a, b, c = images**2 - c2 * images2, total * images - c2 * product, total**2 - c2 * squares
        known = np.isfinite(self.error()) & (a > 1e-9 * images**2)
        a = np.where(known, a, np.nan)
        half = np.sqrt(np.maximum(b * b - a * c, 0.0))
        return np.clip((b - half) / a, -1, 1), np.clip((b + half) / a, -1, 1)


def _flipped(columns: Floats, sums: _Sums, observed: Floats, seed: int) -> Floats:
    """Largest statistics in rising order; where flips are drawn, what was observed is one of them."""
    flips = largest_statistics(columns, sums.first, sums.second, seed)
    if sums.people > EXACT_PEOPLE:
        flips = np.append(flips, observed.max(initial=0.0))
    return np.sort(flips)


def shares(rising: Floats, statistic: Floats) -> Floats:
    """Share of flips that reach each statistic."""
    below = np.searchsorted(rising, statistic / TIE, side="left")
    result: Floats = (len(rising) - below) / len(rising)
    return result


def critical_value(rising: Floats, alpha: float) -> float:
    """Largest statistic that `shares` does not put below alpha."""
    return float(rising[len(rising) - math.ceil(alpha * len(rising) - 1e-9)] * TIE)


def _possible(difference: Floats) -> Floats:
    """NaN in place of a difference of accuracies that there cannot be."""
    return np.where(difference <= 1, difference, np.nan)
