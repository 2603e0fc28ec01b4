"""Which trial is next, what counts as failed, and how an execution ends."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from fer_bench.results.schema import FAILED
from fer_bench.utils.progress import say

from ..task import Task
from ..trial import UNWRITTEN, lost_record
from .execution_result import ExecutionResult
from .retries import Death, next_try
from .signals import Stop

__all__ = ["KINDS", "TrialQueue", "kind_of", "no_event"]


KINDS = ("gpu", "light", "torch")
"""What a trial needs of its process: a GPU, nothing much, or torch, whose import takes seconds and memory."""
_SLACK = 1.5
"""A trial is started only if this many times its estimate is left before the deadline."""


def no_event(event: str, **facts: Any) -> None:
    """Take an event and do nothing."""


def kind_of(task: Task) -> str:
    """Return which of `KINDS` a task is."""
    return "gpu" if task.device == "cuda" else "torch" if task.spec.uses_torch else "light"


class TrialQueue:
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
        """Take a task whose process died: by `.retries` it is put back to be tried again, or it has failed."""
        self._deaths[task.id].append(death)
        again, why = next_try(task, self._deaths[task.id])
        if again is None:
            self.done(lost_record(task, "failed", why))
        else:
            self._on_event("retry", **_axes(task), reason=why)
            self.put_back(again)

    def put_back(self, task: Task) -> None:
        """Take back a task that was not done; it is the next of its kind."""
        self._pending[kind_of(task)].appendleft(task)

    def outcome(self, stop: Stop) -> ExecutionResult:
        """Say how it ended, when nothing runs any more."""
        left = (*self._late, *(task.id for queue in self._pending.values() for task in queue))
        if self._unwritten:
            return ExecutionResult(left, "storage", self._unwritten)
        if stop.asked and left:
            return ExecutionResult(left, "stopped" if stop.now else "interrupted")
        return ExecutionResult(left, "failures" if self.full and left else "deadline" if left else "")

    def report_stop(self, stop: Stop) -> None:
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
