"""What a file may hold, told by a type, and where it holds something else, told in a reader's words.

A shape is a TypedDict, ``list[X]``, ``dict[str, X]``, ``tuple[X, Y]`` (a list of so many), ``X | Y``, ``Literal``,
``Annotated[X, Rule(...)]``, ``Any`` or one of str, bool, int, float and None. Nothing is converted: a number in quotes
is a text. Keys that a TypedDict does not name are let be, unless it is checked as closed.
"""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

from .near import did_you_mean
from .texts import one_line

__all__ = ["LARGEST", "Rule", "faults", "shown"]

LARGEST = 1e100
"""Numbers beyond this are none of ours, and sums and products of them are no numbers any more."""
_LARGEST_WHOLE = 2**63
_LONGEST_KEY = 60

Place = tuple[str | int, ...]
"""Keys, and places in lists, on the way to a value."""


@dataclass(frozen=True)
class Rule:
    """What a type alone does not say: how to call it in a message, and what else holds of its values."""

    words: str
    holds: Callable[[Any], bool] = lambda value: True


@dataclass(frozen=True)
class _Kind:
    """A shape, ready to be asked: its words, whether a value fits, and what is wrong inside one that does not."""

    words: str
    fits: Callable[[Any], bool]
    inside: Callable[[Any, Place], Iterator[str]] = lambda value, place: iter(())

    def faults(self, value: Any, place: Place) -> Iterator[str]:
        if self.fits(value):
            return
        found = list(self.inside(value, place))
        yield from found or [_at(place, f"expected {self.words}, found {shown(value)}")]


def faults(value: Any, shape: Any, *, closed: bool = False) -> list[str]:
    """Return what in a value is not as its shape says, each with its place; empty where all is.

    Parameters
    ----------
    value : object
        As JSON or TOML gave it.
    shape : type
    closed : bool
        Keys that a TypedDict does not name are faults, too.

    Examples
    --------
    >>> faults({"job": [{"methods": 3}]}, dict[str, list[dict[str, list[str]]]])
    ['job 1, methods: expected a list, found 3']
    """
    return list(_kind(shape, closed).faults(value, ()))


def shown(value: Any) -> str:
    """Return a value as messages show it: short, however large and deep it is."""
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    return _SHORT.repr(value)


_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxlist, _SHORT.maxdict = 2, 3, 2
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 60


def _at(place: Place, words: str) -> str:
    told = ""
    for step in place:
        if isinstance(step, int):
            told += f" {step + 1}" if told else f"entry {step + 1}"
        else:
            told += f"{', ' if told else ''}{one_line(step, _LONGEST_KEY)}"
    return f"{told}: {words}" if told else words


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -_LARGEST_WHOLE <= value < _LARGEST_WHOLE


def _is_number(value: Any) -> bool:
    # What is no number (NaN) is not smaller than anything.
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST


_SIMPLE = {
    str: _Kind("text", lambda value: isinstance(value, str)),
    bool: _Kind("true or false", lambda value: isinstance(value, bool)),
    int: _Kind("a whole number", _is_whole),
    float: _Kind("a number", _is_number),
    NoneType: _Kind("nothing", lambda value: value is None),
    Any: _Kind("anything", lambda value: True),
    object: _Kind("anything", lambda value: True),
}


@cache
def _kind(shape: Any, closed: bool) -> _Kind:
    origin, parts = get_origin(shape), get_args(shape)
    if shape in _SIMPLE:
        return _SIMPLE[shape]
    if is_typeddict(shape):
        fields = {key: _kind(hint, closed) for key, hint in get_type_hints(shape, include_extras=True).items()}
        return _object(fields, frozenset(shape.__required_keys__), closed)
    if origin is Annotated:
        return _ruled(_kind(parts[0], closed), parts[1])
    if origin is Literal:
        return _Kind(f"one of {', '.join(map(str, parts))}", lambda value: isinstance(value, str) and value in parts)
    kinds = [_kind(part, closed) for part in parts]
    if origin in (Union, UnionType):
        return _either([_kind(part, closed) for part in parts if part is not NoneType], NoneType in parts)
    builders: dict[Any, Callable[..., _Kind]] = {list: _list, dict: lambda _, item: _mapping(item), tuple: _row}
    return builders[origin](*kinds)


def _ruled(kind: _Kind, rule: Rule) -> _Kind:
    return _Kind(rule.words, lambda value: kind.fits(value) and rule.holds(value), kind.inside)


def _either(kinds: Sequence[_Kind], or_nothing: bool) -> _Kind:
    def fits(value: Any) -> bool:
        return (value is None and or_nothing) or any(kind.fits(value) for kind in kinds)

    def fits_or_nothing(value: Any) -> bool:
        return value is None or kinds[0].fits(value)

    def inside(value: Any, place: Place) -> Iterator[str]:
        yield from next((found for kind in kinds if (found := list(kind.inside(value, place)))), [])

    one = or_nothing and len(kinds) == 1  # by far the most, and a history has many
    return _Kind(" or ".join(kind.words for kind in kinds), fits_or_nothing if one else fits, inside)


def _list(item: _Kind) -> _Kind:
    def inside(value: Any, place: Place) -> Iterator[str]:
        for number, each in enumerate(value if isinstance(value, list) else ()):
            yield from item.faults(each, (*place, number))

    return _Kind("a list", lambda value: isinstance(value, list) and all(map(item.fits, value)), inside)


def _row(*items: _Kind) -> _Kind:
    def fits(value: Any) -> bool:
        if not isinstance(value, list) or len(value) != len(items):
            return False
        return all(kind.fits(each) for kind, each in zip(items, value, strict=True))

    return _Kind(f"a list of {len(items)}: {', '.join(kind.words for kind in items)}", fits)


def _mapping(item: _Kind) -> _Kind:
    def inside(value: Any, place: Place) -> Iterator[str]:
        for key, each in value.items() if isinstance(value, dict) else ():
            yield from item.faults(each, (*place, key))

    return _Kind("an object", lambda value: isinstance(value, dict) and all(map(item.fits, value.values())), inside)


def _object(fields: Mapping[str, _Kind], needed: frozenset[str], closed: bool) -> _Kind:
    def fits(value: Any) -> bool:
        return (
            isinstance(value, dict)
            and needed <= value.keys()
            and not (closed and value.keys() - fields.keys())
            and all(fields[key].fits(each) for key, each in value.items() if key in fields)
        )

    def inside(value: Any, place: Place) -> Iterator[str]:
        if not isinstance(value, dict):
            return
        if absent := [key for key in fields if key in needed and key not in value]:
            yield _at(place, f"{', '.join(absent)} is missing")
        for key, each in value.items():
            if key in fields:
                yield from fields[key].faults(each, (*place, key))
            elif closed:
                near = did_you_mean(str(key), fields)
                yield _at((*place, key), f"is not known here; expected {', '.join(fields)}{near}")

    return _Kind("an object", fits, inside)
