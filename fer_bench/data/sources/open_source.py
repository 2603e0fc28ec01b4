"""Where files come from: a folder or an archive, read in place; nothing is ever extracted."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from fer_bench.errors import UserError

from ..manifest import Excluded
from .base import Source, check_count, file_stamp, max_bytes
from .kinds import HEAD_BYTES, kind_of, picture_format

__all__ = ["LINK", "open_source", "read_file", "start_of_file"]


def open_source(path: Path, parameter: str = "data") -> Source:
    """List the files of a folder, zip or tar (plain or compressed); errors name it by the parameter it was given as.

    Raises
    ------
    UserError
        There is no such path, it is neither a folder nor a sound archive, or it holds more than is credible.
    """
    from .archives import is_tar, is_zip, open_tar, open_zip

    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        mode = 0
    if stat.S_ISDIR(mode):
        return _open_folder(path, parameter)
    if stat.S_ISREG(mode):
        _refuse_parts(path, parameter)
        if is_zip(path):
            return open_zip(path, parameter)
        if is_tar(path):
            return open_tar(path, parameter)
        raise UserError(
            f"`{parameter}` {path}: expected a folder, a zip or a tar file in KDEF's or another known layout, or a "
            f"table, found {_what_else(path)}"
        )
    raise UserError(
        f"`{parameter}` {path}: no such file or folder; give a folder or zip of pictures in KDEF's or another known "
        "layout, or 'synthetic'"
    )


_PARTS = re.compile(r"\.(\d{3}|z\d\d|r\d\d|part\d+\.rar)$", re.IGNORECASE)


def _refuse_parts(path: Path, parameter: str) -> None:
    """Refuse one file of an archive that was split, which may begin or end as a whole one does."""
    part = _PARTS.search(path.name)
    last = path.with_suffix(".z01") if path.suffix.lower() == ".zip" else None
    if part or (last is not None and last.is_file()):
        raise UserError(
            f"`{parameter}` {path}: it is one part of an archive that was split; put all of its parts into one folder, "
            "open the first one with 7-Zip (`7z x FILE`), and give the folder that comes out"
        )


def _what_else(path: Path) -> str:
    """What a file is that cannot be data, with what to do where there is something."""
    head = start_of_file(str(path.resolve()))
    if picture_format(head):
        return "a picture: give the folder that it lies in"
    kind = kind_of(path, head)
    if kind == "an archive":
        return "an archive of another kind: unpack it, with 7-Zip (`7z x FILE`) for example, and give the folder"
    return "another kind of file" if kind == "not a picture" else kind


def _open_folder(path: Path, parameter: str) -> Source:
    files: list[str] = []
    refused: list[Excluded] = []

    def unreadable(error: OSError) -> None:
        refused.append(Excluded(os.path.relpath(error.filename, path), f"the folder cannot be read: {error.strerror}"))

    for home, folders, names in os.walk(path, onerror=unreadable):
        prefix = Path(home).relative_to(path).as_posix() + "/" if home != str(path) else ""
        refused += [Excluded(prefix + f, LINK) for f in folders if _is_link(os.path.join(home, f))]
        for name in names:
            reason = _why_not(os.path.join(home, name))
            if reason:
                refused.append(Excluded(prefix + name, reason))
            else:
                files.append(prefix + name)
        check_count(f"`{parameter}` {path}", len(files))
    return Source(
        path,
        tuple(sorted(files)),
        lambda name: read_file(path / name, max_bytes(name)),
        tuple(refused),
        lambda name: file_stamp(path / name),
        parameter,
        lambda name: start_of_file(f"{path}/{name}"),
    )


LINK = "a link, which may lead anywhere: put the file itself there, or give the folder that it leads to"


def _why_not(path: str) -> str:
    """Tell why an entry of a folder is not read; empty where it is."""
    try:
        mode = os.lstat(path).st_mode
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if stat.S_ISLNK(mode):
        return LINK
    return "" if stat.S_ISREG(mode) else "neither a file nor a folder"


def _is_link(folder: str) -> bool:
    """Links and Windows' junctions, which are not walked into."""
    return os.path.islink(folder) or getattr(os.path, "isjunction", lambda _: False)(folder)


# A link that took the file's place since the listing is not followed, and a pipe in its place is not waited for.
_FLAGS = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def read_file(path: Path, limit: int) -> bytes:
    """Read a regular file that is no link.

    Raises
    ------
    OSError
        It cannot be read.
    ValueError
        It has more than ``limit`` bytes.
    """
    with open(os.open(path, _FLAGS), "rb") as handle:
        size = os.fstat(handle.fileno()).st_size
        if size > limit:
            raise ValueError(f"{size / 1e6:,.0f} MB, more than {limit / 1e6:,.0f}")
        return handle.read(limit)


def start_of_file(path: str) -> bytes:
    """Return the first `HEAD_BYTES` bytes of a file that is no link; empty where they cannot be read."""
    try:
        handle = os.open(path, _FLAGS)
    except OSError:
        return b""
    try:
        return os.read(handle, HEAD_BYTES)
    except OSError:
        return b""
    finally:
        os.close(handle)
