"""Training on a GPU in one call: images a second, share of the device's bfloat16 rate, beside a plain loop.

    python benchmarks/gpu.py --write benchmarks/results/gpu.md          # on the GPU, under ten minutes
    python benchmarks/gpu.py --device cpu --dry-run --only 'cnn2*'      # tiny sizes, to see that it runs

Everything learns, batches of 32, augmentation included, at the sizes of the article. Needs torch, torchvision and
fer_bench. Rows that the time (``--minutes``) does not reach are named as not measured.
"""

from __future__ import annotations

import argparse
import fnmatch
import os
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torchvision
from plain_deep import PlainFaces, faces_for, plain_epoch, plain_network
from torch.utils.flop_counter import FlopCounterMode

from fer_bench.deep.classifier import NetworkClassifier
from fer_bench.deep.networks.build import learn
from fer_bench.deep.networks.zoo import find
from fer_bench.deep.training.batches import Data, plain_batches
from fer_bench.deep.training.checkpoint import TrainingState
from fer_bench.deep.training.optimisers import make_optimizer
from fer_bench.deep.training.steps import run_epoch

FOLDS, EPOCHS, IMAGES = 10, 50, 4900
TABLE_3 = ("vgg16", "vgg19_bn", "resnet18", "resnet34", "resnet50", "resnet152", "inception_v3", "densenet161")
CNN2_SIZES = (48, 64, 128, 224, 360)


@dataclass(frozen=True)
class Plan:
    """How large and how long everything is."""

    device: str
    dry: bool

    @property
    def rows(self) -> list[tuple[str, int]]:
        """Networks and sizes, those of the article's Table 3 first."""
        if self.dry:
            return [*((name, find(name).quick) for name in TABLE_3), ("cnn2", 48)]
        return [*((name, find(name).size) for name in TABLE_3), *(("cnn2", size) for size in CNN2_SIZES)]

    @property
    def batch(self) -> int:
        """Pictures a step."""
        return 4 if self.dry else 32

    @property
    def batches(self) -> int:
        """Steps of an epoch."""
        return 2 if self.dry else 20

    @property
    def seconds(self) -> float:
        """How long one side of a row is measured, at least."""
        return 0.0 if self.dry else 4.0

    @property
    def workers(self) -> int:
        """Of the plain loop's DataLoader."""
        return 0 if self.dry else min(8, os.cpu_count() or 1)


@dataclass(frozen=True)
class Result:
    """A row of the table: images a second, and operations for an image."""

    name: str
    size: int
    plain: float
    ours: float
    flop: float
    half: bool
    megabytes: float


def rate(epoch: Callable[[], Any], images: int, plan: Plan) -> float:
    """Images a second of epochs, after one to warm up."""
    epoch()
    done, start = 0, _now(plan)
    while not done or _now(plan) - start < plan.seconds:
        epoch()
        done += images
    return done / (_now(plan) - start)


def _now(plan: Plan) -> float:
    if plan.device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def matmul_rate(plan: Plan) -> float:
    """Floating-point operations a second of a large product in bfloat16."""
    side = 256 if plan.dry else 8192
    a, b = (torch.randn(side, side, device=plan.device).bfloat16() for _ in range(2))
    return rate(lambda: a @ b, 1, plan) * 2 * side**3


def measure(name: str, size: int, plan: Plan) -> Result:
    """Both loops on a network."""
    images, labels = faces_for(name, size, plan.batch * plan.batches)
    if plan.device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    ours, flop, half = _ours(name, size, images, labels, plan)
    megabytes = torch.cuda.max_memory_allocated() / 1e6 if plan.device == "cuda" else float("nan")
    record = find(name)
    faces = PlainFaces(images, labels.tolist(), record.mean, record.std)
    network = plain_network(name, size).to(plan.device)
    optimizer = torch.optim.Adam(network.parameters(), lr=5e-4)
    plain = rate(
        lambda: plain_epoch(network, faces, optimizer, plan.batch, plan.device, plan.workers), len(images), plan
    )
    return Result(name, size, plain, ours, flop, half, megabytes)


def _ours(name: str, size: int, images: Any, labels: Any, plan: Plan) -> tuple[float, float, bool]:
    method = NetworkClassifier(name, "scratch", batch_size=plan.batch, device=plan.device)
    network, settings = method._network(size), method._settings()
    learn(network, network.n_blocks)
    pictures = torch.from_numpy(images.reshape(len(images), size, size, -1)).permute(0, 3, 1, 2)
    data = Data(pictures.to(plan.device), torch.from_numpy(labels).to(plan.device), method.normalisation_)
    batches, optimizer = plain_batches(network, data, settings), make_optimizer(network.parameters(), settings)
    state = TrainingState()

    def epoch() -> None:
        run_epoch(network, batches, batches.of_epoch(0), optimizer, 0.0, state)

    few = plan.batch
    with FlopCounterMode(display=False) as counter:
        run_epoch(network, batches, iter([next(batches.of_epoch(0))]), optimizer, 0.0, TrainingState(parts=1))
    return rate(epoch, len(images), plan), counter.get_total_flops() / few, network.half


