"""What a layout is: a declaration that recognises a dataset by its list of files and turns names into rows.

To add one, write a module with a `Layout` (``jaffe.py`` is a short model) and put it into ``layouts.py``; a package of
your own registers its layouts under the entry-point group ``fer_bench.layouts`` (``examples/plugin``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from fer_bench.errors import InputError

from ..manifest import Excluded
from ..sources.base import Source
from ..sources.kinds import PICTURES

__all__ = ["PICTURES", "Excluded", "Layout", "Listing", "Source", "files_of", "pictures_of"]


@dataclass(frozen=True)
class Listing:
    """What a layout makes of a source, before any picture is opened.

    Attributes
    ----------
    rows : list of dict
        One a picture file, with the keys of `fer_bench.data.manifest.COLUMNS` that are known; ``image``, ``file``
        and ``label`` always are. ``file`` is what ``source.read`` takes.
    excluded : list of Excluded
        Picture files that are not used, each with its reason. Other files need not be named: what a layout neither
        lists nor names nor reads is named for it.
    source : Source
        Where the pictures are read from.
    notes : tuple of str
        What a reader must know of how it was read, a sentence each: shown by ``run``, ``plan``, ``data inspect`` and
        the report.
    """

    rows: list[dict[str, str]]
    excluded: list[Excluded]
    source: Source
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Layout:
    """A dataset as people have it on disk.

    Attributes
    ----------
    name : str
        Small letters, digits and hyphens, at least two; what ``--data NAME:PATH`` and reports call it.
    summary : str
        One sentence that says what it is. Those of shipped layouts stand in `fer_bench.data.LAYOUT_SUMMARIES`, so that
        they can be listed without reading any layout.
    expects : str
        What is looked for, to follow "looked for" in an error.
    claims : callable
        ``claims(source) -> bool``: whether the list of files is of this layout. Opens no picture.
    listing : callable
        ``listing(source) -> Listing``; names only.
    labels : mapping
        The dataset's own words for expressions to codes of ``EMOTIONS``.
    notice : str
        What a reader of figures must know, its licence too.
    no_people : str
        Why it cannot be said who is on a picture; empty where it can.
    crop : str
        How faces are cut out unless asked for otherwise: ``"fixed"`` where pictures are taken as KDEF's were,
        ``"none"`` where its makers cut the faces out; empty: looking at some pictures tells.
    strict : frozenset of str
        Images that a stricter human clean-up leaves out; empty where there is no such list.
    generic : bool
        True for layouts of no dataset in particular; looked at only when no other fits.
    """

    name: str
    summary: str
    expects: str
    claims: Callable[[Source], bool]
    listing: Callable[[Source], Listing]
    labels: Mapping[str, str]
    notice: str
    no_people: str = ""
    crop: str = ""
    strict: frozenset[str] = field(default=frozenset(), repr=False)
    generic: bool = False

    def __post_init__(self) -> None:
        if not re.fullmatch("[a-z0-9][a-z0-9-]+", self.name):
            raise InputError(
                f"layout {self.name!r}: expected a name of small letters, digits and hyphens, at least two"
            )


def files_of(source: Source) -> tuple[tuple[str, PurePosixPath], ...]:
    """Return name and path of every file but those that operating systems and archivers add."""
    return source.paths


def pictures_of(source: Source) -> Sequence[tuple[str, PurePosixPath]]:
    """Return name and path of every picture: by its ending, and where that is no picture's, by its first bytes.

    Where a name has no ending (``KA.AN1.39``), the path has one, so that ``path.stem`` is the name.
    """
    return source.pictures
