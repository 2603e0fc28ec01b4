"""What learns when: a training as a list of stages, and how the epochs are shared out among them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from fer_bench.errors import InputError

__all__ = ["GRADUAL", "Stage", "check_stages", "plan_stages", "whole_epochs"]

_WHATS = ("dense", "last_block", "blocks", "entire")

GRADUAL: tuple[tuple[str, float, float], ...] = (("dense", 2, 1.0), ("blocks", 1, 0.2), ("entire", 4, 0.2))
"""Default of ``gradual``; the article gives neither epochs nor rates for its stages, these are ours."""


@dataclass(frozen=True)
class Stage:
    """A stretch of a training with an optimiser of its own.

    Attributes
    ----------
    depth : int
        Blocks that learn beside the head, counted from the last.
    epochs : int
        How long.
    learning_rate : float
        At the stage's first epoch.
    """

    depth: int
    epochs: int
    learning_rate: float


def plan_stages(
    mode: str, n_blocks: int, epochs: int, learning_rate: float, stages: Sequence[Sequence[object]] | None
) -> list[Stage]:
    """List the stages of a mode.

    Parameters
    ----------
    mode : str
        All modes but ``gradual`` are one stage, and ``entire`` may have several.
    n_blocks : int
        Blocks of the network.
    epochs, learning_rate
        Of the whole training.
    stages : sequence of (what, part, factor), optional
        Of ``gradual``, default `GRADUAL`, and of ``entire``, which may start from a head that has learnt alone (Kumar
        et al. 2022, arXiv 2202.10054). ``what`` is ``dense`` (the head), ``last_block``, ``blocks`` (a stage for
        each block that is still frozen, from the last, up to the first but one) or ``entire``. Parts share the epochs
        out: where they sum up to ``epochs``, they are epochs; with fewer epochs than stages some get none, never the
        last.
        The factor is applied to the learning rate.
    """
    if mode != "gradual" and not stages:
        depth = {"dense": 0, "last_block": 1}.get(mode, n_blocks)
        return [Stage(depth, epochs, learning_rate)]
    wanted: list[tuple[int, float, float]] = []
    for what, part, factor in check_stages(stages or GRADUAL):
        reached = wanted[-1][0] if wanted else 0
        depths = {"dense": [0], "last_block": [1], "entire": [n_blocks]}.get(what, [*range(reached + 1, n_blocks)])
        wanted += [(depth, part, factor) for depth in depths]
    total, done, before = sum(part for _, part, _ in wanted), 0.0, 0
    found = []
    for position, (depth, part, factor) in enumerate(wanted, start=1):
        done += part
        # The last stage has an epoch, however few there are: a training that never got there is not what was asked for.
        until = epochs if position == len(wanted) else min(int(epochs * done / total + 0.5 + 1e-9), epochs - 1)
        if until > before:
            found.append(Stage(depth, until - before, learning_rate * factor))
        before = until
    if not found:
        raise InputError(f"stages: {list(stages or ())} leave nothing to train in a network of {n_blocks} blocks")
    return found


def check_stages(stages: Sequence[Sequence[object]]) -> list[tuple[str, float, float]]:
    """Refuse stages that are none, or that freeze again what has learnt.

    Raises
    ------
    InputError
        What was expected and what was found.
    """
    found = []
    order = -1
    for stage in stages:
        whole = isinstance(stage, Sequence) and not isinstance(stage, str) and len(stage) == 3
        what, part, factor = stage if whole else (None, None, None)
        numbers = all(isinstance(x, (int, float)) and 0 < x < math.inf for x in (part, factor))
        if what not in _WHATS or not numbers or _WHATS.index(what) <= order:  # type: ignore[arg-type]
            raise InputError(
                "stages: expected [what, part of the epochs, factor on the learning rate] with numbers above 0 and "
                f"what out of {', '.join(_WHATS)}, in this order, found {list(stages)}"
            )
        order = _WHATS.index(what)  # type: ignore[arg-type]
        found.append((str(what), float(part), float(factor)))  # type: ignore[arg-type]
    return found


def whole_epochs(epochs: int, min_steps: int, n: int, batch_size: int) -> int:
    """Epochs that a training of n pictures takes: so many, or more where they are fewer than ``min_steps`` steps.

    A recipe that is told in passes alone trains small sets too little: 12 passes over 490 pictures are 190 steps.
    """
    return max(epochs, math.ceil(min_steps / max(1, round(n / batch_size))))
