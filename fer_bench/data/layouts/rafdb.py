"""RAF-DB, its set of basic expressions: as its makers give it out, and in numbered folders as packed anew on Kaggle.

Li, Deng & Du 2017, doi 10.1109/CVPR.2017.277: 15,339 faces from the web, 12,271 to train on and 3,068 to test,
with the numbers 1 to 7 for expressions in the order of its makers' note on ``list_patition_label.txt``. People are not
told.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import PurePosixPath

from fer_bench.errors import UserError

from .. import LAYOUT_SUMMARIES
from ..manifest import Excluded
from ..sources.base import Source
from .contract import Layout, Listing, files_of, pictures_of

__all__ = ["RAFDB", "RAFDB_FOLDERS", "RAFDB_ORDER", "why_not_rafdb"]

_CODES = {"1": "SU", "2": "AF", "3": "DI", "4": "HA", "5": "SA", "6": "AN", "7": "NE"}
RAFDB_ORDER = "1 surprise, 2 fear, 3 disgust, 4 happiness, 5 sadness, 6 anger, 7 neutral"
"""What the numbers stand for."""

_LISTS = ("list_patition_label.txt", "list_partition_label.txt")
"""The makers' spelling, and the one of those who put it right."""
_NAME = re.compile(r"(train|test)_0*(\d{1,5})(_aligned)?", re.IGNORECASE | re.ASCII)
_MOST = {"train": 12271, "test": 3068}

_NO_PEOPLE = "RAF-DB does not tell who is on which picture"
_NOTICE = (
    "RAF-DB (Li, Deng & Du 2017), basic expressions: faces found on the web, people unknown, so that nothing here may "
    "be called subject-independent. It is for non-commercial research and comes under an agreement with its makers: "
    "see what it allows. Reports hold numbers and plots only, and no picture leaves the machine."
)
_WHOLE_NOTE = (
    "RAF-DB's whole photographs were read, as its aligned faces are not there; --crop detect finds the faces on them."
)


def _key(stem: str) -> str:
    """Name of a picture in RAF-DB's own numbers, such as train_00001; empty where it is none of them."""
    match = _NAME.fullmatch(stem)
    if match is None or not 1 <= int(match[2]) <= _MOST[match[1].lower()]:
        return ""
    part = match[1].lower()
    return f"{part}_{int(match[2]):0{5 if part == 'train' else 4}d}"


def _lists(source: Source) -> list[str]:
    found = [(name, path) for name, path in files_of(source) if name.endswith((".txt", ".TXT"))]
    return [name for name, path in found if path.name.lower() in _LISTS]


def _lines(source: Source, name: str) -> list[tuple[int, str, str]]:
    """Number of the line, name of the picture and number of the expression, as they stand there; none on damage."""
    try:
        text = source.read(name).decode("utf-8-sig")
    except (OSError, ValueError):
        return []
    cells = [(i, line.split()) for i, line in enumerate(text.splitlines(), start=1)]
    return [(i, found[0], found[-1] if len(found) == 2 else "") for i, found in cells if found]


def _is_basic(lines: Iterable[tuple[int, str, str]]) -> bool:
    """Whether a list is of the basic expressions: RAF-DB's own names, and numbers from 1 to 7 alone."""
    lines = list(lines)
    return bool(lines) and all(_key(PurePosixPath(name).stem) and code in _CODES for _, name, code in lines)


def _basic_lists(source: Source) -> list[str]:
    return [name for name in _lists(source) if _is_basic(_lines(source, name))]


def _claims_list(source: Source) -> bool:
    return bool(_basic_lists(source))


def why_not_rafdb(source: Source) -> str:
    """Tell why a list such as RAF-DB's is not taken for its list of basic expressions; empty where there is none."""
    lists = _lists(source)
    if not lists:
        return ""
    return (
        f"{source.where}: {lists[0]} is no list of RAF-DB's basic expressions: expected lines such as 'train_00001.jpg "
        f"5' with numbers from 1 to 7 ({RAFDB_ORDER}); its compound expressions, 1 to 11, are none of the seven: give "
        "the folder basic"
    )


