"""Public names that have changed: the old ones keep working, and say their new name once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from fer_bench.errors import InputError

from .progress import say

__all__ = [
    "ARGUMENTS",
    "ATTRIBUTES",
    "FAMILIES",
    "PARAMETERS",
    "PRESETS",
    "SUITES",
    "current",
    "current_keywords",
    "old_names",
]

SUITES: Mapping[str, str] = MappingProxyType({"paper": "akhand2021", "named": "literature"})
PRESETS: Mapping[str, str] = MappingProxyType({"article": "as-printed", "paper": "original"})
FAMILIES: Mapping[str, str] = MappingProxyType({"named": "literature"})
PARAMETERS: Mapping[str, str] = MappingProxyType({"views": "augmented_copies"})
ARGUMENTS: Mapping[str, str] = MappingProxyType({"watch": "eval_images"})
ATTRIBUTES: Mapping[str, str] = MappingProxyType({"watch_proba_": "eval_proba_"})
"""Old name to new one, of suites, presets and families of methods, of parameters of networks, and of arguments of
``fit`` and what it leaves."""


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


def current_keywords(kind: str, given: Mapping[str, Any], renamed: Mapping[str, str]) -> dict[str, Any]:
    """Return keyword arguments under their names of now.

    Raises
    ------
    InputError
        One is given by its old name and by its new one.
    """
    found: dict[str, Any] = {}
    for name, value in given.items():
        now = current(kind, name, renamed)
        if now != name and now in given:
            raise InputError(f"{kind} {now}: given twice, the second time by its old name, {name}; leave {name} out")
        found[now] = value
    return found


def old_names(name: str, renamed: Mapping[str, str]) -> tuple[str, ...]:
    """Return what a name was before."""
    return tuple(old for old, new in renamed.items() if new == name)


@cache
def _tell(kind: str, old: str, new: str) -> None:
    say(f"{kind} {old} is called {new} now; the old name keeps working")
