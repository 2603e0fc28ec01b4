"""Files of the cache with a checksum beside them: what was damaged since is found out before it gives figures.

``NAME.sum`` beside ``NAME`` holds the number of its bytes and their CRC-32, which finds damage (one in four thousand
million goes by) three times as fast as a hash that no forger could meet; nobody forges their own cache.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypedDict, cast

from .files import atomic_write
from .json_files import find_sealed, sealed_text
from .regular import open_at_once, unfit

__all__ = ["fault_of", "sealed_write"]

_CHUNK = 1 << 20

_GATHERED = 1 << 16
"""Bytes that wait to be written at most: a store that is being made is seen to grow."""


class _Sum(TypedDict):
    bytes: int
    crc32: int


class _Summing:
    """A file that is written from start to end, and the checksum of what went into it.

    Small parts are summed and written together: for both the interpreter's lock is let go, and while other threads
    decode pictures, to get it back takes longer than the sum.
    """

    def __init__(self, handle: IO[bytes]) -> None:
        self._handle = handle
        self._waiting = bytearray()
        self.sum = _Sum(bytes=0, crc32=0)

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        if len(self._waiting) + len(view) > _GATHERED:
            self.flush()
        if len(view) > _GATHERED:
            self._write(view)
        else:
            self._waiting += view
        return len(view)

    def flush(self) -> None:
        if self._waiting:
            self._write(self._waiting)
            self._waiting = bytearray()

    def _write(self, data: bytearray | memoryview) -> None:
        self.sum = _Sum(bytes=self.sum["bytes"] + len(data), crc32=zlib.crc32(data, self.sum["crc32"]))
        self._handle.write(data)


@contextmanager
def sealed_write(path: Path) -> Iterator[IO[bytes]]:
    """Write a file as `atomic_write` does, from start to end, and its checksum beside it.

    The checksum takes its name first: where the file is, its checksum is, or another file's. For the holder of a lock.

    Raises
    ------
    StorageError
        As of `atomic_write`.
    """
    with atomic_write(path) as handle:
        summing = _Summing(handle)
        yield cast(IO[bytes], summing)
        summing.flush()
        with atomic_write(_beside(path), "w") as note:
            note.write(sealed_text(summing.sum))


def fault_of(path: Path) -> str:
    """Return why a file is not what `sealed_write` wrote, in a few words; empty where it is. Reads all of it."""
    try:
        with open(path, "rb", buffering=0, opener=open_at_once) as handle:
            about = os.fstat(handle.fileno())
            if why := unfit(about, float("inf")):
                return f"it is {why}"
            told = find_sealed(_beside(path), _Sum)
            if told is None:
                return "it has no checksum, as earlier versions left it, or a damaged one"
            if about.st_size != told["bytes"]:
                return f"it has {about.st_size:,} bytes, {told['bytes']:,} were written"
            found, room = 0, memoryview(bytearray(_CHUNK))
            while got := handle.readinto(room):
                found = zlib.crc32(room[:got], found)
    except OSError as error:
        return error.strerror or str(error)
    return "" if found == told["crc32"] else "its bytes are not those that were written"


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.sum")
