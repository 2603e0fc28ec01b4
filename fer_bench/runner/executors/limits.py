"""What a run allows: failed trials before it gives up, and time and memory for one trial.

`.worker` watches its process, asks here whether a limit is passed, and ends what passes one (`Worker.terminate`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from fer_bench.errors import UserError

from ..task import Task
from .process_tree import available_memory

__all__ = ["failures_allowed", "memory_share", "over_memory", "over_time"]

_MEMORY_SHARE = 0.9
"""Of the free memory; the rest is the driver's and the system's."""


def failures_allowed(text: str, n_trials: int) -> int | None:
    """Read ``--max-failures``: the number of failed trials at which no more are started, None without a limit.

    Parameters
    ----------
    text : str
        ``"3"``, ``"10%"`` (of the planned trials, rounded up), or empty.
    n_trials : int
        Planned trials.

    Raises
    ------
    UserError
        Neither a whole number of at least 1 nor a percentage above 0 and up to 100.
    """
    if not text.strip():
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(%?)", text.strip())
    number = float(found[1]) if found else 0.0
    if found and found[2] and 0 < number <= 100:
        return max(1, math.ceil(n_trials * number / 100))
    if found and not found[2] and number >= 1 and number == int(number):
        return int(number)
    raise UserError(
        f"`max_failures` {text}: expected a number of trials of at least 1, or a percentage above 0 % and up to 100 %, "
        "such as 5 or 10%"
    )


def memory_share(workers: int) -> float:
    """Return the bytes that one trial may take where nothing is asked for: a worker's share of nine tenths of the free
    memory of this machine.
    """
    return _MEMORY_SHARE * available_memory() / workers


def over_time(task: Task, seconds: float) -> str:
    """Return why a trial that has run so long is stopped; empty while it may go on."""
    if seconds <= task.timeout_seconds:
        return ""
    return f"stopped after {seconds:.0f} s; its limit is {task.timeout_seconds:.0f} s"


def over_memory(task: Task, used: float, used_once: Callable[[], float]) -> str:
    """Return why a trial whose processes hold so much memory is stopped; empty while it may go on.

    Parameters
    ----------
    used : float
        Bytes that its processes hold, what they share counted for each of them.
    used_once : callable
        The same with what they share counted once: slow to find out, and asked only where ``used`` is too much.
    """
    if not 0 < task.memory_bytes < used or task.memory_bytes >= (exactly := used_once()):
        return ""
    limit = task.memory_bytes / 1e9
    return f"stopped at {exactly / 1e9:.2f} GB of memory; its limit is {limit:.2f} GB (--memory-limit)"
