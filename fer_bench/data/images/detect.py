"""Where the face is: OpenCV's YuNet where its model file is at hand, else the Haar cascades that OpenCV brings along.

YuNet: Wu, Peng, Yu 2023, doi 10.1007/s11633-023-1423-y. Cascades: Viola and Jones 2001, doi 10.1109/CVPR.2001.990517.
Both get a copy of the picture whose longer side has 320 pixels. The same picture has the same box, every time.
"""

from __future__ import annotations

import hashlib
import http.client
import threading
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_bench.errors import UserError, WeightsUnavailableError
from fer_bench.utils.files import atomic_write, cache_dir, sha256_file
from fer_bench.utils.ownership import need_own
from fer_bench.utils.paths import folder_of_variable

__all__ = ["YUNET_FILE", "YUNET_SHA256", "Detector", "Face", "fetch_yunet", "find_detector", "find_yunet"]

YUNET_FILE = "face_detection_yunet_2023mar.onnx"
"""The model file's published name, in github.com/opencv/opencv_zoo/tree/main/models/face_detection_yunet."""

YUNET_SHA256 = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"

YUNET_URL = f"https://huggingface.co/opencv/face_detection_yunet/resolve/main/{YUNET_FILE}"
"""Where OpenCV publishes it, under the MIT licence."""

_TIMEOUT_SECONDS = 15
_MOST_BYTES = 1_000_000
_SIDE = 320
_YUNET_SCORE = 0.6
_CASCADES = ("haarcascade_frontalface_alt2.xml", "haarcascade_profileface.xml")
_SMALLEST = 0.3
"""Least side of a face for the cascades, as a share of the picture's shorter side: smaller ones are mostly false."""


@dataclass(frozen=True)
class Face:
    """A box around a face in pixels of the picture, and which detector found it."""

    x: float
    y: float
    width: float
    height: float
    by: str


@dataclass(frozen=True)
class Detector:
    """A way to find a face.

    Attributes
    ----------
    name : str
        ``"yunet"`` or ``"haar"``.
    sha256 : str
        Of the model's file or files.
    find : callable
        ``find(picture)`` gives the face in an RGB picture (h, w, 3) uint8, or None; from any thread.
    """

    name: str
    sha256: str
    find: Callable[[NDArray[np.uint8]], Face | None] = field(repr=False, compare=False)

    @property
    def label(self) -> str:
        """Name and hash, for provenance and identities."""
        return f"{self.name} sha256:{self.sha256[:12]}"


def find_detector(weights_dir: Path | None = None) -> Detector:
    """Take YuNet where `find_yunet` finds it, else the cascades.

    Raises
    ------
    UserError
        YuNet's file is damaged.
    """
    model = find_yunet(weights_dir)
    return _haar() if model is None else Detector("yunet", YUNET_SHA256, _YuNet(model))


def find_yunet(weights_dir: Path | None = None) -> Path | None:
    """Look for YuNet's file in ``weights_dir``, FER_BENCH_WEIGHTS and fer-bench's cache, in this order.

    Raises
    ------
    UserError
        A file of that name has another content.
    """
    for folder in (weights_dir, folder_of_variable("FER_BENCH_WEIGHTS"), cache_dir() / "weights"):
        path = None if folder is None else folder / YUNET_FILE
        if path is not None and path.is_file():
            digest = sha256_file(path)
            if digest != YUNET_SHA256:
                raise UserError(
                    f"{path}: expected a sha256 that starts with {YUNET_SHA256[:12]}, found {digest[:12]}; "
                    "the file is damaged or another one: delete it, then `fer-bench weights fetch yunet` gets it anew"
                )
            return path
    return None


def fetch_yunet() -> Path:
    """Download YuNet's file into fer-bench's cache, hash checked; `find_yunet` finds it from then on.

    Raises
    ------
    WeightsUnavailableError
        No connection, or what came is not the published file.
    UserError
        Another file is in its place.
    """
    target = cache_dir() / "weights" / YUNET_FILE
    need_own(target, lambda there: sha256_file(there) == YUNET_SHA256, f"the published {YUNET_FILE}", "")
    try:
        request = urllib.request.Request(YUNET_URL, headers={"User-Agent": "fer-bench"})
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:
            data = answer.read(_MOST_BYTES)
    except (http.client.HTTPException, OSError, ValueError) as error:
        cause = getattr(error, "reason", error)
        raise WeightsUnavailableError(f"the download of {YUNET_FILE} failed: {cause}") from error
    digest = hashlib.sha256(data).hexdigest()
    if digest != YUNET_SHA256:
        raise WeightsUnavailableError(f"the download of {YUNET_FILE} is damaged (sha256 {digest[:8]})")
    with atomic_write(target) as handle:
        handle.write(data)
    return target


class _YuNet:
    """YuNet on a file; each thread has a network of its own, since one keeps its input between calls."""

    def __init__(self, model: Path) -> None:
        self._model = model
        self._own = threading.local()

    def __call__(self, picture: NDArray[np.uint8]) -> Face | None:
        import cv2

        small, scale = _reduced(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        size = (small.shape[1], small.shape[0])
        if not hasattr(self._own, "network"):
            self._own.network = cv2.FaceDetectorYN.create(str(self._model), "", size, _YUNET_SCORE)
        self._own.network.setInputSize(size)
        faces = self._own.network.detect(small)[1]
        if faces is None:
            return None
        return _face(faces[np.argmax(faces[:, -1])][:4], scale, "yunet")


def _haar() -> Detector:
    from cv2.data import haarcascades

    files = [Path(haarcascades) / name for name in _CASCADES]
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    return Detector("haar", digest, _Haar(files))


class _Haar:
    """The frontal cascade; where it sees nothing, the profile cascade on the picture and on its mirror image."""

    def __init__(self, files: list[Path]) -> None:
        self._files = files
        self._own = threading.local()

    def __call__(self, picture: NDArray[np.uint8]) -> Face | None:
        import cv2

        if not hasattr(self._own, "cascades"):
            self._own.cascades = [cv2.CascadeClassifier(str(file)) for file in self._files]
        frontal, profile = self._own.cascades
        small, scale = _reduced(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))
        grey = cv2.equalizeHist(small)
        box = _largest(frontal, grey)
        if box is not None:
            return _face(box, scale, "haar-frontal")
        left = _largest(profile, grey)
        right = _largest(profile, np.ascontiguousarray(grey[:, ::-1]))
        if right is not None and (left is None or right[2] > left[2]):
            right[0] = grey.shape[1] - right[0] - right[2]
            return _face(right, scale, "haar-profile-mirrored")
        return None if left is None else _face(left, scale, "haar-profile")


def _face(box: NDArray[np.floating], scale: float, by: str) -> Face:
    x, y, width, height = (float(value) / scale for value in box)
    return Face(x, y, width, height, by)


def _largest(cascade: Any, grey: NDArray[np.uint8]) -> NDArray[np.float64] | None:
    least = int(min(grey.shape) * _SMALLEST)
    boxes = cascade.detectMultiScale(grey, scaleFactor=1.1, minNeighbors=4, minSize=(least, least))
    # Of equal ones the upper left: the cascade lists them in no promised order.
    ordered = sorted((tuple(int(v) for v in box) for box in boxes), key=lambda b: (-b[2], b[1], b[0]))
    return np.array(ordered[0], dtype=np.float64) if ordered else None


def _reduced(picture: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], float]:
    import cv2

    height, width = picture.shape[:2]
    scale = _SIDE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, size, interpolation=how)), scale
