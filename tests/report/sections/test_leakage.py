"""Protocols side by side: fair pairs, differences that can be counted by hand, flags where figures are no forecast."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from simulate import PERSON, RANDOM, Simulation, write_run

from fer_bench.report import write_report
from fer_bench.report.model.report_run import gather
from fer_bench.report.sections.leakage import comparisons

METHODS = ("linear_svc-lbp", "knn-pixels", "gnb-lbp", "resnet18-entire")
EVERY = (
    *(PERSON, RANDOM, "session-out", "random-2fold", "subject-2fold"),
    *("view-out", "frontal-to-profile", "akhand-selected"),
)
LIFTS = {RANDOM: 1.0, "random-2fold": 1.0, "session-out": 0.5, "akhand-selected": 1.0, "view-out": -1.0}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    simulation = Simulation(people=20, folds=10, methods=METHODS, protocols=EVERY, epochs=2, lifts=LIFTS)
    return write_report([write_run(tmp_path_factory.mktemp("runs") / "run", simulation)]).parent


def test_pairs_are_those_with_as_much_to_train_on(run: Path) -> None:
    """Random against person, two folds against two, sessions against both partners; only the 5 % test set is unfair."""
    found = {(pair.looser, pair.stricter): pair.same_size for pair in comparisons(gather([run])[0])}
    assert found == {
        (RANDOM, PERSON): True,
        ("random-2fold", "session-out"): True,
        ("random-2fold", "subject-2fold"): True,
        ("session-out", "subject-2fold"): True,
        ("akhand-selected", PERSON): False,
    }


def test_differences_are_those_counted_by_hand(run: Path) -> None:
    """Every difference in the tables is the mean over images of right under the first minus right under the second."""
    predictions = pd.read_parquet(run / "predictions.parquet")
    predictions["right"] = predictions["label"] == predictions["predicted"]
    right = predictions.set_index(["method", "protocol", "image"])["right"].astype(float).sort_index()
    for first, second in ((RANDOM, PERSON), ("session-out", "subject-2fold"), ("akhand-selected", PERSON)):
        table = pd.read_csv(run / "tables" / f"splits-{first}-{second}.csv").set_index("method")
        assert set(table.index) == set(METHODS)
        for method in METHODS:
            both = pd.concat([right[method, first], right[method, second]], axis=1, keys=["a", "b"]).dropna()
            assert table.loc[method, "difference"] == pytest.approx((both["a"] - both["b"]).mean(), abs=1e-9)
            assert table.loc[method, "looser"] == pytest.approx(both["a"].mean(), abs=1e-9)
            assert table.loc[method, "n"] == len(both)
            assert table.loc[method, "difference_low"] < table.loc[method, "difference"]


def test_leak_is_seen_with_its_sign(run: Path) -> None:
    """Where seen people help, all differences are above zero and survive the correction; the glance counts them."""
    glance = pd.read_csv(run / "tables" / "leakage.csv").set_index("pair")
    row = glance.loc[f"{RANDOM} minus {PERSON}"]
    assert (row["higher"], row["lower"], row["open"]) == (4, 0, 0)
    table = pd.read_csv(run / "tables" / f"splits-{RANDOM}-{PERSON}.csv")
    # Four methods on the same images: the median of their differences is the mean of the middle two.
    assert row["median"] == pytest.approx(table["difference"].median(), abs=1e-9)
    assert row["median_low"] < row["median"] < row["median_high"]


def test_unequal_training_is_told(run: Path) -> None:
    """The comparison that trains on 5.6 % more says so in its sentence and at a glance; fair ones do not."""
    text = (run / "report.md").read_text(encoding="utf-8")
    assert "1,330 and 1,260 (+5.6 %) images, so part of the difference may be due to that" in text
    assert "| akhand-selected (optimistic) minus subject-10fold | 1,330 and 1,260 (+5.6 %) |" in text
    assert text.count("part of the difference may be due to that") == 1
    assert f"{RANDOM} against {PERSON}, with as much to train on" in text


def test_old_runs_without_partners_find_the_nearest_size(tmp_path: Path) -> None:
    """A run.json that names no partners still compares each split by image with the person split nearest in size."""
    protocols = (PERSON, RANDOM, "random-2fold", "subject-2fold")
    folder = write_run(
        tmp_path / "run", Simulation(people=20, sessions=1, methods=("gnb-lbp",), protocols=protocols, folds=10)
    )
    info = json.loads((folder / "run.json").read_text())
    for found in info["protocols"].values():
        del found["partners"], found["optimistic"], found["balance"]
    (folder / "run.json").write_text(json.dumps(info))
    pairs = comparisons(gather([folder])[0])
    assert {(pair.looser, pair.stricter) for pair in pairs} == {(RANDOM, PERSON), ("random-2fold", "subject-2fold")}


def test_optimistic_protocol_is_flagged_wherever_it_is_shown(run: Path) -> None:
    """No heading, row or sentence of the report names akhand-selected without the word optimistic beside it."""
    text = (run / "report.md").read_text(encoding="utf-8")
    assert text.count("akhand-selected") > 10
    body = text.split("## Provenance")[0]
    bare = [line[:200] for line in body.splitlines() if "akhand-selected" in line and "optimistic" not in line]
    assert bare == []
    opening = text.split("## Leaderboard")[0]
    assert "akhand-selected is optimistic" in opening
    results = pd.read_csv(run / "results.csv")
    expected = (results["protocol"] == "akhand-selected") | (results["selection"] == "best_test_epoch")
    assert (results["optimistic"] == expected).all()


def test_optimistic_protocol_has_its_binomial_interval(run: Path) -> None:
    """Beside 70 test images stands Wilson's interval of the epoch that was best on them."""
    board = pd.read_csv(run / "tables" / "leaderboard-akhand-selected.csv").set_index("method")
    watched = pd.read_parquet(run / "watched.parquet")
    mine = watched[(watched["method"] == "resnet18-entire") & (watched["protocol"] == "akhand-selected")]
    k, n = int((mine["label"] == mine["predicted"]).sum()), len(mine)
    found = board.loc["resnet18-entire"]
    assert found["n"] == n == 70
    assert found["published"] == pytest.approx(k / n)
    z = 1.959963984540054
    centre, half = (k + z * z / 2) / (n + z * z), z * np.sqrt(k * (n - k) / n + z * z / 4) / (n + z * z)
    assert (found["published_low"], found["published_high"]) == pytest.approx((centre - half, centre + half))


