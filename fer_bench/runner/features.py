"""Features that all folds share: computed once for a dataset, cached by content."""

from __future__ import annotations

import time
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from fer_bench.errors import FerBenchError
from fer_bench.seeds import derive_seed
from fer_bench.utils.files import atomic_write, cache_dir, clean_killed, locked, need_space
from fer_bench.utils.json_files import find_sealed, sealed_text
from fer_bench.utils.sealed import fault_of, sealed_write

from .task import Task

__all__ = ["shared_features"]


class _Time(TypedDict):
    seconds_per_image: float


class _Timing(_Time, total=False):
    source_hash: str


_ASKED_AGAIN = 16
"""Images whose features are made twice, to see whether they are those of the image alone."""
_ALLOWED = {False: (1e-3, 1e-6), True: (2e-2, 5e-3)}
"""What rounding may differ by for methods without torch and with it (half precision, other kernels for other numbers
of images): shares of the largest value of a feature, and of all features."""


def shared_features(task: Task, method: Any, images: NDArray[np.uint8]) -> tuple[NDArray[np.float32], float, list[str]]:
    """Load what ``prepare`` gives for the whole dataset, computing it where no trial of the same code has before.

    A process holds a file against its checksum before it first takes anything from it.

    Returns
    -------
    (n, d) float32, float, list of str
        Features, seconds an image that they took, and what was wrong with a file that was made anew.

    Raises
    ------
    FerBenchError
        ``prepare`` does not give one row an image, or another row for an image that stands beside others.
    """
    # What a GPU computed differs in the last digits: a trial of the CPU must not get it, nor its speed.
    device = "" if task.device == "cpu" else f"-{task.device.replace(':', '.')}"
    device += "-cautious" if task.cautious else ""  # other instructions, other last digits
    path = cache_dir() / "features" / f"{task.images.stem}-{method.prepare_key()}{device}.npy"
    timing = path.with_suffix(".json")
    fault, seconds = _look(path, timing, task.source_hash)
    told = []
    if fault != "":
        with locked(path.with_suffix(".lock"), wait=True):
            fault, seconds = _look(path, timing, task.source_hash)  # another process may have made them
            if fault != "":
                seconds = _make(path, timing, task, method, images)
                told = [f"{path}: {fault}; these features were computed anew"] if fault else []
    return _mapped(path, _stamp(path)), seconds, told


def _make(path: Path, timing: Path, task: Task, method: Any, images: NDArray[np.uint8]) -> float:
    wall = time.perf_counter()
    features = np.asarray(method.prepare(np.asarray(images)), dtype=np.float32)
    seconds = (time.perf_counter() - wall) / len(images)
    _check_rows(task, method, images, features)
    clean_killed(path.with_suffix(".*"))
    need_space(path.parent, features.nbytes, "the cache of features")
    with sealed_write(path) as handle:
        np.save(handle, features)
    with atomic_write(timing, "w") as handle:
        handle.write(sealed_text({"seconds_per_image": seconds, "source_hash": task.source_hash}))
    return seconds


def _check_rows(task: Task, method: Any, images: NDArray[np.uint8], features: NDArray[np.float32]) -> None:
    """Have features of some images made again, in another order and beside fewer others, and compare."""
    n = len(images)
    if features.ndim != 2 or len(features) != n:
        raise FerBenchError(f"prepare: expected one row an image, shape ({n}, d), found {features.shape}")
    seed = derive_seed(task.random_state, "images prepared again", task.id)
    rows = np.random.default_rng(seed).permutation(n)[:_ASKED_AGAIN]
    again, before = np.asarray(method.prepare(np.asarray(images[rows])), dtype=np.float32), features[rows]
    if again.shape == before.shape:
        size = np.nan_to_num(np.maximum(np.abs(before), np.abs(again)))
        of_each, of_all = _ALLOWED[task.spec.uses_torch]
        limit = of_each * size.max(axis=0, initial=0) + of_all * size.max(initial=0)
        same = np.isclose(again, before, rtol=0, atol=limit, equal_nan=True).all(axis=1)
        if same.all():
            return
        found = f"other rows for {int((~same).sum())} of {len(rows)} images"
    else:
        found = f"rows of shape {again.shape[1:]}, not {before.shape[1:]}"
    raise FerBenchError(
        "prepare: must be free of labels and row by row, row i made from image i alone, the same in any order and "
        f"beside any others; asked again for {len(rows)} images in another order it gave {found}"
    )


def _look(path: Path, timing: Path, source_hash: str) -> tuple[str | None, float]:
    """What is wrong with features, and the seconds an image that they took: nothing, or None where there are none.

    Those of other code are none: that a method names them alike is what whoever changed the code may have forgotten.
    """
    if not path.exists():
        return None, 0.0
    known = find_sealed(timing, _Timing)
    fault = _fault_once(path, _stamp(path))
    if known is None:
        return fault or f"{timing.name}, the time that they took, is lost or damaged", 0.0
    if known.get("source_hash", "") != source_hash:
        return None, 0.0
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
