"""Runs on data that do not tell who is who: other units, other words, and no claim about unseen people."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest
from simulate import PERSON, RANDOM, Simulation, write_run

from fer_bench.errors import UserError
from fer_bench.report import write_report

METHODS = ("linear_svc-lbp", "gnb-lbp", "resnet18-entire")
WORDS = {"sequence": "over groups", "image": "over images, assumed independent"}


def reported(folder: Path, unit: str, protocols: tuple[str, ...] = (RANDOM, "official")) -> Path:
    simulation = Simulation(people=12, methods=METHODS, protocols=protocols, folds=3, epochs=2, unit=unit)
    return write_report([write_run(folder, simulation)]).parent


@pytest.mark.parametrize("unit", ["sequence", "image"])
def test_no_people_no_claim(tmp_path: Path, unit: str) -> None:
    """The caution comes first, intervals name their unit, and nothing speaks of unseen people."""
    text = (reported(tmp_path / "run", unit) / "report.md").read_text(encoding="utf-8")
    assert "These data do not tell who is who" in text.split("## Leaderboard")[0]
    assert "no figure here is subject-independent" in text.split("## Leaderboard")[0]
    assert f"Intervals: 95 %, {WORDS[unit]}." in text
    assert "never seen" not in text
    assert "over people" not in text
    assert "people apart | " in text
    assert "yes, checked" not in text


@pytest.mark.parametrize("unit", ["sequence", "image"])
def test_a_protocol_that_calls_itself_by_person_is_not_believed(tmp_path: Path, unit: str) -> None:
    """Even where run.json says that people are disjoint, data without people make no such claim."""
    folder = reported(tmp_path / "run", unit, (PERSON, RANDOM))
    text = (folder / "report.md").read_text(encoding="utf-8")
    assert json.loads((folder / "run.json").read_text())["protocols"][PERSON]["people_disjoint"] is True
    assert "never seen" not in text
    assert "what seen people do to a figure cannot be measured on them" in text
    assert f"{PERSON}: tested on images; the data do not tell who is on them" in text


def test_intervals_count_the_unit(tmp_path: Path) -> None:
    """results.csv counts groups or images, and people only where there are any."""
    counts = {}
    for unit in ("person", "sequence", "image"):
        results = pd.read_csv(reported(tmp_path / unit, unit) / "results.csv")
        counts[unit] = results[["unit", "n_units", "n_people"]].drop_duplicates().to_numpy().tolist()
    assert counts == {
        "person": [["person", 12, 12]],
        "sequence": [["sequence", 24, 0]],
        "image": [["image", 840, 0]],
    }


def test_people_are_the_unit_of_runs_that_do_not_say(tmp_path: Path) -> None:
    """A run.json from before units existed reads as before."""
    folder = reported(tmp_path / "run", "person", (PERSON,))
    text = (folder / "report.md").read_text(encoding="utf-8")
    info = json.loads((folder / "run.json").read_text())
    del info["dataset"]["unit"]
    (folder / "run.json").write_text(json.dumps(info))
    assert write_report([folder]).with_name("report.md").read_text(encoding="utf-8") == text
    assert "on people it has never seen" in text


def test_unknown_unit_is_refused(tmp_path: Path) -> None:
    """A unit of another version is one clear sentence."""
    folder = reported(tmp_path / "run", "person", (PERSON,))
    info = json.loads((folder / "run.json").read_text())
    info["dataset"]["unit"] = "family"
    (folder / "run.json").write_text(json.dumps(info))
    with pytest.raises(UserError, match="unit 'family' is none of person, sequence, image"):
        write_report([folder])


def test_merged_runs_with_other_units_keep_their_cautions(tmp_path: Path) -> None:
    """Side by side, each run has its own caution, and the shared table says that units differ."""
    folders = [reported(tmp_path / unit, unit, (RANDOM,)) for unit in ("person", "image")]
    page = write_report(folders, tmp_path / "both")
    text = page.with_name("report.md").read_text(encoding="utf-8")
    assert "image: These data do not tell who is who" in text
    assert "person: These data" not in text
    assert "over people, or what stands in for them" in text
    assert re.search(r"tested on images drawn at random: the same people in training / images; the data do not", text)
