"""Committed reports are what their own predictions say."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from fer_bench.report import write_report

REPORTS = Path(__file__).parents[2] / "reports"
COMMITTED = sorted(p.parent for p in REPORTS.glob("*/run.json"))


def test_there_is_a_committed_report():
    """The repository shows the report of a quick run of suite all."""
    assert REPORTS / "all-quick-synthetic" in COMMITTED


@pytest.mark.parametrize("folder", COMMITTED, ids=lambda f: f.name)
def test_a_committed_report_is_rebuilt_from_its_predictions(folder, tmp_path):
    """Results and Markdown, made anew from the committed predictions, are those that are committed."""
    copy = tmp_path / folder.name
    shutil.copytree(folder, copy)
    for name in ("results.csv", "report.md", "report.html"):
        (copy / name).unlink()
    write_report([copy])
    pd.testing.assert_frame_equal(pd.read_csv(copy / "results.csv"), pd.read_csv(folder / "results.csv"))
    assert (copy / "report.md").read_text() == (folder / "report.md").read_text()


@pytest.mark.parametrize("folder", COMMITTED, ids=lambda f: f.name)
def test_a_committed_accuracy_is_the_share_of_right_predictions(folder):
    """Counted by hand from the committed predictions, every accuracy is the committed one."""
    table = pd.read_parquet(folder / "predictions.parquet")
    right = (table["label"] == table["predicted"]).groupby([table["method"], table["protocol"]]).mean()
    results = pd.read_csv(folder / "results.csv")
    shown = results[(results["selection"] != "best_test_epoch") & results["accuracy"].notna()]
    assert len(shown) == len(right) > 0
    for row in shown.itertuples():
        assert row.accuracy == pytest.approx(right[row.method, row.protocol], abs=1e-6)
