"""The section on leakage tells what was counted in the run, and takes no difference for more than the split can do."""

import json
from pathlib import Path

import pytest
from simulate import PERSON, RANDOM, Simulation, write_run

from fer_bench.report.model.report_run import ReportRun, gather
from fer_bench.report.sections.leakage import splits_section

METHODS = ("linear_svc-lbp", "knn-pixels")
STORIES = ("same person with another expression", "know the face", "misleads")


def told(folder: Path, lift: float, **protocols: dict) -> ReportRun:
    """A run of two methods, better or worse by image than by person, with what its describing code counted."""
    simulation = Simulation(people=24, folds=4, views=("S", "HL"), methods=METHODS, lifts={RANDOM: lift}, epochs=1)
    run = write_run(folder / "run", simulation)
    info = json.loads((run / "run.json").read_text())
    for name, facts in protocols.items():
        info["protocols"][name.replace("_", "-")] |= facts
    (run / "run.json").write_text(json.dumps(info))
    return gather([run])[0]


def facts(person: float, label: float, proportion: float, frequent: float) -> dict:
    """What run.json holds of a protocol."""
    nearest = {"tests": 500, "person": person, "other_session": 0.6, "label": label, "person_and_label": label / 2}
    return {"nearest": nearest, "known_person": {"in_proportion": proportion, "most_frequent": frequent}}


def words(run: ReportRun) -> str:
    section = splits_section(run, "")
    texts = [block if isinstance(block, str) else " ".join(getattr(block, "notes", ())) for block in section.blocks]
    return " ".join(texts)


def overview(run: ReportRun) -> dict:
    return next(b for b in splits_section(run, "").blocks if getattr(b, "id", "") == "leakage").rows[0]


@pytest.mark.parametrize(("label", "way"), [(0.685, "gains by"), (0.3, "loses by")])
def test_the_reason_is_what_the_run_counted(tmp_path: Path, label: float, way: str) -> None:
    """On photographs and on drawings the text gives other shares and another sign, and no story of its own."""
    known = {"random_10fold": facts(0.93, label, 0.077, 0.0), "subject_10fold": facts(0.0, 0.546, 1 / 7, 1 / 7)}
    said = words(told(tmp_path, 1.0, **known))
    assert f"{100 * label:.1f} % of tests under {RANDOM} and 54.6 % under {PERSON}" in said
    assert f"this picture alone {way} the looser split" in said
    assert "the tested person in 93.0 %" in said
    assert "zero is not what no effect looks like" in said
    assert not any(story in said for story in STORIES)


def test_without_counts_no_reason_is_given(tmp_path: Path) -> None:
    """A run of an earlier version says that it holds no reason, and that zero is no null by image."""
    said = words(told(tmp_path, 1.0))
    assert "no reason for these differences can be given" in said
    assert "Zero is not what no effect looks like there" in said
    assert not any(story in said for story in STORIES)


def test_what_the_split_alone_can_do_is_not_counted_as_certain_beyond_it(tmp_path: Path) -> None:
    """Differences of both methods are significant; within the split's own span none goes beyond, outside both do."""
    chance = {"subject_10fold": facts(0.0, 0.5, 1 / 7, 1 / 7)}
    wide = told(tmp_path / "wide", -1.5, random_10fold=facts(0.9, 0.5, 0.05, -0.9), **chance)
    row = overview(wide)
    assert (row["higher"], row["lower"], row["beyond"]) == (0, 2, 0)
    narrow = overview(told(tmp_path / "narrow", -1.5, random_10fold=facts(0.9, 0.5, 1 / 7, 1 / 7 - 0.01), **chance))
    assert (narrow["open"], narrow["beyond"]) == (0, 2)
    unknown = overview(told(tmp_path / "unknown", -1.5))
    assert (unknown["open"], unknown["beyond"], unknown["alone"]) == (0, 0, "")
    gain = overview(told(tmp_path / "gain", 1.5, random_10fold=facts(0.9, 0.5, 0.07, 0.0), **chance))
    assert (gain["open"], gain["beyond"]) == (0, 2)
