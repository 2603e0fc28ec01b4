"""Turn a document of sections into one self-contained page. No figure is computed here."""

from __future__ import annotations

from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from ..model.document import NUMERIC, Document
from ..model.tables import (
    Block,
    Code,
    Column,
    Drawing,
    Embedded,
    Estimate,
    Figure,
    Link,
    Table,
    cell_text,
    estimate_texts,
)
from ..plots.svg import hue
from .exports import json_text

__all__ = ["html"]

DARK = 80
"""From this shade on, in percent, the text of a heat cell turns; on both sides, in both palettes, it has a contrast of
4.6 to 1 at least, which no single shade beside the turn would have."""


def html(document: Document) -> str:
    """Write one self-contained page: style and script inside, nothing fetched."""
    environment = Environment(
        loader=PackageLoader(__package__, "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"ticks": _ticks, "cell": _cell, "kind_of": _kind_of, "data": _data}
    template = environment.get_template("report.html.j2")
    style = Markup(_all_of("css", "palette.css", "figure.css", "report.css"))
    return template.render(document=document, style=style, script=Markup(_all_of("js", "report.js")))


def _text(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _all_of(ending: str, *first: str) -> str:
    """Join this package's files of a kind: those that others build on first, then the rest by name."""
    names = (file.name for file in files(__package__).iterdir() if file.name.endswith(f".{ending}"))
    return "".join(_text(name) for name in (*first, *sorted(set(names) - set(first))))


def _data(value: object) -> Markup:
    """JSON for a script element: no sign in it can end the element."""
    text = json_text(value)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)


def _kind_of(block: Block) -> str:
    return {Table: "table", Figure: "figure", Embedded: "embedded", Code: "code", str: "text"}[type(block)]


def _ticks(text: str) -> Markup:
    """Escape a sentence and set what stands between backticks as code."""
    parts = [escape(part) for part in text.split("`")]
    if len(parts) % 2 == 0:
        return escape(text)
    joined = "".join(f"<code>{part}</code>" if i % 2 else str(part) for i, part in enumerate(parts))
    return Markup(joined)


def _cell(table: Table, column: Column, value: object) -> Markup:
    """One cell of HTML; the interval is set small but belongs to the cell's text."""
    if isinstance(value, Drawing) or column.kind == "drawing":
        return Markup('<td class="draw" aria-hidden="true">{}</td>').format(
            Markup(value.svg) if isinstance(value, Drawing) else ""
        )
    text = cell_text(column, value)
    inner = _ticks(text)
    if isinstance(value, Estimate) and (parts := estimate_texts(column, value))[1]:
        inner = Markup("{} <small>{}</small>").format(*parts)
    elif isinstance(value, Link):
        inner = Markup('<a href="#{}">{}</a>').format(value.target, inner)
    elif column.kind == "code":
        inner = Markup("<code>{}</code>").format(text)
    if column.key == table.head:
        return Markup('<th scope="row">{}</th>').format(inner)
    if column.kind == "heat":
        return _heat(value, inner)
    if column.key == "family":
        return Markup('<td class="fam {}">{}</td>').format(hue(text) if text else "", inner)
    if column.kind in NUMERIC:
        return Markup('<td class="num">{}</td>').format(inner)
    return Markup("<td>{}</td>").format(inner)


def _heat(value: object, inner: Markup) -> Markup:
    share = value.value if isinstance(value, Estimate) else value
    if not isinstance(share, (int, float)) or share != share:
        return Markup('<td class="num">{}</td>').format(inner)
    shade = round(100 * share)
    dark = shade >= DARK
    return Markup('<td class="num h{}" style="--v:{}%">{}</td>').format(
        " d" if dark else "", max(shade, DARK + 1) if dark else shade, inner
    )
