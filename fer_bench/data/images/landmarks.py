"""Who can place the 68 landmarks of iBUG's 300-W on a face: the renderer that drew it, or a model that the user brings.

OpenCV as it is installed finds five points of a face at most (YuNet), and fer-bench ships no model of 68. A file called
``landmarks68-<side>.onnx`` or ``landmarks68-<side>-<anything>.onnx`` (such as ``landmarks68-112-pfld.onnx``) in the
folder of ``--weights-dir`` or in FER_BENCH_WEIGHTS is taken for one, run by OpenCV, under the convention of PFLD
(Guo et al. 2019, arXiv:1902.10859) and its relatives:

- input: one face, the square that methods see, as (1, 3, side, side) float32, RGB, 0 to 1;
- first output: 136 numbers, x and y of each point in turn, as shares of the square's side.

Such a model gives points for every square, whether a face is in it or not.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_bench.errors import UserError
from fer_bench.methods import LANDMARKS
from fer_bench.utils.files import sha256_file
from fer_bench.utils.paths import folder_of_variable

from ..manifest import Dataset
from .crop import Box

__all__ = ["NO_MARKER", "UNMARKED", "Marker", "find_marker"]

UNMARKED = (
    "nobody can place landmarks on these pictures: the renderer knows them on the built-in rendered faces alone, and "
    "no model is at hand"
)
NO_MARKER = f"{UNMARKED}; put one of 68 points, named landmarks68-<side>.onnx, into the folder of --weights-dir"
"""Why a method that reads landmarks does not run, for whoever types commands."""

_NAMED = re.compile(r"landmarks68-([1-9]\d{0,3})(-.*)?\.onnx", re.IGNORECASE)


@dataclass(frozen=True)
class Marker:
    """A way to place landmarks.

    Attributes
    ----------
    label : str
        Who places them, for people and for identities.
    find : callable
        ``find(file, face, box)`` gives (68, 2) points of the face (s, s, 3) uint8 that was cut out at ``box`` of the
        picture ``file``, as shares of the square's side; from any thread. They may lie outside the square.
    """

    label: str
    find: Callable[[str, NDArray[np.uint8], Box], NDArray[np.float64]] = field(repr=False, compare=False)


def find_marker(dataset: Dataset, weights_dir: Path | None = None) -> Marker | None:
    """Take the points that the dataset knows, else a model's; None where there is neither.

    Raises
    ------
    UserError
        A model's file cannot be read, or does not keep to the convention.
    """
    known = dataset.landmarks
    if known is not None:
        return Marker(
            "the renderer's own points, exact and also where the head hides them: better than any detector's",
            lambda file, _, box: (known(file) - (box.left, box.top)) / box.side,
        )
    model = _find_model(weights_dir)
    return None if model is None else _from_model(model, model.stat().st_mtime_ns)


def _find_model(weights_dir: Path | None) -> Path | None:
    for folder in (weights_dir, folder_of_variable("FER_BENCH_WEIGHTS")):
        files = sorted(folder.iterdir()) if folder is not None and folder.is_dir() else []
        for path in files:
            if path.is_file() and _NAMED.fullmatch(path.name):
                return path
    return None


@lru_cache(maxsize=4)
def _from_model(path: Path, _changed: int) -> Marker:
    side = int(_NAMED.fullmatch(path.name)[1])  # type: ignore[index]
    model = _Model(path, side)
    model("", np.zeros((side, side, 3), np.uint8), Box(0, 0, side, "none"))  # what is wrong with it is told now
    return Marker(f"a model at {side} px, sha256:{sha256_file(path)[:12]}", model)


class _Model:
    """A model on a file; each thread has a network of its own, since one keeps its input between calls."""

    def __init__(self, path: Path, side: int) -> None:
        self._path, self._side = path, side
        self._own = threading.local()

    def __call__(self, file: str, face: NDArray[np.uint8], box: Box) -> NDArray[np.float64]:
        import cv2

        how = cv2.INTER_AREA if face.shape[0] > self._side else cv2.INTER_LINEAR
        small = cv2.resize(face, (self._side, self._side), interpolation=how)
        try:
            if not hasattr(self._own, "network"):
                self._own.network = cv2.dnn.readNetFromONNX(str(self._path))
            self._own.network.setInput(cv2.dnn.blobFromImage(small, 1 / 255))
            points = np.asarray(self._own.network.forward(), dtype=np.float64)
        except cv2.error as error:
            why = str(error).strip().splitlines()[-1]
            raise UserError(
                f"{self._path}: expected an ONNX model of input (1, 3, {self._side}, {self._side}), and OpenCV "
                f"cannot run it: {why}; remove it, or bring another"
            ) from error
        if points.size != LANDMARKS[0] * LANDMARKS[1] or not np.isfinite(points).all():
            raise UserError(
                f"{self._path}: expected a model that gives x and y of 68 points, found an output of shape "
                f"{points.shape}; remove it, or bring another"
            )
        return points.reshape(LANDMARKS)
