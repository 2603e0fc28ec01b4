"""Folders of the user's machine, left out of what is published; ``run.json`` keeps every command as it was typed."""

from __future__ import annotations

import re
import shlex
from typing import Any

from fer_bench.utils.commands import call_arguments, call_text

__all__ = ["published_command", "without_folders"]

# An absolute path, in POSIX or Windows form, or one below a home folder: folders, then the last part.
_ABSOLUTE = re.compile(
    r"""(?<![\w.:/\\~-])          # not the middle of a relative path, nor of an address such as https://x/y
    (?:~[\w.-]*(?=/)|[A-Za-z]:(?=[\\/]))?
    [\\/](?:[^\\/\s'":;,()<>]+[\\/])+
    (?P<last>[^\\/\s'":;,()<>]+)""",
    re.VERBOSE,
)
_WHOLE = re.compile(
    r"(?P<option>-[\w-]+=)?(?P<layout>[\w-]{2,}:)?(?P<path>(?!//)(?:~|[A-Za-z]:[\\/]|[\\/]).*)", re.DOTALL
)
_QUOTED = re.compile(r"""(?P<quote>['"])(?P<path>(?:~|[A-Za-z]:[\\/]|/)[^'"\n]*)(?P=quote)""")


def published_command(command: str) -> str:
    """Reduce every absolute path of a command line to its last part; relative ones, and all else, stay as typed.

    Parameters
    ----------
    command : str
        As ``run.json`` holds it: quoted for a POSIX shell, or a call of `fer_bench.run`.
    """
    call = call_arguments(command)
    if call is not None:
        return call_text({name: _short_value(value) for name, value in call.items()})
    try:
        words = shlex.split(command)
    except ValueError:
        return without_folders(command)
    short = [_short(word) for word in words]
    return command if short == words else shlex.join(short)


def without_folders(text: str) -> str:
    """Reduce the absolute paths in a sentence, such as an error's, to their last parts."""
    quoted = _QUOTED.sub(lambda found: found["quote"] + _short(found["path"]) + found["quote"], text)
    return _ABSOLUTE.sub(lambda found: found["last"], quoted)


def _short_value(value: Any) -> Any:
    if isinstance(value, list):
        return [_short_value(one) for one in value]
    return _short(value) if isinstance(value, str) else value


def _short(word: str) -> str:
    found = _WHOLE.fullmatch(word)
    if found is None:
        return word
    last = re.split(r"[\\/]", found["path"].rstrip("\\/"))[-1]
    return f"{found['option'] or ''}{found['layout'] or ''}{last or '.'}"
