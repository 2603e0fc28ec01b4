"""What all executors share: which trial is next, what counts as failed, what Ctrl-C means, and how it all ended."""

from __future__ import annotations

import signal
from dataclasses import dataclass

__all__ = ["Death", "ExecutionResult"]


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
class ExecutionResult:
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
