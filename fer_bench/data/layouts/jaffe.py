"""JAFFE: ten Japanese women, seven posed expressions, frontal, 213 pictures.

Grammar: Lyons, Akamatsu, Kamachi & Gyoba 1998, doi 10.1109/AFGR.1998.670949; doi 10.5281/zenodo.14974867.
"""

from __future__ import annotations

import re

from .. import LAYOUT_SUMMARIES
from ..manifest import Excluded
from ..sources.base import Source
from ..words import label_words
from .contract import Layout, Listing, pictures_of

__all__ = ["JAFFE"]

_NAME = re.compile(r"(KA|KL|KM|KR|MK|NA|NM|TM|UY|YM)\.(AN|DI|FE|HA|NE|SA|SU)(\d)\.(\d+)")
_LABELS = label_words("an", "di", "fe", "ha", "ne", "sa", "su")


def _claims(source: Source) -> bool:
    return any(_NAME.fullmatch(path.stem.upper()) for _, path in pictures_of(source))


def _listing(source: Source) -> Listing:
    rows, excluded = [], []
    for name, path in pictures_of(source):
        match = _NAME.fullmatch(path.stem.upper())
        if match is None:
            excluded.append(Excluded(name, "the name is not one of JAFFE's, such as KA.AN1.39"))
            continue
        person, word = match.group(1, 2)
        rows.append(
            {
                "image": match.group(0),
                "file": name,
                "label": _LABELS[word.lower()],
                "subject": person,
                "gender": "F",
            }
        )
    return Listing(rows, excluded, source)


JAFFE = Layout(
    name="jaffe",
    summary=LAYOUT_SUMMARIES["jaffe"],
    expects="JAFFE's names such as KA.AN1.39.tiff",
    claims=_claims,
    listing=_listing,
    labels=_LABELS,
    notice=(
        "JAFFE (Lyons, Kamachi & Gyoba 1998): ten Japanese women. It is for non-commercial research and may not be "
        "redistributed; reports hold numbers and plots only, and no picture leaves the machine. With ten people, "
        "differences between methods are rarely certain."
    ),
)
