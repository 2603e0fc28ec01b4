"""Features that all folds share: computed once for a dataset, cached by content."""

from __future__ import annotations

import time
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from fer_bench.utils.files import atomic_write, cache_dir, clean_killed, locked, need_space
from fer_bench.utils.json_files import find_sealed, sealed_text
from fer_bench.utils.sealed import fault_of, sealed_write

from .task import Task

__all__ = ["shared_features"]


class _Timing(TypedDict):
    seconds_per_image: float


def shared_features(task: Task, method: Any, images: NDArray[np.uint8]) -> tuple[NDArray[np.float32], float, list[str]]:
    """Load what ``prepare`` gives for the whole dataset, computing it where no trial has before.

    A process holds a file against its checksum before it first takes anything from it.

    Returns
    -------
    (n, d) float32, float, list of str
        Features, seconds an image that they took, and what was wrong with a file that was made anew.
    """
    # What a GPU computed differs in the last digits: a trial of the CPU must not get it, nor its speed.
    device = "" if task.device == "cpu" else f"-{task.device.replace(':', '.')}"
    device += "-cautious" if task.cautious else ""  # other instructions, other last digits
    path = cache_dir() / "features" / f"{task.images.stem}-{method.prepare_key()}{device}.npy"
    timing = path.with_suffix(".json")
    fault, seconds = _look(path, timing)
    told = []
    if fault != "":
        with locked(path.with_suffix(".lock"), wait=True):
            fault, seconds = _look(path, timing)  # another process may have made them
            if fault != "":
                seconds = _make(path, timing, method, images)
                told = [f"{path}: {fault}; these features were computed anew"] if fault else []
    return _mapped(path, _stamp(path)), seconds, told


def _make(path: Path, timing: Path, method: Any, images: NDArray[np.uint8]) -> float:
    wall = time.perf_counter()
    features = np.asarray(method.prepare(np.asarray(images)), dtype=np.float32)
    seconds = (time.perf_counter() - wall) / len(images)
    clean_killed(path.with_suffix(".*"))
    need_space(path.parent, features.nbytes, "the cache of features")
    with sealed_write(path) as handle:
        np.save(handle, features)
    with atomic_write(timing, "w") as handle:
        handle.write(sealed_text({"seconds_per_image": seconds}))
    return seconds


def _look(path: Path, timing: Path) -> tuple[str | None, float]:
    """What is wrong with features, and the seconds an image that they took: nothing, or None where there are none."""
    if not path.exists():
        return None, 0.0
    known = find_sealed(timing, _Timing)
    fault = _fault_once(path, _stamp(path))
    if known is None:
        return fault or f"{timing.name}, the time that they took, is lost or damaged", 0.0
    return fault, known["seconds_per_image"]


def _stamp(path: Path) -> tuple[int, ...]:
    about = path.stat()
    return about.st_ino, about.st_size, about.st_mtime_ns


@cache
def _fault_once(path: Path, stamp: tuple[int, ...]) -> str:
    return fault_of(path)


@lru_cache(maxsize=2)
def _mapped(path: Path, stamp: tuple[int, ...]) -> NDArray[np.float32]:
    """Features on disk; a worker's next trial mostly reads the same, whose pages then need not be mapped again."""
    result: NDArray[np.float32] = np.load(path, mmap_mode="r")
    return result
