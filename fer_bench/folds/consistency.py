"""What a file of folds says of its images, held against itself and against the data: one image, one person, one label.

A file that says two things of one image proves nothing, whichever of the two is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fer_bench.data.layouts.normal import findings, one_spelling
from fer_bench.data.words import LABEL_WORDS
from fer_bench.utils.people_names import fold_name, name_keys

__all__ = [
    "Contradiction",
    "Difference",
    "contradictions",
    "differences",
    "keys_of",
    "one_row_an_image",
    "with_one_spelling",
]

_STATED = ("subject", "label", "session", "sequence")
"""Columns by which a file states facts of its images."""


@dataclass(frozen=True)
class Contradiction:
    """A column that says two things of an image in different rows.

    Attributes
    ----------
    column : str
    images : int
        Of how many images.
    image : str
        One of them.
    said : tuple of str
        Up to three of the things that are said of it, sorted.
    """

    column: str
    images: int
    image: str
    said: tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    """A column that says of images what the data do not.

    Attributes
    ----------
    column : str
    images, compared : int
        Of how many images, of those of which both tell something.
    image, file, data : str
        One of them, what the file says of it, and what the data do.
    """

    column: str
    images: int
    compared: int
    image: str
    file: str
    data: str


def contradictions(table: pd.DataFrame) -> Iterator[Contradiction]:
    """Yield what a table of folds says in two ways: an image with several people, expressions, sessions or sequences.

    Parameters
    ----------
    table : DataFrame
        See `fer_bench.folds.tables.FoldTable`; an empty text says nothing.
    """
    for column in [column for column in _STATED if column in table]:
        told = table[["image", column]].assign(key=table[column].map(keys_of(column, table[column])))
        told = told[told["key"].ne("")].drop_duplicates(["image", "key"])
        twice = told.loc[told["image"].duplicated(), "image"].unique()
        if len(twice):
            said = sorted(told.loc[told["image"] == twice[0], column])[:3]
            yield Contradiction(column, len(twice), str(twice[0]), tuple(said))


def one_row_an_image(table: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Return what a table tells of each image: index image, str columns, empty where no row tells."""
    known = table.reindex(columns=["image", *columns], fill_value="")
    return known.replace("", pd.NA).groupby("image", sort=False)[columns].first().fillna("")


def differences(stated: pd.DataFrame, data: pd.DataFrame) -> Iterator[Difference]:
    """Yield where people and expressions that a file states are not the data's.

    Other names for the same people or expressions are no difference as long as they are one to one.

    Parameters
    ----------
    stated, data : DataFrames
        With the same index, the images, and columns subject and label, str; empty where nothing is given.
    """
    for column in ("subject", "label"):
        both = pd.DataFrame({"file": stated[column], "data": data[column]})
        keys = keys_of(column, *(both[side] for side in both))
        meant = pd.DataFrame({side: both[side].map(keys) for side in both})
        given = meant["file"].ne("") & meant["data"].ne("")
        both, meant = both[given], meant[given]
        wrong = both[_differs(meant, column)]
        if len(wrong):
            image, said, true = next(wrong.itertuples())
            yield Difference(column, len(wrong), len(both), str(image), str(said), str(true))


def _differs(both: pd.DataFrame, column: str) -> pd.Series:
    own_words = column == "label" and not both["file"].isin(LABEL_WORDS.values()).all()
    if not own_words and (column == "label" or both["file"].isin(both["data"]).any()):
        return both["file"] != both["data"]
    # Names of its own: the pair that most images show is taken for the translation.
    counts = both.value_counts(sort=True)
    first = counts.reset_index().drop_duplicates("file").drop_duplicates("data")
    pairs = pd.MultiIndex.from_frame(first[["file", "data"]])
    return pd.Series(~pd.MultiIndex.from_frame(both).isin(pairs), index=both.index)


def keys_of(column: str, *sides: pd.Series) -> dict[str, str]:
    """Return by what the words of columns are compared: people by name, expressions by code where a word means one."""
    words = [side.unique() for side in sides]
    if column != "label":
        return name_keys(*words)
    return {word: LABEL_WORDS.get(fold_name(word), word) for word in np.concatenate(words)}


def with_one_spelling(facts: pd.DataFrame, columns: Sequence[str], notes: list[str]) -> pd.DataFrame:
    """Return facts of images in which a person, session or film has one name; what was merged is added to notes.

    Parameters
    ----------
    facts : DataFrame
        One row an image.
    columns : sequence of str
        Of subject, session and sequence.
    notes : list of str
    """
    for column in columns:
        counts = facts[column].value_counts().to_dict()
        said = one_spelling(column, counts)
        facts = facts.assign(**{column: facts[column].map(said)})
        notes += [sentence for sentence, _ in findings(column, counts, said, len(facts))]
    return facts
