"""Folds that a user gives in as a file: matched with the data, and their claim proven anew."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from fer_bench.data.manifest import Dataset, Manifest
from fer_bench.errors import UserError
from fer_bench.utils.paths import given_path

from .check import check_made
from .consistency import keys_of
from .folds import FOLD_COLUMNS, Folds
from .match import match_images
from .promises import broken_folds
from .protocols import PROTOCOLS, unsupported
from .splitters import make_folds
from .tables import FoldTable, read_fold_table
from .wording import refusals

__all__ = ["user_folds"]


def user_folds(path: str | os.PathLike[str], data: Dataset | Manifest) -> tuple[Folds, tuple[str, ...]]:
    """Read folds from a file and hold them against the data.

    People and expressions are the data's own, whatever the file says of them.

    Parameters
    ----------
    path : path
        A file that fer-bench wrote, or anybody's CSV of images and folds.
    data : Dataset or Manifest
        The data that they are of.

    Returns
    -------
    Folds
        Under the name of its protocol where it holds exactly what that protocol makes of these data; else under
        ``given-<name of the file>``.
    tuple of str
        What a reader of the figures must know about them.

    Raises
    ------
    UserError
        The file names images that the data lack, tests an image twice, or breaks what its protocol promises.
    """
    path, manifest = given_path(path, "the folds' file"), data.manifest if isinstance(data, Dataset) else data
    file = read_fold_table(path)
    table = file.table.assign(image=match_images(file.table["image"], manifest, f"`folds` {path}"))
    facts = manifest.table.set_index("image")[["subject", "label"]]
    table = table[["fold", "role", "image"]].join(facts, on="image")[FOLD_COLUMNS]
    name = "given-" + (re.sub(r"[^A-Za-z0-9_-]+", "-", path.stem) or "folds")
    folds = Folds(name, manifest.hash, file.seed, table, order=tuple(manifest.table["image"]))
    faults = list(broken_folds(folds))
    tested = table.loc[table["role"] == "test", "image"]
    if tested.duplicated().any():
        twice = sorted(tested[tested.duplicated()].unique())
        faults.append(f"{len(twice)} images are tested more than once, such as {twice[0]}")
    rule = PROTOCOLS.get(file.protocol)
    if rule is not None and rule.splits_by == "person" and not faults:
        found = check_made(folds, manifest, claim="person")
        faults = [f"it says {file.protocol}, which keeps people apart, but {reason}" for reason in refusals(found)]
    if faults:
        raise UserError(f"`folds` {path}: {faults[0]}; `fer-bench folds check` tells all")
    known = _as_known(file, manifest, table)
    return known or folds, tuple(_notes(file, manifest, table, path, known is not None))


def _as_known(file: FoldTable, manifest: Manifest, table: pd.DataFrame) -> Folds | None:
    """The protocol's own folds where the file holds exactly them: then it is the same run, with the same trials."""
    if file.protocol not in PROTOCOLS or file.protocol in unsupported(manifest):
        return None
    made = make_folds(manifest, file.protocol, file.seed)
    return made if made.table.equals(table.reset_index(drop=True)) else None


def _notes(file: FoldTable, manifest: Manifest, table: pd.DataFrame, path: Path, known: bool) -> Iterator[str]:
    head = f"--folds {path.name}"
    yield from (f"{head}: {note}" for note in file.notes)
    if file.manifest_hash and file.manifest_hash != manifest.hash:
        yield (
            f"{head} was made for other data (manifest {file.manifest_hash[:12]}, these are {manifest.hash[:12]}); "
            "all its images are here"
        )
    unused = len(manifest) - table["image"].nunique()
    if unused:
        yield f"{head}: {unused} images of the data stand in none of its folds and are not used"
    for column, what in (("subject", "person"), ("label", "expression")):
        n = _differing(file.table, table, column)
        if n:
            yield f"{head}: the {what} differs from the data's own in {n} rows; the data's own is used"
    if file.protocol in PROTOCOLS and not known:
        yield f"{head} says {file.protocol}, and is not what that protocol makes of these data with seed {file.seed}"


def _differing(given: pd.DataFrame, own: pd.DataFrame, column: str) -> int:
    """Rows in which a file states another person or expression than the data; see `keys_of`."""
    if column not in given:
        return 0
    stated, ours = (table[column].reset_index(drop=True) for table in (given, own))
    keys = keys_of(column, stated, ours)
    return int((stated.map(keys).ne("") & stated.map(keys).ne(ours.map(keys))).sum())
