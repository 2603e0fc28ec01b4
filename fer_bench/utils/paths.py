"""Paths as people give them: ``~`` is their home, and an empty one is a mistake."""

from __future__ import annotations

import os
from pathlib import Path

from fer_bench.errors import UserError

__all__ = ["folder_of_variable", "given_path", "given_place"]


def given_path(given: str | os.PathLike[str], name: str) -> Path:
    """Return a path that was given, with home in the place of ``~``.

    Parameters
    ----------
    given : path
    name : str
        What messages call it: an option, or a parameter in backticks.

    Raises
    ------
    UserError
        It is empty, as what a shell makes of a variable that is not set.
    """
    return Path(given_place(os.fspath(given), name))


def given_place(text: str, name: str) -> str:
    """As `given_path`, of what need not be a path: a name stays as it is."""
    if not text.strip():
        raise UserError(f"{name}: expected a path, found an empty one; is a variable in it not set, or empty?")
    return os.path.expanduser(text)


def folder_of_variable(name: str) -> Path | None:
    """Return the folder that a variable of the environment names; None where it is not set, or empty."""
    value = os.environ.get(name, "")
    return Path(os.path.expanduser(value)) if value.strip() else None
