"""The one way to read a run's tables of text: regular files of bounded size, or one sentence."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pandas as pd

from fer_bench.errors import UserError
from fer_bench.utils.regular import open_at_once, unfit
from fer_bench.utils.spreadsheets import unguarded_table

__all__ = ["MANIFEST", "find_manifest", "need_regular", "read_table"]

MANIFEST = "manifest.csv"
"""The images of a run, as the data gave them."""
_MOST_BYTES = 256_000_000
_MOST_PARQUET_BYTES = 2_000_000_000


def need_regular(file: Path, mend: str, most_bytes: float = _MOST_PARQUET_BYTES) -> None:
    """Refuse what a library would wait for, or read for ever.

    Raises
    ------
    UserError
        It is a folder, a pipe, a device or too large, or cannot be looked at.
    """
    try:
        why = unfit(os.stat(file), most_bytes)
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror or error}; {mend}") from error
    if why:
        raise UserError(f"{file} cannot be read: expected a regular file, found {why}; {mend}")


def read_table(file: Path, mend: str, **how: Any) -> pd.DataFrame:
    """Read a CSV file that is there.

    Parameters
    ----------
    file : Path
    mend : str
        What to do about one that cannot be read, at the end of the message.
    **how
        For ``pandas.read_csv``.

    Raises
    ------
    UserError
        It is none, or no regular file.
    """
    need_regular(file, mend, _MOST_BYTES)
    try:
        with open(file, "rb", opener=open_at_once) as handle:
            return unguarded_table(pd.read_csv(handle, keep_default_na=False, encoding="utf-8-sig", **how))
    except MemoryError:
        why = "it does not fit in memory"
    except (
        ValueError,
        OSError,
        OverflowError,
    ) as error:  # pandas' own errors of a bad or an empty file are ValueErrors
        why = " ".join(str(error).split())
    raise UserError(f"{file} cannot be read as CSV ({why}); {mend}")


def find_manifest(folder: Path, columns: tuple[str, ...]) -> pd.DataFrame | None:
    """Return the images of a run, as text; None where no manifest.csv was kept.

    Raises
    ------
    UserError
        It cannot be read, or lacks one of the columns.
    """
    file = folder / MANIFEST
    if not os.path.lexists(file):
        return None
    mend = "run the same `fer-bench run` again, or remove that file"
    table = read_table(file, mend, dtype=str)
    if absent := [name for name in columns if name not in table]:
        raise UserError(f"{file}: column {', '.join(absent)} is missing; {mend}")
    return table
