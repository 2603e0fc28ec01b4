"""Optimisation steps: batches in parts where memory asks for it, no waiting for the device."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional

from ..networks.build import BlockNetwork
from .batches import Batches
from .checkpoint import TrainingState
from .memory import free_memory, held_bytes, is_out_of_memory, parts_for
from .precision import autocast

__all__ = ["AUXILIARY_WEIGHT", "run_epoch"]

AUXILIARY_WEIGHT = 0.4
"""Share of Inception's auxiliary loss; Szegedy et al. 2015 use 0.3, common reimplementations 0.4."""

_SAMPLES = 2, 4  # pictures of the passes that measure what a step holds; BatchNorm needs two


def run_epoch(
    network: BlockNetwork,
    batches: Batches,
    steps: Iterator[tuple[Tensor, Tensor]],
    optimizer: torch.optim.Optimizer,
    label_smoothing: float,
    state: TrainingState,
) -> tuple[float, float]:
    """One pass of optimisation steps: mean loss and accuracy; sums stay on the device, so that no step waits for it.

    A batch that memory has no room for goes through in ``state.parts`` parts whose gradients add up: planned before
    the first step, doubled when memory runs out all the same. BatchNorm then sees the parts.
    """
    sums, seen = [], 0
    statistics = [buffer for buffer in network.buffers() if buffer.is_floating_point()]
    kept = [buffer.clone() for buffer in statistics]
    for x, y in steps:
        if not state.parts:
            state.parts = _planned_parts(network, batches, x)
        if kept:
            torch._foreach_copy_(kept, statistics)
        while (done := _step(network, batches, x, y, label_smoothing, state)) is None:
            if kept:
                torch._foreach_copy_(statistics, kept)
        sums.append(done)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        seen += len(y)
    loss, hits = torch.stack(sums).sum(0).tolist()
    return loss / seen, hits / seen


def _step(
    network: BlockNetwork, batches: Batches, x: Tensor, y: Tensor, label_smoothing: float, state: TrainingState
) -> Tensor | None:
    """Gradients of a batch, its summed loss and number of hits; None, and twice the parts, where memory ran out."""
    parts = max(1, min(state.parts, len(y) // 2))
    try:
        return _gradients(network, batches, x, y, label_smoothing, parts)
    except (MemoryError, RuntimeError) as error:  # torch's own is a RuntimeError
        if not is_out_of_memory(error) or 4 * parts > len(y):
            raise
    network.zero_grad(set_to_none=True)
    state.parts = 2 * parts
    if x.device.type == "cuda":
        torch.cuda.empty_cache()
    return None


def _gradients(
    network: BlockNetwork, batches: Batches, x: Tensor, y: Tensor, label_smoothing: float, parts: int
) -> Tensor:
    sums = torch.zeros(2, device=y.device)
    for some, labels in zip(x.tensor_split(parts), y.tensor_split(parts), strict=True):
        with autocast(y.device, network.half):
            logits, auxiliary = batches.forward(some)
            loss = functional.cross_entropy(logits.float(), labels, label_smoothing=label_smoothing)
            total = loss
            if auxiliary is not None:
                extra = functional.cross_entropy(auxiliary.float(), labels, label_smoothing=label_smoothing)
                total = loss + AUXILIARY_WEIGHT * extra
        (total * (len(labels) / len(y)) if parts > 1 else total).backward()
        sums[0] += loss.detach() * len(labels)
        sums[1] += (logits.detach().argmax(1) == labels).sum()
    return sums


def _planned_parts(network: BlockNetwork, batches: Batches, x: Tensor) -> int:
    """Parts by free memory; the passes that measure change neither statistics nor the draws of layers."""
    few, more = _SAMPLES
    if network.depth == 0 or len(x) < more:
        return 1
    before = [buffer.clone() for buffer in network.buffers()]
    with torch.random.fork_rng(devices=[x.device] if x.device.type == "cuda" else []), autocast(x.device, network.half):
        held = [held_bytes(lambda n=n: batches.forward(x[:n])) for n in _SAMPLES]  # type: ignore[misc]
    for buffer, value in zip(network.buffers(), before, strict=True):
        buffer.copy_(value)
    return parts_for((held[1] - held[0]) / (more - few), len(x), free_memory(x.device))
