"""Texts of others (messages, warnings, commands) made fit for files, tables and terminals."""

from __future__ import annotations

import unicodedata

__all__ = ["duration", "escaped", "escaped_lines", "one_line", "writable"]

_LONGEST = 2000


def writable(text: str) -> str:
    """Return a text that UTF-8 can hold.

    Python reads file names in other encodings as lone surrogates, which no file takes; they become escapes.
    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def escaped(text: str) -> str:
    """Return a text as one line that a terminal shows as it is written.

    Control characters, which terminals obey, ends of lines and marks that turn the order of letters are written as
    escapes; all other signs stay.

    Examples
    --------
    >>> print(escaped("fac\\u00e9\\x1b[2J.png"))
    facé\\x1b[2J.png
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or unicodedata.category(c) == "Zs" else _escape(c) for c in writable(text))


def escaped_lines(text: str) -> str:
    """Return a text whose lines are `escaped`, each for itself: for texts of several lines that are put together."""
    return "\n".join(map(escaped, text.split("\n")))


def _escape(sign: str) -> str:
    return sign.encode("unicode_escape").decode()


def one_line(text: str, longest: int = _LONGEST) -> str:
    """Return a text as one line, cut where it is very long; control characters, which terminals obey, are escaped."""
    words = " ".join(writable(text[: 2 * longest]).split())
    shown = "".join(c if c.isprintable() else _escape(c) for c in words)
    if len(shown) <= longest and len(text) <= 2 * longest:
        return shown
    return f"{shown[:longest]}... ({len(text):,} characters)"


def duration(seconds: float) -> str:
    """Return seconds as people say them, in two units at most."""
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours < 48 else f"{hours // 24} days {hours % 24} h"
