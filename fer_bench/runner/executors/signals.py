"""What Ctrl-C, SIGTERM and a closed terminal mean while trials run."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

__all__ = ["Stop", "interrupts", "terminable"]


@dataclass
class Stop:
    """What signals have asked for.

    Attributes
    ----------
    asked : bool
        Start no more trials (Ctrl-C).
    now : bool
        Stop those that run, too (a second Ctrl-C, or SIGTERM, which is what cluster schedulers send).
    """

    asked: bool = False
    now: bool = False


@contextmanager
def terminable() -> Iterator[None]:
    """Meet SIGTERM and SIGHUP with KeyboardInterrupt inside: what is open is closed and what is there is told."""
    before = {}
    try:
        for number in _ends():
            before[number] = signal.signal(number, signal.default_int_handler)
    except ValueError:  # not the main thread: its signals are somebody else's
        pass
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ends() -> list[signal.Signals]:
    """Signals that end a run at once: SIGTERM, and that the terminal is gone, unless that is ignored (nohup)."""
    hangup: signal.Signals | None = getattr(signal, "SIGHUP", None)  # Windows has none
    if hangup is None or signal.getsignal(hangup) == signal.SIG_IGN:
        return [signal.SIGTERM]
    return [signal.SIGTERM, hangup]


@contextmanager
def interrupts(at_once: Callable[[Stop], None] | None = None) -> Iterator[Stop]:
    """Turn Ctrl-C, SIGTERM and SIGHUP into flags while trials run.

    Parameters
    ----------
    at_once : callable, optional
        Called within the signal's handler; may raise KeyboardInterrupt. For trials that run in this very thread: all
        others look at the flags.
    """
    stop = Stop()

    def on_signal(number: int, frame: Any) -> None:
        stop.now = stop.asked or number != signal.SIGINT
        stop.asked = True
        if at_once is not None:
            at_once(stop)

    before = {}
    try:
        for number in (signal.SIGINT, *_ends()):
            before[number] = signal.signal(number, on_signal)
    except ValueError:  # not the main thread: its signals are somebody else's
        pass
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
