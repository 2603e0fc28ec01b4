"""Where a run's figures come from: code, packages, machine. Read once a run, not once a trial."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import fer_bench

__all__ = ["code", "machine", "packages"]

_PACKAGES = (
    "numpy", "scipy", "pandas", "pyarrow", "scikit-learn", "scikit-image", "PyWavelets",
    "opencv-python-headless", "pillow", "torch", "torchvision", "matplotlib",
)  # fmt: skip


def packages() -> dict[str, str]:
    """Return the versions of the packages that figures depend on."""
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def code() -> dict[str, Any]:
    """Return version, commit and whether the tree was changed; commit is None for an installed wheel."""
    room = Path(fer_bench.__file__).parent
    commit = dirty = None
    if (room.parent / ".git").exists():
        commit = _output("git", "-C", str(room), "rev-parse", "HEAD") or None
        dirty = bool(_output("git", "-C", str(room), "status", "--porcelain", "--untracked-files=no"))
    return {"version": fer_bench.__version__, "commit": commit, "dirty": dirty}


def machine() -> dict[str, Any]:
    """Return CPU, cores, memory (GB), platform, Python and GPUs; neither host name nor kernel build."""
    import psutil

    gpus = _output("nvidia-smi", "--query-gpu=name", "--format=csv,noheader") if shutil.which("nvidia-smi") else ""
    return {
        "cpu": _cpu_name(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "platform": " ".join(filter(None, [platform.system(), platform.machine(), *platform.libc_ver()])),
        "python": platform.python_version(),
        "gpu": gpus.replace("\n", ", ") or None,
    }


def _cpu_name() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _output(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
