"""Families of comparisons, detectable differences and intervals of few people: do they keep their promises?

    python benchmarks/simulate_families.py                                           # 1,000 repeats, 7 minutes
    python benchmarks/simulate_families.py --write benchmarks/results/families.md    # the same as a file
    python benchmarks/simulate_families.py --repeats 50                              # a quick look

Methods answer 70 images of each person; on the logit scale a person is worth something to all methods (spread 0.5) and
to each alone (0.3). For more than 14 people 1,999 flips are drawn in place of a report's 9,999.
`benchmarks/simulate_statistics.py` has the scenarios of single intervals and pairs.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy is imported

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit, logit, stdtr
from simulation_text import misses, noise, outside, percent, table

from fer_bench import stats
from fer_bench.stats import flips

Floats = NDArray[np.float64]
REPEATS = 1000
IMAGES, PERSON, OWN = 70, 0.5, 0.3
METHODS = (3, 45, 150)
"""3, 990 and 11,175 pairs."""
COMPARED = (2, 3, 10, 30, 78)
"""1, 3, 45, 435 and 3,003 pairs: methods behind the detectable differences."""
PEOPLE = (10, 70)
LEADS = (7, 12, 20, 70)
"""People behind the detectable differences."""
DRAWN = 1_999
ALIKE, UNLIKE = 25, 7
"""Parts of the beta distribution of people's own accuracies: images of one person correlate by 1/26, or 1/8."""
LEVELS = (0.5, 0.8, 0.95)


