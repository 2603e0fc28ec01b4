"""What intervals and tests take for independent, and the only words for it.

A dataset that names its people has people as the unit. Some do not: then groups of pictures taken in one go (the
frames of one film, one sitting) stand in, and where even these are not given, single images. Both are second best, and
whatever shows a figure says so in the words from here.
"""

from __future__ import annotations

from dataclasses import dataclass

from fer_bench.errors import InputError

__all__ = ["IMAGE", "MIXED", "PERSON", "SEQUENCE", "UNITS", "Unit", "find_unit"]


@dataclass(frozen=True)
class Unit:
    """A unit of statistics.

    Attributes
    ----------
    name : str
        Of ``Manifest.unit`` and ``run.json``: person, sequence or image.
    one, many : str
        For counting it in a sentence, and for headings.
    over : str
        How an interval or test was made, such as "over people"; says what is assumed.
    caution : str
        What a reader must know before every figure; empty for people.
    """

    name: str
    one: str
    many: str
    over: str
    caution: str = ""

    @property
    def tells_people(self) -> bool:
        """Whether anything may be said about people seen or unseen."""
        return self.name == "person"


PERSON = Unit("person", "person", "people", "over people")
"""What every figure takes for its unit where the data name people."""

SEQUENCE = Unit(
    *("sequence", "group", "groups", "over groups"),
    "These data do not tell who is who. Intervals and tests treat groups of pictures taken in one go (one film, one "
    "sitting) as independent; one person may be in several groups, so intervals may be too narrow. The same people may "
    "be in training and in test: no figure here is subject-independent.",
)
"""Stands in where films or sittings are given, but not people."""

IMAGE = Unit(
    *("image", "image", "images", "over images, assumed independent"),
    "These data do not tell who is who. Intervals and tests treat images as independent, which pictures of one person "
    "are not, so intervals may be too narrow. The same people may be in training and in test: no figure here is "
    "subject-independent.",
)
"""Stands in where nothing is given; figures say so."""

MIXED = Unit("mixed", "unit", "units", "over people, or what stands in for them")
"""For a table of several runs that differ in their unit; each run keeps its own caution."""

UNITS = {unit.name: unit for unit in (PERSON, SEQUENCE, IMAGE)}


def find_unit(name: str) -> Unit:
    """Return the unit of this name.

    Raises
    ------
    InputError
        There is none.
    """
    if name not in UNITS:
        raise InputError(f"unit {name!r} is none of {', '.join(UNITS)}")
    return UNITS[name]
