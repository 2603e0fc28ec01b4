"""The order in which a method is asked about test images, and the way back from it.

In a manifest images of one expression stand side by side, or at regular places: who answered by position would be right
without a look at any picture. So they are drawn into another order, which is the trial's own and the same each time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_bench.seeds import derive_seed

from .task import Task

__all__ = ["draw_order", "put_back"]


def draw_order(task: Task) -> NDArray[np.int64]:
    """Return the order of a trial's test images, (n_test,) positions in ``task.test``.

    Drawn by the trial's seed and its id; by the seed alone, which a method is given, it could be drawn again there.
    """
    seed = derive_seed(task.random_state, "order of test images", task.id)
    return np.random.default_rng(seed).permutation(len(task.test))


def put_back(answers: NDArray[Any], order: NDArray[np.int64], axis: int = 0) -> NDArray[Any]:
    """Return answers that were given in a drawn order in the order of ``task.test``, along one axis."""
    return np.take(answers, np.argsort(order), axis=axis)
