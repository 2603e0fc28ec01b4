"""Training behind frozen parts: they see the same few augmented copies of each picture in every epoch, and so run once.

What they give for all copies lies in a cache (`memory`) if it fits there; where it does not they run in every epoch,
on the same copies, so that the result is the same but for rounding and only the time differs. Several stages
(``gradual``) share one pass: it leaves an activation at the boundary of each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..networks.build import BlockNetwork
from .augment import IDENTITY, Normalisation, Ranges, affine_matrices, copy_matrices, normalise, warp
from .batches import Batches, Data, chosen, even_batches, generator, in_even_batches, n_steps, plain_batches
from .inputs import CHUNK, as_pictures
from .memory import ActivationCache, allocate
from .precision import autocast
from .settings import Settings
from .stages import Stage

__all__ = ["FrozenFeatures", "copy_features", "front"]

_BATCH = 64
# Features of pictures that are shared by folds must not depend on what stands beside a picture: always so many go
# through together, filled up where there are fewer. Few on a processor, where predictions of single pictures count.
_FIXED_BATCH = {"cpu": 8, "cuda": 64}


class FrozenFeatures:
    """The batches of each stage of a training, with what frozen parts give computed once where it finds room.

    Parameters
    ----------
    copies : int
        How many augmented copies of each picture frozen parts see; with 0, or where nothing is frozen, every epoch
        augments afresh.

    Attributes
    ----------
    notes : list of str
        Where activations did not fit and frozen parts ran in every epoch.
    """

    def __init__(
        self, network: BlockNetwork, data: Data, settings: Settings, copies: int, stages: Sequence[Stage]
    ) -> None:
        self.network, self.data, self.settings, self.stages = network, data, settings, stages
        self.copies = copies if settings.augments else min(copies, 1)
        self.notes: list[str] = []
        self._caches: dict[int, ActivationCache | None] = {}
        self._matrices = torch.empty(0)

    def __call__(self, stage: int) -> Batches:
        """The batches of a stage whose blocks have just been told to learn."""
        depth = self.stages[stage].depth
        if not self.copies or depth == self.network.n_blocks:
            self._caches = {}
            return plain_batches(self.network, self.data, self.settings)
        if depth not in self._caches:
            self._fill([s.depth for s in self.stages[stage:] if s.depth < self.network.n_blocks])
        self._caches = {d: cache for d, cache in self._caches.items() if d >= depth}
        return self._batches(depth, self._caches[depth])

    def _batches(self, depth: int, cache: ActivationCache | None) -> Batches:
        network, data = self.network, self.data

        def compute(choice: Tensor, rows: Tensor) -> Tensor:
            matrices = self._matrices[choice.cpu(), rows.cpu()].to(data.pictures.device)
            moved = warp(data.pictures[rows], matrices, data.normalisation)
            return front(network, moved, [depth])[depth].float()

        def take(choice: Tensor, rows: Tensor) -> Tensor:
            return compute(choice, rows) if cache is None else cache.take(choice, rows).float()

        def prepare(pictures: Tensor) -> Tensor:
            return pictures if cache is None else in_even_batches(enter, pictures)

        def enter(pictures: Tensor) -> Tensor:
            return front(network, normalise(pictures, data.normalisation), [depth])[depth]

        def logits(x: Tensor) -> Tensor:
            return network.onward((enter(x) if cache is None else x).float(), depth)[0]

        def of_epoch(epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
            return chosen(take, self.copies, data.labels, self.settings, epoch)

        steps = n_steps(len(data.labels), self.settings)
        return Batches(of_epoch, lambda x: network.onward(x, depth), prepare, logits, steps)

    def _fill(self, depths: Sequence[int]) -> None:
        """Run the frozen parts over all copies, as far as what they give for a stage's boundary finds room."""
        n, pictures = len(self.data.labels), self.data.pictures
        self._matrices = torch.stack([self._drawn(copy) for copy in range(self.copies)])
        examples = front(self.network, normalise(pictures[:1], self.data.normalisation), depths)
        self._caches = allocate(self.copies, n, {depth: examples[depth] for depth in sorted(depths)})
        self.notes += [
            f"copies: what enters the last {depth} blocks ({self.copies} copies of {n} pictures) finds no room in "
            "memory or on disk; the frozen parts ran in every epoch, on the same copies: same result, more time"
            for depth, cache in self._caches.items()
            if cache is None
        ]
        wanted = {depth: cache for depth, cache in self._caches.items() if cache is not None}
        if not wanted:
            return
        for copy, matrices in enumerate(self._matrices):
            for start in range(0, n, _BATCH):
                part = slice(start, start + _BATCH)
                moved = warp(pictures[part], matrices[part].to(pictures.device), self.data.normalisation)
                for depth, values in front(self.network, moved, list(wanted)).items():
                    wanted[depth].put(copy, start, values)

    def _drawn(self, copy: int) -> Tensor:
        ranges: Ranges = self.settings.ranges if copy else IDENTITY  # the first copy is the picture as it is
        # Copies were called views; another word here would draw other ones.
        return affine_matrices(len(self.data.labels), ranges, generator(self.settings.seed, "cached view", copy))


def front(network: BlockNetwork, inputs: Tensor, depths: Sequence[int]) -> dict[int, Tensor]:
    """What frozen parts give for normalised pictures at the boundaries of these depths: maps in bfloat16.

    In that precision everywhere, so that a training does not depend on where its activations found room. What enters
    the head stays in float32. Blocks that are frozen are in evaluation mode already.
    """
    with torch.no_grad(), autocast(inputs.device, network.half):
        found = network.boundaries(inputs, depths)
    return {depth: x.float() if depth == 0 else x.bfloat16() for depth, x in found.items()}


def copy_features(
    network: BlockNetwork, images: NDArray[np.uint8], normalisation: Normalisation, ranges: Ranges, copies: int
) -> NDArray[np.float32]:
    """Features (n, copies * width) of images (n, h, w[, 3]), which may be memory-mapped, each by itself: to the bit.

    The copies of a picture depend on its bytes, whatever stands beside it; the first is the picture as it is.
    """
    chunks = (as_pictures(images[at : at + CHUNK]) for at in range(0, len(images), CHUNK))
    return np.concatenate([_chunk_features(network, chunk, normalisation, ranges, copies) for chunk in chunks])


def _chunk_features(
    network: BlockNetwork, pictures: Tensor, normalisation: Normalisation, ranges: Ranges, copies: int
) -> NDArray[np.float32]:
    """Features of pictures (n, c, h, w) on the CPU."""
    matrices = copy_matrices(pictures, ranges, copies)
    device = next(network.parameters()).device
    found = []
    for rows in even_batches(len(pictures), _FIXED_BATCH[device.type]):
        part = pictures[rows].to(device)
        each = [normalise(part, normalisation)]
        each += [warp(part, matrices[copy, rows].to(device), normalisation) for copy in range(1, copies)]
        outputs = [front(network, moved, [0])[0].cpu() for moved in each]
        found.append(torch.stack(outputs, 1))
    return torch.cat(found)[: len(pictures)].flatten(1).numpy()
