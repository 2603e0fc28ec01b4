"""Folds: a table with a hash, its file, and what is proven from the table alone."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_bench.data.manifest import Dataset, Manifest
from fer_bench.errors import UserError
from fer_bench.utils.files import atomic_write
from fer_bench.utils.ownership import head_of, need_own
from fer_bench.utils.paths import given_path
from fer_bench.utils.reasons import plain_reason
from fer_bench.utils.spreadsheets import guarded_csv, guarded_table, unguarded_table

__all__ = ["FOLD_COLUMNS", "Folds", "need_place", "read_folds"]


_MARK = "# fer-bench folds "
FOLD_COLUMNS = ["fold", "role", "image", "subject", "label"]
"""Columns of a folds' file."""


@dataclass(frozen=True)
class Folds:
    """The folds of one protocol over one manifest; also a splitter as scikit-learn takes it (``cv=folds``).

    Attributes
    ----------
    protocol, manifest_hash : str
        What they were made by and for.
    seed : int
        The run's seed.
    table : DataFrame
        Columns fold (int), role ("train" or "test"), image, subject, label; one row an image and fold.
    order : tuple of str
        The images of the data that they were made for, or bound to, in their order: what `split` counts rows by. Empty
        where the folds were read from a file; see `bind`.

    Examples
    --------
    >>> from fer_bench import load_dataset, make_folds
    >>> dataset = load_dataset(people=4, views="S")
    >>> folds = make_folds(dataset, "subject-2fold")
    >>> folds
    <Folds subject-2fold: 2 folds of 56 images, seed 0>
    >>> [(len(train), len(test)) for train, test in folds.split()]
    [(28, 28), (28, 28)]
    """

    protocol: str
    manifest_hash: str
    seed: int
    table: pd.DataFrame
    order: tuple[str, ...] = ()

    def __repr__(self) -> str:
        n = self.table["image"].nunique()
        return f"<Folds {self.protocol}: {len(self.numbers)} folds of {n} images, seed {self.seed}>"

    @cached_property
    def text(self) -> str:
        """The file's text: a comment line, then CSV, whose names no spreadsheet runs as formulas."""
        if "\r" not in self._plain and guarded_table(self.table) is self.table:
            return self._plain
        return self._head + guarded_csv(self.table)

    @property
    def _head(self) -> str:
        return f"# fer-bench folds 1; protocol={self.protocol}; manifest={self.manifest_hash}; seed={self.seed}\n"

    @cached_property
    def _plain(self) -> str:
        result: str = self._head + self.table.to_csv(index=False, lineterminator="\n")
        return result

    @cached_property
    def hash(self) -> str:
        """Sha256 of the file's text, where no name in it would be a formula; else of the same with the plain names."""
        return hashlib.sha256(self._plain.encode()).hexdigest()

    @property
    def numbers(self) -> list[int]:
        """Sorted fold numbers."""
        return sorted(int(f) for f in self.table["fold"].unique())

    @cached_property
    def _by_side(self) -> dict[tuple[int, str], NDArray[np.object_]]:
        sides = self.table.groupby(["fold", "role"], sort=False)["image"]
        return {(int(fold), str(role)): rows.to_numpy(dtype=object) for (fold, role), rows in sides}

    def images(self, fold: int, role: str) -> list[str]:
        """Return the sorted images of one side of a fold."""
        return sorted(self._by_side.get((fold, role), ()))

    def sizes(self, fold: int) -> tuple[int, int]:
        """Return the numbers of images that train and that test a fold."""
        n_train, n_test = (len(self._by_side.get((fold, role), ())) for role in ("train", "test"))
        return n_train, n_test

    def indices(self, data: Dataset | Manifest, fold: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the rows of a dataset that train and that test a fold, each ascending, int64.

        Raises
        ------
        UserError
            The folds name images that the data lack.
        """
        return self._rows(pd.Index(_images(data), dtype=object), fold)

    def bind(self, data: Dataset | Manifest) -> Folds:
        """Return the same folds, whose `split` counts the rows of these data; images are found by name.

        Raises
        ------
        UserError
            The folds name images that the data lack.
        """
        for fold in self.numbers:
            self.indices(data, fold)
        return replace(self, order=_images(data))

    def split(self, X: Any = None, y: Any = None, groups: Any = None) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
        """Return the rows that train and that test each fold, as scikit-learn's splitters do.

        Parameters
        ----------
        X : Dataset, Manifest or array-like, optional
            A dataset in which images are found by name; or arrays of the dataset that the folds are of, one row an
            image in its order, which are only counted.
        y, groups : ignored
            There because scikit-learn gives them.

        Returns
        -------
        iterator of (array, array)
            Ascending int64 rows to train on and to test, fold after fold by number.

        Raises
        ------
        UserError
            ``X`` has other than one row an image, images are not in the dataset, or nothing tells which data it is.
        """
        order = pd.Index(self._order_of(X), dtype=object)
        return (self._rows(order, fold) for fold in self.numbers)

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of folds; the arguments are there because scikit-learn gives them."""
        return len(self.numbers)

    def _order_of(self, X: Any) -> tuple[str, ...]:
        """Images in the order of the rows of ``X``."""
        if isinstance(X, Dataset | Manifest):
            return _images(X)
        if not self.order:
            raise UserError(
                f"folds {self.protocol}: they were read from a file, which names images and no rows; give the dataset, "
                "as in folds.split(dataset) or folds.bind(dataset)"
            )
        n = len(self.order) if X is None else X.shape[0] if hasattr(X, "shape") else len(X)
        if n != len(self.order):
            raise UserError(
                f"folds {self.protocol}: X has {n} rows, expected {len(self.order)}, one an image of the dataset that "
                "the folds are of, in its order; give the arrays of the whole dataset"
            )
        return self.order

    def _rows(self, known: pd.Index, fold: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        sides = []
        for role in ("train", "test"):
            images = self._by_side.get((fold, role), np.array([], dtype=object))
            at = known.get_indexer(images)
            if (at < 0).any():
                unknown = sorted(images[at < 0])
                raise UserError(
                    f"fold {fold} of {self.protocol}: {len(unknown)} images such as {unknown[0]} are not in the data; "
                    "make the folds anew with `fer-bench folds make`"
                )
            sides.append(np.sort(at).astype(np.int64))
        return sides[0], sides[1]

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the folds' file.

        Raises
        ------
        UserError
            Another kind of file is there.
        """
        file = given_path(path, "the folds' file")
        need_place(file)
        with atomic_write(file, "w") as handle:
            handle.write(self.text)


def need_place(file: Path) -> None:
    """Refuse a place for a folds' file where something else is.

    Raises
    ------
    UserError
        What is there is no folds' file of fer-bench's.
    """
    need_own(file, lambda there: head_of(there).startswith(_MARK.encode()), "a folds' file that fer-bench wrote", "")


def _images(data: Dataset | Manifest) -> tuple[str, ...]:
    manifest = data.manifest if isinstance(data, Dataset) else data
    return tuple(manifest.table["image"])


def read_folds(path: str | os.PathLike[str]) -> Folds:
    """Read a folds' file that fer-bench wrote; for anybody's CSV see `user_folds`.

    Parameters
    ----------
    path : path
        A file that `Folds.write`, ``fer-bench folds make`` or a run wrote.

    Returns
    -------
    Folds
        Of image names; ``folds.split(dataset)`` or `Folds.bind` finds their rows.

    Raises
    ------
    UserError
        The file is missing or is not a folds' file.
    """
    try:
        # A name may hold an end of line, of any kind.
        with open(given_path(path, "the folds' file"), encoding="utf-8-sig", newline="") as handle:
            text = handle.read()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read as a folds' file: {plain_reason(error)}") from error
    head, _, body = text.partition("\n")
    if not head.startswith(f"{_MARK}1;"):
        raise UserError(f"{path}: expected a folds' file that starts with '# fer-bench folds 1;', found {head[:40]!r}")
    fields = dict(part.strip().split("=", 1) for part in head.split(";")[1:] if "=" in part)
    try:
        table = pd.read_csv(io.StringIO(body), dtype=str, keep_default_na=False).fillna("")
        if absent := [name for name in FOLD_COLUMNS if name not in table]:
            raise KeyError(f"the column {', '.join(absent)}")
        table = unguarded_table(table[FOLD_COLUMNS].astype({"fold": int}))
        folds = Folds(fields["protocol"], fields["manifest"], int(fields["seed"]), table)
    except (KeyError, ValueError, OverflowError) as error:
        raise UserError(
            f"{path}: not a whole folds' file with the columns {', '.join(FOLD_COLUMNS)}: {plain_reason(error)}"
        ) from error
    if not set(table["role"]) <= {"train", "test"}:
        raise UserError(f"{path}: the column role holds {sorted(set(table['role']))}, expected train and test")
    return folds
