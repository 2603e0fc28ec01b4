"""The report as Markdown, to be read in a pull request; figures repeat tables and so leave only their captions."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence

from ..model.document import NUMERIC, Document
from ..model.tables import Block, Code, Embedded, Figure, Table, cell_text

__all__ = ["markdown", "summary"]

COMMENT = 60_000
"""Signs that a comment of a pull request may hold, with room for a line of one's own: GitHub takes 65,536."""
MOST_ROWS = 10
"""Of a table in the summary."""


def markdown(document: Document) -> str:
    """Write the whole document as GitHub's Markdown."""
    lines = _opening(document)
    for section in document.sections:
        lines += [f"## {_plain(section.title)}", ""]
        for block in section.blocks:
            lines += _block(block)
    return _joined(lines)


def summary(document: Document) -> str:
    """Write the part that fits into one comment on a pull request: folded tables left out, long ones cut short.

    Sections follow in reading order for as long as they fit.
    """
    lines = _opening(document)
    left_out = []
    for section in document.sections:
        part = [f"## {_plain(section.title)}", ""]
        for block in section.blocks:
            if isinstance(block, Table) and not block.folded:
                part += _table(block, most=MOST_ROWS)
            elif isinstance(block, str | Code):
                part += _block(block)
        if len(_joined([*lines, *part])) > COMMENT:
            left_out.append(section.title)
        else:
            lines += part
    if left_out:
        lines += [f"Left out here for length: {_plain(', '.join(left_out))}.", ""]
    return _joined([*lines, "All rows, folded tables and figures stand in `report.html` and `report.md`."])


def _opening(document: Document) -> list[str]:
    lines = [f"# {_plain(document.title)}", "", _plain(document.subtitle), ""]
    lines += [f"> **{_plain(text)}**\n>" for text in document.warnings]
    lines += ["", *[f"**{_plain(text)}**\n" for text in document.headlines]]
    for table in document.glance:
        lines += _table(table)
    return lines


def _joined(lines: Sequence[str]) -> str:
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).rstrip() + "\n"


def _block(block: Block) -> Sequence[str]:
    match block:
        case Table():
            return _table(block)
        case Figure():
            return [f"*Figure `figures/{block.id}.svg`: {_plain(block.caption)}*", ""]
        case Embedded():
            return [_paragraph(block.otherwise), ""]
        case Code():
            fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", block.text)), default=0))
            return [f"{fence}{block.language}", block.text.rstrip(), fence, ""]
        case _:
            return [_paragraph(block), ""]


def _table(table: Table, most: int = sys.maxsize) -> list[str]:
    columns = [column for column in table.columns if column.kind != "drawing"]
    lines = [f"### {_plain(table.title)}", ""]
    lines.append("| " + " | ".join(_plain(column.title) for column in columns) + " |")
    lines.append("|" + "|".join("---:" if column.kind in NUMERIC else "---" for column in columns) + "|")
    for row in table.rows[:most]:
        cells = (_plain(cell_text(column, row.get(column.key, ""))) for column in columns)
        lines.append("| " + " | ".join(cells) + " |")
    cut = [f"- The first {most} of {len(table.rows):,} rows."] if len(table.rows) > most else []
    return [*lines, "", *cut, *[f"- {_plain(note)}" for note in table.notes], ""]


def _paragraph(text: str) -> str:
    """Escape what opens a heading, a list or a quotation at the start of a line, too."""
    return re.sub(r"^([#>+=-]|\d+(?=[.)]))", r"\\\1", _plain(text))


def _plain(text: str) -> str:
    """Escape what Markdown or HTML would take for markup; code between backticks stays code."""
    one_line = " ".join(str(text).split())
    parts = one_line.split("`")
    if len(parts) % 2 == 0:
        parts = [one_line.replace("`", "'")]
    for i in range(0, len(parts), 2):
        safe = parts[i].replace("&", "&amp;").replace("<", "&lt;")
        safe = re.sub(r"([\\*|~]|(?<=\])[(:]|(?<![^\W_])_|_(?![^\W_]))", r"\\\1", safe)
        parts[i] = safe
    for i in range(1, len(parts), 2):
        parts[i] = parts[i].replace("|", r"\|")
    return "`".join(parts)
