"""The report's comparisons of all methods: intervals and p agree, and pairs on other images are compared, too."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from simulate import Simulation, write_run
from truth import write_truth

from fer_bench import stats
from fer_bench.report.model.comparisons import compare_all
from fer_bench.report.model.report_run import ReportRun, gather
from fer_bench.report.sections.answers import answers
from fer_bench.report.sections.leaderboard import leaderboard_section, pairs_section
from fer_bench.results.outcomes import Key
from fer_bench.results.schema import LAST_EPOCH

METHODS = ("linear_svc-pixels", "linear_svc-lbp", "cnn10", "resnet18")
PROTOCOL = "subject-10fold"


@pytest.fixture(scope="module", name="run")
def _run(tmp_path_factory: pytest.TempPathFactory) -> ReportRun:
    simulation = Simulation(people=20, protocols=(PROTOCOL,), methods=METHODS)
    accuracies = dict(zip(METHODS, (0.6, 0.74, 0.77, 0.79), strict=True))
    return gather([write_truth(tmp_path_factory.mktemp("run") / "run", simulation, accuracies)])[0]


def test_every_pair_is_there_both_ways(run: ReportRun) -> None:
    """All pairs of standing methods are compared, B minus A is A minus B turned, and an unknown one is None."""
    found = compare_all(run, PROTOCOL)
    assert found.pairs == 6
    for a, b in found.found:
        straight, turned = found.of(a, b), found.of(b, a)
        assert straight is not None
        assert turned is not None
        assert turned.estimate.value == -straight.estimate.value
        assert (turned.estimate.low, turned.estimate.high) == (-straight.estimate.high, -straight.estimate.low)
        correct = [run.outcomes[Key(name, PROTOCOL, LAST_EPOCH)].correct.mean() for name in (a, b)]
        assert straight.estimate.value == pytest.approx(correct[0] - correct[1])
    assert found.of("cnn10", "nobody") is None


def test_p_and_interval_agree_in_the_tables(run: ReportRun) -> None:
    """In the leaderboard and in the pairs a row is below 5 % exactly where its interval leaves zero out."""
    board = leaderboard_section([run]).blocks[0]
    pairs = pairs_section(run, "").blocks[1]
    rows = [(row["behind"], row["p_behind"]) for row in board.rows if "behind" in row]
    rows += [(row["difference"], row["adjusted"]) for row in pairs.rows]
    assert len(rows) >= 4
    assert {p < stats.ALPHA for _, p in rows} == {True, False}
    for estimate, p in rows:
        assert (p < stats.ALPHA) == (estimate.low > 0 or estimate.high < 0)
    for row in pairs.rows:
        assert (row["verdict"] == "first is better") == (row["difference"].low > 0)


def test_the_same_pair_has_one_p(run: ReportRun) -> None:
    """The lead over the next method has the same interval and p in the answers and in the leaderboard."""
    board = leaderboard_section([run]).blocks[0]
    table = answers(run)
    assert table is not None
    told = next(row["answer"] for row in table.rows if row["question"].startswith("By how much"))
    second = board.rows[1]
    assert f"p = {second['p_behind']:.3f} (interval and p for all 6 pairs at once)" in told
    assert f"{100 * -second['behind'].low:.1f}]" in told


def test_methods_on_other_images_are_compared_on_common_ones(tmp_path: Path) -> None:
    """Where one method lacks images its pairs are compared on what both tested, and the others keep all."""
    folder = write_run(tmp_path / "run", Simulation(people=12, protocols=(PROTOCOL,), methods=METHODS))
    whole = gather([folder])[0]
    file = folder / "predictions.parquet"
    table = pd.read_parquet(file)
    images = table["image"].unique()
    table = table[~((table["method"] == "cnn10") & table["image"].isin(images[::3]))]
    table.to_parquet(file, index=False)
    part = gather([folder])[0]
    kept, n = compare_all(part, PROTOCOL), len(images)
    assert kept.pairs == 6
    for (a, b), found in kept.found.items():
        here, there = (part.outcomes[Key(name, PROTOCOL, LAST_EPOCH)] for name in (a, b))
        shared = np.intersect1d(here.images, there.images)
        assert found.estimate.n == len(shared) == (n - len(images[::3]) if "cnn10" in (a, b) else n)
        shares = [one.correct[np.isin(one.images, shared)].mean() for one in (here, there)]
        assert found.estimate.value == pytest.approx(shares[0] - shares[1])
    assert compare_all(whole, PROTOCOL).pairs == 6
