"""Trials on a cluster: Dask carries them to workers on other machines; the rules are those of every executor.

The driver gives each worker as many trials as it has threads, and the next when one ends. Nothing queues up at the
scheduler, so that a deadline, Ctrl-C and ``--max-failures`` mean what they mean elsewhere. A trial writes its own
result into the run's folder, which driver and workers share: a worker that dies takes the trials in flight with it and
nothing else. Source of the scheduler: Rocklin 2015, doi:10.25080/Majora-7b98e3ed-013.
"""

from __future__ import annotations

import pickle
import queue
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fer_bench.errors import StorageError, UserError
from fer_bench.results.records import RECORD, complete_record
from fer_bench.utils.files import need_writable
from fer_bench.utils.progress import say
from fer_bench.utils.texts import one_line

from ...task import Task
from ...trial import UNWRITTEN, lost_record, need_room
from ..execution_result import ExecutionResult
from ..queue import TrialQueue, no_event
from ..retries import Death
from ..signals import Stop, interrupts
from . import node as node
from .connection import connected, reach
from .transfer import TaskMessage, pack
from .workers import DaskWorkers, Site, token

__all__ = ["check", "execute"]

PATIENCE_SECONDS = 60.0
"""How long to wait for a first worker, and for another one where the last has gone."""
_WAIT_SECONDS = 0.2
_LOSSES = 3
"""How many workers a trial may lose before it has failed itself: it may be what kills them."""
_STRIKES = 2
"""How many trials a worker may be unable to run, or to store, one after the other, before it gets no more."""
_ANSWER_SECONDS = 30.0
_STOP_SECONDS = 15.0
"""How long trials that are told to stop may take to do so."""
_VISIBLE_SECONDS = 90.0
"""How long a network file system may take until the driver sees what a worker has written."""


def check(scheduler: str) -> None:
    """Find out before any work whether there is a scheduler.

    Raises
    ------
    UserError
        There is none.
    """
    reach(scheduler)


def execute(
    tasks: Iterable[Task],
    *,
    scheduler: str,
    workers: int = 0,
    logs: Path,
    deadline: float = float("inf"),
    max_failures: int | None = None,
    on_done: Callable[[Mapping[str, Any]], None],
    on_event: Callable[..., None] = no_event,
    patience_seconds: float = PATIENCE_SECONDS,
) -> ExecutionResult:
    """Run tasks on the workers of a Dask scheduler; see `..local.execute` for the other parameters.

    A task goes to a worker that has what it needs: the resource ``GPU`` for ``cuda``, and as much memory for each of
    its threads as the task's limit, where it has one.

    Parameters
    ----------
    scheduler : str
        Address, such as ``tcp://host:8786``, or the file that ``dask scheduler --scheduler-file`` writes.
    workers : int
        Counts processes of this machine, so it is of no account here: all workers of the scheduler are used.
    patience_seconds : float
        How long to wait for a worker of use.

    Returns
    -------
    ExecutionResult
        ``why`` may also be ``"workers"``: they were lost, and no others came.

    Raises
    ------
    UserError
        There is no scheduler, or no worker of use.
    """
    tasks = list(tasks)
    if not tasks:
        return ExecutionResult()
    logs.mkdir(parents=True, exist_ok=True)
    messages, payload = pack(tasks)
    with connected(scheduler) as client, token(logs.parent.resolve()) as sign, interrupts() as stop:
        fleet = DaskWorkers(client, payload, sign)
        try:
            _await_workers(fleet, tasks, scheduler, patience_seconds, stop)
            able = [task for task in tasks if not _skipped(task, fleet, on_done)]
            trial_queue = TrialQueue(
                able, deadline=deadline, max_failures=max_failures, on_done=on_done, on_event=on_event
            )
            drive = _DaskDriver(client, fleet, trial_queue, {t.task.id: t for t in messages}, logs.resolve(), on_event)
            return drive.run(stop, patience_seconds)
        finally:
            fleet.close()