def _list_list(source: Source) -> Listing:
    """Each picture of the list, its aligned face where there are such."""
    lists = sorted(_basic_lists(source), key=lambda name: name.count("/"))
    if not lists:
        raise UserError(
            why_not_rafdb(source)
            or f"{source.where}: no {_LISTS[0]}, which says what RAF-DB's pictures show; give the "
            "folder that holds EmoLabel and Image"
        )
    table = lists[0]
    home = PurePosixPath(table).parent
    home = home.parent if home.name.lower() == "emolabel" else home
    labels = {_key(PurePosixPath(name).stem): (line, code) for line, name, code in _lines(source, table)}
    found = ((name, path, path.is_relative_to(home)) for name, path in pictures_of(source))
    pictures = [(name, path, _key(path.stem) if inside else "") for name, path, inside in found]
    aligned = any(path.stem.lower().endswith("_aligned") and key in labels for _, path, key in pictures)
    rows, excluded, seen = [], [], set()
    for name, path, key in pictures:
        if key not in labels:
            excluded.append(Excluded(name, f"not in the list of RAF-DB's basic expressions, {table}"))
        elif aligned and not path.stem.lower().endswith("_aligned"):
            excluded.append(Excluded(name, "a whole photograph; the aligned face is used in its place"))
        else:
            seen.add(key)
            rows.append({"image": key, "file": name, "label": _CODES[labels[key][1]], "split": key.split("_")[0]})
    lost = [key for key in labels if key not in seen]
    excluded += [Excluded(key, f"no such picture: line {labels[key][0]} of {table}") for key in lost]
    return Listing(rows, excluded, source, () if aligned or not rows else (_WHOLE_NOTE,))


def _numbered(path: PurePosixPath) -> tuple[str, str]:
    """Number of the folder and RAF-DB's name of the picture in it, each empty where it is none."""
    folder = path.parent.name
    return (folder if folder in _CODES else ""), _key(path.stem)


def _claims_folders(source: Source) -> bool:
    """Aligned faces under RAF-DB's own names in folders from 1 to 7, and no other pictures in numbered folders."""
    found = [(path, *_numbered(path)) for _, path in pictures_of(source) if path.parent.name.isdecimal()]
    if not found or not all(folder and key and path.stem.lower().endswith("_aligned") for path, folder, key in found):
        return False
    return max(Counter(key for _, _, key in found).values()) <= 2  # archives often hold everything twice


def _list_folders(source: Source) -> Listing:
    rows, excluded = [], []
    for name, path in pictures_of(source):
        folder, key = _numbered(path)
        if not folder:
            excluded.append(Excluded(name, f"in no folder from 1 to 7: folder {path.parent.name!r}"))
        elif not key:
            excluded.append(Excluded(name, "the name is not one of RAF-DB's, such as train_00001_aligned"))
        else:
            rows.append({"image": key, "file": name, "label": _CODES[folder], "split": key.split("_")[0]})
    return Listing(rows, excluded, source)


RAFDB = Layout(
    name="rafdb",
    summary=LAYOUT_SUMMARIES["rafdb"],
    expects="RAF-DB's list_patition_label.txt",
    claims=_claims_list,
    listing=_list_list,
    labels=_CODES,
    notice=_NOTICE,
    no_people=_NO_PEOPLE,
)

RAFDB_FOLDERS = Layout(
    name="rafdb-folders",
    summary=LAYOUT_SUMMARIES["rafdb-folders"],
    expects="RAF-DB's folders such as train/4/train_00012_aligned.jpg",
    claims=_claims_folders,
    listing=_list_folders,
    labels=_CODES,
    notice=_NOTICE,
    no_people=_NO_PEOPLE,
)
