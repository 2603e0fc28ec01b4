"""ExpW: photographs from the web, and a list with a box and an expression for each face on them.

Zhang, Luo, Loy & Tang 2018, "From facial expression recognition to interpersonal relation prediction", doi
10.1007/s11263-017-1055-1. Columns and numbers are those that its makers' note on ``label.lst`` gives: picture, number
of the face on it, top, left, right and bottom of its box, confidence, expression. People are not told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath

from .. import LAYOUT_SUMMARIES
from ..images.pictures import decode
from ..manifest import Excluded
from ..sources.base import Source
from .contract import Layout, Listing, files_of, pictures_of

__all__ = ["EXPW"]

_CODES = {"0": "AN", "1": "DI", "2": "AF", "3": "HA", "4": "SA", "5": "SU", "6": "NE"}
_LIST = "label.lst"
_CELLS = 8
_NEARLY_ALL = 0.9


@dataclass(frozen=True)
class _Face:
    """A line of the list: what stands there, and the box as left, top, right, bottom in pixels."""

    line: int
    picture: str
    number: str
    box: tuple[int, int, int, int]
    code: str


def _faces(source: Source, name: str) -> Iterator[_Face | int]:
    """Each line of the list, or its number where it is in another form."""
    try:
        text = source.read(name).decode("utf-8-sig", "replace")
    except (OSError, ValueError):
        return
    for line, cells in ((i, row.split()) for i, row in enumerate(text.splitlines(), start=1)):
        if not cells:
            continue
        try:
            picture, number, *place, _, code = cells
            top, left, right, bottom = (round(float(value)) for value in place)
            yield _Face(line, picture, str(int(number)), (left, top, right, bottom), code)
        except (ValueError, OverflowError):
            yield line


def _lists(source: Source) -> list[str]:
    found = [(name, path) for name, path in files_of(source) if name.lower().endswith(_LIST)]
    return [name for name, path in found if path.name.lower() == _LIST]


def _claims(source: Source) -> bool:
    """Whether a list has faces in nearly all of its lines, and expressions from 0 to 6 alone."""
    for name in _lists(source):
        lines = list(_faces(source, name))
        faces = [line for line in lines if isinstance(line, _Face)]
        if faces and len(faces) >= _NEARLY_ALL * len(lines) and all(face.code in _CODES for face in faces):
            return True
    return False


def _listing(source: Source) -> Listing:
    """Each face becomes a picture of its own, cut out as the list says."""
    table = next(iter(_lists(source)), "")
    pictures: dict[str, str] = {}
    rows, excluded = [], []
    for name, path in pictures_of(source):
        if pictures.setdefault(path.name, name) != name:
            excluded.append(Excluded(name, f"a second file of an image: {pictures[path.name]} is used"))
    boxes: dict[str, tuple[str, tuple[int, int, int, int]]] = {}
    listed, faces = set(), set()
    for face in _faces(source, table) if table else ():
        if isinstance(face, int):
            excluded.append(Excluded(f"{table}, line {face}", f"not the {_CELLS} cells of a face"))
            continue
        name = pictures.get(PurePosixPath(face.picture).name, "")
        listed.add(name)
        image = f"{PurePosixPath(face.picture).stem}_{face.number}"
        # The first face goes by the name of its picture, so that each file is either a row or left out.
        file = f"{name}, face {face.number}" if name in boxes else name
        if not name:
            excluded.append(Excluded(f"{table}, line {face.line}", f"no such picture: {face.picture}"))
        elif face.code not in _CODES:
            excluded.append(Excluded(f"{table}, line {face.line}", f"no number from 0 to 6: {face.code[:20]!r}"))
        elif (name, face.number) in faces:
            excluded.append(Excluded(f"{table}, line {face.line}", f"a second line for a face of {face.picture}"))
        else:
            faces.add((name, face.number))
            boxes[file] = (name, face.box)
            rows.append({"image": image, "file": file, "label": _CODES[face.code]})
    unlisted = [name for name in pictures.values() if name not in boxes]
    excluded += [
        Excluded(name, "no usable line of the list" if name in listed else f"not in {table or _LIST}")
        for name in unlisted
    ]
    read = partial(_cut, source, boxes)
    return Listing(rows, excluded, Source(source.path, tuple(boxes), read, source.refused, parameter=source.parameter))


def _cut(source: Source, boxes: Mapping[str, tuple[str, tuple[int, int, int, int]]], file: str) -> bytes:
    """The face as a PPM in memory."""
    name, (left, top, right, bottom) = boxes[file]
    picture = decode(source.read(name))
    face = picture[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    if not face.size:
        raise ValueError("the box of the face is not on the picture")
    result: bytes = b"P6 %d %d 255\n" % (face.shape[1], face.shape[0]) + face.tobytes()
    return result


EXPW = Layout(
    name="expw",
    summary=LAYOUT_SUMMARIES["expw"],
    expects="ExpW's label.lst",
    claims=_claims,
    listing=_listing,
    labels=_CODES,
    notice=(
        "ExpW (Zhang, Luo, Loy & Tang 2018): faces on photographs found on the web, people unknown, so that nothing "
        "here may be called subject-independent. See the terms that it came under; reports hold numbers and plots "
        "only, and no picture leaves the machine."
    ),
    no_people="ExpW does not tell who is on which picture",
    crop="none",
)
