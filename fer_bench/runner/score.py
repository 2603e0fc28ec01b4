"""Scoring what trials have answered after each epoch: here, in the driver, where the labels of the test images are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["best_epoch"]


def best_epoch(
    arrays: Mapping[str, NDArray[Any]], labels: NDArray[np.int64]
) -> tuple[NDArray[np.float64] | None, NDArray[np.float32] | None]:
    """Return accuracy after each epoch and the probabilities of the best: the article's habit, kept apart and flagged.

    Parameters
    ----------
    arrays : mapping of str to array
        A trial's predictions: ``index`` (n,), rows of the manifest, and ``eval_proba`` (epochs, n, 7), where it was
        watched. Trials of earlier versions were scored where they ran and hold ``watched_accuracy`` (epochs,) and
        ``watched_proba`` (n, 7) in its place.
    labels : (n_images,) int64
        Of all rows of the manifest.

    Returns
    -------
    (epochs,) float64, (n, 7) float32
        The first of equally good epochs is the best; None and None where the trial was not watched.
    """
    if "eval_proba" not in arrays:
        return arrays.get("watched_accuracy"), arrays.get("watched_proba")
    proba = arrays["eval_proba"]
    accuracy: NDArray[np.float64] = (proba.argmax(axis=2) == labels[arrays["index"]]).mean(axis=1)
    return accuracy, proba[int(accuracy.argmax())]
