"""The workers of a cluster as the driver sees them: who is there, who is fit for this run, what each has been sent.

A worker that joins later is looked at like the first ones; each gets what trials have in common once, before its first
trial, and in the background, so that the others go on meanwhile.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fer_bench.utils.files import TEMPORARY
from fer_bench.utils.progress import say

from . import node as node
from .connection import difference
from .transfer import Payload

__all__ = ["DaskWorkers", "Site", "token"]

_CHUNK = 16 << 20
_LOOK_SECONDS = 1.0
_ADMISSIONS = 8
"""Workers that are looked at and sent to at once."""


@contextmanager
def token(folder: Path) -> Iterator[Path]:
    """Leave a file in the run's folder by which workers show that they see the same one."""
    path = folder / f"{TEMPORARY}{uuid.uuid4().hex}"
    path.write_text(path.name)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


@dataclass(frozen=True)
class Site:
    """A worker that is fit for this run.

    Attributes
    ----------
    address, name, host, pid
        Where it is.
    threads : int
        Trials that it takes at once, one core each.
    memory : float
        Bytes for each of them; 0: not limited.
    gpu : bool
        Whether it was started with the resource ``GPU``; it runs one trial on it at a time.
    """

    address: str
    name: str
    host: str
    pid: int
    threads: int
    memory: float
    gpu: bool


class DaskWorkers:
    """The workers of a scheduler, kept up to date by `look`.

    Parameters
    ----------
    client : distributed.Client
        Connected.
    payload : Payload
        What every worker needs.
    token : Path
        A file in the run's folder by which workers show that they see the same one.
    """

    def __init__(self, client: Any, payload: Payload, token: Path) -> None:
        self.sites: dict[str, Site] = {}
        self.refused: dict[str, str] = {}
        """Why which worker (by address) is of no use."""
        self._client, self._payload, self._token = client, payload, token
        self._sizes = {digest: (path, path.stat().st_size) for digest, path in payload.files.items()}
        self._pool = ThreadPoolExecutor(_ADMISSIONS, thread_name_prefix="admission")
        self._admissions: dict[str, Future[Site]] = {}
        self._hosts: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._looked = -_LOOK_SECONDS

    def poll(self, *, at_once: bool = False) -> list[str]:
        """Ask the scheduler who is there, at most once a second; returns the addresses of sites that are gone.

        Raises
        ------
        OSError
            The scheduler does not answer.
        """
        gone: list[str] = []
        if at_once or time.monotonic() - self._looked >= _LOOK_SECONDS:
            self._looked = time.monotonic()
            gone = self._compare({a: w for a, w in self._ask_scheduler().items() if _ready(w)})
        for address, admission in self._admissions.items():
            if admission.done() and address not in self.sites and address not in self.refused:
                self._take(address, admission)
        return gone

    def _compare(self, there: Mapping[str, Mapping[str, Any]]) -> list[str]:
        """Begin to look at those who have come, forget those who have gone; returns the sites among these."""
        for address, facts in there.items():
            if address not in self._admissions:
                self._admissions[address] = self._pool.submit(self._admit, address, facts)
        for address in [a for a in self._admissions if a not in there]:
            self._admissions.pop(address).cancel()
            self.refused.pop(address, None)
        gone = [address for address in self.sites if address not in there]
        for address in gone:
            del self.sites[address]
        return gone

    def _ask_scheduler(self) -> Mapping[str, Mapping[str, Any]]:
        # A client that comes back to a scheduler finds none of what it had asked for: that is a new execution.
        facts = self._client.scheduler_info(n_workers=-1) if self._client.status == "running" else {}
        if "workers" not in facts or self._client.status != "running":
            raise ConnectionError("the connection is lost")
        workers: Mapping[str, Mapping[str, Any]] = facts["workers"]
        return workers

    @property
    def settling(self) -> bool:
        """Whether some worker is still being looked at."""
        return any(not admission.done() for admission in self._admissions.values())

    @property
    def threads(self) -> int:
        """Trials that all of them take at once."""
        return sum(site.threads for site in self.sites.values())

    def drop(self, address: str, why: str) -> None:
        """Give a worker nothing more."""
        if self.sites.pop(address, None) is not None:
            self.refused[address] = why
            say(f"Dask worker {address} is not used any more: {why}")

    def close(self) -> None:
        """Look at no more workers."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _take(self, address: str, admission: Future[Site]) -> None:
        try:
            self.sites[address] = admission.result()
        except ImportError as error:
            self.refused[address] = f"fer-bench cannot be used there: {error}"
        except Exception as error:  # noqa: BLE001 - whatever ails one worker, the others are of use
            self.refused[address] = str(error) or type(error).__name__
        if address in self.refused:
            say(f"Dask worker {address} is not used: {self.refused[address]}")

    def _admit(self, address: str, facts: Mapping[str, Any]) -> Site:
        """Look at a worker and send what it lacks."""
        seen: node.WorkerFacts = self._run(address, node.inspect, self._token, self._token.read_text(), self._sizes)
        if why := difference(seen.facts, node.facts()):
            raise RuntimeError(
                f"{why}; figures would not be comparable: install the same versions at both ends, and start the "
                "workers anew"
            )
        if seen.shared:
            raise RuntimeError(
                f"it cannot use the run's folder {self._token.parent} ({seen.shared}); the folder must be on a file "
                "system that driver and workers share, under the same name"
            )
        if seen.cache:
            raise RuntimeError(f"its cache is of no use: {seen.cache}")
        with self._hosts[seen.host]:
            self._send(address)
        limit, threads = float(facts.get("memory_limit") or 0), int(facts["nthreads"])
        return Site(
            address=address,
            name=str(facts.get("name") or address),
            host=seen.host,
            pid=seen.pid,
            threads=threads,
            memory=limit / threads,
            gpu=float(facts.get("resources", {}).get("GPU", 0)) >= 1,
        )

    def _send(self, address: str) -> None:
        """Send what a worker does not hold; asked for anew, since another one of its host may have got files."""
        seen: node.WorkerFacts = self._run(address, node.inspect, self._token, self._token.read_text(), self._sizes)
        batch: dict[str, bytes] = {}
        for digest, pickled in self._payload.values.items():
            if digest not in seen.values:
                batch[digest] = pickled
            if sum(map(len, batch.values())) > _CHUNK:
                self._run(address, node.receive_values, batch)
                batch = {}
        if batch:
            self._run(address, node.receive_values, batch)
        for digest, (path, size) in self._sizes.items():
            if digest not in seen.files:
                say(f"Sending {path.name} ({size / 1e6:,.0f} MB) to the Dask worker {address}, which does not see it")
                with open(path, "rb") as handle:
                    for offset in range(0, size, _CHUNK):
                        chunk = handle.read(_CHUNK)
                        self._run(address, node.receive_chunk, digest, path.name, offset, size, chunk)

    def _run(self, address: str, function: Any, *arguments: Any) -> Any:
        answers = self._client.run(function, *arguments, workers=[address])
        if address not in answers:
            raise RuntimeError("it is gone again")
        return answers[address]


def _ready(worker: Mapping[str, Any]) -> bool:
    return worker.get("status", "running") in ("running", "paused")
