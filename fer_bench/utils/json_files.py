"""The one way to read JSON and TOML that stands in files: bounded, strict and checked, or one sentence.

Whatever is in a file's place (a folder, a pipe, bytes of something else, a hundred thousand brackets, a number in
quotes) ends in `UnreadableError`, or in None where a caller can go on without the file. Strict JSON knows no NaN, so
what is written here holds none either.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from fer_bench.errors import UserError

from .regular import open_at_once, unfit
from .shapes import faults
from .texts import writable

__all__ = [
    "UnreadableError",
    "checked",
    "find_json",
    "find_sealed",
    "json_lines",
    "json_text",
    "parse_toml",
    "read_json",
    "read_text",
    "sealed_text",
]

T = TypeVar("T")

_HALF_PAIR = re.compile(r"\\u[dD][89a-fA-F]")
_MOST_BYTES = 256_000_000
_SEALED = ('{"sha256": "', '", "value": ', "}\n")
_MOST_LEVELS = 32
"""Of values in values: a run's files have six; what is deeper would fail later, wherever it is walked through."""
_MOST_TOLD = 4


class UnreadableError(UserError):
    """A file is not what a reader expects: which, what was expected and found, and what to do, in one sentence."""


class _RefusedError(ValueError):
    """Why a text is not read, in words that follow "found"."""


def read_json(file: Path, shape: type[T], *, name: str = "", mend: str = "") -> T:
    """Read a JSON file that must be there and as its shape says.

    Parameters
    ----------
    file : path
        A regular file, in UTF-8.
    shape : type
        As in `fer_bench.utils.shapes`.
    name : str
        What messages call the file; its path where this is empty.
    mend : str
        What to do about a file that cannot be read, at the end of the message.

    Raises
    ------
    UnreadableError
        There is none, it is no strict JSON, or it holds something else.
    """
    name = name or str(file)
    return checked(_parsed(read_text(file, name, mend), _json, "JSON", name, mend), shape, name, mend)


def find_json(file: Path, shape: type[T]) -> T | None:
    """Read a JSON file that a caller can do without: None where `read_json` would raise.

    For what is made anew where it cannot be read (caches, notes, records of trials that a kill cut short), never for
    what a user gave.
    """
    try:
        return read_json(file, shape)
    except UnreadableError:
        return None


def sealed_text(value: Any) -> str:
    """Return what `find_sealed` reads: strict JSON of a value, with a hash of its text."""
    text = json_text(value)
    return hashlib.sha256(text.encode()).hexdigest().join(_SEALED[:2]) + text + _SEALED[2]


def find_sealed(file: Path, shape: type[T]) -> T | None:
    """Read a cache that `sealed_text` made: None where it is not there, of another shape, or not as it was written."""
    start, middle, end = _SEALED
    try:
        found = read_text(file, str(file))
        digest, _, text = found.removeprefix(start).removesuffix(end).partition(middle)
        if digest.join(_SEALED[:2]) + text + end != found or hashlib.sha256(text.encode()).hexdigest() != digest:
            return None
        return checked(_parsed(text, _json, "JSON", str(file), ""), shape, str(file))
    except UnreadableError:
        return None


def json_lines(file: Path, shape: type[T]) -> Iterator[T]:
    """Yield what the lines of a log hold; lines that are torn or of another shape are left out, and so is no log."""
    try:
        lines = _bytes(file).splitlines()
    except (OSError, _RefusedError):
        return
    for line in lines:
        try:
            value = _json(line.decode("utf-8-sig"))
        except (ValueError, RecursionError):
            continue
        if not faults(value, shape):
            yield value


def json_text(value: Any, **how: Any) -> str:
    """Return strict JSON: a number that is none (NaN, infinity) becomes null.

    Parameters
    ----------
    value : object
    **how
        For ``json.dumps``.
    """
    try:
        return json.dumps(value, allow_nan=False, **how)
    except ValueError:
        return json.dumps(_without_nan(value), allow_nan=False, **how)


def parse_toml(text: str, shape: type[T], name: str, mend: str = "") -> T:
    """Read a TOML text whose every key is known.

    Raises
    ------
    UnreadableError
        It is no TOML, or holds something else; all faults at once, with their places.
    """
    return checked(_parsed(text, _toml, "TOML", name, mend), shape, name, mend, closed=True)


