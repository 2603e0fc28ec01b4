"""Made-up images and features for the tests of this package."""

import numpy as np
import pytest


@pytest.fixture
def blobs():
    """Return a function that draws float32 rows around one centre a class: (X, y) for k classes."""

    def draw(n: int, d: int, k: int = 7, spread: float = 2.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(seed)
        centres = rng.normal(size=(k, d))
        y = np.arange(n) % k
        rows = centres[y] + spread * rng.normal(size=(n, d)) @ np.diag(rng.uniform(0.2, 2.0, d))
        X = (rows - rows.mean(axis=0)) / (rows.std(axis=0) * np.sqrt(d))
        return X.astype(np.float32), y.astype(np.int64)

    return draw
