"""An expression network that first imitates the convolutional maps of a frozen network, then learns the labels.

Source: Ding, Zhou and Chellappa, FaceNet2ExpNet: Regularizing a Deep Face Recognition Net for Expression Recognition,
FG 2017, arXiv 1609.06591. Stage 1: five times 3 x 3 convolution, ReLU and max-pooling, with 64, 128, 256, 512 and
512 maps, and a 1 x 1 convolution to 512 learn without labels, by squared error, to give the maps that a face network
gives behind its last pooling. Stage 2: a dense layer of 256 with dropout 0.5 and the outputs are added, everything
learns the labels.

Decided here: in place of VGG-Face, whose weights are not to be had freely, the teacher is an ImageNet network, hence
"-style" in the name of the rows: VGG-16, which has VGG-Face's layers, or another whose last maps are 512. The teacher's
maps are averaged to the size of the student's where they are larger; the error is measured in units of their mean
square, so that it does not depend on the teacher; both see the same moved picture.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from fer_bench.errors import UserError
from fer_bench.seeds import derive_seed

from ..networks.build import BlockNetwork, build
from ..training.batches import Data, augmented, generator, shuffled
from ..training.optimisers import make_optimizer
from ..training.precision import autocast
from ..training.settings import Settings

__all__ = ["expnet", "imitate", "regress"]

_WIDTHS = (64, 128, 256, 512, 512)
_MAPS = 512
_DENSE = 256


def expnet(_: str, size: int) -> nn.Sequential:
    """The network for square RGB images of ``size`` pixels: five blocks, the 1 x 1 convolution, the dense layer."""
    layers = [
        nn.Sequential(nn.Conv2d(before, after, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2))
        for before, after in zip((3, *_WIDTHS), _WIDTHS, strict=False)
    ]
    inputs = _MAPS * (size // 2 ** len(_WIDTHS)) ** 2
    # Linear up to here: what the teacher gives is regressed; the ReLU comes after.
    maps = nn.Conv2d(_WIDTHS[-1], _MAPS, 1)
    dense = (nn.ReLU(), nn.Flatten(), nn.Linear(inputs, _DENSE), nn.ReLU(inplace=True), nn.Dropout(0.5))
    return nn.Sequential(*layers, maps, nn.Sequential(*dense))


def imitate(
    network: BlockNetwork, data: Data, settings: Settings, weights: str | Path | None, *, teacher: str, epochs: int
) -> list[float]:
    """Stage 1: let the convolutional part learn the maps of a pretrained teacher; returns the error of each epoch.

    Raises
    ------
    UserError
        The teacher's weights are missing or do not fit, or its last maps are not 512.
    """
    device = data.pictures.device
    guide = build(teacher, mode="dense", seed=0, weights=weights).to(device)
    guide.half = network.half
    return regress(network, guide, data, settings, epochs)


def regress(network: BlockNetwork, teacher: BlockNetwork, data: Data, settings: Settings, epochs: int) -> list[float]:
    """Bring the trunk's maps towards the teacher's, which is left as it is."""
    own = replace(settings, seed=derive_seed(settings.seed, "imitation"))
    optimizer = make_optimizer(network.trunk.parameters(), own)
    teacher.eval()
    network.train()
    errors = []
    for epoch in range(epochs):
        draw, sums = generator(own.seed, "augment", epoch), []
        for rows in shuffled(len(data.pictures), own, epoch, data.pictures.device):
            x = augmented(data, rows, own, draw)
            error = _error(network, teacher, x)
            error.backward()
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            sums.append(error.detach() * len(rows))
        errors.append(float(torch.stack(sums).sum()) / len(data.pictures))
    return errors


def _error(network: BlockNetwork, teacher: BlockNetwork, x: Tensor) -> Tensor:
    """Squared error of the maps, as a share of the teacher's mean square."""
    with autocast(x.device, network.half):
        maps = network.trunk(x)
        with torch.no_grad():
            wanted = teacher.block(teacher.trunk(x))
    if wanted.dim() != 4 or wanted.shape[1] != maps.shape[1]:
        raise UserError(
            f"teacher: expected a network that ends in {maps.shape[1]} maps, such as vgg16, resnet18 or squeezenet1_0, "
            f"found one that ends in {tuple(wanted.shape[1:])}"
        )
    wanted = functional.adaptive_avg_pool2d(wanted.float(), list(maps.shape[-2:]))
    return functional.mse_loss(maps.float(), wanted) / wanted.square().mean().clamp_min(1e-12)
