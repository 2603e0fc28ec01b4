"""What the folders above a picture say: its expression and its part. Layouts with class folders share it."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from pathlib import PurePosixPath

from fer_bench.utils.near import near_matches

from ..sources.base import Source
from ..words import LABEL_WORDS, OTHER_EXPRESSIONS, SPLIT_WORDS

__all__ = ["CLASS_WORDS", "ClassFolder", "class_folder", "folder_reader", "folders_of", "near_word", "relative_names"]

CLASS_WORDS = tuple(word for word in (*LABEL_WORDS, *sorted(OTHER_EXPRESSIONS)) if len(word) > 2)
"""Whole words for expressions, those that are none of the seven included."""

_NEAR = 0.75
"""How like a word a folder's name is, from 0 to 1, from which on it is probably meant."""

_CODES = frozenset(word for word in LABEL_WORDS if len(word) == 2)
"""Two letters are also languages and people's initials."""


@dataclass(frozen=True)
class ClassFolder:
    """What the folders above a picture say.

    Attributes
    ----------
    word : str
        Lower-case name of the folder that stands for an expression; empty where there is none.
    label : str
        Its code; empty where there is a problem.
    split : str
        The dataset's own part, from folders above; empty where there is none.
    problem : str
        Why there is no label; empty where there is one.
    unknown : str
        Name of the folder that stands for nothing known; empty where there is a word, or no folder.
    """

    word: str = ""
    label: str = ""
    split: str = ""
    problem: str = ""
    unknown: str = ""


def folder_reader(names: Iterable[str]) -> Callable[[str], ClassFolder]:
    """Return a function that reads the folders above any of these pictures, each by its name with ``/`` in it.

    A folder of two letters such as AN is an expression only where all folders beside it are expressions, too: beside
    de and en it is a language.
    """
    beside: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for folder in {name.rpartition("/")[0] for name in names}:
        parts = _parts(folder)
        for i, part in enumerate(parts):
            beside[parts[:i]].add(part)
    cached = lru_cache(maxsize=None)(lambda folder: _read(_parts(folder), beside))
    return lambda name: cached(name.rpartition("/")[0])


@lru_cache(maxsize=2)  # every layout with class folders looks at them
def folders_of(source: Source) -> Callable[[str], ClassFolder]:
    """Return the reader of the folders above a source's pictures."""
    return folder_reader(name for name, _ in source.pictures)


def _parts(folder: str) -> tuple[str, ...]:
    return tuple(folder.split("/")) if folder else ()


def class_folder(path: PurePosixPath) -> ClassFolder:
    """Read the folders above a single picture."""
    return folder_reader([str(path)])(str(path))


def relative_names(names: Sequence[str]) -> list[str]:
    """Cut off the folders that all names share, so that the same data have the same names wherever they lie.

    Examples
    --------
    >>> relative_names(["a/b/happy/1.png", "a/b/sad/1.png"])
    ['happy/1.png', 'sad/1.png']
    """
    if not names:
        return []
    root = posixpath.commonpath([posixpath.dirname(name) for name in names]) if len(names) > 1 else ""
    return [posixpath.relpath(name, root) if root else name for name in names]


def _read(parts: tuple[str, ...], beside: Mapping[tuple[str, ...], set[str]]) -> ClassFolder:
    above = [part.lower() for part in parts]
    others = [_others(parts[:i], part, beside) if part.lower() in _CODES else [] for i, part in enumerate(parts)]
    words = [part for part, strange in zip(above, others, strict=True) if _is_word(part) and not strange]
    if len(words) > 1 and any(word not in _CODES for word in words):
        lone = [part for i, part in enumerate(parts) if part.lower() in _CODES and len(beside[parts[:i]]) == 1]
        words = [word for word in words if word not in {part.lower() for part in lone}]
    splits = sorted({SPLIT_WORDS[part] for part in above if part in SPLIT_WORDS})
    if not words:
        return _unknown(parts, others)
    word = words[-1]
    if len({LABEL_WORDS.get(w) for w in words}) > 1:
        return ClassFolder(word, problem=f"contradictory labels: the folders say {' and '.join(words)}")
    if len(splits) > 1:
        return ClassFolder(word, problem=f"contradictory parts: the folders say {' and '.join(splits)}")
    if word in OTHER_EXPRESSIONS:
        return ClassFolder(word, problem=f"{word} is none of the seven expressions")
    return ClassFolder(word, LABEL_WORDS[word], splits[0] if splits else "")


def _is_word(part: str) -> bool:
    return part in LABEL_WORDS or part in OTHER_EXPRESSIONS


def _others(home: tuple[str, ...], code: str, beside: Mapping[tuple[str, ...], set[str]]) -> list[str]:
    """Folders beside one of two letters that stand for no expression; hidden ones are no part of a set."""
    return sorted(name for name in beside[home] if not _is_word(name.lower()) and not name.startswith("."))


def _unknown(parts: tuple[str, ...], others: Sequence[Sequence[str]]) -> ClassFolder:
    """Say which folder is not known, and what it may be: one of two letters, or one that is nearly a word."""
    said = "in no folder of an expression that is known"
    for part, strange in zip(parts, others, strict=True):
        if strange:
            return ClassFolder(
                problem=f"{said}: folder {part!r} stands beside {strange[0]!r}, which names no expression, so that it "
                f"may be something else; rename it to {_whole_word(part)} if it is that",
                unknown=part,
            )
    for part in reversed(parts):
        near = near_word(part)
        if near:
            return ClassFolder(problem=f"{said}: folder {part!r}; did you mean {near}?", unknown=part)
    if not parts:
        return ClassFolder(problem=f"{said}: the top folder")
    why = "; numbers differ between data sets" if parts[-1].isdecimal() else ""
    return ClassFolder(problem=f"{said}: folder {parts[-1]!r}{why}", unknown=parts[-1])


@lru_cache(maxsize=1000)
def near_word(folder: str) -> str:
    """Return the expression that a folder's name is nearly, or has in it; empty where there is none.

    Folders that hold pictures are called image or features as well: they are not so near to anger or fear.

    Examples
    --------
    >>> near_word("neural"), near_word("01_happy"), near_word("image")
    ('neutral', 'happy', '')
    """
    inside = [piece for piece in re.split(r"[^a-z]+", folder.lower()) if piece in CLASS_WORDS]
    near = inside or near_matches(folder, CLASS_WORDS, 1)
    if not near:
        return ""
    alike = SequenceMatcher(None, folder.lower(), near[0]).ratio()
    return near[0] if inside or alike >= _NEAR else ""


def _whole_word(code: str) -> str:
    return next(word for word in CLASS_WORDS if LABEL_WORDS.get(word) == LABEL_WORDS[code.lower()])
