"""The normal form in which names of people, sessions and films are compared, and what the words for women and men are.

Two spellings are one name where they differ only in how Unicode writes a letter, in blanks, or in case; and, where all
names of a column are numbers, in how the number is written: 1, 01 and 1.0.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping

__all__ = ["NOT_GIVEN", "fold_name", "gender_code", "is_given", "name_keys", "shown_names"]

NOT_GIVEN = frozenset({"", "unknown", "nan", "n/a", "?", "none", "null", "-"})
"""What people write where they do not know, folded; JAFFE's NA is a woman."""

_NUMBER = re.compile(r"([0-9]+)(?:\.([0-9]*))?")
_WITHOUT_WIDTH = dict.fromkeys(map(ord, "\u200b\u2060\ufeff"))
_GENDERS = {
    **dict.fromkeys(("f", "female", "w", "woman", "girl"), "F"),
    **dict.fromkeys(("m", "male", "man", "boy"), "M"),
}


def fold_name(name: str) -> str:
    """Return a name in its normal form: Unicode NFC, single blanks and none at the ends, case folded.

    Examples
    --------
    >>> fold_name(" Jose\u0301  Maria ") == fold_name("jos\u00e9 maria")
    True
    """
    spaced = " ".join(name.translate(_WITHOUT_WIDTH).split())
    if spaced.isascii():
        return spaced.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", spaced).casefold())


def is_given(name: str) -> bool:
    """Tell a name from the words that stand for none, such as unknown, nan and ?."""
    return fold_name(name) not in NOT_GIVEN


def gender_code(word: str) -> str:
    """Return F or M of a word such as Female, woman, W or male; empty for every other word.

    Examples
    --------
    >>> [gender_code(word) for word in ("Female", "w", "man", "unknown")]
    ['F', 'F', 'M', '']
    """
    return _GENDERS.get(fold_name(word), "")


def name_keys(*columns: Iterable[str]) -> dict[str, str]:
    """Return what each spelling is compared by; the same person's spellings share it.

    Parameters
    ----------
    *columns : iterables of str
        All columns that are compared with each other: numbers count by value where all their names are numbers.

    Returns
    -------
    dict of str to str
        By spelling; empty where it is a word for "not given".

    Examples
    --------
    >>> name_keys(["01", "1.0"], ["1", "unknown"])
    {'01': '1', '1.0': '1', '1': '1', 'unknown': ''}
    >>> name_keys(["01", "1", "1a"])
    {'01': '01', '1': '1', '1a': '1a'}
    """
    keys = {name: fold_name(name) for column in columns for name in column}
    keys = {name: "" if key in NOT_GIVEN else key for name, key in keys.items()}
    numbers = {key: _NUMBER.fullmatch(key) for key in keys.values() if key}
    if not all(numbers.values()):
        return keys
    plain = {key: _plain(*found.groups()) for key, found in numbers.items() if found}
    return {name: plain.get(key, "") for name, key in keys.items()}


def _plain(whole: str, part: str | None) -> str:
    """A number without the zeros that do not count; by its digits, since a long one is no float."""
    digits, decimals = whole.lstrip("0") or "0", (part or "").rstrip("0")
    return f"{digits}.{decimals}" if decimals else digits


def shown_names(counts: Mapping[str, int], keys: Mapping[str, str]) -> dict[str, str]:
    """Return which spelling of each key is shown: the most frequent one, of several the first in sort order.

    Parameters
    ----------
    counts : mapping of str to int
        How often each spelling stands.
    keys : mapping of str to str
        As `name_keys` gives them.

    Examples
    --------
    >>> shown_names({"anna": 1, "Anna": 2, "Bob": 1}, {"anna": "anna", "Anna": "anna", "Bob": "bob"})
    {'anna': 'Anna', 'bob': 'Bob'}
    """
    shown: dict[str, str] = {}
    for name, _ in sorted(Counter(counts).items(), key=lambda item: (-item[1], item[0])):
        shown.setdefault(keys[name], name)
    shown.pop("", None)
    return shown
