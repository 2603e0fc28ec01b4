"""Where the pictures of a table lie: inside its folder, unless whoever runs it allows more.

A table from elsewhere could name any file of the machine; a picture outside is read only where that is asked for.
"""

from __future__ import annotations

import os
import posixpath
import re
import stat
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from fer_bench.errors import UserError

from ..sources.base import Source
from ..sources.kinds import is_table
from ..sources.open_source import LINK

__all__ = ["OUTSIDE", "TablePaths"]

_OUTSIDE = "outside the table's folder; --allow-outside reads it"
_LINK = "a link, which may lead outside the table's folder; --allow-outside reads it"
OUTSIDE = (_OUTSIDE, _LINK)
"""Why pictures are not read that ``allow_outside`` reads."""
_ABSOLUTE = re.compile(r"/|[A-Za-z]:/")


class TablePaths:
    """Finds the files that a table names.

    Parameters
    ----------
    source : Source
        A table by itself, or the folder or archive that it lies in.
    table : str
        Its name there.
    """

    def __init__(self, source: Source, table: str) -> None:
        self._source, self._table = source, table
        self._folder = posixpath.dirname(table)
        self._alone = is_table(source.path)
        self._files = frozenset(source.files)
        self._refused = {one.file: one.reason for one in source.refused}
        home = source.path.parent if self._alone else source.path
        self._home = home if self._alone or source.path.is_dir() else None
        self._real = os.path.realpath(home)
        self._roots = {Path(path).as_posix() for path in (os.path.abspath(home), self._real)}
        self._inside = cache(self._leads_inside)

    def name_of(self, path: str) -> str:
        """Return the name under which the source reads what a cell of the table names."""
        file = posixpath.normpath(posixpath.join(self._folder, path.replace("\\", "/")))
        if self._alone or not _ABSOLUTE.match(file):
            return file
        return next((file[len(root) + 1 :] for root in self._roots if file.startswith(f"{root}/")), file)

    def why_not(self, file: str) -> str:
        """Tell why a file may not be read; empty where it may. ``"no such file"`` where there is none."""
        if not self._alone and file in self._files:
            return ""
        if file in self._refused:
            return self._refused[file]
        if self._home is None:
            return "a path that leads outside the archive" if self._is_outside(file) else "no such file"
        if self._source.allow_outside:
            path = self._home / file
            if not self._alone and path.is_symlink():
                return LINK
            return "" if path.is_file() else "no such file"
        if self._is_outside(file):
            return _OUTSIDE
        return self._why_not_inside(file) if self._alone else "no such file"

    def notes(self, outside: Sequence[str]) -> tuple[str, ...]:
        """Say how many pictures are left out since they lie elsewhere."""
        if not outside:
            return ()
        return (
            f"{len(outside):,} pictures of the table {self._table} are left out, since they lie outside its folder or "
            f"behind a link, such as {outside[0]}; `allow_outside` reads them",
        )

    def refuse_if_all(self, outside: Sequence[str], n_rows: int) -> None:
        """Refuse a table whose pictures all lie elsewhere: nothing would be left.

        Raises
        ------
        UserError
            With what to do.
        """
        if outside and not n_rows:
            raise UserError(
                f"{self._source.where}: table {self._table}: every picture that is there lies outside the table's "
                f"folder or behind a link, such as {outside[0]}; put the table into the folder above the "
                "pictures and write their paths from there, or give `allow_outside` if you know whose table it is"
            )

    def _is_outside(self, file: str) -> bool:
        if _ABSOLUTE.match(file):
            return not any(file.startswith(f"{root}/") for root in self._roots)
        return file.split("/")[0] == ".."

    def _why_not_inside(self, file: str) -> str:
        path = os.path.join(str(self._home), file)
        try:
            mode = os.lstat(path).st_mode
        except (OSError, ValueError):
            return "no such file"
        if stat.S_ISLNK(mode) or not self._inside(os.path.dirname(path)):
            return _LINK
        return "" if stat.S_ISREG(mode) else "no such file"

    def _leads_inside(self, folder: str) -> bool:
        real = os.path.realpath(folder)
        return real == self._real or real.startswith(self._real.rstrip(os.sep) + os.sep)
