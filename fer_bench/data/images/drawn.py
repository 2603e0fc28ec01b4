"""Which pictures were drawn by a computer: by what the files say and hold, never by what a folder is called."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

__all__ = ["PHOTOGRAPHS", "drawn_by", "drawn_notice", "mark_of"]

PHOTOGRAPHS = "photographs"
"""What stands for pictures that nothing is known to have drawn."""

_RENDERER = b"fer-bench renderer "
_MARK = re.compile(_RENDERER + rb"\d{1,6}, seed \d{1,20}")
_HEAD = 65_536
"""Bytes in which a mark is looked for: comments and text stand before the pixels."""

_FACEKIT = "a tool for ICT-FaceKit Light (MIT licence, USC Institute for Creative Technologies)"
_DIGITS = 12


def mark_of(data: bytes) -> str:
    """Return what the metadata of a picture file say has drawn it; empty where they don't."""
    if data.find(_RENDERER, 0, _HEAD) < 0:  # a tenth of the expression's time
        return ""
    found = _MARK.search(data, 0, _HEAD)
    return found.group().decode("ascii") if found else ""


def drawn_by(marks: Iterable[str], hashes: Iterable[str]) -> list[str]:
    """Return what drew each picture; `PHOTOGRAPHS` where nothing says that it is drawn.

    Parameters
    ----------
    marks : iterable of str
        As `mark_of` gives them.
    hashes : iterable of str
        Sha256 of the files: one set of faces in KDEF's names went round without a mark.
    """
    return [
        mark or (_FACEKIT if digest[:_DIGITS] in _known() else PHOTOGRAPHS)
        for mark, digest in zip(marks, hashes, strict=True)
    ]


@cache
def _known() -> frozenset[str]:
    text = files(__package__).joinpath("ict_facekit.txt").read_text("ascii")
    return frozenset(text.split())


def drawn_notice(tools: Iterable[str], notice: str) -> str:
    """Return what a reader must know of the pictures, in place of a layout's notice or before it.

    Parameters
    ----------
    tools : iterable of str
        As `drawn_by` gives them, one a picture.
    notice : str
        Of the layout: what photographs in it are.
    """
    of_all = list(tools)
    drawn = [tool for tool in of_all if tool != PHOTOGRAPHS]
    if not drawn:
        return notice
    by = " and ".join(sorted(set(drawn)))
    if len(drawn) == len(of_all):
        return (
            f"These are rendered faces: drawn by {by}, no camera, no real person. "
            "The figures say nothing about KDEF or about people's faces."
        )
    return (
        f"{len(drawn):,} of {len(of_all):,} pictures are rendered faces, drawn by {by}: no camera, no real person. "
        f"Figures that they are part of say nothing about people's faces. {notice}"
    )
