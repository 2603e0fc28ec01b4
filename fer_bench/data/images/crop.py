"""Faces cut out of pictures: by KDEF's fixed boxes, by a face detector, or not at all.

``fixed``: KDEF's heads stand in one place, and detectors miss profiles almost always (public audits of KDEF find
frontal, half-left and half-right faces in 980, 743 and 820 of 980 pictures, full profiles almost never), so a box for
each view is the fair and deterministic default for its five views. Copies that are already cropped, which their shape
tells, are left alone. ``detect``: a square around what `fer_bench.data.images.detect` finds, by one rule for all views;
where it finds nothing, the fixed box. ``none``: the whole picture, made square by repeating its edge. No choice ever
changes a picture's proportions.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fer_bench.errors import InputError

from .detect import Detector, Face, find_detector

if TYPE_CHECKING:
    from fer_bench.methods import ImageSpec

    from ..manifest import Dataset

__all__ = ["BOXES", "CROP_VERSION", "Box", "crop_identity", "cut", "cut_box", "detector_for", "face_box"]
__all__ += ["locate", "to_spec"]

CROP_VERSION = 2
"""Raised when the same picture and choice give other pixels."""

MARGIN = 1.1
"""Side of the square that is cut around a detected face, as a multiple of the longer side of the detector's box."""

BOXES: dict[str, tuple[float, float, float, float]] = {
    "S": (0.135, 0.291, 0.726, 0.535),
    "HL": (0.039, 0.337, 0.575, 0.424),
    "HR": (0.363, 0.333, 0.594, 0.438),
    "FL": (0.0, 0.30, 0.70, 0.50),
    "FR": (0.30, 0.30, 0.70, 0.50),
}
"""x, y, width, height as shares of KDEF's 562x762 pictures: median detections, and fixed boxes for profiles."""

_KDEF_ASPECT = 562 / 762


@dataclass(frozen=True)
class Box:
    """A square in a picture, in pixels, and what placed it.

    ``by`` is ``"fixed"``, ``"none"``, a detector (``"yunet"``, ``"haar-frontal"``, ...), or ``"fallback"`` where the
    detector found nothing and the fixed box was taken. The square of ``"none"`` may reach beyond the picture.
    """

    left: int
    top: int
    side: int
    by: str


def crop_identity(dataset: Dataset, weights_dir: Path | None = None) -> str:
    """Tell all that the cropped pixels depend on beside the picture itself; part of stores' keys and of trials' ids.

    To be used wherever `CROP_VERSION` was. Give `fer_bench.data.images.store.build_stores` the same ``weights_dir``.

    Returns
    -------
    str
        Such as ``"fixed 2"`` or ``"detect 2, yunet sha256:8f2383e4dd3c, margin 1.1"``.
    """
    detector = detector_for(dataset.crop, weights_dir)
    tail = "" if detector is None else f", {detector.label}, margin {MARGIN}"
    return f"{dataset.crop} {CROP_VERSION}{tail}"


def detector_for(crop: str, weights_dir: Path | None = None) -> Detector | None:
    """Give the detector that a choice of crop uses, None where it uses none."""
    return find_detector(weights_dir) if crop == "detect" else None


def cut(picture: NDArray[np.uint8], view: str, crop: str, detector: Detector | None = None) -> NDArray[np.uint8]:
    """Cut the face out of a picture.

    Parameters
    ----------
    picture : array (h, w, 3) uint8
        RGB.
    view : str
        One of `fer_bench.labels.VIEWS`, or empty where it is not known.
    crop : str
        ``"fixed"``, ``"detect"`` or ``"none"``.
    detector : Detector, optional
        For ``"detect"``.

    Returns
    -------
    array (s, s, 3) uint8
        Square.
    """
    return cut_box(picture, locate(picture, view, crop, detector))


def locate(picture: NDArray[np.uint8], view: str, crop: str, detector: Detector | None = None) -> Box:
    """Find the square to cut out; see `cut`.

    Raises
    ------
    InputError
        Another crop than these three, or ``"detect"`` without a detector.
    """
    height, width = picture.shape[:2]
    if crop == "none":
        side = max(width, height)
        return Box((width - side) // 2, (height - side) // 2, side, "none")
    if crop == "fixed":
        return Box(*face_box(view, width, height), "fixed")
    if crop != "detect" or detector is None:
        raise InputError(f"crop {crop!r}: expected 'fixed', 'none', or 'detect' with a detector")
    face = detector.find(picture)
    return Box(*face_box(view, width, height), "fallback") if face is None else _around(face, width, height)


def _around(face: Face, width: int, height: int) -> Box:
    """Square around a face, moved inside the picture where it would leave it."""
    side = min(max(1, round(MARGIN * max(face.width, face.height))), width, height)
    left = round(face.x + face.width / 2 - side / 2)
    top = round(face.y + face.height / 2 - side / 2)
    return Box(min(max(left, 0), width - side), min(max(top, 0), height - side), side, face.by)


def cut_box(picture: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    """Cut a square (s, s, 3) out of a picture; what lies beyond its edges repeats them."""
    import cv2

    height, width = picture.shape[:2]
    before_y, before_x = max(0, -box.top), max(0, -box.left)
    after_y, after_x = max(0, box.top + box.side - height), max(0, box.left + box.side - width)
    if before_y or before_x or after_y or after_x:
        # Plain backgrounds go on as they are; a bar of one colour would be an edge that is in no face.
        sides = (before_y, after_y, before_x, after_x)
        picture = np.asarray(cv2.copyMakeBorder(picture, *sides, cv2.BORDER_REPLICATE))
    top, left = box.top + before_y, box.left + before_x
    return picture[top : top + box.side, left : left + box.side]


def face_box(view: str, width: int, height: int) -> tuple[int, int, int]:
    """Return left, top and side of the square face box in pixels.

    A picture whose shape is not KDEF's is an already cropped copy, or no KDEF at all: its central square is taken.
    """
    if view not in BOXES or abs(width / height - _KDEF_ASPECT) > 0.03:
        side = min(width, height)
        return (width - side) // 2, (height - side) // 2, side
    x, y, w, h = BOXES[view]
    side = min(round((w * width + h * height) / 2), width, height)
    left = round((x + w / 2) * width - side / 2)
    top = round((y + h / 2) * height - side / 2)
    return min(max(left, 0), width - side), min(max(top, 0), height - side), side


def to_spec(face: NDArray[np.uint8], spec: ImageSpec) -> NDArray[np.uint8]:
    """Turn a square RGB face (s, s, 3) into what a method wants: (size, size) or (size, size, 3) uint8."""
    import cv2

    if spec.source == "grey256":
        grey = _resize(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY), 256)
        grey = _resize(grey, spec.size)
        return grey if spec.channels == 1 else np.repeat(grey[..., None], 3, axis=2)
    if spec.channels == 1:
        return _resize(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY), spec.size)
    return _resize(face, spec.size)


def _resize(image: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Bilinear up; down bilinear to the next whole multiple of ``size``, then the mean of each block (no aliasing).

    That is the average over a pixel's area to within a few grey levels, at a third of the time that OpenCV takes for
    areas whose edges cut through pixels.
    """
    import cv2

    blocks = -(-image.shape[0] // size)
    if blocks * size != image.shape[0]:
        image = np.asarray(cv2.resize(image, (blocks * size, blocks * size), interpolation=cv2.INTER_LINEAR))
    return image if blocks == 1 else np.asarray(cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA))
