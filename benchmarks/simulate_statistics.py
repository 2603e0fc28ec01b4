"""Do the report's intervals hold the truth as often as they say, and do its tests reject equal methods too often?

    python benchmarks/simulate_statistics.py                                             # 1,000 repeats, 6 minutes
    python benchmarks/simulate_statistics.py --write benchmarks/results/statistics.md    # the same as a file
    python benchmarks/simulate_statistics.py --repeats 200                               # a quick look

Two methods answer the same images of the same people. On the logit scale an answer is right by the method's level,
plus what this person, this person's session and this image are worth to both methods, plus what this person is worth
to this method alone: normal draws of stated spreads. The truth is known by quadrature, and every figure comes from
the functions that the report calls. Each person is in one of ten folds (fewer with fewer than 20 people).
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy is imported

import numpy as np
import simulate_folds
import simulate_metrics
from numpy.typing import NDArray
from scipy import stats as distributions
from scipy.optimize import brentq
from scipy.special import expit, logit
from simulation_text import misses, noise, outside, percent, table

from fer_bench import stats

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
REPEATS = 1000
DRAWS = 2000
"""Of the bootstrap, as in a report."""
CHUNK = 100
"""Repeats drawn at a time; each chunk has its own seed of the bootstrap, too."""
FAMILY = 11
"""Equal methods behind the family-wise rates."""


@dataclass(frozen=True)
class Scenario:
    """Who is tested on what, and how they differ; spreads are standard deviations on the logit scale."""

    name: str
    a: float = 0.80
    b: float = 0.80
    people: int = 70
    images: int = 70
    person: float = 0.5
    method_a: float = 0.3
    method_b: float = 0.3
    session: float = 0.2
    image: float = 0.8
    uneven: bool = False
    fold: float = 0.0

    @property
    def folds(self) -> int:
        """Folds, each with at least two people."""
        return 10 if self.people >= 20 else min(5, self.people // 2)

    @property
    def equal(self) -> bool:
        """Whether rejecting is wrong."""
        return self.a == self.b


SCENARIOS = (
    Scenario("typical"),
    Scenario("typical, A 3 points ahead", b=0.77),
    Scenario("weak effects", 0.5, 0.5, person=0.25, method_a=0.15, method_b=0.15),
    Scenario("strong effects", person=1.0, method_a=0.6, method_b=0.6),
    Scenario("near the ceiling", 0.97, 0.97),
    Scenario("near the ceiling, A 1 point ahead", 0.97, 0.96),
    Scenario("B varies six times as much between people", method_a=0.1, method_b=0.6),
    Scenario("10 to 70 images a person", uneven=True),
    Scenario("20 people", people=20),
    Scenario("20 people near the ceiling", 0.97, 0.97, people=20),
    Scenario("10 people", people=10),
    Scenario("7 people (quick run)", people=7),
    Scenario("35 people", people=35),
    Scenario("10 people near the ceiling", 0.97, 0.97, people=10),
    Scenario("10 people, 14 images each", people=10, images=14),
    Scenario("5 people", people=5),
    Scenario("5 people, 14 images each", people=5, images=14),
)
RETRAINED = Scenario("typical, and each fold's model has luck of its own", fold=0.15)
"""What the intervals do not hold: they take the fitted models as given."""


@dataclass(frozen=True)
class Draws:
    """Answers of one chunk; images that a person lacks are cut away in `of`."""

    right: Bools
    kept: Bools

    def of(self, repeat: int) -> tuple[Bools, Bools]:
        """Answers of A and B, image by image, as a report reads them."""
        return self.right[0, repeat][self.kept], self.right[1, repeat][self.kept]


def level(accuracy: float, spread: float) -> float:
    """Logit of a method whose accuracy over all people and images is this, found by Gauss-Hermite quadrature."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    weights = weights / weights.sum()
    return float(brentq(lambda x: weights @ expit(x + spread * nodes) - accuracy, -20, 20))


