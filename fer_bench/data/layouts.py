"""The layouts that are known, and which of them a path is."""

from __future__ import annotations

from pathlib import Path

from fer_bench.data.ckplus import CKPLUS, CKPLUS48
from fer_bench.data.class_folders import FOLDERS
from fer_bench.data.contract import Layout, files_of
from fer_bench.data.csv_tables import columns_of, source_of_table
from fer_bench.data.fer2013 import FER2013, FER2013_CSV
from fer_bench.data.jaffe import JAFFE
from fer_bench.data.kaggle_kdef import KAGGLE_KDEF
from fer_bench.data.kdef import KDEF
from fer_bench.data.manifest import Dataset
from fer_bench.data.manifest_csv import CSV
from fer_bench.data.reading import read_layout
from fer_bench.data.sources import Source, open_source
from fer_bench.errors import UserError

__all__ = ["LAYOUTS", "read_dataset", "recognise"]

LAYOUTS: dict[str, Layout] = {
    layout.name: layout for layout in (KDEF, KAGGLE_KDEF, JAFFE, CKPLUS, CKPLUS48, FER2013_CSV, FER2013, CSV, FOLDERS)
}
"""All layouts by name."""


def recognise(source: Source) -> Layout:
    """Find the layout of a source by the names of its files; those of no dataset in particular come last.

    Raises
    ------
    UserError
        None fits, or several do.
    """
    for generic in (False, True):
        fits = [layout for layout in LAYOUTS.values() if layout.generic == generic and layout.claims(source)]
        if len(fits) > 1:
            found = "; ".join(f"{layout.name}, {layout.expects}" for layout in fits)
            raise UserError(
                f"--data {source.path}: files of {len(fits)} layouts stand together ({found}); give the folder of one, "
                f"or name the layout, such as {fits[0].name}:{source.path}"
            )
        if fits:
            return fits[0]
    if source.path.suffix.lower() == ".csv":
        columns = ", ".join(columns_of(source, source.path.name)) or "no header"
        raise UserError(
            f"--data {source.path}: expected a table with the columns path and label (of your own), or emotion, pixels "
            f"and Usage (FER2013's), with commas between them; found {columns}"
        )
    files = [name for name, _ in files_of(source)]
    looked_for = ", ".join(layout.expects for layout in LAYOUTS.values())
    raise UserError(
        f"--data {source.path}: no usable image; {_found(files, source)}; looked for {looked_for}; "
        "see `fer-bench list datasets`"
    )


def read_dataset(data: str, workers: int, *, strict: bool = False) -> Dataset:
    """Read a folder, archive or table in the layout that it is in, or in the one that is named before a colon.

    Parameters
    ----------
    data : str
        ``PATH`` or ``LAYOUT:PATH``.
    workers : int
        Threads that decode.
    strict : bool
        Leave out what the layout's stricter list names, too.

    Raises
    ------
    UserError
        Nothing usable there.
    """
    named, colon, rest = data.partition(":")
    forced = LAYOUTS.get(named) if colon else None
    path = Path(rest if forced else data).expanduser()
    source = source_of_table(path) if path.suffix.lower() == ".csv" and not path.is_dir() else open_source(path)
    layout = forced or recognise(source)
    return read_layout(layout, source, str(path), workers, strict=strict)


def _found(files: list[str], source: Source) -> str:
    if files:
        more = f" and {len(files) - 3} more" if len(files) > 3 else ""
        return f"found {', '.join(files[:3])}{more}"
    if source.refused:
        first = source.refused[0]
        return f"found {len(source.refused)} files that may not be read, the first is {first.file}: {first.reason}"
    return "found no files"
