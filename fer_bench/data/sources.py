"""Where files come from: a folder or an archive, read in place; nothing is ever extracted."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fer_bench.data.manifest import Excluded
from fer_bench.errors import UserError

__all__ = ["Source", "open_source"]


@dataclass(frozen=True)
class Source:
    """The files of a dataset.

    Attributes
    ----------
    path : Path
        What the user gave.
    files : tuple of str
        Sorted names relative to it, with ``/`` between folders.
    read : callable
        ``read(name) -> bytes``; may raise what reading files and archives raises.
    refused : tuple of Excluded
        What may not be read at all, such as links and paths outside the archive.
    """

    path: Path
    files: tuple[str, ...]
    read: Callable[[str], bytes]
    refused: tuple[Excluded, ...] = ()


def open_source(path: Path) -> Source:
    """List the files of a folder or zip.

    Raises
    ------
    UserError
        There is no such path, or it is neither a folder nor a sound archive.
    """
    if not path.exists():
        raise UserError(f"--data {path}: no such file or folder; give a folder or zip in KDEF's layout, or 'synthetic'")
    if path.is_dir():
        files = sorted(p.relative_to(path).as_posix() for p in path.rglob("*") if p.is_file())
        return Source(path, tuple(files), lambda name: (path / name).read_bytes())
    if zipfile.is_zipfile(path):
        try:
            archive = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError) as error:
            raise UserError(f"--data {path}: the zip file is damaged: {error}; download it again") from error
        names = sorted(i.filename for i in archive.infolist() if not i.is_dir())
        return Source(path, tuple(names), archive.read)
    raise UserError(f"--data {path}: expected a folder or a zip file in KDEF's layout, found another kind of file")
