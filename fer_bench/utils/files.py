"""Files that are either whole or not there: temporary name, fsync, rename. Also where caches live."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from fer_bench.errors import StorageError

from .paths import folder_of_variable
from .regular import unfit

__all__ = [
    "OTHER_CACHE",
    "TEMPORARY",
    "atomic_write",
    "cache_dir",
    "clean_killed",
    "clean_temporary",
    "locked",
    "need_space",
    "need_writable",
    "sha256_file",
    "storage_error",
    "temporary_files",
    "to_json",
]

TEMPORARY = ".tmp-"
_TEMPORARY_NAME = re.compile(r"\.tmp-(\d+-.+|[0-9a-f]{32}(-.+)?|probe)")
"""Names that this package gives: with a process id before the file's own, or those by which a folder is tried out."""

OTHER_CACHE = "set FER_BENCH_CACHE to a folder on a larger disk"
"""What to do where the cache's disk is too small."""

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FORBIDDEN = (errno.EROFS, errno.EACCES, errno.EPERM)
_KEPT = "what is finished is kept, and the same command goes on with the rest"


def cache_dir() -> Path:
    """Return where rendered faces, decoded pictures, features and weights are kept.

    ``FER_BENCH_CACHE`` where set, else ``$XDG_CACHE_HOME/fer-bench``, else ``~/.cache/fer-bench``.
    """
    chosen = folder_of_variable("FER_BENCH_CACHE")
    return chosen or (folder_of_variable("XDG_CACHE_HOME") or Path.home() / ".cache") / "fer-bench"


@contextmanager
def atomic_write(path: Path, mode: str = "wb") -> Iterator[IO[Any]]:
    """Open a temporary neighbour of ``path``; on success it is flushed to disk and takes the name, else it vanishes.

    Raises
    ------
    StorageError
        The disk is full, or the folder cannot be written to.
    """
    temporary = path.with_name(f"{TEMPORARY}{os.getpid()}-{path.name}")
    encoding = None if "b" in mode else "utf-8"
    try:
        with _opened(temporary, mode, encoding=encoding, newline=None if encoding is None else "\n") as handle:
            yield handle
            handle.flush()
            os.fsync(handle.fileno())
        os.replace(temporary, path)
    except StorageError:
        raise
    except OSError as error:
        full = storage_error(path, error)
        if full is None and path.is_dir():
            full = StorageError(f"{path}: expected a file, found a folder; move it away, or choose another place")
        if full is None:
            raise
        raise full from error
    finally:
        with suppress(OSError):  # it was never there, or its folder refuses this, too; the first error is told
            temporary.unlink()


def _opened(path: Path, mode: str, **how: Any) -> IO[Any]:
    """Open a file to write, in a folder that is made where there is none; what forbids it is told."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return open(path, mode, **how)
    except OSError as error:
        full = storage_error(path, error)
        if full is None and error.errno not in _FORBIDDEN:
            raise
        raise full or _forbidden(path.parent, error) from error


def storage_error(path: Path, error: BaseException) -> StorageError | None:
    """Return what to tell people where ``error`` says that a disk or a quota is full; None where it says no such thing.

    Parameters
    ----------
    path : Path
        What was to be written.
    error : exception
        What was raised meanwhile.
    """
    if not isinstance(error, OSError):
        return None
    # numpy tells in words alone that it could not write a whole array.
    if error.errno in _FULL or (error.errno is None and "requested and" in str(error)):
        why = "a limit on the size of files is reached" if error.errno == errno.EFBIG else "the disk is full"
        return StorageError(f"{path.parent}: {why}, {path.name} cannot be written; make room: {_KEPT}")
    return None


def _forbidden(folder: Path, error: OSError) -> StorageError:
    return StorageError(f"{folder}: cannot be written to: {error.strerror}; choose another folder, or make it writable")


def clean_temporary(folder: Path) -> None:
    """Remove what killed writers left in ``folder``, which nobody writes to now; not below it, and nobody else's."""
    for path in temporary_files(folder):
        path.unlink(missing_ok=True)


def temporary_files(folder: Path) -> list[Path]:
    """Return the files of this package in ``folder`` that are not whole yet, or never will be."""
    try:
        return [file for file in folder.iterdir() if _TEMPORARY_NAME.fullmatch(file.name) and not file.is_dir()]
    except (FileNotFoundError, NotADirectoryError):
        return []


def clean_killed(path: Path) -> None:
    """Remove what killed writers of ``path`` left beside it, under the lock that its writers hold.

    Its name may be a pattern.
    """
    for leftover in path.parent.glob(f"{TEMPORARY}*-{path.name}"):
        with suppress(OSError):  # Windows has no such lock, and refuses to remove what is being written
            leftover.unlink()


def sha256_file(path: Path) -> str:
    """Return the hex sha256 of a file's bytes."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def to_json(value: Any) -> str:
    """Return canonical JSON: sorted keys, no spaces, so that equal values have equal texts and hashes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=list)


def need_space(
    folder: Path, needed_bytes: float, what: str, *, remedy: str = OTHER_CACHE, reserve_bytes: float = 2e8
) -> None:
    """Refuse to start what cannot be stored.

    Parameters
    ----------
    folder : Path
        Where it is to be stored; made where it is not there.
    needed_bytes : float
        How much that takes.
    what : str
        What is stored, for the message.
    remedy : str
        What a user can do but make room.
    reserve_bytes : float
        What must stay free besides.

    Raises
    ------
    StorageError
        Less than ``needed_bytes`` and ``reserve_bytes`` are free where ``folder`` is, or it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(folder, error) or _forbidden(folder, error) from error
    free = shutil.disk_usage(folder).free
    if free < needed_bytes + reserve_bytes:
        raise StorageError(
            f"{folder}: {what} needs {(needed_bytes + reserve_bytes) / 1e6:,.0f} MB of free space, "
            f"{free / 1e6:,.0f} MB are free; make room, or {remedy}"
        )


def need_writable(folder: Path, remedy: str) -> None:
    """Refuse, before any work, a folder that nothing can be written to; makes nothing, not even the folder.

    Raises
    ------
    StorageError
        It, or the nearest folder above it that exists, forbids writing, or is no folder.
    """
    place = folder
    while not os.path.lexists(place) and place != place.parent:
        place = place.parent
    if not place.is_dir():
        raise StorageError(f"{folder}: cannot be written to: {place} is no folder; {remedy}")
    if not os.access(place, os.W_OK | os.X_OK):  # read-only file systems are found out for root, too
        whose = "" if place == folder else f"{place} is "
        raise StorageError(f"{folder}: cannot be written to: {whose}read-only, or not yours to write to; {remedy}")


def _opened_lock(path: Path) -> IO[Any]:
    """Open a lock file; what else stands in its place, such as a pipe that would keep us waiting, is told."""
    try:
        why = unfit(os.stat(path), float("inf"))
    except OSError:
        why = ""
    try:
        if not why:
            return _opened(path, "a")
    except OSError as error:
        why = f"what cannot be opened: {error.strerror}"
    raise StorageError(f"{path}: expected a file, found {why}; move it away")


@contextmanager
def locked(path: Path, *, wait: bool) -> Iterator[bool]:
    """Hold a lock file that the system frees when its holder dies; yields whether it was got.

    Parameters
    ----------
    path : Path
        The lock file; stays behind, empty.
    wait : bool
        Wait for another holder to finish, or yield False at once.

    Raises
    ------
    StorageError
        The file cannot be made.
    """
    try:
        import fcntl
    except ImportError:  # Windows: writers may do the same work twice, but writes are atomic there too
        yield True
        return
    with _opened_lock(path) as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
