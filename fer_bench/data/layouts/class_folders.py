"""Class folders: the expression is the name of a folder above the picture. Also what other layouts need of them."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from .. import LAYOUT_SUMMARIES
from ..manifest import Excluded
from ..sources.base import Source
from ..words import LABEL_WORDS, OTHER_EXPRESSIONS, SPLIT_WORDS
from .contract import Layout, Listing, pictures_of

__all__ = ["FOLDERS", "ClassFolder", "class_folder", "relative_names"]


@dataclass(frozen=True)
class ClassFolder:
    """What the folders above a picture say.

    Attributes
    ----------
    word : str
        Lower-case name of the folder that stands for an expression; empty where there is none.
    label : str
        Its code; empty where there is a problem.
    split : str
        The dataset's own part, from folders above; empty where there is none.
    problem : str
        Why there is no label; empty where there is one.
    """

    word: str = ""
    label: str = ""
    split: str = ""
    problem: str = ""


def class_folder(path: PurePosixPath) -> ClassFolder:
    """Read the folders above a picture."""
    above = [part.lower() for part in path.parts[:-1]]
    words = [part for part in above if part in LABEL_WORDS or part in OTHER_EXPRESSIONS]
    splits = sorted({SPLIT_WORDS[part] for part in above if part in SPLIT_WORDS})
    if not words:
        parent = path.parent.name
        where = f"folder {parent!r}" if parent else "the top folder"
        return ClassFolder(problem=f"in no folder of an expression that is known: {where}")
    word = words[-1]
    if len({LABEL_WORDS.get(w) for w in words}) > 1:
        return ClassFolder(word, problem=f"contradictory labels: the folders say {' and '.join(words)}")
    if len(splits) > 1:
        return ClassFolder(word, problem=f"contradictory parts: the folders say {' and '.join(splits)}")
    if word in OTHER_EXPRESSIONS:
        return ClassFolder(word, problem=f"{word} is none of the seven expressions")
    return ClassFolder(word, LABEL_WORDS[word], splits[0] if splits else "")


def relative_names(names: Sequence[str]) -> list[str]:
    """Cut off the folders that all names share, so that the same data have the same names wherever they lie.

    Examples
    --------
    >>> relative_names(["a/b/happy/1.png", "a/b/sad/1.png"])
    ['happy/1.png', 'sad/1.png']
    """
    if not names:
        return []
    root = posixpath.commonpath([posixpath.dirname(name) for name in names]) if len(names) > 1 else ""
    return [posixpath.relpath(name, root) if root else name for name in names]


def _claims(source: Source) -> bool:
    return any(class_folder(path).label for _, path in pictures_of(source))


def _listing(source: Source) -> Listing:
    rows, excluded = [], []
    for name, path in pictures_of(source):
        folder = class_folder(path)
        if folder.problem:
            excluded.append(Excluded(name, folder.problem))
        else:
            rows.append({"file": name, "label": folder.label, "split": folder.split})
    for row, image in zip(rows, relative_names([row["file"] for row in rows]), strict=True):
        row["image"] = image
    return Listing(rows, excluded, source)


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
