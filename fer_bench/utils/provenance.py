"""Where a run's figures come from: code, packages, machine. Read once a run, not once a trial."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from .version import __version__

__all__ = ["NOT_INSTALLED", "code", "code_name", "cpu", "environment", "libraries", "machine", "packages"]

_PACKAGES = (
    "numpy", "scipy", "pandas", "pyarrow", "scikit-learn", "PyWavelets",
    "opencv-python-headless", "pillow", "torch", "torchvision",
)  # fmt: skip

NOT_INSTALLED = "not installed"

_VARIABLES = (
    "OMP_NUM_THREADS", "OMP_PROC_BIND", "OMP_PLACES", "OMP_DYNAMIC", "OMP_WAIT_POLICY", "OMP_SCHEDULE",
    "OPENBLAS_NUM_THREADS", "OPENBLAS_CORETYPE", "MKL_NUM_THREADS", "MKL_CBWR", "MKL_DEBUG_CPU_TYPE",
    "MKL_ENABLE_INSTRUCTIONS", "BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS", "KMP_AFFINITY",
    "KMP_BLOCKTIME", "GOTO_NUM_THREADS", "NPY_DISABLE_CPU_FEATURES", "NPY_ENABLE_CPU_FEATURES", "ATEN_CPU_CAPABILITY",
    "ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "OPENCV_CPU_DISABLE", "OPENCV_OPENCL_RUNTIME", "CUDA_VISIBLE_DEVICES",
    "CUDA_LAUNCH_BLOCKING", "CUBLAS_WORKSPACE_CONFIG", "NVIDIA_TF32_OVERRIDE", "PYTORCH_CUDA_ALLOC_CONF",
    "PYTORCH_NVML_BASED_CUDA_CHECK", "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE", "TORCH_CUDNN_V8_API_DISABLED",
    "PYTHONHASHSEED", "PYTHONOPTIMIZE", "MALLOC_ARENA_MAX", "LD_PRELOAD", "SLURM_CPUS_PER_TASK",
)  # fmt: skip
"""Environment that changes figures or times. A list of names, never all variables: those hold secrets."""


def packages() -> dict[str, str]:
    """Return the versions of the packages that figures depend on."""
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = NOT_INSTALLED
    return found


def code() -> dict[str, Any]:
    """Return version, commit and whether the tree was changed; commit is None for an installed wheel."""
    room = Path(__file__).parents[1]
    commit = dirty = None
    if (room.parent / ".git").exists():
        commit = _output("git", "-C", str(room), "rev-parse", "HEAD") or None
        dirty = bool(_output("git", "-C", str(room), "status", "--porcelain", "--untracked-files=no"))
    return {"version": __version__, "commit": commit, "dirty": dirty}


@cache
def code_name() -> str:
    """Return the harness's version and commit in one phrase; read once a process."""
    found = code()
    commit = f", commit {found['commit'][:12]}{' with changes' if found['dirty'] else ''}" if found["commit"] else ""
    return f"fer-bench {found['version']}{commit}"


def cpu() -> dict[str, Any]:
    """Return the processor's name and how many cores this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {"cpu": _cpu_name(), "cores": cores}


def machine() -> dict[str, Any]:
    """Return CPU, cores, memory (GB), platform, Python, GPUs and their driver; neither host name nor kernel build."""
    import psutil

    gpus, drivers = _gpus()
    return {
        **cpu(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "platform": " ".join(filter(None, [platform.system(), platform.machine(), *platform.libc_ver()])),
        "python": platform.python_version(),
        "gpu": ", ".join(gpus) or None,
        "gpu_driver": ", ".join(dict.fromkeys(drivers)) or None,
    }


def libraries() -> list[dict[str, Any]]:
    """Return the linear algebra libraries of numpy and scipy: what they are, never where they lie.

    Others (OpenMP's) are told only where they happen to be loaded, and so would differ from call to call.
    """
    import scipy.linalg  # noqa: F401 - so that its BLAS is loaded and told
    from threadpoolctl import threadpool_info

    wanted = ("internal_api", "version", "architecture", "threading_layer")
    found = [
        {key: info[key] for key in wanted if info.get(key)} for info in threadpool_info() if info["user_api"] == "blas"
    ]
    return [info for place, info in enumerate(found) if info not in found[:place]]


def environment() -> dict[str, str]:
    """Return the environment variables that change figures or times, without the folders of this machine."""
    found = {name: os.environ[name] for name in _VARIABLES if name in os.environ}
    return {name: _without_folders(value) for name, value in found.items()}


def _without_folders(value: str) -> str:
    """Reduce the paths in a value, such as LD_PRELOAD's, to their last parts."""
    return re.sub(r"[^\s:;,]*[/\\]", "", value)


def _gpus() -> tuple[list[str], list[str]]:
    """Names and driver versions of the GPUs; empty where there are none."""
    if not shutil.which("nvidia-smi"):
        return [], []
    told = _output("nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader")
    rows = [[cell.strip() for cell in line.rsplit(",", 1)] for line in told.splitlines() if "," in line]
    return [row[0] for row in rows], [row[1] for row in rows]


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
