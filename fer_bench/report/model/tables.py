"""The table that HTML, Markdown and CSV are all written from, and how its cells read.

A cell holds a value, never a formatted text; `cell_text` is the only place where a number becomes words, so that no
two forms of the report can disagree.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from fer_bench.stats import Interval

__all__ = [
    "NO_VALUE",
    "Block",
    "Code",
    "Column",
    "Drawing",
    "Embedded",
    "Estimate",
    "Figure",
    "Link",
    "Section",
    "Table",
    "cell_text",
    "estimate_texts",
    "p_clause",
    "safe_id",
    "with_reasons",
]

NO_VALUE = "–"
MINUS = "−"
SMALLEST_P = 0.001
"""Below it a p value is not told in digits."""
MOST_SIGNS = 100
"""Of an id; file systems take 255 bytes."""


def safe_id(name: str) -> str:
    """Make a name of an anchor and a file: a protocol or a family may be called anything, at any length."""
    found = re.sub(r"[^A-Za-z0-9_-]+", "-", name)
    return found if len(found) <= MOST_SIGNS else f"{found[: MOST_SIGNS - 9]}-{zlib.crc32(name.encode()):08x}"


@dataclass(frozen=True)
class Estimate:
    """A share or a difference of shares with its interval; bounds are NaN where there are none, and `why` says so."""

    value: float
    low: float = math.nan
    high: float = math.nan
    n: int = 0
    people: int = 0
    why: str = ""

    @classmethod
    def of(cls, found: Interval) -> Estimate:
        """Take over an interval of `fer_bench.stats`."""
        return cls(found.value, found.low, found.high, found.n, found.people, found.reason)


class Link(str):
    """Text of a cell that HTML makes a link to an anchor of the report; other forms show the text.

    Attributes
    ----------
    target : str
        Id of a section, table or figure.
    """

    __slots__ = ("target",)
    target: str

    def __new__(cls, text: str, target: str) -> Link:
        """Keep the target beside the text."""
        found = super().__new__(cls, text)
        found.target = safe_id(target)
        return found


@dataclass(frozen=True)
class Drawing:
    """A small picture in a cell; it repeats what other cells say and so appears in HTML only."""

    svg: str


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes
    ----------
    key : str
        Name in the rows and in CSV.
    title : str
        Heading for readers.
    kind : str
        text, code, count, share (of images, shown in percent), heat (a share with a shade), difference (in points),
        points (the same, without a plus), score (a plain decimal), p, seconds, milliseconds, megabytes or drawing.
    help : str
        What the heading means, in a sentence.
    """

    key: str
    title: str
    kind: str = "text"
    help: str = ""


@dataclass(frozen=True)
class Table:
    """Rows under columns, with what a reader has to know to read them.

    Attributes
    ----------
    id : str
        Unique in a report; anchor and file name.
    title : str
    columns : tuple of Column
    rows : tuple of mapping
        Column key to value; a missing key is an empty cell.
    notes : tuple of str
    head : str
        Key of the column that names the row.
    interactive : bool
        HTML offers sorting and filtering.
    folded : bool
        HTML shows it closed.
    """

    id: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Mapping[str, Any], ...]
    notes: tuple[str, ...] = ()
    head: str = "method"
    interactive: bool = False
    folded: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", safe_id(self.id))


def with_reasons(table: Table) -> Table:
    """Add to a table's notes why some of its figures have no interval."""
    cells = [cell for row in table.rows for cell in row.values() if isinstance(cell, Estimate)]
    reasons = sorted({cell.why for cell in cells if cell.why and not math.isnan(cell.value)})
    if not reasons:
        return table
    return replace(table, notes=(*table.notes, f"[{NO_VALUE}]: no interval, as {' or '.join(reasons)}."))


