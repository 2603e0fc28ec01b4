"""A deep belief network: stacked restricted Boltzmann machines, then a neural network that starts from them.

Source: Zhao, Shi and Zhang, Facial Expression Recognition via Deep Learning, IETE Technical Review 32(5), 2015.
Known, though not verified in the article itself: grey pixels of 64 x 64 (also 32
and 16), machines trained without labels by contrastive divergence, a multilayer perceptron initialised from them.

Decided here, since the layers' sizes were not to be had: 500, 500 and 2,000 hidden units, those of Hinton and
Salakhutdinov 2006; Gaussian visible units over standardised grey levels (taken for probabilities, these leave hidden
units that are nearly the same for all faces, on which the network then learns nothing); no augmentation. Mean and
deviation of each pixel are part of the first layer. Machines see the pictures of the training fold alone, and no label.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from fer_bench.seeds import derive_seed

from ..networks.build import BlockNetwork
from ..training.augment import normalise
from ..training.batches import Data
from ..training.settings import Settings
from .rbm import Machine, train_machine

__all__ = ["dbn", "stack"]

_SIZES = (500, 500, 2000)
_LEAST_DEVIATION = 0.01  # of a pixel that is nearly the same on all pictures


def dbn(_: str, size: int) -> nn.Sequential:
    """Three layers of logistic units for square grey images of ``size`` pixels."""
    layers = [
        nn.Sequential(nn.Linear(before, after), nn.Sigmoid())
        for before, after in zip((size**2, *_SIZES), _SIZES, strict=False)
    ]
    layers[0].insert(0, nn.Flatten())
    return nn.Sequential(*layers)


def stack(
    network: BlockNetwork, data: Data, settings: Settings, _: Any = None, *, epochs: int, rates: Sequence[float]
) -> list[float]:
    """Train a machine for each layer, on what the one before gives, and put its weights into the layer.

    Parameters
    ----------
    epochs : int
        Of each machine.
    rates : sequence of float
        Learning rates of the first machine, whose visible units are Gaussian, and of the others.

    Returns
    -------
    list of float
        Error of reconstruction, machine after machine, epoch after epoch.
    """
    v = normalise(data.pictures, data.normalisation).flatten(1)
    mean, deviation = v.mean(0), v.std(0).clamp_min(_LEAST_DEVIATION)
    v = (v - mean) / deviation
    errors: list[float] = []
    for depth, block in enumerate([*network.trunk, network.block]):
        layer = next(module for module in block.modules() if isinstance(module, nn.Linear))
        machine: Machine = train_machine(
            v,
            layer.out_features,
            epochs=epochs,
            batch_size=settings.batch_size,
            learning_rate=rates[depth > 0],
            seed=derive_seed(settings.seed, depth),
            gaussian=depth == 0,
        )
        # The first machine's pixels are standardised, the layer's are not.
        weight = machine.weight / deviation if depth == 0 else machine.weight
        with torch.no_grad():
            layer.weight.copy_(weight)
            layer.bias.copy_(machine.hidden - weight @ mean if depth == 0 else machine.hidden)
        v = machine.up(v)
        errors += machine.errors
    return errors
