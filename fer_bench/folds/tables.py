"""Folds as people have them in files: fer-bench's own, or anybody's CSV that says which image is tested when.

What image names tell by themselves (who it is, which film it is a frame of) is read here, too: a check must not depend
on what a file says about itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from fer_bench.data.layouts.csv_tables import delimiter_of
from fer_bench.errors import UserError
from fer_bench.utils.near import meant_columns
from fer_bench.utils.reasons import plain_reason

from .folds import read_folds

__all__ = ["FoldTable", "read_fold_table", "read_text_table"]

_COLUMNS = {
    "image": ("image", "path", "file", "filename", "file_name", "filepath", "img", "name"),
    "fold": ("fold", "test_fold", "split_id", "cv"),
    "role": ("role", "split", "set", "subset", "usage", "partition", "phase"),
    "subject": ("subject", "subject_id", "person", "person_id", "identity", "participant"),
    "label": ("label", "emotion", "expression", "class", "target"),
    "session": ("session",),
    "sequence": ("sequence", "clip", "video"),
    "sha256": ("sha256",),
    "phash": ("phash",),
}
_ROLES = {
    **dict.fromkeys(("train", "training", "tr"), "train"),
    **dict.fromkeys(("test", "testing", "te", "publictest", "privatetest"), "test"),
    # Images that a model is chosen by have been seen before the test as much as those that it is fitted to.
    **dict.fromkeys(("val", "valid", "validation", "dev"), "train"),
}
_VALIDATION = ("val", "valid", "validation", "dev")
_NEVER = -1
"""The fold of an image that is only trained on, as in scikit-learn's ``PredefinedSplit``."""

_PACKED = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstandard",
}


@dataclass(frozen=True)
class FoldTable:
    """A file of folds.

    Attributes
    ----------
    protocol, manifest_hash : str
        What the file's first line says; empty in other people's files.
    seed : int
        The seed in the file's first line; -1 without one.
    hash : str
        Sha256 of what it holds; empty in other people's files.
    table : DataFrame
        Columns fold (int), role ("train" or "test"), image, and as far as the file has them subject, label, session,
        sequence, sha256 and phash; one row an image and fold.
    notes : tuple of str
        How the file was read where that is not plain.
    """

    protocol: str
    manifest_hash: str
    seed: int
    hash: str
    table: pd.DataFrame
    notes: tuple[str, ...] = ()


def read_fold_table(path: Path) -> FoldTable:
    """Read a file of folds.

    Parameters
    ----------
    path : Path
        A file written by fer-bench, or any CSV with a header that names images and says for each either its role
        (and fold), or the one fold in which it is tested.

    Raises
    ------
    UserError
        The file is missing, or is no such table.
    """
    _refuse_packed(path)
    try:
        with open(path, encoding="utf-8-sig") as handle:
            own = handle.readline().startswith("# fer-bench folds")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read as a folds' file: {plain_reason(error)}") from error
    if own:
        folds = read_folds(path)
        return FoldTable(folds.protocol, folds.manifest_hash, folds.seed, folds.hash, folds.table)
    return _foreign(path)


def read_text_table(path: Path, what: str) -> pd.DataFrame:
    """Read a table of text whatever its name ends in; all cells are str, missing ones empty.

    Cells stand between commas, semicolons or tabs.

    Raises
    ------
    UserError
        It cannot be read, is compressed, or is no table; ``what`` says what was expected.
    """
    _refuse_packed(path)
    try:
        with open(path, encoding="utf-8-sig", errors="replace") as handle:
            sep = delimiter_of(handle.readline(10_000))
        # By default pandas would unpack a plain table whose name ends in .zip.
        raw = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig", compression=None, sep=sep)
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read as {what}: {plain_reason(error)}") from error
    return raw.fillna("")


def _refuse_packed(path: Path) -> None:
    try:
        with open(path, "rb") as handle:
            head = handle.read(262)
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {plain_reason(error)}") from error
    packed = "tar" if head[257:] == b"ustar" else ""
    packed = next((name for magic, name in _PACKED.items() if head.startswith(magic)), packed)
    if packed:
        raise UserError(f"{path}: compressed ({packed}), expected a table of plain text: unpack it")


def _foreign(path: Path) -> FoldTable:
    raw = read_text_table(path, "a table of folds")
    found = {str(column).strip().lower(): column for column in raw.columns}
    columns = {}
    for ours, theirs in _COLUMNS.items():
        name = next((name for name in theirs if name in found), None)
        if name is not None:
            columns[ours] = raw[found[name]].str.strip()
    if "image" not in columns or not columns.keys() & {"fold", "role"}:
        raise UserError(
            f"{path}: expected a folds' file that starts with '# fer-bench folds 1;', or a CSV with a column image (or "
            f"path) and one of role (or split) and fold; found {', '.join(map(str, raw.columns[:12])) or 'nothing'}"
            f"{_meant(raw, columns.keys())}"
        )
    table = pd.DataFrame(columns)
    if table.empty:
        raise UserError(f"{path}: the table has a header and no row")
    notes: list[str] = []
    if "fold" in table:
        table["fold"] = _numbers(table["fold"], path)
    if "role" in table:
        table = _with_roles(table.assign(fold=table.get("fold", 0)), path, notes)
    else:
        table = _each_tested_once(table, path, notes)
    return FoldTable("", "", -1, "", table.reset_index(drop=True), tuple(notes))


def _meant(raw: pd.DataFrame, known: Iterable[str]) -> str:
    """What columns may have been meant for those that lack."""
    lacking = [name for name in ("image", "role", "fold") if name not in known]
    return meant_columns([str(column).strip().lower() for column in raw.columns], lacking)


def _numbers(fold: pd.Series, path: Path) -> pd.Series:
    """Folds by number; folds by name are numbered in the order of their names."""
    if fold.eq("").any():
        raise UserError(f"{path}: row {int(fold.eq('').to_numpy().argmax()) + 2} has no fold")
    if fold.str.fullmatch(r"(\d{1,9}|-1)(\.0+)?").all():
        return fold.astype(float).astype(int)
    return fold.map({name: i for i, name in enumerate(sorted(fold.unique()))}).astype(int)


def _with_roles(table: pd.DataFrame, path: Path, notes: list[str]) -> pd.DataFrame:
    words = table["role"].str.lower()
    unknown = sorted(set(words) - set(_ROLES))
    if unknown:
        raise UserError(f"{path}: the column role (or split) holds {unknown[0]!r}; expected train, validation or test")
    n = int(words.isin(_VALIDATION).sum())
    if n:
        notes.append(f"{n} validation rows count as train: what a model is chosen by has been seen")
    return table.assign(role=words.map(_ROLES))


def _each_tested_once(table: pd.DataFrame, path: Path, notes: list[str]) -> pd.DataFrame:
    """A table without roles names the fold in which each image is tested; it trains all the others."""
    numbers = sorted(set(table["fold"]) - {_NEVER})
    if not numbers:
        raise UserError(f"{path}: no image is tested: the fold is {_NEVER} in every row")
    never = int(table["fold"].eq(_NEVER).sum())
    if never:
        notes.append(f"{never} images of fold {_NEVER} are never tested and trained on in every fold")
    notes.append("no column says train or test: each image is tested in its fold and trained on in all others")
    tested = table["fold"]
    parts = [table.assign(fold=k, role=(tested == k).map({True: "test", False: "train"})) for k in numbers]
    return pd.concat(parts)
