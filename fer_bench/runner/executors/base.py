"""What all executors share: which trial is next, what counts as failed, what Ctrl-C means, and how it all ended."""

from __future__ import annotations

import signal
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from fer_bench.utils.progress import say

from ..trial import UNWRITTEN, Task, lost_record, second_try

__all__ = ["FAILED", "KINDS", "Agenda", "Death", "Outcome", "Stop", "interrupts", "kind_of", "no_event", "terminable"]

FAILED = ("failed", "timeout", "oom")
"""States of trials that ran and have no result."""

KINDS = ("gpu", "light", "torch")
"""What a trial needs of its process: a GPU, nothing much, or torch, whose import takes seconds and memory."""

_SLACK = 1.5
"""A trial is started only if this many times its estimate is left before the deadline."""

_TRIES = 2
"""How often a trial is started whose process dies."""

_CRASHES = (signal.SIGFPE, signal.SIGILL, signal.SIGSEGV, signal.SIGABRT)
"""What ends a process for what it computes, and would again: often code that is wrong for its processor."""


@dataclass(frozen=True)
class Death:
    """How a process ended by itself.

    Attributes
    ----------
    code : int
        Its exit code, or the number of the signal that ended it, negative.
    """

    code: int

    def __str__(self) -> str:
        hint = "; the usual cause is that memory ran out" if -self.code == signal.SIGKILL else ""
        return f"ended by {self.signal}{hint}" if self.signal else f"ended with exit code {self.code}"

    @property
    def signal(self) -> str:
        """The signal in words, such as ``"signal 8 (SIGFPE)"``; empty where it was none."""
        if self.code >= 0:
            return ""
        name = next((f" ({known.name})" for known in signal.Signals if known == -self.code), "")
        return f"signal {-self.code}{name}"

    @property
    def crashed(self) -> bool:
        """Whether other instructions may go well where these did not."""
        return -self.code in _CRASHES


@dataclass(frozen=True)
class Outcome:
    """How an execution ended.

    Attributes
    ----------
    not_started : tuple of str
        Ids of trials that this call leaves without a record: never started, or stopped in flight.
    why : str
        ``"deadline"``, ``"failures"`` (as many as ``--max-failures`` allows), ``"interrupted"`` (Ctrl-C: what ran was
        finished), ``"stopped"`` (Ctrl-C twice, or SIGTERM: what ran was stopped), ``"storage"`` (a trial could not be
        stored), or empty when everything was started.
    reason : str
        What could not be stored, and what to do, with ``"storage"``; where the workers went, with ``"workers"`` (of a
        cluster).
    """

    not_started: tuple[str, ...] = ()
    why: str = ""
    reason: str = ""


def no_event(event: str, **facts: Any) -> None:
    """Take an event and do nothing."""


def kind_of(task: Task) -> str:
    """Return which of `KINDS` a task is."""
    return "gpu" if task.device == "cuda" else "torch" if task.spec.uses_torch else "light"


