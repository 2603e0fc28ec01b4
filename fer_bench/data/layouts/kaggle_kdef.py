"""KDEF as packed anew on Kaggle (chenrich/kdef-database): class folders of ``<group>_<image>.jpg``.

2,938 pictures: KDEF's 2,940 straight and half views but the two misnamed ones. Names, sessions and views are lost;
the 140 groups are 70 people x 2 sessions, so that one person is two groups that nobody can tell from two people.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import PurePosixPath

from .. import LAYOUT_SUMMARIES
from ..manifest import Excluded
from ..sources.base import Source
from ..words import label_words
from .contract import Layout, Listing, pictures_of
from .folder_words import folders_of

__all__ = ["KAGGLE_KDEF", "may_be_kaggle_kdef"]

_NOTE = (
    "The folders were named as KDEF's copy on Kaggle, which their numbers do not prove: it has 2,938 pictures in 140 "
    "groups."
)
_NAME = re.compile(r"(\d+)_\d+")
_LABELS = label_words("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
_GROUPS = frozenset(range(1, 141))
_MAX_IN_GROUP = 21
"""Seven expressions in three views."""
_MAX_IN_CLASS = 420
_PICTURES = 2938
_WHOLE = 0.99
"""Share of the pictures from which on a set is taken for this one: names such as 12_3.jpg are common."""


def _group(path: PurePosixPath) -> str | None:
    """Number of the group; None where folder and name are not of this layout."""
    match = _NAME.fullmatch(path.stem)
    return match.group(1) if match and path.parent.name.lower() in _LABELS else None


def _claims(source: Source) -> bool:
    """All pictures of the layout, all groups, and as many pictures as the copy has: such names are common."""
    found = _pictures(source)
    return (
        {group for group, _, _ in found} == _GROUPS
        and _WHOLE * _PICTURES <= len(found) <= _PICTURES
        and _could_be(found)
    )


def may_be_kaggle_kdef(source: Source) -> bool:
    """Whether names and numbers of pictures are such as the copy has, too few to tell that they are from there."""
    return _could_be(_pictures(source))


def _could_be(found: set[tuple[int, str, str]]) -> bool:
    groups = Counter(group for group, _, _ in found)
    classes = Counter(word for _, word, _ in found)
    return (
        bool(found)
        and groups.keys() <= _GROUPS
        and max(groups.values()) <= _MAX_IN_GROUP
        and max(classes.values()) <= _MAX_IN_CLASS
    )


def _pictures(source: Source) -> set[tuple[int, str, str]]:
    """Group, folder and name of each picture, copies in a second folder once; none where any picture is another."""
    found = set()
    pictures = pictures_of(source)
    read = folders_of(source)
    for name, path in pictures:
        group, folder = _group(path), read(name)
        if group is None or folder.split:
            return set()
        found.add((int(group), folder.word, path.stem))
    return found


def _listing(source: Source) -> Listing:
    rows, excluded = [], []
    pictures = pictures_of(source)
    read = folders_of(source)
    for name, path in pictures:
        group, folder = _group(path), read(name)
        if group is None or folder.problem:
            reason = folder.problem or "the name is not one of this layout's, such as angry/12_3.jpg"
            excluded.append(Excluded(name, reason))
            continue
        rows.append(
            {
                "image": f"{folder.word}/{path.stem}",
                "file": name,
                "label": folder.label,
                "sequence": f"group-{int(group)}",
            }
        )
    return Listing(rows, excluded, source, () if _claims(source) else (_NOTE,))


KAGGLE_KDEF = Layout(
    name="kaggle-kdef",
    summary=LAYOUT_SUMMARIES["kaggle-kdef"],
    expects="Kaggle's copy of KDEF such as angry/12_3.jpg",
    claims=_claims,
    listing=_listing,
    labels=_LABELS,
    notice=(
        "KDEF as packed anew on Kaggle: straight and half views without their names. Its groups are one person in one "
        "session, so that nothing here may be called subject-independent. KDEF is for non-commercial research and may "
        "not be redistributed; reports hold numbers and plots only, and no picture leaves the machine."
    ),
    no_people=(
        "the groups of KDEF's copy on Kaggle are one person in one session, so that a split by group has the same "
        "people in train and test; get KDEF with its own names from kdef.se"
    ),
)
