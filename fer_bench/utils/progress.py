"""Progress that suits where it is shown: a bar in a terminal, a line now and then in a log."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from .texts import escaped

__all__ = ["Throttle", "draws", "hide_progress", "progress", "say", "shown", "without_progress", "worded"]

_LOG_EVERY_SECONDS = 20.0
_AT_LEAST_SECONDS = 2.0
_SHARE = 0.05

_hidden = False
_wording: Callable[[str], str] = str


@contextmanager
def worded(how: Callable[[str], str]) -> Iterator[None]:
    """Change what `say` is given into the words of who is told: a command line has options for parameters."""
    global _wording
    before, _wording = _wording, how
    try:
        yield
    finally:
        _wording = before


def say(text: str) -> None:
    """Write one line for people to standard error, where it does not mix with what a command answers.

    Names in it may hold anything: what a terminal would obey is written as escapes. A terminal that was closed
    meanwhile, or was never there, ends no run.
    """
    if sys.stderr is None:
        return
    with suppress(OSError):
        sys.stderr.write(escaped(_wording(text)) + "\n")
        sys.stderr.flush()


def hide_progress(hide: bool = True) -> None:
    """Show no progress from now on (``--no-progress``); what `say` has to tell is told all the same."""
    global _hidden
    _hidden = hide


@contextmanager
def without_progress(hide: bool = True) -> Iterator[None]:
    """Show no progress inside; afterwards as before."""
    before = _hidden
    hide_progress(hide or before)
    try:
        yield
    finally:
        hide_progress(before)


def shown() -> bool:
    """Tell whether progress is to be shown at all."""
    return not _hidden


def draws() -> bool:
    """Tell whether standard error is a terminal that can redraw lines; a log or ``TERM=dumb`` cannot."""
    return sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM", "") not in ("dumb", "unknown")


class Throttle:
    """Says when a log is due its next line: after some seconds, or sooner where much has been done.

    Parameters
    ----------
    total : int
        Number of steps.
    """

    def __init__(self, total: int) -> None:
        self._total = max(1, total)
        self._done, self._when = 0, time.monotonic()

    def due(self, done: int) -> bool:
        """Tell whether to write a line now that ``done`` steps are; true at most once in two seconds."""
        waited = time.monotonic() - self._when
        much = (done - self._done) / self._total >= _SHARE and waited >= _AT_LEAST_SECONDS
        if not (much or waited >= _LOG_EVERY_SECONDS):
            return False
        self._done, self._when = done, time.monotonic()
        return True


@contextmanager
def progress(description: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show how far a job is; yields a function that takes the number done so far.

    Parameters
    ----------
    description : str
        What is being done, such as ``"Reading pictures"``.
    total : int
        Number of steps.
    """
    if not shown():
        yield lambda done: None
        return
    if draws():
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True)) as bar:
            task = bar.add_task(description, total=total)
            yield lambda done: bar.update(task, completed=done)
        return

    throttle = Throttle(total)

    def log(done: int) -> None:
        if throttle.due(done):
            say(f"{description}: {done}/{total}")

    yield log
