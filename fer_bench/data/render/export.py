"""Write the built-in rendered faces as files: KDEF's folders, a table of the truth, a note on what they are."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_bench.errors import UserError

from .actions import ACTION_UNITS
from .names import RENDERER_VERSION, parse_name, portrait_names, software
from .portrait import DEFAULT_SIZE, Truth, render_many, render_truth

__all__ = ["write_kdef"]

_JPEG_QUALITY = 95

_README = """Rendered faces in the layout and names of KDEF
==============================================

{n} pictures of {people} people who don't exist: women F01.. and men M01.., sessions A and B, seven expressions
(AF afraid, AN angry, DI disgusted, HA happy, NE neutral, SA sad, SU surprised), five views (FL, HL, S, HR, FR).
Made by fer-bench's own renderer (version {version}, seed {seed}, {width}x{height}); free to use under the MIT licence.

truth.csv holds, for every picture: FACS action-unit weights on the picture's left and right half of the face,
intensity, pose in degrees, 68 landmarks in pixels, the person's parameters, and what drew it. The same stands in a
comment of each picture, by which fer-bench knows these faces wherever they lie.

These pictures hold nothing of KDEF but its file names. A figure measured on them says whether software works
and how methods compare on these faces; it says nothing about KDEF and nothing about real people.
"""


def write_kdef(
    out: Path,
    *,
    n_people: int = 70,
    size: tuple[int, int] = DEFAULT_SIZE,
    seed: int = 0,
    workers: int = 2,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Render people into ``out``: ``KDEF/AF01/AF01AFS.JPG`` and so on, ``truth.csv``, ``README.txt``.

    Parameters
    ----------
    out : Path
        A folder, made where missing. Rendered files of the same names are replaced, others left alone.
    n_people, size, seed, workers
        As in `portrait_names` and `render_many`.
    progress : callable, optional
        Called as ``progress(done, total)`` after each picture.

    Returns
    -------
    Path
        The folder that holds the persons' folders, ``out / "KDEF"``.

    Raises
    ------
    UserError
        Files of the same names are there that were not rendered.
    InputError
        As `portrait_names` and `render_many`.
    OSError
        ``out`` can't be written to.
    """
    names = portrait_names(n_people)
    out = Path(os.path.expanduser(out))
    root = out / "KDEF"
    _need_own(out, [root / name[:4] / f"{name}.JPG" for name in names])
    pictures = render_many(names, size=size, seed=seed, workers=workers)
    text = _README.format(
        n=len(names), people=n_people, version=RENDERER_VERSION, seed=seed, width=size[0], height=size[1]
    )
    root.mkdir(parents=True, exist_ok=True)
    _write(out / "README.txt", text.encode())  # first: it tells whose pictures these are, should this be broken off
    for folder in sorted({name[:4] for name in names}):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for done, (name, picture) in enumerate(pictures, start=1):
        _write(root / name[:4] / f"{name}.JPG", _marked(_encode(picture), seed))
        if progress is not None:
            progress(done, len(names))
    _write_truth(out / "truth.csv", names, size, seed)
    return root


def _need_own(out: Path, pictures: list[Path]) -> None:
    """Refuse a folder with files of these names that were not rendered, such as KDEF's own photographs.

    As `fer_bench.utils.ownership` does for what is no picture; the renderer stands alone.
    """
    note = out / "README.txt"
    rendered = note.is_file() and note.read_bytes()[:4096].startswith(_README.splitlines()[0].encode())
    for file in (note, out / "truth.csv", *pictures):
        ours = file.is_file() and (rendered or not file.stat().st_size)
        if not ours and os.path.lexists(file):
            raise UserError(
                f"{file}: expected a file that `fer-bench data render` wrote or nothing there, found something else, "
                "which would be lost; give another folder"
            )


def _encode(picture: NDArray[np.uint8]) -> bytes:
    _, data = cv2.imencode(".jpg", picture[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    encoded: bytes = data.tobytes()
    return encoded


def _marked(jpeg: bytes, seed: int) -> bytes:
    """Say in a comment behind JFIF's header that the picture is drawn, so that it is known under any name."""
    text = f"Software: {software(seed)}; drawn by a computer, no photograph".encode("ascii")
    head = 4 + int.from_bytes(jpeg[4:6])
    return jpeg[:head] + b"\xff\xfe" + (len(text) + 2).to_bytes(2) + text + jpeg[head:]


def _write(path: Path, data: bytes) -> None:
    """Write whole files only: whatever stops the program leaves no half picture under a picture's name."""
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(data)
    os.replace(part, path)


def _write_truth(path: Path, names: list[str], size: tuple[int, int], seed: int) -> None:
    part = path.with_name(f".{path.name}.part")
    with part.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        for i, name in enumerate(names):
            truth = render_truth(name, size=size, seed=seed)
            row = _truth_row(truth, seed)
            if i == 0:
                table.writerow(row)
            table.writerow([f"{v:.4f}" if isinstance(v, float) else v for v in row.values()])
    os.replace(part, path)


def _truth_row(truth: Truth, seed: int) -> dict[str, str | float]:
    name = parse_name(truth.name)
    row: dict[str, str | float] = {
        "name": truth.name,
        "person": name.person,
        "session": name.session,
        "emotion": name.emotion,
        "view": name.view,
        "intensity": truth.intensity,
        "yaw": truth.yaw,
        "pitch": truth.pitch,
        "roll": truth.roll,
    }
    for unit in ACTION_UNITS:
        row[f"AU{unit}_left"], row[f"AU{unit}_right"] = truth.action_units[unit]
    for i, (x, y) in enumerate(truth.landmarks):
        row[f"x{i}"], row[f"y{i}"] = float(x), float(y)
    return row | truth.person | {"software": software(seed)}
