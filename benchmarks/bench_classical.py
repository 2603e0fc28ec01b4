"""Measure the classical methods beside plain scikit-learn, and how its cost grows.

    python benchmarks/bench_classical.py table --data PATH   # everything; writes benchmarks/results/classical.md
    python benchmarks/bench_classical.py table --data PATH --only '*-dwt'   # some rows; prints, writes nothing
    python benchmarks/bench_classical.py plan --data PATH    # measured seconds of one fold beside the planned ones

``table`` keeps each measurement in a log as it comes and skips what is there, so it can be broken off and called again;
``--fresh`` starts anew. Two processes of one thread measure side by side, or ``--processes 1`` on a busy machine; times
are CPU seconds of the process.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import platform
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy is imported

import numpy as np
from bench_features import ROWS as FEATURE_ROWS
from numpy.typing import NDArray
from plain_classical import PLAIN_TOLERANCES, plain_pipeline

from fer_bench.baselines.catalogue import METHODS as CATALOGUE
from fer_bench.baselines.classifiers.registry import make_classifier, prepared_feature
from fer_bench.data.datasets import load_dataset
from fer_bench.data.images.store import build_stores
from fer_bench.folds.splitters import make_folds
from fer_bench.methods import MethodSpec

HERE = Path(__file__).parent
METHODS = [spec for spec in CATALOGUE if ":" not in spec.params["features"]]  # not the recipes of single articles
RESULT = HERE / "results" / "classical.md"
LOG = HERE.parent / "runs" / "bench_classical.jsonl"
KINDS = ("plain", "labels", "ours")
SHAREABLE = ("rbf_svc", "lda")
"""Classifiers whose fit begins with one large matrix product, which folds could share."""
TREES = ("tree", "forest", "hist_gb")
MEASURED_TWICE = ("pixels", "dwt", "lbp")
"""Features of which the plain side is measured on two folds; of the others on one."""
GROWTH = (490, 1470, 4900, 20_000)
GROWN_ON = "dwt"


@dataclass(frozen=True)
class Part:
    """One measurement of a method: on a fold, of features, or of growth at n images.

    On a fold ``plain`` and ``labels`` give labels, which is what ``cross_val_score`` needs; ``ours`` is a whole trial,
    with probabilities.
    """

    kind: str
    method: str
    number: int


@dataclass(frozen=True)
class Data:
    """Where the images are, whose they are, and the folds, as what a worker can be told."""

    stores: dict[int, str]
    labels: NDArray[np.int64]
    groups: NDArray[Any]
    folds: list[tuple[NDArray[np.intp], NDArray[np.intp]]]


def read_data(path: str) -> Data:
    """Read a dataset into its image stores, and assign its people to ten folds."""
    dataset = load_dataset(path, people=None, workers=2)
    specs = {spec.image for spec in METHODS}
    stores = build_stores(dataset, specs, 2)
    folds = make_folds(dataset.manifest, "subject-10fold", 0)
    return Data(
        {spec.size: str(store) for spec, store in stores.items()},
        dataset.manifest.labels,
        dataset.manifest.groups.astype(str),
        [folds.indices(dataset.manifest, fold) for fold in folds.numbers],
    )


def cpu_seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds of one call, and what it returned."""
    before = time.process_time()
    result = work()
    return time.process_time() - before, result


def rows_of(spec: MethodSpec, data: Data) -> NDArray[np.float32]:
    """The features of all images, kept beside the images."""
    store = Path(data.stores[spec.image.size])
    method = spec.make(random_state=0)
    path = store.with_name(f"bench-{store.stem}-{method.prepare_key()}.npy")
    if not path.exists():
        temporary = path.with_name(f"{os.getpid()}-{path.name}")
        np.save(temporary, method.prepare(np.load(store)))
        temporary.replace(path)
    return np.load(path)


def find(name: str) -> MethodSpec:
    """The method of that name."""
    return next(spec for spec in METHODS if spec.name == name)


