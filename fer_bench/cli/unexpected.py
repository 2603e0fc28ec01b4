"""Errors that nobody has foreseen: one sentence for people, everything else in a file."""

from __future__ import annotations

import os
import shlex
import sys
import tempfile
import time
import traceback
from contextlib import suppress
from pathlib import Path

from fer_bench.utils.files import cache_dir
from fer_bench.utils.texts import one_line, writable
from fer_bench.utils.version import __version__

__all__ = ["UNEXPECTED", "unexpected"]

UNEXPECTED = 70
"""Exit code; EX_SOFTWARE of BSD's sysexits.h."""


def unexpected(error: Exception) -> str:
    """Write down an error's traceback, and return what to tell people.

    Parameters
    ----------
    error : exception
        What no command has caught.
    """
    trace = "".join(traceback.format_exception(error))
    what = one_line(f"{type(error).__name__}: {error}", 300)
    told = f"an error that should not happen ({what})"
    text = f"fer-bench {__version__}, Python {sys.version}\n{shlex.join(sys.argv)}\n\n{trace}"
    for folder in (cache_dir() / "logs", Path(tempfile.gettempdir())):
        file = folder / f"fer-bench-error-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            file.write_text(writable(text), encoding="utf-8")
            return f"{told}; {file} has the details: please report it with this file"
    return f"{told}; no file could be written with the details, which are:\n{writable(trace)}"
