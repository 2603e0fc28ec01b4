"""What new trainings would change is told at each row, and a verdict that hangs on it is withheld."""

from dataclasses import replace

import numpy as np
import pandas as pd
from simulate import PERSON, Simulation
from truth import write_truth

from fer_bench.report import write_report
from fer_bench.report.model.report_run import gather
from fer_bench.report.sections.training_luck import withheld

TRUTH = {"cnn2-48": 0.75, "gnb-lbp": 0.6, "lda-lbp": 0.5}
SHAPE = Simulation(people=40, sessions=1, views=("S",), protocols=(PERSON,), curves=False, watched=False)


def written(folder, n_folds, luck=(), truth=TRUTH):
    """A run in which a share of the right answers of the small network's folds is lost, by ``luck``."""
    run = write_truth(folder / "run", replace(SHAPE, folds=n_folds, methods=tuple(truth)), truth)
    table = pd.read_parquet(run / "predictions.parquet")
    rng = np.random.default_rng(5)
    for fold, lost in enumerate(luck):
        mine = (table["method"] == "cnn2-48") & (table["fold"] == fold) & (rng.random(len(table)) < lost)
        table.loc[mine, "predicted"] = np.where(table.loc[mine, "label"] == "NE", "HA", "NE")
    table.to_parquet(run / "predictions.parquet", index=False)
    return run


def board(run):
    write_report([run])
    return pd.read_csv(run / "tables" / f"leaderboard-{PERSON}.csv", keep_default_na=False).set_index("method")


def test_two_folds_of_a_network_support_no_verdict(tmp_path):
    """With two folds that differ the lead over people is told with the reason why it is no verdict yet."""
    run = written(tmp_path, 2, luck=(0.0, 0.12))
    view = gather([run])[0]
    rows = board(run)
    text = (run / "report.md").read_text(encoding="utf-8")
    assert "verdict withheld: it holds for these trainings, but over the 2 folds, as for new ones, p " in text
    assert "beats" not in text.split("\n## ")[0]
    assert "not that of new trainings" in text
    assert rows.loc["cnn2-48", "fold_range"].endswith("(2 folds)")
    low, high = (float(rows.loc["cnn2-48", f"retrained_{end}"]) for end in ("low", "high"))
    assert high - low > float(rows.loc["cnn2-48", "accuracy_high"]) - float(rows.loc["cnn2-48", "accuracy_low"])
    assert rows.loc["gnb-lbp", "retrained"] == ""
    assert withheld(view, PERSON, "gnb-lbp", "lda-lbp", 0.001) == ""
    assert withheld(view, PERSON, "cnn2-48", "gnb-lbp", 0.2) == ""


def test_ten_folds_that_agree_support_it(tmp_path):
    """A network that leads in all of ten folds beats the best classical pipeline, one seed or not."""
    run = written(tmp_path, 10)
    board(run)
    text = (run / "report.md").read_text(encoding="utf-8")
    assert "verdict withheld" not in text
    assert "beats" in text.split("\n## ")[0]


def test_folds_that_people_do_not_explain_are_named(tmp_path):
    """Where one fold lies far below the others the method is named; where people explain them, nobody is."""
    run = written(tmp_path, 10, luck=(0.0, 0.6, 0.0, 0.5))
    board(run)
    text = (run / "report.md").read_text(encoding="utf-8")
    assert "folds differ by more than people explain (analysis of variance, at 5 %): cnn2-48" in text
    other = written(tmp_path / "other", 10)
    board(other)
    assert ": cnn2-48" not in (other / "report.md").read_text(encoding="utf-8")


def test_p_over_folds_stands_beside_where_they_disagree(tmp_path):
    """A row that people call behind the first and folds do not has the p over folds beside it; others have none."""
    run = written(tmp_path, 2, luck=(0.0, 0.12))
    rows = board(run)
    behind = rows[rows["p_behind"] != ""]
    assert len(behind) == 2
    for row in behind.to_dict("records"):
        if row["p_folds"]:
            assert (float(row["p_folds"]) < 0.05) != (float(row["p_behind"]) < 0.05)
    assert (behind["p_folds"] != "").any()
