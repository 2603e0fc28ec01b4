"""How fast this machine is beside the nominal laptop of the shipped estimates: a second of work, once a machine."""

from __future__ import annotations

import hashlib
import time
from functools import cache
from pathlib import Path

from fer_bench.errors import UserError
from fer_bench.utils.files import atomic_write, cache_dir, to_json
from fer_bench.utils.json_files import find_sealed, sealed_text
from fer_bench.utils.provenance import cpu

__all__ = ["machine_key", "machine_slowness", "measure"]

_VERSION = 1
_REPEATS = 8
_NOMINAL_SECONDS = 0.058
"""Of `measure` on the nominal laptop. It took 0.053 s on the machine of reports/all-quick-synthetic, whose trials took
0.92 of what was estimated for them (fit and predict less shared work, summed over trials.csv)."""


@cache
def machine_key() -> str:
    """Return a short hash of what a trial's seconds hang on: processor model and number of usable cores."""
    return hashlib.sha256(to_json([cpu()["cpu"], cpu()["cores"]]).encode()).hexdigest()[:12]


def machine_slowness() -> float:
    """Return how many times longer than the nominal laptop this machine takes; measured once and kept in the cache."""
    file = cache_dir() / f"calibration-v{_VERSION}-{machine_key()}.json"
    known = _read(file)
    if known is not None:
        return known
    slowness = measure() / _NOMINAL_SECONDS
    try:
        with atomic_write(file, "w") as handle:
            handle.write(sealed_text({"slowness": slowness}))
    except (OSError, UserError):  # a cache that cannot be written costs a second each time, and a run says so itself
        pass
    return slowness


def measure() -> float:
    """Return the processor seconds of a fixed piece of work on one thread, the best of eight.

    Half of it is matrix products, as in networks and kernels, and half is passing over arrays larger than caches.
    Processor seconds, because whatever else runs meanwhile says nothing about the machine.
    """
    import numpy as np
    from threadpoolctl import threadpool_limits

    rng = np.random.default_rng(0)
    square = rng.standard_normal((512, 512), dtype=np.float32)
    long = rng.standard_normal(4_000_000, dtype=np.float32)
    best = float("inf")
    with threadpool_limits(1):
        for _ in range(_REPEATS):
            begun = time.process_time()
            product = square
            for _ in range(8):
                product = product @ square
                product /= np.abs(product).max()
            for _ in range(4):
                np.sqrt(np.abs(long) + np.float32(1)).sum()
            best = min(best, time.process_time() - begun)
    return best


def _read(file: Path) -> float | None:
    found = find_sealed(file, dict[str, float]) or {}
    value = found.get("slowness", 0.0)
    return value if 0.01 < value < 100 else None
