"""Speed of the networks: our training against bare steps, and the shortcuts against the plain way.

Run with ``OMP_NUM_THREADS=1 python -m pytest benchmarks/bench_deep.py --benchmark-columns=min,median``. Rows of one
group do the same work: read their ratios, not their seconds. Nothing here is a gate; wall clocks of shared machines
move by half.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from fer_bench.deep.classifier import NetworkClassifier
from fer_bench.deep.networks import build, write_random_weights

BATCH = 16
ROUNDS = {"rounds": 3, "iterations": 1, "warmup_rounds": 1}
Benchmark = Callable[..., Any]


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def _images(side: int, channels: int, n: int = 2 * BATCH) -> tuple[np.ndarray, np.ndarray]:
    shape = (n, side, side) if channels == 1 else (n, side, side, channels)
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8), np.arange(n) % 7


def _steps(network: nn.Module, images: Tensor, labels: Tensor) -> None:
    """One epoch of bare optimisation steps on float tensors that are ready."""
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-4, fused=True)
    for x, y in zip(images.split(BATCH), labels.split(BATCH), strict=True):
        functional.cross_entropy(network(x), y).backward()
        optimizer.step()
        optimizer.zero_grad()


def _textbook_cnn2(side: int) -> nn.Module:
    """The article's network as a tutorial writes it: ReLU before the pooling, plain layout."""
    return nn.Sequential(
        *(nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(64 * (side // 4) ** 2, 128), nn.ReLU(), nn.Linear(128, 7)),
    )


@pytest.mark.parametrize("way", ["textbook", "ours"])
@pytest.mark.parametrize("side", [48, 128, 224, 360])
def test_cnn2_epoch(benchmark: Benchmark, side: int, way: str) -> None:
    """An epoch of the shallow network: the layers as in a textbook, and ours."""
    benchmark.group = f"cnn2-{side}, {2 * BATCH} pictures"
    images, labels = _images(side, 1)
    x = torch.from_numpy(images).unsqueeze(1).float().div_(255)
    network: nn.Module = _textbook_cnn2(side)
    if way == "ours":
        network, x = build("cnn2", seed=0, size=side), x.contiguous(memory_format=torch.channels_last)
        network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    benchmark.pedantic(_steps, (network, x, torch.from_numpy(labels)), **ROUNDS)


@pytest.mark.parametrize("way", ["bare steps", "classifier"])
@pytest.mark.parametrize("name", ["cnn2", "squeezenet1_0", "resnet18"])
def test_overhead_of_the_loop(benchmark: Benchmark, name: str, way: str) -> None:
    """What set-up, shuffling, augmentation and book-keeping of a fit add to the bare steps (target: 15 %)."""
    benchmark.group = f"{name} at 64 px, 8 epochs of {2 * BATCH} pictures"
    images, labels = _images(64, 1 if name == "cnn2" else 3)
    if way == "classifier":
        method = NetworkClassifier(name, epochs=8, batch_size=BATCH, device="cpu")
        benchmark.pedantic(method.fit, (images, labels), **ROUNDS)
        return
    network = build(name, seed=0, size=64).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    x = torch.from_numpy(images.reshape(len(images), 64, 64, -1)).permute(0, 3, 1, 2).float().div_(255)
    x = x.contiguous(memory_format=torch.channels_last)

    def bare() -> None:
        for _ in range(8):
            _steps(network, x, torch.from_numpy(labels))

    benchmark.pedantic(bare, **ROUNDS)


@pytest.mark.parametrize(("mode", "views"), [("dense", 2), ("last_block", 0), ("last_block", 2), ("entire", 0)])
def test_frozen_parts_run_once(benchmark: Benchmark, tmp_path: Any, mode: str, views: int) -> None:
    """Twenty epochs of fine-tuning with the frozen parts cached (views > 0) and run in every epoch (views = 0)."""
    benchmark.group = f"resnet18 at 64 px, 20 epochs of {2 * BATCH} pictures"
    benchmark.name = f"{mode}, {views} views"
    write_random_weights("resnet18", tmp_path / "weights.pth")
    method = NetworkClassifier(
        "resnet18", mode, epochs=20, batch_size=BATCH, views=views, weights=tmp_path / "weights.pth", device="cpu"
    )
    benchmark.pedantic(method.fit, _images(64, 3), rounds=1, iterations=1)
