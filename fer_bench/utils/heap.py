"""Memory that is freed and asked for again, picture by picture, stays with the process.

The C library gives every large array back to the system at once and gets it anew, page by page, each page cleared: a
seventh of the time that a set of faces takes to be read (``benchmarks/bench_ingest.py``).
"""

from __future__ import annotations

import ctypes
import platform
from functools import cache

__all__ = ["keep_freed_memory"]

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Numbers of mallopt(3)'s parameters, glibc's malloc.h."""

_LARGEST_KEPT = 32 << 20
"""Bytes of an array that is kept: the most that glibc takes, more than a decoded picture of KDEF has (1.3 MB)."""

_MOST_KEPT = 128 << 20
"""Bytes that are kept at most, by each thread."""


@cache
def keep_freed_memory() -> bool:
    """Ask the C library, once a process, to keep memory that was freed; tell whether it will (glibc alone does)."""
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return bool(mallopt(_MMAP_THRESHOLD, _LARGEST_KEPT) and mallopt(_TRIM_THRESHOLD, _MOST_KEPT))
