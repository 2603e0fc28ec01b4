"""CK+: the original tree of sequences with its emotion files, and the 48 x 48 class folders made of it.

Lucey, Cohn, Kanade, Saragih, Ambadar & Matthews 2010, doi 10.1109/CVPRW.2010.5543262. A sequence goes from a neutral
face to the peak of an expression, and its label belongs to the peak. As is common, the last three frames stand for
the label and the first one for neutral; the frames between are left out. A sequence of contempt, which is none of
the seven expressions, gives its first frame alone.
"""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import PurePosixPath

from fer_bench.errors import UserError

from .. import LAYOUT_SUMMARIES
from ..manifest import Excluded
from ..sources.base import Source
from ..words import label_words
from .contract import Layout, Listing, files_of, pictures_of
from .folder_words import folder_reader

__all__ = ["CKPLUS", "CKPLUS48"]

_FRAME = re.compile(r"(S\d{3})_(\d{3})_(\d{8})")
_EMOTION = re.compile(r"(S\d{3})_(\d{3})_\d{8}_emotion", re.IGNORECASE)
_CODES = {"0": "NE", "1": "AN", "2": "", "3": "DI", "4": "AF", "5": "HA", "6": "SA", "7": "SU"}
_PEAK_FRAMES = 3

_CONTEMPT = "contempt is none of the seven expressions"
_NOTICE = (
    "CK+ (Lucey et al. 2010): frames of posed sequences. Its pictures come under an agreement with its makers: see "
    "what it allows. Reports hold numbers and plots only, and no picture leaves the machine. "
)


def _frame(path: PurePosixPath) -> re.Match[str] | None:
    return _FRAME.fullmatch(path.stem.upper())


def _in_tree(path: PurePosixPath) -> bool:
    """Whether a frame lies as CK+ has it: S010/001/S010_001_00000014.png."""
    match = _frame(path)
    return match is not None and tuple(part.upper() for part in path.parts[-3:-1]) == match.group(1, 2)


def _claims_tree(source: Source) -> bool:
    return any(_in_tree(path) for _, path in pictures_of(source))


def _list_tree(source: Source) -> Listing:
    labels, excluded = _read_labels(source)
    frames: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for name, path in pictures_of(source):
        match = _frame(path)
        if match is None:
            excluded.append(Excluded(name, "the name is not one of CK+'s, such as S010_001_00000014"))
        else:
            frames["/".join(match.group(1, 2))].append((match.group(0), name))
    rows = []
    for sequence, files in sorted(frames.items()):
        if sequence not in labels:
            excluded += [Excluded(name, "its sequence has no emotion label") for _, name in files]
            continue
        used, unused = _frames_of(sequence, files, labels[sequence])
        rows += used
        excluded += unused
    return Listing(rows, excluded, source)


def _read_labels(source: Source) -> tuple[dict[str, str], list[Excluded]]:
    """Label of each sequence, ``""`` for contempt, and the emotion files that say nothing."""
    labels, excluded = {}, []
    files = [(name, _EMOTION.fullmatch(path.stem)) for name, path in files_of(source) if path.suffix.lower() == ".txt"]
    found = [(name, match) for name, match in files if match is not None]
    if not found:
        raise UserError(
            f"{source.where}: CK+'s pictures without their labels; expected Emotion/S010/001/"
            "S010_001_00000014_emotion.txt beside them; unpack CK+'s emotion labels into the same folder"
        )
    for name, match in found:
        try:
            text = source.read(name)[:100].decode("ascii", "replace").strip()
        except (OSError, ValueError) as error:
            excluded.append(Excluded(name, f"no emotion code: cannot be read: {error}"))
            continue
        try:
            labels["/".join(match.group(1, 2)).upper()] = _CODES[f"{float(text):g}"]
        except (ValueError, KeyError):
            excluded.append(Excluded(name, f"no emotion code: expected a number from 0 to 7, found {text!r}"))
    return labels, excluded


def _frames_of(sequence: str, files: list[tuple[str, str]], label: str) -> tuple[list[dict[str, str]], list[Excluded]]:
    """The first frame as neutral, the last three with the label, the others left out."""
    frames = sorted({image for image, _ in files})
    peak = set(frames[1:][-_PEAK_FRAMES:])
    rows, unused = [], []
    for image, name in sorted(files):
        row = {"image": image, "file": name, "subject": sequence.split("/")[0], "sequence": sequence}
        if image == frames[0]:
            rows.append({**row, "label": "NE"})
        elif image not in peak:
            unused.append(Excluded(name, "a frame between neutral and peak"))
        elif label:
            rows.append({**row, "label": label})
        else:
            unused.append(Excluded(name, _CONTEMPT))
    return rows, unused


def _claims_folders(source: Source) -> bool:
    pictures = pictures_of(source)
    read = folder_reader(path for _, path in pictures)
    return any(_frame(path) and read(path).word for _, path in pictures)


def _list_folders(source: Source) -> Listing:
    rows, excluded = [], []
    pictures = pictures_of(source)
    read = folder_reader(path for _, path in pictures)
    for name, path in pictures:
        match, folder = _frame(path), read(path)
        if match is None:
            excluded.append(Excluded(name, "the name is not one of CK+'s, such as S010_004_00000017"))
        elif folder.problem:
            excluded.append(Excluded(name, folder.problem))
        else:
            person, sequence, _ = match.groups()
            rows.append(
                {
                    "image": match.group(0),
                    "file": name,
                    "label": folder.label,
                    "subject": person,
                    "sequence": f"{person}/{sequence}",
                }
            )
    return Listing(rows, excluded, source)


CKPLUS = Layout(
    name="ckplus",
    summary=LAYOUT_SUMMARIES["ckplus"],
    expects="CK+'s tree such as S010/001/S010_001_00000014.png",
    claims=_claims_tree,
    listing=_list_tree,
    labels={code: label for code, label in _CODES.items() if label},
    notice=_NOTICE
    + "Of each labelled sequence the last three frames stand for its label and the first one for neutral; "
    "contempt is left out.",
)

CKPLUS48 = Layout(
    name="ckplus48",
    summary=LAYOUT_SUMMARIES["ckplus48"],
    expects="CK+'s class folders such as anger/S010_004_00000017.png",
    claims=_claims_folders,
    listing=_list_folders,
    labels=label_words("anger", "disgust", "fear", "happy", "sadness", "surprise"),
    notice=_NOTICE + "Three frames of each sequence, hardly different; contempt is left out, neutral is not there.",
)
