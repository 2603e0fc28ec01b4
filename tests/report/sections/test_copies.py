"""What the report says of people apart and of copies is what the check of the folds found, under every protocol."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulate import PERSON, RANDOM, Simulation, write_run

from fer_bench.data.manifest import as_manifest
from fer_bench.folds.check import check_made
from fer_bench.folds.folds import Folds
from fer_bench.report import write_report
from fer_bench.report.model import wording
from fer_bench.report.model.report_run import ReportRun, gather
from fer_bench.report.sections.copies import copies_blocks
from fer_bench.runner.describe import describe_check

METHODS = ("linear_svc-lbp", "gnb-lbp")
WORDS = {"yes": "proven", "no": "refused", "not": "unknown"}
HASHES = [f"{i:x}{15 - i:x}{i:x}{i:x}" * 16 for i in range(16)]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ReportRun:
    simulation = Simulation(people=4, sessions=1, methods=METHODS, protocols=(PERSON, "official"), folds=2, epochs=2)
    return gather([write_run(tmp_path_factory.mktemp("runs") / "run", simulation)])[0]


def with_check(run: ReportRun, protocol: str, check: dict[str, Any], unit: str = "person") -> ReportRun:
    """The same run, of whose folds a check found something."""
    protocols = {**run.info["protocols"], protocol: {**run.info["protocols"][protocol], "check": check}}
    info = {**run.info, "protocols": protocols, "dataset": {**run.info["dataset"], "unit": unit}}
    return replace(run, data=replace(run.data, info=info))


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[dict[str, str]], pd.DataFrame]:
    """A dozen pictures, of people who are told by a column, by names, both or neither, on two sides at random."""
    names = draw(st.sampled_from(["{s}{p}AFS", "p{i}", "S0{p2}_001_000000{i:02d}"]))
    told = draw(st.sampled_from(["", "{p}", "{s}{p}", "{i}"]))
    sides = [*draw(st.lists(st.sampled_from(["train", "test"]), min_size=10, max_size=10)), "train", "test"]
    apart = draw(st.booleans())
    rows = []
    for i, side in enumerate(sides):
        person = draw(st.integers(1, 9)) + 10 * (apart and side == "test")
        facts = {"s": draw(st.sampled_from("AB")), "p": f"F{person:02d}", "i": i}
        facts["p2"] = facts["p"][1:]
        row = {"image": f"{i}/" + names.format(**facts), "label": ("HA", "SA")[i % 2], "subject": told.format(**facts)}
        copy = draw(st.integers(0, 40))
        rows.append(row | {"phash": HASHES[copy] if copy < 16 else f"{i:x}{i * 7 % 16:x}{i * 11 % 16:x}" * 21 + "0"})
    return rows, pd.DataFrame({"fold": 0, "role": sides, "image": [row["image"] for row in rows]})


@settings(deadline=None, max_examples=150)
@given(tables(), st.sampled_from([PERSON, "official"]))
def test_the_report_s_word_is_the_state_of_the_check(
    run: ReportRun, drawn: tuple[list[dict[str, str]], pd.DataFrame], protocol: str
) -> None:
    """For random tables the word for people apart is proven, refused or unknown as the check found; so is the rest."""
    rows, table = drawn
    manifest = as_manifest(rows, [], "drawn")
    folds = Folds(protocol, manifest.hash, 0, table.assign(subject="", label=""))
    found = check_made(folds, manifest)
    told = with_check(run, protocol, describe_check(found), manifest.unit)
    word = wording.apart(told, protocol)
    assert WORDS[word.partition(" ")[0].strip(",:")] == found.people_apart
    sentences = (wording.tested_on([told], protocol), wording.who(told, protocol))
    if any("never seen" in sentence for sentence in sentences):
        assert found.people_apart == "proven"
        assert not any(kind.leak for kind in found.copies.values())
        assert found.people is not None
        assert found.people.state == "proven"
    (copies,) = copies_blocks(told, "")
    (row,) = (row for row in copies.rows if row["protocol"] == protocol)
    by_look = found.near_duplicates
    assert by_look is not None
    assert row["by look"] == (by_look.leak.tests if by_look.leak else None if by_look.state == "unknown" else 0)
    assert row["verdict"].startswith("ACCEPTED" if found.accepted else "REFUSED")


def report_of(folder: Path, checks: dict[str, dict[str, Any]], **more: Any) -> str:
    """Markdown of a simulated run with what a check found."""
    protocols = (PERSON, RANDOM, "official")
    write_run(folder, Simulation(people=4, sessions=1, methods=METHODS, folds=2, epochs=2, protocols=protocols))
    info = json.loads((folder / "run.json").read_text(encoding="utf-8")) | more
    for protocol, check in checks.items():
        info["protocols"][protocol] |= {"check": check, "summary": "nobody is in train and test"}
    (folder / "run.json").write_text(json.dumps(info), encoding="utf-8")
    return write_report([folder]).with_name("report.md").read_text(encoding="utf-8")


def found(state: str, tests: int = 0) -> dict[str, Any]:
    pair = [{"fold": 1, "test": "x.png", "train": "x_again.png"}] if tests else []
    return {"state": state, "tests": tests, "folds": 1, "groups": 2, "examples": pair, "sources": ["names"]}


def check(state: str, accepted: bool, by_look: int, leaks: int = 0) -> dict[str, Any]:
    copies = {"exact": found("none"), "by name": found("unknown"), "by look": found("found", by_look)}
    conclusion = "ACCEPTED: all is well" if accepted else "REFUSED: these folds are not subject-independent"
    people = {"state": state, "counts": {"data": 8, "names": 4}, "leaks": [found("found", 9)] * leaks}
    return {"accepted": accepted, "conclusion": conclusion, "n_tests": 280, "people": people, "copies": copies}


def test_copies_are_counted_under_every_protocol(tmp_path: Path) -> None:
    """The section on leakage has a row a protocol, official's too, with tests, copies, an example and the verdict."""
    checks = {
        PERSON: check("proven", True, 0),
        RANDOM: check("refused", True, 7),
        "official": check("unknown", False, 12),
    }
    text = report_of(tmp_path / "run", checks)
    leakage = text.split("## Leakage")[1].split("\n## ")[0]
    assert f"| {PERSON} | 280 | 0 | – | 0 | – | yes, checked | ACCEPTED: all is well |" in leakage
    assert f"| {RANDOM} | 280 | 0 | – | 7 | – |" in leakage
    assert "| official | 280 | 0 | – | 12 | – | not known | REFUSED: these folds" in leakage
    assert "official, by look: fold 1 tests x.png and trains on x\\_again.png" in leakage.replace("x_a", "x\\_a")


