"""Trials in local worker processes: spawned, persistent, one thread budget each, killed when they overstay.

A worker writes its own results (see fer_bench.trial); what travels here is tasks and small records. A worker that
dies takes nothing with it but the trial in flight, which is tried once more in a fresh process.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from fer_bench.progress import say
from fer_bench.trial import Task, identify, run_task, write_record

__all__ = ["Outcome", "execute"]

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
_THREADS = 1
"""Of each worker. Sums in another order give other last bits, so a number of threads that followed from the number of
workers would make figures depend on it; and two processes of one thread beat one of two by far."""

_SLACK = 1.5
"""A trial is started only if this many times its estimate is left before the deadline."""

_TRIES = 2
_TERM_SECONDS = 5.0


@dataclass(frozen=True)
class Outcome:
    """How an execution ended.

    Attributes
    ----------
    not_started : tuple of str
        Ids of trials that were never started.
    why : str
        ``"deadline"``, ``"interrupted"``, or empty when everything was started.
    """

    not_started: tuple[str, ...] = ()
    why: str = ""


def execute(
    tasks: Iterable[Task],
    *,
    workers: int,
    logs: Path,
    deadline: float,
    on_done: Callable[[Mapping[str, Any]], None],
) -> Outcome:
    """Run tasks in worker processes until all have a record, the deadline has passed, or Ctrl-C was pressed.

    Parameters
    ----------
    tasks : iterable of Task
        Started in this order. Tasks for ``cuda`` go to the first worker alone, so that trials never share a GPU.
    workers : int
        Processes, of one thread each.
    logs : Path
        Folder of ``worker-<i>.log``, where what methods print goes.
    deadline : float
        ``time.monotonic()`` by which all should be over: a task whose estimate no longer fits is not started.
    on_done : callable
        Called with each record, in the order in which trials end.
    """
    pending = deque(tasks)
    if not pending:
        return Outcome()
    logs.mkdir(parents=True, exist_ok=True)
    tries: dict[str, int] = {}
    late: list[str] = []
    with _interrupts() as interrupted, _threads(_THREADS):
        team = [_Worker(i, logs / f"worker-{i}.log") for i in range(min(workers, len(pending)))]
        try:
            while True:
                stopping = interrupted()
                if not stopping:
                    late += _drop_late(pending, deadline)
                    _assign(team, pending)
                if not any(worker.task for worker in team):
                    not_started = (*late, *(task.id for task in pending))
                    return Outcome(not_started, "interrupted" if stopping and pending else "deadline" if late else "")
                wait([w.channel for w in team if w.task], timeout=0.2)
                for worker in team:
                    _collect(worker, pending, tries, on_done)
        finally:
            for worker in team:
                worker.stop()


def _drop_late(pending: deque[Task], deadline: float) -> list[str]:
    """Take out the tasks that would not end in time; cheaper ones behind them may still fit."""
    left = deadline - time.monotonic()
    late = [task for task in pending if task.estimate_seconds * _SLACK > left]
    for task in late:
        pending.remove(task)
    return [task.id for task in late]


def _assign(team: list[_Worker], pending: deque[Task]) -> None:
    for worker in team:
        if worker.task is not None:
            continue
        on_gpu = next((t for t in pending if t.device == "cuda"), None) if worker.number == 0 else None
        task = on_gpu or next((t for t in pending if t.device != "cuda"), None)
        if task is not None:
            pending.remove(task)
            worker.start(task)


def _collect(
    worker: _Worker, pending: deque[Task], tries: dict[str, int], on_done: Callable[[Mapping[str, Any]], None]
) -> None:
    """Take what a worker has to say: a record, its death, or nothing for too long."""
    task = worker.task
    if task is None:
        return
    try:
        if worker.channel.poll():
            record = worker.channel.recv()
            worker.task = None
            on_done(record)
            return
    except (EOFError, ConnectionError):
        pass  # died: told below
    seconds = time.monotonic() - worker.started
    if seconds > task.timeout_seconds:
        worker.kill()
        on_done(_lost(task, "timeout", f"stopped after {seconds:.0f} s; its limit is {task.timeout_seconds:.0f} s"))
    elif not worker.alive:
        code = worker.kill()
        tries[task.id] = tries.get(task.id, 0) + 1
        if tries[task.id] < _TRIES:
            pending.appendleft(task)
            return
        how = f"by signal {-code} ({signal.Signals(-code).name})" if code < 0 else f"with exit code {code}"
        hint = "; the usual cause is that memory ran out" if code == -signal.SIGKILL else ""
        on_done(_lost(task, "failed", f"its process ended {how}, {_TRIES} times in a row{hint}"))


def _lost(task: Task, state: str, reason: str) -> dict[str, Any]:
    """Write the record of a trial whose process could not."""
    record = {**identify(task), "state": state, "reason": reason}
    write_record(task.folder, record)
    return record


class _Worker:
    """A process that runs one task at a time; replaced by a fresh one when it dies."""

    def __init__(self, number: int, log: Path) -> None:
        self.number, self._log = number, log
        self.task: Task | None = None
        self.started = 0.0
        self._launch()

    def _launch(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.channel, theirs = context.Pipe()
        # Not daemonic: a method may start processes of its own.
        self._process = context.Process(target=_serve, args=(theirs, str(self._log)), daemon=False)
        self._process.start()
        theirs.close()

    @property
    def alive(self) -> bool:
        return self._process.is_alive()

    def start(self, task: Task) -> None:
        """Send a task; a worker that died idle is replaced first."""
        if not self.alive:
            self.kill()
        self.task, self.started = task, time.monotonic()
        try:
            self.channel.send(task)
        except (BrokenPipeError, ConnectionError):
            return  # found dead by the next look

    def kill(self) -> int:
        """End the process (ask, then force), start a fresh one, and return the old one's exit code."""
        code = self._end()
        self.task = None
        self._launch()
        return code

    def stop(self) -> None:
        """End the process for good; an idle one leaves by itself."""
        if self.task is None:
            with suppress(BrokenPipeError, ConnectionError):
                self.channel.send(None)
            self._process.join(_TERM_SECONDS)
        self._end()

    def _end(self) -> int:
        if self._process.is_alive():
            self._process.terminate()
            self._process.join(_TERM_SECONDS)
        if self._process.is_alive():
            self._process.kill()
        self._process.join()
        self.channel.close()
        return self._process.exitcode or 0


