"""HTML, Markdown, CSV, JSON, LaTeX and SVG are forms of the same tables: they hold the same numbers."""

import csv
import json
import math
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulate import Simulation, write_run
from test_report import html_tables, markdown_tables

from fer_bench.report import write_report
from fer_bench.report.formats.figures import figure_svg
from fer_bench.report.formats.html import html
from fer_bench.report.formats.latex import escape_tex
from fer_bench.report.formats.markdown import COMMENT, summary
from fer_bench.report.model.document import Document
from fer_bench.report.model.tables import Column, Embedded, Estimate, Figure, Section, Table, cell_text

METHODS = (
    "linear_svc-lbp",
    "knn-pixels",
    "tree-dwt",
    "gnb-lbp",
    "cnn2-48",
    "cnn2-64",
    "resnet18-entire",
    "vgg16-dense",
)
STATES = {"knn-pixels": "partial", "tree-dwt": "failed", "cnn2-64": "skipped"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    simulation = Simulation(people=21, sessions=1, folds=3, methods=METHODS, states=STATES, epochs=3)
    return write_report([write_run(tmp_path_factory.mktemp("runs") / "run", simulation)]).parent


@pytest.fixture(scope="module")
def everything(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "tables" / "report.json").read_text(encoding="utf-8"), parse_constant=pytest.fail)


def value_of(cell: Any) -> Any:
    """A cell of report.json as the tables had it: null is no number."""
    if not isinstance(cell, dict):
        return cell
    parts = {name: math.nan if cell[name] is None else cell[name] for name in ("value", "low", "high", "n", "people")}
    return Estimate(**parts, why=cell.get("why", ""))


def texts(table: dict[str, Any]) -> list[list[str]]:
    """Rows of a table of report.json, worded as every form words them."""
    columns = [Column(**column) for column in table["columns"]]
    return [[cell_text(c, value_of(row.get(c.key, ""))) for c in columns] for row in table["rows"]]


def plain(text: str) -> str:
    return " ".join(text.replace("`", "").split())


def test_page_and_markdown_say_what_json_holds(folder: Path, everything: dict[str, Any]) -> None:
    """Every table of report.json, worded anew from its values, is in the page and in the Markdown cell by cell."""
    page = html_tables((folder / "report.html").read_text(encoding="utf-8")).found
    twin = markdown_tables((folder / "report.md").read_text(encoding="utf-8"))
    mine = [(table["title"], texts(table)) for table in everything["tables"] if table["rows"]]
    for form in (page, twin):
        found = [(title, rows[1:]) for title, rows in form if len(rows) > 1]
        assert [title for title, _ in found] == [plain(title) for title, _ in mine]
        for (title, rows), (_, expected) in zip(found, mine, strict=True):
            assert [[plain(c) for c in row] for row in rows] == [[plain(c) for c in row] for row in expected], title
    assert len(mine) > 15


def test_csv_holds_what_json_holds(folder: Path, everything: dict[str, Any]) -> None:
    """Every number, bound and count of report.json is in the CSV of its table, to the last digit."""
    checked = 0
    for table in everything["tables"]:
        file = folder / "tables" / f"{table['id']}.csv"
        rows = list(csv.DictReader(file.open(encoding="utf-8", newline="")))
        assert len(rows) == len(table["rows"])
        for row, expected in zip(rows, table["rows"], strict=True):
            for key, cell in expected.items():
                parts = {"": "value", "_low": "low", "_high": "high", "_n": "n", "_people": "people"}
                for ending, part in parts.items() if isinstance(cell, dict) else ():
                    written = float(row[key + ending])
                    assert written == cell[part] or (cell[part] is None and math.isnan(written))
                    checked += 1
                if isinstance(cell, float):
                    assert float(row[key]) == cell
                    checked += 1
    assert checked > 500


def untex(cell: str) -> str:
    """A cell of figures in LaTeX as it is printed."""
    signs = {"{[}": "[", "{]}": "]", "$-$": "−", "--": "–", r"\textless{}": "<", r"\%": "%"}
    for written, sign in signs.items():
        cell = cell.replace(written, sign)
    return cell.strip()


def test_latex_prints_what_json_holds(folder: Path, everything: dict[str, Any]) -> None:
    """Numbers, intervals and names of every table stand in its LaTeX rows, column for column."""
    checked = 0
    for table in everything["tables"]:
        text = (folder / "tables" / f"{table['id']}.tex").read_text(encoding="utf-8")
        body = text.split("\\midrule")[1].split("\\bottomrule" if "{tabular}" in text else "\\end{longtable}")[0]
        lines = [line for line in body.splitlines() if line.endswith(r" \\")]
        assert len(lines) == len(table["rows"]), table["id"]
        kinds = [column["kind"] for column in table["columns"]]
        for line, row in zip(lines, texts(table), strict=True):
            cells = re.split(r"(?<!\\) & ", line.removesuffix(r" \\"))
            for kind, cell, expected in zip(kinds, cells, row, strict=True):
                if kind not in ("text", "code"):
                    assert untex(cell) == expected.strip()
                    checked += 1
    assert checked > 500


