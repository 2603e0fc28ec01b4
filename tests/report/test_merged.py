"""Several runs in one report: paired where pictures are the same, side by side where not, and never averaged."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from simulate import PERSON, RANDOM, Simulation, write_run
from test_report import html_tables

from fer_bench.errors import UserError
from fer_bench.report import write_report

METHODS = ("linear_svc-lbp", "gnb-lbp", "resnet18-entire")
BASE = Simulation(people=24, sessions=1, folds=2, methods=METHODS, epochs=2, curves=False)


def run(folder: Path, edit: Callable[[dict[str, Any]], Any] = lambda info: None, **options: Any) -> Path:
    write_run(folder, replace(BASE, **options))
    info = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    edit(info)
    (folder / "run.json").write_text(json.dumps(info), encoding="utf-8")
    return folder


def other_data(info: dict[str, Any]) -> None:
    info["dataset"] |= {"manifest_hash": "2e" * 32, "name": "JAFFE"}


def merged(*runs: Path) -> tuple[Path, str]:
    out = runs[0].parent / "merged"
    write_report(runs, out)
    return out, (out / "report.md").read_text(encoding="utf-8")


def test_two_commits_are_paired_image_by_image(tmp_path: Path) -> None:
    """On the same data each method's difference is its accuracy in A minus that in B, with interval, n and people."""
    a = run(tmp_path / "before", lambda info: info["code"].update(commit="a" * 40))
    b = run(tmp_path / "after", lambda info: info["code"].update(commit="b" * 40), seed=1)
    out, text = merged(a, b)
    table = pd.read_csv(out / "tables" / f"compared-{PERSON}.csv").set_index("method")
    shares = []
    for folder in (a, b):
        found = pd.read_parquet(folder / "predictions.parquet")
        found = found[found["protocol"] == PERSON]
        shares.append((found["label"] == found["predicted"]).groupby(found["method"]).mean())
    for method in METHODS:
        row = table.loc[method]
        assert row["difference"] == pytest.approx(shares[0][method] - shares[1][method])
        assert row["difference_low"] < row["difference"] < row["difference_high"]
        assert (row["n"], row["people"]) == (24 * 35, 24)
        assert 0 <= row["adjusted"] <= 1
    assert "A is before, B is after. Same data: KDEF" in text
    assert "aaaaaaaaaaaa in A, bbbbbbbbbbbb in B" in text
    assert str(tmp_path) not in text


def test_equal_predictions_differ_by_nothing(tmp_path: Path) -> None:
    """The same run twice under two names: every difference is 0.0 and none is significant."""
    out, text = merged(run(tmp_path / "one"), run(tmp_path / "two"))
    table = pd.read_csv(out / "tables" / f"compared-{PERSON}.csv")
    np.testing.assert_array_equal(table["difference"], 0)
    assert set(table["verdict"]) == {"not significantly different"}
    assert "A is better" not in text
    assert "B is better" not in text


def test_a_quick_run_declares_no_winner_here_either(tmp_path: Path) -> None:
    """Where one run is quick there is a difference with its p, a caution, and no verdict."""
    out, text = merged(run(tmp_path / "one"), run(tmp_path / "two", profile="quick"))
    assert "verdict" not in pd.read_csv(out / "tables" / f"compared-{PERSON}.csv")
    assert "a quick run is no ranking" in text


def test_other_data_stand_side_by_side(tmp_path: Path) -> None:
    """Two datasets: a sentence says why nothing is paired; no difference, no rank, no mean over both."""
    a, b = run(tmp_path / "kdef"), run(tmp_path / "jaffe", other_data, people=10, seed=1)
    out, text = merged(a, b)
    assert "kdef and jaffe stand side by side, and no difference is computed: other data" in text
    # what the command `compare` advises where nothing can be paired is what this report does
    assert "that tells which images are the same." in text
    assert "compare runs on the same data" not in text
    assert not list((out / "tables").glob("compared-*"))
    table = pd.read_csv(out / "tables" / f"beside-{PERSON}.csv")
    assert set(table["n_a"]) == {24 * 35}
    assert set(table["n_b"]) == {10 * 35}
    leaders = pd.read_csv(out / "tables" / f"leaderboard-{PERSON}.csv")
    assert list(leaders["run"]) == ["kdef"] * 3 + ["jaffe"] * 3
    assert "rank" not in leaders
    assert "each run's rows stand together, unranked, and nothing is averaged" in text
    results = [pd.read_csv(folder / "results.csv") for folder in (out, *map(lone, (a, b)))]
    assert len(results[0]) == len(results[1]) + len(results[2])
    assert sorted(results[0]["accuracy"]) == sorted(pd.concat(results[1:])["accuracy"])


def lone(folder: Path) -> Path:
    return write_report([folder]).parent


def test_pictures_that_both_data_hold_are_paired_by_content(tmp_path: Path) -> None:
    """Other manifests, common pictures: paired on those alone, by content, person and label."""
    a, b = run(tmp_path / "all"), run(tmp_path / "half", other_data, seed=1)
    rows = pd.read_parquet(a / "predictions.parquet").drop_duplicates("image")[["image", "subject", "label"]]
    rows["sha256"] = [f"{i:064x}" for i in range(len(rows))]
    rows.to_csv(a / "manifest.csv", index=False)
    rows.assign(sha256=[s if i % 2 else f"f{s[1:]}" for i, s in enumerate(rows["sha256"])]).to_csv(b / "manifest.csv")
    out, text = merged(a, b)
    assert "by content" in text
    assert set(pd.read_csv(out / "tables" / f"compared-{PERSON}.csv")["n"]) == {24 * 35 // 2}


def test_runs_of_one_name_are_told_apart(tmp_path: Path) -> None:
    """Folders of the same name get numbers, which no other run bears."""
    runs = [run(tmp_path / place, seed=i) for i, place in enumerate(("x/run", "y/run", "z/run #2"))]
    out, _ = merged(*runs)
    assert set(pd.read_csv(out / "results.csv")["run"]) == {"run", "run #2", "run #2 #2"}
    page = html_tables((out / "report.html").read_text(encoding="utf-8"))
    assert len(page.ids) == len(set(page.ids))
    assert len(list((out / "tables").glob(f"compared-{PERSON}-1-*.csv"))) == 2


def test_runs_without_a_common_method_or_protocol(tmp_path: Path) -> None:
    """Nothing in common: both are reported, and a sentence says that nothing is compared."""
    a = run(tmp_path / "one", methods=("gnb-lbp",), protocols=(PERSON,))
    b = run(tmp_path / "two", methods=("knn-lbp",), protocols=(RANDOM,))
    _, text = merged(a, b)
    assert "one and two stand side by side, and no difference is computed" in text
    assert "no method is in both" in text


def test_a_run_given_twice_is_refused(tmp_path: Path) -> None:
    """One sentence, however the folder is written."""
    folder = run(tmp_path / "one")
    with pytest.raises(UserError, match="given twice"):
        write_report([folder, tmp_path / "x" / ".." / "one"], tmp_path / "out")
