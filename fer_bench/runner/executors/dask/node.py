"""The other end of the cluster executor: what runs inside a Dask worker. Imports no Dask.

A worker is looked at before it gets anything: the packages that figures depend on must agree with the driver's, and the
run's folder must be the same one. Trials run in processes of their own below it, so that one that hangs or takes all
memory is ended without the worker.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import multiprocessing.util
import os
import pickle
import platform
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from fer_bench.errors import FerBenchError, StorageError
from fer_bench.utils import provenance
from fer_bench.utils.files import OTHER_CACHE, TEMPORARY, cache_dir, locked, need_space, need_writable, sha256_file
from fer_bench.utils.plugins import METHODS_GROUP, plugin_packages
from fer_bench.utils.source import code_hash

from ..worker import Worker
from .transfer import TaskMessage, unpack

__all__ = ["WorkerFacts", "dismiss", "facts", "inspect", "receive_chunk", "receive_values", "run_message"]

_values: dict[str, Any] = {}
_files: dict[str, Path] = {}
"""What this worker holds, by sha256."""

_CODE = ("fer_bench", "fer_bench.baselines", "fer_bench.deep")
_STALE_SECONDS = 3600.0
_WAIT_SECONDS = 0.2
_IDLE_SECONDS = 60.0


@cache
def facts() -> dict[str, str]:
    """Return what must be equal at both ends for figures to be: Python, packages, the code of methods and harness.

    Read once a process: an old worker is told from a new one even where both run from one folder.
    """
    found = {"Python": ".".join(platform.python_version_tuple()[:2]), "code of fer-bench": code_hash(_CODE)}
    packages = provenance.packages() | {"fer-bench": version("fer-bench")} | plugin_packages(METHODS_GROUP)
    # What follows a plus tells builds of one version apart, such as those for CPU and GPU.
    return found | {name: text.split("+")[0] for name, text in packages.items()}


@dataclass(frozen=True)
class WorkerFacts:
    """What a worker says of itself.

    Attributes
    ----------
    facts : mapping of str to str
        See `facts`.
    host, pid : str, int
        Workers of one host are sent a file once.
    shared : str
        Empty where the run's folder is there and can be written to, else what is wrong.
    cache : str
        Empty where its cache can be written to, else what is wrong.
    values, files : frozenset of str
        Digests of what it holds or sees already.
    """

    facts: Mapping[str, str]
    host: str
    pid: int
    shared: str
    cache: str
    values: frozenset[str]
    files: frozenset[str]


async def inspect(token: Path, text: str, wanted: Mapping[str, tuple[Path, int]]) -> WorkerFacts:
    """Look around in a worker: is this the run's folder, which of the files are here?

    Parameters
    ----------
    token : Path
        A file that the driver wrote into the run's folder, with `text` in it.
    wanted : mapping of str to (Path, int)
        Digest, and the file's place and size at the driver.
    """
    return await asyncio.to_thread(_inspect, token, text, wanted)


def _inspect(token: Path, text: str, wanted: Mapping[str, tuple[Path, int]]) -> WorkerFacts:
    for digest, (path, size) in wanted.items():
        for place in (path, _kept(digest, path.name)):
            if digest not in _files and _same(place, digest, size):
                _files[digest] = place
    here = frozenset(digest for digest in wanted if digest in _files and _files[digest].exists())
    return WorkerFacts(
        facts(),
        socket.gethostname(),
        os.getpid(),
        _why_not_shared(token, text),
        _why_no_cache(),
        frozenset(_values),
        here,
    )


def _same(path: Path, digest: str, size: int) -> bool:
    try:
        return path.stat().st_size == size and sha256_file(path) == digest
    except OSError:
        return False


def _why_not_shared(token: Path, text: str) -> str:
    probe = token.with_name(f"{token.name}-{socket.gethostname()}-{os.getpid()}")
    try:
        if token.read_text() != text:
            return "another file is there"
        with locked(probe, wait=False):
            probe.unlink()
    except OSError as error:
        return str(error.strerror or error)
    return ""


def _why_no_cache() -> str:
    try:
        need_writable(cache_dir(), "set FER_BENCH_CACHE to another folder where it starts")
        need_space(cache_dir(), 0, "the cache", remedy=f"{OTHER_CACHE} where it starts")
    except StorageError as error:
        return str(error)
    return ""


def _kept(digest: str, name: str) -> Path:
    """Where a file that was sent is kept: under its own name, which features are cached by."""
    return cache_dir() / "sent" / digest[:16] / name


async def receive_values(batch: Mapping[str, bytes]) -> None:
    """Take labels, people, folds and the like."""
    _values.update({digest: pickle.loads(pickled) for digest, pickled in batch.items()})


async def receive_chunk(digest: str, name: str, offset: int, size: int, chunk: bytes) -> None:
    """Take a part of a file, in order; after the last one it is checked and takes its name.

    Raises
    ------
    UserError
        There is no room for it.
    FerBenchError
        What came is not what was sent.
    """
    await asyncio.to_thread(_receive_chunk, digest, name, offset, size, chunk)


def _receive_chunk(digest: str, name: str, offset: int, size: int, chunk: bytes) -> None:
    target = _kept(digest, name)
    part = target.with_name(f"{TEMPORARY}{os.getpid()}-{name}")
    if offset == 0:
        need_space(target.parent, size, f"{name}, which every worker needs,")
        for leftover in target.parent.glob(f"{TEMPORARY}*"):
            with suppress(OSError):
                if time.time() - leftover.stat().st_mtime > _STALE_SECONDS:
                    leftover.unlink()
        part.unlink(missing_ok=True)
    with open(part, "r+b" if offset else "wb") as handle:
        handle.seek(offset)
        handle.write(chunk)
        if offset + len(chunk) < size:
            return
        handle.flush()
        os.fsync(handle.fileno())
    if sha256_file(part) != digest:
        part.unlink()
        raise FerBenchError(f"{name}: what came over the network is not what was sent")
    os.replace(part, target)
    _files[digest] = target


class _Crew:
    """The processes below this worker: kept from one trial to the next of a run, since torch takes seconds to import.

    None goes from one run to another: it may have loaded another version of a method.
    """

    def __init__(self) -> None:
        self.dismissed: set[str] = set()
        self._lock = threading.Lock()
        self._idle: list[tuple[str, float, Worker]] = []
        self._number = 0

    @contextmanager
    def hire(self, run: str, logs: Path, *, torch: bool) -> Iterator[Worker]:
        """Lend a process, rather one that has imported torch where it is needed and one that has not elsewhere."""
        worker = self._take(run, logs, torch)
        try:
            yield worker
        finally:
            with self._lock:
                self._idle.append((run, time.monotonic(), worker))
            if run in self.dismissed:
                self._stop_idle(run)

    def _take(self, run: str, logs: Path, torch: bool) -> Worker:
        long_ago = time.monotonic() - _IDLE_SECONDS
        for other in {name for name, since, _ in self._idle if name != run and since < long_ago}:
            self._stop_idle(other)  # its driver was killed, else it would have dismissed them
        with self._lock:
            mine = sorted((w.has_torch == torch, i) for i, (name, _, w) in enumerate(self._idle) if name == run)
            if mine:
                return self._idle.pop(mine[-1][1])[2]
            self._number += 1
            number = self._number
        _allow_children()
        return Worker(f"{socket.gethostname()}-{os.getpid()}-{number}", logs)

    def dismiss(self, run: str) -> None:
        """End the processes of a run, and what they are doing."""
        self.dismissed.add(run)
        self._stop_idle(run)

    def _stop_idle(self, run: str) -> None:
        with self._lock:
            going = [worker for name, _, worker in self._idle if name == run]
            self._idle = [entry for entry in self._idle if entry[0] != run]
        for worker in going:
            worker.stop()

    def close(self) -> None:
        """End all, when the Dask worker ends: it would wait for them."""
        for run in {name for name, *_ in self._idle}:
            self._stop_idle(run)


_crew = _Crew()


@cache
def _allow_children() -> None:
    """Undo that Dask starts its workers as daemons, which multiprocessing lets have no children."""
    multiprocessing.current_process()._config["daemon"] = False  # type: ignore[attr-defined]
    # Before multiprocessing waits for children that are no daemons.
    multiprocessing.util.Finalize(None, _crew.close, exitpriority=10)


async def dismiss(run: str) -> None:
    """End the processes of a run in this worker, and what they are doing."""
    await asyncio.to_thread(_crew.dismiss, run)


def run_message(pickled: bytes, run: str, logs: str) -> dict[str, Any]:
    """Run a trial in a process below this worker, which writes the trial's folder.

    Parameters
    ----------
    pickled : bytes
        A `TaskMessage`, opaque to the scheduler.
    run : str
        Name of the execution.
    logs : str
        Folder for what methods print.

    Returns
    -------
    dict
        The trial's shortened record; ``{"lost": code}``, of a `Death`, where its process ended by itself; empty where
        it was stopped on request.
    """
    message: TaskMessage = pickle.loads(pickled)
    task = unpack(message, _values, _files)
    with _crew.hire(run, Path(logs), torch=task.spec.uses_torch) as worker:
        worker.start(task)
        while (ended := worker.poll()) is None:
            wait([worker.channel], timeout=_WAIT_SECONDS)
            if run in _crew.dismissed:
                worker.terminate()
    if ended.record is not None:
        return dict(ended.record)
    return {} if ended.lost is None else {"lost": ended.lost.code}
