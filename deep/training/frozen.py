"""Training behind frozen parts: they see the same few views of each picture in every epoch, and so run once.

What they give for all views lies on a shelf (`memory`) if it fits there; where it does not they run in every epoch,
on the same views, so that the result is the same but for rounding and only the time differs. Several stages
(``gradual``) share one pass: it leaves an activation at the boundary of each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..networks.build import StagedNetwork
from .augment import IDENTITY, Normalisation, Ranges, affine_matrices, normalise, view_matrices, warp
from .batches import Data, Feed, chosen, even_batches, generator, in_even_batches, plain_feed
from .memory import Shelf, make_shelves
from .precision import autocast
from .settings import Settings
from .stages import Stage

__all__ = ["Feeds", "front", "view_features"]

_BATCH = 64
# Features of pictures that are shared by folds must not depend on what stands beside a picture: always so many go
# through together, filled up where there are fewer. Few on a processor, where predictions of single pictures count.
_FIXED_BATCH = {"cpu": 8, "cuda": 64}


class Feeds:
    """What each stage of a training is fed.

    Parameters
    ----------
    views : int
        How many views of each picture frozen parts see; with 0, or where nothing is frozen, every epoch augments
        afresh.

    Attributes
    ----------
    notes : list of str
        Where activations did not fit and frozen parts ran in every epoch.
    """

    def __init__(
        self, network: StagedNetwork, data: Data, settings: Settings, views: int, stages: Sequence[Stage]
    ) -> None:
        self.network, self.data, self.settings, self.stages = network, data, settings, stages
        self.views = views if settings.augments else min(views, 1)
        self.notes: list[str] = []
        self._shelves: dict[int, Shelf | None] = {}
        self._matrices = torch.empty(0)

    def __call__(self, stage: int) -> Feed:
        """The feed of a stage whose blocks have just been told to learn."""
        depth = self.stages[stage].depth
        if not self.views or depth == self.network.n_blocks:
            self._shelves = {}
            return plain_feed(self.network, self.data, self.settings)
        if depth not in self._shelves:
            self._fill([s.depth for s in self.stages[stage:] if s.depth < self.network.n_blocks])
        self._shelves = {d: shelf for d, shelf in self._shelves.items() if d >= depth}
        return self._feed(depth, self._shelves[depth])

    def _feed(self, depth: int, shelf: Shelf | None) -> Feed:
        network, data = self.network, self.data

        def compute(choice: Tensor, rows: Tensor) -> Tensor:
            matrices = self._matrices[choice.cpu(), rows.cpu()].to(data.pictures.device)
            moved = warp(data.pictures[rows], matrices, data.normalisation)
            return front(network, moved, [depth])[depth].float()

        def take(choice: Tensor, rows: Tensor) -> Tensor:
            return compute(choice, rows) if shelf is None else shelf.take(choice, rows).float()

        def prepare(pictures: Tensor) -> Tensor:
            return pictures if shelf is None else in_even_batches(enter, pictures)

        def enter(pictures: Tensor) -> Tensor:
            return front(network, normalise(pictures, data.normalisation), [depth])[depth]

        def logits(x: Tensor) -> Tensor:
            return network.onward((enter(x) if shelf is None else x).float(), depth)[0]

        def batches(epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
            return chosen(take, self.views, data.labels, self.settings, epoch)

        return Feed(batches, lambda x: network.onward(x, depth), prepare, logits)

    def _fill(self, depths: Sequence[int]) -> None:
        """Run the frozen parts over all views, as far as what they give for a stage's boundary finds room."""
        n, pictures = len(self.data.labels), self.data.pictures
        self._matrices = torch.stack([self._drawn(view) for view in range(self.views)])
        examples = front(self.network, normalise(pictures[:1], self.data.normalisation), depths)
        shelves = make_shelves(self.views, n, {depth: examples[depth] for depth in sorted(depths)})
        self._shelves = dict(shelves)
        self.notes += [
            f"views: what enters the last {depth} blocks ({self.views} views of {n} pictures) finds no room in memory "
            "or on disk; the frozen parts ran in every epoch, on the same views: same result, more time"
            for depth, shelf in shelves.items()
            if shelf is None
        ]
        wanted = {depth: shelf for depth, shelf in shelves.items() if shelf is not None}
        if not wanted:
            return
        for view, matrices in enumerate(self._matrices):
            for start in range(0, n, _BATCH):
                part = slice(start, start + _BATCH)
                moved = warp(pictures[part], matrices[part].to(pictures.device), self.data.normalisation)
                for depth, values in front(self.network, moved, list(wanted)).items():
                    wanted[depth].put(view, start, values)

    def _drawn(self, view: int) -> Tensor:
        ranges: Ranges = self.settings.ranges if view else IDENTITY  # the first view is the picture as it is
        return affine_matrices(len(self.data.labels), ranges, generator(self.settings.seed, "cached view", view))


def front(network: StagedNetwork, inputs: Tensor, depths: Sequence[int]) -> dict[int, Tensor]:
    """What frozen parts give for normalised pictures at the boundaries of these depths: maps in bfloat16.

    In that precision everywhere, so that a training does not depend on where its activations found room. What enters
    the head stays in float32. Blocks that are frozen are in evaluation mode already.
    """
    with torch.no_grad(), autocast(inputs.device, network.half):
        found = network.boundaries(inputs, depths)
    return {depth: x.float() if depth == 0 else x.bfloat16() for depth, x in found.items()}


def view_features(
    network: StagedNetwork, pictures: Tensor, normalisation: Normalisation, ranges: Ranges, views: int
) -> NDArray[np.float32]:
    """Features (n, views * width) of pictures (n, c, h, w) on the CPU, each by itself: to the bit, whatever is beside.

    The views of a picture depend on its bytes; the first is the picture as it is.
    """
    matrices = view_matrices(pictures, ranges, views)
    device = next(network.parameters()).device
    found = []
    for rows in even_batches(len(pictures), _FIXED_BATCH[device.type]):
        part = pictures[rows].to(device)
        each = [normalise(part, normalisation)]
        each += [warp(part, matrices[view, rows].to(device), normalisation) for view in range(1, views)]
        outputs = [front(network, moved, [0])[0].cpu() for moved in each]
        found.append(torch.stack(outputs, 1))
    return torch.cat(found)[: len(pictures)].flatten(1).numpy()
