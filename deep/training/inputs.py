"""What a classifier is given: images, people, a device; checked, and brought to tensors."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fer_bench.errors import InputError, UserError
from fer_bench.methods import check_images
from fer_bench.seeds import derive_seed

from ..networks.build import BlockNetwork
from ..networks.registry import Network
from .augment import Normalisation, normalise
from .batches import Data, predict
from .settings import Settings

__all__ = [
    "CHUNK",
    "as_data",
    "as_pictures",
    "check_shape",
    "digest",
    "file_hash",
    "find_device",
    "held_out_rows",
    "probabilities",
    "softmax",
]

CHUNK = 256
"""Images that are copied out of a memory map at a time."""


def check_shape(images: NDArray[np.uint8], network: Network) -> NDArray[np.uint8]:
    """Check the images' type and shape against the network."""
    images = check_images(images, channels=network.channels)
    height, width = images.shape[1:3]
    if height != width or height < network.smallest:
        raise InputError(
            f"images: {network.name} takes squares of at least {network.smallest} pixels, found {height} x {width}"
        )
    return images


def held_out_rows(groups: NDArray[Any] | None, labels: NDArray[np.int64], settings: Settings) -> NDArray[np.bool_]:
    """Rows of the people on whom early stopping looks: a tenth of them, at least one; nobody without patience."""
    if not settings.patience:
        return np.zeros(len(labels), dtype=bool)
    people = np.unique(groups) if groups is not None and len(groups) == len(labels) else np.empty(0)
    if len(people) < 2:
        raise InputError(
            f"groups: early stopping (patience {settings.patience}) holds people out of the training; expected "
            f"{len(labels)} names of at least two people, found {'none' if groups is None else f'{len(people)}'}"
        )
    order = np.random.default_rng(derive_seed(settings.seed, "inner split")).permutation(people)
    return np.isin(groups, order[: -(-len(people) // 10)])  # type: ignore[arg-type]


def find_device(name: str) -> torch.device:
    """The device of that name, or the user's mistake in a sentence."""
    if name not in ("cpu", "cuda", "auto"):
        raise UserError(f"device: expected cpu, cuda or auto, found {name!r}")
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError("device: cuda was asked for and torch finds none here; use device 'cpu' or 'auto'")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


@cache
def file_hash(path: str, changed: int) -> str:
    """sha256 of a file; asked for again only where it was changed."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def as_pictures(images: NDArray[np.uint8]) -> Tensor:
    """Copy images (n, h, w) or (n, h, w, 3), perhaps out of a memory map, to (n, c, h, w) with channels last."""
    array = np.array(images, dtype=np.uint8, order="C")
    tensor = torch.from_numpy(array)
    return tensor.unsqueeze(1) if array.ndim == 3 else tensor.permute(0, 3, 1, 2)


def as_data(
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    rows: NDArray[np.bool_],
    normalisation: Normalisation,
    device: torch.device,
) -> Data:
    """The images and labels of these rows, on the device."""
    chosen = images if rows.all() else images[rows]
    return Data(as_pictures(chosen).to(device), torch.from_numpy(labels[rows]).to(device), normalisation)


def softmax(logits: Tensor) -> NDArray[np.float64]:
    """Probabilities of logits, in double precision, on the CPU."""
    return torch.softmax(logits.double(), 1).cpu().numpy()


def probabilities(
    network: BlockNetwork, images: NDArray[np.uint8], normalisation: Normalisation
) -> NDArray[np.float64]:
    """Probabilities (n, 7) of images (n, h, w[, 3]), which may be memory-mapped."""
    device, found = next(network.parameters()).device, []
    for at in range(0, len(images), CHUNK):
        pictures = as_pictures(images[at : at + CHUNK]).to(device)
        found.append(softmax(predict(network, lambda x: network(normalise(x, normalisation)), pictures)))
    return np.concatenate(found)


def digest(params: Mapping[str, Any], *arrays: NDArray[Any] | None) -> str:
    """Name parameters and arrays by their content."""
    found = hashlib.sha256(repr(sorted(params.items())).encode())
    for array in arrays:
        found.update(repr(None if array is None else (array.shape, str(array.dtype))).encode())
        if array is not None:
            plain = np.asarray(array)
            found.update(np.ascontiguousarray(plain if plain.dtype.kind != "O" else plain.astype(str)).data)
    return found.hexdigest()
