"""A source of files: what every kind of it offers, and the limits that all keep."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath

from fer_bench.errors import UserError

from ..manifest import Excluded
from .kinds import NO_PICTURES, PICTURES, ending, is_systems_own, is_table, picture_format

__all__ = ["MAX_FILES", "Source", "check_count", "file_stamp", "max_bytes"]


MAX_FILES = 2_000_000
"""Files in a source. The largest set of faces, AffectNet, has 290,000 pictures with four files of annotation each."""
_MAX_PICTURE_BYTES = 200_000_000
_MAX_TABLE_BYTES = 1_000_000_000
_SETTLED_SECONDS = 2.0


@dataclass(frozen=True)
class Source:
    """The files of a dataset.

    Attributes
    ----------
    path : Path
        What the user gave.
    files : tuple of str
        Sorted names relative to it, with ``/`` between folders. None leads out of it, none is a link.
    read : callable
        ``read(name) -> bytes``, at most `max_bytes` of them, from any thread; raises OSError or ValueError with a
        sentence where that does not work.
    refused : tuple of Excluded
        What may not be read at all, such as links and paths outside the archive, with the reason.
    stamp : callable
        ``stamp(name)`` is a text that changes when the file's bytes do, or empty where that cannot be promised (a
        file changed within the last two seconds may change again within the clock's grain).
    parameter : str
        What errors call it: the parameter that named it, such as ``"test_data"``.
    head : callable
        ``head(name)`` is a file's first `kinds.HEAD_BYTES` bytes, empty where they cannot be read.
    allow_outside : bool
        Whether a table may name pictures outside its folder.
    told : set of str
        Names of the files that were read as tables: neither pictures nor left out.
    """

    path: Path
    files: tuple[str, ...]
    read: Callable[[str], bytes]
    refused: tuple[Excluded, ...] = ()
    stamp: Callable[[str], str] = lambda _: ""
    parameter: str = "data"
    head: Callable[[str], bytes] = lambda _: b""
    allow_outside: bool = False
    told: set[str] = field(default_factory=set, compare=False, repr=False)
    _heads: dict[str, bytes] = field(default_factory=dict, compare=False, repr=False)

    @property
    def where(self) -> str:
        """Parameter and path, to begin an error with."""
        return f"`{self.parameter}` {self.path}"

    @cached_property
    def paths(self) -> tuple[tuple[str, PurePosixPath], ...]:
        """Name and path of every file but those that operating systems and archivers add."""
        return tuple((name, PurePosixPath(name)) for name in self.files if not is_systems_own(name))

    @cached_property
    def pictures(self) -> tuple[tuple[str, PurePosixPath], ...]:
        """Name and path of every picture: by its ending, and where that is no picture's, by its first bytes."""
        found = ((name, self._as_picture(name, path)) for name, path in self.paths)
        return tuple((name, path) for name, path in found if path is not None)

    def start_of(self, name: str) -> bytes:
        """First bytes of a file, read once."""
        if name not in self._heads:
            self._heads[name] = self.head(name)
        return self._heads[name]

    def _as_picture(self, name: str, path: PurePosixPath) -> PurePosixPath | None:
        if name[name.rfind(".") :].lower() in PICTURES:  # as nearly all are
            return path
        end = ending(path)
        if end in PICTURES:
            return path
        if end in NO_PICTURES or not picture_format(self.start_of(name)):
            return None
        # What stands behind the last point of KA.AN1.39 is no ending, and belongs to the name.
        return path.with_name(f"{path.name}.img") if end[1:].isdigit() else path


def max_bytes(name: str) -> int:
    """Return how many bytes a file may have: 1 GB for a table (FER2013's has 0.3), 200 MB for a picture."""
    return _MAX_TABLE_BYTES if is_table(PurePosixPath(name)) else _MAX_PICTURE_BYTES


def check_count(where: str, n: int) -> None:
    """Refuse a source of more than `MAX_FILES` files; ``where`` is as in `Source`."""
    if n > MAX_FILES:
        raise UserError(
            f"{where}: more than {MAX_FILES:,} files; expected a set of faces: give the folder that holds it"
        )


def file_stamp(path: Path) -> str:
    """Return a text that changes with a file's content, empty where it changed a moment ago or is not there.

    The time of the last change of the file's own record cannot be set back by copying tools, that of its content can.
    """
    try:
        info = path.stat()
    except (OSError, ValueError):
        return ""
    if time.time() - max(info.st_mtime, info.st_ctime) < _SETTLED_SECONDS:
        return ""
    return f"{info.st_size}:{info.st_mtime_ns}:{info.st_ctime_ns}"
