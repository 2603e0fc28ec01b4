"""KDEF's file names: session, sex, number, expression, view, as in "AF01ANHL"; and which version of them is drawn."""

from __future__ import annotations

import re
from typing import NamedTuple

from fer_bench.errors import InputError
from fer_bench.labels import EMOTIONS, SESSIONS, VIEWS

__all__ = ["MAX_PEOPLE", "RENDERER_VERSION", "PortraitName", "parse_name", "portrait_names", "software"]

MAX_PEOPLE = 70
"""As many as KDEF has."""

RENDERER_VERSION: int = 7
"""Raised whenever the same name, size and seed give other pixels."""

_PATTERN = re.compile(r"([AB])([FM])(0[1-9]|[12]\d|3[0-5])(AF|AN|DI|HA|NE|SA|SU)(FL|HL|S|HR|FR)")


def software(seed: int) -> str:
    """Return what drew the people of a seed, as written into files: the same text, the same people."""
    return f"fer-bench renderer {RENDERER_VERSION}, seed {seed}"


class PortraitName(NamedTuple):
    """The parts of a portrait's name."""

    session: str
    sex: str
    number: int
    emotion: str
    view: str

    @property
    def person(self) -> str:
        """Sex and number, such as ``"F01"``: the same in both sessions."""
        return f"{self.sex}{self.number:02d}"


def parse_name(name: str) -> PortraitName:
    """Take a portrait's name apart.

    Parameters
    ----------
    name : str
        Such as ``"AF01ANHL"``: no folder, no extension.

    Raises
    ------
    InputError
        The name isn't in KDEF's grammar.
    """
    match = _PATTERN.fullmatch(name)
    if match is None:
        raise InputError(
            f"portrait name: expected session A or B, F or M, 01 to 35, one of {', '.join(EMOTIONS)}, "
            f"one of {', '.join(VIEWS)}, such as 'AF01ANHL', found {name!r}"
        )
    session, sex, number, emotion, view = match.groups()
    return PortraitName(session, sex, int(number), emotion, view)


def portrait_names(n_people: int = MAX_PEOPLE) -> list[str]:
    """Name all portraits of the first people.

    Parameters
    ----------
    n_people : int
        1 to 70; taken as F01, M01, F02, M02, ... so that any number above one has both sexes.

    Returns
    -------
    list of str
        Sorted names, 70 a person (2 sessions, 7 expressions, 5 views).

    Raises
    ------
    InputError
        More people than KDEF has, or none.
    """
    if not 1 <= n_people <= MAX_PEOPLE:
        raise InputError(f"n_people: expected 1 to {MAX_PEOPLE}, found {n_people}")
    people = [f"{'FM'[i % 2]}{i // 2 + 1:02d}" for i in range(n_people)]
    return sorted(f"{s}{p}{e}{v}" for s in SESSIONS for p in people for e in EMOTIONS for v in VIEWS)
