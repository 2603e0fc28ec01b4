"""What the training loop goes through: batches to learn from, and pictures to predict beside them.

All the pictures lie on the device as uint8.
Nothing here reads or moves torch's global generators: shuffles and augmentation have generators of their own,
seeded by (seed, purpose, epoch), so that the first k epochs of a long training are those of a short one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from fer_bench.seeds import derive_seed

from ..networks.build import BlockNetwork
from .augment import IDENTITY, Normalisation, affine_matrices, erase, normalise, warp
from .precision import autocast
from .settings import Settings

__all__ = [
    "Batches",
    "Data",
    "augmented",
    "chosen",
    "even_batches",
    "generator",
    "head_batches",
    "in_even_batches",
    "n_steps",
    "plain_batches",
    "predict",
    "shuffled",
]

# A matrix product of another shape may be summed in another order: pictures that are predicted go through in batches of
# one size, so that what one gets depends neither on how many they are nor on what stands beside it. That also keeps the
# shapes few: oneDNN 3.13 divides by zero on processors with AMX in a linear layer in bfloat16 of 2 to 32 rows with rows
# x inputs = 1,572,864, such as 24 x 65,536, a last batch of cnn2-128. With 32 rows it takes 49,152 inputs, which no
# network here has: 3 x 2^14 is no power of two of maps times a square. Batches of a training are as long as they are;
# one that ends its process so is tried again in float32 (`fer_bench.runner.trial.CAUTION`).
_PREDICT_BATCH = 32


@dataclass(frozen=True)
class Data:
    """Pictures (n, c, h, w) uint8 and labels (n,) int64 on the device, and how the network wants them normalised."""

    pictures: Tensor
    labels: Tensor
    normalisation: Normalisation


@dataclass(frozen=True)
class Batches:
    """Batches of every epoch, and how the network takes them.

    Attributes
    ----------
    of_epoch : callable
        Of an epoch's number: inputs and labels of each step.
    forward : callable
        From a step's inputs to logits, and to those of the auxiliary head or None.
    prepare : callable
        From pictures (uint8) to what `logits` takes; done once for pictures that are predicted after every epoch.
    logits : callable
        Of prepared pictures.
    steps : int
        Of an epoch.
    """

    of_epoch: Callable[[int], Iterator[tuple[Tensor, Tensor]]]
    forward: Callable[[Tensor], tuple[Tensor, Tensor | None]]
    prepare: Callable[[Tensor], Tensor]
    logits: Callable[[Tensor], Tensor]
    steps: int


def generator(seed: int, *axes: str | int) -> torch.Generator:
    """CPU generator of its own for one purpose."""
    return torch.Generator().manual_seed(derive_seed(seed, *axes))


def plain_batches(network: BlockNetwork, data: Data, settings: Settings) -> Batches:
    """The whole network on freshly augmented pictures in every epoch."""

    def of_epoch(epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        draw = generator(settings.seed, "augment", epoch)
        for rows in shuffled(len(data.labels), settings, epoch, data.labels.device):
            yield augmented(data, rows, settings, draw), data.labels[rows]

    return Batches(
        of_epoch,
        network.forward_both,
        lambda pictures: pictures,
        lambda x: network(normalise(x, data.normalisation)),
        n_steps(len(data.labels), settings),
    )


def head_batches(network: BlockNetwork, features: Tensor, labels: Tensor, settings: Settings) -> Batches:
    """A head on features (n, copies, width) that were computed before; an epoch takes one copy of each at random."""

    def take(choice: Tensor, rows: Tensor) -> Tensor:
        return features[rows, choice]

    return Batches(
        lambda epoch: chosen(take, features.shape[1], labels, settings, epoch),
        lambda x: network.onward(x, 0),
        lambda others: others[:, 0],
        network.head,
        n_steps(len(labels), settings),
    )


def chosen(
    take: Callable[[Tensor, Tensor], Tensor], copies: int, labels: Tensor, settings: Settings, epoch: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches of one copy of each picture; ``take`` gives what is asked for as (copies, rows)."""
    draw = generator(settings.seed, "view", epoch)  # copies were called so; another word would draw other copies
    choice = torch.randint(copies, (len(labels),), generator=draw).to(labels.device)
    for rows in shuffled(len(labels), settings, epoch, labels.device):
        yield take(choice[rows], rows), labels[rows]


def predict(network: BlockNetwork, logits: Callable[[Tensor], Tensor], prepared: Tensor) -> Tensor:
    """Logits (n, 7), float32, in evaluation mode."""
    network.eval()
    with torch.inference_mode(), autocast(prepared.device, network.half):
        return in_even_batches(lambda some: logits(some).float(), prepared)


def even_batches(n: int, size: int = _PREDICT_BATCH) -> Iterator[Tensor]:
    """Rows 0..n-1 in batches of one size; the last is filled up with the last row, so what comes of all is cut to n."""
    for at in range(0, n, size):
        yield torch.arange(at, at + size).clamp(max=n - 1)


def in_even_batches(run: Callable[[Tensor], Tensor], inputs: Tensor) -> Tensor:
    """What a function gives for inputs (n, ...), each by itself: to the bit, whatever is beside it."""
    found = [run(inputs[rows.to(inputs.device)]) for rows in even_batches(len(inputs))]
    return torch.cat(found)[: len(inputs)]


def augmented(data: Data, rows: Tensor, settings: Settings, draw: torch.Generator) -> Tensor:
    """Pictures of these rows, moved within the ranges and normalised, and some of them without a rectangle."""
    if settings.ranges == IDENTITY:
        return normalise(data.pictures[rows], data.normalisation)
    matrices = affine_matrices(len(rows), settings.ranges, draw).to(data.pictures.device)
    moved = warp(data.pictures[rows], matrices, data.normalisation)
    return erase(moved, settings.erase, draw) if settings.erase else moved


def shuffled(n: int, settings: Settings, epoch: int, device: torch.device) -> list[Tensor]:
    """Rows 0..n-1 in the epoch's order, in batches; a last batch of one joins the one before (BatchNorm needs two)."""
    order = torch.randperm(n, generator=generator(settings.seed, "shuffle", epoch)).to(device)
    batches = list(order.split(settings.batch_size))
    if len(batches) > 1 and len(batches[-1]) == 1:
        batches[-2:] = [torch.cat(batches[-2:])]
    return batches


def n_steps(n: int, settings: Settings) -> int:
    """Batches that `shuffled` gives."""
    whole, rest = divmod(n, settings.batch_size)
    return max(1, whole + (rest > 1))
