"""Wherever a word is not known, the one that is most like it is offered."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from fer_bench.cli.weights import fetch, pretrain
from fer_bench.data.datasets import load_dataset
from fer_bench.data.layouts.known import read_dataset
from fer_bench.errors import InputError, UserError
from fer_bench.folds.check import check_folds, read_manifest
from fer_bench.folds.splitters import make_folds
from fer_bench.folds.tables import read_fold_table
from fer_bench.methods import FAMILIES, ImageSpec, MethodSpec, load_methods
from fer_bench.plan.overrides import with_grids, with_settings
from fer_bench.plan.plan import make_plan
from fer_bench.plan.request import Request
from fer_bench.plan.resources import choose_device
from fer_bench.plan.suites import Suite, expand, load_suite
from fer_bench.runner.executors import get_executor
from fer_bench.utils.shapes import faults


def suite(**tables):
    return Suite("mine", "", (), **tables)


def job(**named):
    whole = {"methods": None, "family": None, "watch": False, "protocols": ["subject-2fold"]}
    return Suite("mine", "", (whole | named | {"quick": {"protocols": None, "watch": None}},))


@pytest.mark.parametrize(
    ("ask", "meant"),
    [
        (lambda: load_suite("classicl"), "classical"),
        (lambda: expand(job(methods=["knn-pixls"]), load_methods().values(), "full"), "knn-pixels"),
        (lambda: expand(job(family="clasical"), load_methods().values(), "full"), "classical"),
        (lambda: make_plan(Request(profile="quik"), fetch=False), "quick"),
        (lambda: make_plan(Request(preset="as_printed"), fetch=False), "as-printed"),
        (lambda: make_plan(Request("classical", only=("*knn-pixls*",)), fetch=False), "knn-pixels"),
        (lambda: make_plan(Request("classical", protocols=("subject-lose",)), fetch=False), "subject-loso"),
        (lambda: with_settings({}, suite(set={"knn-pixls": {"k": 1}})), "knn-pixels"),
        (lambda: with_settings(load_methods(), suite(set={"cnn2-48": {"epoch": 1}})), "epochs"),
        (lambda: with_grids(load_methods(), suite(tune={"linear_svm": {"C": [1]}})), "linear_svc"),
        (lambda: choose_device("cdua", "local"), "cuda"),
        (lambda: get_executor("locl", "", 1), "local"),
        (lambda: fetch(["resnet81"]), "resnet18"),
        (lambda: pretrain("squeezenet1_1-render"), "squeezenet1_1-rendered"),
        (lambda: load_dataset("synthetc"), "synthetic"),
        (lambda: load_dataset("synthetic", people=2, crop="detct"), "detect"),
        (lambda: load_dataset("synthetic", people=2, views="FLL"), "FL"),
        (lambda: load_dataset("synthetic", people=2).images(source="foto"), "photo"),
        (lambda: read_dataset("kdfe:/nowhere", 1), "kdef"),
        (lambda: make_folds(load_dataset("synthetic", people=2), "subjct-2fold", 0), "subject-2fold"),
        (lambda: check_folds(make_folds(load_dataset(people=2), "subject-2fold", 0), claim="persn"), "person"),
        (lambda: MethodSpec("m", "clasical", "a:b", ImageSpec(8)), FAMILIES[0]),
    ],
)  # fmt: skip
def test_a_word_that_is_not_known_is_told_with_what_may_be_meant(ask, meant):
    """Of suites and what they name, methods, globs, protocols, presets, devices, weights, layouts, crops and claims."""
    with pytest.raises((UserError, InputError)) as found:
        ask()
    assert str(found.value).endswith(f"; did you mean {meant}?")


@pytest.mark.parametrize(
    ("header", "read", "meant"),
    [
        ("imge,fold,label", read_fold_table, "image by imge"),
        ("image,rolle", read_fold_table, "role by rolle"),
        ("image,lable,subject", read_manifest, "label by lable"),
        ("pth,lable", lambda file: read_dataset(str(file), 1), "path by pth and label by lable"),
    ],
)
def test_a_column_that_is_looked_for_is_found_under_a_near_name(tmp_path, header, read, meant):
    """A table without a column that it needs is told which of its own may be meant."""
    file = tmp_path / "t.csv"
    file.write_text(f"{header}\n{','.join('1' * len(header.split(',')))}\n")
    with pytest.raises(UserError) as found:
        read(file)
    assert str(found.value).endswith(f"; did you mean {meant}?")


def test_a_column_that_is_nearly_one_is_not_passed_over_in_silence(kdef_folder, tmp_path):
    """A table whose people stand under a misspelt heading is read, and says that the column is not."""
    files = [shutil.copy(file, tmp_path) for file in sorted(kdef_folder.rglob("AF0*S.JPG"))]
    rows = [{"path": file.name, "label": file.stem[4:6], "subjct": file.stem[1:4]} for file in map(Path, files)]
    pd.DataFrame(rows).to_csv(tmp_path / "t.csv", index=False)
    data = load_dataset(tmp_path / "t.csv")
    assert any("column subjct" in note and note.endswith("did you mean subject?") for note in data.notes)


def test_a_glob_of_another_suite_is_told_so():
    """A method that is installed but not of this suite is no misspelling."""
    with pytest.raises(UserError, match=r"names none of the .*; vgg16-\w+ is in other suites$"):
        make_plan(Request("classical", only=("vgg16-*",)), fetch=False)


def test_a_misspelt_key_of_a_suite_or_file_is_told():
    """A key that a closed shape does not know is told with the one that is most like it."""
    from fer_bench.plan.suites import _Document

    (found, *_) = faults({"job": [{"protocls": ["x"], "protocols": ["x"]}]}, _Document, closed=True)
    assert found.endswith("; did you mean protocols?")


@pytest.mark.parametrize("name", ["", "Big", "a b", "a\x1b[2J", "../x", "a*", "-x", "a/b", "a\n", "=1"])
def test_a_method_that_no_command_could_name_is_refused(name):
    """Names of methods are typed, stand in globs, in names of files and on terminals."""
    with pytest.raises(InputError, match="expected a name of small letters"):
        MethodSpec(name, "classical", "a:b", ImageSpec(8))
