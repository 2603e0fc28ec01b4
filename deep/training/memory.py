"""Memory: what is free, what a training step holds, and caches for activations that may be larger than memory."""

from __future__ import annotations

import math
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
import psutil
import torch
from torch import Tensor

from fer_bench.errors import FerBenchError

__all__ = ["ActivationCache", "allocate", "free_memory", "held_bytes", "is_out_of_memory", "parts_for"]

_SHARE_OF_MEMORY = 1 / 8  # of what is free; other workers want some, too
_SHARE_OF_DEVICE = 1 / 2
_SHARE_OF_DISK = 1 / 4
_SHARE_FOR_STEPS = 0.8
_PER_HELD_BYTE = 2.0  # gradients of activations and the workspaces of convolutions beside what backward holds


def free_memory(device: torch.device) -> int:
    """Bytes that can still be had on a device."""
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        reserved = torch.cuda.memory_reserved(device)
        return device_room(free, total, reserved) + reserved - torch.cuda.memory_allocated(device)
    return int(psutil.virtual_memory().available)


def device_room(free: int, total: int, reserved: int) -> int:
    """What a process may still reserve: all that is free, or its part where several trials share a GPU.

    The harness tells how many in ``FER_BENCH_PER_GPU``.
    """
    share = int(os.environ.get("FER_BENCH_PER_GPU", "1"))
    return free if share <= 1 else max(0, min(free, total // share - reserved))


def free_disk() -> int:
    """Bytes free where temporary files go (TMPDIR)."""
    return shutil.disk_usage(tempfile.gettempdir()).free


def held_bytes(run: Callable[[], Any]) -> int:
    """Bytes of the tensors that a forward pass keeps for its backward pass."""
    held: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        held[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        # Not the tensor: an output that its own graph holds by way of Python is never freed, nor is the network.
        return tensor.detach()

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        run()
    return sum(held.values())


def parts_for(bytes_each: float, batch: int, free: int) -> int:
    """In how many parts a batch must go through a step: a power of two, parts of two pictures at least."""
    parts = 1
    while parts * 4 <= batch and bytes_each * _PER_HELD_BYTE * -(-batch // parts) > free * _SHARE_FOR_STEPS:
        parts *= 2
    return parts


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a step failed for want of memory, which a GPU and a processor's allocator say differently."""
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or "can't allocate memory" in str(error)


@dataclass(frozen=True)
class ActivationCache:
    """Activations (copies, n, ...) of one boundary, in a tensor or in a nameless file that ends with the process.

    The file is read and not mapped: pages of a map would count as the process's memory.
    """

    shape: tuple[int, ...]
    dtype: torch.dtype
    device: torch.device
    tensor: Tensor | None = None
    file: IO[bytes] | None = None

    def put(self, copy: int, start: int, values: Tensor) -> None:
        """Lay down rows ``start`` and following of a copy; maps (n, c, h, w) in the order channels last."""
        values = _flat(values).to(self.dtype)
        if self.tensor is not None:
            self.tensor[copy, start : start + len(values)] = values
            return
        assert self.file is not None
        raw = values.cpu().contiguous().view(torch.uint8).numpy()
        left, at = memoryview(raw.reshape(-1)), (copy * self.shape[1] + start) * self._row_bytes
        while left:  # a disk that is nearly full takes a part, and says only next time that it is full
            written = os.pwrite(self.file.fileno(), left, at)
            left, at = left[written:], at + written

    def take(self, copies: Tensor, rows: Tensor) -> Tensor:
        """One copy of each row."""
        if self.tensor is not None:
            return _maps(self.tensor[copies.to(self.tensor.device), rows.to(self.tensor.device)]).to(self.device)
        assert self.file is not None
        raw = np.empty((len(rows), self._row_bytes), dtype=np.uint8)
        for out, copy, row in zip(raw, copies.tolist(), rows.tolist(), strict=True):
            got = os.preadv(self.file.fileno(), [out.data], (copy * self.shape[1] + row) * self._row_bytes)
            if got < len(out):
                raise FerBenchError(
                    f"activations on disk ({tempfile.gettempdir()}): {got} of {len(out)} bytes are there"
                )
        values = torch.from_numpy(raw).view(self.dtype).view(len(rows), *self.shape[2:])
        return _maps(values).to(self.device)

    @property
    def _row_bytes(self) -> int:
        return math.prod(self.shape[2:]) * self.dtype.itemsize


def allocate(copies: int, n: int, examples: Mapping[int, Tensor]) -> dict[int, ActivationCache | None]:
    """A cache for each boundary on the device, in memory or on disk, in this order; None where it fits nowhere.

    Parameters
    ----------
    examples : mapping of int to Tensor
        (k, ...) activations of a few pictures, on the device, with the dtype that they are kept in; in the order in
        which they are given room.
    """
    left = {"memory": free_memory(torch.device("cpu")) * _SHARE_OF_MEMORY, "disk": free_disk() * _SHARE_OF_DISK}
    if any(example.device.type == "cuda" for example in examples.values()):
        left = {"device": free_memory(next(iter(examples.values())).device) * _SHARE_OF_DEVICE, **left}
    if not hasattr(os, "preadv"):
        left["disk"] = 0
    found: dict[int, ActivationCache | None] = {}
    for key, example in examples.items():
        shape = (copies, n, *_flat(example).shape[1:])
        size = math.prod(shape) * example.dtype.itemsize
        place = next((name for name, room in left.items() if size <= room), None)
        if place is not None:
            left[place] -= size
        found[key] = None if place is None else _cache(place, shape, example)
    return found


def _cache(place: str, shape: tuple[int, ...], example: Tensor) -> ActivationCache:
    if place == "disk":
        return ActivationCache(shape, example.dtype, example.device, file=tempfile.TemporaryFile())
    at = example.device if place == "device" else torch.device("cpu")
    return ActivationCache(shape, example.dtype, example.device, torch.empty(shape, dtype=example.dtype, device=at))


def _flat(values: Tensor) -> Tensor:
    return values.permute(0, 2, 3, 1) if values.dim() == 4 else values


def _maps(values: Tensor) -> Tensor:
    return values.permute(0, 3, 1, 2) if values.dim() == 4 else values
