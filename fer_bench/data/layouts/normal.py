"""What a layout's rows say of people, sessions, films, views, women and men, and parts: one spelling for each.

What was merged or taken as not given is told, and refused where the user is strict.
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from fer_bench.errors import UserError
from fer_bench.utils.people_names import gender_code, is_given, name_keys, shown_names

from ..words import split_code, view_code

__all__ = [
    "Doubt",
    "findings",
    "need_everybody_or_nobody",
    "normal_rows",
    "one_spelling",
    "refuse_doubts",
    "why_nobody",
]

_ONE_AND_MANY = {
    "subject": ("person", "people"),
    "session": ("session", "sessions"),
    "sequence": ("sequence", "sequences"),
    "view": ("view", "views"),
    "split": ("part", "parts"),
}
_SHOWN = 3

Row = dict[str, str]


@dataclass(frozen=True)
class Doubt:
    """What could be read in one way only by being lenient.

    Attributes
    ----------
    sentence : str
        What was found, and what it was taken for.
    files : tuple of str
        The pictures whose rows say so.
    """

    sentence: str
    files: tuple[str, ...]


def normal_rows(rows: Sequence[Row]) -> tuple[list[Row], list[Doubt]]:
    """Put one spelling in the place of several, KDEF's codes in that of words for views, and F and M.

    A name keeps the spelling that most rows have. Words for "not given" become empty.

    Parameters
    ----------
    rows : sequence of dict
        As of `fer_bench.data.layouts.contract.Listing`.

    Returns
    -------
    rows : list of dict
    doubts : list of Doubt
        What a reader must know of it.
    """
    doubts: list[Doubt] = []
    normal = list(rows)
    for column in _READERS:
        found = {row.get(column, "") for row in rows} - {""}
        if all(name == word for word, name in one_spelling(column, dict.fromkeys(found, 1)).items()):
            continue  # as in nearly all data: no need to count
        counts = Counter(row[column] for row in rows if row.get(column))
        said = one_spelling(column, counts)
        normal = [{**row, column: said[row[column]]} if row.get(column) else row for row in normal]
        for sentence, words in findings(column, counts, said, len(rows)):
            doubts.append(Doubt(sentence, tuple(row["file"] for row in rows if row.get(column) in words)))
    return normal, doubts


def one_spelling(column: str, counts: Mapping[str, int]) -> dict[str, str]:
    """Return what to put in the place of each word of a column; empty for "not given".

    Parameters
    ----------
    column : str
        subject, session, sequence, view, gender or split.
    counts : mapping of str to int
        How often each word stands.
    """
    return _READERS[column](counts)


def _names(counts: Mapping[str, int]) -> dict[str, str]:
    keys = name_keys(counts)
    shown = shown_names(counts, keys)
    return {name: shown.get(key, "") for name, key in keys.items()}


def _views(counts: Mapping[str, int]) -> dict[str, str]:
    """KDEF's codes where every word means one: of frontal and left, left may be half or full, and both stay."""
    codes = {word: view_code(word) for word in counts}
    if not all(code or not is_given(word) for word, code in codes.items()):
        return _names(counts)
    return codes


def _genders(counts: Mapping[str, int]) -> dict[str, str]:
    return {word: gender_code(word) for word in counts}


def _splits(counts: Mapping[str, int]) -> dict[str, str]:
    return _names(counts) | {word: code for word in counts if (code := split_code(word))}


_READERS: dict[str, Callable[[Mapping[str, int]], dict[str, str]]] = {
    "subject": _names,
    "session": _names,
    "sequence": _names,
    "view": _views,
    "gender": _genders,
    "split": _splits,
}


