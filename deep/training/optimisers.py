"""Optimisers, the rate of each step and block, and a running average of the weights."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from ..networks.build import BlockNetwork
from .checkpoint import TrainingState
from .settings import Settings

__all__ = ["Averaged", "learning_groups", "make_optimizer", "rate", "with_rates"]

_Step = TypeVar("_Step")


def learning_groups(network: BlockNetwork, settings: Settings) -> Iterable[Any]:
    """What learns, for `make_optimizer`: in groups where blocks have rates, or parts of them no weight decay.

    A block ``k`` places before the head learns at ``depth_decay ** k`` times the rate (Howard and Ruder 2018,
    doi 10.18653/v1/P18-1031; layer-wise decay in Clark et al. 2020, arXiv 2003.10555). Biases and the scales of norms,
    which have one dimension, are not decayed (He et al. 2019, arXiv 1812.01187).
    """
    if settings.depth_decay == 1 and not settings.weight_decay:
        return network.parameters()
    groups: dict[tuple[int, bool], list[nn.Parameter]] = {}
    for depth, part in _by_depth(network):
        for parameter in part.parameters():
            if parameter.requires_grad:
                groups.setdefault((depth, parameter.ndim > 1), []).append(parameter)
    return [
        {
            "params": parameters,
            "scale": settings.depth_decay**depth,
            "weight_decay": settings.weight_decay if decays else 0.0,
        }
        for (depth, decays), parameters in groups.items()
    ]


def _by_depth(network: BlockNetwork) -> Iterator[tuple[int, nn.Module]]:
    """Every part, and how many places it stands before the head."""
    yield 0, network.head
    yield 0, network.pool
    if network.auxiliary is not None:
        yield 0, network.auxiliary
    yield from enumerate([network.block, *reversed(network.trunk)], start=1)


def make_optimizer(
    parameters: Iterable[Any], settings: Settings, learning_rate: float | None = None
) -> torch.optim.Optimizer:
    """Adam or SGD over the parameters, or groups, that learn; Adam's weight decay is decoupled (AdamW).

    Gradients are scaled to a norm of ``clip_norm`` at most before a step, where that is asked for.
    """
    learning = [p for p in parameters if isinstance(p, dict) or p.requires_grad]
    start = settings.learning_rate if learning_rate is None else learning_rate
    made: torch.optim.Optimizer
    if settings.optimizer == "sgd":
        made = torch.optim.SGD(
            learning, lr=start, momentum=settings.momentum, weight_decay=settings.weight_decay, fused=True
        )
    else:
        made = torch.optim.Adam(
            learning,
            lr=start,
            betas=settings.betas,
            weight_decay=settings.weight_decay,
            decoupled_weight_decay=True,
            fused=True,
        )
    if settings.clip_norm:
        _clip_before_steps(made, settings.clip_norm)
    return made


def _clip_before_steps(optimizer: torch.optim.Optimizer, norm: float) -> None:
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]

    def clip(*_: Any) -> None:
        nn.utils.clip_grad_norm_(parameters, norm)

    optimizer.register_step_pre_hook(clip)


def rate(settings: Settings, epoch: float, epochs: int, step: float = 1.0) -> float:
    """Factor on the learning rate at a place of a stage.

    A straight line from zero in the first ``warmup`` of the stage (Goyal et al. 2017, arXiv 1706.02677); then 1, or
    half a cosine from 1 towards 0 (Loshchilov and Hutter 2017, arXiv 1608.03983), or ``gamma`` once more after every
    ``step_size`` epochs.

    Parameters
    ----------
    epoch : float
        Epochs done, with the share of the one that runs.
    epochs : int
        Of the stage.
    step : float
        Share of an epoch that a step takes.
    """
    warm = settings.warmup * epochs
    if epoch < warm:
        return min(1.0, (epoch + step) / warm)
    if settings.schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * (epoch - warm) / (epochs - warm)))
    return settings.gamma ** (int(epoch) // settings.step_size) if settings.schedule == "step" else 1.0


def with_rates(
    steps: Iterable[_Step],
    n_steps: int,
    optimizer: torch.optim.Optimizer,
    settings: Settings,
    learning_rate: float,
    place: tuple[int, int],
) -> Iterator[_Step]:
    """Set each step's rate before it is taken; ``place`` is the epoch and how many the stage has."""
    epoch, epochs = place
    for done, step in enumerate(steps):
        factor = rate(settings, epoch + min(done / n_steps, 1 - 1e-9), epochs, 1 / n_steps)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate * factor * group.get("scale", 1.0)
        yield step


class Averaged:
    """A running average of the network's values over steps (Polyak and Juditsky 1992, doi 10.1137/0330046).

    The values and statistics of every step come in with weight ``1 - decay``, and with more in the first ones, where
    there is little to average: ``decay`` is (1 + t) / (10 + t) there. It is kept in ``state``, with which it is saved.
    """

    def __init__(
        self, network: BlockNetwork, optimizer: torch.optim.Optimizer, decay: float, state: TrainingState
    ) -> None:
        self.network, self.decay, self.state = network, decay, state
        if not state.averaged:
            state.averaged = {name: value.detach().clone() for name, value in self._values().items()}
        optimizer.register_step_post_hook(lambda *_: self._update())

    def _values(self) -> dict[str, Tensor]:
        return {name: value for name, value in self.network.state_dict().items() if value.is_floating_point()}

    @torch.no_grad()
    def _update(self) -> None:
        weight = 1 - min(self.decay, (1 + self.state.averaged_steps) / (10 + self.state.averaged_steps))
        self.state.averaged_steps += 1
        torch._foreach_lerp_(list(self.state.averaged.values()), list(self._values().values()), weight)

    @torch.no_grad()
    def swap(self) -> None:
        """Exchange the average with the network's values; twice changes nothing."""
        for name, value in self._values().items():
            kept = value.clone()
            value.copy_(self.state.averaged[name])
            self.state.averaged[name].copy_(kept)
