"""Speed of the networks: beside a bare loop of steps, beside a plain DataLoader loop, and with frozen parts run once.

    python benchmarks/bench_deep.py --quick                              # small pictures, about three minutes
    python benchmarks/bench_deep.py --write benchmarks/results/deep.md   # at the networks' sizes, about half an hour
    python benchmarks/bench_deep.py --only 'cnn2*' --turns 5
    python benchmarks/bench_deep.py --precisions                         # which networks gain by bfloat16 here

One thread; times are CPU seconds of this process, so that a busy machine disturbs them less. The sides take turns; the
ratio is the median of the turns' ratios. A bare loop is steps in our precision and layout on float tensors in memory:
no shuffling, no augmentation, no book-keeping. Set-up is left out on all sides. The plain loop stands in
``plain_deep.py``.
"""

from __future__ import annotations

import argparse
import fnmatch
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported

import numpy as np
import torch
import torchvision
from plain_deep import PlainFaces, faces_for, plain_epoch, plain_network
from torch.nn import functional

from fer_bench.deep.classifier import NetworkClassifier
from fer_bench.deep.networks.build import BlockNetwork, learn, write_random_weights
from fer_bench.deep.networks.zoo import NETWORKS, find
from fer_bench.deep.training.batches import Batches, Data, plain_batches, predict
from fer_bench.deep.training.checkpoint import TrainingState
from fer_bench.deep.training.frozen import FrozenFeatures
from fer_bench.deep.training.optimisers import make_optimizer
from fer_bench.deep.training.precision import autocast, computes_half
from fer_bench.deep.training.stages import Stage
from fer_bench.deep.training.steps import run_epoch

CPU = torch.device("cpu")
FOLDS, EPOCHS = 10, 50  # of the protocol that ratios are stated for
FEWEST = 1 / 0.9  # images of a dataset for one that a fold trains on


_HEAD_IMAGES = 512


@dataclass(frozen=True)
class Row:
    """A network at a size, with batches such that an epoch takes seconds, and the ratio asked of the plain loop."""

    network: str
    size: int
    batch: int
    batches: int
    asked: float | None = None

    @property
    def name(self) -> str:
        """As printed."""
        return f"{self.network}, {self.size} px"


FULL = (
    *(Row("cnn2", size, 32, n, 2.5) for size, n in ((48, 16), (64, 12), (128, 4), (224, 2))),
    Row("squeezenet1_0", 224, 32, 2),
    Row("mobilenet_v2", 224, 32, 2),
    Row("resnet18", 224, 32, 2, 2.0),
    Row("vgg16", 224, 16, 1, 2.0),
)
QUICK = (
    *(Row("cnn2", size, 32, n, 2.5) for size, n in ((64, 8), (128, 2))),
    *(Row(name, 64, 16, 2) for name in ("squeezenet1_0", "mobilenet_v2")),
    Row("resnet18", 64, 16, 2, 2.0),
)


@dataclass(frozen=True)
class Subject:
    """Our side of a row: a network, its pictures and settings."""

    network: BlockNetwork
    data: Data
    settings: Any


def subject(row: Row, mode: str, weights: Path | None = None) -> Subject:
    """Build what a row is measured on."""
    method = NetworkClassifier(
        row.network, mode, batch_size=row.batch, augmented_copies=int(mode == "dense"), weights=weights, device="cpu"
    )
    network = method._network(row.size)
    images, labels = faces_for(row.network, row.size, row.batch * row.batches)
    pictures = torch.from_numpy(images.reshape(len(images), row.size, row.size, -1)).permute(0, 3, 1, 2)
    return Subject(network, Data(pictures, torch.from_numpy(labels), method.normalisation_), method._settings())


def seconds(run: Callable[[], Any]) -> float:
    """CPU seconds of a call."""
    start = time.process_time()
    run()
    return time.process_time() - start


def turns(sides: dict[str, Callable[[], Any]], n: int) -> dict[str, list[float]]:
    """CPU seconds of each side, n times in turn, after one turn to warm up."""
    found: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(n + 1):
        for name, run in sides.items():
            taken = seconds(run)
            if turn:
                found[name].append(taken)
    return found


def ratio(over: list[float], under: list[float]) -> float:
    """Median of the turns' ratios."""
    return statistics.median(a / b for a, b in zip(over, under, strict=True))


def bare_steps(s: Subject, batch: int) -> None:
    """Steps on float tensors in memory."""
    optimizer = torch.optim.Adam(s.network.parameters(), lr=5e-4, fused=True)
    x = s.data.pictures.float().div_(255).contiguous(memory_format=torch.channels_last)
    for some, labels in zip(x.split(batch), s.data.labels.split(batch), strict=True):
        with autocast(CPU, s.network.half):
            loss = functional.cross_entropy(s.network(some).float(), labels)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()


def our_epoch(s: Subject, batches: Batches, state: TrainingState, optimizer: torch.optim.Optimizer) -> None:
    """An epoch of our training."""
    s.network.train()
    run_epoch(s.network, batches, batches.of_epoch(0), optimizer, 0.0, state)


