"""What a trial prints, kept up to a size: its beginning and its end, so that no method can fill a disk."""

from __future__ import annotations

import io
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import IO

__all__ = ["HEAD_BYTES", "TAIL_BYTES", "BoundedLog", "BoundedText"]

HEAD_BYTES = 512 * 1024
TAIL_BYTES = 512 * 1024


class BoundedText(io.TextIOBase):
    """A text stream, such as ``sys.stdout``, that goes into a `BoundedLog`."""

    def __init__(self, log: BoundedLog) -> None:
        self._log = log

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, text: str) -> int:
        """Take some text."""
        self._log.write(text.encode("utf-8", "replace"))
        return len(text)


class BoundedLog:
    """A file of a trial's output; made when the first byte comes, and never above 1 MB.

    The first half is written as it comes, for people who look on; the last is written by `close`, after a line that
    says how much is left out between.

    Parameters
    ----------
    path : Path
        Replaced, where there is one.
    head_bytes, tail_bytes : int
        How much is kept of the beginning and of the end.
    append : bool
        Keep what is there, and write behind it.
    """

    def __init__(
        self, path: Path, head_bytes: int = HEAD_BYTES, tail_bytes: int = TAIL_BYTES, *, append: bool = False
    ) -> None:
        self._path, self._tail_most = path, tail_bytes
        if not append:
            with suppress(OSError):
                path.unlink()
        self._file: IO[bytes] | None = None
        self._head_left = head_bytes
        self._tail: deque[bytes] = deque()
        self._tail_bytes = self._left_out = 0

    def write(self, data: bytes) -> None:
        """Take some output."""
        head, tail = data[: self._head_left], data[self._head_left :]
        if head:
            if self._file is None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self._path.open("ab", buffering=0)
            self._file.write(head)
            self._head_left -= len(head)
        if tail:
            self._tail.append(tail)
            self._tail_bytes += len(tail)
        while self._tail and self._tail_bytes - len(self._tail[0]) >= self._tail_most:
            dropped = len(self._tail.popleft())
            self._tail_bytes -= dropped
            self._left_out += dropped

    def close(self) -> None:
        """Write the end."""
        if self._file is None:
            return
        end = b"".join(self._tail)
        excess = max(0, len(end) - self._tail_most)
        if self._left_out + excess:
            self._file.write(b"\n[... %d bytes left out ...]\n" % (self._left_out + excess))
        self._file.write(end[excess:])
        self._file.close()
        self._file = None
