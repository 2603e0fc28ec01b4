"""What a few cached copies cost in accuracy against fresh augmentation in every epoch: a head on a frozen network.

    python benchmarks/copies_accuracy.py --data KDEF --weights squeezenet1_0.pth --views S --people 40

``dense`` of squeezenet1_0 at 64 pixels, on the same folds by person with K = 1, 4 and 8 copies of each picture, and
with every epoch's own augmentation; all else equal. K = 1 is the picture as it is. Differences are paired,
with people as the unit.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported

import numpy as np
import torch
from sklearn.model_selection import GroupKFold

from fer_bench.data.datasets import load_dataset
from fer_bench.data.images.store import build_stores
from fer_bench.deep.classifier import NetworkClassifier
from fer_bench.methods import ImageSpec
from fer_bench.stats import accuracy_interval, paired_difference

IMAGE = ImageSpec(64, 3)
SIDES: dict[str, dict[str, Any]] = {
    "K = 1": {"mode": "dense", "augmented_copies": 1},
    "K = 4": {"mode": "dense", "augmented_copies": 4},
    "K = 8": {"mode": "dense", "augmented_copies": 8},
    "fresh": {"mode": "gradual", "stages": [["dense", 1, 1.0]], "augmented_copies": 0},
}


def correct(side: dict[str, Any], data: tuple[np.ndarray, ...], folds: int, given: argparse.Namespace) -> np.ndarray:
    """Which images are classified correctly, each by the fold that did not train on its person."""
    images, labels, people = data
    right = np.zeros(len(labels), dtype=bool)
    for fold, (seen, new) in enumerate(GroupKFold(folds).split(labels, labels, people)):
        method = NetworkClassifier(
            "squeezenet1_0", **side, epochs=given.epochs, random_state=fold, weights=given.weights, device="cpu"
        )
        right[new] = method.fit(images[seen], labels[seen]).predict(images[new]) == labels[new]
    return right


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="synthetic", help="'synthetic', or a folder or archive in KDEF's layout")
    parser.add_argument("--weights", type=Path, required=True, help="squeezenet1_0 trained on ImageNet")
    parser.add_argument("--people", type=int, help="keep so many (default: all)")
    parser.add_argument("--views", default="S", help="views of KDEF, such as S,HL,HR")
    parser.add_argument("--folds", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=30)
    given = parser.parse_args()
    torch.set_num_threads(1)
    dataset = load_dataset(given.data, people=given.people, workers=1, views=given.views.split(","))
    store = build_stores(dataset, [IMAGE], 1)[IMAGE]
    manifest = dataset.manifest
    data = np.load(store), np.asarray(manifest.labels), np.asarray(manifest.groups).astype(str)
    found = {}
    seconds = {}
    for name, side in SIDES.items():
        start = time.process_time()
        found[name] = correct(side, data, given.folds, given)
        seconds[name] = time.process_time() - start
    print(
        "| copies | accuracy | 95 % interval | minus fresh | 95 % interval | CPU seconds |\n"
        "|---|---:|---|---:|---|---:|"
    )
    for name, right in found.items():
        alone = accuracy_interval(right, data[2], seed=0)
        line = f"| {name} | {alone.value:.1%} | {alone.low:.1%} to {alone.high:.1%} |"
        if name != "fresh":
            gap = paired_difference(right, found["fresh"], data[2], seed=0).interval
            line += f" {100 * gap.value:+.1f} points | {100 * gap.low:+.1f} to {100 * gap.high:+.1f} |"
        else:
            line += " | |"
        print(f"{line} {seconds[name]:.0f} |")
    print(
        f"\n{len(data[1])} images of {len(set(data[2]))} people, {given.folds} folds by person, {given.epochs} epochs."
    )


if __name__ == "__main__":
    main()
