"""The training loop: one for whole networks, for a last block on cached activations and for a head on features.

All the pictures lie on the device as uint8. Frozen parts that see the same views in every epoch run once (`cached`).
Nothing here reads or moves torch's global generators: shuffles and augmentation have generators of their own,
seeded by (seed, purpose, epoch), so that the first k epochs of a long training are those of a short one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from fer_bench.errors import FerBenchError
from fer_bench.seeds import derive_seed

from .augment import IDENTITY, MILD, Normalisation, Ranges, affine_matrices, normalise, warp
from .networks import StagedNetwork

__all__ = ["AUXILIARY_WEIGHT", "Data", "Settings", "autocast", "cached", "make_optimizer", "train", "train_cached"]

AUXILIARY_WEIGHT = 0.4
"""Share of Inception's auxiliary loss; Szegedy et al. 2015 use 0.3, common reimplementations 0.4."""


@dataclass(frozen=True)
class Settings:
    """How to train; the names are those of `fer_bench.deep.classifier.NetworkClassifier`."""

    epochs: int
    batch_size: int
    learning_rate: float
    betas: tuple[float, float]
    weight_decay: float
    schedule: str
    label_smoothing: float
    augment: bool
    seed: int

    @property
    def ranges(self) -> Ranges:
        """Ranges of the augmentation."""
        return MILD if self.augment else IDENTITY


@dataclass(frozen=True)
class Data:
    """Pictures (n, c, h, w) uint8 and labels (n,) int64 on the device, and how the network wants them normalised."""

    pictures: Tensor
    labels: Tensor
    normalisation: Normalisation


AfterEpoch = Callable[[int], None]


def generator(seed: int, *axes: str | int) -> torch.Generator:
    """CPU generator of its own for one purpose."""
    return torch.Generator().manual_seed(derive_seed(seed, *axes))


def autocast(device: torch.device) -> torch.autocast:
    """bfloat16 on a GPU and on CPUs with units for it; elsewhere it is emulated and slow, so float32 stays."""
    fast = torch.cuda.is_bf16_supported(including_emulation=False) if device.type == "cuda" else _cpu_has_bf16()
    return torch.autocast(device.type, torch.bfloat16, enabled=fast)


def _cpu_has_bf16() -> bool:
    capabilities: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(capabilities.get("amx_bf16") or capabilities.get("avx512_bf16"))


def make_optimizer(parameters: Iterator[nn.Parameter] | list[nn.Parameter], settings: Settings) -> torch.optim.Adam:
    """Adam over the parameters that learn; weight decay, where asked for, is decoupled (AdamW)."""
    return torch.optim.Adam(
        [p for p in parameters if p.requires_grad],
        lr=settings.learning_rate,
        betas=settings.betas,
        weight_decay=settings.weight_decay,
        decoupled_weight_decay=True,
        fused=True,
    )


