"""Does the gate catch the drop that it says, and does it leave honest runs alone?

    python benchmarks/simulate_gate.py                                       # about two minutes of one core
    python benchmarks/simulate_gate.py --write benchmarks/results/gate.md    # the same as a file
    python benchmarks/simulate_gate.py --repeats 50 --real 20                # a quick look

**Simulated**: each repeat draws an expectation of several methods and seeds, and the run of a new seed. An answer is
right by the method's level, plus what this person and this image are worth to every seed, plus what this seed is worth
to all and to this person (normal draws on the logit scale). *Planted*: of one method's correct answers so large a share
turns wrong that its accuracy drops by exactly what the gate says that it catches with 80 % power.

**Real**: radial basis function networks and small forests on the built-in rendered faces, trained with many seeds on
the same folds (features are prepared once). Each gate call draws five seeds for the expectation, another for the run.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy is imported

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from fer_bench import stats
from fer_bench.gate.expected import SEEDS, Reference
from fer_bench.gate.judge import judge, smallest_drop

METHODS = 6
REPEATS = 400
REAL = 200
REAL_SEEDS = 60
"""Trained once; each real gate call draws from them."""
REAL_PEOPLE = 7


@dataclass(frozen=True)
class Scenario:
    """Who is tested, and what varies; spreads are standard deviations on the logit scale."""

    name: str
    people: int = 70
    images: int = 14
    level: float = 1.4
    person: float = 0.5
    image: float = 1.5
    seed: float = 0.05
    seed_person: float = 0.15
    seeds: int = SEEDS


SCENARIOS = (
    Scenario("typical"),
    Scenario("no luck of seeds", seed=0.0, seed_person=0.0),
    Scenario("much luck of seeds", seed=0.3),
    Scenario("20 people, 70 images each", people=20, images=70),
    Scenario("10 people, 70 images each", people=10, images=70),
    Scenario("ten seeds, much luck of seeds", seed=0.3, seeds=10),
)


def draw(case: Scenario, rng: np.random.Generator) -> tuple[list[Reference], list[NDArray[np.uint8]]]:
    """Expectation and honest run of `METHODS` methods."""
    people = np.repeat(np.arange(case.people), case.images)
    n, k = len(people), case.seeds + 1
    references, runs = [], []
    for number in range(METHODS):
        pull = case.level + case.person * rng.standard_normal(case.people)[people]
        pull = pull + case.image * rng.standard_normal(n)
        own = (
            case.seed * rng.standard_normal((k, 1))
            + case.seed_person * rng.standard_normal((k, case.people))[:, people]
        )
        wrong = (rng.random((k, n)) > expit(pull + own)).astype(np.uint8)
        references.append(as_reference(f"method {number}", wrong[:-1], np.zeros(n, dtype=np.uint8), people))
        runs.append(wrong[-1])
    return references, runs


def as_reference(
    name: str, predicted: NDArray[np.uint8], labels: NDArray[np.uint8], people: NDArray[np.int64]
) -> Reference:
    """What a file of expected results would hold."""
    k = len(predicted)
    return Reference(name, "simulated", "people", "none", tuple(range(k)), ("",) * k, labels, predicted, people, "")


def plant(
    reference: Reference, predicted: NDArray[np.uint8], drop: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Turn right answers wrong, each with the same chance, so that accuracy falls by ``drop`` of the expected."""
    share = drop / float(reference.correct.mean())
    lost = (predicted == reference.labels) & (rng.random(len(predicted)) < share)
    return np.where(lost, (predicted + 1) % 7, predicted).astype(np.uint8)


def verdicts(references: Sequence[Reference], runs: Sequence[NDArray[np.uint8]]) -> list[str]:
    """What the gate says of each row."""
    triples = [(reference, run, -1) for reference, run in zip(references, runs, strict=True)]
    return [row.verdict for row in judge(triples, ["people"] * len(triples))]


@dataclass(frozen=True)
class Counts:
    """Of gate calls: planted drops caught, honest runs stopped, and the median drop planted."""

    planted: int
    caught: int
    honest: int
    stopped: int
    drop: float


Source = Callable[[np.random.Generator], tuple[list[Reference], list[NDArray[np.uint8]]]]


def count(source: Source, repeats: int, rng: np.random.Generator) -> Counts:
    """Make gate calls, each once honestly and once with a planted drop in one method."""
    caught, stopped, drops = 0, 0, []
    for repeat in range(repeats):
        references, runs = source(rng)
        stopped += any(found != "ok" for found in verdicts(references, runs))  # for a rise, too
        place = repeat % len(references)
        drop = smallest_drop(references[place], len(references))
        if not np.isfinite(drop):
            continue
        worse = list(runs)
        worse[place] = plant(references[place], runs[place], drop, rng)
        caught += verdicts(references, worse)[place] == "regression"
        drops.append(drop)
    return Counts(len(drops), caught, repeats, stopped, float(np.median(drops)) if drops else float("nan"))


