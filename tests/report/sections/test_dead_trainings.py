"""A training that learnt nothing is counted in the opening, flagged at its row, and decides no claim."""

from dataclasses import replace

import pandas as pd
import pytest
from simulate import PERSON, Simulation
from truth import write_truth

from fer_bench.report import write_report
from fer_bench.report.model.report_run import gather
from fer_bench.report.sections.claims import judge_claims
from fer_bench.report.sections.dead_trainings import dead_rows
from fer_bench.report.sections.opening import warnings_of

SIZES = ("cnn2-48", "cnn2-64", "cnn2-128")
SHAPE = Simulation(people=12, sessions=1, views=("S", "HL"), folds=2, protocols=(PERSON,), curves=False, watched=False)


def written(folder, methods, blind=()):
    """A run in which fold 0 of each method of ``blind`` answers neutral for all pictures."""
    truth = {name: 0.5 + 0.1 * place for place, name in enumerate(methods)}
    run = write_truth(folder / "run", replace(SHAPE, methods=tuple(methods)), truth)
    table = pd.read_parquet(run / "predictions.parquet")
    table.loc[table["method"].isin(blind) & (table["fold"] == 0), "predicted"] = "NE"
    table.to_parquet(run / "predictions.parquet", index=False)
    return run


@pytest.mark.parametrize("blind", [("cnn2-64",), ("gnb-lbp",), ("cnn2-48", "gnb-lbp")])
def test_a_blind_training_is_counted_flagged_and_excluded(tmp_path, blind):
    """Networks and classical methods alike: the opening counts, the row is marked, the claim goes without the row."""
    run = written(tmp_path, (*SIZES, "gnb-lbp"), blind)
    view = gather([run])[0]
    n, of = len(blind), "1 method" if len(blind) == 1 else "2 methods"
    (told,) = (w for w in warnings_of([view]) if "answered one expression" in w)
    assert told.startswith(f"{n} training{'s' if n > 1 else ''} of {of} answered one expression for all pictures (")
    assert set(dead_rows(view, PERSON)) == set(blind)
    text = (write_report([run]).parent / "report.md").read_text(encoding="utf-8")
    assert told in text
    board = pd.read_csv(run / "tables" / f"leaderboard-{PERSON}.csv", keep_default_na=False)
    marked = dict(zip(board["method"], board["dead"], strict=True))
    for name in board["method"]:
        expected = "1 of 2; fold 0: NE for all 84 pictures" if name in blind else ""
        assert marked[name] == expected
    claims = {finding.claim.id: finding.evidence.methods for finding in judge_claims(view, PERSON)}
    assert not set(blind) & {name for methods in claims.values() for name in methods}
    assert claims["larger"] == tuple(name for name in SIZES if name not in blind)


@pytest.mark.parametrize("floor", [(), ("majority",)])
def test_a_run_whose_trainings_learnt_says_nothing(tmp_path, floor):
    """Without a dead training there is no warning, and no column; the floor gives one answer on purpose."""
    run = written(tmp_path, (*SIZES, *floor), floor)
    text = (write_report([run]).parent / "report.md").read_text(encoding="utf-8")
    assert "learnt nothing" not in text
    assert "answered one expression" not in text
