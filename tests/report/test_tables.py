"""Cells read as promised, and the published figures are internally consistent."""

import csv
import io
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_bench.report.exports import table_csv
from fer_bench.report.published import STATUS_WORDS, load_published
from fer_bench.report.tables import Column, Drawing, Estimate, Table, cell_text

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
