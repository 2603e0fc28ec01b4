"""May this be written over? What is there is looked at before it is replaced; what is not ours stays.

A file is ours by what it holds, never by its name. One that holds nothing has nothing to lose. What is written takes
the place of a name (`fer_bench.utils.files.atomic_write`), so that a link's other end is never written to.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

from fer_bench.errors import UserError

__all__ = ["head_of", "need_own", "own_copy"]

_HEAD_BYTES = 4096


def need_own(path: Path, ours: Callable[[Path], bool], what: str, name: str, remedy: str = "") -> None:
    """Refuse to write over what is not ours.

    Parameters
    ----------
    path : Path
        What is to be written.
    ours : callable
        Tells of a regular file with something in it whether it is one that would be written there.
    what : str
        What that is, such as "a folds' file of fer-bench".
    name : str
        What messages call the path: the parameter in backticks, or empty.
    remedy : str
        What to do; default: another name, or to move away what is there.

    Raises
    ------
    UserError
        Something else is there.
    """
    if not os.path.lexists(path):
        return
    found = "a file of another kind"
    try:
        mode = path.stat().st_mode
        if stat.S_ISREG(mode) and (not path.stat().st_size or ours(path)):
            return
        found = "a folder" if stat.S_ISDIR(mode) else found
    except OSError:
        found = "a link that leads nowhere, or what cannot be read"
    raise UserError(
        f"{name} {path}: expected {what} or nothing there, found {found}, which would be lost; "
        f"{remedy or 'give another name, or move it away'}".strip()
    )


def head_of(path: Path, size: int = _HEAD_BYTES) -> bytes:
    """Return the first bytes of a regular file; none of anything else, which may have no end."""
    try:
        with open(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as handle:
            return handle.read(size) if stat.S_ISREG(os.fstat(handle.fileno()).st_mode) else b""
    except OSError:
        return b""


def own_copy(path: Path) -> None:
    """Make a file that is to be appended to one of its own: not a link, and under no other name besides.

    Raises
    ------
    OSError
        It cannot be read or replaced.
    """
    if not path.is_file() or (not path.is_symlink() and path.stat().st_nlink == 1):
        return
    from .files import atomic_write

    content = path.read_bytes()
    with atomic_write(path) as handle:
        handle.write(content)
