"""Finds what folds have in train and test: people, films, sessions and pictures, in every fact that is at hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

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
    """Look for pictures that look the same under different names and hashes, also mirrored or turned a little.

    Parameters
    ----------
    facts : DataFrame
        One row an image, with the columns phash and sha256; empty where nothing is given.
    sides : Sides
        The folds.
    refuses : bool
        Whether finding some breaks the claim.
    """
    from fer_bench.data.images.copies import near_hashes
    from fer_bench.data.images.phash import upright_only

    hashes = facts["phash"].to_numpy(dtype=object)
    unknown, upright = int((hashes == "").sum()), sum(map(upright_only, hashes))
    told = Shared("none", None, unknown, len(facts), refuses=False, upright=upright)
    if unknown == len(facts):
        return replace(told, state="unknown")
    codes, texts = pd.factorize(np.where(hashes == "", None, hashes))
    pairs = near_hashes(list(texts))
    a, b = (pd.Index(texts).get_indexer(pairs[column]) for column in ("a", "b"))
    near = _Near(codes, _files(facts["sha256"]), a, b, pairs["mirrored"].to_numpy(), pairs["turned"].to_numpy())
    found = {fold: near.across(*fold_sides) for fold, fold_sides in sides.folds.items()}
    tests, mirrored, turned = np.sum([part[0] for part in found.values()], axis=0).tolist()
    if not tests:
        return told
    shown = [(k, str(sides.images[a]), str(sides.images[b])) for k, part in found.items() for a, b in part[1]]
    folds = sum(part[0][0] > 0 for part in found.values())
    leak = Leak(tests, folds, 0, tuple(shown[:_SHOWN]), mirrored=mirrored, turned=turned)
    return replace(told, state="found", leak=leak, refuses=refuses)


def _files(column: pd.Series) -> NDArray[np.int64]:
    """Number files by content; one of which nothing is known is a content of its own."""
    codes, _ = pd.factorize(column)
    return np.where(column.eq(""), len(column) + np.arange(len(column)), codes)


@dataclass(frozen=True)
class _Near:
    """Images by the numbers of their hashes (-1: none) and contents, and the pairs of hashes that are near."""

    hashes: NDArray[np.int64]
    files: NDArray[np.int64]
    a: NDArray[np.int64]
    b: NDArray[np.int64]
    mirrored: NDArray[np.bool_]
    turned: NDArray[np.bool_]

    def across(
        self, train: NDArray[np.int64], test: NDArray[np.int64]
    ) -> tuple[tuple[int, int, int], list[tuple[int, int]]]:
        """Count the test images like some training image, like a mirrored one and like a turned one; give examples."""
        across = self._holds(test)[self.a] & self._holds(train)[self.b]
        near, mirrored, turned = (
            np.isin(self.hashes[test], self.a[across & kind]) for kind in (True, self.mirrored, self.turned)
        )
        near |= self._same(train, test)
        examples = []
        for image in test[near][:_SHOWN]:
            mine = self.hashes[image]
            other = (self.hashes[train] == mine) & (self.files[train] != self.files[image])
            like = np.isin(self.hashes[train], self.b[across & (self.a == mine)]) | other
            examples.append((int(image), int(train[like][0])))
        return (int(near.sum()), int(mirrored.sum()), int(turned.sum())), examples

    def _holds(self, images: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Of each hash, whether one of the images has it."""
        result = np.zeros(self.hashes.max() + 2, dtype=bool)
        result[self.hashes[images]] = True
        return result

    @cached_property
    def _shared(self) -> NDArray[np.int64]:
        """Hashes that are those of several contents."""
        kinds = pd.DataFrame({"hash": self.hashes, "file": self.files}).drop_duplicates()["hash"]
        return np.setdiff1d(kinds[kinds.duplicated()], [-1])

    def _same(self, train: NDArray[np.int64], test: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Of each test image, whether another content with the very same hash is trained on."""
        result = np.zeros(len(test), dtype=bool)
        for i in np.flatnonzero(np.isin(self.hashes[test], self._shared)):
            there = self.files[train][self.hashes[train] == self.hashes[test[i]]]
            result[i] = bool((there != self.files[test[i]]).any())
        return result


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
