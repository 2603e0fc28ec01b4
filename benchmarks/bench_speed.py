"""Speed of what a run does, each beside the plain way where there is one: ingest, store, classifiers, networks, report.

Run by `tox -e bench`, with the features (`bench_features.py`) and the renderer (`bench_render.py`); ``conftest.py``
says how it is measured. Sizes are such that all of it takes a few minutes. The scripts beside this file measure one
thing each, at full size: `bench_classical.py`, `bench_deep.py`, `bench_ingest.py`, `bench_overhead.py` and
`bench_report.py`.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy is imported

import numpy as np
import pytest
from bench_features import faces
from bench_report import simulated
from numpy.typing import NDArray
from PIL import Image
from plain_classical import plain_pipeline

from fer_bench.baselines.classifiers.registry import CLASSIFIERS, make_classifier
from fer_bench.baselines.features.registry import find_feature
from fer_bench.data.datasets import load_dataset
from fer_bench.data.images.store import build_stores, store_path
from fer_bench.data.manifest import Dataset
from fer_bench.data.render import write_kdef
from fer_bench.methods import ImageSpec

Beside = Callable[..., Any]
GREY = ImageSpec(64)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """140 JPEG files of KDEF's size."""
    return write_kdef(tmp_path_factory.mktemp("faces"), n_people=2, size=(562, 762), seed=0, workers=1)


@pytest.fixture(scope="module")
def dataset(pictures: Path) -> Dataset:
    """The same, audited."""
    return load_dataset(str(pictures), people=None, workers=1)


def plain_ingest(folder: Path) -> NDArray[np.uint8]:
    """Open every picture with Pillow, cut out the middle and shrink it, as a notebook does."""
    box = (79, 182, 483, 586)
    opened = (Image.open(file).convert("L") for file in sorted(folder.rglob("*.JPG")))
    return np.stack([np.asarray(picture.crop(box).resize((64, 64), Image.Resampling.BILINEAR)) for picture in opened])


def test_audit(beside: Beside, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Listing and auditing pictures, none of them known: no notebook does that, so there is nothing beside it."""
    caches = (tmp_path / str(n) for n in count())

    def ours() -> None:
        monkeypatch.setenv("FER_BENCH_CACHE", str(next(caches)))
        load_dataset(str(pictures), people=None, workers=1)

    beside("ingest: audit of 140 pictures", ours, rounds=3)


def test_ingest(beside: Beside, pictures: Path, dataset: Dataset) -> None:
    """From files to an image store: read, checked, decoded, cut out, shrunk, written."""

    def ours() -> None:
        store_path(dataset, GREY).unlink(missing_ok=True)
        build_stores(dataset, [GREY], 1)

    beside("ingest: 140 pictures to a store", ours, lambda: plain_ingest(pictures), rounds=3)


def test_store(beside: Beside, pictures: Path, dataset: Dataset) -> None:
    """A training fold from the store, as every later run has it, beside decoding anew."""
    build_stores(dataset, [GREY], 1)
    half = np.arange(0, len(dataset.manifest), 2)

    def ours() -> Any:
        return np.load(build_stores(dataset, [GREY], 1)[GREY], mmap_mode="r")[half]

    beside("store: 70 pictures of a later run", ours, lambda: plain_ingest(pictures), rounds=3, share=2.0)


@pytest.mark.parametrize("classifier", CLASSIFIERS)
def test_classifiers(beside: Beside, classifier: str) -> None:
    """One fold of 630 images to fit and 70 to answer, features there: our pipeline beside plain scikit-learn."""
    features = "lbp" if classifier == "knn_chi2" else "dwt"
    X, y = rows_of(features)
    train, test = np.arange(len(y)) % 10 > 0, np.arange(len(y)) % 10 == 0

    def side(make: Callable[[], Any]) -> Callable[[], Any]:
        return lambda: make().fit(X[train], y[train]).predict(X[test])

    n = int(train.sum())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        beside(
            f"classifier: {classifier} on {features}",
            side(lambda: make_classifier(classifier, features, None, random_state=0, n_train=n)),
            side(lambda: plain_pipeline(classifier, features, n, X.shape[1])),
            rounds=3,
        )


def rows_of(features: str) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Features of 700 images: 140 faces, each with five fields of noise; labels by their names' order."""
    feature = find_feature(features)
    images = faces(feature.size)
    noise = np.random.default_rng(0).integers(0, 12, (5, *images.shape), dtype=np.uint8)
    many = np.concatenate([np.minimum(images, 243) + some for some in noise])
    return feature.extract(many), np.tile(np.arange(len(images)) // 5 % 7, 5).astype(np.int64)


def test_network_training(beside: Beside) -> None:
    """An epoch of the two-layer CNN, augmented, beside a DataLoader loop; the network is there on both sides."""
    import torch
    from bench_deep import Row, our_epochs, subject
    from plain_deep import PlainFaces, faces_for, plain_epoch, plain_network

    from fer_bench.deep.networks.build import learn
    from fer_bench.deep.networks.zoo import find
    from fer_bench.deep.training.batches import plain_batches

    torch.set_num_threads(1)
    row = Row("cnn2", 48, 32, 8)
    mine = subject(row, "scratch")
    learn(mine.network, mine.network.n_blocks)
    images, labels = faces_for(row.network, row.size, row.batch * row.batches)
    record, network = find(row.network), plain_network(row.network, row.size)
    pictures = PlainFaces(images, labels.tolist(), record.mean, record.std)
    optimizer = torch.optim.Adam(network.parameters(), lr=5e-4)
    beside(
        "network: 8 steps of cnn2 at 48 px",
        our_epochs(mine, plain_batches(mine.network, mine.data, mine.settings)),
        lambda: plain_epoch(network, pictures, optimizer, row.batch, "cpu"),
    )


def test_frozen_features(beside: Beside, tmp_path: Path) -> None:
    """Frozen SqueezeNet and a head of 20 epochs, one fold: features once, beside the backbone in every epoch.

    The plain side runs one of the 20 epochs.
    """
    import torch
    from plain_deep import PlainFaces, faces_for, plain_epoch, plain_network

    from fer_bench.deep.classifier import NetworkClassifier
    from fer_bench.deep.networks.build import write_random_weights
    from fer_bench.deep.networks.zoo import find

    torch.set_num_threads(1)
    name, size, epochs = "squeezenet1_0", 64, 20
    weights = tmp_path / f"{name}.pth"
    write_random_weights(name, weights)
    images, labels = faces_for(name, size, 64)
    record = find(name)
    network = plain_network(name, size, "dense", weights)
    pictures = PlainFaces(images, labels.tolist(), record.mean, record.std)
    optimizer = torch.optim.Adam([p for p in network.parameters() if p.requires_grad], lr=5e-4)

    def ours() -> None:
        method = NetworkClassifier(
            name, "dense", epochs=epochs, augmented_copies=1, batch_size=16, weights=weights, device="cpu"
        )
        method.fit_prepared(method.prepare(images), labels)

    beside(
        "network: frozen features and their head",
        ours,
        lambda: plain_epoch(network, pictures, optimizer, 16, "cpu"),
        rounds=3,
        share=1 / epochs,
    )


def test_report(beside: Beside, tmp_path: Path) -> None:
    """A report of twelve methods on 1,400 images."""
    from fer_bench.report import write_report

    run = simulated(tmp_path / "run", methods=12, people=20, protocols=("subject-10fold",))
    beside("report: 12 methods, 1,400 images", lambda: write_report([run]), rounds=2)
