"""Features that all folds share: computed once for a dataset, cached by content."""

from __future__ import annotations

import time
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_bench.utils.files import atomic_write, cache_dir, clean_killed, locked, need_space
from fer_bench.utils.json_files import find_json, json_text

from .task import Task

__all__ = ["shared_features"]


def shared_features(task: Task, method: Any, images: NDArray[np.uint8]) -> tuple[NDArray[np.float32], float]:
    """Load what ``prepare`` gives for the whole dataset, computing it where no trial has before."""
    # What a GPU computed differs in the last digits: a trial of the CPU must not get it, nor its speed.
    device = "" if task.device == "cpu" else f"-{task.device.replace(':', '.')}"
    device += "-cautious" if task.cautious else ""  # other instructions, other last digits
    path = cache_dir() / "features" / f"{task.images.stem}-{method.prepare_key()}{device}.npy"
    timing = path.with_suffix(".json")
    with locked(path.with_suffix(".lock"), wait=True):
        known = find_json(timing, dict[str, float]) or {}
        if "seconds_per_image" not in known or not path.exists():
            wall = time.perf_counter()
            features = np.asarray(method.prepare(np.asarray(images)), dtype=np.float32)
            seconds = time.perf_counter() - wall
            clean_killed(path.with_suffix(".*"))
            need_space(path.parent, features.nbytes, "the cache of features")
            with atomic_write(path) as handle:
                np.save(handle, features)
            known = {"seconds_per_image": seconds / len(images)}
            with atomic_write(timing, "w") as handle:
                handle.write(json_text(known))
    return _mapped(path, path.stat().st_mtime_ns), known["seconds_per_image"]


@lru_cache(maxsize=2)
def _mapped(path: Path, changed: int) -> NDArray[np.float32]:
    """Features on disk; a worker's next trial mostly reads the same, whose pages then need not be mapped again."""
    result: NDArray[np.float32] = np.load(path, mmap_mode="r")
    return result