def draw(case: Scenario, rng: np.random.Generator, repeats: int) -> Draws:
    """Answers (2, repeats, people, images) and who has which image (people, images)."""
    shape = (repeats, case.people, case.images)
    normal = lambda *size: rng.standard_normal(size, dtype=np.float32)  # noqa: E731
    shared = case.person * normal(repeats, case.people, 1) + case.image * normal(*shape)
    shared += np.repeat(case.session * normal(repeats, case.people, 2), case.images // 2, axis=2)
    right = np.empty((2, *shape), dtype=bool)
    for i, (accuracy, own) in enumerate(((case.a, case.method_a), (case.b, case.method_b))):
        spread = np.sqrt(case.person**2 + case.image**2 + case.session**2 + own**2 + case.fold**2)
        pull = shared + level(accuracy, spread) + own * normal(repeats, case.people, 1)
        if case.fold:
            pull += (case.fold * normal(repeats, case.folds, 1))[:, fold_of(case)]
        right[i] = rng.random(shape, dtype=np.float32) < expit(pull)
    sizes = np.linspace(10, case.images, case.people) if case.uneven else np.full(case.people, case.images)
    return Draws(right, np.arange(case.images) < sizes.astype(int)[:, None])


def fold_of(case: Scenario) -> NDArray[np.int64]:
    """(people,): the fold that tests each person."""
    return np.arange(case.people) % case.folds


def chunks(case: Scenario, repeats: int, seed: int) -> Iterator[tuple[int, Draws]]:
    for start in range(0, repeats, CHUNK):
        rng = np.random.default_rng([seed, start, crc32(case.name.encode())])
        yield start, draw(case, rng, min(CHUNK, repeats - start))


def measure(case: Scenario, repeats: int, seed: int) -> dict[str, float]:
    """Rates over all repeats: coverage of the intervals, rejections of the tests at 5 %, mean widths."""
    found: dict[str, list[float]] = {}
    for start, draws in chunks(case, repeats, seed):
        who = np.nonzero(draws.kept)[0]
        by_image = np.random.default_rng(start).permutation(np.arange(len(who)) % 10)
        for repeat in range(draws.right.shape[1]):
            a, b = draws.of(repeat)
            for name, value in judge(case, a, b, who, by_image, start).items():
                found.setdefault(name, []).append(value)
    return {name: float(np.mean(values)) for name, values in found.items()}


def judge(
    case: Scenario, a: Bools, b: Bools, who: NDArray[np.int64], by_image: NDArray[np.int64], seed: int
) -> dict[str, float]:
    """What one simulated test set gives: 1 where an interval holds the truth or a test rejects."""
    accuracy = stats.accuracy_interval(a, who, seed=seed)
    wilson = stats.wilson_interval(float(a.sum()), a.size)
    paired = stats.paired_difference(a, b, who, seed=seed)
    posterior = stats.probability_better(a, b, who, margin=0.0)
    by_person = stats.corrected_t_test(a, b, fold_of(case)[who])
    mixed = stats.corrected_t_test(a, b, by_image)
    truth = case.a - case.b
    return {
        "accuracy": accuracy.low <= case.a <= accuracy.high,
        "wilson": wilson.low <= case.a <= wilson.high,
        # where no two people differ there is no interval, which counts as a miss
        "difference": paired.interval.low <= truth <= paired.interval.high,
        "sign-flip": paired.test.p_value <= stats.ALPHA,
        "mcnemar": paired.mcnemar.p_value <= stats.ALPHA,
        "folds of people": isinstance(by_person, stats.FoldTest) and by_person.p_value <= stats.ALPHA,
        "folds of images": isinstance(mixed, stats.FoldTest) and mixed.p_value <= stats.ALPHA,
        "certain": isinstance(posterior, stats.Posterior) and max(posterior.better, posterior.worse) >= 0.975,
        "detectable": paired.detectable,
    }


def alternatives(case: Scenario, repeats: int, seed: int) -> dict[str, tuple[float, float]]:
    """Coverage of accuracy and of the difference by four ways to make an interval; equally many images a person."""
    means: list[Floats] = []
    for _, draws in chunks(case, repeats, seed):
        means.append(draws.right.mean(axis=3))
    a, b = np.concatenate(means, axis=1)
    rows = [_coverage(a, case.a, seed), _coverage(a - b, case.a - case.b, seed)]
    return {name: (rows[0][name], rows[1][name]) for name in rows[0]}


def _coverage(means: Floats, truth: float, seed: int) -> dict[str, float]:
    """Share of rows (repeats, people) whose interval of the mean holds the truth."""
    people = means.shape[1]
    rng, tail = np.random.default_rng(seed), 0.025
    centre, error = means.mean(axis=1), means.std(axis=1, ddof=1) / np.sqrt(people)
    t = distributions.t.ppf(1 - tail, people - 1)
    held = {"t": np.abs(centre - truth) <= t * error}
    wide = distributions.norm.cdf(-np.sqrt(people / (people - 1)) * t)
    third = ((means - centre[:, None]) ** 3).sum(axis=1)
    second = ((means - centre[:, None]) ** 2).sum(axis=1)
    skew = third / (6 * np.maximum(second, 1e-12) ** 1.5)
    bounds: dict[str, list[Bools]] = {"percentile": [], "widened percentile": [], "BCa": []}
    for start in range(0, len(means), CHUNK):
        rows = slice(start, start + CHUNK)
        weights = rng.multinomial(people, np.full(people, 1 / people), size=DRAWS) / people
        drawn = np.sort(means[rows] @ weights.T, axis=1)
        below = ((drawn < centre[rows, None]).mean(axis=1) + (drawn <= centre[rows, None]).mean(axis=1)) / 2
        middle = distributions.norm.ppf(np.clip(below, 1e-3, 1 - 1e-3))[:, None]
        z = middle + distributions.norm.ppf([tail, 1 - tail])
        bca = distributions.norm.cdf(middle + z / (1 - skew[rows, None] * z))
        for name, tails in (
            ("percentile", np.full_like(bca, tail)),
            ("widened percentile", np.full_like(bca, wide)),
            ("BCa", bca),
        ):
            if name != "BCa":
                tails[:, 1] = 1 - tails[:, 1]
            places = np.clip(np.rint(tails * (DRAWS - 1)).astype(int), 0, DRAWS - 1)
            low, high = np.take_along_axis(drawn, places, axis=1).T
            bounds[name].append((low <= truth) & (truth <= high))
    held |= {name: np.concatenate(found) for name, found in bounds.items()}
    return {name: float(found.mean()) for name, found in held.items()}


def families(repeats: int, seed: int) -> dict[str, float]:
    """How often any of several equal methods is called different, by how the comparisons are picked and corrected."""
    case = Scenario("family")
    rng = np.random.default_rng(seed)
    own = case.method_a * rng.standard_normal((repeats, FAMILY, case.people))
    person = case.person * rng.standard_normal((repeats, 1, case.people))
    right = rng.binomial(case.images, expit(logit(case.a) + person + own))
    wrong = {"uncorrected": 0, "fixed": 0, "leader": 0, "leader of all pairs": 0}
    for answers in right:
        rivals = _p_values(answers[1:], answers[0])
        wrong["uncorrected"] += min(rivals) <= stats.ALPHA
        wrong["fixed"] += min(stats.holm(rivals)) <= stats.ALPHA
        first = int(answers.sum(axis=1).argmax())
        behind = _p_values(np.delete(answers, first, axis=0), answers[first])
        wrong["leader"] += min(stats.holm(behind)) <= stats.ALPHA
        every = FAMILY * (FAMILY - 1) // 2
        wrong["leader of all pairs"] += min(stats.holm(behind, family=every)) <= stats.ALPHA
    return {name: count / repeats for name, count in wrong.items()}


def _p_values(answers: NDArray[np.int64], other: NDArray[np.int64]) -> list[float]:
    return [stats.flip_p_value(row - other) for row in answers]


def report(repeats: int, seed: int) -> str:
    """Run everything and word it as Markdown."""
    started = time.process_time()
    found = {case: measure(case, repeats, seed) for case in (*SCENARIOS, RETRAINED)}
    chosen = [case for case in SCENARIOS if not case.uneven and case.equal]
    ways = {case: alternatives(case, repeats, seed) for case in chosen}
    wise = families(repeats, seed)
    print(f"{time.process_time() - started:.0f} s of one core")
    other = f" --repeats {repeats}" if repeats != REPEATS else ""
    return "\n".join(
        [
            "# Simulated people: do intervals and tests keep their promises?",
            "",
            f"Written by `python benchmarks/simulate_statistics.py --write benchmarks/results/statistics.md{other}`: "
            f"{repeats:,} repeats, seed {seed}.",
            "",
            f"A rate that is truly 5 % (or 95 %) comes out within {percent(noise(repeats))} points of it in 95 of 100 "
            "such simulations. All figures in %.",
            *_what(),
            *_promises(found),
            *missed(found),
            *_not_held(found[RETRAINED]),
            *_which(ways),
            *_family(wise),
            *simulate_metrics.section(repeats, seed),
            *simulate_folds.section(repeats, seed),
            "",
        ]
    )


def _what() -> list[str]:
    rows = [
        [
            *(case.name, str(case.people), f"{percent(case.a)}, {percent(case.b)}"),
            f"{case.person}, ({case.method_a}, {case.method_b}), {case.session}, {case.image}",
        ]
        for case in (*SCENARIOS, RETRAINED)
    ]
    effects = "spreads on the logit scale: person, person-by-method (A, B), session, image"
    return [
        *("", "## What is simulated", ""),
        "70 images a person where nothing else is said, half in each of two sessions. Whether a method classifies an "
        "image correctly is drawn with "
        "the probability expit(level + effects); effects are normal, the same for both methods but for "
        "person-by-method. "
        "`benchmarks/simulate_statistics.py` is the definition.",
        "",
        *table(["scenario", "people", "accuracy of A, B", effects], rows),
    ]


def _promises(found: dict[Scenario, dict[str, float]]) -> list[str]:
    head = [
        *("scenario", "A minus B", "accuracy over people", "difference over people"),
        *("Wilson (independent images)", "sign-flip over people", "McNemar (independent images)"),
        *("corrected t, folds of people", "corrected t, folds of images", "Bayesian: 97.5 % sure of either"),
        "detectable, points",
    ]
    return [
        *("", "## Coverage of the 95 % intervals, and rejections at 5 %", ""),
        "Coverage wanted: 93 to 97. Where A and B are equal a rejection is a false positive, and at most 5 plus noise "
        "is wanted of the sign-flip test; where A is ahead it is power.",
        "",
        *table(head, [_row(case, rates) for case, rates in found.items() if case is not RETRAINED]),
    ]


def missed(found: Mapping[Scenario, dict[str, float]]) -> list[str]:
    """Name the cells of the table above that are not as wanted."""
    wanted = {"accuracy": (93, 97), "difference": (93, 97), "sign-flip": (0, 6)}
    cells = [
        (f"{case.name}, {name}: ", percent(rates[name]), bounds)
        for case, rates in found.items()
        for name, bounds in wanted.items()
        if case is not RETRAINED and (name != "sign-flip" or case.equal)
    ]
    elsewhere = (
        "Cells outside by less than the noise above may be chance (over 2,000 repeats weak effects reject in 5.5). "
        "Families, detectable differences at 1 to 3,003 pairs and intervals of 5 to 70 even and uneven people are in "
        "[families.md](families.md), verdicts on six claims in [claims.md](claims.md), the gate in [gate.md](gate.md)."
    )
    return [*misses([name + cell for name, cell, bounds in cells if outside(cell, *bounds)], len(cells)), "", elsewhere]


def _not_held(rates: dict[str, float]) -> list[str]:
    names = ("accuracy", "difference", "sign-flip")
    return [
        *("", "## What intervals and tests do not hold", ""),
        "They take the fitted models as given. Where each fold's model has luck of its own (spread "
        f"{RETRAINED.fold} on the logit scale), training again moves the figures by more than they say:",
        "",
        *table(
            ["scenario", "accuracy over people", "difference over people", "sign-flip over people"],
            [[RETRAINED.name, *(percent(rates[name]) for name in names)]],
        ),
    ]


def _which(ways: dict[Scenario, dict[str, tuple[float, float]]]) -> list[str]:
    names = ("percentile", "widened percentile", "BCa", "t")
    rows = [
        [case.name, *(f"{percent(way[name][0])} / {percent(way[name][1])}" for name in names)]
        for case, way in ways.items()
    ]
    return [
        *("", "## Which interval", ""),
        "Coverage of accuracy / of the difference. The report uses the widened percentile bootstrap from 20 people on "
        "and t below.",
        "",
        *table(["scenario", *names], rows),
    ]


def _family(wise: dict[str, float]) -> list[str]:
    others, pairs = FAMILY - 1, FAMILY * (FAMILY - 1) // 2
    words = {
        "uncorrected": "one method fixed beforehand against the others, uncorrected",
        "fixed": f"the same, Holm over {others}",
        "leader": f"the best of them against the others, Holm over {others}",
        "leader of all pairs": f"the same, Holm over all {pairs} pairs that the best was picked from",
    }
    return [
        *("", f"## Any false positive among {FAMILY} equal methods", ""),
        *table(["comparisons", "any false positive"], [[text, percent(wise[name])] for name, text in words.items()]),
    ]


def _row(case: Scenario, rates: dict[str, float]) -> list[str]:
    names = ("accuracy", "difference", "wilson", "sign-flip", "mcnemar", "folds of people", "folds of images")
    figures = [percent(rates[name]) for name in (*names, "certain", "detectable")]
    return [case.name, percent(case.a - case.b) if not case.equal else "0", *figures]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", type=Path, help="also write the figures to this file")
    chosen = parser.parse_args()
    text = report(chosen.repeats, chosen.seed)
    print(text)
    if chosen.write:
        chosen.write.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
