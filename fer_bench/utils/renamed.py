"""Public names that have changed: the old ones keep working, and say their new name once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from .progress import say

__all__ = ["FAMILIES", "PRESETS", "SUITES", "current", "old_names"]

SUITES: Mapping[str, str] = MappingProxyType({"paper": "akhand2021", "named": "literature"})
PRESETS: Mapping[str, str] = MappingProxyType({"article": "as-printed", "paper": "original"})
FAMILIES: Mapping[str, str] = MappingProxyType({"named": "literature"})
"""Old name to new one, of suites, presets and families of methods."""


def current(kind: str, name: str, renamed: Mapping[str, str]) -> str:
    """Return a name as it is now; an old one is said to be old, once a process.

    Parameters
    ----------
    kind : str
        What is named, for the sentence: ``"suite"``.
    renamed : mapping of str to str
        Old name to new one.
    """
    if name not in renamed:
        return name
    _tell(kind, name, renamed[name])
    return renamed[name]


def old_names(name: str, renamed: Mapping[str, str]) -> tuple[str, ...]:
    """Return what a name was before."""
    return tuple(old for old, new in renamed.items() if new == name)


@cache
def _tell(kind: str, old: str, new: str) -> None:
    say(f"{kind} {old} is called {new} now; the old name keeps working")