def our_epochs(s: Subject, batches: Batches) -> Callable[[], None]:
    """Epochs one by one, with an optimiser that lives on, and without the planning of memory."""
    return partial(our_epoch, s, batches, TrainingState(parts=1), make_optimizer(s.network.parameters(), s.settings))


def measure_training(row: Row, n: int) -> list[str]:
    """A line of the first table."""
    s = subject(row, "scratch")
    images, labels = faces_for(row.network, row.size, row.batch * row.batches)
    record = find(row.network)
    faces = PlainFaces(images, labels.tolist(), record.mean, record.std)
    plain = plain_network(row.network, row.size)
    optimizer = torch.optim.Adam(plain.parameters(), lr=5e-4)
    learn(s.network, s.network.n_blocks)
    taken = turns(
        {
            "bare": partial(bare_steps, s, row.batch),
            "ours": our_epochs(s, plain_batches(s.network, s.data, s.settings)),
            "plain": partial(plain_epoch, plain, faces, optimizer, row.batch, "cpu"),
        },
        n,
    )
    rates = [f"{len(images) / statistics.median(taken[side]):.4g}" for side in ("plain", "bare", "ours")]
    asked = "" if row.asked is None else f"{row.asked:g}"
    precision = "bfloat16" if s.network.half else "float32"
    return [row.name, precision, *rates, f"{ratio(taken['bare'], taken['ours']):.2f}",
            f"{ratio(taken['plain'], taken['ours']):.2f}", asked]  # fmt: skip


def measure_dense(row: Row, copies: int, n: int, weights: Path) -> list[str]:
    """``dense`` over all folds and epochs: backbone in every epoch, against features of K copies once for all folds."""
    images, _ = faces_for(row.network, row.size, row.batch * row.batches)
    method = NetworkClassifier(
        row.network, "dense", epochs=EPOCHS, augmented_copies=copies, augment=copies > 1, weights=weights, device="cpu"
    )
    network = method._network(row.size)
    some = np.zeros((_HEAD_IMAGES, copies * find(row.network).width), dtype=np.float32)
    x = torch.from_numpy(images).permute(0, 3, 1, 2)

    def backbone() -> None:
        with torch.inference_mode(), autocast(CPU, network.half):
            for part in x.split(row.batch):
                network(part.float())

    taken = turns(
        {
            "backbone": backbone,
            "features": lambda: method._copy_features(network, images, method._settings()),
            "head": lambda: method.fit_prepared(some, np.arange(len(some)) % 7),
        },
        n,
    )
    counts = {"backbone": len(images), "features": len(images), "head": len(some)}
    each = {side: statistics.median(times) / counts[side] for side, times in taken.items()}
    plain = FOLDS * (EPOCHS * each["backbone"] + each["head"])
    ours = FEWEST * each["features"] + FOLDS * each["head"]
    asked = 0.8 * FOLDS * EPOCHS / (copies + 1)
    return [f"dense, {row.name}, K = {copies}", f"{1e3 * plain:.4g}", f"{1e3 * ours:.4g}", f"{plain / ours:.0f}",
            f"{asked:.0f}", f"{plain / ours:.0f}"]  # fmt: skip


def measure_last_block(row: Row, copies: int, n: int, weights: Path) -> list[str]:
    """``last_block`` of one fold: the trunk in every epoch, against activations of K copies once."""
    s = subject(row, "last_block", weights)
    s = Subject(s.network, s.data, s.settings if copies > 1 else s.settings.plain)
    learn(s.network, 1)

    def fill() -> Batches:
        return FrozenFeatures(s.network, s.data, s.settings, copies, [Stage(1, EPOCHS, 5e-4)])(0)

    images, labels = faces_for(row.network, row.size, row.batch * row.batches)
    record = find(row.network)
    faces = PlainFaces(images, labels.tolist(), record.mean, record.std)
    network = plain_network(row.network, row.size, "last_block", weights)
    optimizer = torch.optim.Adam([p for p in network.parameters() if p.requires_grad], lr=5e-4)
    taken = turns(
        {
            "plain": partial(plain_epoch, network, faces, optimizer, row.batch, "cpu"),
            "uncached": our_epochs(s, plain_batches(s.network, s.data, s.settings)),
            "fill": fill,
            "cached": our_epochs(s, fill()),
        },
        n,
    )
    each = {side: 1e3 * statistics.median(times) / len(s.data.labels) for side, times in taken.items()}
    plain, ours = EPOCHS * each["plain"], each["fill"] + EPOCHS * each["cached"]
    alone = EPOCHS * each["uncached"] / ours
    return [f"last_block, {row.name}, K = {copies}", f"{plain:.4g}", f"{ours:.4g}", f"{plain / ours:.1f}",
            "3", f"{alone:.1f}"]  # fmt: skip


