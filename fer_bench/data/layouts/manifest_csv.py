"""A table of one's own: one row a picture, with its path, its label and what else is known of it."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from dataclasses import replace

from fer_bench.errors import UserError
from fer_bench.utils.near import did_you_mean
from fer_bench.utils.people_names import is_given

from .. import LAYOUT_SUMMARIES
from ..manifest import Excluded
from ..sources.base import Source
from ..words import LABEL_WORDS, OTHER_EXPRESSIONS
from .contract import Layout, Listing
from .csv_tables import read_table, tables_with
from .table_paths import OUTSIDE, TablePaths

__all__ = ["CSV"]

_OPTIONAL = ("subject", "session", "view", "split", "sequence", "gender")
_MAX_ROWS = 1_000_000


def _claims(source: Source) -> bool:
    return bool(tables_with(source, "path", "label"))


def _listing(source: Source) -> Listing:
    tables = tables_with(source, "path", "label")
    if len(tables) != 1:
        raise UserError(
            f"{source.where}: expected one table with the columns path and label, found "
            f"{', '.join(tables[:3]) or 'none'}; give the table itself to `{source.parameter}`"
        )
    table = tables[0]
    lines = list(read_table(source, table))
    if not lines:
        raise UserError(f"{source.where}: table {table} has a header and no rows")
    if len(lines) > _MAX_ROWS:
        raise UserError(f"{source.where}: table {table} has {len(lines):,} rows, more than {_MAX_ROWS:,}")
    _need_all_or_none(lines, f"{source.where}: table {table}")
    paths, folder = TablePaths(source, table), posixpath.dirname(table)
    rows, excluded, outside = [], [], []
    for number, cells in lines:
        file = paths.name_of(cells["path"])
        label = _label(cells["label"], f"{source.where}: table {table}, line {number}")
        known = {name: cells[name] for name in _OPTIONAL if cells.get(name)}
        if not label:
            excluded.append(Excluded(file, f"{cells['label'].lower()} is none of the seven expressions"))
        elif why := paths.why_not(file):
            excluded.append(Excluded(file, f"{why}: line {number} of {table}"))
            outside += [file] if why in OUTSIDE else []
        else:
            image = file if posixpath.isabs(file) else posixpath.relpath(file, folder or ".")
            rows.append({**known, "image": image, "file": file, "label": label})
    paths.refuse_if_all(outside, n_rows=len(rows))
    there = dict.fromkeys([*source.files, *(row["file"] for row in rows)])
    return Listing(
        rows, excluded, replace(source, files=tuple(there)), (*paths.notes(outside), *_meant(table, lines[0][1]))
    )


def _meant(table: str, columns: Iterable[str]) -> tuple[str, ...]:
    """Tell of columns that are not read, and are called nearly like one that would be."""
    known = {"path", "label", *_OPTIONAL}
    lacking = [name for name in _OPTIONAL if name not in set(columns)]
    unread = [(name, did_you_mean(name, lacking)) for name in columns if name not in known]
    return tuple(f"the column {name} of table {table} is not read{near}" for name, near in unread if near)


def _label(word: str, where: str) -> str:
    """Code of a label; empty for an expression that is none of the seven.

    Raises
    ------
    UserError
        A word that stands for no expression.
    """
    if word.lower() in OTHER_EXPRESSIONS:
        return ""
    try:
        return LABEL_WORDS[word.lower()]
    except KeyError:
        raise UserError(
            f"{where}: unknown label {word!r}; expected a code or a name such as AF or afraid, AN or angry, DI or "
            "disgusted, HA or happy, NE or neutral, SA or sad, SU or surprised"
            f"{did_you_mean(word, LABEL_WORDS)}"
        ) from None


def _need_all_or_none(lines: list[tuple[int, dict[str, str]]], where: str) -> None:
    """Refuse rows without a path, and people or parts given for some rows only: who else is the same person?"""
    for column in ("path", "label"):
        for number, cells in lines:
            if not cells[column]:
                raise UserError(f"{where}, line {number}: the column {column} is empty")
    for column in ("subject", "split", "sequence"):
        empty = [(number, cells.get(column, "")) for number, cells in lines if not is_given(cells.get(column, ""))]
        if 0 < len(empty) < len(lines):
            words = ", ".join(sorted({repr(word) for _, word in empty if word}))
            taken = f" or not given (as {words} is read)" if words else ""
            raise UserError(
                f"{where}: the column {column} is filled in {len(lines) - len(empty)} rows and empty{taken} in "
                f"{len(empty)}, the first in line {empty[0][0]}; fill it in every row, leave those rows out, or leave "
                "the column out"
            )


CSV = Layout(
    name="csv",
    summary=LAYOUT_SUMMARIES["csv"],
    expects="a table of your own (path, label)",
    claims=_claims,
    listing=_listing,
    labels=LABEL_WORDS,
    notice="Pictures listed in a table of the user's own. Its licence is the user's to know; no picture leaves the "
    "machine.",
    no_people="the table has no column subject; add it to split by person",
)
