"""CK+: the original tree of sequences with its emotion files, and the 48 x 48 class folders made of it.

Lucey, Cohn, Kanade, Saragih, Ambadar & Matthews 2010, doi 10.1109/CVPRW.2010.5543262. A sequence goes from a neutral
face to the peak of an expression, and its label belongs to the peak. As is common, the last three frames stand for
the label and the first one for neutral; the frames between are left out. A sequence of contempt, which is none of
the seven expressions, gives its first frame alone.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import PurePosixPath

from fer_bench.errors import UserError
from fer_bench.labels import EMOTIONS

from .. import LAYOUT_SUMMARIES
from ..manifest import Excluded
from ..names import CKPLUS_NAME, picture_name
from ..sources.base import Source
from ..words import label_words
from .contract import Layout, Listing, files_of, pictures_of
from .folder_words import folders_of
from .notes import note_additions, note_folders, note_others

__all__ = ["CKPLUS", "CKPLUS48"]

_EMOTION = re.compile(r"(S\d{3})_(\d{3})_\d{8}_emotion", re.IGNORECASE)
_CODES = {"0": "NE", "1": "AN", "2": "", "3": "DI", "4": "AF", "5": "HA", "6": "SA", "7": "SU"}
_PEAK_FRAMES = 3

_CONTEMPT = "contempt is none of the seven expressions"
_NOTICE = (
    "CK+ (Lucey et al. 2010): frames of posed sequences. Its pictures come under an agreement with its makers: see "
    "what it allows. Reports hold numbers and plots only, and no picture leaves the machine. "
)


@dataclass(frozen=True)
class _Frame:
    """A frame: person, number of the sequence, the bare name, and the image's own name with what stands beside it."""

    subject: str
    clip: str
    picture: str
    image: str

    @property
    def sequence(self) -> str:
        return f"{self.subject}/{self.clip}"


def _frame(path: PurePosixPath) -> _Frame | None:
    named = picture_name(CKPLUS_NAME, path.stem)
    return _Frame(named[0]["subject"], named[0]["clip"], named[0]["picture"], named[1]) if named else None


def _in_tree(path: PurePosixPath) -> bool:
    """Whether a frame lies as CK+ has it: S010/001/S010_001_00000014.png."""
    frame = _frame(path)
    return frame is not None and tuple(part.upper() for part in path.parts[-3:-1]) == (frame.subject, frame.clip)


def _claims_tree(source: Source) -> bool:
    return any(_in_tree(path) for _, path in pictures_of(source))


def _list_tree(source: Source) -> Listing:
    labels, excluded = _read_labels(source)
    frames: dict[str, list[tuple[_Frame, str]]] = defaultdict(list)
    others = []
    for name, path in pictures_of(source):
        frame = _frame(path)
        if frame is None:
            others.append(name)
        else:
            frames[frame.sequence].append((frame, name))
    excluded += [Excluded(name, "the name is not one of CK+'s, such as S010_001_00000014") for name in others]
    rows = []
    for sequence, files in sorted(frames.items()):
        if sequence not in labels:
            excluded += [Excluded(name, "its sequence has no emotion label") for _, name in files]
            continue
        used, unused = _frames_of(sequence, files, labels[sequence])
        rows += used
        excluded += unused
    return Listing(rows, excluded, source, _notes([frame for found in frames.values() for frame, _ in found], others))


def _notes(frames: list[_Frame], others: list[str]) -> tuple[str, ...]:
    return (
        *note_additions([frame.image for frame in frames], [frame.picture for frame in frames], "CK+'s"),
        *note_others(others, len(frames) + len(others), "CK+'s"),
    )


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


def _frames_of(
    sequence: str, files: list[tuple[_Frame, str]], label: str
) -> tuple[list[dict[str, str]], list[Excluded]]:
    """The first frame as neutral, the last three with the label, the others left out."""
    pictures = sorted({frame.picture for frame, _ in files})
    peak = set(pictures[1:][-_PEAK_FRAMES:])
    rows, unused = [], []
    for frame, name in sorted(files, key=lambda found: (found[0].image, found[1])):
        row = {"image": frame.image, "file": name, "subject": frame.subject, "sequence": sequence}
        if frame.picture == pictures[0]:
            rows.append({**row, "label": "NE"})
        elif frame.picture not in peak:
            unused.append(Excluded(name, "a frame between neutral and peak"))
        elif label:
            rows.append({**row, "label": label})
        else:
            unused.append(Excluded(name, _CONTEMPT))
    return rows, unused


def _claims_folders(source: Source) -> bool:
    pictures = pictures_of(source)
    read = folders_of(source)
    return any(_frame(path) and read(name).word for name, path in pictures)


def _list_folders(source: Source) -> Listing:
    rows, excluded, frames, others = [], [], [], []
    unknown: Counter[str] = Counter()
    pictures = pictures_of(source)
    read = folders_of(source)
    for name, path in pictures:
        frame, folder = _frame(path), read(name)
        if frame is None:
            excluded.append(Excluded(name, "the name is not one of CK+'s, such as S010_004_00000017"))
            others.append(name)
            continue
        frames.append(frame)
        unknown[folder.unknown] += 1
        if folder.problem:
            excluded.append(Excluded(name, folder.problem))
        else:
            row = {"image": frame.image, "file": name, "label": folder.label}
            rows.append({**row, "subject": frame.subject, "sequence": frame.sequence})
    missing = set(EMOTIONS) - {row["label"] for row in rows}
    notes = (*_notes(frames, others), *note_folders(unknown, len(pictures), missing))
    return Listing(rows, excluded, source, notes)


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
    notice=_NOTICE + "Mostly three frames of each sequence, hardly different; contempt is left out.",
)
