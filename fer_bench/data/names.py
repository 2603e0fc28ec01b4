"""What the names of images tell by themselves: who it is, which session, which film it is a frame of.

A check must not depend on what a file says about itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

__all__ = ["CKPLUS_NAME", "JAFFE_NAME", "KDEF_NAME", "MISNAMED", "NameFacts", "bare_name", "name_facts", "picture_name"]


@dataclass(frozen=True)
class NameFacts:
    """What the name of an image tells: person, session and film (empty where it has none), and the bare name."""

    subject: str
    session: str
    sequence: str
    picture: str


MISNAMED = {"AF31V": "AF31SAHL", "AM31H": "AM31SUHR"}
"""Two files that KDEF ships under broken names, and the names they should have (found by elimination)."""

_FREE = r"(?<![A-Z0-9])", r"(?![A-Z0-9])"
"""A name is not a piece of a longer word: AF01ANHLX is none, AF01ANHL_X is one with an addition."""

KDEF_NAME = re.compile(
    _FREE[0] + r"(?P<session>[AB])(?P<subject>(?P<gender>[FM])(?:0[1-9]|[12]\d|3[0-5]))(?P<label>AF|AN|DI|HA|NE|SA|SU)"
    r"(?P<view>FL|HL|S|HR|FR)" + _FREE[1],
    re.IGNORECASE | re.ASCII,
)
"""AF01ANHL: the first letter is the session, so AF01 and BF01 are one woman."""

JAFFE_NAME = re.compile(
    _FREE[0] + r"(?P<subject>[A-Z]{2})\.(?P<label>AN|DI|FE|HA|NE|SA|SU)\d\.\d+" + _FREE[1], re.IGNORECASE | re.ASCII
)
"""KA.AN1.39."""

CKPLUS_NAME = re.compile(_FREE[0] + r"(?P<subject>S\d{3})_(?P<clip>\d{3})_\d{8}(?![0-9])", re.IGNORECASE | re.ASCII)
"""S010_004_00000017 is person 10, film 4, frame 17."""

_MISNAMED = re.compile(_FREE[0] + f"({'|'.join(MISNAMED)})" + _FREE[1], re.IGNORECASE | re.ASCII)
_PICTURE_ENDING = re.compile(r"\.(jpe?g|png|bmp|tiff?|gif|webp|pgm|ppm)", re.IGNORECASE | re.ASCII)


def name_facts(image: str) -> NameFacts | None:
    """Read an image's name in the grammar of CK+, KDEF or JAFFE; None where it is in none of them.

    What stands beside the name, such as ``_flipped``, ``_aug3`` or ``Copy of``, does not make it another person's
    picture.
    """
    name = _put_right(PurePosixPath(image.replace("\\", "/")).name)
    for grammar in (CKPLUS_NAME, KDEF_NAME, JAFFE_NAME):
        match = grammar.search(name)
        if match:
            found = {key: value.upper() for key, value in match.groupdict().items()}
            clip = f"{found['subject']}/{found['clip']}" if "clip" in found else ""
            return NameFacts(found["subject"], found.get("session", ""), clip, match.group(0).upper())
    return None


def bare_name(image: str) -> str:
    """Return an image's name without what stands beside it; the whole name where it is in no known grammar.

    Examples
    --------
    >>> bare_name("AF01ANHL_aug1")
    'AF01ANHL'
    """
    facts = name_facts(image)
    return facts.picture if facts else image


def picture_name(grammar: re.Pattern[str], stem: str) -> tuple[dict[str, str], str] | None:
    """Find a picture's name in the name of a file without its ending.

    Parameters
    ----------
    grammar : pattern
        Such as `KDEF_NAME`.
    stem : str
        Such as ``"af01anhl_aug1"``.

    Returns
    -------
    tuple or None
        What the grammar's groups hold, in capitals, with the bare name under ``"picture"``; and the image's own name,
        the bare name with what stands beside it. None where the stem has no such name, or has two.
    """
    stem = _put_right(stem)
    match = grammar.search(stem)
    if match is None:
        return None
    if len({found.group(0).upper() for found in grammar.finditer(stem, match.start())}) > 1:
        return None
    picture = match.group(0).upper()
    before, after = stem[: match.start()], stem[match.end() :]
    plain = not before and (not after or _PICTURE_ENDING.fullmatch(after))
    found = {key: value.upper() for key, value in match.groupdict().items()}
    return {**found, "picture": picture}, picture if plain else before + picture + after


def _put_right(name: str) -> str:
    if "31" not in name:  # which both of them have
        return name
    return _MISNAMED.sub(lambda match: MISNAMED[match.group(0).upper()], name)
