"""The .safetensors format: a JSON table and the bytes it points into; nothing in such a file can run.

Layout: eight bytes with the table's length (little endian), the table, the bytes. The format is small and settled, and
the functions below are all that is needed of it, so that there is no package to depend on.
Source: https://github.com/huggingface/safetensors, "Format".
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor

__all__ = ["read_safetensors", "write_safetensors"]

_DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
_LONGEST_TABLE = 100_000_000  # as the format's own reader has it


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """Read all tensors of a file.

    Raises
    ------
    ValueError
        The file is truncated, or its table does not describe its bytes.
    """
    content = bytearray(path.read_bytes())
    length = int.from_bytes(content[:8], "little")
    if len(content) < 8 or length > min(_LONGEST_TABLE, len(content) - 8):
        raise ValueError("no table where the format has one")
    table = json.loads(content[8 : 8 + length].decode("utf-8"))
    table.pop("__metadata__", None)
    body = memoryview(content)[8 + length :]
    if sum(_extent(entry)[1] - _extent(entry)[0] for entry in table.values()) != len(body):
        raise ValueError("the table does not describe the bytes that follow it")
    return {name: _tensor(entry, body) for name, entry in table.items()}


def _extent(entry: dict[str, Any]) -> tuple[int, int]:
    start, end = entry["data_offsets"]
    return start, end


def _tensor(entry: dict[str, Any], body: memoryview) -> Tensor:
    start, end = _extent(entry)
    dtype, shape = _DTYPES[entry["dtype"]], entry["shape"]
    if not 0 <= start <= end <= len(body) or end - start != math.prod(shape) * dtype.itemsize:
        raise ValueError("a tensor's place does not fit its shape")
    if start == end:
        return torch.empty(shape, dtype=dtype)
    # a copy of its own: offsets need not be aligned to the type
    return torch.frombuffer(bytearray(body[start:end]), dtype=dtype).reshape(shape)


def write_safetensors(handle: IO[bytes], tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write tensors and what is told of them, in the order given; the same input gives the same bytes.

    Parameters
    ----------
    handle : file
        Open for writing bytes.
    tensors : mapping of str to Tensor
        On the CPU, of a type that the format knows.
    metadata : mapping of str to str
    """
    names = {dtype: name for name, dtype in _DTYPES.items()}
    table: dict[str, Any] = {"__metadata__": dict(metadata)}
    parts, at = [], 0
    for name, tensor in tensors.items():
        part = tensor.contiguous().numpy().tobytes()
        table[name] = {"dtype": names[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [at, at + len(part)]}
        parts.append(part)
        at += len(part)
    head = json.dumps(table, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)
    handle.write(len(head).to_bytes(8, "little") + head + b"".join(parts))
