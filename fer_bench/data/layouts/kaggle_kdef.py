"""KDEF as packed anew on Kaggle (chenrich/kdef-database): class folders of ``<group>_<image>.jpg``.

2,938 pictures: KDEF's 2,940 straight and half views but the two misnamed ones. Names, sessions and views are lost;
the 140 groups are 70 people x 2 sessions, so that one person is two groups that nobody can tell from two people.
"""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import PurePosixPath

from .. import LAYOUT_SUMMARIES
from ..manifest import Excluded
from ..sources.base import Source
from ..words import label_words
from .class_folders import class_folder
from .contract import Layout, Listing, pictures_of

__all__ = ["KAGGLE_KDEF"]

_NAME = re.compile(r"(\d+)_\d+")
_LABELS = label_words("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
_MAX_GROUPS = 140
_MAX_IN_GROUP = 21
"""Seven expressions in three views."""


def _group(path: PurePosixPath) -> str | None:
    """Number of the group; None where folder and name are not of this layout."""
    match = _NAME.fullmatch(path.stem)
    return match.group(1) if match and path.parent.name.lower() in _LABELS else None


def _claims(source: Source) -> bool:
    """All pictures of the layout, in no more and no larger groups than KDEF's sessions: such names are common."""
    groups: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for _, path in pictures_of(source):
        group, folder = _group(path), class_folder(path)
        if group is None or folder.split:
            return False
        groups[group].add((folder.word, path.stem))
    return 0 < len(groups) <= _MAX_GROUPS and max(map(len, groups.values())) <= _MAX_IN_GROUP


def _listing(source: Source) -> Listing:
    rows, excluded = [], []
    for name, path in pictures_of(source):
        group, folder = _group(path), class_folder(path)
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
    return Listing(rows, excluded, source)


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
