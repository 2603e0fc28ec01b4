"""What was seen where looking at pictures chose whether faces are cut out, and its words."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["LEAST_FOUND", "CropChoice"]

LEAST_FOUND = 1 / 3
"""Share of the pictures in which a face must be found for its size to say anything: the cascades see one in two to
three of pictures in five views, and hardly any in scenes without faces."""


@dataclass(frozen=True)
class CropChoice:
    """How a crop was chosen by looking.

    Attributes
    ----------
    crop : str
        ``"detect"`` or ``"none"``.
    detector : str
        Its name and the hash of its files.
    limit : float
        The share of the frame, 0 to 1, from which on nothing is cut out.
    looked, found : int
        Pictures that were looked at, and those in which a face was found.
    share : float
        Median share of the frame's longer side that a found face's longer side fills, 0 to 1; NaN without a face.
    """

    crop: str
    detector: str
    limit: float
    looked: int
    found: int
    share: float

    @property
    def sentence(self) -> str:
        """What was seen and chosen, and what chooses otherwise."""
        name = self.detector.split(" ")[0]
        seen = f"{name} finds a face in {self.found} of {self.looked} pictures looked at"
        if math.isnan(self.share) or self.found < LEAST_FOUND * self.looked:
            return f"Faces are not cut out: {seen}, too few to tell their size; `crop` detect would cut them out."
        filled = f"{seen}, and it fills {100 * self.share:.0f} % of their side"
        if self.crop == "detect":
            return f"Faces are found and cut out, as these are whole portraits: {filled}; `crop` none takes them whole."
        return f"Faces are not cut out, as they fill these pictures: {filled}; `crop` detect would cut them out."