def _die_with_parent() -> None:
    """End a worker whose driver is gone: nobody would stop it, and the next run would do its trial beside it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _serve(channel: Connection, log: str) -> None:
    """Be a worker: what methods print goes to the log, Ctrl-C is the driver's business."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    while True:
        try:
            task = channel.recv()
        except (EOFError, ConnectionError):  # the driver is gone
            return
        if task is None:
            return
        record = run_task(task)
        try:
            channel.send({k: record.get(k) for k in ("id", "method", "protocol", "fold", "state", "reason")})
        except (BrokenPipeError, ConnectionError):
            return


@contextmanager
def _threads(n: int) -> Iterator[None]:
    """Cap the threads of processes started inside: libraries read these when they are imported."""
    before = {name: os.environ.get(name) for name in _THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, str(n)))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _interrupts() -> Iterator[Callable[[], bool]]:
    """Turn the first Ctrl-C into a flag; the second one interrupts at once."""
    pressed = False

    def on_signal(number: int, frame: Any) -> None:
        nonlocal pressed
        if pressed:
            raise KeyboardInterrupt
        pressed = True
        say("Stopping after the trials that run now; press Ctrl-C again to stop at once.")

    try:
        before = signal.signal(signal.SIGINT, on_signal)
    except ValueError:  # not the main thread
        yield lambda: False
        return
    try:
        yield lambda: pressed
    finally:
        signal.signal(signal.SIGINT, before)