def repeated(name: str, size: int, plan: Plan) -> str:
    """Say how much two trainings with the same seed differ in their predictions: GPUs add in no fixed order."""
    images, labels = faces_for(name, size, plan.batch * plan.batches)
    how = {"epochs": 1 if plan.dry else 5, "batch_size": plan.batch, "device": plan.device, "random_state": 0}
    first, second = (
        NetworkClassifier(name, "scratch", **how).fit(images, labels).predict_proba(images) for _ in range(2)
    )
    turned = int((first.argmax(1) != second.argmax(1)).sum())
    return (
        f"{name}, {size} px, {how['epochs']} epochs: {turned} of {len(images)} answers differ, "
        f"probabilities by at most {abs(first - second).max():.2g}"
    )


def page(results: list[Result], left: list[str], plan: Plan, command: str, again: list[str]) -> str:
    """The table, and what it says of the article's Table 3."""
    peak = matmul_rate(plan)
    rows = [
        f"| {r.name}, {r.size} px | {'bfloat16' if r.half else 'float32'} | {r.plain:.4g} | {r.ours:.4g} "
        f"| {r.ours / r.plain:.1f} | {r.flop / 1e9:.3g} | {r.ours * r.flop / peak:.0%} | {r.megabytes:.0f} |".replace(
            "nan", ""
        )
        for r in results
    ]
    device = torch.cuda.get_device_name() if plan.device == "cuda" else "a processor"
    notice = "\n**Dry run**: tiny pictures and few steps, to see that it runs; no figure here means anything.\n"
    return (
        f"""# Training on a GPU
{notice if plan.dry else ""}
Made by `{command}` on {device}: everything learns, batches of {plan.batch}, augmentation included.
The plain loop (`benchmarks/plain_deep.py`) trains the same architecture in float32 with a DataLoader of {plan.workers}
workers on pictures that are decoded already. Share: of {peak / 1e12:.3g} TFLOP/s, the rate of a large product in
bfloat16 measured in the same call.

Python {platform.python_version()}, torch {torch.__version__}, torchvision {torchvision.__version__}.

| network | precision | plain loop, images/s | ours, images/s | ratio | GFLOP an image | share | MB at most |
|---|---|---:|---:|---:|---:|---:|---:|
{chr(10).join(rows)}

The same seed twice on this device: {"; ".join(again)}.

{_table_3(results)}{"Not measured, for want of time: " + ", ".join(left) + "." if left else ""}
""".rstrip()
        + "\n"
    )


def _table_3(results: list[Result]) -> str:
    measured = [r for r in results if r.name in TABLE_3]
    trained = FOLDS * EPOCHS * IMAGES * (FOLDS - 1) / FOLDS
    hours = [sum(trained / side(r) for r in measured) / 3600 for side in (lambda r: r.ours, lambda r: r.plain)]
    return (
        f"{len(measured)} of the 8 networks of the article's Table 3, {FOLDS} folds of {EPOCHS} epochs on {IMAGES:,} "
        f"images (training alone, extrapolated): {hours[0]:.2f} hours, by the plain loop {hours[1]:.2f} hours.\n"
    )


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--dry-run", action="store_true", help="tiny sizes, to see that it runs")
    parser.add_argument("--only", default="*", help="networks to measure, a pattern of names")
    parser.add_argument("--minutes", type=float, default=9.0, help="no row is begun after so long")
    parser.add_argument("--write", type=Path, help="a Markdown file to write the table to")
    given = parser.parse_args()
    if given.device == "cuda" and not torch.cuda.is_available():
        parser.error("--device: torch finds no GPU here; to see that the script runs, give --device cpu --dry-run")
    if given.device == "cpu" and not given.dry_run:
        parser.error("--device cpu: only a dry run makes sense there; add --dry-run (or benchmarks/bench_deep.py)")
    plan = Plan(given.device, given.dry_run)
    rows = [row for row in plan.rows if fnmatch.fnmatch(row[0], given.only)]
    if not rows:
        parser.error(f"--only: expected a pattern that fits one of {', '.join(TABLE_3)}, cnn2, found {given.only!r}")
    results: list[Result] = []
    left: list[str] = []
    start = time.monotonic()
    for name, size in rows:
        if time.monotonic() - start > 60 * given.minutes:
            left.append(f"{name}, {size} px")
            continue
        results.append(measure(name, size, plan))
        print(results[-1], file=sys.stderr, flush=True)
    again = [
        repeated(name, find(name).quick if plan.dry else size, plan) for name, size in (("cnn2", 64), ("resnet18", 128))
    ]
    text = page(results, left, plan, " ".join(["python benchmarks/gpu.py", *sys.argv[1:]]), again)
    if given.write:
        given.write.write_text(text)
    else:
        print(text)


if __name__ == "__main__":
    main()
