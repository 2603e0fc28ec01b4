"""No table says an interval and a p value that disagree, and no sentence gives a verdict that is to be withheld."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from simulate import PERSON, RANDOM, Simulation
from truth import write_truth

from fer_bench import stats
from fer_bench.cli.compare import compare_lines
from fer_bench.report.contents import SECTIONS
from fer_bench.report.model.report_run import ReportRun, gather
from fer_bench.report.model.tables import Block, Estimate, Table
from fer_bench.report.sections.answers import answers
from fer_bench.report.sections.claims import SUPPORTED, judge_claims
from fer_bench.report.sections.contrast import contrast, trend
from fer_bench.report.sections.evidence import outcomes_of
from fer_bench.report.sections.leaderboard import leaderboard_section
from fer_bench.report.sections.leakage import splits_section
from fer_bench.report.sections.opening import headline
from fer_bench.report.sections.runs import runs_section
from fer_bench.report.sections.subgroups import people_section
from fer_bench.results.compare import compare_runs

SHAPE = Simulation(people=16, sessions=1, views=("S", "HL"), folds=4, protocols=(PERSON,), curves=False, watched=False)
METHODS = ("linear_svc-lbp", "gnb-lbp", "knn-lbp", "lda-lbp", "tree-lbp")
SIZES = ("cnn2-48", "cnn2-64", "cnn2-128")


def written(folder: Path, truth: dict, seed: int = 1, **shape: object) -> Path:
    methods = tuple(dict.fromkeys(name if isinstance(name, str) else name[0] for name in truth))
    return write_truth(folder, replace(SHAPE, methods=methods, **shape), truth, seed=seed)


def told(blocks: tuple[Block, ...], prefix: str) -> Iterator[tuple[Estimate, float]]:
    """Differences with their p of the tables whose id begins so."""
    for block in blocks:
        if isinstance(block, Table) and block.id.startswith(prefix):
            yield from ((row["difference"], row["adjusted"]) for row in block.rows if row["adjusted"] is not None)


def agree(found: list[tuple[Estimate, float]]) -> set[bool]:
    """Hold p against interval, row by row; gives which verdicts there were."""
    assert found
    for estimate, p in found:
        assert (p < stats.ALPHA) == (estimate.low > 0 or estimate.high < 0), (estimate, p)
    return {p < stats.ALPHA for _, p in found}


def test_splits_and_subgroups_have_p_and_interval_that_agree(tmp_path: Path) -> None:
    """Over random runs, leaks of many sizes and people who differ: below 5 % exactly where zero is left out."""
    seen = set()
    for seed in range(3):
        shares = dict(zip(METHODS, np.linspace(0.5, 0.8, len(METHODS)), strict=True))
        leaks = {(name, RANDOM): share + 0.03 * place for place, (name, share) in enumerate(shares.items())}
        truth = {(name, PERSON): share for name, share in shares.items()} | leaks
        people, protocols = 8 + 5 * seed, (PERSON, RANDOM)
        folder = written(tmp_path / str(seed), truth, seed=seed, people=people, protocols=protocols)
        table = pd.read_parquet(folder / "predictions.parquet")
        hard = table["subject"].str.startswith("F") & (np.random.default_rng(seed).random(len(table)) < 0.1 * seed)
        table.loc[hard, "predicted"] = np.where(table.loc[hard, "label"] == "NE", "HA", "NE")
        table.to_parquet(folder / "predictions.parquet", index=False)
        (run,) = gather([folder])
        seen |= agree(list(told(people_section(run, "").blocks, "gender-")))
        seen |= agree(list(told(splits_section(run, "").blocks, "splits-")))
    assert seen == {True, False}


def test_two_runs_have_p_and_interval_that_agree(tmp_path: Path) -> None:
    """In report and terminal alike a comparison is significant exactly where its printed interval leaves zero out."""
    seen = set()
    for seed in range(2):
        shares = dict(zip(METHODS, np.linspace(0.5, 0.8, len(METHODS)), strict=True))
        other = {name: share + 0.04 * place for place, (name, share) in enumerate(shares.items())}
        folders = [
            written(tmp_path / f"{seed}{side}", truth, seed=10 * seed + place, people=7 + 9 * seed)
            for place, (side, truth) in enumerate((("a", shares), ("b", other)))
        ]
        found = compare_runs(*folders)
        pairs = [(Estimate.of(pair.difference.interval), pair.p_adjusted) for pair in found.pairs]
        seen |= agree(pairs)
        assert list(told(runs_section(gather(folders)).blocks, "compared-")) == pairs
        significant = sum(p < stats.ALPHA for _, p in pairs)
        assert next(iter(compare_lines(found))).startswith(f"In {significant} of {len(pairs)} comparisons")
        apart = found.table["difference_low"].gt(0) | found.table["difference_high"].lt(0)
        assert list(found.table["verdict"] != "not significantly different") == list(apart)
    assert seen == {True, False}


def unlucky(folder: Path, n_folds: int) -> Path:
    """Three sizes of a network that rise steeply; the largest has a fold that is much worse than its others."""
    truth = {"cnn2-48": 0.55, "cnn2-64": 0.65, "cnn2-128": 0.85}
    run = written(folder, truth, people=40, folds=n_folds)
    table = pd.read_parquet(run / "predictions.parquet")
    lost = (table["method"] == "cnn2-128") & (table["fold"] == 0) & (np.random.default_rng(3).random(len(table)) < 0.2)
    table.loc[lost, "predicted"] = np.where(table.loc[lost, "label"] == "NE", "HA", "NE")
    table.to_parquet(run / "predictions.parquet", index=False)
    return run


def said(run: ReportRun) -> dict[str, str]:
    found = answers(run)
    assert found is not None
    return {row["question"]: str(row["answer"]) for row in found.rows}


def test_a_withheld_verdict_names_no_winner_anywhere(tmp_path: Path) -> None:
    """With two folds that differ nobody is best, no claim holds, and a comparison of two runs names neither."""
    folder = unlucky(tmp_path / "two", 2)
    (run,) = gather([folder])
    answer = said(run)
    assert answer["Which method is best?"].startswith("No method is shown to be: ")
    assert "verdict withheld: it holds for these trainings" in answer["Which method is best?"]
    assert "Significant: not said (verdict withheld" in answer["By how much, and is it significant?"]
    assert "others are behind" not in answer["By how much, and is it significant?"]
    claim = next(found for found in judge_claims(run, PERSON) if found.claim.id == "larger")
    assert claim.verdict == SUPPORTED
    assert claim.said.startswith("verdict withheld: it holds for these trainings")
    held = "Verdict withheld, since it hangs on these trainings: larger input"
    assert held in answer["What did the article claim, and does it hold?"]
    cells = [
        str(cell)
        for build in SECTIONS
        for block in build(run, "").blocks
        if isinstance(block, Table)
        for row in block.rows
        for cell in row.values()
    ]
    assert not [cell for cell in cells if cell.startswith((f"{SUPPORTED}:", "first is better"))]
    (pair,) = compare_runs(folder, folder, method_a="cnn2-128", method_b="cnn2-48").pairs
    assert pair.p_adjusted < stats.ALPHA
    assert pair.verdict.startswith("verdict withheld")


def test_ten_folds_that_agree_have_their_verdicts(tmp_path: Path) -> None:
    """The same methods over ten folds are named, the claim is supported, and the comparison has its winner."""
    folder = written(tmp_path / "ten", {"cnn2-48": 0.5, "cnn2-64": 0.65, "cnn2-128": 0.85}, people=40, folds=10)
    (run,) = gather([folder])
    answer = said(run)
    assert answer["Which method is best?"].startswith("cnn2-128: ")
    assert "all 2 others are behind" in answer["By how much, and is it significant?"]
    assert "Supported: larger input" in answer["What did the article claim, and does it hold?"]
    (pair,) = compare_runs(folder, folder, method_a="cnn2-128", method_b="cnn2-48").pairs
    assert pair.verdict == "A is better"


def test_equal_methods_have_no_best(tmp_path: Path) -> None:
    """Where the first is not significantly ahead the answer says so before it names the highest accuracy."""
    (run,) = gather([written(tmp_path / "even", dict.fromkeys(METHODS, 0.7))])
    assert said(run)["Which method is best?"].startswith(
        "No method is shown to be: 4 of 4 others are not significantly"
    )


@pytest.mark.parametrize("rival", [("gnb-lbp",), ()])
def test_a_row_with_a_dead_training_is_never_first(tmp_path: Path, rival: tuple[str, ...]) -> None:
    """With the highest mean of all it leads nothing: no rank, no family, no front, no headline, no comparison."""
    truth = {"cnn2-48": 0.6, "cnn2-128": 0.97, **dict.fromkeys(rival, 0.5)}
    folder = written(tmp_path / "dead", truth)
    table = pd.read_parquet(folder / "predictions.parquet")
    table.loc[(table["method"] == "cnn2-128") & (table["fold"] == 0), "predicted"] = "NE"
    table.to_parquet(folder / "predictions.parquet", index=False)
    (run,) = gather([folder])
    assert run.results.sort_values("accuracy")["method"].iloc[-1] == "cnn2-128"
    assert str(run.ranked(PERSON)["method"].iloc[-1]) == "cnn2-128"
    assert run.best(PERSON, "cnn") == "cnn2-48"
    assert "cnn2-128" not in set(run.standing(PERSON)["method"]) | set(run.learnt(PERSON)["method"])
    assert run.finished_under(PERSON) == ["cnn2-48", *rival]
    board = leaderboard_section([run]).blocks[0]
    assert isinstance(board, Table)
    assert board.rows[-1]["method"] == "cnn2-128"
    assert "rank" not in board.rows[-1]
    assert "behind" not in board.rows[-1]
    assert "cnn2-128" not in headline(run)
    assert not any("cnn2-128" in text for text in said(run).values())
    for build in SECTIONS:
        for block in build(run, "").blocks:
            for row in block.rows if isinstance(block, Table) else ():
                named = [str(row[key]) for key in ("best", "first", "second") if isinstance(row.get(key), str)]
                assert "cnn2-128" not in named
                assert not (row.get("method") == "cnn2-128" and row.get("front"))
    assert not any("cnn2-128" in found.evidence.methods for found in judge_claims(run, PERSON))
    (pair,) = compare_runs(folder, folder, method_a="cnn2-128", method_b="cnn2-48").pairs
    assert pair.withheld.startswith("verdict withheld: a training of A learnt nothing (fold 0: NE for all")
    assert "A is better" not in pair.verdict


def test_a_run_of_dead_rows_alone_names_nobody(tmp_path: Path) -> None:
    """Where each method has a training that learnt nothing the headline says so, and no section fails."""
    folder = written(tmp_path / "dead", {"cnn2-48": 0.6, "cnn2-128": 0.9})
    table = pd.read_parquet(folder / "predictions.parquet")
    table.loc[table["fold"] == 0, "predicted"] = "NE"
    table.to_parquet(folder / "predictions.parquet", index=False)
    (run,) = gather([folder])
    assert headline(run) == (
        "2 methods were trained and tested; each has a training that learnt nothing: none is ranked."
    )
    assert answers(run) is None
    assert all(build(run, "") for build in SECTIONS)


def test_the_detectable_difference_counts_all_that_is_tested(tmp_path: Path) -> None:
    """A claim's detectable difference grows with the number of claims tested, as the statistics say it must."""
    (run,) = gather([written(tmp_path / "run", dict.fromkeys((*SIZES, "gnb-lbp"), 0.7))])
    found = judge_claims(run, PERSON)
    tested = [one for one in found if one.evidence.figure is not None]
    assert len(tested) >= 2
    pair = outcomes_of(run, PERSON, SIZES[:2])
    alone = contrast(run, trend(pair))
    assert alone is not None
    expected = stats.minimum_detectable_difference(pair[1].correct, pair[0].correct, pair[0].person, family=2)
    assert alone.among(2).detectable == pytest.approx(expected)
    assert alone.detectable < alone.among(2).detectable < alone.among(6).detectable
    for one in tested:
        figure = one.evidence.figure
        assert figure is not None
        assert figure.detectable == figure.detectable_among(len(tested)) > figure.detectable_among(1)