def _await_workers(fleet: DaskWorkers, tasks: Sequence[Task], scheduler: str, patience: float, stop: Stop) -> None:
    """Wait until every task has a worker that could take it, or patience is over."""
    until = time.monotonic() + patience
    told = False
    while not stop.asked:
        fleet.poll(at_once=True)
        if fleet.sites and all(_has_taker(task, fleet) for task in tasks):
            break
        if not fleet.settling:
            if fleet.refused and not fleet.sites:
                reasons = "; ".join(sorted(set(fleet.refused.values())))
                raise UserError(f"`scheduler` {scheduler}: no Dask worker there can be used: {reasons}")
            if time.monotonic() > until:
                break
            if not told:
                told = True
                what = "some trials need a GPU or more memory" if fleet.sites else "the scheduler has none"
                say(f"Waiting up to {patience:.0f} s for Dask workers: {what}")
        time.sleep(_WAIT_SECONDS / 4)
    if not fleet.sites and not stop.asked:
        raise UserError(
            f"`scheduler` {scheduler}: the scheduler has no workers, and none came within {patience:.0f} s; start "
            "some with `dask worker`, then run the same command again"
        )
    say(f"Dask workers: {len(fleet.sites)}, which take {fleet.threads} trials at once")


def _skipped(task: Task, fleet: DaskWorkers, on_done: Callable[[Mapping[str, Any]], None]) -> bool:
    """Skip a task that no worker can take: Dask would wait for ever."""
    sites = fleet.sites.values()
    if not sites or _has_taker(task, fleet):
        return False
    if task.device == "cuda" and not any(site.gpu for site in sites):
        why = "no Dask worker has a GPU; start one with `dask worker --resources GPU=1`, or use --device cpu"
    else:
        most = max(site.memory for site in sites)
        why = (
            f"no Dask worker that could take it has {task.memory_bytes / 1e9:.1f} GB for each of its threads "
            f"(--memory-limit); the largest has {most / 1e9:.1f} GB"
        )
    on_done(lost_record(task, "skipped", why))
    return True


def _has_taker(task: Task, fleet: DaskWorkers) -> bool:
    return any(_fits(task, site) for site in fleet.sites.values())


def _fits(task: Task, site: Site) -> bool:
    return (site.gpu or task.device != "cuda") and (not site.memory or task.memory_bytes <= site.memory)


@dataclass(frozen=True)
class _InFlight:
    """A trial under way."""

    task: Task
    site: Site
    future: Any


