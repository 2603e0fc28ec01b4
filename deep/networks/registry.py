"""What a network is, declared once: the record that the catalogue, the costs and the builder read. Imports no torch.

A network of your own takes one record, in a module that imports no torch, and the functions that it names::

    MINE = Network(
        name="mine", build="my_nets:build", cut="my_nets:cut", blocks=("stem", "body"), width=64, size=96
    )
    METHODS = rows(MINE, path="my_module:MINE")  # rows: fer_bench.deep.catalogue

with ``METHODS`` registered under the entry-point group ``fer_bench.methods``. `NetworkClassifier` takes the path of a
record in place of a name, too: ``NetworkClassifier("my_module:MINE", "scratch")``.
"""

from __future__ import annotations

from dataclasses import dataclass

from fer_bench.methods import WeightsSpec

__all__ = ["MODES", "Network", "Work"]

MODES = {
    "dense": "pretrained on ImageNet, only a new head learns",
    "last_block": "pretrained on ImageNet, the last block and a new head learn",
    "entire": "pretrained on ImageNet, everything learns",
    "scratch": "random start, everything learns",
    "gradual": "pretrained on ImageNet, the head learns, then blocks join it from the last to the first",
}
"""Training modes and what they are, in a line."""


@dataclass(frozen=True)
class Work:
    """What a network costs.

    Attributes
    ----------
    giga : float
        Multiply-adds (10^9) of one forward pass at the network's ``size``, counted by torch's flop counter.
    block : float
        Share of them in the last block.
    rate : float
        10^9 multiply-adds a second in training, one thread, float32, AVX2, measured at the quick profile's sizes with a
        second process beside it; depthwise convolutions reach little, and so do many parameters on small pictures,
        where Adam's own work counts (a full run of those is quicker than estimated).
    """

    giga: float
    block: float
    rate: float


@dataclass(frozen=True)
class Network:
    """One architecture.

    Attributes
    ----------
    name : str
        As in the names of methods, ``<name>-<mode>``.
    blocks : tuple of str
        From input to output, what each block is; ``last_block`` trains the last, ``gradual`` frees them one by one.
    width : int
        Numbers that the pool gives for an image; the head takes these.
    build : str
        ``"module:function"``, called as ``build(name, size)``: the whole module with the values that a training from
        scratch starts from, out of torch's global generator. ``size`` is 0 where published weights are to be loaded.
    cut : str
        ``"module:function"``, called as ``cut(module, network, size)``: `fer_bench.deep.networks.architectures.Parts`
        with as many blocks as named here.
    starts : tuple of int
        Read by ``cut_features``: where in ``module.features`` the blocks begin.
    size, smallest, quick : int
        Side in pixels that published weights were trained at, the smallest that passes through, and that of quick runs.
    channels : int
        3 for RGB, 1 for grey.
    mean, std : tuple of float
        Of the channels, on the scale of 0 to 1, as the weights expect them.
    weights : WeightsSpec or None
        Published weights; without them the network knows the mode ``scratch`` alone.
    work : Work or None
        For estimates of time.
    bf16_on_cpu : bool
        Whether processors with units for bfloat16 train it quicker in that precision. Depthwise convolutions lose:
        with AVX512-bf16 a step took 1.5 to 2.4 times as long (benchmarks/bench_deep.py --precisions --turns 7).
    """

    name: str
    blocks: tuple[str, ...]
    width: int
    build: str = "fer_bench.deep.networks.architectures:torchvision_network"
    cut: str = "fer_bench.deep.networks.architectures:cut_features"
    starts: tuple[int, ...] = ()
    size: int = 224
    smallest: int = 32
    quick: int = 64
    channels: int = 3
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)
    weights: WeightsSpec | None = None
    work: Work | None = None
    bf16_on_cpu: bool = True

    @property
    def modes(self) -> tuple[str, ...]:
        """Modes that the network can be trained in."""
        return tuple(MODES) if self.weights else ("scratch",)
