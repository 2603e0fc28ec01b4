"""The article's published figures, read from ``published.toml`` with the status of each."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

__all__ = [
    "STATUS_WORDS",
    "Humans",
    "NamedFigure",
    "NamedSystem",
    "Published",
    "PublishedClaim",
    "PublishedRow",
    "PublishedTable",
    "load_published",
]

STATUS_WORDS = {
    "verified": "verified",
    "notebook": "authors' notebook",
    "recalled": "recalled, unverified",
    "": "",
}


@dataclass(frozen=True)
class PublishedRow:
    """One published figure, in percent, and the names of our methods that stand beside it."""

    label: str
    ours: tuple[str, ...]
    published: float
    status: str
    notebook_best: float | None = None
    notebook_last: float | None = None
    ten_folds: str = ""
    ten_folds_status: str = ""
    ten_folds_last: float | None = None


@dataclass(frozen=True)
class PublishedTable:
    """One of the article's tables of accuracies."""

    id: str
    title: str
    rows: tuple[PublishedRow, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class PublishedConfusion:
    """The article's table of confusions: rows are labels, columns predictions, in the order of ``EMOTIONS``."""

    id: str
    title: str
    ours: str
    status: str
    counts: tuple[tuple[int, ...], ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Humans:
    """How well people read such photographs."""

    label: str
    accuracy: float
    status: str
    caveat: str
    doi: str
    by_expression: Mapping[str, float]
    by_expression_status: str


@dataclass(frozen=True)
class PublishedClaim:
    """Something the article says that figures can test; ``says`` is in our words."""

    id: str
    title: str
    says: str
    status: str


@dataclass(frozen=True)
class NamedFigure:
    """An accuracy, in percent, that a named system's authors report; ``layout``: ours of the same data, if any."""

    percent: str
    data: str
    protocol: str
    status: str
    layout: str = ""


@dataclass(frozen=True)
class NamedSystem:
    """A system that the article names; ``ours`` are patterns of our methods' names, ``differs`` what ours does else.

    ``faces`` says how theirs were cut out, where that is known; how ours were hangs on the run.
    """

    label: str
    source: str
    ours: tuple[str, ...]
    differs: str
    figures: tuple[NamedFigure, ...]
    faces: str = ""


@dataclass(frozen=True)
class Published:
    """All that is quoted from the literature; ``departures``: where the article's print and its authors' code part."""

    paper: str
    doi: str
    protocol: str
    notes: tuple[str, ...]
    departures: tuple[str, ...]
    tables: tuple[PublishedTable, ...]
    confusion: PublishedConfusion
    humans: Humans
    claims: tuple[PublishedClaim, ...]
    named: tuple[NamedSystem, ...]


@cache
def load_published() -> Published:
    """Read ``published.toml``."""
    text = files(__package__).joinpath("published.toml").read_text(encoding="utf-8")
    raw = tomllib.loads(text)
    tables = tuple(
        PublishedTable(
            id=table["id"],
            title=table["title"],
            rows=tuple(PublishedRow(**{**row, "ours": tuple(row["ours"])}) for row in table["row"]),
            notes=tuple(table.get("notes", ())),
        )
        for table in raw["table"]
    )
    confusion = raw["confusion"]
    return Published(
        paper=raw["source"]["paper"],
        doi=raw["source"]["doi"],
        protocol=raw["source"]["protocol"],
        notes=tuple(raw["source"]["notes"]),
        departures=tuple(raw["source"]["departures"]),
        tables=tables,
        confusion=PublishedConfusion(
            **{
                **confusion,
                "counts": tuple(tuple(row) for row in confusion["counts"]),
                "notes": tuple(confusion["notes"]),
            }
        ),
        humans=Humans(**raw["humans"]),
        claims=tuple(PublishedClaim(**claim) for claim in raw["claim"]),
        named=tuple(
            NamedSystem(
                label=system["label"],
                source=system["source"],
                ours=tuple(system["ours"]),
                differs=system["differs"],
                faces=system.get("faces", ""),
                figures=tuple(NamedFigure(**figure) for figure in system.get("figure", ())),
            )
            for system in raw["named"]
        ),
    )
