"""How hard are the built-in rendered faces? Random against person split, confusions, and what pixels vary with.

    python benchmarks/faces_difficulty.py --people 70 --folds 10

prints the table of docs/faces.md. Plain scikit-learn on grey 64-pixel crops (KDEF's fixed boxes), so that the figures
depend on no method of this project; features are scaled over all images, which uses no labels.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.feature import hog, local_binary_pattern
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import GroupKFold, KFold
from sklearn.svm import SVC

from fer_bench.data.render import parse_name, portrait_names, render_many, render_truth
from fer_bench.labels import EMOTIONS, VIEWS

BOXES = {
    "S": (0.135, 0.291, 0.726, 0.535),
    "HL": (0.039, 0.337, 0.575, 0.424),
    "HR": (0.363, 0.333, 0.594, 0.438),
    "FL": (0.0, 0.30, 0.70, 0.50),
    "FR": (0.30, 0.30, 0.70, 0.50),
}


def crops(names: list[str], size: tuple[int, int], seed: int, workers: int) -> NDArray[np.uint8]:
    """Render, crop and shrink: (n, 64, 64) grey."""
    out = np.empty((len(names), 64, 64), np.uint8)
    for i, (name, picture) in enumerate(render_many(names, size=size, seed=seed, workers=workers)):
        x, y, w, h = BOXES[parse_name(name).view]
        left, top = round(x * size[0]), round(y * size[1])
        face = picture[top : top + round(h * size[1]), left : left + round(w * size[0])]
        out[i] = cv2.resize(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY), (64, 64), interpolation=cv2.INTER_AREA)
    return out


def features(images: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
    """Pixels, HOG and LBP histograms, each scaled to rows of mean squared length one."""
    raw = {
        "pixels": images.reshape(len(images), -1).astype(np.float32),
        "hog": np.stack([hog(i, 9, (8, 8), (2, 2), "L2-Hys").astype(np.float32) for i in images]),
        "lbp": np.sqrt(np.stack([lbp_histogram(i) for i in images])),
    }
    scaled = {}
    for name, x in raw.items():
        x = x - x.mean(axis=0)
        if name != "lbp":
            x /= np.maximum(x.std(axis=0), 1e-6)
        scaled[name] = x / np.sqrt((x**2).sum(axis=1).mean())
    return scaled


def lbp_histogram(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Uniform LBP(8, 1) in 8 x 8 cells."""
    codes = local_binary_pattern(image, 8, 1, "nri_uniform").astype(int)
    cells = codes.reshape(8, 8, 8, 8).swapaxes(1, 2).reshape(64, 64)
    return np.stack([np.bincount(c, minlength=59) for c in cells]).astype(np.float32).reshape(-1) / 64


def folds(n: int, people: NDArray[np.str_], k: int, by_person: bool) -> Iterator[tuple[NDArray, NDArray]]:
    if by_person:
        return GroupKFold(k, shuffle=True, random_state=0).split(np.zeros(n), groups=people)
    return KFold(k, shuffle=True, random_state=0).split(np.zeros(n))


def answers(
    method: str, x: NDArray[np.float32], y: NDArray[np.int64], people: NDArray[np.str_], k: int, by_person: bool
) -> NDArray[np.int64]:
    """Every image's answer from the fold that held it out."""
    gram = x @ x.T
    square = np.diag(gram)
    distance = np.maximum(square[:, None] + square[None, :] - 2 * gram, 0)
    out = np.empty_like(y)
    for train, test in folds(len(y), people, k, by_person):
        if method == "knn":
            d = distance[np.ix_(test, train)]
            near = np.argpartition(d, 5, axis=1)[:, :5]
            weight = 1 / np.sqrt(np.maximum(np.take_along_axis(d, near, 1), 1e-12))
            votes = np.stack([(weight * (y[train][near] == c)).sum(axis=1) for c in range(7)], axis=1)
            out[test] = votes.argmax(axis=1)
        else:
            kernel = np.exp(-distance) if method == "rbf_svc" else gram
            machine = SVC(C=10.0, kernel="precomputed", cache_size=600).fit(kernel[np.ix_(train, train)], y[train])
            out[test] = machine.predict(kernel[np.ix_(test, train)])
    return out


