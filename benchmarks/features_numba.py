"""What a compiler would give: circular LBP codes by numba, beside the batched NumPy of this project.

    pip install numba
    python benchmarks/features_numba.py

numba is no dependency of the project; this is the measurement behind that. One thread, CPU seconds.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy is imported
os.environ.setdefault("NUMBA_NUM_THREADS", "1")

import statistics
import sys
import time
from typing import Any

import numpy as np
from bench_features import cpu_seconds, faces
from skimage.feature import local_binary_pattern

from fer_bench.baselines.features.lbp import lbp_codes

try:
    import numba
except ImportError:
    sys.exit("features_numba: expected numba, found none; pip install numba")

DIAGONAL = 0.70711  # as scikit-image rounds it


@numba.njit
def patterns(images: Any, found: Any) -> Any:
    """Write the eight bits of every pixel, with scikit-image's arithmetic."""
    n, h, w = images.shape
    for i in range(n):
        grey = np.zeros((h + 2, w + 2))
        grey[1:-1, 1:-1] = images[i]
        for r in range(h):
            up = (r - DIAGONAL) - np.floor(r - DIAGONAL)
            down = (r + DIAGONAL) - np.floor(r + DIAGONAL)
            for c in range(w):
                left = (c - DIAGONAL) - np.floor(c - DIAGONAL)
                right = (c + DIAGONAL) - np.floor(c + DIAGONAL)
                centre = grey[r + 1, c + 1]
                upper_left = (1 - left) * grey[r, c] + left * grey[r, c + 1]
                upper_right = (1 - right) * grey[r, c + 1] + right * grey[r, c + 2]
                middle_left = (1 - left) * grey[r + 1, c] + left * centre
                middle_right = (1 - right) * centre + right * grey[r + 1, c + 2]
                lower_left = (1 - left) * grey[r + 2, c] + left * grey[r + 2, c + 1]
                lower_right = (1 - right) * grey[r + 2, c + 1] + right * grey[r + 2, c + 2]
                bits = 1 * (grey[r + 1, c + 2] >= centre)
                bits |= 2 * ((1 - up) * upper_right + up * middle_right >= centre)
                bits |= 4 * (grey[r, c + 1] >= centre)
                bits |= 8 * ((1 - up) * upper_left + up * middle_left >= centre)
                bits |= 16 * (grey[r + 1, c] >= centre)
                bits |= 32 * ((1 - down) * middle_left + down * lower_left >= centre)
                bits |= 64 * (grey[r + 2, c + 1] >= centre)
                bits |= 128 * ((1 - down) * middle_right + down * lower_right >= centre)
                found[i, r, c] = bits
    return found


def main() -> None:
    """Print seconds to compile, and images a second of both and of scikit-image's loop."""
    images = faces(128)
    found = np.empty(images.shape, dtype=np.uint8)
    before = time.process_time()
    patterns(images[:1], found[:1])
    print(f"compiled in {time.process_time() - before:.1f} s")
    expected = np.stack([local_binary_pattern(image, 8, 1, "default") for image in images])
    print(f"codes unlike scikit-image's: {int((patterns(images, found) != expected).sum())}")
    sides = {
        "numba": lambda: patterns(images, found),
        "NumPy": lambda: lbp_codes(images),
        "loop": lambda: [local_binary_pattern(image, 8, 1, "nri_uniform") for image in images],
    }
    turns = [{name: cpu_seconds(work) for name, work in sides.items()} for _ in range(5)]
    for name in sides:
        print(f"{name}: {len(images) / statistics.median(turn[name] for turn in turns):,.0f} images a CPU second")


if __name__ == "__main__":
    main()
