"""What happens in a run, as it happens: one JSON object a line, written by the driver alone.

A line is one ``write`` at the end of the file, so that a driver killed at any moment leaves at most one torn line,
which readers skip. Nothing depends on the log but what is shown: results are in the trials' own folders.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, Self, TypedDict

from fer_bench.utils.json_files import json_lines, json_text
from fer_bench.utils.ownership import own_copy
from fer_bench.utils.progress import say
from fer_bench.utils.shapes import Rule

__all__ = ["EVENTS", "EventLog", "read_events"]

EVENTS = "events.jsonl"
_LONGEST_TEXT = 2000
_LATEST = 1e11
"""Seconds; of the year 5138, which clocks can tell."""


class _Needed(TypedDict):
    time: Annotated[float, Rule("seconds since 1970", lambda value: 0 <= value < _LATEST)]
    event: str


class Event(_Needed, total=False):
    """Kinds of what a line may hold, of what is read again."""

    id: str | None
    method: str | None
    protocol: str | None
    fold: int | None
    worker: str | None
    device: str | None
    state: str | None
    reason: str | None
    seconds: float | None
    why: str | None
    pid: int | None
    todo: int | None
    done_before: int | None
    skipped: int | None
    workers: int | None


class EventLog:
    """The open log of one run directory.

    Events: ``run_started``, ``workers`` (how many trials a cluster takes at once), ``trial_started``,
    ``trial_ended``, ``retry``, ``stopping`` and ``run_ended``, each with ``time`` (seconds since 1970, UTC). Later
    calls of the same run append to the same file.

    Parameters
    ----------
    folder : Path
        The run directory.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / EVENTS
        self._told = False
        self._handle, self._torn = self._opened()

    def _opened(self) -> tuple[int, bool]:
        """Open the log, and tell whether its last line is torn; -1 where it cannot be written."""
        try:
            if self._path.is_fifo():
                raise OSError(errno.ESPIPE, "it is a pipe")
            own_copy(self._path)  # whoever copied the run by links keeps his
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
            return handle, _ends_torn(handle)
        except OSError as error:
            self._tell(error)
            return -1, False

    def write(self, event: str, **facts: Any) -> dict[str, Any]:
        """Append one event and return it; a log that cannot be written is told once and stops nothing."""
        short = {k: v[:_LONGEST_TEXT] if isinstance(v, str) else v for k, v in facts.items()}
        entry = {"time": round(time.time(), 3), "event": event, **short}
        # A line torn by a kill or a full disk is closed first: it must not swallow this one.
        line = ("\n" if self._torn else "") + json_text(entry, default=str) + "\n"
        data = line.encode()
        if self._handle < 0:
            return entry
        try:
            written = os.write(self._handle, data)
            self._torn = written < len(data)
        except OSError as error:
            self._tell(error)
        return entry

    def _tell(self, error: OSError) -> None:
        if not self._told:
            say(f"{self._path}: cannot be written: {error.strerror}; `fer-bench status` will not see what follows")
        self._told = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close; a run that an error ends says so."""
        if kind is not None:
            why = "interrupted" if issubclass(kind, KeyboardInterrupt) else "error"
            self.write("run_ended", why=why, reason=str(error))
        if self._handle >= 0:
            os.close(self._handle)


def read_events(folder: Path) -> Iterator[Mapping[str, Any]]:
    """Yield the events of a run directory in their order; lines that are none are skipped, no log means no events."""
    yield from json_lines(folder / EVENTS, Event)


def _ends_torn(handle: int) -> bool:
    size = os.lseek(handle, 0, os.SEEK_END)
    if not size:
        return False
    os.lseek(handle, -1, os.SEEK_END)
    return os.read(handle, 1) != b"\n"
