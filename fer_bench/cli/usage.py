"""Mistakes in how a command is typed, in words that help: what Typer and what checks values for it say is reworded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer.core

from fer_bench.utils.near import did_you_mean
from fer_bench.utils.texts import escaped_lines

__all__ = ["Commands"]

_CHOICE = re.compile(r"'(.*)' is not one of (.+?)\.?", re.DOTALL)


class Commands(typer.core.TyperGroup):
    """Commands whose usage errors say what was expected and found, and what may have been meant."""

    def make_context(self, *given: Any, **more: Any) -> Any:
        """Read the words before the command."""
        with _reworded():
            return super().make_context(*given, **more)

    def invoke(self, ctx: Any) -> Any:
        """Read the command's own words, and call it."""
        with _reworded():
            return super().invoke(ctx)


@contextmanager
def _reworded() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        # Typer has changed whose exceptions these are, so they are known by what they have.
        if hasattr(error, "format_message") and isinstance(getattr(error, "message", None), str):
            _reword(error)
        raise


def _reword(error: Any) -> None:
    message = _of_value(error) or error.message
    chosen = _CHOICE.fullmatch(message)
    if chosen:
        known = re.findall(r"'([^']*)'", chosen[2])
        message = f"expected one of {', '.join(known)}, found {chosen[1]!r}{did_you_mean(chosen[1], known)}"
    if getattr(error, "possibilities", None):
        message += did_you_mean(error.option_name, error.possibilities)
        error.possibilities = None
    error.message = escaped_lines(message)


def _of_value(error: Any) -> str:
    """What was expected of a value and what was found, where a check of types has refused it."""
    cause = error.__cause__
    if not hasattr(cause, "errors"):
        return ""
    first = cause.errors()[0]
    kind, found, limits = str(first.get("type", "")), first.get("input"), first.get("ctx") or {}
    if kind == "value_error":
        return str(first.get("msg", "")).removeprefix("Value error, ")
    words = {"int": "a whole number", "float": "a number", "finite": "a number"}
    bounds = {"ge": "{} or more", "le": "{} or less", "gt": "more than {}", "lt": "less than {}"}
    expected = next((text for start, text in words.items() if kind.startswith(start)), "another value")
    for name, text in bounds.items():
        if name in limits:
            expected = text.format(int(limits[name]) if limits[name] == int(limits[name]) else limits[name])
    return f"expected {expected}, found {found!r}"