class _DaskDriver:
    """One execution: hands out trials, takes what comes back."""

    def __init__(
        self,
        client: Any,
        fleet: DaskWorkers,
        trial_queue: TrialQueue,
        messages: Mapping[str, TaskMessage],
        logs: Path,
        on_event: Callable[..., None],
    ) -> None:
        self._client, self._fleet, self._trial_queue, self._messages = client, fleet, trial_queue, messages
        self._logs, self._on_event = str(logs), on_event
        self._run = uuid.uuid4().hex
        self._flights: dict[str, _InFlight] = {}
        self._landed: queue.SimpleQueue[_InFlight] = queue.SimpleQueue()
        self._losses: Counter[str] = Counter()
        self._written: list[Task] = []
        self._failed_at: defaultdict[str, set[str]] = defaultdict(set)
        """Trials that a worker, by address, could not run or store, since it last did with one."""
        self._avoided: defaultdict[str, set[str]] = defaultdict(set)
        """Workers that could not run a trial, by its id."""
        self._threads = 0

    def run(self, stop: Stop, patience: float) -> ExecutionResult:
        """Go on until nothing runs and nothing is to start."""
        moved = time.monotonic()  # when something last ran
        told_at = 0.0
        try:
            while True:
                self._trial_queue.report_stop(stop)
                self._poll()
                if not stop.asked:
                    self._start()
                if stop.now:
                    told_at = told_at or self._dismiss()
                    if time.monotonic() - told_at > _STOP_SECONDS:
                        self._give_up()
                if self._flights:
                    moved = time.monotonic()
                    self._collect()
                elif stop.asked or self._trial_queue.closed or not len(self._trial_queue):
                    return self._trial_queue.outcome(stop)
                elif time.monotonic() - moved > patience and not self._fleet.settling:
                    return self._no_workers()
                else:
                    time.sleep(_WAIT_SECONDS)
        except OSError as error:
            self._give_up()
            return self._gone(f"the Dask scheduler does not answer any more ({error})")
        finally:
            self._dismiss()
            _await_files(self._written)

    def _poll(self) -> None:
        """Take back the trials of workers that are gone, and tell how many trials run at once."""
        if self._fleet.threads not in (0, self._threads):
            self._threads = self._fleet.threads
            self._on_event("workers", workers=self._threads)
        for address in self._fleet.poll():
            for flight in [f for f in self._flights.values() if f.site.address == address]:
                self._flights.pop(flight.task.id).future.cancel()
                self._lost(flight)

    def _lost(self, flight: _InFlight, how: str = "was lost") -> None:
        """A worker is lost or ails; the trial may have been complete by then, and else is tried elsewhere."""
        task, name = flight.task, flight.site.name
        self._losses[task.id] += 1
        if record := complete_record(task.folder, task.id):
            self._trial_queue.done(record)
        elif self._losses[task.id] < _LOSSES:
            axes = {"id": task.id, "method": task.spec.name, "protocol": task.protocol, "fold": task.fold}
            self._on_event("retry", **axes, reason=f"Dask worker {name} {how}")
            self._trial_queue.put_back(task)
        else:
            why = f"its Dask worker {how}, {_LOSSES} times in a row"
            self._trial_queue.done(lost_record(task, "failed", why))

    def _start(self) -> None:
        """Give every free thread a trial, one a worker in turn."""
        flying = Counter(flight.site.address for flight in self._flights.values())
        slots = [(n, s) for s in self._fleet.sites.values() for n in range(flying[s.address], s.threads)]
        for _, site in sorted(slots, key=lambda slot: slot[0]):
            task = self._trial_queue.next(*self._kinds(site))
            if task is not None and _fits(task, site) and not self._avoids(task, site):
                self._send(task, site)
            elif task is not None:
                self._trial_queue.put_back(task)  # for a worker with more memory, or one where it has not failed

    def _avoids(self, task: Task, site: Site) -> bool:
        """Whether a trial goes rather to another worker, since this one could not run it."""
        avoided = self._avoided[task.id]
        others = (s for s in self._fleet.sites.values() if s.address not in avoided)
        return site.address in avoided and any(_fits(task, other) for other in others)

    def _kinds(self, site: Site) -> tuple[str, ...]:
        """Of trials that a worker takes now: one on a GPU at a time, others beside it."""
        on_gpu = any(f.site == site and f.task.device == "cuda" for f in self._flights.values())
        return ("gpu", "light", "torch") if site.gpu and not on_gpu else ("light", "torch")

    def _send(self, task: Task, site: Site) -> None:
        message = self._messages[task.id]
        limit = task.memory_bytes or site.memory
        message = replace(message, task=replace(message.task, memory_bytes=limit, cautious=task.cautious))
        future = self._client.submit(
            node.run_message,
            pickle.dumps(message),
            self._run,
            self._logs,
            key=f"{task.spec.name}-{task.id}-{uuid.uuid4().hex[:8]}",
            pure=False,
            workers=[site.address],
            # Other people's tasks may use the cluster, too.
            resources={"GPU": 1} if task.device == "cuda" else None,
        )
        flight = self._flights[task.id] = _InFlight(task, site, future)
        future.add_done_callback(lambda _: self._landed.put(flight))
        self._trial_queue.started(task, worker=site.name, pid=site.pid)

    def _collect(self) -> None:
        """Wait a moment for a trial to end, and take all that have."""
        with suppress(queue.Empty):
            flight = self._landed.get(timeout=_WAIT_SECONDS)
            while True:
                if self._flights.get(flight.task.id) is flight:
                    del self._flights[flight.task.id]
                    self._take(flight)
                flight = self._landed.get_nowait()

    def _take(self, flight: _InFlight) -> None:
        task, future = flight.task, flight.future
        if future.status == "error":
            error = future.exception()
            if type(error).__name__ == "KilledWorker":  # the scheduler was quicker than the look at its workers
                self._lost(flight)
                return
            self._ailing(flight, one_line(f"could not run it: {type(error).__name__}: {error}"))
            return
        try:
            answer = future.result(timeout=_ANSWER_SECONDS)
        except Exception:  # noqa: BLE001 - cancelled, or lost with its worker between its end and now
            self._lost(flight)
            return
        if "lost" in answer:
            self._trial_queue.lost(task, Death(answer["lost"]))
        elif not answer:
            self._trial_queue.put_back(task)
        elif answer["state"] == UNWRITTEN and _has_room(task):
            self._ailing(flight, f"could not store it: {answer['reason']}")
        else:
            self._failed_at.pop(flight.site.address, None)
            self._written.append(task)
            self._trial_queue.done(answer)

    def _ailing(self, flight: _InFlight, how: str) -> None:
        """The worker is to blame, not the trial: another one tries it, and a worker that goes on so gets no more."""
        address = flight.site.address
        self._avoided[flight.task.id].add(address)
        self._failed_at[address].add(flight.task.id)
        if len(self._failed_at[address]) >= _STRIKES:
            self._fleet.drop(address, f"it {how}")
        self._lost(flight, how)

    def _dismiss(self) -> float:
        """Tell the workers that this run's processes are needed no more; returns when."""
        if self._client.status == "running":
            with suppress(Exception):
                there = list(self._fleet.sites)
                self._client.run(node.dismiss, self._run, workers=there, wait=False, on_error="ignore")
        return time.monotonic()

    def _give_up(self) -> None:
        """Wait no more for what is under way."""
        for flight in self._flights.values():
            if self._client.status == "running":
                flight.future.cancel()
            self._trial_queue.put_back(flight.task)
        self._flights.clear()

    def _gone(self, what: str) -> ExecutionResult:
        reason = f"{what}; what is finished is kept: start a scheduler and workers, then run the same command again"
        return replace(self._trial_queue.outcome(Stop()), why="workers", reason=reason)

    def _no_workers(self) -> ExecutionResult:
        """End where nobody is left to take what is to start."""
        if not self._fleet.sites:
            ailing = "".join(f"; {address}: {why}" for address, why in sorted(self._fleet.refused.items()))
            return self._gone(f"all Dask workers are gone or of no use, and no others came{ailing}")
        while (task := self._trial_queue.next()) is not None:
            why = "the Dask workers that could take it (a GPU, or enough memory) are gone"
            self._trial_queue.done(lost_record(task, "skipped", why))
        return self._trial_queue.outcome(Stop())


def _has_room(task: Task) -> bool:
    """Whether a trial can be stored as far as the driver sees: then it is the worker's own disk that is full."""
    try:
        need_writable(task.folder, "")
        need_room(task)
    except StorageError:
        return False
    return True


def _await_files(written: Iterable[Task]) -> None:
    """Wait until this machine sees the records that workers have written."""
    until = time.monotonic() + _VISIBLE_SECONDS
    for task in written:
        while not (task.folder / RECORD).exists() and time.monotonic() < until:
            with suppress(OSError):
                list(task.folder.parent.iterdir())  # makes the system ask the server anew
            time.sleep(_WAIT_SECONDS)
