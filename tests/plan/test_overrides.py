"""A suite's ``set`` tables: parameters and image sizes in place of the methods' own."""

import json
from dataclasses import replace

import pytest

from fer_bench.errors import UserError
from fer_bench.methods import ImageSpec, MethodSpec
from fer_bench.plan.overrides import _known
from fer_bench.plan.plan import make_plan
from fer_bench.plan.request import Request

SUITE = """
summary = "three rows"
[[job]]
methods = ["knn-dwt", "gnb-dwt", "cnn2-48"]
protocols = ["subject-2fold"]
"""


def request(path, text, data):
    path.write_text(SUITE + text)
    return Request(suite=str(path), data=str(data), workers=1, device="cpu", offline=True)


def test_what_is_set_changes_those_trials_and_no_others(kdef_folder, tmp_path):
    """Parameters reach the methods that the glob names, later tables win, and only their ids are new."""
    plain = make_plan(request(tmp_path / "a.toml", "", kdef_folder), fetch=False)
    text = '[set."cnn2-*"]\nepochs = 3\nlearning_rate = 0.01\n[set."cnn2-48"]\nepochs = 2\npatience = 1\n'
    found = make_plan(request(tmp_path / "b.toml", text, kdef_folder), fetch=False)
    for before, after in zip(plain.trials, found.trials, strict=True):
        assert (before.id == after.id) == (before.spec.name != "cnn2-48")
    params = next(trial.spec.params for trial in found.trials if trial.spec.name == "cnn2-48")
    assert (params["learning_rate"], params["epochs"], params["patience"]) == (0.01, 2, 1)
    assert "suite b sets epochs = 2, patience = 1 for cnn2-48" in found.notes


def test_a_parameter_is_set_by_its_old_name(kdef_folder, tmp_path, capfd):
    """``views`` of a suite file sets ``augmented_copies``: the same trials, and the new name is told."""
    rows = '[[job]]\nmethods = ["squeezenet1_1-rendered-dense"]\nprotocols = ["subject-2fold"]\n'
    old, new = (
        make_plan(request(tmp_path / "s.toml", f'{rows}[set."*-dense"]\n{name} = 4\n', kdef_folder), fetch=False)
        for name in ("views", "augmented_copies")
    )
    assert [trial.id for trial in old.trials] == [trial.id for trial in new.trials]
    assert {t.spec.params["augmented_copies"] for t in old.trials if t.spec.mode == "dense"} == {4}
    assert not any("views" in trial.spec.params for trial in old.trials)
    assert "parameter views is called augmented_copies now" in capfd.readouterr().err


def test_a_parameter_that_is_named_so_today_is_left_alone():
    """A method whose own parameter is called ``views`` keeps it, and so does a package's row that has the old name."""
    mine = MethodSpec("mine", "classical", f"{__name__}:of_views", ImageSpec(8), params={"depth": 1}, wants=())
    assert _known(mine, {"views": 3}, "suite") == {"views": 3}
    theirs = MethodSpec(
        "theirs", "deep", "fer_bench.deep.classifier:NetworkClassifier", ImageSpec(64, 3), params={"views": 8}
    )
    assert _known(theirs, {"views": 2}, "suite") == {"views": 2}
    assert _known(theirs, {"augmented_copies": 2}, "suite") == {"views": 2}
    assert _known(replace(theirs, params={}), {"views": 2}, "suite") == {"augmented_copies": 2}
    with pytest.raises(UserError, match=r"suite .*augmented_copies: given twice"):
        _known(replace(theirs, params={}), {"views": 2, "augmented_copies": 2}, "suite")


def of_views(views=1, depth=1):
    """Stand in for another package's method."""


def test_a_run_trains_with_what_is_set_and_says_so(cli, kdef_folder, tmp_path):
    """The record's parameters, the curves' length and the report's notes are those of the suite."""
    path = tmp_path / "mine.toml"
    path.write_text(SUITE + '[set."cnn2-*"]\nepochs = 2\n[set."knn-*"]\nsize = 16\n')
    cli("run", "--suite", path, "--data", kdef_folder, "--out", tmp_path / "r")
    info = json.loads((tmp_path / "r" / "run.json").read_text())
    assert info["methods"]["cnn2-48"]["params"]["epochs"] == 2
    assert info["methods"]["knn-dwt"]["size"] == 16
    curves = (tmp_path / "r" / "curves.csv").read_text().splitlines()
    assert len(curves) == 1 + 2 * 2
    assert "suite mine sets epochs = 2 for cnn2-*" in info["notes"]
    assert r"suite mine sets size = 16 for knn-\*" in (tmp_path / "r" / "report.md").read_text()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[set."knn-*"]\nneighbours = 3\n', r"knn-dwt has no neighbours; choose from .*classifier"),
        ('[set."cnn2-*"]\nsize = 4\n', "expected a side of 8 to 1024 pixels, found 4"),
        ('[set."cnn2-*"]\nsize = 64\n', "cnn2-48 is named for its size"),
        ('[set."cnn2-*"]\nrandom_state = 4\n', "cnn2-48 has no random_state"),
        ('[set."cnn2-*"]\n', "set, cnn2-"),
    ],
)
def test_what_cannot_be_set_is_refused_in_one_sentence(kdef_folder, tmp_path, text, message):
    """A parameter that the method has not, one that the harness supplies, an impossible size, an empty table."""
    with pytest.raises(UserError, match=message):
        make_plan(request(tmp_path / "a.toml", text, kdef_folder), fetch=False)
