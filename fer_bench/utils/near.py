"""What a user may have meant by a word that is not known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["did_you_mean", "meant_columns", "near_matches"]

_CUTOFF = 0.6


def near_matches(word: str, known: Iterable[str], most: int = 3) -> list[str]:
    """Return the known words that are most like one, best first; case does not count.

    Examples
    --------
    >>> near_matches("Neural", ["neutral", "happy", "sad"])
    ['neutral']
    """
    shown = {name.casefold(): name for name in known}
    return [shown[found] for found in difflib.get_close_matches(word.casefold(), shown, n=most, cutoff=_CUTOFF)]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a clause to end a message with, with the best near match; empty where nothing is near.

    Examples
    --------
    >>> "no such suite" + did_you_mean("classicl", ["classical", "deep"])
    'no such suite; did you mean classical?'
    >>> did_you_mean("xyz", ["classical", "deep"])
    ''
    """
    near = near_matches(word, known, 1)
    return f"; did you mean {near[0]}?" if near else ""


def meant_columns(found: Iterable[str], lacking: Iterable[str]) -> str:
    """Return the same clause for columns of a table that are looked for, by those that it has.

    Examples
    --------
    >>> "found pth, label" + meant_columns(["pth", "label"], ["path"])
    'found pth, label; did you mean path by pth?'
    """
    have = list(found)
    pairs = [(want, near[0]) for want in lacking if (near := near_matches(want, have, 1))]
    return f"; did you mean {' and '.join(f'{want} by {name}' for want, name in pairs)}?" if pairs else ""
