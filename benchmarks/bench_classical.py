"""Measure the classical room: features and methods, beside the plain way of doing the same.

    python benchmarks/bench_classical.py features            # images a second, against scikit-image and PyWavelets
    python benchmarks/bench_classical.py methods             # CPU seconds of one fold at 245, 980 and 4,410 images
    python benchmarks/bench_classical.py methods --plain     # the same with scikit-learn's own estimators beside it
    python benchmarks/bench_classical.py methods --only 'linear_svc-*' --sizes 980

Faces are made up: noise around a pattern of each class and a pattern of each person, so the rates say nothing about
accuracy, only that both ways answer alike. Everything runs on one thread; times are CPU seconds of this process.
"""

from __future__ import annotations

import argparse
import fnmatch
import os
import time
import warnings
from collections.abc import Callable
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy is imported

import numpy as np
import pywt
from numpy.typing import NDArray
from skimage.feature import local_binary_pattern
from sklearn.base import clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC, LinearSVC

from fer_bench.baselines.catalogue import METHODS
from fer_bench.baselines.features import FEATURES
from fer_bench.baselines.lbp import lbp_codes
from fer_bench.baselines.linear import RowSpace
from fer_bench.labels import N_CLASSES
from fer_bench.methods import MethodSpec


def made_up_faces(people: int, size: int, seed: int = 0) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[Any]]:
    """Draw 70 images a person: smooth patterns of class and person, drawn anew in strength, and noise."""
    rng = np.random.default_rng(seed)
    waves = [np.repeat(np.repeat(rng.normal(size=(8, 8)), size // 8, 0), size // 8, 1) for _ in range(N_CLASSES)]
    images, labels, names = [], [], []
    for person in range(people):
        own = np.repeat(np.repeat(rng.normal(size=(8, 8)), size // 8, 0), size // 8, 1)
        for index in range(70):
            label = index % N_CLASSES
            face = 128 + 25 * own + rng.uniform(2, 10) * waves[label] + rng.normal(0, 20, (size, size))
            images.append(np.clip(face, 0, 255).astype(np.uint8))
            labels.append(label)
            names.append(person)
    return np.stack(images), np.array(labels), np.array(names)


def cpu_seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds of one call, and what it returned."""
    before = time.process_time()
    result = work()
    return time.process_time() - before, result


def rate(work: Callable[[NDArray[np.uint8]], Any], images: NDArray[np.uint8], repeats: int = 5) -> float:
    """Images a CPU second, the best of some repeats after a warm-up."""
    work(images[:4])
    return len(images) / min(cpu_seconds(lambda: work(images))[0] for _ in range(repeats))


def bench_features() -> None:
    """Print images a second of each feature beside a loop over single images."""
    faces = {size: made_up_faces(3, size)[0] for size in (64, 128)}

    def codes_loop(images: NDArray[np.uint8]) -> list[Any]:
        return [local_binary_pattern(image, 8, 1, "nri_uniform") for image in images]

    def lbp_loop(images: NDArray[np.uint8]) -> list[Any]:
        cell = (np.arange(128) // 16)[:, None] * 8 + np.arange(128) // 16
        return [np.bincount((cell * 59 + codes.astype(int)).ravel(), minlength=3776) for codes in codes_loop(images)]

    def dwt_loop(images: NDArray[np.uint8]) -> list[Any]:
        return [pywt.dwt2(image / np.float32(255), "db2")[0].ravel() for image in images]

    rows = (
        ("lbp codes, 128 px", lbp_codes, codes_loop, 128),
        ("lbp, 128 px", FEATURES["lbp"].extract, lbp_loop, 128),
        ("dwt, 64 px", FEATURES["dwt"].extract, dwt_loop, 64),
        ("pixels, 64 px", FEATURES["pixels"].extract, lambda images: [i.ravel() / np.float32(255) for i in images], 64),
    )
    print(f"{'images a CPU second':22}{'batched':>10}{'one by one':>12}{'ratio':>8}")
    for name, ours, loop, size in rows:
        fast, slow = rate(ours, faces[size]), rate(loop, faces[size])
        print(f"{name:22}{fast:10.0f}{slow:12.0f}{fast / slow:8.1f}")


def plain_pipeline(ours: Pipeline, classifier: str) -> Pipeline:
    """Return the same pipeline with scikit-learn's own estimators and without the short cut through row space."""
    last = ours[-1]
    swap = {
        "linear_svc": lambda: LinearSVC(C=last.C, dual=True, tol=1e-5, max_iter=20_000, random_state=0),
        "rbf_svc": lambda: SVC(C=last.C, gamma=last.gamma, break_ties=True),
        "lda": lambda: LinearDiscriminantAnalysis(solver="lsqr", shrinkage=last.shrinkage),
    }
    head = swap[classifier]() if classifier in swap else clone(last)
    steps = [(name, clone(step)) for name, step in ours.steps[:-1] if not isinstance(step, RowSpace)]
    return Pipeline([*steps, ("classify", head)])


def bench_fold(spec: MethodSpec, rows: NDArray[np.float32], labels: Any, people: Any, n: int, plain: bool) -> None:
    """Print fit and predict seconds of one fold, and where asked those of the plain pipeline."""
    test = people >= people.max() - 6
    train = np.flatnonzero(~test)[:n]
    method = spec.make(random_state=0)
    fit, _ = cpu_seconds(lambda: method.fit_prepared(rows[train], labels[train], groups=people[train]))
    predict, proba = cpu_seconds(lambda: method.predict_proba_prepared(rows[test]))
    found = proba.argmax(axis=1)
    line = f"{spec.name:20}{n:6}{fit:9.2f}{predict:9.3f}{spec.estimate_seconds(n, int(test.sum())):9.2f}"
    line += f"{(found == labels[test]).mean():9.3f}"
    if plain:
        reference = plain_pipeline(method.estimator_, spec.params["classifier"])
        slow, _ = cpu_seconds(lambda: reference.fit(rows[train], labels[train]))
        more, expected = cpu_seconds(lambda: reference.predict(rows[test]))
        line += f"{slow + more:10.2f}{(slow + more) / (fit + predict):8.1f}{(expected == found).mean():9.4f}"
    print(line, flush=True)


def bench_methods(only: str, sizes: list[int], plain: bool) -> None:
    """Print a table of methods and training sizes; the test fold is seven people, 490 images."""
    head = f"{'method':20}{'n':>6}{'fit s':>9}{'pred. s':>9}{'planned':>9}{'acc.':>9}"
    print(head + (f"{'plain s':>10}{'ratio':>8}{'same':>9}" if plain else ""))
    chosen = [spec for spec in METHODS if fnmatch.fnmatch(spec.name, only)]
    people = max(sizes) // 70 + 8
    for features in dict.fromkeys(spec.features for spec in chosen):
        specs = [spec for spec in chosen if spec.features == features]
        images, labels, names = made_up_faces(people, specs[0].image.size)
        rows = specs[0].make(random_state=0).prepare(images)
        for spec in specs:
            for n in sizes:
                bench_fold(spec, rows, labels, names, n, plain)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["features", "methods"])
    parser.add_argument("--only", default="*", help="methods to measure, a pattern of names")
    parser.add_argument("--sizes", default="245,980,4410", help="numbers of training images")
    parser.add_argument("--plain", action="store_true", help="scikit-learn's own estimators too (slow at 4,410)")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    if arguments.what == "features":
        bench_features()
    else:
        bench_methods(arguments.only, [int(n) for n in arguments.sizes.split(",")], arguments.plain)


if __name__ == "__main__":
    main()
