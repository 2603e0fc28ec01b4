"""FER+: what ten people each said of FER2013's pictures, in place of FER2013's own labels.

Barsoum, Zhang, Canton Ferrer & Zhang 2016, doi 10.1145/2993148.2993165. The votes (``fer2013new.csv`` of
github.com/microsoft/FERPlus) have no pictures: FER2013's table beside them has, row for row, or files that are called
as the votes say. A label is the majority as its makers count it (``src/ferplus.py``): single votes do not count, and
more than half of the others must agree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from fer_bench.errors import UserError

from .. import LAYOUT_SUMMARIES
from ..manifest import Excluded
from ..sources.base import Source
from ..words import LABEL_WORDS, SPLIT_WORDS
from .contract import Layout, Listing, pictures_of
from .csv_tables import read_table, tables_with
from .pixel_tables import SIDE, pixel_tables, read_pixels, source_of_pixels, the_pixel_table

__all__ = ["FERPLUS", "has_votes"]

_WORDS = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "nf")
_LABELS = {word: LABEL_WORDS[word] for word in _WORDS[:7]}
_COLUMNS = ("usage", "image name", *_WORDS)
_OTHERS = {
    "contempt": "contempt is none of the seven expressions",
    "unknown": "unknown: most of those asked saw no expression that has a name",
    "nf": "no face (NF), say most of those asked",
}
_FER2013 = {"0": "AN", "1": "DI", "2": "AF", "3": "HA", "4": "SA", "5": "SU", "6": "NE"}
_AGREE = 0.4
"""Share of FER2013's labels that the votes must agree with; of rows in another order about a seventh do."""

Votes = tuple[int, Mapping[str, str]]
"""Line and cells of a row of the votes."""


def has_votes(source: Source) -> bool:
    """Whether FER+'s votes are among the files."""
    return bool(tables_with(source, *_COLUMNS))


def _listing(source: Source) -> Listing:
    table = _table_of_votes(source)
    votes = list(read_table(source, table))
    return _list_rows(source, table, votes) if pixel_tables(source) else _list_files(source, table, votes)


def _table_of_votes(source: Source) -> str:
    tables = tables_with(source, *_COLUMNS)
    if len(tables) != 1:
        raise UserError(
            f"{source.where}: expected one table of FER+'s votes with the columns {', '.join(_COLUMNS)}, found "
            f"{', '.join(tables[:3]) or 'none'}; give the folder that holds one, beside FER2013's table"
        )
    return tables[0]


def _majority(cells: Mapping[str, str]) -> tuple[str, str]:
    """Label of a row of votes, or why there is none."""
    try:
        votes = {word: float(cells[word]) for word in _WORDS}
    except ValueError:
        return "", "votes that are no numbers"
    counted = {word: n for word, n in votes.items() if n > 1}
    word = max(counted, key=counted.__getitem__, default="")
    if not word or counted[word] <= sum(counted.values()) / 2:
        told = ", ".join(f"{n:g} {word}" for word, n in sorted(votes.items(), key=lambda vote: -vote[1]) if n)
        return "", f"no majority: {told or 'no votes'}"
    return (_LABELS[word], "") if word in _LABELS else ("", _OTHERS[word])


def _list_rows(source: Source, table: str, votes: Sequence[Votes]) -> Listing:
    """FER2013's pictures, each with the votes in the same row."""
    pixel_table = the_pixel_table(source, pixel_tables(source))
    found, pixels = read_pixels(source, pixel_table)
    where = f"{source.where}: tables {pixel_table} and {table}"
    if len(found) != len(votes):
        raise UserError(
            f"{where}: expected a row of votes for each row of pixels, found {len(votes):,} and {len(found):,}; give "
            "both tables as their makers have them"
        )
    rows, excluded, agree, both = [], [], 0, 0
    for row, (line, cells) in zip(found, votes, strict=True):
        label, problem = _majority(cells)
        split = SPLIT_WORDS.get(cells["usage"].lower(), "")
        if split != SPLIT_WORDS.get(row.usage.lower(), ""):
            raise UserError(
                f"{where}: line {line} has votes on {cells['usage'][:20]!r}, line {row.line} pixels of "
                f"{row.usage[:20]!r}; expected the same rows in the same order: give both tables as their makers "
                "have them"
            )
        if label and row.emotion in _FER2013:
            both, agree = both + 1, agree + (_FER2013[row.emotion] == label)
        if not row.sound:
            problem = f"not {SIDE}x{SIDE} grey levels from 0 to 255: line {row.line} of {pixel_table}"
        if problem:
            excluded.append(Excluded(row.file, problem))
        else:
            rows.append({"image": row.file, "file": row.file, "label": label, "split": split})
    if agree < _AGREE * both:
        raise UserError(
            f"{where}: the votes agree with {agree:,} of {both:,} labels of FER2013, as if rows stood in another "
            "order; give both tables as their makers have them"
        )
    return Listing(rows, excluded, source_of_pixels(source, found, pixels), (_note(f"fer2013-csv:{source.path}"),))


def _list_files(source: Source, table: str, votes: Sequence[Votes]) -> Listing:
    """Pictures that are files under the names that the votes give."""
    named = {cells["image name"]: (line, cells) for line, cells in votes if cells["image name"]}
    rows, excluded, seen = [], [], set()
    for name, path in pictures_of(source):
        _, cells = named.get(path.name, (0, None))
        label, problem = _majority(cells) if cells else ("", f"not in the table of votes, {table}")
        seen.add(path.name)
        if problem:
            excluded.append(Excluded(name, problem))
        elif cells:
            split = SPLIT_WORDS.get(cells["usage"].lower(), "")
            rows.append({"image": path.stem, "file": name, "label": label, "split": split})
    if not seen & named.keys():
        raise UserError(
            f"{source.where}: FER+'s votes without FER2013's pictures; expected FER2013's table fer2013.csv beside "
            f"{table}, or pictures called as it says, such as {next(iter(named), 'fer0000000.png')}; put them there, "
            "and give the folder"
        )
    excluded += list(_lost(table, named, seen))
    return Listing(rows, excluded, source, (_note("FER2013's table"),))


def _lost(table: str, named: Mapping[str, Votes], seen: set[str]) -> Iterator[Excluded]:
    for name, (line, _) in named.items():
        if name not in seen:
            yield Excluded(name, f"no such picture: line {line} of {table}")


def _note(own: str) -> str:
    return f"The labels are the majority of FER+'s votes and not FER2013's own, which {own} has."


FERPLUS = Layout(
    name="ferplus",
    summary=LAYOUT_SUMMARIES["ferplus"],
    expects="FER+'s votes fer2013new.csv beside FER2013's table",
    claims=has_votes,
    listing=_listing,
    labels=_LABELS,
    notice=(
        "FER2013 (Goodfellow et al. 2013) with the labels of FER+ (Barsoum et al. 2016), the majority of ten people's "
        "votes; contempt is left out. Faces found on the web, people unknown, so that nothing here may be called "
        "subject-independent. See the terms that it came under; no picture leaves the machine."
    ),
    no_people="FER2013 does not tell who is on which picture",
    crop="none",
)
