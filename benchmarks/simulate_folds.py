"""What new trainings add: do intervals over folds hold them, and how often are equal trained methods told apart?

    python benchmarks/simulate_folds.py                    # 1,000 repeats, two minutes
    python benchmarks/simulate_folds.py --repeats 50       # a quick look

`benchmarks/simulate_statistics.py` puts the figures into its file. Two equal methods answer 14 images of each person;
on the logit scale a person is worth something to both (spread 0.5) and to each (0.3), and each fold's training of each
method has luck of its own. The truth is that of infinitely many people and trainings.
"""

from __future__ import annotations

import argparse
import os
from functools import lru_cache

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy is imported

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit
from simulation_text import misses, outside, table

from fer_bench import stats

REPEATS = 1000
IMAGES, PERSON, OWN, LEVEL = 14, 0.5, 0.3, 0.7
CASES = tuple(
    (people, folds, luck)
    for people, choices in ((10, (2, 5)), (70, (2, 3, 5, 10)))
    for folds in choices
    for luck in (0.0, 0.15, 0.3)
)
NAMES = (
    *("accuracy over people", "accuracy over folds", "difference over people", "difference over folds"),
    *("told apart over people", "verdict, trained methods", "verdict, classical methods"),
)


def right(people: int, folds: int, luck: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Answers of both methods, (2, people x IMAGES); each person is in the fold number person % folds."""
    pull = (
        _logit(float(np.sqrt(PERSON**2 + OWN**2 + luck**2)))
        + PERSON * rng.standard_normal(people)
        + OWN * rng.standard_normal((2, people))
    )
    pull += luck * rng.standard_normal((2, folds))[:, np.arange(people) % folds]
    return rng.random((2, people * IMAGES)) < np.repeat(expit(pull), IMAGES, axis=1)


@lru_cache
def _logit(spread: float) -> float:
    """Logit of the middle person of methods whose accuracy over all is `LEVEL`, by Gauss-Hermite quadrature."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    return float(brentq(lambda x: float(expit(x + spread * nodes) @ weights / weights.sum()) - LEVEL, -10, 10))


def judge(people: int, folds: int, luck: float, rng: np.random.Generator) -> list[float]:
    """What one simulated run gives, in the order of `NAMES`; where there is no interval that counts as a miss.

    A verdict takes the test over people and, where new trainings are in doubt, the test over folds, as a report does:
    trained methods with one seed always are, classical ones where folds differ by more than people explain.
    """
    a, b = right(people, folds, luck, rng)
    who = np.repeat(np.arange(people), IMAGES)
    where = who % folds
    accuracy, paired = stats.accuracy_interval(a, who, seed=0), stats.paired_difference(a, b, who, seed=0)
    spreads = [stats.fold_spread(one, who, where) for one in (a, b)]
    over = stats.fold_difference(a, b, who, where)
    spread = spreads[0]
    apart = paired.test.p_value < stats.ALPHA
    sure = isinstance(over, stats.FoldTest) and over.p_value < stats.ALPHA
    differ = any(isinstance(one, stats.FoldSpread) and one.p_value < stats.ALPHA for one in spreads)
    return [
        float(holds(accuracy, LEVEL)),
        float(isinstance(spread, stats.FoldSpread) and holds(spread.interval, LEVEL)),
        float(holds(paired.interval, 0.0)),
        float(isinstance(over, stats.FoldTest) and over.low <= 0 <= over.high),
        *(float(apart), float(apart and sure), float(apart and (sure or not differ))),
    ]


def holds(interval: stats.Interval, truth: float) -> bool:
    return interval.low <= truth <= interval.high


def measure(people: int, folds: int, luck: float, repeats: int, seed: int) -> dict[str, float]:
    """Rates over all repeats."""
    rng = np.random.default_rng([seed, people, folds, round(100 * luck)])
    found = [judge(people, folds, luck, rng) for _ in range(repeats)]
    return dict(zip(NAMES, map(float, np.mean(found, axis=0)), strict=True))


def rows(repeats: int, seed: int) -> list[list[str]]:
    """Every scenario: people, folds, luck, and the rates in %."""
    found = []
    for people, folds, luck in CASES:
        rates = measure(people, folds, luck, repeats, seed).values()
        found.append([str(people), str(folds), str(luck), *(f"{100 * rate:.1f}" for rate in rates)])
        print(*found[-1], flush=True)
    return found


def section(repeats: int, seed: int) -> list[str]:
    """Word the figures for the file of `simulate_statistics.py`."""
    found = rows(repeats, seed)
    few = [
        f"{row[0]} people, {row[1]} folds, luck {row[2]}, {name}: {row[3 + place]}"
        for row in found
        for place, name, low, high in ((1, NAMES[1], 93, 97), (3, NAMES[3], 93, 97), (5, NAMES[5], 0, 6))
        if outside(row[3 + place], low, high)
    ]
    return [
        *("", "## New trainings: folds with luck of their own", ""),
        f"{repeats:,} runs a row of two equal methods that answer {IMAGES} images of each person, "
        f"{100 * LEVEL:.0f} % classified correctly. Luck is the spread on the logit scale between a method's "
        "trainings. Wanted: intervals over folds hold the truth of new people and new trainings in 93 to 97, verdicts "
        "on trained methods (the test over people and the test over folds both below 5 %, as a report asks for) are "
        "false in 6 at most. Intervals over people are not made to hold new trainings. The last column is the rule for "
        "classical methods, which have no luck of training but differ by what they were trained on: folds are asked "
        "only where they differ by more than people explain, and luck too small to be seen with so few folds gets by.",
        "",
        *table(("people", "folds", "luck", *NAMES), found),
        *misses(few, 3 * len(found)),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    print("people, folds, luck", *NAMES, sep=", ")
    rows(chosen.repeats, chosen.seed)


if __name__ == "__main__":
    main()
