"""How an execution of trials ended, whichever executor ran them."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ExecutionResult"]


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
