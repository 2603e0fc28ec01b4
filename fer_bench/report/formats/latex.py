"""Tables for a paper: booktabs, one file a table, everything that LaTeX would act upon escaped."""

from __future__ import annotations

import re
import unicodedata

from ..model.document import NUMERIC
from ..model.tables import Column, Table, cell_text

__all__ = ["escape_tex", "table_tex"]

LONG = 40
"""From this many rows on a table may break over pages."""
WIDE = 40
"""Texts of more characters than this are set in lines of a fixed width."""

_SPECIAL = {
    **{"\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%"},
    **{"^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}"},
    **{"|": r"\textbar{}", '"': r"\textquotedbl{}", "`": r"\textasciigrave{}", "'": r"\textquotesingle{}"},
    # after a line's end a bracket or a star would be an argument; hyphens, ? and ! would join to other signs
    **{"[": "{[}", "]": "{]}", "*": "{*}", "-": "{-}", "?": "{?}", "!": "{!}", ",": "{,}"},
    **{"−": "$-$", "–": "--", "—": "---", "×": r"$\times$", "±": r"$\pm$", "≤": r"$\leq$", "≥": r"$\geq$"},
    **{"\u00a0": "~", "…": r"\ldots{}", "µ": r"$\mu$", "→": r"$\to$"},
}


def table_tex(table: Table) -> str:
    """Write a table as a floating ``table``, or as a ``longtable`` that breaks over pages where it is long.

    Parameters
    ----------
    table : Table
        Its cells read as in every other form; drawings are left out.
    """
    columns = [column for column in table.columns if column.kind != "drawing"]
    cells = [[cell_text(column, row.get(column.key, "")) for column in columns] for row in table.rows]
    layout = "".join(_alignment(column, [row[i] for row in cells]) for i, column in enumerate(columns))
    head = _row([column.title for column in columns])
    body = [_row(row) for row in cells]
    caption = rf"\caption{{{escape_tex(table.title)}}}\label{{tab:{table.id}}}"
    notes = [rf"\par\smallskip\footnotesize {escape_tex(note)}" for note in table.notes]
    if len(body) > LONG:
        opening = [rf"\begin{{longtable}}{{{layout}}}", caption + r"\\"]
        repeated = [r"\toprule", head, r"\midrule", r"\endhead", r"\bottomrule", r"\endlastfoot"]
        lines = [r"\begingroup\small", *opening, *repeated, *body, r"\end{longtable}", *notes, r"\endgroup"]
    else:
        grid = [rf"\begin{{tabular}}{{{layout}}}", r"\toprule", head, r"\midrule", *body, r"\bottomrule"]
        lines = [r"\begin{table}", r"\centering\small", caption, *grid, r"\end{tabular}", *notes, r"\end{table}"]
    needs = "% \\usepackage{booktabs,longtable,textcomp}, \\usepackage[T1]{fontenc}; the file is UTF-8"
    return "\n".join([needs, *lines, ""])


def escape_tex(text: str) -> str:
    """Escape a sentence; what stands between backticks is set in typewriter letters."""
    one_line = " ".join("".join(c if unicodedata.category(c) != "Cc" else " " for c in str(text)).split(" "))
    one_line = re.sub(" +", " ", one_line).strip()
    parts = one_line.split("`")
    if len(parts) % 2 == 0:
        return _escaped(one_line)
    return "".join(rf"\texttt{{{_escaped(part)}}}" if i % 2 else _escaped(part) for i, part in enumerate(parts))


def _escaped(text: str) -> str:
    """Escape sign by sign; a hyphen or comma that stands alone needs no braces."""
    found = "".join(_SPECIAL.get(sign, sign) for sign in text)
    found = re.sub(r"(?<!\{-\})\{-\}(?!\{-\})", "-", found)
    return re.sub(r"(?<!\{,\})\{,\}(?!\{,\})", ",", found)


def _row(cells: list[str]) -> str:
    return " & ".join(map(escape_tex, cells)) + r" \\"


def _alignment(column: Column, cells: list[str]) -> str:
    if column.kind in NUMERIC:
        return "r"
    return "l" if max(map(len, cells), default=0) <= WIDE else "p{5.5cm}"
