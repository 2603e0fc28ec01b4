"""Standard input, output and error as every command needs them: open, and fit for any text."""

from __future__ import annotations

import io
import os
import sys

__all__ = ["hold_standard_files", "ready_streams"]


def hold_standard_files() -> None:
    """Open the null device in the place of a standard file that is closed (``>&-``, a service without a terminal).

    Else the next file or pipe that is opened gets its number, and is taken for it by every process started from here.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            found = os.open(os.devnull, os.O_RDWR)
            if found != number:
                os.dup2(found, number)
                os.close(found)
            os.set_inheritable(number, True)


def ready_streams() -> None:
    """Make standard output and error take any text; signs that their encoding lacks are written as escapes."""
    hold_standard_files()
    for name, number in (("stdout", 1), ("stderr", 2)):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, os.fdopen(number, "w", encoding="utf-8", errors="backslashreplace", closefd=False))
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
