"""AffectNet: pictures beside annotations, as its makers give out the part of eight expressions, or numbered folders.

Mollahosseini, Hasani & Mahoor 2017, doi 10.1109/TAFFC.2017.2740923; the numbers' order is the makers' own. Numbered
folders alone could be of any data set, so these are read only where the layout is named. People are not told.
"""

from __future__ import annotations

import io
import posixpath
from pathlib import PurePosixPath

import numpy as np

from .. import LAYOUT_SUMMARIES
from ..manifest import Excluded
from ..sources.base import Source
from ..words import SPLIT_WORDS
from .contract import Layout, Listing, files_of, pictures_of
from .folder_words import relative_names

__all__ = ["AFFECTNET", "AFFECTNET_ORDER"]

_CODES = {"0": "NE", "1": "HA", "2": "SA", "3": "SU", "4": "AF", "5": "DI", "6": "AN"}
_OTHERS = {
    "7": "contempt is none of the seven expressions",
    "8": "none: no expression that it has a name for, say its makers",
    "9": "uncertain: its makers could not tell the expression",
    "10": "no face, say its makers",
}
AFFECTNET_ORDER = "0 neutral, 1 happy, 2 sad, 3 surprise, 4 fear, 5 disgust, 6 anger, 7 contempt"
"""What the numbers stand for."""

_ENDING = "_exp.npy"


def _notes_of(source: Source) -> dict[tuple[str, str], str]:
    """Files that tell an expression, by the folder that holds annotations and images, and by the picture's stem."""
    found = {}
    for name, path in files_of(source):
        if name.endswith(_ENDING) and path.parent.name.lower() == "annotations":
            found[str(path.parent.parent), path.name.removesuffix(_ENDING)] = name
    return found


def _place(path: PurePosixPath) -> tuple[str, str]:
    return str(path.parent.parent) if path.parent.name.lower() == "images" else "", path.stem


def _claims(source: Source) -> bool:
    """Whether any picture in images/ has its expression in annotations/ beside it."""
    notes = _notes_of(source)
    return bool(notes) and any(_place(path) in notes for _, path in pictures_of(source))


def _listing(source: Source) -> Listing:
    notes = _notes_of(source)
    rows, excluded = [], []
    for name, path in pictures_of(source):
        if notes:
            code, problem = _noted(source, notes.get(_place(path), ""))
        else:
            code, problem = _numbered(path)
        if code in _CODES:
            rows.append({"file": name, "label": _CODES[code], "split": _split_of(path)})
        else:
            excluded.append(Excluded(name, problem or _OTHERS.get(code, f"no number from 0 to 10: {code[:20]!r}")))
    for row, image in zip(rows, relative_names([row["file"] for row in rows]), strict=True):
        row["image"] = image
    said = () if notes else (f"The folders' numbers were named as AffectNet's: {AFFECTNET_ORDER}.",)
    return Listing(rows, excluded, source, said)


def _noted(source: Source, note: str) -> tuple[str, str]:
    """Number in a picture's annotation, or why there is none."""
    if not note:
        return "", f"no annotation beside it: expected annotations/NAME{_ENDING}"
    try:
        value = np.load(io.BytesIO(source.read(note)), allow_pickle=False).reshape(-1)[0]
        return str(int(value)), ""
    except (OSError, ValueError, IndexError, EOFError):
        return "", f"no expression in {posixpath.basename(note)}: expected one number in NumPy's format"


def _numbered(path: PurePosixPath) -> tuple[str, str]:
    """Number of the folder that a picture is in, or why there is none."""
    folder = path.parent.name
    return (folder, "") if folder.isdecimal() else ("", f"in no folder that is a number: folder {folder!r}")


def _split_of(path: PurePosixPath) -> str:
    parts = [SPLIT_WORDS[part.lower()] for part in path.parts[:-1] if part.lower() in SPLIT_WORDS]
    return parts[-1] if parts else ""


AFFECTNET = Layout(
    name="affectnet",
    summary=LAYOUT_SUMMARIES["affectnet"],
    expects="AffectNet's images/ with annotations/..._exp.npy",
    claims=_claims,
    listing=_listing,
    labels=_CODES,
    notice=(
        "AffectNet (Mollahosseini, Hasani & Mahoor 2017): faces found on the web, people unknown, so that nothing here "
        "may be called subject-independent; contempt is left out. It is for research and comes under an agreement with "
        "its makers: see what it allows. Reports hold numbers and plots only, and no picture leaves the machine."
    ),
    no_people="AffectNet does not tell who is on which picture",
)
