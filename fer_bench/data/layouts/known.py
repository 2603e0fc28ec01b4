"""The layouts that are known, and which of them a path is."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

from fer_bench.errors import UserError
from fer_bench.utils.near import did_you_mean, meant_columns
from fer_bench.utils.paths import given_path
from fer_bench.utils.plugins import LAYOUTS_GROUP, load_points, registered_by

from ..manifest import Dataset
from ..sources.base import Source
from ..sources.kinds import is_table
from ..sources.open_source import open_source
from .affectnet import AFFECTNET
from .ckplus import CKPLUS, CKPLUS48
from .class_folders import FOLDERS, why_no_class_folders
from .contract import Layout, files_of
from .csv_tables import columns_of, source_of_table
from .expw import EXPW
from .fer2013 import FER2013, FER2013_CSV, why_not_fer2013
from .ferplus import FERPLUS
from .jaffe import JAFFE
from .kaggle_kdef import KAGGLE_KDEF
from .kdef import KDEF
from .manifest_csv import CSV
from .rafdb import RAFDB, RAFDB_FOLDERS, why_not_rafdb
from .reading import read_layout

__all__ = ["LAYOUTS", "load_layouts", "read_dataset", "recognise"]

LAYOUTS: dict[str, Layout] = {
    layout.name: layout
    for layout in (
        *(
            KDEF,
            KAGGLE_KDEF,
            JAFFE,
            CKPLUS,
            CKPLUS48,
            FER2013_CSV,
            FER2013,
            FERPLUS,
            RAFDB,
            RAFDB_FOLDERS,
            AFFECTNET,
            EXPW,
        ),
        *(CSV, FOLDERS),
    )
}
"""Those that ship with fer-bench."""

_UNPROVEN: tuple[Callable[[Source], str], ...] = (why_not_fer2013, why_not_rafdb, why_no_class_folders)
"""What to say of files that look like those of a layout and cannot be told to be; asked where no layout fits."""


def load_layouts() -> dict[str, Layout]:
    """Return the layouts that ship with fer-bench and, after them, those of other installed packages.

    Raises
    ------
    UserError
        One of a package cannot be imported or is none, or two have one name.
    """
    layouts = dict(LAYOUTS)
    for point, found in load_points(LAYOUTS_GROUP, "the layout"):
        for layout in found if isinstance(found, (tuple, list)) else (found,):
            if not isinstance(layout, Layout):
                raise UserError(
                    f"the layout {registered_by(point)}: expected a fer_bench.data.layouts.contract.Layout, found "
                    f"{type(layout).__name__}; mend or uninstall the package that registers it"
                )
            if layout.name in layouts:
                raise UserError(
                    f"the layout {registered_by(point)}: there is one named {layout.name!r} already; rename it, or "
                    "uninstall the package that registers it"
                )
            layouts[layout.name] = layout
    return layouts


def recognise(source: Source) -> Layout:
    """Find the layout of a source by the names of its files; those of no dataset in particular come last.

    Raises
    ------
    UserError
        None fits, or several do.
    """
    layouts = load_layouts()
    for generic in (False, True):
        fits = [layout for layout in layouts.values() if layout.generic == generic and layout.claims(source)]
        if len(fits) > 1:
            found = "; ".join(f"{layout.name}, {layout.expects}" for layout in fits)
            raise UserError(
                f"{source.where}: files of {len(fits)} layouts stand together ({found}); give the folder of one, "
                f"or name the layout, such as {fits[0].name}:{source.path}"
            )
        if fits:
            return fits[0]
    for why_not in _UNPROVEN:
        told = why_not(source)
        if told:
            raise UserError(told)
    if is_table(source.path):
        columns = ", ".join(columns_of(source, source.path.name)) or "no header"
        raise UserError(
            f"{source.where}: expected a table with the columns path and label (of your own), or emotion, pixels "
            f"and Usage (FER2013's), with commas, semicolons or tabs between them; found {columns}"
            f"{meant_columns(columns_of(source, source.path.name), ('path', 'label'))}"
        )
    files = [name for name, _ in files_of(source)]
    looked_for = ", ".join(layout.expects for layout in layouts.values())
    raise UserError(
        f"{source.where}: no usable image; {_found(files, source)}; looked for {looked_for}; "
        "see `fer-bench list datasets`"
    )


def read_dataset(
    data: str, workers: int, *, strict: bool = False, parameter: str = "data", allow_outside: bool = False
) -> Dataset:
    """Read a folder, archive or table in the layout that it is in, or in the one that is named before a colon.

    Parameters
    ----------
    data : str
        ``PATH`` or ``LAYOUT:PATH``.
    workers : int
        Threads that decode.
    strict : bool
        As of `fer_bench.load_dataset`.
    parameter : str
        What errors call ``data``.
    allow_outside : bool
        Read pictures that a table names outside its folder, too.

    Raises
    ------
    UserError
        Nothing usable there.
    """
    named, colon, rest = data.partition(":")
    forced = load_layouts().get(named) if colon else None
    path = given_path(rest if forced else data, f"`{parameter}`")
    if not forced and not os.path.lexists(path):
        _refuse_misspelt(data, named if colon else "", parameter)
    if is_table(path) and not path.is_dir():
        source = source_of_table(path, parameter, allow_outside=allow_outside)
    else:
        source = replace(open_source(path, parameter), allow_outside=allow_outside)
    layout = forced or recognise(source)
    return read_layout(layout, source, str(path), workers, strict=strict)


def _refuse_misspelt(data: str, named: str, parameter: str) -> None:
    """Refuse what is no path, and nearly the name of a layout or of the built-in faces."""
    near = did_you_mean(named, load_layouts()) if named else did_you_mean(data, ["synthetic"])
    if near:
        raise UserError(f"`{parameter}` {data}: no such {'layout' if named else 'file or folder'}{near}")


def _found(files: list[str], source: Source) -> str:
    if files:
        more = f" and {len(files) - 3} more" if len(files) > 3 else ""
        return f"found {', '.join(files[:3])}{more}"
    if source.refused:
        first = source.refused[0]
        return f"found {len(source.refused)} files that may not be read, the first is {first.file}: {first.reason}"
    return "found no files"
