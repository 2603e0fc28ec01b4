"""--tune from the command line: grids of the suite, trials of their own, what was chosen in the record."""

import json
from dataclasses import replace

import pandas as pd
import pytest

from fer_bench.errors import UserError
from fer_bench.methods import load_methods
from fer_bench.plan.overrides import with_grids
from fer_bench.plan.plan import make_plan
from fer_bench.plan.request import Request
from fer_bench.plan.suites import load_suite

SUITE = """
summary = "two rows and a floor"
[[job]]
methods = ["knn-dwt", "gnb-dwt"]
protocols = ["subject-2fold"]
[tune.knn]
n_neighbors = [1, 5]
"""


@pytest.fixture
def suite(tmp_path):
    """A suite file with one grid."""
    path = tmp_path / "mine.toml"
    path.write_text(SUITE)
    return path


def test_a_tuned_run_says_what_it_chose_and_beside_which_number(cli, kdef_folder, suite, tmp_path):
    """The record holds choice and everything tried; results and report say tuned or default for each row."""
    cli("run", "--suite", suite, "--tune", "--data", kdef_folder, "--out", tmp_path / "r")
    records = [json.loads(path.read_text()) for path in (tmp_path / "r").glob("trials/*/trial.json")]
    tuned = [record["tuned"] for record in records if record["method"] == "knn-dwt"]
    assert len(tuned) == 2
    for told in tuned:
        assert told["params"]["n_neighbors"] in (1, 5)
        # two people of four are trained on: as many inner folds as people
        assert told["inner_folds"] == 2
        assert [entry["params"] for entry in told["tried"]] == [{"n_neighbors": 1}, {"n_neighbors": 5}]
    assert not any("tuned" in record for record in records if record["method"] == "gnb-dwt")
    results = pd.read_csv(tmp_path / "r" / "results.csv").set_index("method")
    assert results["tuning"].to_dict() == {"knn-dwt": "tuned", "gnb-dwt": "default"}
    rows = [line for line in (tmp_path / "r" / "report.md").read_text().splitlines() if line.startswith("| ")]
    assert any("knn-dwt" in line and "| tuned |" in line for line in rows)
    assert any("gnb-dwt" in line and "| default |" in line for line in rows)


def test_tuned_trials_are_not_those_with_default_parameters(kdef_folder, suite):
    """The grid is part of a trial's identity: tuned rows get ids of their own, rows without a grid keep theirs."""
    request = Request(suite=str(suite), data=str(kdef_folder), workers=1, device="cpu", offline=True)
    plain = make_plan(request, fetch=False).trials
    tuned = make_plan(Request(**{**vars(request), "tune": True}), fetch=False).trials
    for before, after in zip(plain, tuned, strict=True):
        assert (before.id == after.id) == (before.spec.name == "gnb-dwt")


def test_tuning_without_a_grid_is_refused(suite):
    """A suite without a grid for what is run, or with one for what cannot be tuned, is told so in one sentence."""
    methods, grids = load_methods(), load_suite(str(suite))
    with pytest.raises(UserError, match=r"no grid for gnb-dwt.*\[tune\.linear_svc\]"):
        with_grids({"gnb-dwt": methods["gnb-dwt"]}, grids)
    suite.write_text(SUITE.replace("[tune.knn]", "[tune.majority]"))
    with pytest.raises(UserError, match="majority, which cannot be tuned"):
        with_grids({"majority": methods["majority"]}, load_suite(str(suite)))


def test_a_flawed_grid_is_refused_with_its_place(suite):
    """Values that are no list are told with the table they stand in."""
    suite.write_text(SUITE.replace("[1, 5]", "5"))
    with pytest.raises(UserError, match="tune, knn, n_neighbors"):
        load_suite(str(suite))


@pytest.mark.parametrize("name", ["classical", "all", "classical_variants", "literature"])
def test_every_grid_of_the_built_in_suites_fits_its_classifier(name):
    """Each grid is of parameters that the classifier has, and surrounds its default for few pictures and for many."""
    from fer_bench.baselines.classifiers.registry import make_classifier

    for classifier, grid in load_suite(name).tune.items():
        classifier, features = "rbf_svc" if classifier == "svc" else classifier, "lbp"
        for n in (112, 1000, 4410):
            params = make_classifier(classifier, features, None, random_state=0, n_train=n)[-1].get_params()
            for parameter, values in grid.items():
                default = params[parameter]
                numbers = isinstance(default, int | float)
                found = min(values) <= default <= max(values) if numbers else default in values
                assert found, (classifier, parameter, n)


def test_a_classifiers_grid_leaves_alone_what_cannot_be_tuned(suite):
    """A network named after the linear machine at its end keeps its parameters; the machine itself is tuned."""
    suite.write_text(
        SUITE.replace("[tune.knn]", "[tune.linear_svc]").replace("n_neighbors = [1, 5]", "C = [1.0, 10.0]")
    )
    row = load_methods()["linear_svc-lbp"]
    network = replace(row, name="linear_svc-network", grid="")
    tuned = with_grids({row.name: row, network.name: network}, load_suite(str(suite)))
    assert tuned[network.name] == network
    assert tuned[row.name].tuning == "tuned"


def test_a_familys_variants_run_only_where_they_are_named(kdef_folder):
    """Suite classical leaves variants of features out, suite classical_variants runs them."""
    for suite, expected in (("classical", False), ("classical_variants", True)):
        request = Request(suite=suite, data=str(kdef_folder), workers=1, device="cpu", offline=True)
        assert {trial.spec.variant for trial in make_plan(request, fetch=False).trials} == {expected}
