"""Whether faces must be cut out of pictures, told by looking at some: portraits need it, faces cut out before do not.

What counts is the share of the frame that the face fills, since methods see the frame. The choice hangs on the pictures
and on the detector alone: not on names, not on the order of files, not on how many people or views a run keeps.
"""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..crop_choice import LEAST_FOUND, CropChoice
from .detect import Detector, Face
from .pictures import FilePictures

if TYPE_CHECKING:
    from ..manifest import Dataset, Manifest

__all__ = ["FILLED", "LOOKED_AT", "choose_crop", "filled_by"]

LOOKED_AT = 25
"""Pictures that are looked at: less than a second, and a middle that a few odd pictures do not move."""

FILLED = {"yunet": 0.75, "haar": 0.63}
"""By detector, the share of the frame's longer side from which on a face fills the picture.

Measured with YuNet on 24 portraits of 12 people (DeBruine & Jones 2017, doi 10.6084/m9.figshare.5047666): whole, the
middle is 0.45; cut out by its own box times 1.1, as `crop` detect does, 0.96; times 1.3 it is 0.81, times 1.6 it is
0.65. KDEF's rendered twins have 0.54 whole and 0.92 in the fixed box. At 0.75 the head has a quarter of the side around
it, beyond any margin that sets of cropped faces are given. The cascades' boxes leave out forehead and chin: 0.80 to
0.90 of YuNet's on the same pictures, so their limit is 0.84 of it.
"""


def choose_crop(dataset: Dataset, detector: Detector, workers: int = 1) -> CropChoice:
    """Look at a sample of a dataset's pictures and choose whether faces are to be cut out of them.

    Parameters
    ----------
    dataset : Dataset
        All of it, before people or views are chosen.
    detector : Detector
        Finds faces, as it will when they are cut out.
    workers : int
        Threads that decode and look.

    Returns
    -------
    CropChoice
        ``"detect"`` where the middle face fills less of the frame than `FILLED` says, else ``"none"``.

    Raises
    ------
    UserError
        A picture cannot be read any more.
    """
    sample = _sample(dataset.manifest)
    shares = np.array([share for share in _shares(dataset, sample, detector, workers) if share is not None])
    share, limit = (float(np.median(shares)) if len(shares) else math.nan), FILLED[detector.name]
    portraits = len(shares) >= LEAST_FOUND * len(sample) and share < limit
    return CropChoice("detect" if portraits else "none", detector.label, limit, len(sample), len(shares), share)


def filled_by(face: Face, picture: NDArray[np.uint8]) -> float:
    """Share of a picture's longer side, 0 to 1, that the longer side of a face's box fills.

    Of the longer one, since a picture that is taken whole is squared to it before a method sees it.
    """
    return float(max(face.width, face.height) / max(picture.shape[:2]))


def _sample(manifest: Manifest) -> Manifest:
    """Some pictures, in the manifest's order, drawn by a seeded hash of their content: the same ones everywhere."""
    contents = manifest.table["sha256"]
    drawn = sorted(contents, key=lambda content: hashlib.sha256(f"0 {content}".encode()).hexdigest())
    return manifest.where("sha256", drawn[:LOOKED_AT])


def _shares(dataset: Dataset, sample: Manifest, detector: Detector, workers: int) -> list[float | None]:
    """Share that the face fills of each picture (n,); None where none was found."""

    def look(_: int, picture: NDArray[np.uint8]) -> float | None:
        face = detector.find(picture)
        return None if face is None else filled_by(face, picture)

    if isinstance(dataset.pictures, FilePictures):
        return list(dataset.pictures.each(look, sample, max(1, workers)))
    return [look(i, picture) for i, picture in enumerate(dataset.pictures(sample, workers))]