def test_headline_is_of_people_never_seen(run: Path) -> None:
    """With every protocol in one run the headline speaks of the person split, not of views or of the optimistic one."""
    view = gather([run])[0]
    assert view.primary == PERSON
    assert view.protocols[-1] == "akhand-selected"


def test_views_kept_out_are_told_view_by_view(run: Path) -> None:
    """The cost of each unseen view is the difference to the person split on the images of that view."""
    table = pd.read_csv(run / "tables" / "turned-view-out.csv").set_index("method")
    predictions = pd.read_parquet(run / "predictions.parquet")
    predictions["right"] = (predictions["label"] == predictions["predicted"]).astype(float)
    means = predictions.groupby(["method", "protocol", "view"])["right"].mean()
    text = (run / "report.md").read_text(encoding="utf-8")
    assert "view-out against subject-2fold, by view" in text
    for method in METHODS:
        for code in ("FL", "HL", "S", "HR", "FR"):
            cost = means[method, "view-out", code] - means[method, "subject-2fold", code]
            assert table.loc[method, f"{code} cost"] == pytest.approx(cost, abs=1e-9)
    profile = pd.read_csv(run / "tables" / "turned-frontal-to-profile.csv")
    assert {"FL", "FR"} <= set(profile.columns)
    assert not {"S", "HL", "HR"} & set(profile.columns)
    assert "Training sizes differ" in text


def test_too_few_people_for_any_p_is_said(tmp_path: Path) -> None:
    """With five people no p can reach 0.05, the table says so, and no difference has an interval."""
    folder = write_run(tmp_path / "run", Simulation(people=5, sessions=1, folds=2, methods=METHODS, epochs=2))
    text = write_report([folder]).with_name("report.md").read_text(encoding="utf-8")
    assert "With 5 people no p can be below 0.062, whatever is true, and no difference has an interval" in text
    table = pd.read_csv(folder / "tables" / f"splits-{RANDOM}-{PERSON}.csv")
    assert table["difference_low"].isna().all()
    assert (table["adjusted"] >= 0.05).all()
