"""Turn a document of sections into HTML, Markdown and CSV. No figure is computed here."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from .tables import Block, Code, Column, Drawing, Estimate, Figure, Section, Table, cell_text

__all__ = ["Document", "html", "markdown", "table_csv", "tables_of"]


@dataclass(frozen=True)
class Document:
    """A whole report.

    Attributes
    ----------
    title, subtitle : str
    warnings : tuple of str
        Said before everything else.
    headlines : tuple of str
        One sentence a run.
    glance : tuple of Table
        Facts beside the headline, one table a run.
    sections : tuple of Section
    """

    title: str
    subtitle: str
    warnings: tuple[str, ...]
    headlines: tuple[str, ...]
    glance: tuple[Table, ...]
    sections: tuple[Section, ...]


def tables_of(document: Document) -> Iterator[Table]:
    """All tables, in reading order."""
    yield from document.glance
    for section in document.sections:
        yield from (block for block in section.blocks if isinstance(block, Table))


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
    environment.filters |= {"ticks": _ticks, "cell": _cell, "kind_of": _kind_of}
    template = environment.get_template("report.html.j2")
    return template.render(document=document, style=Markup(_text("report.css")), script=Markup(_text("report.js")))


def markdown(document: Document) -> str:
    """Write the same document as Markdown; figures repeat tables and so leave only their captions."""
    lines = [f"# {_plain(document.title)}", "", _plain(document.subtitle), ""]
    lines += [f"> **{_plain(text)}**\n>" for text in document.warnings]
    lines += ["", *[f"**{_plain(text)}**\n" for text in document.headlines]]
    for table in document.glance:
        lines += _markdown_table(table, level=3)
    for section in document.sections:
        lines += [f"## {_plain(section.title)}", ""]
        for block in section.blocks:
            lines += _markdown_block(block)
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines))
    return text.rstrip() + "\n"


def table_csv(table: Table) -> str:
    """Write a table's values at full precision; an estimate takes three columns and its counts two more."""
    columns = [column for column in table.columns if column.kind != "drawing"]
    wide = {c.key for c in columns if any(isinstance(row.get(c.key), Estimate) for row in table.rows)}
    header: list[str] = []
    for column in columns:
        header += [column.key, *([f"{column.key}_{part}" for part in _PARTS] if column.key in wide else [])]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    for row in table.rows:
        cells: list[object] = []
        for column in columns:
            value = row.get(column.key)
            if isinstance(value, Estimate):
                cells += [value.value, value.low, value.high, value.n, value.people]
            else:
                cells += [value, *([None] * len(_PARTS) if column.key in wide else [])]
        writer.writerow(cells)
    return out.getvalue()


_PARTS = ("low", "high", "n", "people")
HIGH = 0.78
"""From this share on a heat cell is dark enough that its text turns; both sides keep a contrast of 4.4 to 1."""
NUMERIC = ("count", "share", "heat", "difference", "score", "p", "seconds", "milliseconds", "megabytes")


def _text(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _kind_of(block: Block) -> str:
    return {Table: "table", Figure: "figure", Code: "code", str: "text"}[type(block)]


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
    if isinstance(value, Estimate) and " [" in text:
        number, interval = text.split(" [", 1)
        inner = Markup("{} <small>[{}</small>").format(number, interval)
    elif column.kind == "code":
        inner = Markup("<code>{}</code>").format(text)
    if column.key == table.head:
        return Markup('<th scope="row">{}</th>').format(inner)
    if column.kind == "heat":
        return _heat(value, inner)
    if column.key == "family":
        return Markup('<td class="fam {}">{}</td>').format(f"f-{text}" if text.isidentifier() else "", inner)
    if column.kind in NUMERIC:
        return Markup('<td class="num">{}</td>').format(inner)
    return Markup("<td>{}</td>").format(inner)


def _heat(value: object, inner: Markup) -> Markup:
    share = value.value if isinstance(value, Estimate) else value
    if not isinstance(share, (int, float)) or share != share:
        return Markup('<td class="num">{}</td>').format(inner)
    return Markup('<td class="num h{}" style="--v:{}%">{}</td>').format(
        " d" if share >= HIGH else "", round(100 * share), inner
    )


def _markdown_block(block: Block) -> Sequence[str]:
    match block:
        case Table():
            return _markdown_table(block, level=3)
        case Figure():
            return [f"*Figure (in the HTML report): {_plain(block.caption)}*", ""]
        case Code():
            fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", block.text)), default=0))
            return [f"{fence}{block.language}", block.text.rstrip(), fence, ""]
        case _:
            return [_plain(block), ""]


def _markdown_table(table: Table, level: int) -> list[str]:
    columns = [column for column in table.columns if column.kind != "drawing"]
    lines = [f"{'#' * level} {_plain(table.title)}", ""]
    lines.append("| " + " | ".join(_plain(column.title) for column in columns) + " |")
    lines.append("|" + "|".join("---:" if column.kind in NUMERIC else "---" for column in columns) + "|")
    for row in table.rows:
        cells = (_plain(cell_text(column, row.get(column.key, ""))) for column in columns)
        lines.append("| " + " | ".join(cells) + " |")
    return [*lines, "", *[f"- {_plain(note)}" for note in table.notes], ""]


def _plain(text: str) -> str:
    """Escape what Markdown or HTML would take for markup; code between backticks stays code."""
    one_line = " ".join(str(text).split())
    parts = one_line.split("`")
    if len(parts) % 2 == 0:
        parts, one_line = [one_line.replace("`", "'")], one_line.replace("`", "'")
    for i in range(0, len(parts), 2):
        parts[i] = re.sub(r"([\\*|~])", r"\\\1", parts[i].replace("&", "&amp;").replace("<", "&lt;"))
    for i in range(1, len(parts), 2):
        parts[i] = parts[i].replace("|", r"\|")
    return "`".join(parts)
