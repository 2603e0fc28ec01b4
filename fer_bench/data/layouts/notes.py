"""Sentences on how names and folders were read: additions to names, other names, folders that are not known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ..words import LABEL_WORDS
from .folder_words import near_word

__all__ = ["note_additions", "note_folders", "note_others", "shown_folders"]

_MANY = 0.05
"""Share of the pictures that is worth a sentence of its own where it is left out."""
_SHOWN = 3


def note_additions(images: Sequence[str], pictures: Sequence[str], of: str) -> tuple[str, ...]:
    """Tell of pictures whose names have additions to those of a data set.

    Parameters
    ----------
    images, pictures : sequence of str
        Names of the images and, in the same order, their bare names.
    of : str
        Whose names they are, such as ``"KDEF's"``.
    """
    added = [image for image, picture in zip(images, pictures, strict=True) if image != picture]
    if not added:
        return ()
    n = f"{len(added):,} of {len(images):,} pictures have names with an addition to {of}, such as {min(added)}"
    return (f"{n}: each counts as a copy of its original, with its person.",)


def note_others(others: Sequence[str], n_all: int, of: str) -> tuple[str, ...]:
    """Tell how many pictures were left out because their names are not a data set's, where they are not few."""
    if len(others) <= _MANY * n_all:
        return ()
    return (
        f"{len(others):,} of {n_all:,} pictures were left out, as their names are not {of}, such as {min(others)}; to "
        "use them, too, list all pictures in a table with the columns path and label.",
    )


def note_folders(unknown: Counter[str], n_all: int, missing: set[str]) -> tuple[str, ...]:
    """Tell of folders that were left out where they are many pictures, or nearly called after an expression.

    Parameters
    ----------
    unknown : Counter
        Number of pictures by `ClassFolder.unknown`; those under an empty name are in no such folder.
    n_all : int
        Number of all pictures.
    missing : set of str
        Labels that no picture has.
    """
    unknown = Counter({name: n for name, n in unknown.items() if name})
    near = [near_word(name) for name in unknown]
    if unknown.total() <= _MANY * n_all and not any(near):
        return ()
    absent = [word for word in near if LABEL_WORDS.get(word) in missing]
    why = f": no picture shows {' or '.join(dict.fromkeys(absent))}" if absent else ""
    return (
        f"{unknown.total():,} of {n_all:,} pictures were left out, as their folder is called after no expression that "
        f"is known, {shown_folders(unknown)}{why}.",
    )


def shown_folders(folders: Counter[str]) -> str:
    """Return the folders with most pictures, each with their number and what may be meant."""
    meant = {name: f"; did you mean {near_word(name)}?" if near_word(name) else "" for name in folders}
    told = [f"{name!r} ({n:,}{meant[name]})" for name, n in folders.most_common(_SHOWN)]
    more = len(folders) - _SHOWN
    return ", ".join(told) + (f" and {more} more" if more > 0 else "")
