"""How far a run is, made from its events alone: the live view and ``fer-bench status`` show the same state."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fer_bench.results.schema import FAILED

__all__ = ["RunState", "Running", "read_state"]

_RATE_SECONDS = 300.0
"""Trials a minute are those of the last minutes: the first ones are often quick, and say little of the rest."""


@dataclass(frozen=True)
class Running:
    """A trial that was started and has not ended."""

    id: str
    method: str
    protocol: str
    fold: int
    worker: str
    device: str
    since: float


@dataclass
class RunState:
    """What the events of a run's latest call tell.

    Attributes
    ----------
    started, first, last : float
        Time of the call's start, of its first trial's (None before it) and of its latest event, seconds since 1970.
    todo, done_before, skipped : int
        As the call found them.
    workers, widest : int
        Trials that run at once, now (a cluster's workers come and go) and at most.
    counts : Counter
        Trials that ended, by state.
    running : dict
        Trials that run, by id.
    stopping : str
        Why no further trial is started; empty while they are.
    ended : str or None
        Why the call ended (empty where all is done); None while it has not.
    measured : list of (float, float)
        Seconds that each trial that ended took, and what had been predicted for it, where something had.
    """

    started: float = 0.0
    last: float = 0.0
    pid: int = 0
    todo: int = 0
    done_before: int = 0
    skipped: int = 0
    workers: int = 1
    widest: int = 1
    counts: Counter[str] = field(default_factory=Counter)
    running: dict[str, Running] = field(default_factory=dict)
    over: set[str] = field(default_factory=set)
    stopping: str = ""
    ended: str | None = None
    reason: str = ""
    told_width: bool = False
    first: float | None = None
    measured: list[tuple[float, float]] = field(default_factory=list)
    """Of each trial that ended well: seconds by what was predicted, and what was predicted."""
    _ends: deque[float] = field(default_factory=deque)

    def take(self, event: Mapping[str, Any], predicted: Mapping[str, float]) -> None:
        """Take in one event; ``predicted`` holds seconds by trial id."""
        self.last = float(event["time"])
        what, trial = event["event"], str(event.get("id") or "")
        if what == "trial_started":
            self.first = self.last if self.first is None else self.first
            self.running[trial] = Running(
                trial,
                str(event.get("method") or ""),
                str(event.get("protocol") or ""),
                int(event.get("fold") or 0),
                str(event.get("worker") or ""),
                str(event.get("device") or ""),
                self.last,
            )
        elif what == "retry":
            self.running.pop(trial, None)
        elif what == "trial_ended":
            self.running.pop(trial, None)
            self.over.add(trial)
            self._ends.append(self.last)
            self.counts[str(event.get("state") or "")] += 1
            if event.get("state") == "ok" and event.get("seconds") is not None and trial in predicted:
                self.measured.append((float(event["seconds"]), predicted[trial]))
        elif what == "workers":
            self.workers = max(1, int(event.get("workers") or 1))
            self.widest = self.workers if not self.told_width else max(self.widest, self.workers)
            self.told_width = True
        elif what == "stopping":
            self.stopping = str(event.get("why") or "")
        elif what == "run_ended":
            self.ended, self.reason = str(event.get("why") or ""), str(event.get("reason") or "")
            self.running.clear()

    @property
    def n_over(self) -> int:
        """Trials that ended in this call."""
        return self.counts.total()

    @property
    def n_failed(self) -> int:
        """Trials of this call that have no result."""
        return sum(self.counts[state] for state in FAILED)

    def rate(self, now: float) -> float:
        """Trials a minute: of the latest minutes, until now or until the last one's end."""
        until = self.last if self.n_over >= self.todo else now
        since = max(until if self.first is None else self.first, until - _RATE_SECONDS)
        while self._ends and self._ends[0] < since:
            self._ends.popleft()
        return 60 * len(self._ends) / max(until - since, 1e-3)


def read_state(events: Iterable[Mapping[str, Any]], predicted: Mapping[str, float]) -> RunState | None:
    """Return the state of the latest call, or None where no call has begun."""
    run_state: RunState | None = None
    for event in events:
        if event["event"] == "run_started":
            run_state = _begun(event)
        elif run_state is not None:
            run_state.take(event, predicted)
    return run_state


def _begun(event: Mapping[str, Any]) -> RunState:
    number = {k: int(event.get(k) or 0) for k in ("pid", "todo", "done_before", "skipped", "workers")}
    when = float(event["time"])
    return RunState(
        started=when,
        last=when,
        pid=number["pid"],
        todo=number["todo"],
        done_before=number["done_before"],
        skipped=number["skipped"],
        workers=number["workers"] or 1,
        widest=number["workers"] or 1,
    )