@dataclass(frozen=True)
class Figure:
    """A drawing with a caption; it shows what a table holds, so Markdown prints the caption and points there.

    Attributes
    ----------
    id : str
        Unique in a report; anchor, and name of the file in ``figures/``.
    svg : str
        What the page shows: one ``<svg>`` with a ``viewBox``, made of the classes that ``figure.css`` styles; or some
        HTML around several, and then ``alone`` is given. Whoever makes it has escaped every name in it.
    caption : str
        What is drawn, with n and what the marks mean.
    table : str
        Id of the table behind it, in the same section; where it is left out, the next table after the figure.
    alone : str
        One ``<svg>`` for the file, where ``svg`` is not one.
    """

    id: str
    svg: str
    caption: str
    table: str = ""
    alone: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", safe_id(self.id))
        object.__setattr__(self, "table", safe_id(self.table))


@dataclass(frozen=True)
class Embedded:
    """A part that the page's script draws from JSON; other forms, and a page without script, show ``otherwise``.

    For what would be too large as markup, such as a matrix for each of many methods. A script file of this package
    registers the drawing as ``drawers[kind] = (place, data) => { ... }``, ``place`` being an empty ``<div>``.

    Attributes
    ----------
    id : str
        Unique in a report; anchor.
    kind : str
        Name of the drawer.
    title : str
        Told to screen readers and as a heading.
    data : object
        What `json.dumps` can write; NaN becomes null.
    otherwise : str
        One sentence: what is here and where its figures stand.
    """

    id: str
    kind: str
    title: str
    data: Any
    otherwise: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", safe_id(self.id))


@dataclass(frozen=True)
class Code:
    """Text to be copied: a command or an entry of a bibliography."""

    text: str
    language: str = ""


Block = Table | Figure | Embedded | Code | str


@dataclass(frozen=True)
class Section:
    """A part of the report: an anchor, a heading and its blocks; a plain string is a paragraph."""

    id: str
    title: str
    blocks: tuple[Block, ...]


def cell_text(column: Column, value: Any) -> str:
    """Write a cell as every form of the report shows it.

    Parameters
    ----------
    column : Column
    value : object
        Of the column's kind; None and NaN are shown as `NO_VALUE`.
    """
    if isinstance(value, Estimate):
        return " ".join(filter(None, estimate_texts(column, value)))
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return NO_VALUE
    if isinstance(value, str):
        return value
    match column.kind:
        case "count":
            return f"{int(value):,}"
        case "share" | "heat":
            return f"{100 * value:.1f}"
        case "difference":
            return _signed(value)
        case "points":
            return _unplussed(value)
        case "p":
            return f"< {SMALLEST_P}" if value < SMALLEST_P else f"{value:.3f}"
        case "score":
            return f"{value:.3f}"
        case "seconds" | "milliseconds" | "megabytes":
            return _amount(value)
        case _:
            return str(value)


def p_clause(value: float) -> str:
    """Write a p value to follow the letter in a sentence: "= 0.012" or "< 0.001"."""
    text = cell_text(Column("p", "", "p"), value)
    return text if value < SMALLEST_P else f"= {text}"


def estimate_texts(column: Column, found: Estimate) -> tuple[str, str]:
    """Write a figure, and its interval in brackets; the second is empty where there is no figure."""
    if math.isnan(found.value):
        return NO_VALUE, ""
    number = {"difference": _signed, "points": _unplussed}.get(column.kind, _percent)
    bounds = NO_VALUE if math.isnan(found.low) else f"{number(found.low)}, {number(found.high)}"
    return number(found.value), f"[{bounds}]"


def _percent(value: float) -> str:
    return f"{100 * value:.1f}"


def _signed(value: float) -> str:
    text = f"{abs(100 * value):.1f}"
    return text if text == "0.0" else f"{'+' if value > 0 else MINUS}{text}"


def _unplussed(value: float) -> str:
    return _signed(value).removeprefix("+")


def _amount(value: float) -> str:
    if value == 0 or 0.005 <= abs(value) < 10:
        return f"{value:.2f}"
    if abs(value) < 0.005:
        return "< 0.01"
    return f"{value:.1f}" if abs(value) < 100 else f"{value:,.0f}"
