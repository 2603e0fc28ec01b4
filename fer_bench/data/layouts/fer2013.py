"""FER2013: 35,887 grey faces of 48 x 48 pixels from the web, as one table or in class folders.

Goodfellow et al. 2013, "Challenges in representation learning", doi 10.1007/978-3-642-42051-1_16. Identities are not
given. The parts Training, PublicTest and PrivateTest are the challenge's own; copies of a picture across them, and
pictures that stand under several labels, are known and are taken out while reading (see ``reading.drop_copies``).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from fer_bench.labels import EMOTIONS

from .. import LAYOUT_SUMMARIES
from ..manifest import Excluded
from ..sources.base import Source
from ..words import SPLIT_WORDS, label_words
from .contract import Layout, Listing, pictures_of
from .ferplus import has_votes
from .folder_words import ClassFolder, folders_of, relative_names
from .notes import note_folders
from .pixel_tables import SIDE, PixelRow, count_codes, pixel_tables, read_pixels, source_of_pixels, the_pixel_table

__all__ = ["COUNTS", "FER2013", "FER2013_CSV", "why_not_fer2013"]

_CODES = {"0": "AN", "1": "DI", "2": "AF", "3": "HA", "4": "SA", "5": "SU", "6": "NE"}
_NAME = re.compile(r"(training|publictest|privatetest)_\d+", re.IGNORECASE)
_PLAIN_NAME = re.compile(r"im\d+", re.IGNORECASE)

COUNTS = {
    "train": {"AN": 3995, "DI": 436, "AF": 4097, "HA": 7215, "SA": 4830, "SU": 3171, "NE": 4965},
    "PublicTest": {"AN": 467, "DI": 56, "AF": 496, "HA": 895, "SA": 653, "SU": 415, "NE": 607},
    "PrivateTest": {"AN": 491, "DI": 55, "AF": 528, "HA": 879, "SA": 594, "SU": 416, "NE": 626},
}
"""How many pictures of an expression FER2013 has in each part: 28,709, 3,589 and 3,589."""

_WHOLE_TABLE = 0.99
"""Share of FER2013's rows that proves what the codes mean: under any other order one of them would be too many, since
no two expressions of a part have numbers of pictures that are as near as that."""
_WHOLE_FOLDERS = 0.95
"""Share that names a set whose folders say by themselves what they hold; known clean-ups drop less."""

_SIDES = {
    "train": COUNTS["train"],
    "test": {label: n + COUNTS["PrivateTest"][label] for label, n in COUNTS["PublicTest"].items()},
}
"""The same for copies that have both test parts under test/."""

_NOTE_FOLDERS = (
    "The folders were named as FER2013's, which neither all names of their pictures nor their numbers prove."
)
_NO_PEOPLE = "FER2013 does not tell who is on which picture"
_NOTICE = (
    "FER2013 (Goodfellow et al. 2013): faces found on the web, with noisy labels and unknown people, so that nothing "
    "here may be called subject-independent. See the terms that it came under; no picture leaves the machine."
)
_ORDER = "0 angry, 1 disgust, 2 fear, 3 happy, 4 sad, 5 surprise, 6 neutral"

Tally = Mapping[tuple[str, str], int]
"""Number of pictures by part and label."""


def _is_whole(tally: Tally, share: float, known: Mapping[str, Mapping[str, int]] = COUNTS) -> bool:
    """Whether each part that occurs has no more than FER2013's pictures of an expression, and at least this share."""
    parts = {part for part, _ in tally}
    return bool(parts) and all(
        part in known and all(share * n <= tally.get((part, label), 0) <= n for label, n in known[part].items())
        for part in parts
    )


Codes = Mapping[tuple[str, str], int]
"""Number of rows by the cells usage and emotion."""


def _codes_of(rows: Iterable[PixelRow]) -> Codes:
    return Counter((row.usage, row.emotion) for row in rows)


def _tally(codes: Codes, part: str) -> Counter[tuple[str, str]]:
    """Number of pictures by part and label; all rows are of one part where a table has no such column."""
    tally: Counter[tuple[str, str]] = Counter()
    for (usage, code), n in codes.items():
        tally[part or SPLIT_WORDS.get(usage.lower(), ""), _CODES.get(code, "")] += n
    return tally


def _only_part(codes: Codes) -> str:
    """The part that all rows of a table without the column Usage are of: Kaggle's train.csv has the training part."""
    without = not any(usage for usage, _ in codes)
    return "train" if without and _is_whole(_tally(codes, "train"), _WHOLE_TABLE) else ""


def _is_fer2013(codes: Codes) -> bool:
    return all(code in _CODES for _, code in codes) and _is_whole(_tally(codes, _only_part(codes)), _WHOLE_TABLE)


def _proven_tables(source: Source) -> list[str]:
    return [table for table in pixel_tables(source) if _is_fer2013(count_codes(source, table))]


def _claims_table(source: Source) -> bool:
    """Whether codes and counts are FER2013's; beside votes of FER+ the table is FER+'s."""
    return not has_votes(source) and bool(_proven_tables(source))


def why_not_fer2013(source: Source) -> str:
    """Tell why a table in FER2013's form is not taken for FER2013; empty where there is none."""
    tables = pixel_tables(source)
    if not tables:
        return ""
    difference = _difference(count_codes(source, tables[0]))
    return (
        f"{source.where}: the table {tables[0]} has FER2013's columns and is not FER2013 ({difference}), and "
        "other sets number expressions in another order; expected FER2013 whole or whole parts of it, or a table with "
        f"the columns path and label; if its codes mean what FER2013's do ({_ORDER}), give fer2013-csv:{source.path}"
    )


