"""Which C and gamma hold on small sets and on large ones, for features that are histograms and for values?

    python benchmarks/linear_defaults.py --data KDEF --write    # writes benchmarks/results/linear_defaults.md
    python benchmarks/linear_defaults.py --data KDEF --seconds  # CPU seconds of one fit, former and present defaults

By person throughout: folds never split one, and differences are paired, with people as the unit. The rule was chosen on
35 people of each of two renderers; the other 35 of the first were looked at once, afterwards.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy is imported

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import Pipeline

from fer_bench.baselines.catalogue import METHODS
from fer_bench.baselines.classifiers.kernel import GaussianSVM
from fer_bench.baselines.classifiers.linear import LinearSVM
from fer_bench.baselines.classifiers.logistic import MultinomialRegression
from fer_bench.baselines.classifiers.registry import make_classifier, prepared_feature
from fer_bench.baselines.classifiers.scaling import SquareRoot, UnitScaler
from fer_bench.baselines.classifiers.temperature import fit_with_temperature
from fer_bench.data.datasets import load_dataset
from fer_bench.data.images.store import build_stores
from fer_bench.stats import paired_difference

RESULT = Path(__file__).parent / "results" / "linear_defaults.md"
FEATURES = ("pixels", "gabor", "hog", "lbp", "ldp", "hog+lbp")
FEWER = ("pixels", "lbp", "ldp")
"""For others, and for the second set."""
CHOSEN_ON = 35
PATHS: dict[str, tuple[Any, list[dict[str, float]]]] = {
    "linear_svc": (LinearSVM(), [{"C": C} for C in (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)]),
    "logreg": (MultinomialRegression(), [{"C": C} for C in (1.0, 3.0, 10.0, 30.0, 100.0, 300.0)]),
    "rbf_svc": (GaussianSVM(C=10.0), [{"gamma": gamma} for gamma in (0.1, 0.3, 1.0, 3.0)]),
}
"""What is tried on the present scaling, whatever the number of images."""
FORMER: dict[str, Any] = {
    "linear_svc": LinearSVM(C=1.0),
    "logreg": MultinomialRegression(C=10.0),
    "rbf_svc": GaussianSVM(C=10.0, gamma=1.0),
}


@dataclass(frozen=True)
class Faces:
    """Features of every image, and who shows what from where."""

    name: str
    rows: dict[str, NDArray[np.float32]]
    labels: NDArray[np.int64]
    people: NDArray[np.str_]
    views: NDArray[np.str_]


@dataclass(frozen=True)
class Cell:
    """Sets of images that are learnt each by itself, and told in one row."""

    faces: Faces
    told: str
    sets: list[NDArray[np.intp]]
    folds: int
    features: tuple[str, ...]


def read_faces(name: str, data: str, people: int | None, views: str) -> Faces:
    """Read a dataset and make its features."""
    dataset = load_dataset(data, people=people, views=views.split(","), workers=1)
    specs = {feature: next(s for s in METHODS if s.name == f"rbf_svc-{feature}") for feature in FEATURES}
    stores = build_stores(dataset, {spec.image for spec in specs.values()}, 1)
    made = {f: spec.make(random_state=0).prepare(np.load(stores[spec.image])) for f, spec in specs.items()}
    manifest = dataset.manifest
    seen = manifest.table["view"].to_numpy().astype(str)
    return Faces(name, made, manifest.labels, manifest.groups.astype(str), seen)


def cells(faces: Faces) -> Iterator[Cell]:
    """Ten people, 35, and 35 from five views; then those on whom nothing was chosen."""
    order = np.random.default_rng(0).permutation(np.unique(faces.people))
    front = faces.views == "S"

    def who(people: NDArray[np.str_], where: NDArray[np.bool_]) -> NDArray[np.intp]:
        return np.flatnonzero(where & np.isin(faces.people, people))

    for first, told in ((0, ""), (CHOSEN_ON, ", others")):
        some = order[first : first + CHOSEN_ON]
        if len(some) == CHOSEN_ON:
            tens = [who(some[i : i + 10], front) for i in (0, 10, 20)]
            again = bool(told) or bool(front.all())
            yield Cell(faces, f"10 people{told}", tens, 5, FEWER if again else FEATURES)
            if not again:
                yield Cell(faces, f"35 people{told}", [who(some, front)], 5, FEATURES)
                yield Cell(faces, "35 people, five views", [who(some, front | ~front)], 3, ("lbp",))


class FormerScaling:
    """Rows of length one, roots of histograms not centred: what the former defaults stood on."""

    def __init__(self, features: str) -> None:
        feature = prepared_feature(features)
        parts = [(p.length, p.histogram) for p in feature.parts] or [(None, feature.histogram)]
        self.ends = np.cumsum([length for length, _ in parts[:-1]], dtype=int)
        self.scalers = [SquareRoot() if histogram else UnitScaler() for _, histogram in parts]

    def fit(self, X: NDArray[np.float32]) -> FormerScaling:
        """Learn from (n, d) features."""
        for scaler, part in zip(self.scalers, np.split(X, self.ends, axis=1), strict=True):
            scaler.fit(part)
        return self

    def transform(self, X: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return (n, d) rows of mean squared length one."""
        parts = zip(self.scalers, np.split(X, self.ends, axis=1), strict=True)
        scaled = [scaler.transform(part) for scaler, part in parts]
        return np.hstack(scaled) / np.float32(np.sqrt(len(scaled)))