def measure(part: Part, data: Data) -> dict[str, Any]:
    """Do one measurement in a process of its own thread."""
    warnings.simplefilter("ignore")
    spec = find(part.method)
    if part.kind == "features":
        images = np.load(data.stores[spec.image.size])
        seconds, _ = cpu_seconds(lambda: spec.make(random_state=0).prepare(images))
        return asdict(part) | {"seconds": seconds}
    if part.kind == "plain features":
        return asdict(part) | {"seconds": plain_features(spec, np.load(data.stores[spec.image.size], mmap_mode="r"))}
    if part.kind == "growth":
        return asdict(part) | {"seconds": grown(spec, part.number, data)}
    rows = rows_of(spec, data)
    train, test = data.folds[part.number]
    X, y, Z = rows[train], data.labels[train], rows[test]
    if part.kind == "ours":
        method = spec.make(random_state=0)
        fit, _ = cpu_seconds(lambda: method.fit_prepared(X, y, groups=data.groups[train]))
        predict, proba = cpu_seconds(lambda: method.predict_proba_prepared(Z))
        answers = proba.argmax(axis=1)
    elif part.kind == "product":
        names = spec.params["classifier"], spec.params["features"]
        scaled = make_classifier(*names, None, random_state=0, n_train=len(X))[:-1].fit_transform(X, y)
        rows_by_rows = names[0] == "rbf_svc"
        seconds, _ = cpu_seconds(lambda: scaled @ scaled.T if rows_by_rows else scaled.T @ scaled)
        return asdict(part) | {"seconds": seconds}
    else:
        names = spec.params["classifier"], spec.params["features"]
        bare = plain_pipeline(*names, len(X), X.shape[1])
        if part.kind == "labels":
            bare = make_classifier(*names, None, random_state=0, n_train=len(X))
        fit, _ = cpu_seconds(lambda: bare.fit(X, y))
        predict, answers = cpu_seconds(lambda: bare.predict(Z))
    told = {"seconds": fit + predict, "fit": fit, "predict": predict, "answers": answers.tolist()}
    return asdict(part) | told | {"planned": spec.estimate_seconds(len(train), len(test))}


def plain_features(spec: MethodSpec, images: NDArray[np.uint8]) -> float:
    """CPU seconds of a library's loop over single images, from the first of them scaled to all."""
    row = next(r for r in FEATURE_ROWS if r.name == spec.features and r.size == spec.image.size)
    some = np.asarray(images[: row.images])
    row.plain(some[0])  # imports and tables
    seconds, _ = cpu_seconds(lambda: [row.plain(image) for image in some])
    return seconds * len(images) / len(some)


