"""What the names of images tell by themselves: who it is, which session, which film it is a frame of.

A check must not depend on what a file says about itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

__all__ = ["NameFacts", "name_facts"]


@dataclass(frozen=True)
class NameFacts:
    """What the name of an image tells: person, session and film (empty where it has none), and the bare name."""

    subject: str
    session: str
    sequence: str
    picture: str


_GRAMMARS = (
    # CK+: S010_004_00000017 is person 10, film 4, frame 17.
    re.compile(r"(?P<subject>S\d{3})_(?P<clip>\d{3})_\d{8}(?![0-9])"),
    # KDEF: AF01ANHL; the first letter is the session, so AF01 and BF01 are one woman.
    re.compile(
        r"(?P<session>[AB])(?P<subject>[FM](?:0[1-9]|[12]\d|3[0-5]))(?:AF|AN|DI|HA|NE|SA|SU)(?:FL|HL|S|HR|FR)(?![A-Z0-9])"
    ),
    # JAFFE: KA.AN1.39.
    re.compile(r"(?P<subject>[A-Z]{2})\.(?:AN|DI|FE|HA|NE|SA|SU)\d\.\d+"),
)


def name_facts(image: str) -> NameFacts | None:
    """Read an image's name in the grammar of CK+, KDEF or JAFFE; None where it is in none of them.

    What follows the name, such as ``_flipped`` or ``_aug3``, does not make it another person's picture.
    """
    name = PurePosixPath(image.replace("\\", "/")).name.upper()
    for grammar in _GRAMMARS:
        match = grammar.match(name)
        if match:
            found = match.groupdict()
            clip = f"{found['subject']}/{found['clip']}" if "clip" in found else ""
            return NameFacts(found["subject"], found.get("session", ""), clip, match.group(0))
    return None