def train(network: StagedNetwork, data: Data, settings: Settings, after_epoch: AfterEpoch) -> dict[str, list[float]]:
    """Train everything in ``network`` that learns, on freshly augmented pictures in every epoch."""

    def batches(epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        draw = generator(settings.seed, "augment", epoch)
        for rows in shuffled(len(data.labels), settings, epoch, data.labels.device):
            yield augmented(data, rows, settings.ranges, draw), data.labels[rows]

    return run_epochs(network, network.forward_both, batches, settings, after_epoch)


def train_cached(
    network: StagedNetwork, start: str, views: Tensor, labels: Tensor, settings: Settings, after_epoch: AfterEpoch
) -> dict[str, list[float]]:
    """Train what stands behind the frozen parts on their cached output.

    Parameters
    ----------
    start : str
        ``"block"`` or ``"head"``: the first stage that still runs.
    views : Tensor
        (k, n, ...): what the frozen parts gave for k views of each picture; an epoch takes one view of each at random.
    labels : Tensor
        (n,).
    """

    def batches(epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        choice = torch.randint(len(views), (len(labels),), generator=generator(settings.seed, "view", epoch))
        choice = choice.to(views.device)
        for rows in shuffled(len(labels), settings, epoch, labels.device):
            yield views[choice[rows], rows], labels[rows]

    tail = tail_of(network, start)
    return run_epochs(network, lambda x: (tail(x), None), batches, settings, after_epoch)


def cached(network: StagedNetwork, start: str, data: Data, settings: Settings, views: int) -> Tensor:
    """Output of all stages before ``start``, (views, n, ...): the pictures as they are, then augmented ones."""
    front = {"block": nn.Sequential(network.trunk), "head": nn.Sequential(network.trunk, network.block, network.pool)}
    network.eval()
    device = data.labels.device
    found = []
    with torch.inference_mode(), autocast(device):
        for view in range(views if settings.augment else 1):
            draw = generator(settings.seed, "cached view", view)
            ranges = settings.ranges if view else IDENTITY
            rows = torch.arange(len(data.labels), device=device).split(64)
            found.append(torch.cat([front[start](augmented(data, r, ranges, draw)) for r in rows]))
    return torch.stack(found)


def tail_of(network: StagedNetwork, start: str) -> nn.Sequential:
    """The stages from ``start`` on, as one module."""
    stages = {"block": (network.block, network.pool, network.head), "head": (network.head,)}[start]
    return nn.Sequential(*stages)


def augmented(data: Data, rows: Tensor, ranges: Ranges, draw: torch.Generator) -> Tensor:
    """Pictures of these rows, moved within the ranges and normalised."""
    if ranges == IDENTITY:
        return normalise(data.pictures[rows], data.normalisation)
    matrices = affine_matrices(len(rows), ranges, draw).to(data.pictures.device)
    return warp(data.pictures[rows], matrices, data.normalisation)


def shuffled(n: int, settings: Settings, epoch: int, device: torch.device) -> list[Tensor]:
    """Rows 0..n-1 in the epoch's order, in batches; a last batch of one joins the one before (BatchNorm needs two)."""
    order = torch.randperm(n, generator=generator(settings.seed, "shuffle", epoch)).to(device)
    batches = list(order.split(settings.batch_size))
    if len(batches) > 1 and len(batches[-1]) == 1:
        batches[-2:] = [torch.cat(batches[-2:])]
    return batches


def run_epochs(
    network: StagedNetwork,
    forward: Callable[[Tensor], tuple[Tensor, Tensor | None]],
    batches: Callable[[int], Iterator[tuple[Tensor, Tensor]]],
    settings: Settings,
    after_epoch: AfterEpoch,
) -> dict[str, list[float]]:
    """Go through all epochs; mean loss and accuracy of each epoch's training batches come back."""
    optimizer = make_optimizer(network.parameters(), settings)
    history: dict[str, list[float]] = {"loss": [], "train_accuracy": []}
    for epoch in range(settings.epochs):
        network.train()
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate * _rate(settings, epoch)
        loss, accuracy = _epoch(forward, batches(epoch), optimizer, settings.label_smoothing)
        if not math.isfinite(loss):
            raise FerBenchError(
                f"training: the loss of epoch {epoch + 1} of {settings.epochs} is {loss}, not a finite number; "
                f"lower learning_rate ({settings.learning_rate:g}) or change betas ({settings.betas})"
            )
        history["loss"].append(loss)
        history["train_accuracy"].append(accuracy)
        after_epoch(epoch)
    return history


def _epoch(
    forward: Callable[[Tensor], tuple[Tensor, Tensor | None]],
    batches: Iterator[tuple[Tensor, Tensor]],
    optimizer: torch.optim.Optimizer,
    label_smoothing: float,
) -> tuple[float, float]:
    """One pass of optimisation steps; sums stay on the device, so that no step waits for it."""
    losses, hits, seen = [], [], 0
    for x, y in batches:
        with autocast(y.device):
            logits, auxiliary = forward(x)
            loss = functional.cross_entropy(logits.float(), y, label_smoothing=label_smoothing)
            total = loss
            if auxiliary is not None:
                extra = functional.cross_entropy(auxiliary.float(), y, label_smoothing=label_smoothing)
                total = loss + AUXILIARY_WEIGHT * extra
        total.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        losses.append(loss.detach() * len(y))
        hits.append((logits.detach().argmax(1) == y).sum())
        seen += len(y)
    return float(torch.stack(losses).sum()) / seen, float(torch.stack(hits).sum()) / seen


def _rate(settings: Settings, epoch: int) -> float:
    """Factor on the learning rate in an epoch: 1, or half a cosine from 1 towards 0."""
    if settings.schedule == "constant":
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * epoch / settings.epochs))
