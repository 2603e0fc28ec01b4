"""The simulation of families runs, and a small seeded version of it is not grossly off."""

from pathlib import Path

import pytest
import simulate_families as simulation

FIGURES = Path(__file__).parents[2] / "benchmarks" / "results" / "families.md"


def test_families_keep_their_level_in_short() -> None:
    """10 people, 5 methods, 60 repeats: few false positives, intervals hold together, and more power than Holm's."""
    found = simulation.family(10, 5, 60, seed=1)
    assert found["any false positive"] <= 0.15
    assert found["any false positive, half behind"] <= 0.15
    assert found["all intervals hold"] >= 0.85
    assert found["power, Holm"] <= found["power"] <= found["power, stepping down"]


@pytest.mark.parametrize(("people", "methods"), [(7, 3), (12, 3), (12, 6)])
def test_the_detectable_difference_is_found_in_short(people: int, methods: int) -> None:
    """Few people, 3 and 15 pairs, 200 repeats: a lead of the printed size is found in 75 to 85 of 100, within error."""
    found = simulation.detectable(people, methods, 200, seed=1)
    assert found["lead"] == pytest.approx(found["printed"], rel=0.1)
    assert 0.72 <= found["power"] <= 0.88


@pytest.mark.parametrize("uneven", [False, True])
def test_intervals_hold_in_short(uneven: bool) -> None:
    """10 people near the ceiling, 200 repeats: coverage is not grossly off, uneven numbers of images included."""
    assert 0.9 <= simulation.coverage(10, 40, 0.95, uneven, 200, seed=1) <= 0.995


def rows(heading: str) -> list[dict[str, str]]:
    """Rows of the table under a heading of the committed figures."""
    text = FIGURES.read_text(encoding="utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]
    head, _, *body = ([cell.strip() for cell in line.strip("|").split("|")] for line in text.split("\n") if "|" in line)
    return [dict(zip(head, row, strict=True)) for row in body]


def test_the_committed_figures_hold() -> None:
    """Of 1,000 repeats, or as rows say: false positives, joint intervals and power are as wanted, within noise."""
    assert "1,000 repeats (fewer where rows say so), seed 1" in FIGURES.read_text(encoding="utf-8")
    together = rows("All pairs at once")
    assert {row["pairs"] for row in together} == {"3", "990", "11,175"}
    for row in together:
        limit = 5 + noise_of(row)
        assert float(row["any false positive"]) <= limit
        assert float(row["the same, half behind"]) <= limit
        assert float(row["all intervals hold"]) >= 95 - noise_of(row)
    leads = rows("Detectable differences")
    assert {row["pairs"] for row in leads} == {"1", "3", "45", "435", "3,003"}
    for row in leads:
        possible = row["found"] != "" and float(row["printed, points"]) < 50  # above, the file says why
        assert not possible or abs(float(row["found"]) - 80) <= 5 + noise_of(row)


def noise_of(row: dict[str, str]) -> float:
    """Half width of the 95 % range that a row states."""
    return float(row["repeats"].partition("±")[2].rstrip(")"))


def test_the_document_states_the_committed_range() -> None:
    """docs/statistics.md says how often leads of the printed size are found, as the committed file does."""
    text = " ".join((FIGURES.parents[2] / "docs" / "statistics.md").read_text(encoding="utf-8").split())
    told = [row for row in rows("Detectable differences") if row["found"]]
    found = [float(row["found"]) for row in told if float(row["printed, points"]) < 50]
    assert f"is found in {min(found)} to {max(found)} % of runs" in text
