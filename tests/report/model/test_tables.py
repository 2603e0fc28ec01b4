"""Cells read as promised, and the published figures are internally consistent."""

import csv
import io
import math
import re
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_bench.report.formats.exports import table_csv
from fer_bench.report.formats.html import _cell
from fer_bench.report.model.tables import Column, Drawing, Estimate, Table, cell_text, p_clause
from fer_bench.report.sections.published import STATUS_WORDS, load_published

NAN = math.nan


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("share", Estimate(0.8314, 0.8, 0.86), "83.1 [80.0, 86.0]"),
        ("share", Estimate(0.8314), "83.1 [–]"),
        ("share", Estimate(NAN), "–"),
        ("difference", Estimate(-0.021, -0.05, 0.0001), "−2.1 [−5.0, 0.0]"),
        ("difference", Estimate(0.123, 0.098, 0.147), "+12.3 [+9.8, +14.7]"),
        ("difference", -0.00004, "0.0"),
        ("points", Estimate(0.123, -0.004, 0.147), "12.3 [−0.4, 14.7]"),
        ("points", 0.123, "12.3"),
        ("p", 0.00004, "< 0.001"),
        ("p", 0.04951, "0.050"),
        ("seconds", 0.0, "0.00"),
        ("seconds", 0.001, "< 0.01"),
        ("seconds", 12.345, "12.3"),
        ("seconds", 3601.0, "3,601"),
        ("count", 4900, "4,900"),
        ("score", 0.41251, "0.413"),
        ("count", None, "–"),
        ("share", NAN, "–"),
        ("text", "<b>", "<b>"),
    ],
)
def test_cells_read_as_promised(kind: str, value: object, text: str) -> None:
    """One value of each kind, and what stands for no value."""
    assert cell_text(Column("x", "x", kind), value) == text


@pytest.mark.parametrize(("value", "text"), [(0.00099, "< 0.001"), (0.001, "= 0.001"), (1.0, "= 1.000")])
def test_a_p_value_follows_its_letter(value: float, text: str) -> None:
    """In a sentence p equals what its cell shows, or is below the smallest that is told."""
    assert p_clause(value) == text


@given(st.floats(-1, 1), st.floats(0, 1), st.floats(0, 1))
def test_differences_keep_their_sign(value: float, below: float, above: float) -> None:
    """A difference reads back to within rounding, minus signs included."""
    text = cell_text(Column("x", "x", "difference"), Estimate(value, value - below, value + above))
    read = [float(part.strip("[],").replace("−", "-")) for part in text.split()]
    assert read == pytest.approx([100 * value, 100 * (value - below), 100 * (value + above)], abs=0.0501)


def test_csv_keeps_full_precision() -> None:
    """An estimate takes five columns at full precision; drawings are left out."""
    columns = (Column("method", "m"), Column("accuracy", "a", "share"), Column("bar", "b", "drawing"))
    rows = ({"method": "a,b", "accuracy": Estimate(1 / 3, 0.1, 0.9, 70, 7), "bar": Drawing("<svg/>")}, {"method": "c"})
    found = list(csv.DictReader(io.StringIO(table_csv(Table("t", "t", columns, rows)))))
    assert float(found[0]["accuracy"]) == 1 / 3
    assert (found[0]["accuracy_low"], found[0]["accuracy_n"], found[0]["accuracy_people"]) == ("0.1", "70", "7")
    assert found[1] == {"method": "c", **dict.fromkeys(list(found[0])[1:], "")}
    assert "bar" not in found[0]


def test_ids_are_safe_file_names() -> None:
    """Whatever a protocol is called, a table's id names a file in its own folder."""
    assert Table("leaderboard-../../etc/<x> y", "t", (), ()).id == "leaderboard--etc-x-y"


def test_published_figures_are_consistent() -> None:
    """Every status is known, Table 4 holds 484 of 490, and Tables 2 and 3 agree on VGG-16."""
    published = load_published()
    rows = {(table.id, row.label): row for table in published.tables for row in table.rows}
    assert {row.status for row in rows.values()} <= set(STATUS_WORDS)
    assert all(0 < row.published < 100 and row.ours for row in rows.values())
    assert [sum(row) for row in published.confusion.counts] == [70] * 7
    assert sum(published.confusion.counts[i][i] for i in range(7)) == 484
    assert rows["article-2", "entire model"].published == rows["article-3", "VGG-16"].published == 93.47


def shade(share: float) -> tuple[bool, int]:
    """Whether the text of a heat cell turns, and its shade in percent."""
    cell = str(_cell(Table("t", "t", (), ()), Column("x", "x", "heat"), share))
    found = re.search(r'class="num h( d)?" style="--v:(\d+)%"', cell)
    assert found
    return bool(found[1]), int(found[2])


def luminance(colour: list[float]) -> float:
    """Relative luminance of an sRGB colour in 0..255, as WCAG 2.2 defines it."""
    red, green, blue = ((c / 255 / 12.92) if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_every_heat_cell_can_be_read(theme: int) -> None:
    """Text on each of the 101 shades has a contrast of at least 4.5 to 1, in both palettes."""
    palette = (
        files("fer_bench.report.formats").joinpath("palette.css").read_text(encoding="utf-8").split(":root{")[1 + theme]
    )
    colours = dict(re.findall(r"--(\w+):#([0-9a-f]{3,6})\b", palette))
    rgb = {name: [int(c * (2 if len(c) == 1 else 1), 16) for c in re.findall("." * (len(text) // 3), text)]
           for name, text in colours.items()}  # fmt: skip
    for percent in range(101):
        dark, value = shade(percent / 100)
        mixed = [round(h * value / 100 + p * (1 - value / 100)) for h, p in zip(rgb["heat"], rgb["paper"], strict=True)]
        light, deep = sorted((luminance(mixed), luminance(rgb["high" if dark else "low"])), reverse=True)
        assert (light + 0.05) / (deep + 0.05) >= 4.5, percent


@pytest.mark.parametrize("family", ["classical", "cnn", "deep", "literature", "rendered", "a plug-in's"])
def test_every_family_has_a_colour_and_a_shape(family: str) -> None:
    """The mark before a family's name is one that the stylesheet draws, whoever brought the family."""
    column = Column("family", "family", "text")
    cell = str(_cell(Table("t", "t", (column,), ()), column, family))
    mark = re.search(r'class="fam (f-[a-z]+)"', cell)
    assert mark, cell
    page = "".join(
        files("fer_bench.report.formats").joinpath(name).read_text() for name in ("palette.css", "report.css")
    )
    assert f".{mark[1]}{{--f:" in page
    assert mark[1] == "f-cnn" or f".fam.{mark[1]}::before" in page  # a small network's is the plain square
