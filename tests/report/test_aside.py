"""Named systems and networks pretrained on rendered faces are shown, and never lead."""

import shutil

import pandas as pd
import pytest
from simulate import PERSON, RANDOM, Simulation
from truth import write_truth

from fer_bench.report import write_report
from fer_bench.report.model.report_run import gather
from fer_bench.report.sections.opening import headline
from fer_bench.report.write import build_document

ASIDE = ("dbn", "squeezenet1_1-rendered-entire")
TRUTH = {
    "linear_svc-lbp": 0.5,
    "knn-pixels": 0.4,
    "resnet18-entire": 0.7,
    "resnet50-entire": 0.6,
    **dict.fromkeys(ASIDE, 0.95),
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    simulation = Simulation(
        people=22, views=("HL", "S"), folds=2, methods=tuple(TRUTH), protocols=(PERSON, RANDOM), epochs=2
    )
    return write_truth(tmp_path_factory.mktemp("runs") / "run", simulation, TRUTH)


def test_a_row_aside_leads_nowhere(run):
    """However accurate, it stands in no headline, answer, claim or pair of families; the rest is as without it."""
    view = gather([run])[0]
    assert str(view.ranked(PERSON).iloc[0]["method"]) in ASIDE
    assert "resnet18-entire" in headline(view)
    document = build_document([view])
    opening = " ".join(str(row) for table in document.glance for row in table.rows) + headline(view)
    assert not any(name in opening for name in ASIDE)
    report = write_report([run]).parent
    claims = (report / "tables" / f"claims-{PERSON}.csv").read_text()
    pairs = (report / "tables" / f"pairs-{PERSON}.csv").read_text()
    assert not any(name in claims + pairs for name in ASIDE)
    assert "resnet18-entire" in pairs


def test_a_row_aside_is_shown_with_its_figure(run):
    """The leaderboard has it with its accuracy and family, and no difference to a best that it cannot be."""
    report = write_report([run]).parent
    table = pd.read_csv(report / "tables" / f"leaderboard-{PERSON}.csv").set_index("method")
    assert table.loc["dbn", "family"] == "literature"
    assert table.loc["squeezenet1_1-rendered-entire", "family"] == "rendered"
    assert table.loc["dbn", "accuracy"] > table.loc["resnet18-entire", "accuracy"]


def test_the_cost_at_the_top_counts_rows_aside(run, tmp_path):
    """The slowest method of all ends the range of seconds, also where it can lead nowhere."""
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    trials = pd.read_csv(copy / "trials.csv")
    trials.loc[trials["method"] == "dbn", "fit_seconds"] = 98_765.0
    trials.to_csv(copy / "trials.csv", index=False)
    answers = pd.read_csv(write_report([copy]).parent / "tables" / "answers.csv").set_index("question")["answer"]
    assert "98,765 s" in answers["What does it cost?"]
