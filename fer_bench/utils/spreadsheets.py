"""Tables that a spreadsheet may open: no text of theirs is run as a formula, and reading gives every text back."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["guarded", "guarded_csv", "guarded_table", "unguarded", "unguarded_table"]

_FORMULA = "=+-@\t\r\n＝＋－＠"  # a spreadsheet's, in either width
_GUARD = "'"
_STARTS = {*_FORMULA, _GUARD}
_RUN = re.compile(f"{_GUARD}*[{re.escape(_FORMULA)}]")
"""Texts that begin so get one apostrophe more: also those that begin with some already, or they could not be told."""


def guarded(value: Any) -> Any:
    """Put an apostrophe before a text that a spreadsheet would run as a formula; all else stays as it is.

    Examples
    --------
    >>> [guarded(text) for text in ("=1+1", "a-b", "'=", 3)]
    ["'=1+1", 'a-b', "''=", 3]
    """
    return _GUARD + value if isinstance(value, str) and _RUN.match(value) else value


def unguarded(value: Any) -> Any:
    """Return what `guarded` was given; a text that it would not have changed stays as it is."""
    if isinstance(value, str) and value.startswith(_GUARD) and _RUN.match(value):
        return value[len(_GUARD) :]
    return value


def guarded_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose texts are `guarded`."""
    return _mapped(table, guarded)


def unguarded_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table, as read from a file, whose texts are `unguarded`."""
    return _mapped(table, unguarded)


def guarded_csv(table: pd.DataFrame, **how: Any) -> str:
    """Return a table as CSV whose texts are `guarded`; ``how`` is for `pandas.DataFrame.to_csv`."""
    text = guarded_table(table).to_csv(index=False, lineterminator="\n", **how)
    if "\r" in text:  # some versions of Python leave it bare, and readers take it for the end of a row
        text = guarded_table(table).to_csv(index=False, lineterminator="\n", quoting=csv.QUOTE_ALL, **how)
    return str(text)


def _mapped(table: pd.DataFrame, change: Callable[[Any], Any]) -> pd.DataFrame:
    """Change the texts of a table; one that needs none is returned as it is, and most are."""
    texts = {str(name): list(column) for name, column in table.items() if column.dtype.kind not in "biuf"}
    told = {name: cells for name, cells in texts.items() if any(isinstance(c, str) and c[:1] in _STARTS for c in cells)}
    return table.assign(**{name: list(map(change, cells)) for name, cells in told.items()}) if told else table
