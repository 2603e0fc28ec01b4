"""Watching a run: every event goes to the log, and what it changes is shown, in a terminal or line by line."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fer_bench.utils.progress import Throttle, draws, say, shown
from fer_bench.utils.texts import duration
from fer_bench.utils.version import __version__

from .events import EventLog
from .state import Running, RunState, read_state
from .time_left import seconds_left

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = ["RunMonitor", "begin", "monitored", "place", "summary"]

_REDRAWN_A_SECOND = 2


class RunMonitor:
    """Takes what executors tell, writes it to the event log and keeps the run_state.

    Parameters
    ----------
    log : EventLog
    run_state : RunState
        As the call begins.
    predicted : mapping of str to float
        Seconds of each trial to do, by id.
    """

    def __init__(self, log: EventLog, run_state: RunState, predicted: Mapping[str, float]) -> None:
        self.run_state, self.predicted = run_state, predicted
        self._log, self._throttle = log, Throttle(run_state.todo)
        self._lock = threading.Lock()
        self.prints = False

    def event(self, event: str, **facts: Any) -> None:
        """Take an event of an executor (``on_event``)."""
        if event == "trial_started" and facts.get("id") in self.predicted:
            facts["predicted_seconds"] = round(self.predicted[facts["id"]], 2)
        entry = self._log.write(event, **facts)
        with self._lock:
            self.run_state.take(entry, self.predicted)

    def done(self, record: Mapping[str, Any]) -> None:
        """Take the record of a trial that has ended (``on_done``)."""
        begun = self.run_state.running.get(record["id"])
        seconds = round(time.time() - begun.since, 3) if begun else None
        known = {key: record.get(key) for key in ("id", "method", "protocol", "fold", "state")}
        self.event("trial_ended", **known, seconds=seconds, reason=record.get("reason") or "")
        if self.prints and self._throttle.due(self.run_state.n_over):
            say(f"Trials: {summary(self.run_state, self.predicted, time.time())}")

    def drawn(self) -> RenderableType:
        """Return the live view as it stands: a bar with figures, then what runs where."""
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        with self._lock:
            now = time.time()
            text = summary(self.run_state, self.predicted, now)
            running = sorted(self.run_state.running.values(), key=lambda t: t.since)
            done, total = self.run_state.n_over, self.run_state.todo
        head = Table.grid(padding=(0, 1))
        head.add_row("Trials", ProgressBar(total=max(1, total), completed=done, width=24), Text(text))
        body = Table.grid(padding=(0, 2))
        for column in range(4):
            body.add_column(no_wrap=True, overflow="ellipsis", justify="right" if column == 3 else "left")
        for trial in running:
            body.add_row(*(Text(cell) for cell in _cells(trial, now)))
        return Group(head, body)


def begin(log: EventLog, **facts: Any) -> RunState:
    """Tell the log that a call begins (todo, done_before, skipped, workers and the like), and return its run_state."""
    run_state = read_state([log.write("run_started", pid=os.getpid(), version=__version__, **facts)], {})
    assert run_state is not None
    return run_state


@contextmanager
def monitored(log: EventLog, run_state: RunState, predicted: Mapping[str, float]) -> Iterator[RunMonitor]:
    """RunMonitor a call's trials; yields the `RunMonitor` whose methods an executor is given."""
    monitor = RunMonitor(log, run_state, predicted)
    if not shown() or not run_state.todo:
        yield monitor
        return
    if not draws():
        monitor.prints = True
        yield monitor
        return
    from rich.console import Console
    from rich.live import Live

    # Lines that others write meanwhile stand above the view, which vanishes at the end: the run's last line remains.
    view = Live(
        console=Console(stderr=True),
        get_renderable=monitor.drawn,
        refresh_per_second=_REDRAWN_A_SECOND,
        transient=True,
        redirect_stdout=False,
    )
    with view:
        yield monitor


def summary(run_state: RunState, predicted: Mapping[str, float], now: float) -> str:
    """Return done of all, failures, rate and time left as one phrase."""
    parts = [f"{run_state.n_over}/{run_state.todo} done"]
    if run_state.n_failed:
        parts.append(f"{run_state.n_failed} failed")
    if run_state.n_over:
        parts.append(f"{run_state.rate(now):.3g} a minute")
    left = seconds_left(run_state, predicted, now)
    if run_state.stopping:
        parts.append(f"stopping, {len(run_state.running)} still running")
    elif left is not None:
        parts.append(f"about {duration(left)} left")
    return ", ".join(parts)


def place(worker: str, device: str) -> str:
    """Return where a trial runs: a worker's name, and its device where that is no CPU."""
    name = f"worker {worker}" if worker.isdigit() else worker
    return name if device in ("", "cpu") else f"{name} ({device})"


def _cells(trial: Running, now: float) -> tuple[str, str, str, str]:
    where = place(trial.worker, trial.device)
    return where, trial.method, f"{trial.protocol} fold {trial.fold}", duration(now - trial.since)
