"""What the report says of the data and of the folds is what they hold: chance, sources, people, given folds."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from simulate import PERSON, RANDOM, Simulation, write_run

from fer_bench.report import write_report

METHODS = ("linear_svc-lbp", "gnb-lbp", "resnet18-entire")
GIVEN = "given-mine"


def told(folder: Path, change: Callable[[dict[str, Any]], None], keep: tuple[str, ...] = (), **options: Any) -> str:
    """Markdown of a simulated run after a change of run.json, with the images of these expressions alone."""
    simulation = Simulation(people=8, sessions=1, methods=METHODS, folds=2, epochs=2, **options)
    write_run(folder, simulation)
    info = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    change(info)
    (folder / "run.json").write_text(json.dumps(info), encoding="utf-8")
    for name in ("predictions", "watched") if keep else ():
        table = pd.read_parquet(folder / f"{name}.parquet")
        table[table["label"].isin(keep)].to_parquet(folder / f"{name}.parquet", index=False)
    return write_report([folder]).with_name("report.md").read_text(encoding="utf-8")


def references(text: str) -> str:
    return text.split("### Reference points")[1].split("##")[0]


@pytest.mark.parametrize("recorded", [True, False])
def test_chance_is_that_of_the_expressions_shown(tmp_path: Path, recorded: bool) -> None:
    """Three expressions make chance 33.3 % in notes, table, page and headline, with or without run.json's counts."""

    def change(info: dict[str, Any]) -> None:
        if recorded:
            info["dataset"]["expressions"] = {"AF": 80, "HA": 80, "SA": 80}

    text = told(tmp_path / "run", change, ("AF", "HA", "SA"), profile="quick", protocols=(PERSON,))
    assert "chance, 1/3 = 33.3 %" in text
    assert "| chance | 33.3 | one of 3 expressions, guessed |" in references(text)
    assert "chance is 33.3 %" in text.split("## Leaderboard")[0]
    assert "14.3" not in references(text)
    assert 'class="c" d="M50 0V14"' in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")


def test_chance_is_of_what_is_learnt_not_of_what_is_tested(tmp_path: Path) -> None:
    """Where the data show seven expressions and the test side six, a guess is still one of seven."""

    def change(info: dict[str, Any]) -> None:
        info["dataset"]["expressions"] = dict.fromkeys(("AF", "AN", "DI", "HA", "NE", "SA", "SU"), 40)

    text = told(tmp_path / "run", change, ("AF", "AN", "DI", "HA", "SA", "SU"), protocols=(PERSON,))
    assert "| chance | 14.3 | one of 7 expressions, guessed |" in references(text)
    assert "| the most frequent expression | 16.7 |" in references(text)


def test_most_frequent_expression_is_counted_by_hand(tmp_path: Path) -> None:
    """With every second angry face away, happy ones are 2 of 3 tested images, and table and headline say so."""
    folder = tmp_path / "run"
    write_run(folder, Simulation(people=8, sessions=1, methods=METHODS, folds=2, profile="quick", protocols=(PERSON,)))
    for name in ("predictions", "watched"):
        table = pd.read_parquet(folder / f"{name}.parquet")
        images = sorted(table.loc[table["label"] == "AN", "image"].unique())[::2]
        kept = table["image"].isin(images) | (table["label"] == "HA")
        table[kept].to_parquet(folder / f"{name}.parquet", index=False)
    text = write_report([folder]).with_name("report.md").read_text(encoding="utf-8")
    row = f"| the most frequent expression | 66.7 | happy, named for every test image of {PERSON} |"
    assert row in references(text)
    assert "chance is 50.0 %, and always naming the most frequent expression gives 66.7 %" in text


@pytest.mark.parametrize(
    ("layout", "rendered", "humans", "cited"),
    [
        ("kdef", False, True, True),
        ("", True, True, True),
        ("kaggle-kdef", False, False, True),
        ("kdef and jaffe", False, False, True),
        ("jaffe", True, False, False),
        ("fer2013", False, False, False),
        ("folders", False, False, False),
    ],
)
@pytest.mark.parametrize("listed", [True, False], ids=["listed", "of an earlier version"])
def test_kdefs_figures_stand_beside_kdef_alone(
    tmp_path: Path, layout: str, rendered: bool, humans: bool, cited: bool, listed: bool
) -> None:
    """How people read KDEF, and what KDEF's users cite, is told where all images, or some, are in KDEF's grammar."""
    names = {"layouts": [name for name in layout.split(" and ") if name]} if listed else {}
    text = told(
        tmp_path / "run",
        lambda info: info["dataset"].update(layout="in words" if listed else layout, **names),
        rendered=rendered,
        protocols=(PERSON,),
    )
    assert ("Goeleven et al." in references(text)) == humans
    assert ("@misc{kdef1998" in text) == ("@article{goeleven2008" in text) == cited
    assert ("as their makers ask" in text) == (layout not in ("kdef", "", "kaggle-kdef"))
    assert "@article{akhand2021" in text