@given(st.text(max_size=40))
def test_latex_escapes_any_text(text: str) -> None:
    """Whatever the text, braces are in balance and no sign is left that LaTeX acts upon."""
    found = escape_tex(text)
    assert found.replace(r"\{", "").count("{") == found.replace(r"\}", "").count("}")
    bare = re.sub(r"\\(text[a-z]+|ldots|times|pm|leq|geq|mu|to)\b|\\[{}$&#_%]|\$-\$|\$", "", found)
    assert not set(bare) & set("\\&#%^_") - set("~")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no LaTeX is installed")
def test_latex_compiles(folder: Path, tmp_path: Path) -> None:
    """pdfLaTeX takes every table without an error."""
    files = sorted((folder / "tables").glob("*.tex"))
    opening = (
        r"\documentclass{article}\usepackage[paperwidth=150cm,paperheight=100cm]{geometry}"
        r"\usepackage{booktabs,longtable,textcomp}\usepackage[T1]{fontenc}\begin{document}"
    )
    pages = "".join(rf"\input{{{file}}}\clearpage" for file in files)
    (tmp_path / "all.tex").write_text(opening + pages + r"\end{document}", encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "all.tex"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False)
    assert ended.returncode == 0, ended.stdout[-2000:]


def test_figures_stand_alone(folder: Path, everything: dict[str, Any]) -> None:
    """Each figure is well-formed SVG with its own style, no variable of the page, and a table behind it."""
    tables = {table["id"] for table in everything["tables"]}
    assert {figure["file"] for figure in everything["figures"]} == {
        f"figures/{file.name}" for file in (folder / "figures").iterdir()
    }
    assert len(everything["figures"]) > 3
    for figure in everything["figures"]:
        assert figure["table"] in tables, figure["id"]
        text = (folder / figure["file"]).read_text(encoding="utf-8")
        root = ET.fromstring(text)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert float(root.attrib["width"]) > 100
        assert float(root.attrib["height"]) > 40
        assert "var(" not in text
        assert "<style>" in text
        assert not re.search(r"(href|src)=|@import|url\(", text)


def test_a_figure_without_a_view_box_is_refused() -> None:
    """HTML around drawings is no file: whoever makes it gives one drawing for the file."""
    with pytest.raises(ValueError, match="expected one <svg> with a viewBox"):
        figure_svg(Figure("f", "<div><svg></svg></div>", "caption"))


def test_summary_fits_a_comment() -> None:
    """However long the report, its summary fits a comment and says what it left out."""
    columns = (Column("method", "method"), Column("note", "note"))
    rows = tuple({"method": f"m{i}", "note": "x" * 1000} for i in range(50))
    sections = tuple(Section(f"s{i}", f"Part {i}", (Table(f"t{i}", f"T{i}", columns, rows),)) for i in range(20))
    text = summary(Document("T", "", (), ("H",), (), sections))
    assert len(text) <= 65_536
    assert len(text) < COMMENT + 1000
    assert "- The first 10 of 50 rows." in text
    assert "Left out here for length: Part" in text
    assert "m9 |" in text
    assert "m10 |" not in text


def test_embedded_data_cannot_leave_their_element() -> None:
    """What a drawer gets is what was embedded, and no text in it ends the script or starts another."""
    data = {"names": ["</script><script>alert(1)</script>", "<!--", "\u2028"], "values": [[0.5, math.nan]]}
    page = html(Document("T", "", (), (), (), (Section("s", "S", (Embedded("e", "k", "E", data, "See T."),)),)))
    found = re.search(r'<script type="application/json" data-draw="k">(.*?)</script>', page, re.DOTALL)
    assert found
    assert json.loads(found[1]) == {"names": data["names"], "values": [[0.5, None]]}
    assert "<script>alert" not in page


def test_ids_that_would_meet_are_told_apart(tmp_path: Path) -> None:
    """Protocols whose names differ in signs or case alone get tables, files and anchors of their own."""
    protocols = ("given-a b", "given-a/b", "given-A b")
    simulation = Simulation(people=4, sessions=1, folds=2, methods=("gnb-lbp",), protocols=protocols, curves=False)
    out = write_report([write_run(tmp_path / "run", simulation)]).parent
    names = {file.name.lower() for file in (out / "tables").glob("leaderboard-*.csv")}
    assert len(names) == 3
    ids = html_tables((out / "report.html").read_text(encoding="utf-8")).ids
    assert len({one.lower() for one in ids}) == len(ids)
