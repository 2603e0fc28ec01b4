"""KDEF as people have it on disk: a folder or zip of pictures with KDEF's names, at any depth.

Grammar, bad files and boxes: kdef.se; Lundqvist, Flykt & Oehman 1998, "The Karolinska Directed Emotional Faces".
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fer_bench.data.manifest import Dataset, Excluded, Manifest, as_manifest
from fer_bench.errors import UserError
from fer_bench.files import atomic_write, cache_dir
from fer_bench.progress import progress

__all__ = ["BLANK_MEAN", "MISNAMED", "decode", "parse_name", "read_kdef"]

_NAME = re.compile(r"([AB])([FM])(0[1-9]|[12]\d|3[0-5])(AF|AN|DI|HA|NE|SA|SU)(FL|HL|S|HR|FR)")
_AVERAGE = re.compile(r"[FM](AF|AN|DI|HA|NE|SA|SU|F|A|D|H|N|S)[A-Z]*(FL|HL|S|HR|FR)")
_PICTURE = {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff"}

MISNAMED = {"AF31V": "AF31SAHL", "AM31H": "AM31SUHR"}
"""Two files that KDEF ships under broken names, and the names they should have (found by elimination)."""

BLANK_MEAN = 10.0
"""Mean grey level under which a frame is blank: KDEF's ten black frames have 0.6, its pictures 55 and more."""

_MAX_PIXELS = 50_000_000
_AUDIT_VERSION = 1


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


def decode(data: bytes) -> NDArray[np.uint8]:
    """Decode a picture to RGB (h, w, 3) uint8.

    Raises
    ------
    ValueError
        What is wrong with it, for the list of excluded files.
    """
    try:
        with Image.open(io.BytesIO(data)) as picture:
            if picture.width * picture.height > _MAX_PIXELS:
                raise ValueError(f"{picture.width}x{picture.height} pixels, more than {_MAX_PIXELS // 10**6} million")
            return np.asarray(picture.convert("RGB"))
    except Image.DecompressionBombError as error:
        raise ValueError(f"too many pixels: {error}") from error
    except Image.UnidentifiedImageError as error:
        raise ValueError("not a picture") from error
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError) as error:  # what Pillow raises on damage
        raise ValueError(f"damaged: {error}") from error


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
    names, read = _open_source(path)
    rows, excluded = _name_files(names)
    verdicts = _audit([row["file"] for row in rows], read, workers)
    usable = []
    for row, (digest, reason) in zip(rows, verdicts, strict=True):
        if reason:
            excluded.append(Excluded(row["file"], reason))
        else:
            usable.append({**row, "sha256": digest})
    unique, doubles = _drop_doubles(usable)
    manifest = as_manifest(unique, excluded + doubles, str(path))
    return Dataset(
        name=path.resolve().stem,
        manifest=manifest,
        notice=f"Pictures in KDEF's layout, read from {path.resolve().name}.",
        path=str(path),
        rendered=False,
        crop="fixed",
        pictures=partial(_pictures, read),
    )


def _open_source(path: Path) -> tuple[list[str], Callable[[str], bytes]]:
    """List the files of a folder or zip, and return how to read one; nothing is ever extracted."""
    if not path.exists():
        raise UserError(f"--data {path}: no such file or folder; give a folder or zip in KDEF's layout, or 'synthetic'")
    if path.is_dir():
        files = sorted(p.relative_to(path).as_posix() for p in path.rglob("*") if p.is_file())
        return files, lambda name: (path / name).read_bytes()
    if zipfile.is_zipfile(path):
        try:
            archive = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError) as error:
            raise UserError(f"--data {path}: the zip file is damaged: {error}; download it again") from error
        return sorted(i.filename for i in archive.infolist() if not i.is_dir()), archive.read
    raise UserError(f"--data {path}: expected a folder or a zip file in KDEF's layout, found another kind of file")


def _name_files(names: list[str]) -> tuple[list[dict[str, str]], list[Excluded]]:
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


def _audit(files: list[str], read: Callable[[str], bytes], workers: int) -> list[tuple[str, str]]:
    """Return (sha256, reason or "") of each file; verdicts are cached by content."""
    cache_path = cache_dir() / f"audit-v{_AUDIT_VERSION}.json"
    try:
        known: dict[str, str] = json.loads(cache_path.read_text())
    except (OSError, ValueError):
        known = {}

    def judge(file: str) -> tuple[str, str]:
        try:
            data = read(file)
        except (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
            return "", f"cannot be read: {error}"
        digest = hashlib.sha256(data).hexdigest()
        reason = known.get(digest)
        return digest, _verdict(data) if reason is None else reason

    verdicts = []
    with ThreadPoolExecutor(workers) as pool, progress("Checking pictures", len(files)) as done:
        for verdict in pool.map(judge, files):
            verdicts.append(verdict)
            done(len(verdicts))
    found = {digest: reason for digest, reason in verdicts if digest}
    if not found.keys() <= known.keys():
        with atomic_write(cache_path, "w") as handle:
            json.dump({**known, **found}, handle)
    return verdicts


def _verdict(data: bytes) -> str:
    try:
        picture = decode(data)
    except ValueError as error:
        return str(error)
    if min(picture.shape[:2]) < 32:
        return f"{picture.shape[1]}x{picture.shape[0]} pixels, smaller than 32"
    mean = float(picture.mean())
    return f"blank frame (mean grey level {mean:.1f})" if mean < BLANK_MEAN else ""


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


def _pictures(read: Callable[[str], bytes], manifest: Manifest, workers: int) -> Iterator[NDArray[np.uint8]]:
    """Decode in the manifest's order, a bounded number of pictures ahead."""
    files = list(manifest.table["file"])
    with ThreadPoolExecutor(workers) as pool:
        for start in range(0, len(files), 64):
            yield from pool.map(lambda file: decode(read(file)), files[start : start + 64])