def test_no_sentence_claims_what_the_check_refuses(tmp_path: Path) -> None:
    """Folds by person that the check refuses are nowhere called apart, unseen or checked, whatever else is told."""
    checks = {PERSON: check("refused", False, 0, leaks=1), RANDOM: check("refused", True, 0, leaks=1)}
    told = ["people: by the images' names 8 are 4"]
    text = report_of(tmp_path / "run", checks | {"official": check("refused", False, 3)}, warnings=told)
    assert f"> **{told[0]}.**" in text.split("## Leaderboard")[0]
    assert "never seen" not in text.lower().replace("people never seen, ", "")
    assert "yes, " not in text
    assert f"{PERSON}: tested on images of people of whom 2 are also trained on, by the images' names" in text
    assert "no: 2 are also trained on, by the images' names" in text
    assert "nobody is in train and test; not so here, REFUSED: these folds are not subject-independent" in text
    assert "this run has none that does" in text


def test_people_apart_by_name_with_a_copy_on_both_sides(tmp_path: Path) -> None:
    """A picture on both sides under two people's names is told as what it is."""
    text = report_of(tmp_path / "run", {PERSON: check("refused", False, 3)})
    assert "no: some are also trained on, by 3 pictures that training holds, too, or frames of one film" in text


def test_an_earlier_run_says_that_less_was_looked_at(tmp_path: Path) -> None:
    """Without a check the old field's words stay, and the report says by what they are known."""
    text = report_of(tmp_path / "run", {})
    assert f"{PERSON}: tested on people that the method has never seen" in text
    assert "| yes, by the data's own names alone |" in text
    assert "yes, checked" not in text
    assert "This run is of an earlier version, which looked for people by the data's own names alone" in text
