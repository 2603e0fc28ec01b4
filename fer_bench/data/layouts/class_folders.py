"""Class folders of one's own: the expression is the name of a folder above the picture."""

from __future__ import annotations

from collections import Counter

from fer_bench.labels import EMOTION_NAMES, EMOTIONS

from .. import LAYOUT_SUMMARIES
from ..manifest import Excluded
from ..sources.base import Source
from ..words import LABEL_WORDS
from .affectnet import AFFECTNET_ORDER
from .contract import Layout, Listing, pictures_of
from .folder_words import class_folder, folders_of, near_word, relative_names
from .kaggle_kdef import may_be_kaggle_kdef
from .notes import note_folders, shown_folders
from .rafdb import RAFDB_ORDER

__all__ = ["FOLDERS", "class_folder", "relative_names", "why_no_class_folders"]

_NUMBERED = (
    ("affectnet", "AffectNet's", AFFECTNET_ORDER, (0, 7)),
    ("rafdb-folders", "RAF-DB's", RAFDB_ORDER, (1, 7)),
)
"""Layouts that read numbered folders, whose order that is, and its first and last number."""
_SHOWN_NUMBERS = 12

_NOTE_KAGGLE = (
    "Folders and names are such as those of KDEF's copy on Kaggle (angry/12_3.jpg), in other numbers: if the pictures "
    "are from there, name the layout, kaggle-kdef:PATH, which keeps pictures of one person and session together."
)


def _claims(source: Source) -> bool:
    pictures = pictures_of(source)
    read = folders_of(source)
    return any(read(name).label for name, _ in pictures)


def _listing(source: Source) -> Listing:
    pictures = pictures_of(source)
    read = folders_of(source)
    rows, excluded = [], []
    unknown: Counter[str] = Counter()
    for name, _ in pictures:
        folder = read(name)
        unknown[folder.unknown] += 1
        if folder.problem:
            excluded.append(Excluded(name, folder.problem))
        else:
            rows.append({"file": name, "label": folder.label, "split": folder.split})
    for row, image in zip(rows, relative_names([row["file"] for row in rows]), strict=True):
        row["image"] = image
    missing = set(EMOTIONS) - {row["label"] for row in rows}
    notes = (*note_folders(unknown, len(pictures), missing), *_note_refused(source, missing))
    if may_be_kaggle_kdef(source):
        notes = (*notes, _NOTE_KAGGLE)
    return Listing(rows, excluded, source, notes)


def why_no_class_folders(source: Source) -> str:
    """Tell which folders of pictures are nearly those of expressions, or are numbers; empty where none is."""
    pictures = pictures_of(source)
    read = folders_of(source)
    found = Counter(folder.unknown for folder in (read(name) for name, _ in pictures) if folder.unknown)
    near = Counter({name: n for name, n in found.items() if near_word(name)})
    words = f"rename them to {', '.join(EMOTION_NAMES)}"
    if near:
        known = "no folder is called after an expression that is known"
        return f"{source.where}: {known}; found {shown_folders(near)}; {words}"
    numbers = sorted((name for name in found if name.isdecimal()), key=int)
    if not numbers:
        return ""
    may_be = [
        f"{layout}:{source.path} if they are in {whose} order ({order})"
        for layout, whose, order, most in _NUMBERED
        if most[0] <= int(numbers[0]) and int(numbers[-1]) <= most[1]
    ]
    return (
        f"{source.where}: the folders are numbers ({', '.join(numbers[:_SHOWN_NUMBERS])}), which stand for other "
        f"expressions in every data set; {words}{', or give ' if may_be else ''}{', or '.join(may_be)}"
    )


def _note_refused(source: Source, missing: set[str]) -> tuple[str, ...]:
    """Tell of class folders that may not be read, such as links, where all of an expression is lost with them."""
    lost = [(e, LABEL_WORDS.get(e.file.rsplit("/", 1)[-1].lower(), "")) for e in source.refused]
    return tuple(
        f"Folder {e.file} was left out: {e.reason}: no picture shows {EMOTION_NAMES[EMOTIONS.index(label)]}."
        for e, label in lost
        if label in missing
    )


FOLDERS = Layout(
    name="folders",
    summary=LAYOUT_SUMMARIES["folders"],
    expects="class folders such as angry/ and happy/",
    claims=_claims,
    listing=_listing,
    labels=LABEL_WORDS,
    notice=(
        "Class folders of the user's own; identities are not given, so that nothing here may be called "
        "subject-independent. Its licence is the user's to know; no picture leaves the machine."
    ),
    no_people=(
        "class folders do not tell who is on which picture; list the pictures in a table with the columns path, label "
        "and subject, and give that in their place"
    ),
    generic=True,
)
