"""What a run allows: failed trials before it gives up, and memory for one trial."""

from __future__ import annotations

import math
import re

from fer_bench.errors import UserError

from .process_tree import available_memory

__all__ = ["failures_allowed", "memory_share"]

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
