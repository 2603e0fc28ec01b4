"""What training holds of the people who are tested: the nearest picture, and what it tells to know who is shown."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["MOST_TESTS", "KnownPerson", "Nearest", "describe_neighbours", "find_nearest", "known_person"]

MOST_TESTS = 1000
"""Tests whose nearest training picture is looked up; of more, as many evenly spaced ones."""

_BLOCK = 64
"""Tests whose distances to all of training are held at once: some tens of megabytes for the largest sets."""


@dataclass(frozen=True)
class Nearest:
    """Shares of tests by what the nearest training picture is; of pictures equally near, each counts a part.

    Attributes
    ----------
    tests : int
        Tests that were looked up.
    person, other_session, label, person_and_label : float or None
        The same person; the same person in another session; the tested expression, of whomever; the tested expression
        of the same person. None where the data do not tell.
    """

    tests: int
    person: float | None
    other_session: float | None
    label: float
    person_and_label: float | None


@dataclass(frozen=True)
class KnownPerson:
    """Accuracy without looking at any expression, from who is shown and what training holds of that person.

    Attributes
    ----------
    in_proportion : float
        Of answering an expression as often as training has it of that person; of a person who is not in training, as
        often as of all people.
    most_frequent : float
        Of answering that person's most frequent expression in training, of several one at random.
    """

    in_proportion: float
    most_frequent: float


def describe_neighbours(table: pd.DataFrame, facts: pd.DataFrame) -> dict[str, Any]:
    """Both findings as run.json holds them; None where the data do not tell.

    Parameters
    ----------
    table : DataFrame
        Folds, with the columns fold, role and image.
    facts : DataFrame
        One row an image: image, label, subject, session and phash, empty where nothing is known.
    """
    nearest, known = find_nearest(table, facts), known_person(table, facts)
    return {"nearest": asdict(nearest) if nearest else None, "known_person": asdict(known) if known else None}


def find_nearest(table: pd.DataFrame, facts: pd.DataFrame) -> Nearest | None:
    """Look up the training picture whose perceptual hash differs in the fewest of 256 bits; None without hashes."""
    told = facts.set_index("image")
    words = _words(told["phash"])
    tests = table.index[(table["role"] == "test").to_numpy()]
    chosen = tests[np.linspace(0, len(tests) - 1, min(len(tests), MOST_TESTS)).astype(int)] if len(tests) else tests
    rows = table.assign(place=told.index.get_indexer(table["image"]), looked=False)
    rows.loc[chosen, "looked"] = True
    rows = rows[(rows["place"] >= 0) & told["phash"].ne("").to_numpy()[rows["place"]]]
    codes = {name: pd.factorize(told[name])[0] for name in ("label", "subject", "session")}
    sums, n = np.zeros(4), 0
    for _, fold in rows.groupby("fold"):
        test = fold.loc[fold["looked"], "place"].to_numpy()
        train = fold.loc[fold["role"] == "train", "place"].to_numpy()
        if len(test) and len(train):
            sums += _shares(words, codes, test, train)
            n += len(test)
    if not n:
        return None
    person, session, label, both = (float(share) for share in sums / n)
    people, sessions = (
        bool(told["subject"].ne("").all()),
        told["session"].ne("").all() and told["session"].nunique() > 1,
    )
    return Nearest(
        n, person if people else None, session if people and sessions else None, label, both if people else None
    )


def _shares(
    words: NDArray[np.uint64], codes: dict[str, NDArray[np.int64]], test: NDArray[np.int64], train: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Sums over tests (4,): same person, same person in another session, same label, same person and label."""
    sums = np.zeros(4)
    for start in range(0, len(test), _BLOCK):
        mine = test[start : start + _BLOCK]
        apart = np.zeros((len(mine), len(train)), dtype=np.int16)
        for word in range(words.shape[1]):
            apart += np.bitwise_count(words[mine, None, word] ^ words[None, train, word])
        i, j = np.nonzero(apart == apart.min(axis=1, keepdims=True))
        parts = 1 / np.bincount(i)[i]
        same = {name: column[mine[i]] == column[train[j]] for name, column in codes.items()}
        kinds = (
            *(same["subject"], same["subject"] & ~same["session"]),
            *(same["label"], same["subject"] & same["label"]),
        )
        sums += [parts[kind].sum() for kind in kinds]
    return sums


def _words(hashes: pd.Series) -> NDArray[np.uint64]:
    """First parts of hashes, (n, 4) words of 64 bits; zeros where there is none."""
    from fer_bench.data.images.phash import BITS

    digits = BITS // 4
    data = bytes.fromhex("".join((text[:digits] or "0" * digits) for text in hashes))
    return np.frombuffer(data, dtype=np.uint64).reshape(-1, BITS // 64)


def known_person(table: pd.DataFrame, facts: pd.DataFrame) -> KnownPerson | None:
    """Count what training holds of each tested person; None where the data do not tell who is who."""
    told = facts.set_index("image")
    if not len(told) or told["subject"].eq("").any():
        return None
    place = told.index.get_indexer(table["image"])
    labels, subjects = pd.factorize(told["label"])[0][place], pd.factorize(told["subject"])[0][place]
    tested = (table["role"] == "test").to_numpy()
    proportion, frequent = [], []
    for fold in np.unique(table["fold"]):
        here = (table["fold"] == fold).to_numpy()
        counts = np.zeros((subjects.max() + 1, labels.max() + 1))
        np.add.at(counts, (subjects[here & ~tested], labels[here & ~tested]), 1)
        # of a person whom training does not hold nothing is known but how often expressions are
        counts = np.where(counts.sum(axis=1, keepdims=True) > 0, counts, counts.sum(axis=0))
        who, what = subjects[here & tested], labels[here & tested]
        most = counts == counts.max(axis=1, keepdims=True)
        proportion.append((counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))[who, what])
        frequent.append((most / most.sum(axis=1, keepdims=True))[who, what])
    if not sum(map(len, proportion)):
        return None
    return KnownPerson(float(np.concatenate(proportion).mean()), float(np.concatenate(frequent).mean()))
