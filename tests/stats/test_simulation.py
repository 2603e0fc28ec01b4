"""Intervals and tests keep their promises on simulated people; the committed figures are those of the command."""

from pathlib import Path

import pytest
import simulate_folds
import simulate_metrics
import simulate_statistics as simulation

ROOT = Path(__file__).parents[2]
FIGURES = ROOT / "benchmarks" / "results" / "statistics.md"
LOOSE = 100 * simulation.noise(simulation.REPEATS)
"""What a rate may be off by chance, in points."""


def table(heading: str) -> list[dict[str, str]]:
    """Rows of the table under a heading of the committed figures."""
    text = FIGURES.read_text(encoding="utf-8")
    assert heading in text
    lines = [line for line in text.split(heading)[1].split("\n## ")[0].splitlines() if line.startswith("|")]
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [dict(zip(head, row, strict=True)) for row in rows]


def test_the_truth_is_the_truth() -> None:
    """Simulated answers are right as often as the scenario says, for both methods, within sampling error."""
    case = simulation.Scenario("truth", a=0.9, b=0.6, people=4000, images=10)
    draws = next(simulation.chunks(case, 1, seed=0))[1]
    assert draws.right.mean(axis=(1, 2, 3)) == pytest.approx([0.9, 0.6], abs=0.01)


def test_people_differ_as_stated() -> None:
    """Without effects persons' accuracies spread as coins do; with effects much more, and methods go together."""
    quiet = simulation.Scenario("quiet", person=0, method_a=0, method_b=0, session=0, image=0, people=3000)
    loud = simulation.Scenario("loud", person=1.0, people=3000)
    a, _ = next(simulation.chunks(quiet, 1, seed=0))[1].right.mean(axis=3)[:, 0]
    assert a.var() == pytest.approx(0.8 * 0.2 / 70, rel=0.1)
    a, b = next(simulation.chunks(loud, 1, seed=0))[1].right.mean(axis=3)[:, 0]
    assert a.var() > 5 * 0.8 * 0.2 / 70
    assert ((a - a.mean()) * (b - b.mean())).mean() > 0.6 * a.std() * b.std()


def test_promises_in_short() -> None:
    """70 people, 150 repeats: nothing is grossly off, and McNemar's test already rejects too often."""
    rates = simulation.measure(simulation.SCENARIOS[0], 150, seed=3)
    assert 0.89 < rates["accuracy"] < 0.99
    assert 0.89 < rates["difference"] < 0.99
    assert rates["sign-flip"] < 0.11 < rates["mcnemar"] + 0.02
    assert rates["wilson"] < 0.8


@pytest.mark.slow
@pytest.mark.parametrize("case", simulation.SCENARIOS, ids=lambda case: case.name)
def test_promises(case: simulation.Scenario) -> None:
    """1,000 repeats: coverage 93 to 97 %, and equal methods are rejected in 5 % at most, but for noise."""
    rates = simulation.measure(case, simulation.REPEATS, seed=1)
    assert 93 - LOOSE <= 100 * rates["accuracy"] <= 97 + LOOSE
    assert 93 - LOOSE <= 100 * rates["difference"] <= 97 + LOOSE
    if case.equal:
        assert rates["sign-flip"] <= 0.05 + simulation.noise(simulation.REPEATS)
    else:
        assert rates["sign-flip"] > 0.5


@pytest.mark.slow
def test_families_keep_their_level() -> None:
    """Holm holds 5 % for comparisons fixed beforehand, and over all pairs for the best one picked from the data."""
    wise = simulation.families(simulation.REPEATS, seed=1)
    limit = 0.05 + simulation.noise(simulation.REPEATS)
    assert wise["fixed"] <= limit
    assert wise["leader of all pairs"] <= limit
    assert wise["leader"] > 0.1
    assert wise["uncorrected"] > 0.15


def test_the_committed_figures_hold() -> None:
    """The committed file has 1,000 repeats of every scenario, each as the project promises but for what chance does."""
    assert "1,000 repeats, seed 1" in FIGURES.read_text(encoding="utf-8")
    rows = table("## Coverage of the 95 % intervals, and rejections at 5 %")
    assert [row["scenario"] for row in rows] == [case.name for case in simulation.SCENARIOS]
    assert {case.people for case in simulation.SCENARIOS} >= {5, 7, 10, 20, 35, 70}
    for row, case in zip(rows, simulation.SCENARIOS, strict=True):
        assert 93 - LOOSE <= float(row["accuracy over people"]) <= 97 + LOOSE
        assert 93 - LOOSE <= float(row["difference over people"]) <= 97 + LOOSE
        if case.equal:
            assert float(row["sign-flip over people"]) <= 5 + LOOSE
    mcnemar = [float(row["McNemar (independent images)"]) for row in rows]
    assert mcnemar[0] > 10
    family = {row["comparisons"]: float(row["any false positive"]) for row in table("## Any false positive among 11")}
    assert family["the same, Holm over all 55 pairs that the best was picked from"] <= 5 + LOOSE
    assert family["the best of them against the others, Holm over 10"] > 5 + LOOSE


def test_committed_metrics_and_trainings_hold() -> None:
    """All metrics but recalls of few images are covered in 92 to 98; verdicts over folds are false in 6 at most."""
    rows = table("## All metrics")
    assert {row["people"] for row in rows} == {str(people) for people in simulate_metrics.PEOPLE}
    for row in rows:
        for name in simulate_metrics.NAMES[:3]:
            assert 92 - LOOSE <= float(row[name]) <= 98 + LOOSE
    rows = table("## New trainings: folds with luck of their own")
    assert {(int(row["people"]), int(row["folds"]), float(row["luck"])) for row in rows} == set(simulate_folds.CASES)
    for row in rows:
        assert 93 - LOOSE <= float(row["accuracy over folds"]) <= 97 + LOOSE
        assert 93 - LOOSE <= float(row["difference over folds"]) <= 97 + LOOSE
        assert float(row["verdict, trained methods"]) <= 6


def test_the_documents_figures_are_the_committed_ones() -> None:
    """Every row of docs/statistics.md's table of rates stands in the committed file with the same figures."""
    text = (ROOT / "docs" / "statistics.md").read_text(encoding="utf-8")
    words = " ".join(text.split())
    rows = table("## Coverage of the 95 % intervals, and rejections at 5 %")
    names = ("scenario", "accuracy over people", "difference over people", "Wilson (independent images)")
    names += ("sign-flip over people", "McNemar (independent images)")
    equal = [row for row in rows if row["A minus B"] == "0"]
    for row in equal:
        assert "| " + " | ".join(row[name] for name in names) + " |" in text
    assert text.count("| typical |") == 1
    family = {row["comparisons"]: row["any false positive"] for row in table("## Any false positive among 11")}
    assert f"in {family['the best of them against the others, Holm over 10']} % of runs" in words
    (luck,) = table("## What intervals and tests do not hold")
    assert f"holds the truth in {luck['difference over people']} % only" in words
    assert f"sign-flip test in {rows[1]['sign-flip over people']} %" in words
