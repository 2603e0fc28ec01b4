"""How to train, as one value."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import torch
from torch import nn

from .augment import FLIP, IDENTITY, MILD, PAPER, Normalisation, Ranges

__all__ = ["AUGMENTATIONS", "NORMALISATIONS", "OPTIMIZERS", "SCHEDULES", "Settings", "make_optimizer", "rate"]

AUGMENTATIONS: dict[bool | str, Ranges] = {False: IDENTITY, True: MILD, "flip": FLIP, "paper": PAPER}
OPTIMIZERS = ("adam", "sgd")
SCHEDULES = ("constant", "cosine", "step")
NORMALISATIONS: dict[str, tuple[float, float] | None] = {"network": None, "half": (0.5, 0.5), "unit": (0.0, 1.0)}
"""Mean and standard deviation of every channel; ``network``: those that the network's record declares."""


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
    ranges: Ranges
    seed: int
    optimizer: str = "adam"
    momentum: float = 0.9
    step_size: int = 6
    gamma: float = 0.1
    patience: int = 0

    @property
    def augments(self) -> bool:
        """Whether pictures are moved at all."""
        return self.ranges != IDENTITY

    @property
    def plain(self) -> Settings:
        """The same without augmentation."""
        return replace(self, ranges=IDENTITY)


def make_optimizer(
    parameters: Iterable[nn.Parameter], settings: Settings, learning_rate: float | None = None
) -> torch.optim.Optimizer:
    """Adam or SGD over the parameters that learn; Adam's weight decay, where asked for, is decoupled (AdamW)."""
    learning = [p for p in parameters if p.requires_grad]
    start = settings.learning_rate if learning_rate is None else learning_rate
    if settings.optimizer == "sgd":
        return torch.optim.SGD(
            learning, lr=start, momentum=settings.momentum, weight_decay=settings.weight_decay, fused=True
        )
    return torch.optim.Adam(
        learning,
        lr=start,
        betas=settings.betas,
        weight_decay=settings.weight_decay,
        decoupled_weight_decay=True,
        fused=True,
    )


def rate(settings: Settings, epoch: int, epochs: int) -> float:
    """Factor on the learning rate in an epoch of a stage that lasts ``epochs``.

    1; or half a cosine from 1 towards 0; or ``gamma`` once more after every ``step_size`` epochs.
    """
    if settings.schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * epoch / epochs))
    return settings.gamma ** (epoch // settings.step_size) if settings.schedule == "step" else 1.0


def normalisation(name: str, mean: tuple[float, ...], std: tuple[float, ...]) -> Normalisation:
    """The normalisation of that name, where ``network`` stands for ``mean`` and ``std``."""
    same = NORMALISATIONS[name]
    return Normalisation(mean, std) if same is None else Normalisation((same[0],) * len(mean), (same[1],) * len(mean))