def explained(pixels: NDArray[np.float32], by: NDArray) -> float:
    """Share of the pixels' variance within a view that group means explain."""
    total = ((pixels - pixels.mean(axis=0)) ** 2).sum()
    between = sum((by == g).sum() * ((pixels[by == g].mean(axis=0) - pixels.mean(axis=0)) ** 2).sum() for g in set(by))
    return float(between / total)


def chins_outside(names: list[str], seed: int) -> str:
    """Views and expressions of which the chin's landmark lies below the view's box, with their shares."""
    outside: dict[str, list[bool]] = {}
    for name in names:
        part = parse_name(name)
        _, y, _, h = BOXES[part.view]
        chin = render_truth(name, size=(562, 762), seed=seed).landmarks[8, 1] / 762
        outside.setdefault(f"{part.view} {part.emotion}", []).append(bool(chin > y + h))
    return ", ".join(f"{key} {100 * np.mean(out):.1f}" for key, out in outside.items() if any(out))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=70)
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument("--height", type=int, default=256)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--methods", default="knn-pixels,rbf_svc-pixels,linear_svc-lbp,rbf_svc-lbp,rbf_svc-hog")
    asked = parser.parse_args()
    names = portrait_names(asked.people)
    parsed = [parse_name(n) for n in names]
    y = np.array([EMOTIONS.index(p.emotion) for p in parsed])
    people = np.array([p.person for p in parsed])
    views = np.array([p.view for p in parsed])
    begin = time.perf_counter()
    images = crops(names, (round(asked.height * 562 / 762), asked.height), asked.seed, asked.workers)
    print(f"{len(names)} pictures of {asked.people} people in {time.perf_counter() - begin:.0f} s")
    described = features(images)
    print(f"{'method':<16}{'person':>8}{'random':>8}   by view {' '.join(f'{v:>5}' for v in VIEWS)}   by expression")
    best = (0.0, "", y)
    for method in asked.methods.split(","):
        kind, feature = method.split("-")
        person, random = (answers(kind, described[feature], y, people, asked.folds, p) for p in (True, False))
        by_view = " ".join(f"{100 * (person == y)[views == v].mean():5.1f}" for v in VIEWS)
        recall = " ".join(f"{e} {100 * (person == y)[y == i].mean():.0f}" for i, e in enumerate(EMOTIONS))
        score = 100 * (person == y).mean()
        print(f"{method:<16}{score:8.1f}{100 * (random == y).mean():8.1f}           {by_view}   {recall}", flush=True)
        best = max(best, (score, method, person), key=lambda b: b[0])
    print(f"\nconfusion of {best[1]} by person, rows the truth, % of the row")
    table = 100 * confusion_matrix(y, best[2], normalize="true")
    print("     " + " ".join(f"{e:>5}" for e in EMOTIONS))
    for e, row in zip(EMOTIONS, table, strict=True):
        print(f"  {e} " + " ".join(f"{v:5.1f}" for v in row))
    pairs = sorted(
        ((table[i, j] + table[j, i]) / 2, f"{EMOTIONS[i]}/{EMOTIONS[j]}") for i in range(7) for j in range(i)
    )
    print("most confused pairs: " + ", ".join(f"{name} {share:.1f}" for share, name in reversed(pairs[-6:])))
    shares = [
        [explained(described["pixels"][views == v], by[views == v]) for by in (people, y.astype(str))] for v in VIEWS
    ]
    identity, expression = 100 * np.mean(shares, axis=0)
    print(f"pixel variance within a view: people explain {identity:.1f} %, expressions {expression:.1f} %")
    print(f"chins below the view's box, % of the view and expression: {chins_outside(names, asked.seed)}")


if __name__ == "__main__":
    main()
