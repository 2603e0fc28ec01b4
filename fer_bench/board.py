"""How far a run is, made from its events alone: the live view and ``fer-bench status`` show the same board."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from fer_bench.executors.base import FAILED

__all__ = ["Board", "Running", "read_board"]

_ENOUGH_TRIALS = 3
"""Trials whose seconds must be known before they correct what was predicted."""
_LATEST = 50
_OVERHEAD_SECONDS = 0.05
"""Of a trial beside what is predicted for it; else the shortest trials would tell the most of the others."""


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
class Board:
    """What the events of a run's latest call tell.

    Attributes
    ----------
    started, first, last : float
        Time of the call's start, of its first trial's (None before it) and of its latest event, seconds since 1970.
    todo, done_before, skipped, workers : int
        As the call found them.
    counts : Counter
        Trials that ended, by state.
    running : dict
        Trials that run, by id.
    stopping : str
        Why no further trial is started; empty while they are.
    ended : str or None
        Why the call ended (empty where all is done); None while it has not.
    """

    started: float = 0.0
    last: float = 0.0
    pid: int = 0
    todo: int = 0
    done_before: int = 0
    skipped: int = 0
    workers: int = 1
    counts: Counter[str] = field(default_factory=Counter)
    running: dict[str, Running] = field(default_factory=dict)
    over: set[str] = field(default_factory=set)
    stopping: str = ""
    ended: str | None = None
    reason: str = ""
    first: float | None = None
    _ratios: deque[float] = field(default_factory=lambda: deque(maxlen=_LATEST))

    def take(self, event: Mapping[str, Any], predicted: Mapping[str, float]) -> None:
        """Take in one event; ``predicted`` holds seconds by trial id."""
        self.last = float(event["time"])
        what, trial = event["event"], str(event.get("id", ""))
        if what == "trial_started":
            self.first = self.last if self.first is None else self.first
            self.running[trial] = Running(
                trial,
                str(event.get("method", "")),
                str(event.get("protocol", "")),
                int(event.get("fold", 0)),
                str(event.get("worker", "")),
                str(event.get("device", "")),
                self.last,
            )
        elif what == "retry":
            self.running.pop(trial, None)
        elif what == "trial_ended":
            self.running.pop(trial, None)
            self.over.add(trial)
            self.counts[str(event.get("state", ""))] += 1
            if event.get("state") == "ok" and event.get("seconds") is not None and trial in predicted:
                self._ratios.append(float(event["seconds"]) / (predicted[trial] + _OVERHEAD_SECONDS))
        elif what == "stopping":
            self.stopping = str(event.get("why", ""))
        elif what == "run_ended":
            self.ended, self.reason = str(event.get("why", "")), str(event.get("reason", ""))
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
        """Trials a minute from the first one's start, until now or until the last one's end."""
        until = self.last if self.n_over >= self.todo else now
        return 60 * self.n_over / max(until - (until if self.first is None else self.first), 1e-3)

    def seconds_left(self, predicted: Mapping[str, float], now: float) -> float | None:
        """Seconds until all is done: what was predicted, corrected by how long trials of this call really took.

        Parameters
        ----------
        predicted : mapping of str to float
            Seconds of each trial that the call has to do.
        now : float
            Seconds since 1970.
        """
        waiting = [s for trial, s in predicted.items() if trial not in self.over and trial not in self.running]
        if not predicted or not (waiting or self.running):
            return None
        # The median: the first trials also make the features that the others share.
        factor = median(self._ratios) if len(self._ratios) >= _ENOUGH_TRIALS else 1.0
        whole = {t.id: factor * (predicted.get(t.id, 0.0) + _OVERHEAD_SECONDS) for t in self.running.values()}
        begun = [max(0.0, whole[t.id] - (now - t.since)) for t in self.running.values()]
        each = [*begun, *(factor * (s + _OVERHEAD_SECONDS) for s in waiting)]
        # No schedule is shorter than its longest trial, nor than all of them spread evenly.
        return max(max(each), sum(each) / max(1, self.workers))


def read_board(events: Iterable[Mapping[str, Any]], predicted: Mapping[str, float]) -> Board | None:
    """Return the board of the latest call, or None where no call has begun."""
    board: Board | None = None
    for event in events:
        if event["event"] == "run_started":
            board = _begun(event)
        elif board is not None:
            board.take(event, predicted)
    return board


def _begun(event: Mapping[str, Any]) -> Board:
    number = {k: int(event.get(k, 0)) for k in ("pid", "todo", "done_before", "skipped", "workers")}
    when = float(event["time"])
    return Board(
        started=when,
        last=when,
        pid=number["pid"],
        todo=number["todo"],
        done_before=number["done_before"],
        skipped=number["skipped"],
        workers=number["workers"] or 1,
    )
