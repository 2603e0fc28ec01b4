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
from .state import Board, Running, read_board

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = ["Watch", "begin", "place", "summary", "watching"]

_REDRAWN_A_SECOND = 2


class Watch:
    """Takes what executors tell, writes it to the event log and keeps the board.

    Parameters
    ----------
    log : EventLog
    board : Board
        As the call begins.
    predicted : mapping of str to float
        Seconds of each trial to do, by id.
    """

    def __init__(self, log: EventLog, board: Board, predicted: Mapping[str, float]) -> None:
        self.board, self.predicted = board, predicted
        self._log, self._throttle = log, Throttle(board.todo)
        self._lock = threading.Lock()
        self.prints = False

    def event(self, event: str, **facts: Any) -> None:
        """Take an event of an executor (``on_event``)."""
        if event == "trial_started" and facts.get("id") in self.predicted:
            facts["predicted_seconds"] = round(self.predicted[facts["id"]], 2)
        entry = self._log.write(event, **facts)
        with self._lock:
            self.board.take(entry, self.predicted)

    def done(self, record: Mapping[str, Any]) -> None:
        """Take the record of a trial that has ended (``on_done``)."""
        begun = self.board.running.get(record["id"])
        seconds = round(time.time() - begun.since, 3) if begun else None
        known = {key: record.get(key) for key in ("id", "method", "protocol", "fold", "state")}
        self.event("trial_ended", **known, seconds=seconds, reason=record.get("reason") or "")
        if self.prints and self._throttle.due(self.board.n_over):
            say(f"Trials: {summary(self.board, self.predicted, time.time())}")

    def drawn(self) -> RenderableType:
        """Return the live view as it stands: a bar with figures, then what runs where."""
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        with self._lock:
            now = time.time()
            text = summary(self.board, self.predicted, now)
            running = sorted(self.board.running.values(), key=lambda t: t.since)
            done, total = self.board.n_over, self.board.todo
        head = Table.grid(padding=(0, 1))
        head.add_row("Trials", ProgressBar(total=max(1, total), completed=done, width=24), Text(text))
        body = Table.grid(padding=(0, 2))
        for column in range(4):
            body.add_column(no_wrap=True, overflow="ellipsis", justify="right" if column == 3 else "left")
        for trial in running:
            body.add_row(*(Text(cell) for cell in _cells(trial, now)))
        return Group(head, body)


def begin(log: EventLog, **facts: Any) -> Board:
    """Tell the log that a call begins (todo, done_before, skipped, workers and the like), and return its board."""
    board = read_board([log.write("run_started", pid=os.getpid(), version=__version__, **facts)], {})
    assert board is not None
    return board


@contextmanager
def watching(log: EventLog, board: Board, predicted: Mapping[str, float]) -> Iterator[Watch]:
    """Watch a call's trials; yields the `Watch` whose methods an executor is given."""
    watch = Watch(log, board, predicted)
    if not shown() or not board.todo:
        yield watch
        return
    if not draws():
        watch.prints = True
        yield watch
        return
    from rich.console import Console
    from rich.live import Live

    # Lines that others write meanwhile stand above the view, which vanishes at the end: the run's last line remains.
    view = Live(
        console=Console(stderr=True),
        get_renderable=watch.drawn,
        refresh_per_second=_REDRAWN_A_SECOND,
        transient=True,
        redirect_stdout=False,
    )
    with view:
        yield watch


def summary(board: Board, predicted: Mapping[str, float], now: float) -> str:
    """Return done of all, failures, rate and time left as one phrase."""
    parts = [f"{board.n_over}/{board.todo} done"]
    if board.n_failed:
        parts.append(f"{board.n_failed} failed")
    if board.n_over:
        parts.append(f"{board.rate(now):.3g} a minute")
    left = board.seconds_left(predicted, now)
    if board.stopping:
        parts.append(f"stopping, {len(board.running)} still running")
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
