"""Faces cut out by KDEF's fixed boxes, one a view.

KDEF's heads stand in one place, and detectors miss profiles almost always (public audits of KDEF find frontal,
half-left and half-right faces in 980, 743 and 820 of 980 pictures, full profiles almost never), so a fixed box is the
fair and deterministic default for five views.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from fer_bench.methods import ImageSpec

__all__ = ["BOXES", "CROP_VERSION", "face_box", "to_spec"]

CROP_VERSION = 1

BOXES: dict[str, tuple[float, float, float, float]] = {
    "S": (0.135, 0.291, 0.726, 0.535),
    "HL": (0.039, 0.337, 0.575, 0.424),
    "HR": (0.363, 0.333, 0.594, 0.438),
    "FL": (0.0, 0.30, 0.70, 0.50),
    "FR": (0.30, 0.30, 0.70, 0.50),
}
"""x, y, width, height as shares of KDEF's 562x762 pictures: median detections, and fixed boxes for profiles."""

_KDEF_ASPECT = 562 / 762


def face_box(view: str, width: int, height: int) -> tuple[int, int, int]:
    """Return left, top and side of the square face box in pixels.

    A picture whose shape is not KDEF's is an already cropped copy: its central square is taken as the face.
    """
    if abs(width / height - _KDEF_ASPECT) > 0.03:
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
    """Area averaging down (no aliasing), linear up."""
    import cv2

    shrink = size < image.shape[0]
    return np.asarray(cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA if shrink else cv2.INTER_LINEAR))
