"""JAFFE: ten Japanese women, seven posed expressions, frontal, 213 pictures.

Grammar: Lyons, Akamatsu, Kamachi & Gyoba 1998, doi 10.1109/AFGR.1998.670949; doi 10.5281/zenodo.14974867.
"""

from __future__ import annotations

from .. import LAYOUT_SUMMARIES
from ..manifest import Excluded
from ..names import JAFFE_NAME, picture_name
from ..sources.base import Source
from ..words import label_words
from .contract import Layout, Listing, pictures_of
from .notes import note_additions, note_others

__all__ = ["JAFFE"]

_WOMEN = frozenset({"KA", "KL", "KM", "KR", "MK", "NA", "NM", "TM", "UY", "YM"})
_LABELS = label_words("an", "di", "fe", "ha", "ne", "sa", "su")


def _read_name(stem: str) -> tuple[dict[str, str], str] | None:
    """Row and bare name; a name with an addition, such as ``KA.AN1.39_aug1``, is another image of the same picture."""
    named = picture_name(JAFFE_NAME, stem)
    if named is None or named[0]["subject"] not in _WOMEN:
        return None
    found, image = named
    row = {"image": image, "label": _LABELS[found["label"].lower()], "subject": found["subject"], "gender": "F"}
    return row, found["picture"]


def _claims(source: Source) -> bool:
    return any(_read_name(path.stem) for _, path in pictures_of(source))


def _listing(source: Source) -> Listing:
    rows, pictures, others = [], [], []
    for name, path in pictures_of(source):
        named = _read_name(path.stem)
        if named is None:
            others.append(name)
        else:
            rows.append({**named[0], "file": name})
            pictures.append(named[1])
    excluded = [Excluded(name, "the name is not one of JAFFE's, such as KA.AN1.39") for name in others]
    notes = (
        *note_additions([row["image"] for row in rows], pictures, "JAFFE's"),
        *note_others(others, len(rows) + len(others), "JAFFE's"),
    )
    return Listing(rows, excluded, source, notes)


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
