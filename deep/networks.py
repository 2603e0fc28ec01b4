"""Networks in four training modes: built, given their weights, frozen.

Modes (Akhand et al. 2021, doi 10.3390/electronics10091036, Table 2):

- ``dense``: pretrained; only the new head learns;
- ``last_block``: pretrained; the head and the last block learn;
- ``entire``: pretrained; everything learns;
- ``scratch``: random start; everything learns.

BatchNorm layers of frozen parts stay in evaluation mode: they normalise with the pretrained statistics and never
update them. (Updating them under a frozen trunk is the trap that leaves a ResNet-50 near chance.)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from fer_bench.errors import InputError, UserError
from fer_bench.labels import N_CLASSES

from .architectures import ARCHITECTURES, Parts, empty_network, fresh_network, network_names, torchvision_network
from .cnn import cnn2_parts
from .weights import load_state

__all__ = ["MODES", "StagedNetwork", "build", "freeze", "smallest_side", "write_random_weights"]

MODES = ("dense", "last_block", "entire", "scratch")
_TRAINED = {"dense": ("head",), "last_block": ("block", "head")}


class StagedNetwork(nn.Module):
    """trunk -> block -> pool -> head, with an optional auxiliary head on the trunk's output.

    Attributes
    ----------
    trunk, block, pool, head : module
        In the order of the forward pass; ``pool`` gives (n, width).
    auxiliary : module or None
        Second head for training (Inception's).
    trained : tuple of str
        Stages that learn; the others stay in evaluation mode whatever ``train()`` says.
    """

    def __init__(self, parts: Parts, pool: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.trunk, self.block, self.pool, self.head = parts.trunk, parts.block, pool, head
        self.auxiliary = parts.auxiliary
        self.trained: tuple[str, ...] = ("trunk", "block", "head", "auxiliary")

    def train(self, mode: bool = True) -> StagedNetwork:
        """Switch the stages that learn; frozen ones stay in evaluation mode."""
        super().train(mode)
        for name, stage in self.named_children():
            if name not in self.trained:
                stage.eval()
        return self

    def forward(self, images: Tensor) -> Tensor:
        """Logits (n, 7) of normalised images (n, c, h, w)."""
        return self.head(self.pool(self.block(self.trunk(images))))

    def forward_both(self, images: Tensor) -> tuple[Tensor, Tensor | None]:
        """Logits of the head, and of the auxiliary head where there is one that learns."""
        trunk = self.trunk(images)
        auxiliary = self.auxiliary(trunk) if self.auxiliary is not None and "auxiliary" in self.trained else None
        return self.head(self.pool(self.block(trunk))), auxiliary


def freeze(network: StagedNetwork, mode: str) -> StagedNetwork:
    """Let exactly the stages of a mode learn; the auxiliary head learns only where the trunk under it does."""
    network.trained = _TRAINED.get(mode, ("trunk", "block", "head", "auxiliary"))
    for name, stage in network.named_children():
        stage.requires_grad_(name in network.trained)
    return network.train()


def smallest_side(network: str) -> int:
    """Smallest image side in pixels that passes through a network."""
    return ARCHITECTURES[network].smallest if network in ARCHITECTURES else 4


def build(
    network: str, *, mode: str = "scratch", seed: int, size: int = 0, weights: str | Path | None = None
) -> StagedNetwork:
    """Build a network with seven outputs, ready to train in a mode.

    Parameters
    ----------
    network : str
        ``"cnn2"`` or a key of `ARCHITECTURES`.
    mode : str
        One of `MODES`; ``cnn2`` knows ``scratch`` alone.
    seed : int
        Of the random start; torch's global generator is left as it was.
    size : int
        Side of the images in pixels; only ``cnn2`` depends on it.
    weights : path, optional
        State dictionary of torchvision's network with its 1000 outputs; needed by all modes but ``scratch``.

    Raises
    ------
    UserError
        Unknown network or mode, or weights that are missing or do not fit.
    """
    if network not in network_names():
        raise UserError(f"network: expected one of {', '.join(network_names())}, found {network!r}")
    modes = ("scratch",) if network == "cnn2" else MODES
    if mode not in modes:
        raise UserError(f"mode of {network}: expected one of {', '.join(modes)}, found {mode!r}")
    with _seeded(seed):
        if network == "cnn2":
            parts, pool, hidden = cnn2_parts(size)
        else:
            parts = ARCHITECTURES[network].cut(_torchvision(network, mode, weights))
            pool, hidden = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()), parts.width
        staged = StagedNetwork(parts, pool, nn.Linear(hidden, N_CLASSES))
    return freeze(staged, mode)


def write_random_weights(name: str, path: str | Path, seed: int = 0) -> None:
    """Save a randomly initialised state dictionary of torchvision's network, for tests and dry runs.

    Raises
    ------
    InputError
        ``name`` is no torchvision network of this room.
    """
    if name not in ARCHITECTURES:
        raise InputError(f"network: expected one of {', '.join(ARCHITECTURES)}, found {name!r}")
    with _seeded(seed):
        torch.save(torchvision_network(name).state_dict(), path)


def _torchvision(name: str, mode: str, weights: str | Path | None) -> nn.Module:
    if mode == "scratch":
        return fresh_network(name)
    if weights is None:
        raise UserError(
            f"{name} in mode {mode} starts from pretrained weights and got none; give weights=<file> "
            f"(`fer-bench weights fetch {name}`) or train with mode 'scratch'"
        )
    net = empty_network(name)  # no time for initial values that are overwritten at once
    net.load_state_dict(load_state(weights, name, net.state_dict()), strict=True, assign=True)
    return net


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed torch's global CPU generator, which all initialisers use, and put it back afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.random.default_generator.manual_seed(seed)
        yield
