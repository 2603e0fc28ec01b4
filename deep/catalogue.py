"""Networks that the harness can find: shallow ones at several sizes, ImageNet architectures in five modes, other
systems from the literature (`literature`).

Imports no torch: `fer-bench list` reads this in milliseconds.
"""

from __future__ import annotations

from typing import Any

from fer_bench.methods import ImageSpec, MethodSpec

from .costs import cost
from .literature.landmarks import DGNN
from .literature.rows import METHODS as LITERATURE
from .networks.registry import MODES, Network
from .networks.zoo import IMAGENET, NETWORKS, RENDERED
from .recipes import COPIES, FULL, presets, quick
from .training.stages import GRADUAL

__all__ = ["METHODS", "cost", "rows"]

_FACTORY = "fer_bench.deep.classifier:NetworkClassifier"
_COST = "fer_bench.deep.catalogue:cost"
_ARTICLE = "Akhand et al. 2021, Electronics 10(9):1036, doi 10.3390/electronics10091036"
_SIZES = {"cnn2": (48, 64, 128, 224, 360), "cnn3": (64, 128)}


def _shallow(network: Network, size: int) -> MethodSpec:
    pairs = {"cnn2": "two", "cnn3": "three"}[network.name]
    return MethodSpec(
        name=f"{network.name}-{size}",
        family="cnn",
        factory=_FACTORY,
        image=ImageSpec(size, 1),
        params={"network": network.name, "mode": "scratch", **FULL},
        wants=("random_state", "device"),
        network=network.name,
        mode="scratch",
        profiles={"quick": quick(network, "scratch", size)},
        presets=presets(network, "scratch", size),
        cost=_COST,
        uses_torch=True,
        watches=True,
        summary=f"{pairs} 3x3 convolutions with 2x2 max-pooling, dense 128, grey {size} px",
        reference=_ARTICLE,
        version=2,  # predictions in batches of one size
    )


def _row(network: Network, mode: str, path: str, reference: str, family: str = "deep") -> MethodSpec:
    pretrained = mode != "scratch"
    origin = "rendered faces" if family == "rendered" else "ImageNet"
    special: dict[str, dict[str, Any]] = {
        "dense": {"augmented_copies": COPIES},
        "last_block": {"augmented_copies": COPIES},
        "gradual": {"augmented_copies": COPIES, "stages": [list(stage) for stage in GRADUAL]},
    }
    return MethodSpec(
        name=f"{network.name}-{mode}",
        family=family,
        factory=_FACTORY,
        image=ImageSpec(network.size, network.channels),
        params={"network": path, "mode": mode, **FULL, **special.get(mode, {})},
        wants=("random_state", "device", *(("weights",) if pretrained else ())),
        network=network.name,
        mode=mode,
        weights=network.weights if pretrained else None,
        profiles={"quick": quick(network, mode, network.quick)},
        presets=presets(network, mode, network.size),
        cost=_COST,
        uses_torch=True,
        watches=True,
        summary=f"{network.name}, {MODES[mode].replace('ImageNet', origin)}",
        reference=reference,
        # 2: predictions in batches of one size. One more, since before that frozen parts came to see the copies that
        # all folds share, or to give maps in bfloat16, and those that lose came to stay in float32.
        version=3 if mode in special or not network.bf16_on_cpu else 2,
    )


def rows(network: Network, path: str, reference: str = "") -> tuple[MethodSpec, ...]:
    """Make the methods of a network of your own, one a mode, to be registered as ``fer_bench.methods``.

    Parameters
    ----------
    network : Network
        The record.
    path : str
        ``"module:object"`` where it can be imported from.
    reference : str
        Where the network is described.
    """
    return tuple(_row(network, mode, path, reference) for mode in network.modes)


METHODS: tuple[MethodSpec, ...] = (
    *(_shallow(NETWORKS[name], size) for name, sizes in _SIZES.items() for size in sizes),
    *(_row(network, mode, network.name, _ARTICLE) for network in IMAGENET for mode in network.modes),
    # from scratch they are the networks above
    *(
        _row(network, mode, network.name, "", "rendered")
        for network in RENDERED
        for mode in network.modes
        if mode != "scratch"
    ),
    DGNN,
    *LITERATURE,
)