def grown(spec: MethodSpec, n: int, data: Data) -> float:
    """CPU seconds to fit on nine tenths of n images and to predict the rest; beyond the data: copies with noise."""
    rows, labels = rows_of(spec, data), data.labels
    people = np.unique(data.groups, return_inverse=True)[1]
    rng = np.random.default_rng(0)
    order = np.argsort(rng.permutation(people.max() + 1)[people], kind="stable")
    copies = -(-n // len(rows))
    index = np.concatenate([order] * copies)[:n]
    whose = np.concatenate([people[order] + copy * 1000 for copy in range(copies)])[:n]
    X = rows[index]
    if copies > 1:
        X += rng.normal(0, 0.1, X.shape).astype(np.float32) * rows.std(axis=0)
    cut = 9 * n // 10
    method = spec.make(random_state=0)
    fit, _ = cpu_seconds(lambda: method.fit_prepared(X[:cut], labels[index[:cut]], groups=whose[:cut]))
    return fit + cpu_seconds(lambda: method.predict_proba_prepared(X[cut:]))[0]


def parts(only: str) -> Iterator[Part]:
    """What the table needs: the rows of its main sum first, the longest of them before the others."""
    suite = [spec for spec in METHODS if not spec.variant and fnmatch.fnmatch(spec.name, only)]
    for spec in sorted(suite, key=lambda s: (s.params["classifier"] in TREES, -s.estimate_seconds(4410, 490))):
        tree = spec.params["classifier"] in TREES
        for fold in range(2 if spec.features in MEASURED_TWICE and not tree else 1):
            yield from (Part(kind, spec.name, fold) for kind in KINDS)
        if spec.params["classifier"] in SHAREABLE:
            yield Part("product", spec.name, 0)
    for spec in suite:
        if spec.features == GROWN_ON:
            yield from (Part("growth", spec.name, n) for n in reversed(GROWTH))
    for features in dict.fromkeys(spec.features for spec in suite if spec.features):
        name = next(spec.name for spec in suite if spec.features == features)
        yield Part("features", name, 0)
        if any(row.name == features for row in FEATURE_ROWS):  # joined ones are made of these
            yield Part("plain features", name, 0)


def run_parts(todo: list[Part], data: Data, log: Path | None, processes: int) -> list[dict[str, Any]]:
    """Measure with processes of one thread, writing each line as it comes."""
    done = []
    if log is not None:
        log.parent.mkdir(exist_ok=True)
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        waiting = {pool.submit(measure, part, data): part for part in todo}
        for count, future in enumerate(as_completed(waiting), 1):
            found = future.result()
            done.append(found)
            print(f"{count}/{len(todo)} {found['kind']} {found['method']} {found['number']}: {found['seconds']:.2f} s",
                  flush=True)  # fmt: skip
            if log is not None:
                with log.open("a") as handle:
                    handle.write(json.dumps(found) + "\n")
    return done


def fold_rows(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row a method: mean seconds of a fold on each side, and the share of trials' answers equal to plain ones."""
    rows = []
    for spec in METHODS:
        sides = {k: [f for f in found if f["kind"] == k and f["method"] == spec.name] for k in KINDS}
        if not all(sides.values()):
            continue
        pairs = {f["number"]: f for f in sides["plain"]}
        same = [np.equal(f["answers"], pairs[f["number"]]["answers"]) for f in sides["ours"] if f["number"] in pairs]
        rows.append(
            {
                "method": spec.name,
                "classifier": spec.params["classifier"],
                "features": spec.features,
                "folds": len(same),
                "same": float(np.concatenate(same).mean()),
                **{kind: float(np.mean([f["seconds"] for f in side])) for kind, side in sides.items()},
            }
        )
    return rows


def table_lines(found: list[dict[str, Any]], data: Data) -> list[str]:
    """The result as Markdown."""
    rows = fold_rows(found)
    features = {kind: {find(f["method"]).features: f["seconds"] for f in found if f["kind"] == kind}
                for kind in ("features", "plain features")}  # fmt: skip
    lines = [
        "# Speed of the classical methods",
        "",
        "Made by `python benchmarks/bench_classical.py table`. CPU seconds of one fold of subject-10fold, "
        f"{len(data.labels):,} images of {len(set(data.groups))} people, one thread, {platform.machine()}. "
        "*Plain* is scikit-learn with the same parameters on the same features, one fit and one prediction of labels a "
        f"fold, as `cross_val_score` does it ({PLAIN_TOLERANCES}; `benchmarks/plain_classical.py`). *Labels* is the "
        "same by our pipelines. *Trial* is what a run does: for every classifier without probabilities it also fits "
        "the temperature on people held out, a second fit on three quarters of the images. Ratios are plain over "
        "labels.",
        "",
        "| method | folds measured | plain, s | labels, s | ratio | same answers | trial, s |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['method']} | {row['folds']} | {row['plain']:.2f} | {row['labels']:.2f} "
        f"| {row['plain'] / row['labels']:.1f} | {row['same']:.2%} | {row['ours']:.2f} |"
        for row in rows
    ]
    products = {f["method"]: f["seconds"] for f in found if f["kind"] == "product"}
    lines += ["", *_total_lines(rows, features), "", *_shared_lines(rows, products), "", *_growth_lines(found)]
    return lines


def _total_lines(rows: list[dict[str, Any]], features: dict[str, dict[str, float]]) -> list[str]:
    told = [("without trees, forests and boosting", [r for r in rows if r["classifier"] not in TREES])]
    told.append(("trees, forests and boosting", [r for r in rows if r["classifier"] in TREES]))
    lines = [
        "Ten folds, scaled from the folds measured (two of pixels, dwt and lbp, one of the others). Features are made "
        "once for all folds and methods on both sides, on the plain side by a library's loop over single images "
        "(`bench_features.py`; some images, scaled). *Classifiers alone* counts our features against a plain side that "
        "has them for nothing.",
        "",
        "| ten folds | plain, s | labels, s | ratio | classifiers alone | trials, s | ratio | same answers | least |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, some in told:
        if not some:
            continue
        used = {row["features"] for row in some}
        made, looped = (sum(features[kind].get(f, 0.0) for f in used) for kind in ("features", "plain features"))
        plain, labels, ours = (10 * sum(row[side] for row in some) for side in KINDS)
        same = [row["same"] for row in some]
        lines.append(
            f"| {name} | {plain:,.0f} + {looped:,.0f} | {labels:,.0f} + {made:.0f} "
            f"| {(plain + looped) / (labels + made):.1f} | {plain / (labels + made):.1f} | {ours:,.0f} + {made:.0f} "
            f"| {(plain + looped) / (ours + made):.1f} | {np.mean(same):.2%} | {min(same):.2%} |"
        )
    lines += ["", "In each sum the second number is the features."]
    return lines


def _shared_lines(rows: list[dict[str, Any]], products: dict[str, float]) -> list[str]:
    """What folds computed together would save at most, without trees, which share nothing."""
    trials = sum(row["ours"] for row in rows if row["classifier"] not in TREES)
    saved = sum(products.get(row["method"], 0.0) for row in rows)
    if not saved:
        return []
    return [
        "What folds could share exactly is one large product of the features with themselves in "
        f"{' and '.join(SHAREABLE)} (a kernel matrix sliced, a scatter matrix down-dated; linear support vectors and "
        f"logistic regression need none). It takes {saved:.1f} of {trials:.1f} s of a fold's trials, trees and the "
        "like left out: computed once for ten folds, at no other cost, it would make them "
        f"{trials / (trials - 0.9 * saved):.2f} times faster. That is not worth trials that can only be computed "
        "together, so each fold is fitted alone; the temperature's inner fit shares the products.",
    ]


def _growth_lines(found: list[dict[str, Any]]) -> list[str]:
    grown = [f for f in found if f["kind"] == "growth"]
    lines = [
        f"Growth on {GROWN_ON} features ({prepared_feature(GROWN_ON).length} values): CPU seconds to fit on nine "
        "tenths of n images and to predict the rest; beyond the dataset's own images, copies with noise. The exponent "
        "is that of n between the last two columns: 1 is growth with the images. Support vectors with a Gaussian "
        "kernel and nearest neighbours compare images with images, so they grow faster by nature.",
        "",
        "| method | " + " | ".join(f"{n:,}" for n in GROWTH) + " | exponent |",
        "|" + "---|" * (len(GROWTH) + 2),
    ]
    for name in dict.fromkeys(f["method"] for f in grown):
        seconds = {f["number"]: f["seconds"] for f in grown if f["method"] == name}
        if set(seconds) != set(GROWTH):
            continue
        rate = np.log(seconds[GROWTH[-1]] / seconds[GROWTH[-2]]) / np.log(GROWTH[-1] / GROWTH[-2])
        lines.append(f"| {name} | " + " | ".join(f"{seconds[n]:.2f}" for n in GROWTH) + f" | {rate:.2f} |")
    return lines


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["table", "plan"])
    parser.add_argument("--data", default="synthetic", help="'synthetic', or the folder or zip of KDEF")
    parser.add_argument("--only", default="*", help="methods to measure, a pattern of names")
    parser.add_argument("--fresh", action="store_true", help="forget what was measured before")
    parser.add_argument("--processes", type=int, default=2, help="measurements at a time")
    arguments = parser.parse_args()
    data = read_data(arguments.data)
    if arguments.what == "plan":
        todo = [part for part in parts(arguments.only) if part.kind == "ours" and part.number == 0]
        for f in sorted(run_parts(todo, data, None, arguments.processes), key=lambda f: f["method"]):
            print(f"{f['method']:22} fit {f['fit']:7.2f} predict {f['predict']:6.2f} planned {f['planned']:7.2f}")
        return
    if arguments.fresh:
        LOG.unlink(missing_ok=True)
    known = [json.loads(line) for line in LOG.read_text().splitlines()] if LOG.exists() else []
    done = {Part(f["kind"], f["method"], f["number"]) for f in known}
    wanted = list(parts(arguments.only))
    found = known + run_parts([part for part in wanted if part not in done], data, LOG, arguments.processes)
    lines = table_lines([f for f in found if Part(f["kind"], f["method"], f["number"]) in wanted], data)
    print("\n".join(lines))
    if arguments.only == "*":
        RESULT.write_text("\n".join(lines) + "\n")
        print(f"{RESULT}: written")


if __name__ == "__main__":
    main()
