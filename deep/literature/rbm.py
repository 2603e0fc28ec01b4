"""Restricted Boltzmann machines, trained by one step of contrastive divergence.

Source: Hinton, Training products of experts by minimizing contrastive divergence, Neural Computation 14(8), 2002,
doi 10.1162/089976602760128018; rates, momentum and the start of visible biases after his Practical guide to training
restricted Boltzmann machines, doi 10.1007/978-3-642-35289-8_32, sections 8 to 10 and 13.2. The step
is Cho, Raiko and Ilin's enhanced gradient, Neural Computation 25(3), 2013.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from ..training.batches import generator

__all__ = ["Machine", "free_energy", "train_machine"]

_MOMENTUM = 0.5, 0.9
_SLOW_EPOCHS = 5  # with the smaller momentum
_DECAY = 2e-4
_SPREAD = 0.01  # of the first weights


@dataclass(frozen=True)
class Machine:
    """Binary hidden units over visible ones that are binary, or Gaussian with variance one.

    A binary visible unit may be a number from 0 to 1, taken for its probability.

    Attributes
    ----------
    weight : Tensor
        (hidden, visible), as in a linear layer.
    visible, hidden : Tensor
        Biases.
    gaussian : bool
        Of the visible units.
    errors : tuple of float
        Of each epoch of training: mean squared difference between data and their reconstruction.
    """

    weight: Tensor
    visible: Tensor
    hidden: Tensor
    gaussian: bool = False
    errors: tuple[float, ...] = ()

    def up(self, v: Tensor) -> Tensor:
        """Probabilities of hidden units (n, hidden)."""
        return torch.sigmoid(functional.linear(v, self.weight, self.hidden))

    def down(self, h: Tensor) -> Tensor:
        """Means of visible units (n, visible)."""
        means = functional.linear(h, self.weight.T, self.visible)
        return means if self.gaussian else torch.sigmoid(means)


def free_energy(machine: Machine, v: Tensor) -> Tensor:
    """Free energy (n,) of visible vectors (n, visible): minus the logarithm of their probability but for a constant."""
    alone = (v - machine.visible).square().sum(1) / 2 if machine.gaussian else -(v @ machine.visible)
    return alone - functional.softplus(functional.linear(v, machine.weight, machine.hidden)).sum(1)


def train_machine(
    v: Tensor,
    n_hidden: int,
    *,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
    gaussian: bool = False,
) -> Machine:
    """Train a machine on vectors (n, visible), on their device: values from 0 to 1, or standardised for Gaussian units.

    Chance is drawn on the CPU, from a generator of its own. Visible biases start from the data's means (of binary
    units their log-odds), so that hidden units need not learn these.
    """
    draw = generator(seed, "machine")
    mean = v.mean(0)
    weight = (_SPREAD * torch.randn(n_hidden, v.shape[1], generator=draw)).to(v.device)
    visible = mean if gaussian else torch.logit(mean, eps=0.01)
    machine = Machine(weight, visible, torch.zeros(n_hidden, device=v.device), gaussian)
    values = (machine.weight, machine.visible, machine.hidden)
    speeds = [torch.zeros_like(value) for value in values]
    errors = []
    for epoch in range(epochs):
        total = torch.zeros((), device=v.device)
        for rows in torch.randperm(len(v), generator=draw).split(batch_size):
            some = v[rows.to(v.device)]
            gradients, error = _divergence(machine, some, draw)
            for value, speed, gradient in zip(values, speeds, gradients, strict=True):
                decay = _DECAY if value is machine.weight else 0.0
                speed.mul_(_MOMENTUM[epoch >= _SLOW_EPOCHS]).add_(gradient - decay * value, alpha=learning_rate)
                value.add_(speed)
            total += error
        errors.append(float(total) / v.numel())
    return replace(machine, errors=tuple(errors))


def _divergence(machine: Machine, v: Tensor, draw: torch.Generator) -> tuple[tuple[Tensor, Tensor, Tensor], Tensor]:
    """Direction of one step for weights and biases, and the summed squared error of the reconstruction.

    Centred on the means of data and reconstruction: without, weights follow the units' means and hidden units come to
    be always on or always off.
    """
    h = machine.up(v)
    sampled = (h > torch.rand(h.shape, generator=draw).to(h.device)).float()
    v_again = machine.down(sampled)
    h_again = machine.up(v_again)
    v_mean, h_mean = (v + v_again).mean(0) / 2, (h + h_again).mean(0) / 2
    weight = ((h - h_mean).T @ (v - v_mean) - (h_again - h_mean).T @ (v_again - v_mean)) / len(v)
    visible, hidden = (v - v_again).mean(0) - h_mean @ weight, (h - h_again).mean(0) - weight @ v_mean
    return (weight, visible, hidden), (v - v_again).square().sum()