def true_accuracy(level: Floats, spread: float) -> Floats:
    """Accuracy over all people at a logit, by Gauss-Hermite quadrature."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    result: Floats = expit(np.atleast_1d(level)[:, None] + spread * nodes) @ (weights / weights.sum())
    return result


def counts(rng: np.random.Generator, people: int, levels: Floats) -> Floats:
    """Images of each person that each method classified correctly, (people, methods)."""
    shared = PERSON * rng.standard_normal((people, 1))
    own = OWN * rng.standard_normal((people, len(levels)))
    return rng.binomial(IMAGES, expit(levels + shared + own)).astype(np.float64)


def family(people: int, methods: int, repeats: int, seed: int) -> dict[str, float]:
    """Any false positive among equal methods; where half are behind, power of three tests and joint coverage."""
    rng, tested = np.random.default_rng([seed, people, methods]), np.full(people, IMAGES)
    equal = np.full(methods, logit(0.8))
    mixed = np.where(np.arange(methods) < methods // 2, logit(0.8), logit(0.74))
    truth = true_accuracy(mixed, float(np.hypot(PERSON, OWN)))
    found: dict[str, list[float]] = {}
    for _ in range(repeats):
        whole, first, second = stats.all_pairs(counts(rng, people, equal), tested, seed=seed)
        answers = counts(rng, people, mixed)
        some = stats.all_pairs(answers, tested, seed=seed)[0]
        apart = truth[first] - truth[second]
        differ = np.abs(apart) > 1e-9
        holm = np.array(stats.holm(t_tests(answers[:, first] - answers[:, second])))
        stepped = stats.step_down(answers, tested, first, second, seed=seed)
        held = np.isnan(some.low) | ((some.low <= apart) & (apart <= some.high))
        for name, value in {
            "any false positive": (whole.p_value < stats.ALPHA).any(),
            "any false positive, half behind": (some.p_value[~differ] < stats.ALPHA).any(),
            "all intervals hold": held.all(),
            "power": (some.p_value[differ] < stats.ALPHA).mean(),
            "power, Holm": (holm[differ] < stats.ALPHA).mean(),
            "power, stepping down": (stepped[differ] < stats.ALPHA).mean(),
        }.items():
            found.setdefault(name, []).append(float(value))
    return {name: float(np.mean(values)) for name, values in found.items()}


def t_tests(differences: Floats) -> list[float]:
    """P values of t tests of each column: exact sign flips of 11,175 pairs would take minutes, and differ little."""
    people = len(differences)
    error = differences.std(axis=0, ddof=1) / np.sqrt(people)
    t = np.divide(differences.mean(axis=0), error, out=np.zeros_like(error), where=error > 0)
    return [float(p) for p in 2 * stdtr(people - 1, -np.abs(t))]


@contextmanager
def fewer_flips(number: int = DRAWN) -> Iterator[None]:
    """Draw so many flips, for speed."""
    usual = flips.FLIPS
    flips.FLIPS = number
    flips.signs.cache_clear()
    try:
        yield
    finally:
        flips.FLIPS = usual
        flips.signs.cache_clear()


def detectable(people: int, methods: int, repeats: int, seed: int) -> dict[str, float]:
    """How often a true lead is found in the world whose mean printed difference is just that lead, all pairs counted.

    What is printed follows the spread of the runs, which is smaller near 0 and 1: a lead of the size printed where all
    are equal, planted upwards, would make a world of smaller spread and be found more often. So the leader is as far
    above 70 % as the others are below, and the lead is searched for which the world prints it.
    """
    rng, size = np.random.default_rng([seed, people, methods]), 0.0
    for times in (repeats // 4, repeats // 4, repeats):
        if not 0.7 + size / 2 < 0.99:
            return {"lead": size, "printed": float("nan"), "power": float("nan")}
        found = [_led(rng, people, methods, size, seed) for _ in range(max(times, 5))]
        told = np.array([printed for printed, _ in found])
        if np.isnan(told).mean() > 0.05:  # their mean would be that of the small ones
            return {"lead": size, "printed": float("nan"), "power": float("nan")}
        lead, size = size, float(np.nanmean(told))
    return {"lead": lead, "printed": size, "power": float(np.mean([hit for _, hit in found]))}


def _led(rng: np.random.Generator, people: int, methods: int, lead: float, seed: int) -> tuple[float, bool]:
    """Difference printed for the leader and another, and whether it is found."""
    spread = float(np.hypot(PERSON, OWN))
    levels = np.full(methods, _level(0.7 - lead / 2, spread))
    levels[0] = _level(0.7 + lead / 2, spread)
    family = stats.all_pairs(counts(rng, people, levels), np.full(people, IMAGES), seed=seed)[0]
    return float(family.detectable[0]), bool(family.p_value[0] < stats.ALPHA)


@lru_cache(maxsize=64)
def _level(accuracy: float, spread: float) -> float:
    return float(brentq(lambda x: float(true_accuracy(np.array([x]), spread)[0]) - accuracy, -10, 10))


def coverage(
    people: int, images: int, level: float, uneven: bool, repeats: int, seed: int, parts: float = ALIKE
) -> float:
    """Share of accuracy's intervals that hold the truth; uneven: from a quarter of the images to all of them.

    A person's own accuracy has the beta distribution with these parts in all: images correlate by 1 / (parts + 1).
    """
    rng = np.random.default_rng([seed, people, images])
    sizes = np.linspace(images / 4, images, people).astype(int) if uneven else np.full(people, images)
    held = 0
    for _ in range(repeats):
        right = rng.binomial(sizes, rng.beta(parts * level, parts * (1 - level), people))
        table = np.column_stack([right, sizes]).astype(np.float64)
        found = stats.people_interval(table, _ratio, n=int(sizes.sum()), seed=0, bounds=(0.0, 1.0))
        held += found.low <= level <= found.high
    return held / repeats


def _ratio(sums: Floats) -> Floats:
    result: Floats = sums[:, 0] / sums[:, 1]
    return result


def report(repeats: int, seed: int, methods: Sequence[int], people: Sequence[int]) -> str:
    """Run everything and word it as Markdown; large families take fewer repeats, and rows say how many."""
    started = time.process_time()
    with fewer_flips():
        wise = [_family_row(who, m, _times(repeats, m), seed) for who in people for m in methods]
        seen = [_lead_row(who, m, _times(repeats, m), seed) for who in LEADS for m in COMPARED]
    intervals = _intervals(repeats, seed)
    print(f"{time.process_time() - started:.0f} s of one core")
    other = f" --repeats {repeats}" if repeats != REPEATS else ""
    return "\n".join(
        [
            "# Simulated families: many methods, few people",
            "",
            f"Written by `python benchmarks/simulate_families.py --write benchmarks/results/families.md{other}`: "
            f"{repeats:,} repeats (fewer where rows say so), seed {seed}; {DRAWN:,} flips where not all are gone "
            "through. All figures in %. In brackets the half width of the 95 % range of what is wanted.",
            "",
            *_together(wise),
            *_leads(seen),
            *intervals,
        ]
    )


def _together(wise: Sequence[Sequence[str]]) -> list[str]:
    names = ("any false positive", "the same, half behind", "all intervals hold", "power", "Holm", "stepping down")
    return [
        "## All pairs at once",
        "",
        "Wanted: any false positive in at most 6, all intervals hold in 93 at least (they are to hold for "
        "true differences of any size, and may hold more often). Power: pairs of which one is 6 points behind (80 "
        "and 74 % at the middle person): by this test, by Holm over t tests of all pairs, stepping down.",
        "",
        *table(("people", "methods", "pairs", "repeats", *names), wise),
        *misses(
            [
                f"{row[0]} people, {row[1]} methods, {name}: {cell}"
                for row in wise
                for name, cell, low, high in zip(names, row[4:7], (0, 0, 93), (6, 6, 100), strict=False)
                if outside(cell, low, high)
            ],
            3 * len(wise),
        ),
        "",
    ]


def _leads(seen: Sequence[Sequence[str]]) -> list[str]:
    return [
        "## Detectable differences",
        "",
        "Wanted: a true lead of the size printed is found in 75 to 85. The leader is as far above 70 % as all "
        "others are below; lead is what is true, printed is the mean of what its runs print. Empty where so "
        "few people cannot show a lead among so many pairs, or one of 58 points would be needed.",
        "",
        *table(("people", "pairs", "repeats", "lead, points", "printed, points", "found"), seen),
        *misses(
            [f"{row[0]} people, {row[1]} pairs: {row[-1]}" for row in seen if outside(row[-1], 75, 85)],
            sum(row[-1] != "" for row in seen),
        ),
        "",
        "Outside by less than the range in brackets may be chance, above too: all flips of ten people hold 5 "
        "exactly. A lead of 57 points puts methods near 0 and 100 %, where spreads are not what the others' are.",
        "",
    ]


def _intervals(repeats: int, seed: int) -> list[str]:
    held = [
        [str(who), str(images), "yes" if uneven else "no", f"1/{parts + 1}"]
        + [percent(coverage(who, images, level, uneven, repeats, seed, parts)) for level in LEVELS]
        for parts in (ALIKE, UNLIKE)
        for who in (5, 7, 10, 20, 70)
        for images in (14, 70)
        for uneven in ((False, True) if parts == ALIKE else (False,))
    ]
    return [
        "## Score intervals of accuracy",
        "",
        f"Coverage wanted: 93 to 97 (within {percent(noise(repeats))}). People's own accuracies are "
        "beta-distributed, with the correlation of images that the column says; uneven people have from a "
        "quarter of the images to all.",
        "",
        *table(("people", "images", "uneven", "correlation", *(f"at {percent(level)} %" for level in LEVELS)), held),
        *misses(
            [
                f"{row[0]} people, {row[1]} images{', uneven' * (row[2] == 'yes')}, correlation {row[3]}, "
                f"at {percent(level)} %: {cell}"
                for row in held
                for level, cell in zip(LEVELS, row[4:], strict=True)
                if outside(cell, 93, 97)
            ],
            len(LEVELS) * len(held),
        ),
        "",
        *WHY,
    ]


WHY = (
    "Why cells miss: people who differ much (correlation 1/8) near the ceiling have accuracies so skewed that five or "
    "ten of them seldom show the bad ones, and then the interval lies too high. Of 14 images a person near the ceiling "
    "only a few are wrong: the steps from one interval to the next are so large that coverage jumps, and it is kept "
    "above rather than below. We know of no published method that holds 93 to 97 in all of these cells and whose "
    "bounds rise with the number classified correctly; this one with people - 1 degrees of freedom throughout covers "
    "five people with 14 images in 98 to 99.",
    "",
)


def _times(repeats: int, methods: int) -> int:
    return max(10, repeats // max(1, methods // 15))


def _family_row(people: int, methods: int, times: int, seed: int) -> list[str]:
    rates = [percent(rate) for rate in family(people, methods, times, seed).values()]
    row = [str(people), str(methods), f"{methods * (methods - 1) // 2:,}", f"{times:,} (±{percent(noise(times))})"]
    print(*row, *rates, flush=True)
    return [*row, *rates]


def _lead_row(people: int, methods: int, times: int, seed: int) -> list[str]:
    rates = [percent(rate) for rate in detectable(people, methods, times, seed).values()]
    row = [str(people), f"{methods * (methods - 1) // 2:,}", f"{times:,} (±{percent(noise(times, 0.8))})"]
    print(*row, *rates, flush=True)
    return [*row, *rates]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--methods", type=int, nargs="+", default=METHODS)
    parser.add_argument("--people", type=int, nargs="+", default=PEOPLE)
    parser.add_argument("--write", type=Path, help="also write the figures to this file")
    chosen = parser.parse_args()
    text = report(chosen.repeats, chosen.seed, chosen.methods, chosen.people)
    print(text)
    if chosen.write:
        chosen.write.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
