"""KDEF as people have it on disk: a folder or zip of pictures with KDEF's names, at any depth.

Grammar, bad files and boxes: kdef.se; Lundqvist, Flykt & Oehman 1998, "The Karolinska Directed Emotional Faces".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path, PurePosixPath

from fer_bench.data.audit import audit
from fer_bench.data.manifest import Dataset, Excluded, as_manifest
from fer_bench.data.pictures import read_pictures
from fer_bench.data.sources import open_source

__all__ = ["MISNAMED", "parse_name", "read_kdef"]

_NAME = re.compile(r"([AB])([FM])(0[1-9]|[12]\d|3[0-5])(AF|AN|DI|HA|NE|SA|SU)(FL|HL|S|HR|FR)")
_AVERAGE = re.compile(r"[FM](AF|AN|DI|HA|NE|SA|SU|F|A|D|H|N|S)[A-Z]*(FL|HL|S|HR|FR)")
_PICTURE = {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff"}

MISNAMED = {"AF31V": "AF31SAHL", "AM31H": "AM31SUHR"}
"""Two files that KDEF ships under broken names, and the names they should have (found by elimination)."""


def parse_name(stem: str) -> dict[str, str] | None:
    """Read a KDEF name such as ``AF01ANHL`` (any case); None where it is not one."""
    match = _NAME.fullmatch(MISNAMED.get(stem.upper(), stem.upper()))
    if match is None:
        return None
    session, gender, number, label, view = match.groups()
    return {
        "image": match.group(0),
        "label": label,
        "subject": gender + number,
        "gender": gender,
        "session": session,
        "view": view,
    }


def read_kdef(path: Path, workers: int) -> Dataset:
    """Read a KDEF folder or zip and audit every picture.

    Parameters
    ----------
    path : Path
        Folder or ``.zip`` with pictures named in KDEF's grammar.
    workers : int
        Threads that decode.

    Raises
    ------
    UserError
        The path does not exist, is no folder or zip, or holds no usable image.
    """
    source = open_source(path)
    rows, excluded = _name_files(source.files)
    usable = []
    for row, verdict in zip(rows, audit([row["file"] for row in rows], source, workers), strict=True):
        if verdict.reason:
            excluded.append(Excluded(row["file"], verdict.reason))
        else:
            usable.append({**row, "sha256": verdict.sha256})
    unique, doubles = _drop_doubles(usable)
    manifest = as_manifest(unique, [*source.refused, *excluded, *doubles], str(path))
    return Dataset(
        name=path.resolve().stem,
        manifest=manifest,
        notice=f"Pictures in KDEF's layout, read from {path.resolve().name}.",
        path=str(path),
        rendered=False,
        crop="fixed",
        pictures=partial(read_pictures, source),
    )


def _name_files(names: Sequence[str]) -> tuple[list[dict[str, str]], list[Excluded]]:
    rows, excluded = [], []
    for name in names:
        path = PurePosixPath(name)
        if path.suffix.lower() not in _PICTURE or path.name.startswith("._") or "__MACOSX" in path.parts:
            continue
        parsed = parse_name(path.stem)
        if parsed is not None:
            rows.append({**parsed, "file": name})
        elif _AVERAGE.fullmatch(path.stem.upper()) or "AKDEF" in (part.upper() for part in path.parts[:-1]):
            excluded.append(Excluded(name, "an average over all people (AKDEF), which would leak test people"))
        else:
            excluded.append(Excluded(name, "the name is not one of KDEF's, such as AF01ANHL"))
    return rows, excluded


def _drop_doubles(rows: list[dict[str, str]]) -> tuple[list[dict[str, str]], list[Excluded]]:
    """Keep the first file of each image; a copy in a second folder would stand in train and test at once."""
    first: dict[str, dict[str, str]] = {}
    doubles = []
    for row in rows:
        if row["image"] in first:
            doubles.append(Excluded(row["file"], f"a second {row['image']}; {first[row['image']]['file']} is used"))
        else:
            first[row["image"]] = row
    return list(first.values()), doubles
