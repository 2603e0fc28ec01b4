"""Values for other programs, at full precision: one CSV a table, and one JSON that holds everything."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from fer_bench.utils.spreadsheets import guarded

from ..model.document import Document, embedded_of, figures_of, tables_of
from ..model.tables import Column, Drawing, Estimate, Table

__all__ = ["document_json", "json_text", "table_csv"]

_PARTS = ("low", "high", "n", "people")


def table_csv(table: Table) -> str:
    """Write a table's values at full precision; an estimate takes three columns and its counts two more."""
    columns = [column for column in table.columns if column.kind != "drawing"]
    wide = {c.key for c in columns if any(isinstance(row.get(c.key), Estimate) for row in table.rows)}
    header: list[str] = []
    for column in columns:
        header += [column.key, *([f"{column.key}_{part}" for part in _PARTS] if column.key in wide else [])]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(map(guarded, header))
    for row in table.rows:
        cells: list[object] = []
        for column in columns:
            value = row.get(column.key)
            if isinstance(value, Estimate):
                cells += [value.value, value.low, value.high, value.n, value.people]
            else:
                cells += [guarded(value), *([None] * len(_PARTS) if column.key in wide else [])]
        writer.writerow(cells)
    return out.getvalue()


def document_json(document: Document, files: Sequence[str] = ()) -> str:
    """Write everything that the report says as JSON: texts, tables with values, n and intervals, figures' tables.

    A share is in [0, 1], a difference of shares in [-1, 1]; what has no value is null.

    Parameters
    ----------
    document : Document
    files : sequence of str
        Names of the files that are written beside it, told under ``files``.
    """
    sections = [
        {
            "id": section.id,
            "title": section.title,
            "texts": [block for block in section.blocks if isinstance(block, str)],
            "tables": [block.id for block in section.blocks if isinstance(block, Table)],
        }
        for section in document.sections
    ]
    figures = [
        {"id": found.id, "caption": found.caption, "file": f"figures/{found.id}.svg", "table": found.table}
        for found in figures_of(document)
    ]
    return json_text(
        {
            "schema": 1,
            "title": document.title,
            "subtitle": document.subtitle,
            "warnings": document.warnings,
            "headlines": document.headlines,
            "sections": sections,
            "tables": [_table(table) for table in tables_of(document)],
            "figures": figures,
            "drawn": [{"id": d.id, "kind": d.kind, "title": d.title, "data": d.data} for d in embedded_of(document)],
            "files": files,
        }
    )


def json_text(value: Any) -> str:
    """Write JSON that every reader takes: no NaN, no number types of numpy; equal values give equal bytes."""
    return json.dumps(_plain(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _table(table: Table) -> dict[str, Any]:
    columns = [column for column in table.columns if column.kind != "drawing"]
    return {
        "id": table.id,
        "title": table.title,
        "columns": [_column(column) for column in columns],
        "rows": [{c.key: row[c.key] for c in columns if c.key in row} for row in table.rows],
        "notes": table.notes,
    }


def _column(column: Column) -> dict[str, str]:
    return {"key": column.key, "title": column.title, "kind": column.kind, "help": column.help}


def _plain(value: Any) -> Any:
    """Reduce a value to what JSON has."""
    match value:
        case Estimate():
            parts = ("value", "low", "high", "n", "people")
            found = {name: _plain(getattr(value, name)) for name in parts}
            return found | ({"why": value.why} if value.why else {})
        case Drawing():
            return None
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case bool() | None | str() | int():
            return value
        case float():
            return float(value) if math.isfinite(value) else None
        case _ if hasattr(value, "tolist"):
            return _plain(value.tolist())
        case _:
            return str(value)
