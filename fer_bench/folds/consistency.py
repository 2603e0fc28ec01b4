"""What a file of folds says of its images, held against itself and against the data: one image, one person, one label.

A file that says two things of one image proves nothing, whichever of the two is read.
"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from fer_bench.data.words import LABEL_WORDS

__all__ = ["contradictions", "differences", "one_row_an_image"]

_STATED = {"subject": "people", "label": "expressions", "session": "sessions", "sequence": "sequences"}


def contradictions(table: pd.DataFrame) -> Iterator[str]:
    """Yield what a table of folds says in two ways: an image with several people, expressions, sessions or sequences.

    Parameters
    ----------
    table : DataFrame
        See `fer_bench.folds.tables.FoldTable`; an empty text says nothing.
    """
    for column in [column for column in _STATED if column in table]:
        told = table.loc[table[column].ne(""), ["image", column]].drop_duplicates()
        twice = told.loc[told["image"].duplicated(), "image"].unique()
        if len(twice):
            said = " and ".join(sorted(told.loc[told["image"] == twice[0], column])[:3])
            yield (
                f"{_STATED[column]}: REFUSED, the file contradicts itself in {len(twice)} "
                f"image{'s' if len(twice) > 1 else ''}, such as {twice[0]}: {column} {said}"
            )


def one_row_an_image(table: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Return what a table tells of each image: index image, str columns, empty where no row tells."""
    known = table.reindex(columns=["image", *columns], fill_value="")
    return known.replace("", pd.NA).groupby("image", sort=False)[columns].first().fillna("")


def differences(stated: pd.DataFrame, data: pd.DataFrame) -> Iterator[str]:
    """Yield where people and expressions that a file states are not the data's.

    Other names for the same people or expressions are no difference as long as they are one to one.

    Parameters
    ----------
    stated, data : DataFrames
        With the same index, the images, and columns subject and label, str; empty where nothing is told.
    """
    for column, what in (("subject", "person"), ("label", "expression")):
        both = pd.DataFrame({"file": stated[column], "data": data[column]})
        both = both[both["file"].ne("") & both["data"].ne("")]
        wrong = both[_differs(both, column)]
        if len(wrong):
            image, said, true = next(wrong.itertuples())
            yield (
                f"{_STATED[column]}: REFUSED, the file states another {what} than the data of {len(wrong)} of "
                f"{len(both)} images, such as {image}: {said} in the file, {true} in the data"
            )


def _differs(both: pd.DataFrame, column: str) -> pd.Series:
    words = both["file"].str.lower()
    if column == "label" and words.isin(LABEL_WORDS.keys()).all():
        return words.map(LABEL_WORDS) != both["data"]
    if column == "subject" and both["file"].isin(both["data"]).any():
        return both["file"] != both["data"]
    # Names of its own: the pair that most images show is taken for the translation.
    counts = both.value_counts(sort=True)
    first = counts.reset_index().drop_duplicates("file").drop_duplicates("data")
    pairs = pd.MultiIndex.from_frame(first[["file", "data"]])
    return pd.Series(~pd.MultiIndex.from_frame(both).isin(pairs), index=both.index)
