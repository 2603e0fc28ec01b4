"""Pretraining on rendered faces: action units, pose and identity as targets, never the seven expressions.

The harness renders the pool (`fer_bench.runner.pretrain`); here is what learns from it. The blocks of the network are
kept, the three heads are dropped.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import IO, Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn import functional

from fer_bench.errors import FerBenchError
from fer_bench.methods import load_object

from .networks.build import BlockNetwork, cut_network, seeded
from .networks.registry import Network
from .networks.zoo import find
from .training.augment import MILD, Normalisation, affine_matrices, normalise, warp
from .training.batches import even_batches, generator
from .training.inputs import as_pictures, find_device
from .training.precision import autocast, computes_half

__all__ = ["BATCH", "LEARNING_RATE", "Pool", "features_alone", "pretrain"]

BATCH = 64
LEARNING_RATE = 1e-3
_RANGES = replace(MILD, scale=(0.85, 1.2), shift=0.08)
_LIGHT = 0.25
"""Contrast and brightness of a picture are changed by up to this share: photographs are lit in other ways."""
_IDENTITY = 0.2
"""Weight of the identity's cross-entropy beside the two squared errors of standardised targets."""
_HELD_OUT = 20
"""One person in so many is kept out of the training, to be measured on."""
_WARM_UP = 200


class Pool(Protocol):
    """Pictures and what they were made from, as `fer_bench.runner.pretrain.RenderedPool` documents them."""

    pictures: NDArray[np.uint8]
    units: NDArray[np.float32]
    pose: NDArray[np.float32]
    people: NDArray[np.int64]


@dataclass(frozen=True)
class _Targets:
    """On the device: ``values`` (n, 2 u + 2), standardised: units of the left half, of the right half, yaw, pitch."""

    values: Tensor
    people: Tensor
    n_units: int

    def mirrored(self, rows: Tensor, mirror: Tensor) -> Tensor:
        """Values of rows, as a mirrored picture has them: halves change places, and yaw its sign."""
        values = self.values[rows]
        u = self.n_units
        turned = torch.cat(
            [values[:, u : 2 * u], values[:, :u], -values[:, 2 * u : 2 * u + 1], values[:, 2 * u + 1 :]], 1
        )
        return torch.where(mirror[:, None], turned, values)


class _Heads(nn.Module):
    """Two linear heads on what the pool gives: values and people."""

    def __init__(self, width: int, values: int, people: int) -> None:
        super().__init__()
        self.values, self.people = nn.Linear(width, values), nn.Linear(width, people)


def features_alone(name: str, size: int) -> nn.Module:
    """torchvision's network without its classifier: what a rendered backbone's file holds."""
    net: Any = load_object(find(name.removesuffix("-rendered")).build)(name.removesuffix("-rendered"), size)
    return nn.ModuleDict({"features": net.features})


def pretrain(
    name: str,
    pool: Pool,
    handle: IO[bytes],
    *,
    epochs: int,
    seed: int,
    device: str,
    told: Mapping[str, str],
    tell: Callable[[str], None],
) -> None:
    """Train a network on a pool and write the values of its blocks, in half precision, with how they were made.

    Adam with a cosine from `LEARNING_RATE`, batches of `BATCH`, mild movements, light and mirror images. Every
    twentieth person is measured on and not trained on. One thread of a CPU gives the same bits each time.

    Parameters
    ----------
    name : str
        Of the network's record.
    pool : Pool
    handle : file
        Open for writing bytes.
    epochs, seed, device
        As everywhere.
    told : mapping of str to str
        Further metadata for the file.
    tell : callable
        Takes a line now and then.

    Raises
    ------
    FerBenchError
        The loss is no longer a finite number.
    """
    record, where = find(name), find_device(device)
    with seeded(seed):
        whole = load_object(record.build)(record.name, record.size)
        network = BlockNetwork(cut_network(whole, record, record.size), nn.Identity())
        units = pool.units.shape[2]
        heads = _Heads(record.width, 2 * units + 2, int(pool.people.max()) + 1)
    network, heads = network.to(where, memory_format=torch.channels_last), heads.to(where)  # type: ignore[call-overload]
    network.half = computes_half("auto", where, gains=record.bf16_on_cpu)
    targets, scale = _targets(pool, where)
    pictures = as_pictures(pool.pictures).to(where)
    tested = torch.from_numpy(pool.people % _HELD_OUT == _HELD_OUT - 1).to(where)
    _train(network, heads, record, pictures, targets, torch.nonzero(~tested)[:, 0], epochs, seed, tell)
    measured = _measure(network, heads, record, pictures, targets, torch.nonzero(tested)[:, 0], scale)
    tell("; ".join(f"{what}: {found}" for what, found in measured.items()))
    about = {**told, **measured, "seed": str(seed), "torch": torch.__version__, "licence": "MIT"}
    state = {key: value.detach().cpu() for key, value in whole.state_dict().items()}
    halved = {key: v.half() if v.is_floating_point() else v for key, v in state.items()}
    # The library writes several entries in an order of chance; one gives the same bytes each time.
    handle.write(save({key: v.contiguous() for key, v in halved.items()}, {"fer-bench": json.dumps(about)}))


