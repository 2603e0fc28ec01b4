"""What may be read: regular files of bounded size; a pipe keeps a reader waiting, a device may never end."""

from __future__ import annotations

import os
import stat
from pathlib import Path

__all__ = ["open_at_once", "unfit"]


def unfit(about: os.stat_result, most_bytes: float) -> str:
    """Return why a file is not read, in words that follow "found"; empty where it can be.

    Parameters
    ----------
    about : stat_result
        Of the file itself, not of a link to it.
    most_bytes : float
        A larger one is not read.
    """
    if stat.S_ISDIR(about.st_mode):
        return "a folder"
    if not stat.S_ISREG(about.st_mode):
        return "a pipe or a device"
    if about.st_size > most_bytes:
        return f"{about.st_size / 1e6:,.0f} MB, more than {most_bytes / 1e6:,.0f}"
    return ""


def open_at_once(file: str | Path, flags: int) -> int:
    """Open a file, as ``opener`` of ``open``; a pipe would keep a reader waiting for who writes to it."""
    return os.open(file, flags | getattr(os, "O_NONBLOCK", 0))
