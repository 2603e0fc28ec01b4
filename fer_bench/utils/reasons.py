"""What Python's own errors say, in words for people who know no Python."""

from __future__ import annotations

import re

__all__ = ["plain_reason"]

_WORDS = (
    (re.compile(r"invalid literal for int\(\) with base 10: (.*?)(?:: Error while .*)?"), "{} is no whole number"),
    (re.compile(r"could not convert string to float: (.*?)(?:: Error while .*)?"), "{} is no number"),
    (re.compile(r".*Expected (\d+) fields in line (\d+), saw (\d+)"), "line {1} has {2} cells, {0} were expected"),
    (re.compile(r".*EOF inside string starting at row (\d+)"), "quotes are opened in row {} and never closed"),
    (re.compile(r"No columns to parse from file"), "it is empty"),
)


def plain_reason(error: BaseException) -> str:
    """Return a clause that says why something cannot be read.

    Parameters
    ----------
    error : exception
        Of Python, csv or pandas; one of ours says what it says.

    Examples
    --------
    >>> plain_reason(KeyError("seed")), plain_reason(ValueError("could not convert string to float: 'x'"))
    ('seed is missing', "'x' is no number")
    """
    text = " ".join(str(error).split())
    if isinstance(error, UnicodeDecodeError):
        return "it is no text in UTF-8"
    if isinstance(error, KeyError):
        return f"{error.args[0] if error.args else 'a part'} is missing"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror[:1].lower() + error.strerror[1:]
    for pattern, words in _WORDS:
        found = pattern.fullmatch(text)
        if found:
            return words.format(*found.groups())
    return text or type(error).__name__