def given(tested: int, seen: int) -> Callable[[dict[str, Any]], None]:
    def change(info: dict[str, Any]) -> None:
        counts = {"n_people_tested": tested, "n_people_also_trained": seen}
        info["protocols"][GIVEN] |= {"splits_by": "image", "people_disjoint": False, "summary": "given", **counts}

    return change


@pytest.mark.parametrize(("seen", "words"), [(1, "1 of 8 is"), (5, "5 of 8 are"), (8, "8 of 8 are")])
def test_given_folds_are_told_by_what_they_hold(tmp_path: Path, seen: int, words: str) -> None:
    """A file of folds with one leak is not called random: the report counts who is tested and also trained on."""
    text = told(tmp_path / "run", given(8, seen), protocols=(GIVEN,))
    assert f"{GIVEN}: tested on the test images of a file of folds: of their people {words} also trained on" in text
    assert f"on images of people of whom {words} also trained on" in text.split("## Leaderboard")[0]
    assert "drawn at random" not in text
    assert "no protocol by person was run" not in text
    assert f"| {GIVEN} | as the file says |" in text


def test_a_run_without_counts_claims_less(tmp_path: Path) -> None:
    """Where run.json does not say how many, given folds get a careful word, and random ones keep theirs."""
    text = told(tmp_path / "given", given(0, 0), protocols=(GIVEN,))
    assert "of their people some may be in training" in text
    text = told(tmp_path / "random", lambda info: None, protocols=(RANDOM,))
    assert f"{RANDOM}: tested on images drawn at random: the same people in training" in text


@pytest.mark.parametrize("shared", [0, 3])
def test_people_of_two_datasets_are_not_called_unseen(tmp_path: Path, shared: int) -> None:
    """Nobody's name tells that people of two datasets differ: taken to be so, or so many of them shared."""

    def change(info: dict[str, Any]) -> None:
        counts = {"n_people_tested": 8, "n_people_also_trained": shared}
        info["protocols"]["cross-dataset"] |= {"splits_by": "dataset", "people_disjoint": not shared, **counts}

    text = told(tmp_path / "run", change, protocols=("cross-dataset",))
    assert "never seen" not in text
    assert "yes, checked" not in text
    if shared:
        assert "tested on another dataset, of whose people 3 of 8 are also trained on" in text
        assert "| no: 3 of 8 |" in text
    else:
        assert "tested on another dataset, whose people are taken to be none of those in training" in text
        assert "| taken to be so |" in text


def test_no_interval_without_width_in_any_form(tmp_path: Path) -> None:
    """Methods that are right on nothing or on all of four people's images: no bounds that meet, and a reason."""
    folder = write_run(tmp_path / "run", Simulation(people=4, sessions=1, methods=METHODS, folds=2, epochs=2))
    table = pd.read_parquet(folder / "predictions.parquet")
    right = table["method"].eq("gnb-lbp") & table["protocol"].eq(PERSON)
    wrong = table["label"].map(lambda code: "HA" if code != "HA" else "SA")
    table["predicted"] = table["label"].where(right, wrong)
    table.to_parquet(folder / "predictions.parquet", index=False)
    (folder / "watched.parquet").unlink()
    text = write_report([folder]).with_name("report.md").read_text(encoding="utf-8")
    results = pd.read_csv(folder / "results.csv")
    for name in ("accuracy", "balanced_accuracy", "macro_f1"):
        assert (results[f"{name}_high"] - results[f"{name}_low"] > 0.05).all()
    checked = 0
    for file in (folder / "tables").glob("*.csv"):
        found = pd.read_csv(file)
        for low in (name for name in found if name.endswith("_low")):
            width = found[f"{low.removesuffix('_low')}_high"] - found[low]
            checked += len(width)
            assert (width.isna() | (width > 1e-6)).all(), (file.name, low)
    assert checked > 20
    assert "[–]: no interval, as no two people differ." in text.replace("\\", "")
