"""Files that are either whole or not there: temporary name, fsync, rename. Also where caches live."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from fer_bench.errors import UserError

__all__ = [
    "TEMPORARY",
    "atomic_write",
    "cache_dir",
    "clean_killed",
    "clean_temporary",
    "locked",
    "need_space",
    "sha256_file",
    "to_json",
]

TEMPORARY = ".tmp-"


def cache_dir() -> Path:
    """Return where rendered faces, decoded pictures, features and weights are kept.

    ``FER_BENCH_CACHE`` where set, else ``$XDG_CACHE_HOME/fer-bench``, else ``~/.cache/fer-bench``.
    """
    chosen = os.environ.get("FER_BENCH_CACHE")
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "fer-bench"


@contextmanager
def atomic_write(path: Path, mode: str = "wb") -> Iterator[IO[Any]]:
    """Open a temporary neighbour of ``path``; on success it is flushed to disk and takes the name, else it vanishes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{TEMPORARY}{os.getpid()}-{path.name}")
    encoding = None if "b" in mode else "utf-8"
    try:
        with open(temporary, mode, encoding=encoding, newline=None if encoding is None else "\n") as handle:
            yield handle
            handle.flush()
            os.fsync(handle.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def clean_temporary(folder: Path) -> None:
    """Remove what a killed writer left in ``folder`` and one level below."""
    for pattern in (f"{TEMPORARY}*", f"*/{TEMPORARY}*"):
        for leftover in folder.glob(pattern):
            leftover.unlink(missing_ok=True)


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


def need_space(folder: Path, needed_bytes: float, what: str) -> None:
    """Refuse to start what cannot be stored.

    Raises
    ------
    UserError
        Less than ``needed_bytes`` and a reserve of 200 MB are free where ``folder`` is.
    """
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if free < needed_bytes + 2e8:
        raise UserError(
            f"{folder}: {what} needs {needed_bytes / 1e6:,.0f} MB, {free / 1e6:,.0f} MB are free; "
            "make room, or set FER_BENCH_CACHE to a folder on a larger disk"
        )


@contextmanager
def locked(path: Path, *, wait: bool) -> Iterator[bool]:
    """Hold a lock file that the system frees when its holder dies; yields whether it was got.

    Parameters
    ----------
    path : Path
        The lock file; stays behind, empty.
    wait : bool
        Wait for another holder to finish, or yield False at once.
    """
    try:
        import fcntl
    except ImportError:  # Windows: writers may do the same work twice, but writes are atomic there too
        yield True
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