def _targets(pool: Pool, where: torch.device) -> tuple[_Targets, Tensor]:
    """Standardised targets and their scale; halves share theirs, so that a mirror image needs no other one."""
    n, _, units = pool.units.shape
    pose = torch.from_numpy(pool.pose)
    both = torch.from_numpy(pool.units)
    mean = torch.cat([both.mean((0, 1)), both.mean((0, 1)), torch.tensor([0.0]), pose[:, 1].mean(0, keepdim=True)])
    spread = both.std((0, 1)).clamp_min(1e-3)
    scale = torch.cat([spread, spread, pose.std(0).clamp_min(1e-3)])
    values = (torch.cat([both.reshape(n, -1), pose], 1) - mean) / scale
    return _Targets(values.to(where), torch.from_numpy(pool.people).to(where), units), scale


def _train(
    network: BlockNetwork,
    heads: _Heads,
    record: Network,
    pictures: Tensor,
    targets: _Targets,
    rows: Tensor,
    epochs: int,
    seed: int,
    tell: Callable[[str], None],
) -> None:
    parameters = [*network.parameters(), *heads.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=LEARNING_RATE, fused=True)
    per_epoch = -(-len(rows) // BATCH)
    steps, step = epochs * per_epoch, 0
    network.train()
    for epoch in range(epochs):
        draw = generator(seed, "pretrain", epoch)
        order = rows[torch.randperm(len(rows), generator=draw).to(rows.device)]
        losses = []
        for some in order.split(BATCH):
            rate = min(1.0, (step + 1) / _WARM_UP) * 0.5 * (1 + math.cos(math.pi * step / steps))
            for group in optimizer.param_groups:
                group["lr"] = LEARNING_RATE * rate
            losses.append(_step(network, heads, record, pictures, targets, some, draw))
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            step += 1
        mean = [float(x) for x in torch.stack(losses).mean(0)]
        if not all(map(math.isfinite, mean)):
            raise FerBenchError(
                f"pretrain {record.name}: the loss of epoch {epoch + 1} is not a finite number; change the seed"
            )
        tell(f"epoch {epoch + 1} of {epochs}: squared error {mean[0]:.3f} of 1, identity {mean[1]:.2f} nats")


def _step(
    network: BlockNetwork,
    heads: _Heads,
    record: Network,
    pictures: Tensor,
    targets: _Targets,
    rows: Tensor,
    draw: torch.Generator,
) -> Tensor:
    """Gradients of a batch; both parts of its loss."""
    matrices = affine_matrices(len(rows), _RANGES, draw)
    mirror = (torch.det(matrices[:, :, :2]) < 0).to(rows.device)
    x = warp(pictures[rows], matrices.to(rows.device), Normalisation(record.mean, record.std))
    light = 1 + _LIGHT * (2 * torch.rand(2, len(rows), 1, 1, 1, generator=draw) - 1).to(x.device)
    x = x * light[0] + (light[1] - 1) / record.std[0]
    with autocast(x.device, network.half):
        features = network.pool(network.block(network.trunk(x)))
        error = functional.mse_loss(heads.values(features).float(), targets.mirrored(rows, mirror))
        identity = functional.cross_entropy(heads.people(features).float(), targets.people[rows])
    (error + _IDENTITY * identity).backward()
    return torch.stack([error.detach(), identity.detach()])


def _measure(
    network: BlockNetwork,
    heads: _Heads,
    record: Network,
    pictures: Tensor,
    targets: _Targets,
    rows: Tensor,
    scale: Tensor,
) -> dict[str, str]:
    """How well people outside the training are read."""
    network.eval()
    found = []
    with torch.inference_mode(), autocast(pictures.device, network.half):
        for some in even_batches(len(rows)):
            x = normalise(pictures[rows[some.to(rows.device)]], Normalisation(record.mean, record.std))
            found.append(heads.values(network.pool(network.block(network.trunk(x)))).float())
    wrong = torch.cat(found)[: len(rows)] - targets.values[rows]
    truth = targets.values[rows]
    u = 2 * targets.n_units
    explained = 1 - float(wrong[:, :u].square().sum() / (truth[:, :u] - truth[:, :u].mean(0)).square().sum())
    yaw, pitch = (wrong[:, u:].abs().mean(0).cpu() * scale[u:]).tolist()
    return {
        "action units, variance explained": f"{explained:.3f} on {len(rows)} pictures of other people",
        "pose, mean error": f"yaw {yaw:.1f}, pitch {pitch:.1f} degrees",
    }
