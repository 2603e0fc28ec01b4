"""Networks in training modes: built, given their weights, frozen.

Modes (Akhand et al. 2021, doi 10.3390/electronics10091036, Table 2 and section on the pipeline):

- ``dense``: pretrained; only the new head learns;
- ``last_block``: pretrained; the head and the last block learn;
- ``entire``: pretrained; everything learns;
- ``scratch``: random start; everything learns;
- ``gradual``: pretrained; first the head learns, then blocks join it from the last to the first
  (`fer_bench.deep.training.stages`).

BatchNorm layers of frozen parts stay in evaluation mode: they normalise with the pretrained statistics and never
update them. (Updating them under a frozen trunk is the pitfall that leaves a ResNet-50 near chance.)
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from fer_bench.errors import InputError, UserError
from fer_bench.labels import N_CLASSES
from fer_bench.methods import load_object

from .architectures import Parts
from .registry import Network
from .weights import load_state
from .zoo import NETWORKS, find

__all__ = [
    "HEADS",
    "BlockNetwork",
    "build",
    "cut_network",
    "empty_network",
    "head_alone",
    "learn",
    "pretrained",
    "seeded",
    "smallest_side",
    "write_random_weights",
]

HEADS = ("linear", "hidden", "factored")
_HIDDEN = 512
_FIRST_DEPTH = {"dense": 0, "last_block": 1, "gradual": 0}


class BlockNetwork(nn.Module):
    """trunk -> block -> pool -> head, with an optional auxiliary head on the trunk's output.

    Attributes
    ----------
    trunk, block, pool, head : module
        In the order of the forward pass; ``trunk`` is a chain of blocks, ``pool`` gives (n, width).
    auxiliary : module or None
        Second head for training (Inception's).
    depth : int
        How many blocks learn beside the head, counted from the last; the others stay in evaluation mode whatever
        ``train()`` says.
    half : bool
        Whether it computes in bfloat16.
    """

    half = False

    def __init__(self, parts: Parts, head: nn.Module) -> None:
        super().__init__()
        self.trunk, self.block = nn.Sequential(*parts.blocks[:-1]), parts.blocks[-1]
        self.pool = parts.pool or nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.head = head
        self.auxiliary = parts.auxiliary
        self.depth = self.n_blocks

    @property
    def n_blocks(self) -> int:
        """Blocks between the image and the pool."""
        return len(self.trunk) + 1

    def frozen(self) -> list[nn.Module]:
        """The blocks that do not learn; the auxiliary head learns only where the block under it does."""
        blocks = [*self.trunk, self.block][: self.n_blocks - self.depth]
        return blocks + ([self.auxiliary] if self.auxiliary is not None and self.depth < 2 else [])

    def train(self, mode: bool = True) -> BlockNetwork:
        """Switch what learns; what is frozen stays in evaluation mode."""
        super().train(mode)
        for block in self.frozen():
            block.eval()
        return self

    def forward(self, images: Tensor) -> Tensor:
        """Logits (n, 7) of normalised images (n, c, h, w)."""
        return self.head(self.pool(self.block(self.trunk(images))))

    def boundaries(self, images: Tensor, depths: Collection[int]) -> dict[int, Tensor]:
        """What enters the last ``depth`` blocks, for several depths by one pass; for 0 what enters the head."""
        found, x = {}, images
        for left, block in zip(range(self.n_blocks, 0, -1), [*self.trunk, self.block], strict=True):
            if left in depths:
                found[left] = x
            if left <= min(depths):
                break
            x = block(x)
        return {**found, 0: self.pool(x)} if 0 in depths else found

    def forward_both(self, images: Tensor) -> tuple[Tensor, Tensor | None]:
        """`onward` from the images."""
        return self.onward(images, self.n_blocks)

    def onward(self, x: Tensor, depth: int) -> tuple[Tensor, Tensor | None]:
        """Logits from a boundary on: of the head, and of the auxiliary head where there is one that learns."""
        if depth == 0:
            return self.head(x), None
        x = self.trunk[self.n_blocks - depth :](x) if depth < self.n_blocks else self.trunk(x)
        auxiliary = self.auxiliary(x) if self.auxiliary is not None and self.depth >= 2 else None
        return self.head(self.pool(self.block(x))), auxiliary


def learn(network: BlockNetwork, depth: int) -> BlockNetwork:
    """Let the head and exactly the last ``depth`` blocks learn."""
    network.depth = depth
    network.requires_grad_(True)
    for block in network.frozen():
        block.requires_grad_(False)
    return network.train()


def smallest_side(network: str) -> int:
    """Smallest image side in pixels that passes through a network."""
    return find(network).smallest


def build(
    network: str,
    *,
    mode: str = "scratch",
    seed: int,
    size: int = 0,
    weights: str | Path | None = None,
    head: str = "linear",
) -> BlockNetwork:
    """Build a network with seven outputs, ready to train in a mode (``gradual``: in its first stage).

    Parameters
    ----------
    network : str
        A name of `fer_bench.deep.networks.zoo.NETWORKS`, or ``"module:object"`` of a record.
    mode : str
        One of `fer_bench.deep.networks.registry.MODES`; networks without published weights know ``scratch`` alone.
    seed : int
        Of the random start; torch's global generator is left as it was.
    size : int
        Side of the images in pixels (0: that of the published weights); the shallow ones and ``vit_b_16`` depend on it.
    weights : path, optional
        State dictionary of torchvision's network with its 1000 outputs; needed by all modes but ``scratch``.
    head : str
        ``"linear"``; ``"hidden"``: 512 units with ReLU before it; ``"factored"``: the 512 without an activation.

    Raises
    ------
    UserError
        Unknown network, mode or head, or weights that are missing or do not fit.
    """
    record = find(network)
    for what, choice, known in ((f"mode of {record.name}", mode, record.modes), ("head", head, HEADS)):
        if choice not in known:
            raise UserError(f"{what}: expected one of {', '.join(known)}, found {choice!r}")
    with seeded(seed):
        parts = _parts(record, mode, size or record.size, weights)
        built = BlockNetwork(parts, _head(head, record.width))
    return learn(built, _FIRST_DEPTH.get(mode, built.n_blocks))


def head_alone(network: str, *, seed: int, head: str = "linear") -> BlockNetwork:
    """The head that `build` would give in mode ``dense``, on features that come from elsewhere.

    Raises
    ------
    UserError
        Unknown network or head.
    """
    record = find(network)
    if head not in HEADS:
        raise UserError(f"head: expected one of {', '.join(HEADS)}, found {head!r}")
    with seeded(seed):
        return learn(BlockNetwork(Parts((nn.Identity(),), pool=nn.Identity()), _head(head, record.width)), 0)


def empty_network(name: str) -> nn.Module:
    """A network as published, on the "meta" device: shapes without values, for those who bring the values."""
    with torch.device("meta"):
        return load_object(find(name).build)(name, 0)


def write_random_weights(name: str, path: str | Path, seed: int = 0) -> None:
    """Save a randomly initialised state dictionary in place of a published one, for tests and dry runs.

    Raises
    ------
    InputError
        ``name`` is no network of this package that starts from a file.
    """
    known = [network.name for network in NETWORKS.values() if network.weights]
    if name not in known:
        raise InputError(f"network: expected one of {', '.join(known)}, found {name!r}")
    with seeded(seed):
        torch.save(load_object(find(name).build)(name, 0).state_dict(), path)


def _parts(record: Network, mode: str, size: int, weights: str | Path | None) -> Parts:
    whole = (
        load_object(record.build)(record.name, size)
        if mode == "scratch"
        else pretrained(record, mode, weights, headless=True)
    )
    return cut_network(whole, record, size)


def cut_network(whole: nn.Module, record: Network, size: int) -> Parts:
    """Cut a module as its record says; the parts share the module's values.

    Raises
    ------
    InputError
        The record names another number of blocks.
    """
    parts: Parts = load_object(record.cut)(whole, record, size)
    if len(parts.blocks) != len(record.blocks):
        raise InputError(
            f"network {record.name}: its record names {len(record.blocks)} blocks, {record.cut} gives "
            f"{len(parts.blocks)}"
        )
    return parts


def pretrained(record: Network, mode: str, weights: str | Path | None, *, headless: bool = False) -> nn.Module:
    """The whole network as published, with the values of a file, for a mode that needs them.

    ``headless``: its own head is cut off, and the file may lack it.

    Raises
    ------
    UserError
        The weights are missing or do not fit.
    """
    if weights is None:
        raise UserError(
            f"{record.name} in mode {mode} starts from pretrained weights and got none; give weights=<file> "
            f"(`fer-bench weights fetch {record.name}`) or train with mode 'scratch'"
        )
    with torch.device("meta"):  # no time for initial values that are overwritten at once
        net = load_object(record.build)(record.name, 0)
    net.load_state_dict(load_state(weights, record.name, net.state_dict(), headless=headless), strict=True, assign=True)
    return net


def _head(kind: str, width: int) -> nn.Module:
    if kind == "linear":
        return nn.Linear(width, N_CLASSES)
    between = [nn.ReLU(inplace=True)] if kind == "hidden" else []
    return nn.Sequential(nn.Linear(width, _HIDDEN), *between, nn.Linear(_HIDDEN, N_CLASSES))


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed torch's global CPU generator, which all initialisers use, and put it back afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.random.default_generator.manual_seed(seed)
        yield
