"""Pretrained weights: where torchvision publishes them, and reading a file of them without running its code."""

from __future__ import annotations

import pickle
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
import torchvision
from safetensors import SafetensorError
from safetensors import torch as safetensors
from torch import Tensor

from fer_bench.errors import UserError

__all__ = ["DAMAGED", "load_state", "url"]

DAMAGED = (EOFError, OSError, RuntimeError, LookupError, TypeError, ValueError, AttributeError, AssertionError)
"""What readers of files of tensors raise on one that is cut short or has other bytes."""

_IMAGENET_CLASSES = 1000

_OTHER_KINDS = {
    b"<!doctype html": "a web page (what a site answers in place of a large file)",
    b"<html": "a web page (what a site answers in place of a large file)",
    b"\x89hdf": "an HDF5 file (Keras), which torch does not read",
    b"version https://git-lfs": "a pointer of Git LFS in place of the file",
}
"""First bytes, in small letters, of what lies about under a weights file's name."""

# Checkpoints of DenseNet name their layers as torchvision did before 0.3: "norm.1" for what is "norm1" today.
_OLD_DENSENET = re.compile(r"(denselayer\d+\.(?:norm|relu|conv))\.([12])\.")


def url(name: str) -> str:
    """Address of a network's IMAGENET1K_V1 weights, out of torchvision's own registry."""
    return str(torchvision.models.get_model_weights(name)["IMAGENET1K_V1"].url)


def load_state(
    path: str | Path, network: str, like: Mapping[str, Tensor], *, headless: bool = False
) -> dict[str, Tensor]:
    """Read a state dictionary and hold it against the network it is meant for.

    Training scripts save it under a name of its own ("state_dict") beside other things, and every tensor below a module
    ("module." of ``DataParallel``, "model.", "backbone."); both are taken off where there is one way to do so.

    Parameters
    ----------
    path : path
        File written by ``torch.save`` (only tensors are read, code in it is refused), or .safetensors.
    network : str
        Name for error messages.
    like : mapping of str to Tensor
        The network's own state dictionary (on any device, "meta" too): names and shapes expected.
    headless : bool
        The head, a last layer of 1000 outputs, will not be used: a file may lack it, and it is zeros then.

    Returns
    -------
    dict of str to Tensor
        In the order of ``like``; floating point values as float32.

    Raises
    ------
    UserError
        The file is missing, truncated, no weights file, holds code, or belongs to another network.
    """
    unused = _head(like) if headless else frozenset()
    state = _tensors(_read(Path(path), network), Path(path), network)
    state = _without_prefix(state, like)
    state = {_OLD_DENSENET.sub(r"\1\2.", name): value for name, value in state.items()}
    for name, value in like.items():
        # Counters are absent from files of torch < 0.4.1; no mode uses them.
        if name.endswith("num_batches_tracked") or name in unused:
            state.setdefault(name, torch.zeros(value.shape, dtype=value.dtype))
    _compare(state, like, unused, Path(path), network)
    return {name: state[name].to(value.dtype) for name, value in like.items()}


def _head(like: Mapping[str, Tensor]) -> frozenset[str]:
    """Names of the last layer's tensors, where it has ImageNet's outputs."""
    last = list(like)[-1].rpartition(".")[0] if like else ""
    names = frozenset(name for name in like if name.rpartition(".")[0] == last)
    return names if all(like[name].shape[:1] == (_IMAGENET_CLASSES,) for name in names) else frozenset()


def _again(network: str) -> str:
    """What to do with a bad file; one that is merely fetched anew would be found after the bad one."""
    return f"move it away, then `fer-bench weights fetch {network}` gets the published file"


def _read(path: Path, network: str) -> Any:
    again = _again(network)
    if not path.is_file():
        raise UserError(f"weights of {network}: there is no file {path}; `fer-bench weights fetch {network}` gets one")
    if kind := _other_kind(path):
        raise UserError(f"weights of {network}: {path} is {kind}, not a file of tensors; {again}")
    try:
        if path.suffix == ".safetensors":
            # Not a map of the file, where a disk that fails ends the process.
            return safetensors.load(path.read_bytes())
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise UserError(
            f"weights of {network}: {path} is no plain file of tensors (it would run code when loaded, or is not a "
            f"weights file at all) and was not loaded; save the model's state_dict() alone, or {again}"
        ) from error
    except (*DAMAGED, MemoryError, SafetensorError) as error:
        raise UserError(f"weights of {network}: {path} cannot be read, it is truncated or damaged; {again}") from error


