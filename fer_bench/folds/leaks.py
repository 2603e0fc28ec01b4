"""Finds what folds have in train and test: people, films, sessions and pictures, in every fact that is at hand."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .facts import Leak, People, Shared

__all__ = ["Sides", "find_near", "find_people", "find_shared", "sides_of"]

_SHOWN = 3


@dataclass(frozen=True)
class Sides:
    """Folds as positions in ``images``: (train, test) a fold."""

    images: NDArray[np.object_]
    folds: dict[int, tuple[NDArray[np.int64], NDArray[np.int64]]]

    @property
    def tests(self) -> int:
        """Tests of an image over all folds."""
        return sum(len(test) for _, test in self.folds.values())


def sides_of(table: pd.DataFrame, images: pd.Index) -> Sides:
    """Return the sides of each fold of a table, as positions in ``images``."""
    at = images.get_indexer(table["image"])
    fold, test = table["fold"].to_numpy(), (table["role"] == "test").to_numpy()
    folds = {int(k): (at[(fold == k) & ~test], at[(fold == k) & test]) for k in np.unique(fold)}
    return Sides(images.to_numpy(dtype=object), folds)


def find_people(facts: pd.DataFrame, sides: Sides, source: str) -> People:
    """Look for people by what the data or the file say (column subject) and, independent of it, by the images' names.

    Parameters
    ----------
    facts : DataFrame
        One row an image, with the columns subject and name_subject; empty where nothing is given.
    sides : Sides
        The folds.
    source : str
        Whose the column subject is: ``"data"`` or ``"file"``.
    """
    columns = {source: "subject", "names": "name_subject"}
    told = {who: facts[column] for who, column in columns.items() if facts[column].ne("").any()}
    sources: dict[Leak, tuple[str, ...]] = {}
    for who, column in told.items():
        leak = _leak(column, sides)
        sources[leak] = (*sources.get(leak, ()), who)
    found = tuple(replace(leak, sources=who) for leak, who in sources.items() if leak.tests)
    # Two sources that each tell a part of the images may call one person by two names.
    unknown = min(int(facts[column].eq("").sum()) for column in columns.values())
    state = "refused" if found else "unknown" if unknown else "proven"
    counts = {who: int(column[column.ne("")].nunique()) for who, column in told.items()}
    return People(state, counts, found, unknown, len(facts))


def find_shared(column: pd.Series, sides: Sides, *, refuses: bool, needed: bool = False) -> Shared:
    """Look for values of a column on both sides of a fold; empty is no value.

    Parameters
    ----------
    column : Series
        One value an image.
    sides : Sides
        The folds.
    refuses : bool
        Whether finding some breaks the claim.
    needed : bool
        Whether not knowing of some image breaks it, too.
    """
    unknown = int(column.eq("").sum())
    if unknown == len(column) or (unknown and needed):
        return Shared("unknown", None, unknown, len(column), refuses=needed)
    leak = _leak(column, sides)
    if not leak.tests:
        return Shared("none", None, unknown, len(column), refuses=False)
    return Shared("found", leak, unknown, len(column), refuses=refuses)


def find_near(facts: pd.DataFrame, sides: Sides, *, refuses: bool) -> Shared:
    """Look for pictures that look the same under different names and hashes (columns phash and sha256)."""
    from fer_bench.data.images.phash import near_pairs

    hashes = facts["phash"].to_numpy(dtype=object)
    unknown = int((hashes == "").sum())
    if unknown == len(facts):
        return Shared("unknown", None, unknown, len(facts), refuses=False)
    pairs = near_pairs(list(hashes), list(hashes))[:, :2]
    sha = facts["sha256"].to_numpy(dtype=object)
    pairs = pairs[(pairs[:, 0] != pairs[:, 1]) & ((sha[pairs[:, 0]] != sha[pairs[:, 1]]) | (sha[pairs[:, 0]] == ""))]
    shown: list[tuple[int, str, str]] = []
    tests = folds = 0
    for fold, (train, test) in sides.folds.items():
        across = pairs[np.isin(pairs[:, 0], test) & np.isin(pairs[:, 1], train)]
        tests += len(np.unique(across[:, 0]))
        folds += bool(len(across))
        for a, b in across[: _SHOWN - len(shown)]:
            shown.append((fold, str(sides.images[a]), str(sides.images[b])))
    if not tests:
        return Shared("none", None, unknown, len(facts), refuses=False)
    return Shared("found", Leak(tests, folds, 0, tuple(shown)), unknown, len(facts), refuses=refuses)


def _leak(column: pd.Series, sides: Sides) -> Leak:
    """Find the test images whose value in a column some training image of the fold has, too; empty is no value."""
    codes, _ = pd.factorize(column)
    codes = np.where(column.eq(""), -1, codes)
    tests, folds, groups = 0, 0, set[int]()
    pairs: list[tuple[int, str, str]] = []
    for fold, (train, test) in sides.folds.items():
        hit = test[np.isin(codes[test], codes[train]) & (codes[test] >= 0)]
        tests, folds = tests + len(hit), folds + bool(len(hit))
        # One pair a person, film or picture says more than three of the same.
        new = [
            position for position in hit[np.unique(codes[hit], return_index=True)[1]] if codes[position] not in groups
        ]
        groups |= set(codes[hit])
        for position in new[: _SHOWN - len(pairs)]:
            other = train[codes[train] == codes[position]][0]
            pairs.append((fold, str(sides.images[position]), str(sides.images[other])))
    return Leak(tests, folds, len(groups), tuple(pairs))
