"""Trials whose process died: how it ended, and whether and how they are tried again."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..task import Task
from ..trial import second_try

__all__ = ["TRIES", "Death", "next_try"]

TRIES = 2
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


def next_try(task: Task, deaths: Sequence[Death]) -> tuple[Task | None, str]:
    """Decide what becomes of a task whose process died.

    After a crash the second try is a safer one (`runner.trial.CAUTION`): the same again would crash again.

    Parameters
    ----------
    task : Task
        As it was tried last.
    deaths : sequence of Death
        Of all its tries, the last one last.

    Returns
    -------
    Task or None
        What to try next; None where it has failed.
    str
        Why it is tried again, or why it has failed, for people.
    """
    last = deaths[-1]
    if len(deaths) < TRIES:
        again = replace(task, cautious=last.signal) if last.crashed else task
        how = f"; tried again, safer: {second_try(again)['how']}" if again.cautious else ""
        return again, f"its process {last}{how}"
    if task.cautious:
        first, how = second_try(task).values()
        return None, f"its process ended by {first}; in a second, safer try ({how}) it {last}"
    if len(set(deaths)) == 1:
        return None, f"its process {last}, {TRIES} times in a row"
    return None, f"its process {', then '.join(map(str, deaths))}"
