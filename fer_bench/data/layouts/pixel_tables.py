"""Tables in FER2013's form: a code and 48 x 48 grey levels a row, in the columns emotion, pixels and mostly Usage."""

from __future__ import annotations

import zipfile
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from fer_bench.errors import UserError

from ..sources.base import Source
from .csv_tables import open_table, read_table, tables_with

__all__ = ["SIDE", "PixelRow", "count_codes", "pixel_tables", "read_pixels", "source_of_pixels", "the_pixel_table"]

_LONGEST_HEADER = 10_000

SIDE = 48
"""Height and width of a picture in such a table."""


@dataclass(frozen=True)
class PixelRow:
    """One row: the name that its picture goes by, its line in the table, its cells, and whether it is a picture."""

    file: str
    line: int
    emotion: str
    usage: str
    sound: bool


def pixel_tables(source: Source) -> list[str]:
    """Return the names of the tables in this form; those with a column Usage where there are any."""
    return tables_with(source, "emotion", "pixels", "usage") or tables_with(source, "emotion", "pixels")


def the_pixel_table(source: Source, tables: Sequence[str]) -> str:
    """Return the only one of these tables.

    Raises
    ------
    UserError
        There is none, or there are several.
    """
    if len(tables) != 1:
        raise UserError(
            f"{source.where}: expected one table with the columns emotion, pixels and usage, found "
            f"{', '.join(tables[:3]) or 'none'}; give the table itself to `{source.parameter}`"
        )
    return tables[0]


def count_codes(source: Source, table: str) -> Counter[tuple[str, str]]:
    """Count the rows by their cells usage and emotion, without a look at their pixels; nothing is said of damage.

    Whoever recognises a table of 300 MB by its rows should not have to read it twice.
    """
    counts: Counter[tuple[str, str]] = Counter()
    try:
        with open_table(source, table, errors="replace") as text:
            header = text.readline(_LONGEST_HEADER)
            mark = next((mark for mark in ",\t;" if mark in header), ",")
            columns = [_cell(cell).lower() for cell in header.split(mark)]
            emotion, usage = columns.index("emotion"), columns.index("usage") if "usage" in columns else None
            for line in text:
                cells = line.split(mark)
                if len(cells) == len(columns):
                    counts["" if usage is None else _cell(cells[usage]), _cell(cells[emotion])] += 1
                elif line.strip():
                    counts["", ""] += 1
    except (OSError, ValueError, RuntimeError, EOFError, zipfile.BadZipFile, zlib.error):
        counts["", ""] += 1
    return counts


def _cell(text: str) -> str:
    return text.strip().strip('"').strip()


def read_pixels(source: Source, table: str) -> tuple[tuple[PixelRow, ...], NDArray[np.uint8]]:
    """Read a table whole.

    Returns
    -------
    rows : tuple of PixelRow
        One a row.
    pixels : array
        (n, 48 * 48) uint8, a row for each of ``rows`` that is ``sound``, in their order.

    Raises
    ------
    UserError
        It is no table.
    """
    rows, pixels = [], []
    for number, (line, cells) in enumerate(read_table(source, table), start=1):
        picture = _grey_levels(cells["pixels"])
        rows.append(PixelRow(f"row-{number:05d}", line, cells["emotion"], cells.get("usage", ""), picture is not None))
        if picture is not None:
            pixels.append(picture)
    return tuple(rows), np.array(pixels, np.uint8).reshape(-1, SIDE * SIDE)


def source_of_pixels(source: Source, rows: Sequence[PixelRow], pixels: NDArray[np.uint8]) -> Source:
    """Return a source of one PGM in memory a row, so that it is audited and read like any other file."""
    place = {row.file: i for i, row in enumerate(row for row in rows if row.sound)}
    read = partial(_as_pgm, pixels, place)
    return Source(source.path, tuple(row.file for row in rows), read, source.refused, parameter=source.parameter)


def _grey_levels(text: str) -> NDArray[np.uint8] | None:
    """Grey levels (48 * 48,) uint8 of a cell; None where it does not hold so many of them."""
    try:
        values = np.fromstring(text, dtype=np.int64, sep=" ")
    except ValueError:
        return None
    if values.shape != (SIDE * SIDE,) or values.min() < 0 or values.max() > 255:
        return None
    return values.astype(np.uint8)


def _as_pgm(pixels: NDArray[np.uint8], place: dict[str, int], file: str) -> bytes:
    result: bytes = b"P5 %d %d 255\n" % (SIDE, SIDE) + pixels[place[file]].tobytes()
    return result
