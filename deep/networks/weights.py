"""Pretrained weights: where torchvision publishes them, and reading a file of them without running its code."""

from __future__ import annotations

import pickle
import re
from collections.abc import Mapping
from pathlib import Path

import torch
import torchvision
from safetensors import SafetensorError
from safetensors import torch as safetensors
from torch import Tensor

from fer_bench.errors import UserError

__all__ = ["DAMAGED", "load_state", "url"]

DAMAGED = (EOFError, OSError, RuntimeError, LookupError, TypeError, ValueError, AttributeError, AssertionError)
"""What readers of files of tensors raise on one that is cut short or has other bytes."""

# Checkpoints of DenseNet name their layers as torchvision did before 0.3: "norm.1" for what is "norm1" today.
_OLD_DENSENET = re.compile(r"(denselayer\d+\.(?:norm|relu|conv))\.([12])\.")


def url(name: str) -> str:
    """Address of a network's IMAGENET1K_V1 weights, out of torchvision's own registry."""
    return str(torchvision.models.get_model_weights(name)["IMAGENET1K_V1"].url)


def load_state(path: str | Path, network: str, like: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Read a state dictionary and hold it against the network it is meant for.

    Parameters
    ----------
    path : path
        File written by ``torch.save`` (only tensors are read, code in it is refused), or .safetensors.
    network : str
        Name for error messages.
    like : mapping of str to Tensor
        The network's own state dictionary (on any device, "meta" too): names and shapes expected.

    Returns
    -------
    dict of str to Tensor
        In the order of ``like``; floating point values as float32.

    Raises
    ------
    UserError
        The file is missing, truncated, no weights file, holds code, or belongs to another network.
    """
    state = _read(Path(path), network)
    state = {_OLD_DENSENET.sub(r"\1\2.", name): value for name, value in state.items()}
    for name, value in like.items():
        if name.endswith("num_batches_tracked"):  # absent from files of torch < 0.4.1; no mode uses it
            state.setdefault(name, torch.zeros(value.shape, dtype=value.dtype))
    _compare(state, like, Path(path), network)
    return {name: state[name].to(value.dtype) for name, value in like.items()}


def _read(path: Path, network: str) -> dict[str, Tensor]:
    again = f"fetch it again (`fer-bench weights fetch {network}`)"
    if not path.is_file():
        raise UserError(f"weights of {network}: there is no file {path}; {again}")
    try:
        if path.suffix == ".safetensors":
            # Not a map of the file, where a disk that fails ends the process.
            state = safetensors.load(path.read_bytes())
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise UserError(
            f"weights of {network}: {path} is no plain file of tensors (it would run code when loaded, or is not a "
            f"weights file at all) and was not loaded; {again}"
        ) from error
    except (*DAMAGED, MemoryError, SafetensorError) as error:
        raise UserError(f"weights of {network}: {path} cannot be read, it is truncated or damaged; {again}") from error
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise UserError(f"weights of {network}: {path} holds {type(state).__name__}, not names and tensors; {again}")
    if odd := [name for name, value in state.items() if not isinstance(name, str) or not _plain(value)]:
        raise UserError(
            f"weights of {network}: {path} holds {len(odd)} entries that are no named tensors of plain real numbers "
            f"(such as {odd[0]!r}); {again}"
        )
    return {name: value.contiguous() for name, value in state.items()}


def _plain(value: Tensor) -> bool:
    whole = value.layout is torch.strided and value.device.type == "cpu"
    return whole and not value.is_quantized and not value.is_complex()


def _compare(state: Mapping[str, Tensor], like: Mapping[str, Tensor], path: Path, network: str) -> None:
    missing = [name for name in like if name not in state]
    surplus = [name for name in state if name not in like]
    shapes = [name for name in like if name in state and state[name].shape != like[name].shape]
    found = [f"{len(names)} {what} (such as {names[0]})" for names, what in ((missing, "missing"), (surplus, "unknown"),
             (shapes, "of another shape")) if names]  # fmt: skip
    if found:
        raise UserError(
            f"weights of {network}: {path} does not fit, of {len(like)} tensors expected there are {', '.join(found)}; "
            f"give the file of torchvision's {network} with 1000 outputs"
        )
