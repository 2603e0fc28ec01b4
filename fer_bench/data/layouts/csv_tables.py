"""Tables among the files of a dataset: found by their header, read row by row whatever their size.

Cells stand between commas, semicolons or tabs, as spreadsheets write them.
"""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path
from typing import IO

from fer_bench.errors import UserError
from fer_bench.utils.reasons import plain_reason

from ..sources.archives import is_zip
from ..sources.base import Source, file_stamp, max_bytes
from ..sources.kinds import is_table
from ..sources.open_source import read_file
from .contract import files_of

__all__ = ["columns_of", "delimiter_of", "open_table", "read_table", "source_of_table", "tables_with"]

_UNREADABLE = (OSError, ValueError, RuntimeError, csv.Error, zipfile.BadZipFile, zlib.error, EOFError)
_MAX_TABLES = 20
_MAX_FIELD = 1_000_000
"""Characters in a cell; FER2013's pixels take up to 9,215."""


@contextmanager
def open_table(source: Source, name: str, errors: str = "strict") -> Iterator[io.TextIOWrapper]:
    """Open a table as text without holding it in memory, where that can be done."""
    with ExitStack() as stack:
        stream: IO[bytes]
        if source.path.is_dir():
            stream = stack.enter_context(open(source.path / name, "rb"))
        elif is_table(source.path):
            stream = stack.enter_context(open(source.path, "rb"))
        elif is_zip(source.path):
            # A member gives no more than its header says, which `open_source` has found credible.
            archive = stack.enter_context(zipfile.ZipFile(source.path))
            if name in archive.NameToInfo:
                stream = stack.enter_context(archive.open(name))
            else:  # its name was put right
                stream = io.BytesIO(source.read(name))
        else:
            stream = io.BytesIO(source.read(name))
        encoding = "utf-16" if stream.read(2) in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        stream.seek(0)
        yield stack.enter_context(io.TextIOWrapper(stream, encoding=encoding, errors=errors, newline=""))


def read_table(source: Source, name: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield line number and cells of each row; headings in lower case, blanks around headings and cells cut off.

    Raises
    ------
    UserError
        It is not a table of text, a column stands twice, or a row is longer or shorter than the header.
    """
    source.told.add(name)
    where = f"{source.where}: table {name}"
    csv.field_size_limit(_MAX_FIELD)
    try:
        with open_table(source, name) as text:
            first = text.readline(_MAX_FIELD)
            rows = csv.reader(chain([first], text), delimiter=delimiter_of(first))
            header = _header(next(rows, []))
            if len(set(header)) < len(header):
                raise UserError(f"{where}: a column stands twice in the header: {', '.join(header)}")
            for row in rows:
                if not any(row):
                    continue
                if len(row) != len(header):
                    raise UserError(
                        f"{where}, line {rows.line_num}: expected {len(header)} cells as in the header, "
                        f"found {len(row)}"
                    )
                yield rows.line_num, dict(zip(header, map(str.strip, row), strict=True))
    except _UNREADABLE as error:
        raise UserError(
            f"{where}: not a table of text in UTF-8, with commas, semicolons or tabs between cells: "
            f"{plain_reason(error)}"
        ) from error


def tables_with(source: Source, *columns: str) -> list[str]:
    """Return the names of the tables that have all these columns, the least deep ones alone."""
    tables = [(len(path.parts), name) for name, path in files_of(source) if is_table(path)]
    found: list[tuple[int, str]] = []
    for depth, name in sorted(tables)[:_MAX_TABLES]:
        if (not found or depth == found[0][0]) and set(columns) <= set(columns_of(source, name)):
            found.append((depth, name))
    return [name for _, name in found]


def source_of_table(path: Path, parameter: str = "data", *, allow_outside: bool = False) -> Source:
    """Return a table given by its path as a source of one file; a picture's path is found beside the table.

    Only ``allow_outside`` follows links, which may lead anywhere; see `table_paths`.

    Raises
    ------
    UserError
        There is no such file.
    """
    if not path.is_file():
        raise UserError(f"`{parameter}` {path}: no such file")
    folder = path.parent

    def read(name: str) -> bytes:
        if not allow_outside and name != path.name:
            return read_file(folder / name, max_bytes(name))
        with open(folder / name, "rb") as handle:
            data = handle.read(max_bytes(name) + 1)
        if len(data) > max_bytes(name):
            raise ValueError(f"more than {max_bytes(name) / 1e6:,.0f} MB")
        return data

    return Source(
        path,
        (path.name,),
        read,
        stamp=lambda name: file_stamp(folder / name),
        parameter=parameter,
        allow_outside=allow_outside,
    )


def columns_of(source: Source, name: str) -> list[str]:
    """Return the headings of a table, lower case; none where it is no table."""
    known = name in source.told
    try:
        with open_table(source, name, errors="replace") as text:
            first = text.readline(10_000)
            return _header(next(csv.reader([first], delimiter=delimiter_of(first)), []))
    except _UNREADABLE:
        return []
    finally:
        if not known:  # it was looked at, and not read
            source.told.discard(name)


def delimiter_of(header: str) -> str:
    """What stands between the cells: the most frequent of what spreadsheets write."""
    return max(",;\t", key=header.count)


def _header(cells: list[str]) -> list[str]:
    return [cell.strip().lower() for cell in cells]
