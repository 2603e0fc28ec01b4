"""A deep belief network: stacked restricted Boltzmann machines, then a neural network that starts from them.

Source: Zhao, Shi and Zhang, Facial Expression Recognition via Deep Learning, IETE Technical Review 32(5), 2015,
doi 10.1080/02564602.2015.1017542. Known, though not verified in the article itself: grey pixels of 64 x 64 (also 32
and 16), machines trained without labels by contrastive divergence, a multilayer perceptron initialised from them.

Decided here, since the layers' sizes were not to be had: 500, 500 and 2,000 hidden units, those of Hinton and
Salakhutdinov 2006; grey levels from 0 to 1 taken for probabilities; no augmentation. Machines see the pictures of the
training fold alone, and no label.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from fer_bench.seeds import derive_seed

from .augment import normalise
from .feeds import Data
from .networks import StagedNetwork
from .rbm import Machine, train_machine
from .settings import Settings

__all__ = ["dbn", "stack"]

_SIZES = (500, 500, 2000)


def dbn(_: str, size: int) -> nn.Sequential:
    """Three layers of logistic units for square grey images of ``size`` pixels."""
    layers = [
        nn.Sequential(nn.Linear(before, after), nn.Sigmoid())
        for before, after in zip((size**2, *_SIZES), _SIZES, strict=False)
    ]
    layers[0].insert(0, nn.Flatten())
    return nn.Sequential(*layers)


def stack(
    network: StagedNetwork, data: Data, settings: Settings, _: Any = None, *, epochs: int, learning_rate: float
) -> list[float]:
    """Train a machine for each layer, on what the one before gives, and put its weights into the layer.

    Returns
    -------
    list of float
        Error of reconstruction, machine after machine, epoch after epoch.
    """
    v = normalise(data.pictures, data.normalisation).flatten(1)
    errors: list[float] = []
    for depth, block in enumerate([*network.trunk, network.block]):
        layer = next(module for module in block.modules() if isinstance(module, nn.Linear))
        machine: Machine = train_machine(
            v,
            layer.out_features,
            epochs=epochs,
            batch_size=settings.batch_size,
            learning_rate=learning_rate,
            seed=derive_seed(settings.seed, depth),
        )
        with torch.no_grad():
            layer.weight.copy_(machine.weight)
            layer.bias.copy_(machine.hidden)
        v = machine.up(v)
        errors += machine.errors
    return errors