def answers(
    classifier: str, features: str, A: NDArray[np.float32], y: NDArray[np.int64], B: NDArray[np.float32]
) -> tuple[dict[str, NDArray[np.int64]], float]:
    """Answers on B of each rule, and the variance of the former rows: "former", "now", and each setting of the path."""
    former = FormerScaling(features).fit(A)
    rows = former.transform(A)
    variance = float(rows.var(axis=0, dtype=np.float64).sum())
    found = {"former": FORMER[classifier].fit(rows, y).predict(former.transform(B))}
    now = make_classifier(classifier, features, None, random_state=0, n_train=len(A))
    scaled, asked = now[:-1].fit_transform(A, y), now[:-1].transform(B)
    found["now"] = now[-1].fit(scaled, y).predict(asked)
    machine, path = PATHS[classifier]
    for setting, model in zip(path, machine.fit_path(scaled, y, path), strict=True):
        found[f"{next(iter(setting.values())):g}"] = model.predict(asked)
    return found, variance


def told(classifier: str, features: str, cell: Cell) -> str:
    """One row of the table."""
    right: dict[str, list[NDArray[np.bool_]]] = {}
    who, variances, trained = [], [], []
    for some in cell.sets:
        X, y, people = cell.faces.rows[features][some], cell.faces.labels[some], cell.faces.people[some]
        for train, test in GroupKFold(cell.folds).split(some, y, people):
            found, variance = answers(classifier, features, X[train], y[train], X[test])
            for rule, answer in found.items():
                right.setdefault(rule, []).append(answer == y[test])
            who.append(people[test])
            variances.append(variance)
            trained.append(len(train))
    correct, groups = {rule: np.concatenate(parts) for rule, parts in right.items()}, np.concatenate(who)
    path = [rule for rule in correct if rule not in ("former", "now")]
    best = max(path, key=lambda rule: correct[rule].mean())
    score = {rule: f"{100 * values.mean():.1f}" for rule, values in correct.items()}

    def gap(rule: str) -> str:
        if (correct["now"] == correct[rule]).all():
            return "0.0"
        g = paired_difference(correct["now"], correct[rule], groups, seed=0).interval
        return f"{100 * g.value:+.1f} [{100 * g.low:+.1f}, {100 * g.high:+.1f}]"

    line = [classifier, features, cell.faces.name, cell.told, f"{np.mean(trained):.0f}", f"{np.mean(variances):.2f}"]
    line += [score["former"], " ".join(f"{rule}: {score[rule]}" for rule in path)]
    return f"| {' | '.join([*line, score['now'], gap('former'), gap(best)])} |"


