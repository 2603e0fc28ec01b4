"""How to train, as one value."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from numbers import Integral, Real
from typing import Any

from fer_bench.errors import InputError

from ..networks.registry import MODES
from .augment import FLIP, IDENTITY, MILD, PAPER, Normalisation, Ranges
from .precision import PRECISIONS
from .stages import check_stages

__all__ = [
    "AUGMENTATIONS",
    "NORMALISATIONS",
    "OPTIMIZERS",
    "SCHEDULES",
    "Settings",
    "gather_settings",
]

AUGMENTATIONS: dict[bool | str, Ranges] = {
    **{False: IDENTITY, True: MILD, "flip": FLIP, "paper": PAPER, "erasing": MILD}
}
ERASED = 0.25
"""Share of the pictures that lose a rectangle where ``augment`` is ``erasing``; Zhong et al. 2020 take a half."""
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
    warmup: float = 0.0
    depth_decay: float = 1.0
    clip_norm: float = 0.0
    ema: float = 0.0
    erase: float = 0.0

    @property
    def augments(self) -> bool:
        """Whether pictures are moved at all."""
        return self.ranges != IDENTITY

    @property
    def plain(self) -> Settings:
        """The same without augmentation."""
        return replace(self, ranges=IDENTITY, erase=0.0)


def normalisation(name: str, mean: tuple[float, ...], std: tuple[float, ...]) -> Normalisation:
    """The normalisation of that name, where ``network`` stands for ``mean`` and ``std``."""
    same = NORMALISATIONS[name]
    return Normalisation(mean, std) if same is None else Normalisation((same[0],) * len(mean), (same[1],) * len(mean))


_RANGES = {
    "learning_rate": (0.0, math.inf),
    "weight_decay": (0.0, math.inf),
    "momentum": (0.0, 1.0),
    "gamma": (0.0, math.inf),
    "label_smoothing": (0.0, 1.0),
    "warmup": (0.0, 1.0),
    "clip_norm": (0.0, math.inf),
    "ema": (0.0, 1.0),
}


def gather_settings(given: Any) -> Settings:
    """Check the parameters of a `fer_bench.deep.classifier.NetworkClassifier` and gather those of training.

    Raises
    ------
    InputError
        A parameter is out of its range, or does nothing in this mode.
    """
    _check_numbers(given)
    _check_choices(given)
    _check_mode(given)
    return Settings(
        epochs=given.epochs,
        batch_size=given.batch_size,
        learning_rate=given.learning_rate,
        betas=(given.betas[0], given.betas[1]),
        weight_decay=given.weight_decay,
        schedule=given.schedule,
        label_smoothing=given.label_smoothing,
        ranges=AUGMENTATIONS[given.augment],
        seed=int(given.random_state),
        optimizer=given.optimizer,
        momentum=given.momentum,
        step_size=given.step_size,
        gamma=given.gamma,
        patience=given.patience,
        warmup=float(given.warmup),
        depth_decay=float(given.depth_decay),
        clip_norm=float(given.clip_norm),
        ema=float(given.ema),
        erase=ERASED if given.augment == "erasing" else 0.0,
    )


def _check_numbers(given: Any) -> None:
    whole = ("epochs", "min_steps", "batch_size", "augmented_copies", "patience", "step_size", "random_state")
    for name in whole:
        if not isinstance(value := getattr(given, name), Integral) or isinstance(value, bool):
            raise InputError(f"{name}: expected a whole number, found {value!r}")
    for name, (low, high) in _RANGES.items():
        value = getattr(given, name)
        if not isinstance(value, Real) or not low <= float(value) < high:
            raise InputError(f"{name}: expected a number from {low:g} to below {high:g}, found {value!r}")
    if not isinstance(given.depth_decay, Real) or not 0 < float(given.depth_decay) <= 1:
        raise InputError(f"depth_decay: expected a number above 0, at most 1, found {given.depth_decay!r}")
    least = {
        "epochs": 1,
        "min_steps": 0,
        "batch_size": 2,
        "augmented_copies": 1 if given.mode == "dense" else 0,
        "patience": 0,
        "step_size": 1,
    }
    for name, number in least.items():
        if getattr(given, name) < number:
            raise InputError(f"{name}: expected at least {number} in mode {given.mode}, found {getattr(given, name)}")
    pair = isinstance(given.betas, Sequence) and len(given.betas) == 2
    if not pair or not all(isinstance(beta, Real) and 0 <= float(beta) < 1 for beta in given.betas):
        raise InputError(f"betas: expected two numbers from 0 to below 1, found {given.betas}")


def _check_choices(given: Any) -> None:
    known: dict[str, Collection[Any]] = {
        "schedule": SCHEDULES,
        "optimizer": OPTIMIZERS,
        "augment": AUGMENTATIONS,
        "normalisation": NORMALISATIONS,
        "precision": PRECISIONS,
    }
    for name, choices in known.items():
        if not any(getattr(given, name) == choice for choice in choices):
            raise InputError(f"{name}: expected one of {', '.join(map(str, choices))}, found {getattr(given, name)!r}")


def _check_mode(given: Any) -> None:
    """Refuse what does nothing in the mode."""
    if given.augmented_copies and given.mode in ("entire", "scratch"):
        raise InputError(
            f"augmented_copies: mode {given.mode} has no frozen part to run once; expected 0, found "
            f"{given.augmented_copies}"
        )
    stages = check_stages(given.stages or ())
    if stages and given.mode in MODES and given.mode not in ("gradual", "entire"):
        raise InputError(f"stages: mode {given.mode} has one stage; expected None, found {given.stages}")
    if stages and given.mode == "entire" and stages[-1][0] != "entire":
        raise InputError(f'stages: of mode entire the last is "entire", found {given.stages}')
    if given.pretraining and (given.mode != "scratch" or "function" not in given.pretraining):
        raise InputError(
            f"pretraining: expected None, or a mapping with a function in mode scratch, found {given.pretraining!r} "
            f"in mode {given.mode}"
        )
