"""Spawned processes that do not run the user's script anew.

Python runs the main script in every process that it spawns, so that a script without ``if __name__ == "__main__"``
starts itself again and again. Processes of fer-bench need nothing of that script: they are started as if there were
none, so that a call works in any script, and nothing of it is done twice.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.context import SpawnContext, SpawnProcess
from types import ModuleType

__all__ = ["SPAWN"]

_one_at_a_time = threading.Lock()


class _Process(SpawnProcess):
    """A spawned process that does not import the main script."""

    def start(self) -> None:
        """Start it."""
        with _no_main():
            super().start()


class _Context(SpawnContext):
    """The start method ``spawn`` with such processes."""

    Process = _Process


SPAWN = _Context()
"""For ``multiprocessing`` and ``concurrent.futures``, as a context."""


@contextmanager
def _no_main() -> Iterator[None]:
    """Hide the main script for the moment in which `multiprocessing` looks what a new process is to import."""
    with _one_at_a_time:
        main = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = main
