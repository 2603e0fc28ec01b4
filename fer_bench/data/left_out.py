"""Files that were left out, grouped by reason: the one way for terminals, reports and programs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

__all__ = ["LeftOut", "by_reason"]

_DETAIL = re.compile(r": | (?=\()")
"""What differs from file to file stands in brackets or after a colon."""
_NUMBER = re.compile(r"\d[\d.,]*")
_FEW = 3
"""So many details of one kind are told apart, where each is that of several files."""


@dataclass(frozen=True)
class LeftOut:
    """Files of one reason.

    Attributes
    ----------
    kind : str
        What their reasons have in common; numbers in which they differ, and names of files, are ``#``.
    files : tuple of (str, str)
        Name and whole reason of each.
    """

    kind: str
    files: tuple[tuple[str, str], ...]

    def __len__(self) -> int:
        return len(self.files)

    @property
    def example(self) -> str:
        """The first file."""
        return self.files[0][0]

    @property
    def reason(self) -> str:
        """The whole reason of the first file, and how many others there are."""
        n = len({reason for _, reason in self.files}) - 1
        return self.files[0][1] + (f" (names or numbers differ in {n:,} more)" if n else "")

    @property
    def details(self) -> Iterator[tuple[str, str]]:
        """Name of each file, and what its reason says beyond the kind; empty where it says no more."""
        for file, reason in self.files:
            kind, detail = _split(reason)
            if kind != self.kind:
                yield file, reason
                continue
            whole = detail.startswith("(") and detail.find(")") == len(detail) - 1
            yield file, detail[1:-1] if whole else detail

    def apart(self) -> list[LeftOut]:
        """The same files by their whole reasons, where these are few and each is that of several files."""
        groups = _grouped(self.files, lambda file, reason: reason)
        few = len(groups) <= _FEW and all(len(files) > 1 for files in groups.values())
        return [LeftOut(self.kind, files) for files in groups.values()] if few else [self]


def by_reason(files: Iterable[tuple[str, str]]) -> list[LeftOut]:
    """Group files by reason, most first.

    A file's own name, numbers, and what follows a colon or stands in brackets do not make a reason of its own.

    Parameters
    ----------
    files : iterable of (str, str)
        Name and reason of each.

    Examples
    --------
    >>> [(group.kind, len(group)) for group in by_reason([("a.png", "blank (0.1)"), ("b.png", "blank (3)")])]
    [('blank', 2)]
    """
    groups = [LeftOut(_common(of_kind), of_kind) for of_kind in _grouped(files, _kind).values()]
    return sorted(groups, key=lambda group: (-len(group), group.kind))


def _split(reason: str) -> tuple[str, str]:
    kind, *rest = _DETAIL.split(reason, maxsplit=1)
    return kind, "".join(rest)


def _kind(file: str, reason: str) -> str:
    named = reason.replace(file, "#") if "." in file or "/" in file else reason
    return _NUMBER.sub("#", _split(named)[0])


def _common(files: tuple[tuple[str, str], ...]) -> str:
    kinds = {_split(reason)[0] for _, reason in files}
    return kinds.pop() if len(kinds) == 1 else _kind(*files[0])


def _grouped(
    files: Iterable[tuple[str, str]], key: Callable[[str, str], str]
) -> dict[str, tuple[tuple[str, str], ...]]:
    groups: dict[str, list[tuple[str, str]]] = {}
    for file, reason in files:
        groups.setdefault(key(file, reason), []).append((file, reason))
    return {key: tuple(found) for key, found in groups.items()}