def measure_precision(name: str, n: int) -> list[str]:
    """How many times quicker a step, and a prediction, are in bfloat16 than in float32."""
    size = max(64, find(name).quick)
    s = subject(Row(name, size, 8, 1), "scratch")
    learn(s.network, s.network.n_blocks)
    steps: dict[str, Callable[[], Any]] = {}
    for half in (False, True):

        def step(half: bool = half) -> None:
            s.network.train().half = half
            bare_steps(s, 8)

        def forward(half: bool = half) -> None:
            s.network.half = half
            predict(s.network, lambda x: s.network(x.float()), s.data.pictures)

        steps |= {f"step {half}": step, f"forward {half}": forward}
    taken = turns(steps, n)
    gains = [ratio(taken[f"{what} False"], taken[f"{what} True"]) for what in ("step", "forward")]
    return [
        f"{name}, {size} px",
        *(f"{gain:.2f}" for gain in gains),
        "bfloat16" if find(name).bf16_on_cpu else "float32",
    ]


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _bound(share: float, copies: int) -> float:
    """How many times quicker the cache alone can make ``last_block``, where all layers are equally quick."""
    return (1 + 2 * share) / (3 * share + copies * (1 - share) / EPOCHS)


def page(rows: tuple[Row, ...], n: int, command: str) -> str:
    """Measure and write it down."""
    training = []
    for row in rows:
        training.append(measure_training(row, n))
        print(" | ".join(training[-1]), flush=True)
    shortcuts = []
    with tempfile.TemporaryDirectory() as folder:
        for row in [row for row in rows if row.network in ("squeezenet1_0", "resnet18")]:
            weights = Path(folder) / f"{row.network}.pth"
            write_random_weights(row.network, weights)
            for copies in (8, 1):
                measures = (measure_dense, measure_last_block) if row.network == "resnet18" else (measure_dense,)
                for measure in measures:
                    shortcuts.append(measure(row, copies, n, weights))
                    print(" | ".join(shortcuts[-1]), flush=True)
    units = "has units for bfloat16" if computes_half("auto", CPU, gains=True) else "has no units for bfloat16"
    work = find("resnet18").work
    assert work is not None
    share = work.block
    loops = ["network", "precision", "plain loop", "bare loop", "ours", "of bare", "times plain", "asked for"]
    once = ["what", "in every epoch", "once", "ratio", "asked for", "by the cache alone"]
    return f"""# Speed of the networks

Made by `{command}`: one thread of a processor that {units}, CPU seconds,
medians of {n} turns. Rates depend on the machine and its load; compare the ratios. The plain loop
(`benchmarks/plain_deep.py`) trains the same architecture in float32 on pictures that are decoded already, and moves
them one by one with torchvision's transforms.

Python {platform.python_version()}, torch {torch.__version__}, torchvision {torchvision.__version__}.

## Training, everything learns: images a second

Asked for: at least 0.85 of the bare loop; of the plain loop what the last column says (of the networks on processors
with units for bfloat16).

{_table(loops, training)}

## Frozen parts run once: milliseconds an image

`dense`: {FOLDS} folds of {EPOCHS} epochs; every fold but one trains on an image; features are computed once for all
folds, and compared with our own backbone in every epoch. `last_block`: {EPOCHS} epochs of one fold, compared with the
plain loop; the last column with our own loop without a cache. Put together from measured parts (an epoch of either
loop, the pass that fills the cache, an epoch of what learns). K = 1 is without augmentation. Since every fold but one
trains on an image, heads that cost nothing would give {FOLDS * EPOCHS - EPOCHS} times at K = 1.

{_table(once, shortcuts)}

By counting multiply-adds, with b the share of the last block ({share:.3f} of ResNet-18): an epoch of `last_block` is
1 + 2 b passes, from cached activations 3 b, and K copies cost K (1 - b) once. At equal speed of all layers the cache
alone can give {_bound(share, 1):.1f} times at K = 1 and {_bound(share, 8):.1f} at K = 8 over {EPOCHS} epochs; what is
beyond comes from precision. In the first table no loop of these steps in this precision is quicker than the bare one.
"""


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small pictures")
    parser.add_argument("--only", default="*", help="rows to measure, a pattern such as 'cnn2*'")
    parser.add_argument("--turns", type=int, default=3, help="turns of each side")
    parser.add_argument("--write", type=Path, help="a Markdown file to write the tables to")
    parser.add_argument("--precisions", action="store_true", help="bfloat16 against float32 for every network")
    given = parser.parse_args()
    torch.set_num_threads(1)
    if given.precisions:
        found = [measure_precision(name, given.turns) for name in fnmatch.filter(NETWORKS, given.only)]
        print(_table(["network", "training step", "prediction", "taken where there are units"], found))
        return
    rows = tuple(row for row in (QUICK if given.quick else FULL) if fnmatch.fnmatch(row.name, given.only))
    if not rows:
        parser.error(f"--only: expected a pattern that fits a row, such as 'cnn2*', found {given.only!r}")
    if given.write and given.only != "*":
        parser.error("--write: the file is for all rows; leave --only away")
    command = f"python benchmarks/bench_deep.py{' --quick' if given.quick else ''}"
    command += f" --write {given.write}" if given.write else ""
    text = page(rows, given.turns, command)
    if given.write:
        given.write.write_text(text)
    else:
        print(text)


if __name__ == "__main__":
    main()
