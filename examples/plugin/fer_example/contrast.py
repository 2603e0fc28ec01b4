"""A feature and a classifier: what a classical method consists of."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestCentroid
from sklearn.preprocessing import StandardScaler

from fer_bench.baselines.features.registry import Feature


def contrast(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return standard deviations of grey values in cells of 6 x 6 pixels: (n, h, w) to (n, h // 6 * w // 6)."""
    n, h, w = images.shape
    cells = images.reshape(n, h // 6, 6, w // 6, 6).astype(np.float32)
    return cells.std(axis=(2, 4)).reshape(n, -1)


def centroid(features: str, n_train: int) -> list[tuple[str, Any]]:
    """Return the steps of a scikit-learn pipeline: nearest class mean of standardised values."""
    return [("scale", StandardScaler()), ("classify", NearestCentroid())]


# The key names the computation: raise its number whenever the values change.
CONTRAST = Feature("example-contrast-6x6-v1", contrast)
