"""Processes and their memory: whole trees are measured and killed, not only the process that was started."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

import psutil

__all__ = ["ProcessTree", "available_memory", "lead_group", "tree", "volunteer_for_oom"]

_PR_SET_CHILD_SUBREAPER = 36  # of linux/prctl.h

_OOM_SCORE = 500
"""Added to a worker's score, so that the kernel takes it, and not the driver, where memory runs out."""


def tree(pid: int) -> list[int]:
    """Return a process and all that it has started, directly or not, as far as they run."""
    found, todo = [], [pid]
    while todo:
        parent = todo.pop()
        found.append(parent)
        todo += _children(parent)
    return found


def _children(pid: int) -> list[int]:
    """The children of all threads, from Linux itself: asking for every process there is would cost milliseconds."""
    try:
        threads = os.listdir(f"/proc/{pid}/task")
        return [int(child) for t in threads for child in Path(f"/proc/{pid}/task/{t}/children").read_text().split()]
    except OSError:
        pass
    if Path("/proc/self/task").exists() and not Path(f"/proc/{pid}").exists():
        return []
    with suppress(psutil.Error):
        return [child.pid for child in psutil.Process(pid).children()]
    return []


def _resident(pid: int) -> int:
    """Bytes in memory; on Linux without pages of files, such as images that all workers map: the system takes those
    back when it must.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        with suppress(psutil.Error):
            return int(psutil.Process(pid).memory_info().rss)
        return 0
    lines = (line.split() for line in status.splitlines() if line.startswith(("RssAnon:", "RssShmem:")))
    return 1024 * sum(int(line[1]) for line in lines)


def _proportional(pid: int) -> int:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return _resident(pid)
    lines = (line.split() for line in rollup.splitlines() if line.startswith(("Pss_Anon:", "Pss_Shmem:")))
    return 1024 * sum(int(line[1]) for line in lines)


def available_memory() -> int:
    """Return the bytes of memory that can be had now, by the machine's account and the container's, if there is one."""
    free = int(psutil.virtual_memory().available)
    for limit, used in (
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ):
        with suppress(OSError, ValueError):  # "max" where there is no limit
            free = min(free, int(Path(limit).read_text()) - int(Path(used).read_text()))
    return max(free, 0)


def lead_group() -> None:
    """Make this process the leader of a group, so that what it starts can be ended with it.

    The terminal's Ctrl-C does not reach it any more, either: that is the driver's business. On Linux it also becomes
    the parent of what its children leave behind, which would otherwise get out of sight.
    """
    with suppress(AttributeError, OSError):  # Windows; or it leads one already
        os.setsid()
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def volunteer_for_oom() -> None:
    """Let the kernel take this process, rather than the one that started it, where memory runs out."""
    path = Path("/proc/self/oom_score_adj")
    with suppress(OSError, ValueError):
        path.write_text(str(min(1000, int(path.read_text()) + _OOM_SCORE)))


class ProcessTree:
    """What a process has started, as far as it was seen: also what has left its group, or lost its parent, since."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._seen: dict[int, psutil.Process] = {}

    def resident(self) -> int:
        """Look at all of them; returns the bytes of memory that they and the process hold."""
        pids = tree(self._pid)
        for pid in pids[1:]:
            if pid not in self._seen:
                with suppress(psutil.Error):
                    self._seen[pid] = psutil.Process(pid)
        return sum(map(_resident, pids))

    def resident_once(self) -> int:
        """Return what `resident` gives, with pages that several of them share (after a fork) counted once.

        Takes milliseconds for each gigabyte, so for when it matters.
        """
        return sum(map(_proportional, tree(self._pid)))

    def kill(self) -> None:
        """Kill all that were seen, then the process's group, whether it is alive itself: the caller may be in it."""
        self.resident()
        for process in self._seen.values():
            with suppress(psutil.Error):
                process.kill()  # refuses where the number is another process's by now
        with suppress(AttributeError, OSError):
            os.killpg(self._pid, signal.SIGKILL)
