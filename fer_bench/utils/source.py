"""The text of code that is installed, as a hash: whether what runs now is what ran then."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

__all__ = ["code_hash"]

_DIGITS = 12


def code_hash(modules: Iterable[str]) -> str:
    """Hash the text of modules, and of all modules inside those that are packages; imports none of them.

    Files count by their place inside their package and by their text, with line ends of any system. Where the packages
    lie does not count, nor what is compiled, whose versions are told elsewhere.

    Parameters
    ----------
    modules : iterable of str
        Names, such as ``"fer_bench.baselines"``. One that is not installed counts as empty.

    Returns
    -------
    str
        12 hexadecimal digits of a sha256.
    """
    digest = hashlib.sha256()
    for name in modules:
        for place, file in _files(name):
            digest.update(place.encode() + b"\0" + file.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return digest.hexdigest()[:_DIGITS]


def _files(module: str) -> list[tuple[str, Path]]:
    """Files of Python with their places: all of a package, sorted; of a module the one, whose name does not count."""
    try:
        found = find_spec(module)
    except (ImportError, ValueError, AttributeError):
        found = None
    if found is None:
        return []
    if found.submodule_search_locations is None:
        origin = Path(found.origin or "")
        return [("", origin)] if origin.suffix == ".py" else []
    return [
        (file.relative_to(folder).as_posix(), file)
        for folder in found.submodule_search_locations
        for file in sorted(Path(folder).rglob("*.py"))
        if file.is_file()
    ]