def read_text(file: Path, name: str, mend: str = "") -> str:
    """Return the text of a regular file of bounded size, in UTF-8, or in UTF-16 where a byte order mark says so.

    The mark, which some editors write, is no part of the text.

    Raises
    ------
    UnreadableError
        There is none, it is no regular file or too large, or it is not in UTF-8.
    """
    try:
        data = _bytes(file)
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            with suppress(UnicodeDecodeError):
                return data.decode("utf-16")
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        why = f"expected text in UTF-8, found byte {error.object[error.start]:#04x} at place {error.start + 1}"
    except _RefusedError as error:
        why = f"expected a regular file, found {error}"
    except (OSError, ValueError) as error:  # no file has a name with a NUL in it
        why = getattr(error, "strerror", None) or str(error)
    raise UnreadableError(_sentence(f"{name} cannot be read: {why}", mend))


def _bytes(file: Path) -> bytes:
    try:
        with open(file, "rb", buffering=0, opener=open_at_once) as opened:
            if why := unfit(os.fstat(opened.fileno()), _MOST_BYTES):
                raise _RefusedError(why)
            return opened.readall()
    except IsADirectoryError as error:
        raise _RefusedError("a folder") from error


def _parsed(text: str, parse: Callable[[str], Any], kind: str, name: str, mend: str) -> Any:
    try:
        return parse(text)
    except _RefusedError as error:
        why = str(error)
    except RecursionError:
        why = "values nested too deep"
    except MemoryError:
        why = "more than the memory holds"
    except ValueError:
        why = "a number of too many digits"
    raise UnreadableError(_sentence(f"{name} cannot be read as {kind}: found {why}", mend))


def checked(value: Any, shape: type[T], name: str, mend: str = "", *, closed: bool = False) -> T:
    """Return a value that was read, if it is as its shape says.

    Raises
    ------
    UnreadableError
        It is not; the first faults, with their places.
    """
    if found := faults(value, shape, closed=closed):
        more = [f"and {len(found) - _MOST_TOLD} faults more"] if len(found) > _MOST_TOLD else []
        raise UnreadableError(_sentence(f"{name}: {'; '.join([*found[:_MOST_TOLD], *more])}", mend))
    result: T = value
    return result


def _sentence(words: str, mend: str) -> str:
    return f"{words}; {mend}" if mend else words


def _json(text: str) -> Any:
    if not text.strip():
        raise _RefusedError("an empty file")
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        what = repr(text[error.pos : error.pos + 12]) if text[error.pos :].strip() else "the end"
        raise _RefusedError(f"{what} at line {error.lineno}, column {error.colno}") from error
    _refuse_deep(text, value)
    return _writable(value) if _HALF_PAIR.search(text) else value


def _writable(value: Any) -> Any:
    """Escape halves of pairs, which no file of text can hold; names of files in other encodings have them."""
    if isinstance(value, dict):
        return {writable(key): _writable(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_writable(each) for each in value]
    return writable(value) if isinstance(value, str) else value


def _toml(text: str) -> Any:
    import tomllib  # here: a worker reads none

    try:
        value = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _RefusedError(f"a mistake: {error}") from error
    _refuse_deep(text, value)
    return value


def _no_constant(found: str) -> Any:
    raise _RefusedError(f"{found}, which is no number in JSON")


def _finite(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise _RefusedError(f"{digits[:20]}, a number too large")
    return value


_DECODER = json.JSONDecoder(parse_constant=_no_constant, parse_float=_finite)


def _refuse_deep(text: str, value: Any) -> None:
    if text.count("[") + text.count("{") + text.count(".") <= _MOST_LEVELS:  # TOML's dotted keys nest, too
        return
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(_MOST_LEVELS):
        inner = (each.values() if isinstance(each, dict) else each for each in level)
        level = [found for values in inner for found in values if isinstance(found, dict | list)]
        if not level:
            return
    raise _RefusedError("values nested too deep")


def _without_nan(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _without_nan(each) for key, each in value.items()}
    return [_without_nan(each) for each in value] if isinstance(value, list | tuple) else value