def _other_kind(path: Path) -> str:
    """What a file is that is called weights and is none, by its first bytes; empty where that is not plain."""
    with open(path, "rb") as handle:
        start = handle.read(64).lstrip().lower()
    if not start:
        return "empty"
    return next((kind for head, kind in _OTHER_KINDS.items() if start.startswith(head)), "")


def _tensors(found: Any, path: Path, network: str) -> dict[str, Tensor]:
    """The one mapping of names to tensors that a file holds, itself or one level down."""
    if not _is_state(found) and isinstance(found, Mapping):
        inside = {name: value for name, value in found.items() if _is_state(value)}
        if len(inside) > 1:
            raise UserError(
                f"weights of {network}: {path} holds {len(inside)} sets of tensors ({_some(inside)}), and nothing says "
                f"which; save the one that is meant alone: torch.save(torch.load(FILE)[NAME], ...)"
            )
        found = next(iter(inside.values())) if inside else found
    if not _is_state(found):
        what = f"a mapping of {_some(found)}" if isinstance(found, Mapping) and found else type(found).__name__
        raise UserError(
            f"weights of {network}: {path} holds {what}, not names and tensors, nor one such mapping as state_dict; "
            f"{_again(network)}"
        )
    if odd := [name for name, value in found.items() if not isinstance(name, str) or not _plain(value)]:
        raise UserError(
            f"weights of {network}: {path} holds {len(odd)} entries that are no named tensors of plain real numbers "
            f"(such as {ascii(odd[0])[:100]}); {_again(network)}"
        )
    return {name: value.contiguous() for name, value in found.items()}


def _is_state(found: Any) -> bool:
    return isinstance(found, Mapping) and bool(found) and all(isinstance(value, Tensor) for value in found.values())


def _some(names: Iterable[object], most: int = 4) -> str:
    shown = [ascii(name)[:60] for name in names]
    return ", ".join(shown[:most]) + (f" and {len(shown) - most} more" if len(shown) > most else "")


def _without_prefix(state: dict[str, Tensor], like: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Take off the modules that all tensors of a file stand below and none of the network's does."""
    own = {name.partition(".")[0] for name in like}
    while len(heads := {name.partition(".")[0] for name in state}) == 1 and not heads & own:
        head = next(iter(heads)) + "."
        if not all(name.startswith(head) for name in state):
            break
        state = {name.removeprefix(head): value for name, value in state.items()}
    return state


def _plain(value: Tensor) -> bool:
    whole = value.layout is torch.strided and value.device.type == "cpu"
    return whole and not value.is_quantized and not value.is_complex()


def _compare(
    state: Mapping[str, Tensor], like: Mapping[str, Tensor], unused: Collection[str], path: Path, network: str
) -> None:
    missing = [name for name in like if name not in state]
    surplus = [name for name in state if name not in like]
    shapes = [name for name in like if name in state and state[name].shape != like[name].shape]
    found = [
        *([f"{len(missing)} missing (such as {missing[0]})"] if missing else []),
        *([f"{len(surplus)} unknown (such as {ascii(surplus[0])[:100]})"] if surplus else []),
        *([f"{len(shapes)} of another shape (such as {_shapes(shapes[0], state, like)})"] if shapes else []),
    ]
    if not found:
        return
    # Its own classes are of no use here, but seven of them say that it may have seen the very people who are tested.
    other_head = bool(shapes) and not missing and not surplus and set(shapes) <= set(unused)
    head = ", or, if it was not trained on any of these people, save this one without its head" if other_head else ""
    raise UserError(
        f"weights of {network}: {path} does not fit, of {len(like)} tensors expected there are {', '.join(found)}; "
        f"give the file of torchvision's {network} with 1000 outputs{head}"
    )


def _shapes(name: str, state: Mapping[str, Tensor], like: Mapping[str, Tensor]) -> str:
    expected, found = (" x ".join(map(str, one[name].shape)) or "one number" for one in (like, state))
    return f"{name}, expected {expected}, found {found}"
