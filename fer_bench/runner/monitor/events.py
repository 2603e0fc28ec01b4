"""What happens in a run, as it happens: one JSON object a line, written by the driver alone.

A line is one ``write`` at the end of the file, so that a driver killed at any moment leaves at most one torn line,
which readers skip. Nothing depends on the log but what is shown: results are in the trials' own folders.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from fer_bench.utils.progress import say

__all__ = ["EVENTS", "EventLog", "read_events"]

EVENTS = "events.jsonl"
_LONGEST_TEXT = 2000


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
        self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
        self._torn = _ends_torn(self._handle)
        self._told = False

    def write(self, event: str, **facts: Any) -> dict[str, Any]:
        """Append one event and return it; a log that cannot be written is told once and stops nothing."""
        short = {k: v[:_LONGEST_TEXT] if isinstance(v, str) else v for k, v in facts.items()}
        entry = {"time": round(time.time(), 3), "event": event, **short}
        # A line torn by a kill or a full disk is closed first: it must not swallow this one.
        line = ("\n" if self._torn else "") + json.dumps(entry, default=str) + "\n"
        data = line.encode()
        try:
            written = os.write(self._handle, data)
            self._torn = written < len(data)
        except OSError as error:
            if not self._told:
                say(f"{self._path}: cannot be written: {error.strerror}; `fer-bench status` will not see what follows")
            self._told = True
        return entry

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close; a run that an error ends says so."""
        if kind is not None:
            why = "interrupted" if issubclass(kind, KeyboardInterrupt) else "error"
            self.write("run_ended", why=why, reason=str(error))
        os.close(self._handle)


def read_events(folder: Path) -> Iterator[Mapping[str, Any]]:
    """Yield the events of a run directory in their order; torn lines are skipped, no log means no events."""
    try:
        lines = (folder / EVENTS).read_bytes().splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and "event" in entry and isinstance(entry.get("time"), int | float):
            yield entry


def _ends_torn(handle: int) -> bool:
    size = os.lseek(handle, 0, os.SEEK_END)
    if not size:
        return False
    os.lseek(handle, -1, os.SEEK_END)
    return os.read(handle, 1) != b"\n"
