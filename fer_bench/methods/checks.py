"""What methods are given, checked: images, landmarks and labels, each refused with one clear error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fer_bench.errors import InputError
from fer_bench.labels import N_CLASSES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
from .spec import LANDMARKS

__all__ = ["check_images", "check_labels", "check_landmarks"]


def check_images(images: Any, *, channels: int | None = None, like: tuple[int, ...] | None = None) -> NDArray[np.uint8]:
    """Return ``images`` as they are, or refuse them with one clear error.

    Parameters
    ----------
    images : array
        (n, h, w) for grey or (n, h, w, 3) for RGB, uint8, n >= 1.
    channels : int, optional
        1 or 3, where the caller can only take one of them.
    like : tuple of int, optional
        Shape of one image that the method was fitted on.

    Raises
    ------
    InputError
        What was expected and what was found.
    """
    import numpy as np

    array = np.asarray(images)
    grey, colour = array.ndim == 3, array.ndim == 4 and array.shape[-1] == 3
    expected = {1: "(n, h, w)", 3: "(n, h, w, 3)", None: "(n, h, w) or (n, h, w, 3)"}[channels]
    fits = {1: grey, 3: colour, None: grey or colour}[channels]
    if not fits or array.dtype != np.uint8 or array.size == 0:
        raise InputError(f"images: expected uint8 of shape {expected}, found {array.dtype} of shape {array.shape}")
    if like is not None and array.shape[1:] != tuple(like):
        raise InputError(f"images: the method was fitted on images of shape {like}, found {array.shape[1:]}")
    return array


def check_landmarks(landmarks: Any) -> NDArray[np.float32]:
    """Return landmarks (n, 68, 2) float32 as they are, or refuse them with one clear error.

    Raises
    ------
    InputError
        What was expected and what was found.
    """
    import numpy as np

    array = np.asarray(landmarks)
    if array.ndim != 3 or array.shape[1:] != LANDMARKS or array.dtype != np.float32 or len(array) == 0:
        raise InputError(
            f"landmarks: expected float32, {LANDMARKS} for each of one face or more, found {array.dtype}, "
            f"{array.shape[1:]} for each of {len(array) if array.ndim else 0}"
        )
    if not np.isfinite(array).all():
        bad = int((~np.isfinite(array)).any(axis=(1, 2)).sum())
        raise InputError(f"landmarks: expected finite coordinates, found others on {bad} of {len(array)} faces")
    return array


def check_labels(labels: Any, n: int) -> NDArray[np.int64]:
    """Return labels as int64, or refuse them: (n,), integers from 0 to 6, at least two classes among them."""
    import numpy as np

    array = np.asarray(labels)
    if array.shape != (n,) or array.dtype.kind not in "iu":
        raise InputError(f"labels: expected {n} integers, found {array.dtype} of shape {array.shape}")
    if array.min() < 0 or array.max() >= N_CLASSES:
        raise InputError(f"labels: expected 0 to {N_CLASSES - 1}, found {array.min()} to {array.max()}")
    if len(np.unique(array)) < 2:
        raise InputError("labels: expected at least two classes among the training labels, found one")
    return array.astype(np.int64)
