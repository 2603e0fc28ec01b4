"""Predicted and true cost stand side by side, as anybody can count them again; provenance names no folder."""

import json

import pandas as pd
import pytest
from simulate import PERSON, Simulation, write_run

from fer_bench.report.model.report_run import gather
from fer_bench.report.sections.forecast import foreseen_tables
from fer_bench.report.sections.provenance import provenance_section

METHODS = ("knn-lbp", "lda-dwt", "cnn2-48", "gnb-lbp")


@pytest.fixture
def folder(tmp_path):
    states = {"gnb-lbp": "timeout"}
    return write_run(tmp_path / "r", Simulation(people=8, methods=METHODS, protocols=(PERSON,), folds=2, states=states))


def describe(folder, **more):
    file = folder / "run.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | more))
    return gather([folder])[0]


def plan_of(folder, seconds):
    trials = pd.read_csv(folder / "trials.csv")
    return [
        {"id": row.id, "predicted_seconds": seconds(row), "predicted_from": "calibrated"} for row in trials.itertuples()
    ]


def test_predicted_and_true_seconds_are_those_of_the_records(folder):
    """Twice too little predicted is a ratio of two; only finished trials count; families are summed in the last row."""
    trials = pd.read_csv(folder / "trials.csv")
    done = trials[trials["state"] == "ok"]
    own = done["fit_seconds"] + done["predict_seconds"] - done["prepare_seconds"].fillna(0)
    half = dict(zip(done["id"], own / 2, strict=True))
    view = describe(
        folder,
        plan=plan_of(folder, lambda row: half.get(row.id, 7.0)),
        workers=2,
        forecast={"wall_seconds": 300.0},
        phase_seconds={"trials": 660.0},
    )
    (table,) = foreseen_tables(view, "")
    rows = {row["family"]: row for row in table.rows}
    assert list(rows) == ["classical pipelines", "small networks", "all"]
    assert [row["trials"] for row in table.rows] == [4, 2, 6]
    for row in table.rows:
        assert row["ratio"] == pytest.approx(2)
        assert row["true"] == pytest.approx(2 * row["predicted"])
    assert rows["all"]["true"] == pytest.approx(own.sum())
    assert rows["all"]["sources"] == "calibrated estimate: 6"
    (note,) = table.notes
    assert "5.0 minutes; it took 11.0 minutes" in note


def test_a_run_that_predicted_nothing_has_no_such_table(folder):
    """Older runs, whose plan holds no predictions, are reported without the table, and without empty rows."""
    assert foreseen_tables(gather([folder])[0], "") == []


def test_a_run_that_is_not_whole_compares_no_wall_time(folder):
    """While trials are missing, the run's time is no truth for the prediction of all of them."""
    trials = pd.read_csv(folder / "trials.csv", keep_default_na=False)
    trials.loc[trials["state"] == "timeout", "state"] = "missing"
    trials.to_csv(folder / "trials.csv", index=False)
    whole = {"forecast": {"wall_seconds": 300.0}, "phase_seconds": {"trials": 660.0}}
    (table,) = foreseen_tables(describe(folder, plan=plan_of(folder, lambda row: 1.0), **whole), "")
    assert table.notes == ()


def test_provenance_tells_libraries_threads_and_environment(folder):
    """What sums hang on is told: linear algebra and the processor it took the machine for, threads, environment."""
    view = describe(
        folder,
        libraries=[{"internal_api": "openblas", "version": "0.3.30", "architecture": "SkylakeX"}],
        environment={"OMP_NUM_THREADS": "1"},
        machine={"gpu": "NVIDIA X", "gpu_driver": "570.1"},
    )
    section = provenance_section(view, "")
    facts = {row["what"]: row["value"] for row in section.blocks[0].rows}
    assert facts["linear algebra"] == "openblas 0.3.30 for SkylakeX"
    assert facts["threads of a trial"] == "1"
    assert facts["environment"] == "OMP_NUM_THREADS=1"
    assert facts["GPU"] == "NVIDIA X, driver 570.1"