def seconds(faces: Faces) -> list[str]:
    """CPU seconds of a trial's fit on nine tenths of the people, former and present in turn: the least of three."""
    lines = ["| classifier | features | pictures | former, s | now, s | ratio |", "|---|---|---:|---:|---:|---:|"]
    order = np.random.default_rng(0).permutation(np.unique(faces.people))
    train = np.isin(faces.people, order[: 9 * len(order) // 10])
    y, people = faces.labels[train], faces.people[train]
    for classifier in PATHS:
        for features in FEATURES:
            X = faces.rows[features][train]
            taken: dict[str, list[float]] = {"former": [], "now": []}
            for _ in range(3):
                for side, spent in taken.items():
                    pipeline = make_classifier(classifier, features, None, random_state=0, n_train=len(X))
                    start = time.process_time()
                    if side == "former":
                        rows, head = FormerScaling(features).fit(X).transform(X), FORMER[classifier]
                        rows = Pipeline(pipeline.steps[1:-1] or [("as is", "passthrough")]).fit_transform(rows)
                    else:
                        rows, head = pipeline[:-1].fit_transform(X), pipeline[-1]
                    if hasattr(head, "predict_proba"):
                        head.fit(rows, y)
                    else:
                        fit_with_temperature(head, rows, y, people, 0)
                    spent.append(time.process_time() - start)
            before, after = (min(spent) for spent in taken.values())
            lines.append(
                f"| {classifier} | {features} | {len(X):,} | {before:.2f} | {after:.2f} | {after / before:.2f} |"
            )
            print(lines[-1], flush=True)
    return lines


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="the folder or zip of a set in KDEF's layout, of 70 people")
    parser.add_argument("--seconds", action="store_true", help="measure time, not accuracy")
    parser.add_argument("--write", action="store_true", help=f"write {RESULT.name}")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    first = read_faces("first", given.data, None, "S,HL,HR,FL,FR")
    if given.seconds:
        seconds(first)
        return
    lines = []
    for faces in (first, read_faces("built-in", "synthetic", CHOSEN_ON, "S")):
        for cell in cells(faces):
            for features in cell.features:
                for classifier in PATHS:
                    lines.append(told(classifier, features, cell))
                    print(lines[-1], flush=True)
    if given.write:
        RESULT.write_text(
            "\n".join([*HEAD, *sorted(lines, key=lambda line: list(PATHS).index(line.split()[1]))]) + "\n"
        )
        print(f"{RESULT}: written")


HEAD = [
    "# C and gamma that hold on small sets and on large ones",
    "",
    "Made by `python benchmarks/linear_defaults.py --data KDEF --write`, on rendered portraits of two renderers: "
    "*first* in KDEF's layout, *built-in* the package's own. Accuracy by person in per cent: pictures of people held "
    "out, five folds of each set (three of five views). *10 people*: three sets of ten, each learnt by itself. "
    "*Others*: people of *first* on whom nothing was chosen. Frontal pictures unless told.",
    "",
    "*Variance* is the mean squared distance of the former rows from their mean; of the present ones it is 1. "
    "*Former*: C 1, C 10 and gamma 1 on former rows. *Fixed*: C, or gamma of rbf_svc, on present rows whatever the "
    "number of pictures. *Now*: the defaults of `baselines/classifiers/registry.py`. Differences are now minus former, "
    "and minus the best fixed value of the row, which is chosen by its own answers and so flattered; 95 % intervals "
    "over people, uncorrected.",
    "",
    "| classifier | features | set | people | trained on | variance | former | fixed | now | - former | - best fixed |",
    "|---|---|---|---|---:|---:|---:|---|---:|---:|---:|",
]


if __name__ == "__main__":
    main()
