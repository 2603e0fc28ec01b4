"""What the training loop is fed: batches for learning, and pictures to predict aside.

All the pictures lie on the device as uint8. Frozen parts that see the same views in every epoch run once (`cached`).
Nothing here reads or moves torch's global generators: shuffles and augmentation have generators of their own,
seeded by (seed, purpose, epoch), so that the first k epochs of a long training are those of a short one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from fer_bench.seeds import derive_seed

from .augment import IDENTITY, Normalisation, Ranges, affine_matrices, normalise, warp
from .networks import StagedNetwork
from .settings import Settings

__all__ = ["Data", "Feed", "autocast", "cached", "cached_feed", "generator", "plain_feed", "predict", "shuffled"]

_PREDICT_BATCH = 32


@dataclass(frozen=True)
class Data:
    """Pictures (n, c, h, w) uint8 and labels (n,) int64 on the device, and how the network wants them normalised."""

    pictures: Tensor
    labels: Tensor
    normalisation: Normalisation


@dataclass(frozen=True)
class Feed:
    """One way through the network.

    Attributes
    ----------
    batches : callable
        Of an epoch: inputs and labels of each step.
    forward : callable
        From a step's inputs to logits, and to those of the auxiliary head or None.
    prepare : callable
        From pictures (uint8) to what `logits` takes; done once for pictures that are predicted after every epoch.
    logits : callable
        Of prepared pictures.
    """

    batches: Callable[[int], Iterator[tuple[Tensor, Tensor]]]
    forward: Callable[[Tensor], tuple[Tensor, Tensor | None]]
    prepare: Callable[[Tensor], Tensor]
    logits: Callable[[Tensor], Tensor]


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


def plain_feed(network: StagedNetwork, data: Data, settings: Settings) -> Feed:
    """The whole network on freshly augmented pictures in every epoch."""

    def batches(epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        draw = generator(settings.seed, "augment", epoch)
        for rows in shuffled(len(data.labels), settings, epoch, data.labels.device):
            yield augmented(data, rows, settings.ranges, draw), data.labels[rows]

    return Feed(
        batches, network.forward_both, lambda pictures: pictures, lambda x: network(normalise(x, data.normalisation))
    )


def cached_feed(network: StagedNetwork, data: Data, settings: Settings, views: int) -> Feed:
    """What stands behind the frozen parts, on their output for ``views`` views of each picture.

    An epoch takes one view of each at random. The head alone (depth 0), or the last block and the head (depth 1).
    """
    start = "head" if network.depth == 0 else "block"
    stored = cached(network, start, data, settings, views)
    labels, tail = data.labels, tail_of(network, start)

    def batches(epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        choice = torch.randint(len(stored), (len(labels),), generator=generator(settings.seed, "view", epoch))
        choice = choice.to(stored.device)
        for rows in shuffled(len(labels), settings, epoch, labels.device):
            yield stored[choice[rows], rows], labels[rows]

    def prepare(pictures: Tensor) -> Tensor:
        none = torch.zeros(len(pictures), dtype=torch.int64, device=labels.device)
        return cached(network, start, Data(pictures, none, data.normalisation), settings.plain, 1)[0]

    return Feed(batches, lambda x: (tail(x), None), prepare, tail)


def cached(network: StagedNetwork, start: str, data: Data, settings: Settings, views: int) -> Tensor:
    """Output of all stages before ``start``, (views, n, ...): the pictures as they are, then augmented ones."""
    front = {"block": nn.Sequential(network.trunk), "head": nn.Sequential(network.trunk, network.block, network.pool)}
    network.eval()
    device = data.labels.device
    found = []
    with torch.inference_mode(), autocast(device):
        for view in range(views if settings.augments else 1):
            draw = generator(settings.seed, "cached view", view)
            ranges = settings.ranges if view else IDENTITY
            rows = torch.arange(len(data.labels), device=device).split(64)
            found.append(torch.cat([front[start](augmented(data, r, ranges, draw)) for r in rows]))
    return torch.stack(found)


def tail_of(network: StagedNetwork, start: str) -> nn.Sequential:
    """The stages from ``start`` on, as one module."""
    stages = {"block": (network.block, network.pool, network.head), "head": (network.head,)}[start]
    return nn.Sequential(*stages)


def predict(network: StagedNetwork, logits: Callable[[Tensor], Tensor], prepared: Tensor) -> Tensor:
    """Logits (n, 7), float32, in evaluation mode."""
    network.eval()
    with torch.inference_mode(), autocast(prepared.device):
        return torch.cat([logits(part).float() for part in prepared.split(_PREDICT_BATCH)])


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
