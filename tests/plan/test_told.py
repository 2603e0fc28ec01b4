"""What a plan leaves out is told on the terminal: files, expressions that nobody shows, rows that will not run."""

import json
import re
import shutil
from dataclasses import replace

import pytest

from fer_bench.plan.plan import make_plan
from fer_bench.plan.request import Request
from fer_bench.plan.told import left_out_lines, skipped_lines


@pytest.fixture(scope="module")
def misnamed(tmp_path_factory, kdef_folder):
    """Class folders of three expressions, one of them under a word that stands for none, and a text among pictures."""
    folder = tmp_path_factory.mktemp("classes")
    for code, word in (("AN", "anger"), ("HA", "happy"), ("NE", "neural")):
        for place, picture in enumerate(sorted(kdef_folder.rglob(f"*{code}*.JPG"))[:6]):
            (folder / word).mkdir(exist_ok=True)
            shutil.copy(picture, folder / word / f"{place}.jpg")
    (folder / "happy" / "0.jpg").write_text("no picture")
    return folder


@pytest.mark.parametrize("command", ["run", "plan"])
def test_what_is_left_out_and_what_is_absent_is_told(cli, misnamed, command):
    """Run and plan count the files left out, name an example a reason, and name expressions that are gone."""
    chosen = ["--suite", "classical", "--only", "knn-pixels", "--data", misnamed]
    done = cli(command, *chosen, *(["--no-progress", "--out", "r"] if command == "run" else []))
    text = done.stderr if command == "run" else done.stdout
    assert "left out: 7 files" in text
    assert re.search(r"\n  6, such as neural/0\.jpg: .*folder 'neural'", text)
    assert re.search(r"\n  1, happy/0\.jpg: ", text)
    assert "no image shows AF (afraid), DI (disgusted), NE (neutral), SA (sad), SU (surprised)" in text


def test_programs_are_told_the_same(cli, misnamed):
    """`plan --json` holds the reasons with their counts, and the expressions that are absent."""
    arguments = ("plan", "--suite", "classical", "--only", "knn-pixels", "--data", misnamed, "--json")
    data = json.loads(cli(*arguments).stdout)["data"]
    assert sorted(group["files"] for group in data["left_out"]) == [1, 6]
    assert data["absent"] == ["AF", "DI", "NE", "SA", "SU"]


def test_of_many_reasons_the_first_are_told(misnamed):
    """Seven reasons take seven lines: a head, five reasons, and how many more."""
    plan = make_plan(Request("classical", str(misnamed), only=("knn-pixels",), workers=1), fetch=False)
    excluded = [replace(plan.dataset.manifest.excluded[0], reason=f"reason {word}") for word in "abcdefg"]
    manifest = replace(plan.dataset.manifest, excluded=tuple(excluded))
    head, *reasons, last, _ = left_out_lines(replace(plan.dataset, manifest=manifest))
    assert (head.split(";")[0], len(reasons)) == ("left out: 7 files", 5)
    assert last == "  2 for 2 other reasons"


def test_nothing_is_told_of_whole_data(kdef_folder):
    """Where every file is read and every expression shown, there is nothing to say."""
    plan = make_plan(Request("classical", str(kdef_folder), only=("knn-pixels",), workers=1), fetch=False)
    assert [*left_out_lines(plan.dataset), *skipped_lines(plan)] == []


def test_rows_that_will_not_run_are_grouped_with_one_remedy(kdef_folder, monkeypatch):
    """All rows that lack weights are one line with one command for all of them; so are those beyond the budget."""
    from fer_bench.plan import profiles

    asked = ("vgg16-dense", "vgg16-entire", "resnet18-entire", "knn-pixels")
    request = Request("all", str(kdef_folder), ("subject-2fold",), only=asked, workers=1, device="cpu", offline=True)
    (line,) = skipped_lines(make_plan(request, fetch=False))
    assert line.startswith("skipped: 6 trials of 3 methods (")
    assert line.endswith(": fer-bench weights fetch vgg16 resnet18") or line.endswith(" fetch resnet18 vgg16")
    assert "--offline forbids the download" in line
    tight = replace(profiles.PROFILES["quick"], budget_core_seconds=0.001)
    monkeypatch.setitem(profiles.PROFILES, "quick", tight)
    both = list(skipped_lines(make_plan(request, fetch=False)))
    assert len(both) == 2
    assert re.fullmatch(
        r"skipped: 2 trials of 1 method \(knn-pixels\) do not fit the quick profile .*--profile full.*", both[1]
    )


def test_a_run_says_why_rows_are_skipped(cli, kdef_folder):
    """The reason and the remedy stand on the terminal, not only in a table of the run."""
    chosen = ["--suite", "all", "--only", "vgg16-dense", "--only", "knn-pixels", "--protocol", "subject-2fold"]
    done = cli("run", *chosen, "--data", kdef_folder, "--offline", "--device", "cpu", "--no-progress", "--out", "r")
    assert "2 skipped with a reason\nskipped: 2 trials of 1 method (vgg16-dense) want weights" in done.stderr
    assert "fer-bench weights fetch vgg16\n" in done.stderr
