"""Progress that suits where it is shown: a bar in a terminal, a line now and then in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["progress", "say"]

_LOG_EVERY_SECONDS = 20.0


def say(text: str) -> None:
    """Write one line for people to standard error, where it does not mix with what a command answers."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


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
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True)) as bar:
            task = bar.add_task(description, total=total)
            yield lambda done: bar.update(task, completed=done)
        return

    last = time.monotonic()

    def log(done: int) -> None:
        nonlocal last
        if time.monotonic() - last >= _LOG_EVERY_SECONDS:
            last = time.monotonic()
            say(f"{description}: {done}/{total}")

    yield log
