"""FER2013: 35,887 grey faces of 48 x 48 pixels from the web, as one table or in class folders.

Goodfellow et al. 2013, "Challenges in representation learning", doi 10.1007/978-3-642-42051-1_16. Identities are not
given. The parts Training, PublicTest and PrivateTest are the challenge's own; copies of a picture across them, and
pictures that stand under several labels, are known and are taken out while reading (see ``reading.drop_copies``).
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from fer_bench.errors import UserError

from .. import LAYOUT_SUMMARIES
from ..manifest import Excluded
from ..sources.base import Source
from ..words import SPLIT_WORDS, label_words
from .class_folders import class_folder, relative_names
from .contract import Layout, Listing, pictures_of
from .csv_tables import read_table, tables_with

__all__ = ["FER2013", "FER2013_CSV"]

_SIDE = 48
_CODES = {"0": "AN", "1": "DI", "2": "AF", "3": "HA", "4": "SA", "5": "SU", "6": "NE"}
_COLUMNS = ("emotion", "pixels", "usage")
_NAME = re.compile(r"(training|publictest|privatetest)_\d+", re.IGNORECASE)
_PLAIN_NAME = re.compile(r"im\d+", re.IGNORECASE)

_NO_PEOPLE = "FER2013 does not tell who is on which picture"
_NOTICE = (
    "FER2013 (Goodfellow et al. 2013): faces found on the web, with noisy labels and unknown people, so that nothing "
    "here may be called subject-independent. See the terms that it came under; no picture leaves the machine."
)


def _claims_table(source: Source) -> bool:
    return bool(tables_with(source, *_COLUMNS))


def _list_table(source: Source) -> Listing:
    """Each row becomes a picture of its own, a PGM in memory, so that it is audited and read like any other file."""
    tables = tables_with(source, *_COLUMNS)
    if len(tables) != 1:
        raise UserError(
            f"{source.where}: expected one table with the columns {', '.join(_COLUMNS)}, found "
            f"{', '.join(tables[:3]) or 'none'}; give the table itself to `{source.parameter}`"
        )
    table = tables[0]
    rows, excluded, pixels = [], [], []
    for number, (line, cells) in enumerate(read_table(source, table), start=1):
        file = f"row-{number:05d}"
        label, split = _CODES.get(cells["emotion"]), SPLIT_WORDS.get(cells["usage"].lower())
        picture = _pixels(cells["pixels"])
        if label is None:
            excluded.append(Excluded(file, f"no emotion code from 0 to 6: line {line} has {cells['emotion'][:20]!r}"))
        elif split is None:
            excluded.append(Excluded(file, f"no part of FER2013: line {line} has {cells['usage'][:20]!r}"))
        elif picture is None:
            excluded.append(Excluded(file, f"not {_SIDE}x{_SIDE} grey levels from 0 to 255: line {line}"))
        else:
            rows.append({"image": file, "file": file, "label": label, "split": split})
            pixels.append(picture)
    place = {row["file"]: i for i, row in enumerate(rows)}
    read = partial(_as_pgm, np.array(pixels, np.uint8).reshape(-1, _SIDE * _SIDE), place)
    return Listing(rows, excluded, Source(source.path, tuple(place), read, source.refused, parameter=source.parameter))


def _pixels(text: str) -> NDArray[np.uint8] | None:
    """Grey levels (48 * 48,) uint8 of a cell; None where it does not hold so many of them."""
    try:
        values = np.fromstring(text, dtype=np.int64, sep=" ")
    except ValueError:
        return None
    if values.shape != (_SIDE * _SIDE,) or values.min() < 0 or values.max() > 255:
        return None
    return values.astype(np.uint8)


def _as_pgm(pixels: NDArray[np.uint8], place: dict[str, int], file: str) -> bytes:
    result: bytes = b"P5 %d %d 255\n" % (_SIDE, _SIDE) + pixels[place[file]].tobytes()
    return result


def _claims_folders(source: Source) -> bool:
    """FER2013's own names in class folders, or the plain im12.png under train/ and test/ that some copies have."""
    plain = False
    pictures = pictures_of(source)
    for _, path in pictures:
        if _NAME.fullmatch(path.stem) and class_folder(path).label:
            return True
        plain |= bool(_PLAIN_NAME.fullmatch(path.stem) and class_folder(path).split and class_folder(path).label)
    return plain and all(_PLAIN_NAME.fullmatch(path.stem) for _, path in pictures)


def _list_folders(source: Source) -> Listing:
    rows, excluded = [], []
    for name, path in pictures_of(source):
        folder, split = class_folder(path), _split_of(path)
        if folder.problem:
            excluded.append(Excluded(name, folder.problem))
        elif not split:
            excluded.append(Excluded(name, "in no part of FER2013: neither its name nor a folder says train or test"))
        else:
            rows.append({"file": name, "label": folder.label, "split": split})
    for row, image in zip(rows, relative_names([row["file"] for row in rows]), strict=True):
        row["image"] = image
    return Listing(rows, excluded, source)


def _split_of(path: PurePosixPath) -> str:
    """The part of the challenge by the picture's name, else by its folder: test/ often holds both test parts."""
    match = _NAME.fullmatch(path.stem)
    return SPLIT_WORDS[match.group(1).lower()] if match else class_folder(path).split


FER2013_CSV = Layout(
    name="fer2013-csv",
    summary=LAYOUT_SUMMARIES["fer2013-csv"],
    expects="FER2013's table (emotion, pixels, Usage)",
    claims=_claims_table,
    listing=_list_table,
    labels=_CODES,
    notice=_NOTICE,
    no_people=_NO_PEOPLE,
)

FER2013 = Layout(
    name="fer2013",
    summary=LAYOUT_SUMMARIES["fer2013"],
    expects="FER2013's folders such as train/angry/Training_3908.jpg",
    claims=_claims_folders,
    listing=_list_folders,
    labels=label_words("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise"),
    notice=_NOTICE,
    no_people=_NO_PEOPLE,
)