class Agenda:
    """The trials still to start, and the rules by which they start or do not.

    Parameters
    ----------
    tasks : iterable of Task
        Started in this order, as far as kinds allow.
    deadline : float
        ``time.monotonic()`` by which all should be over: a task whose estimate no longer fits is not started.
    max_failures : int or None
        With so many failed trials none is started any more.
    on_done : callable
        Called with each record, in the order in which trials end.
    on_event : callable
        Called as ``on_event(event, **facts)`` with ``"trial_started"`` (id, method, protocol, fold, device, worker,
        pid), ``"retry"`` (id, method, protocol, fold, reason) and ``"stopping"`` (why); a cluster also tells
        ``"workers"`` (workers: trials that it takes at once).
    """

    def __init__(
        self,
        tasks: Iterable[Task],
        *,
        deadline: float = float("inf"),
        max_failures: int | None = None,
        on_done: Callable[[Mapping[str, Any]], None],
        on_event: Callable[..., None] = no_event,
    ) -> None:
        self._pending: dict[str, deque[Task]] = {kind: deque() for kind in KINDS}
        for task in tasks:
            self._pending[kind_of(task)].append(task)
        self._deadline, self._max_failures = deadline, max_failures
        self._on_done, self._on_event = on_done, on_event
        self._late: list[str] = []
        self._deaths: defaultdict[str, list[Death]] = defaultdict(list)
        self._failures = 0
        self._unwritten = ""
        self._told = ""

    def __len__(self) -> int:
        return sum(map(len, self._pending.values()))

    def count(self, kind: str) -> int:
        """Return how many tasks of a kind are still to start."""
        return len(self._pending[kind])

    @property
    def full(self) -> bool:
        """Whether as many trials have failed as may."""
        return self._max_failures is not None and self._failures >= self._max_failures

    @property
    def closed(self) -> bool:
        """Whether none is started any more, whatever there is still to do."""
        return self.full or bool(self._unwritten)

    def next(self, *kinds: str) -> Task | None:
        """Take out the task to start next: of the first kind that has one. None where nothing may start."""
        if self._unwritten:
            self._tell("storage")
            return None
        if self.full:
            self._tell("failures")
            return None
        for kind in kinds or KINDS:
            queue = self._pending[kind]
            while queue:
                task = queue.popleft()
                if task.estimate_seconds * _SLACK <= self._deadline - time.monotonic():
                    return task
                self._late.append(task.id)  # cheaper ones behind it may still fit
        return None

    def started(self, task: Task, *, worker: str, pid: int) -> None:
        """Tell that a task runs: where (a worker's name) and in which process."""
        self._on_event("trial_started", **_axes(task), device=task.device, worker=worker, pid=pid)

    def done(self, record: Mapping[str, Any]) -> None:
        """Take the record of a trial that has ended; after one that could not be stored none is started."""
        if record["state"] == UNWRITTEN:
            self._late.append(record["id"])
            self._unwritten = str(record["reason"])
            return
        self._failures += record["state"] in FAILED
        self._on_done(record)

    def lost(self, task: Task, death: Death) -> None:
        """Take a task whose process died: it is tried once more, then it has failed.

        After a crash the second try is a safer one (`fer_bench.runner.trial.CAUTION`): the same again would crash again.
        """
        deaths = self._deaths[task.id]
        deaths.append(death)
        if len(deaths) < _TRIES:
            again = replace(task, cautious=death.signal) if death.crashed else task
            how = f"; tried again, safer: {second_try(again)['how']}" if again.cautious else ""
            self._on_event("retry", **_axes(task), reason=f"its process {death}{how}")
            self.put_back(again)
        elif task.cautious:
            first, how = second_try(task).values()
            why = f"its process ended by {first}; in a second, safer try ({how}) it {death}"
            self.done(lost_record(task, "failed", why))
        elif len(set(deaths)) == 1:
            self.done(lost_record(task, "failed", f"its process {death}, {_TRIES} times in a row"))
        else:
            self.done(lost_record(task, "failed", f"its process {', then '.join(map(str, deaths))}"))

    def put_back(self, task: Task) -> None:
        """Take back a task that was not done; it is the next of its kind."""
        self._pending[kind_of(task)].appendleft(task)

    def outcome(self, stop: Stop) -> Outcome:
        """Say how it ended, when nothing runs any more."""
        left = (*self._late, *(task.id for queue in self._pending.values() for task in queue))
        if self._unwritten:
            return Outcome(left, "storage", self._unwritten)
        if stop.asked and left:
            return Outcome(left, "stopped" if stop.now else "interrupted")
        return Outcome(left, "failures" if self.full and left else "deadline" if left else "")

    def heed(self, stop: Stop) -> None:
        """Tell people, once each, that a signal has come."""
        if stop.now:
            self._tell("stopped")
        elif stop.asked:
            self._tell("interrupted")

    def _tell(self, why: str) -> None:
        if self._told in (why, "stopped"):
            return
        self._told = why
        self._on_event("stopping", why=why)
        say(
            {
                "failures": f"{self._failures} trials failed, as many as --max-failures allows: no more are started.",
                "interrupted": "Stopping after the trials that run now; press Ctrl-C again to stop them, too.",
                "stopped": "Stopping now.",
                "storage": "Stopping after the trials that run now: there is no room for more.",
            }[why]
        )


def _axes(task: Task) -> dict[str, Any]:
    return {"id": task.id, "method": task.spec.name, "protocol": task.protocol, "fold": task.fold}


@dataclass
class Stop:
    """What signals have asked for.

    Attributes
    ----------
    asked : bool
        Start no more trials (Ctrl-C).
    now : bool
        Stop those that run, too (a second Ctrl-C, or SIGTERM, which is what cluster schedulers send).
    """

    asked: bool = False
    now: bool = False


@contextmanager
def terminable() -> Iterator[None]:
    """Meet SIGTERM and SIGHUP with KeyboardInterrupt inside: what is open is closed and what is there is told."""
    before = {}
    try:
        for number in _ends():
            before[number] = signal.signal(number, signal.default_int_handler)
    except ValueError:  # not the main thread: its signals are somebody else's
        pass
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ends() -> list[signal.Signals]:
    """Signals that end a run at once: SIGTERM, and that the terminal is gone, unless that is ignored (nohup)."""
    hangup: signal.Signals | None = getattr(signal, "SIGHUP", None)  # Windows has none
    if hangup is None or signal.getsignal(hangup) == signal.SIG_IGN:
        return [signal.SIGTERM]
    return [signal.SIGTERM, hangup]


@contextmanager
def interrupts(at_once: Callable[[Stop], None] | None = None) -> Iterator[Stop]:
    """Turn Ctrl-C, SIGTERM and SIGHUP into flags while trials run.

    Parameters
    ----------
    at_once : callable, optional
        Called within the signal's handler; may raise KeyboardInterrupt. For trials that run in this very thread: all
        others look at the flags.
    """
    stop = Stop()

    def on_signal(number: int, frame: Any) -> None:
        stop.now = stop.asked or number != signal.SIGINT
        stop.asked = True
        if at_once is not None:
            at_once(stop)

    before = {}
    try:
        for number in (signal.SIGINT, *_ends()):
            before[number] = signal.signal(number, on_signal)
    except ValueError:  # not the main thread: its signals are somebody else's
        pass
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