def _difference(codes: Codes) -> str:
    """What tells a table from FER2013: codes that it does not have, or the number of its pictures."""
    others = Counter({code: n for (_, code), n in codes.items() if code not in _CODES})
    if others:
        code, _ = others.most_common(1)[0]
        n = sum(n for (_, code), n in codes.items() if code not in _CODES)
        return f"{n:,} rows have codes that are none of its 0 to 6, such as {code[:20]!r}"
    for code, label in _CODES.items():
        n = sum(n for (_, found), n in codes.items() if found == code)
        most = sum(part[label] for part in COUNTS.values())
        if n > most:
            return f"{n:,} rows have the code {code}, FER2013 has {most:,}"
    n = sum(codes.values())
    return f"{n:,} rows, FER2013 has 35,887: 28,709 Training, 3,589 PublicTest and 3,589 PrivateTest"


def _list_table(source: Source) -> Listing:
    """Each row becomes a picture of its own."""
    tables = pixel_tables(source)
    if len(tables) > 1:
        tables = _proven_tables(source) or tables
    table = the_pixel_table(source, tables)
    found, pixels = read_pixels(source, table)
    codes = _codes_of(found)
    part, given = _only_part(codes), any(row.usage for row in found)
    rows, excluded = [], []
    for row in found:
        label, split = _CODES.get(row.emotion), part or SPLIT_WORDS.get(row.usage.lower())
        if label is None:
            excluded.append(
                Excluded(row.file, f"no emotion code from 0 to 6: line {row.line} has {row.emotion[:20]!r}")
            )
        elif split is None and given:
            excluded.append(Excluded(row.file, f"no part of FER2013: line {row.line} has {row.usage[:20]!r}"))
        elif not row.sound:
            excluded.append(Excluded(row.file, f"not {SIDE}x{SIDE} grey levels from 0 to 255: line {row.line}"))
        else:
            rows.append({"image": row.file, "file": row.file, "label": label, "split": split or ""})
    notes = () if _is_fer2013(codes) else (_note_table(codes),)
    return Listing(rows, excluded, source_of_pixels(source, found, pixels), notes)


def _note_table(codes: Codes) -> str:
    return (
        f"The table was named as FER2013's, and it is not FER2013 itself ({_difference(codes)}): its codes are taken "
        f"to mean what FER2013's do ({_ORDER})."
    )


def _claims_folders(source: Source) -> bool:
    """FER2013's own names alone, or im12.png under train/ and test/ in its numbers: such names are common."""
    named: set[tuple[str, str, str]] = set()
    pictures = pictures_of(source)
    read = folders_of(source)
    for name, path in pictures:
        folder, stem = read(name), path.stem.lower()
        if folder.label:
            match = _NAME.fullmatch(stem)
            if match is None and not (_PLAIN_NAME.fullmatch(stem) and folder.split):
                return False
            named.add((SPLIT_WORDS[match.group(1)] if match else folder.split, folder.label, stem))
    if not named:
        return False
    tally = Counter((part, label) for part, label, _ in named)
    if any(_PLAIN_NAME.fullmatch(stem) for _, _, stem in named):
        return _is_whole(tally, _WHOLE_FOLDERS, _SIDES)
    parts = {part for part, _ in tally}
    # A name such as Training_12 may be anybody's, those of the challenge's test parts may not.
    return _is_whole(tally, 0, COUNTS) and (parts != {"train"} or _is_whole(tally, _WHOLE_FOLDERS))


def _list_folders(source: Source) -> Listing:
    rows, excluded = [], []
    pictures = pictures_of(source)
    read = folders_of(source)
    unknown: Counter[str] = Counter()
    for name, path in pictures:
        folder = read(name)
        unknown[folder.unknown] += 1
        split = _split_of(path, folder)
        if folder.problem:
            excluded.append(Excluded(name, folder.problem))
        elif not split:
            excluded.append(Excluded(name, "in no part of FER2013: neither its name nor a folder says train or test"))
        else:
            rows.append({"file": name, "label": folder.label, "split": split})
    for row, image in zip(rows, relative_names([row["file"] for row in rows]), strict=True):
        row["image"] = image
    missing = set(EMOTIONS) - {row["label"] for row in rows}
    notes = () if _claims_folders(source) else (_NOTE_FOLDERS,)
    return Listing(rows, excluded, source, (*notes, *note_folders(unknown, len(pictures), missing)))


def _split_of(path: PurePosixPath, folder: ClassFolder) -> str:
    """The part of the challenge by the picture's name, else by its folder: test/ often holds both test parts."""
    match = _NAME.fullmatch(path.stem)
    return SPLIT_WORDS[match.group(1).lower()] if match else folder.split


FER2013_CSV = Layout(
    name="fer2013-csv",
    summary=LAYOUT_SUMMARIES["fer2013-csv"],
    expects="FER2013's table (emotion, pixels, Usage)",
    claims=_claims_table,
    listing=_list_table,
    labels=_CODES,
    notice=_NOTICE,
    no_people=_NO_PEOPLE,
    crop="none",
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
    crop="none",
)