def findings(
    column: str, counts: Mapping[str, int], said: Mapping[str, str], images: int
) -> Iterator[tuple[str, frozenset[str]]]:
    """Say what was merged and what was taken as not given; known words for one thing are nothing to tell.

    Parameters
    ----------
    column, counts
        As of `one_spelling`.
    said : mapping of str to str
        What it gave.
    images : int
        Pictures in all.

    Yields
    ------
    str
        A sentence.
    frozenset of str
        The words that are to be mended.
    """
    spellings = defaultdict(list)
    for word, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        spellings[said[word]].append(word)
    nothing = [word for word in spellings.pop("", []) if word]
    if nothing:
        n = sum(counts[word] for word in nothing)
        odd = ", which is neither F nor M" if any(map(is_given, nothing)) else ""
        words = _listed(nothing, " or ")
        sentence = f"{n:,} of {images:,} pictures say {words} (column {column}){odd}: taken as not given"
        yield sentence, frozenset(nothing)
    merged = [words for words in spellings.values() if len(words) > 1 and not _vocabulary(column, words)]
    if merged:
        yield _merged(column, merged), frozenset(word for words in merged for word in words[1:])


def _vocabulary(column: str, words: Sequence[str]) -> bool:
    known = {"gender": gender_code, "split": split_code, "view": view_code}.get(column)
    return known is not None and all(map(known, words))


def _merged(column: str, merged: Sequence[Sequence[str]]) -> str:
    one, many = _ONE_AND_MANY[column]
    n, most = len(merged), max(map(len, merged))
    example = _listed(min(merged, key=tuple), " and ")
    same = "" if most == min(map(len, merged)) else "up to "
    if n == 1:
        return f"1 {one} stands under {most} spellings, {example}: one {one} (column {column})"
    return f"{n} {many} stand under {same}{most} spellings each, such as {example}: one {one} (column {column})"


def _listed(words: Sequence[str], last: str) -> str:
    """Words in quotes; where two would look the same, by their code points."""
    look = {unicodedata.normalize("NFC", word) for word in words}
    quoted = [repr(word) if len(look) == len(words) else ascii(word) for word in words[:_SHOWN]]
    more = f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
    return last.join(filter(None, [", ".join(quoted[:-1]), quoted[-1]])) + more


def why_nobody(rows: Sequence[Row]) -> str:
    """Say why nobody is told apart where rows hold words for "not given" in the place of names; else empty."""
    words = _words_for_nobody(rows)
    return f"the column subject says {words}, which is taken as not given" if words else ""


def _words_for_nobody(rows: Sequence[Row]) -> str:
    words = Counter(row["subject"] for row in rows if row.get("subject") and not is_given(row["subject"]))
    return _listed([word for word, _ in words.most_common()], " or ") if words else ""


def need_everybody_or_nobody(rows: Sequence[Row], normal: Sequence[Row], where: str) -> None:
    """Refuse people who are given for some pictures only: who else is the same person?

    Raises
    ------
    UserError
        With the number of pictures, one of them, and the words that were taken as not given.
    """
    without = [row["file"] for row in normal if not row.get("subject")]
    if 0 < len(without) < len(normal):
        words = _words_for_nobody(rows)
        taken = f" ({words} is taken as not given)" if words else ""
        raise UserError(
            f"{where}: who it is is given for {len(normal) - len(without)} pictures and not for {len(without)}{taken}, "
            f"such as {without[0]}; name the person on each, leave those pictures out, or name nobody"
        )


def refuse_doubts(doubts: Sequence[Doubt], where: str) -> None:
    """Refuse what would only be told.

    Raises
    ------
    UserError
        With the first doubt and the pictures whose rows are to be mended.
    """
    if not doubts:
        return
    first = doubts[0]
    shown = ", ".join(first.files[:_SHOWN])
    more = f" and {len(first.files) - _SHOWN} more" if len(first.files) > _SHOWN else ""
    others = f" (and {len(doubts) - 1} more such findings)" if len(doubts) > 1 else ""
    raise UserError(
        f"`strict`: {where}: {first.sentence}{others}; mend the rows of {shown}{more}, or leave `strict` out"
    )