def real_answers(seeds: int) -> tuple[list[tuple[str, NDArray[np.uint8]]], NDArray[np.uint8], NDArray[np.int64]]:
    """Train cheap random methods with many seeds on built-in rendered faces, the same folds by person for all."""
    from sklearn.ensemble import RandomForestClassifier

    from fer_bench.baselines.classifiers.rbf_network import RBFNetwork
    from fer_bench.baselines.pipeline import FacePipeline
    from fer_bench.data.datasets import load_dataset
    from fer_bench.data.images.store import build_stores
    from fer_bench.folds.splitters import make_folds
    from fer_bench.methods import ImageSpec

    dataset = load_dataset("synthetic", people=REAL_PEOPLE, workers=1)
    spec = ImageSpec(64, 1)
    images = np.load(build_stores(dataset, [spec], 1)[spec])
    labels, people = dataset.manifest.labels, np.unique(dataset.manifest.groups, return_inverse=True)[1]
    features = FacePipeline("dwt", "forest").prepare(images)
    features = np.ascontiguousarray(features / np.linalg.norm(features, axis=1, keepdims=True))
    folds = make_folds(dataset.manifest, "subject-2fold", 0)
    makers: dict[str, Callable[[int], Any]] = {
        "rbf_network-dwt": lambda seed: RBFNetwork(n_centres=60, random_state=seed),
        "forest-dwt": lambda seed: RandomForestClassifier(20, max_depth=8, max_features=8, random_state=seed),
    }
    answers = []
    for name, make in makers.items():
        predicted = np.empty((seeds, len(labels)), dtype=np.uint8)
        for fold in folds.numbers:
            train, test = folds.indices(dataset.manifest, fold)
            for seed in range(seeds):
                predicted[seed, test] = make(seed).fit(features[train], labels[train]).predict(features[test])
        answers.append((name, predicted))
    return answers, labels.astype(np.uint8), people


def real_source(seeds: int) -> Source:
    """Gate calls from real predictions: five seeds for the expectation, another for the run."""
    answers, labels, people = real_answers(seeds)

    def source(rng: np.random.Generator) -> tuple[list[Reference], list[NDArray[np.uint8]]]:
        drawn = rng.choice(seeds, SEEDS + 1, replace=False)
        references = [as_reference(name, found[drawn[:-1]], labels, people) for name, found in answers]
        return references, [found[drawn[-1]] for _, found in answers]

    return source


def share(hits: int, n: int) -> str:
    """Per cent with its 95 % Wilson interval: gate calls are independent draws."""
    if not n:
        return "none"
    interval = stats.wilson_interval(hits, n)
    return f"{100 * hits / n:.1f} [{100 * interval.low:.1f}, {100 * interval.high:.1f}]"


def row(name: str, setting: str, found: Counts) -> str:
    drop = "" if np.isnan(found.drop) else f"{100 * found.drop:.1f}"
    told = (f"{found.stopped} of {found.honest}: {share(found.stopped, found.honest)}", drop)
    return f"| {name} | {setting} | {' | '.join(told)} | {share(found.caught, found.planted)} |"


def tables(repeats: int, real: int, seed: int) -> list[str]:
    """Run everything and word it as Markdown."""
    head = [
        "| what | people, methods, seeds | honest runs stopped, % | median drop planted, points | planted caught, % |"
    ]
    lines = [*head, "|" + "---|" * 5]
    for number, case in enumerate(SCENARIOS):
        rng = np.random.default_rng([seed, number])
        found = count(lambda draws, case=case: draw(case, draws), repeats, rng)  # type: ignore[misc]
        print(row(case.name, "", found), flush=True)
        lines.append(row(f"simulated: {case.name}", f"{case.people}, {METHODS}, {case.seeds}", found))
    if real:
        found = count(real_source(REAL_SEEDS), real, np.random.default_rng([seed, 99]))
        lines.append(row("real: RBF network and forest, built-in rendered faces", f"{REAL_PEOPLE}, 2, {SEEDS}", found))
        print(lines[-1], flush=True)
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--real", type=int, default=REAL, help="gate calls on real predictions; 0 for none")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    start = time.process_time()
    lines = tables(given.repeats, given.real, given.seed)
    print(f"{time.process_time() - start:.0f} seconds of one core")
    if given.write:
        text = TEXT.format(repeats=given.repeats, real=given.real, seed=given.seed)
        given.write.write_text(text + "\n".join(lines) + "\n" + AFTER, encoding="utf-8")


TEXT = """# The gate: what it catches, and how often it cries wolf

Written by `python benchmarks/simulate_gate.py --write benchmarks/results/gate.md`: {repeats} simulated gate calls a
line and {real} real ones, seed {seed}. In brackets 95 % intervals (Wilson).

Wanted: at most 1 % of honest runs stopped, for a drop or a rise, a gate call with all its methods counting once; 80 %
of planted drops caught, each of the size that `fer-bench gate` prints for that row (CATCHES).

"""
AFTER = """
*Real*: {pool} seeds of each method are trained once; each gate call draws five for the expectation and another for the
run, so calls share seeds and the interval is somewhat too narrow there. `benchmarks/simulate_gate.py` is the
definition.
""".replace("{pool}", str(REAL_SEEDS))

if __name__ == "__main__":
    main()
