"""Packages that add to fer-bench: the example is installed as anybody's, and broken ones are told in a sentence."""

import html
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from fer_bench.data.layouts.known import LAYOUTS, load_layouts
from fer_bench.errors import UserError
from fer_bench.labels import EMOTIONS
from fer_bench.methods import load_methods
from fer_bench.plan.suites import known_suites, load_suite

ROOT = Path(__file__).parents[2]
WORDS = dict(zip(EMOTIONS, ("fear", "angry", "disgust", "happy", "neutral", "sad", "surprise"), strict=True))
ADDED = {"centroid-contrast", "linear_svc-contrast", "centroid-lbp", "tiny-scratch"}


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """The example plug-in, built and installed by pip into a folder of its own, without a connection."""
    source = tmp_path_factory.mktemp("source") / "plugin"  # building leaves files beside it
    shutil.copytree(ROOT / "examples" / "plugin", source)
    target = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    done = subprocess.run([*pip, "--target", target, source], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return target


@pytest.fixture(scope="module")
def booth(kdef_folder, tmp_path_factory) -> Path:
    """Four people, two sessions, seven expressions in the plug-in's own names, and a picture of something else."""
    folder = tmp_path_factory.mktemp("booth")
    people = {"F01": "P01", "M01": "P02", "F02": "P03", "M02": "P04"}
    for file in kdef_folder.rglob("*S.JPG"):  # frontal ones
        session, person, code = file.stem[0], file.stem[1:4], file.stem[4:6]
        shutil.copy(file, folder / f"{people[person]}_{WORDS[code]}_{'AB'.index(session) + 1}.jpg")
    shutil.copy(file, folder / "holiday.jpg")
    return folder


@pytest.mark.slow
def test_an_installed_plugin_is_listed_read_run_reported_and_gated(cli, installed, booth, tmp_path):
    """A package with a dataset, a feature, a classifier, a network and a suite works in every command as it is."""
    with_plugin = {"PYTHONPATH": str(installed)}
    listed = {what: cli("list", what, **with_plugin).stdout for what in ("methods", "datasets", "suites")}
    assert {line.split()[0] for line in listed["methods"].splitlines()} > ADDED
    assert re.search("booth +an imagined photo booth: pictures named like P03_happy_2.png", listed["datasets"])
    assert "example" in {line.split()[0] for line in listed["suites"].splitlines()}

    told = cli("data", "inspect", booth, **with_plugin).stdout
    assert "layout: booth. an imagined photo booth" in told
    assert "expressions as they are read: AF from fear," in told
    assert "people: 4, with 14 to 14 images each" in told
    assert "\n  holiday.jpg" in told

    run = tmp_path / "r"
    cli("run", "--suite", "example", "--data", booth, "--out", run, "--workers", 1, **with_plugin)
    results = pd.read_csv(run / "results.csv")
    assert set(results["method"]) > ADDED
    assert (results["status"] == "ok").all()
    info = json.loads((run / "run.json").read_text())
    assert info["packages"]["fer-example"] == "1.0"
    assert info["dataset"]["layout"] == "booth"

    shutil.copytree(run, tmp_path / "sent")
    cli("report", tmp_path / "sent")  # by somebody who has not installed it
    page = html.unescape((tmp_path / "sent" / "report.html").read_text())
    for text in (*ADDED, "an imagined photo booth", "The booth's pictures: say here whose they are", "fer-example"):
        assert text in page

    expected = tmp_path / "expected.json"
    cli("gate", run, "--expected", expected, "--update", "--few-seeds")
    rows = json.loads(cli("gate", run, "--expected", expected, "--few-seeds", "--json").stdout)["rows"]
    assert {row["method"] for row in rows} > ADDED
    assert {row["verdict"] for row in rows} == {"ok"}


def register(monkeypatch, folder: Path, group: str, point: str, code: str = "", module: str = "my_plugin") -> None:
    """Put a package of one module with one entry point on the path, as an installer leaves it."""
    info = folder / f"{module}-1.0.dist-info"
    info.mkdir()
    (folder / f"{module}.py").write_text(code)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{group}]\n{point}\n")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, module, raising=False)


LAYOUT = "from fer_bench.data.layouts.contract import Layout\nMINE = Layout('{}', 's', 'e', None, None, {{}}, 'n')\n"
BROKEN = {
    "no module": ("layouts", "mine = no_such_module:X", "", "cannot be loaded: No module named 'no_such_module'"),
    "no object": ("layouts", "mine = my_plugin:MINE", "", "cannot be loaded: .*has no attribute 'MINE'"),
    "raises": ("layouts", "mine = my_plugin:MINE", "1 / 0", "cannot be loaded: ZeroDivisionError: division by zero"),
    "exits": ("layouts", "mine = my_plugin:MINE", "import sys; sys.exit(0)", "cannot be loaded: SystemExit: 0"),
    "no error": ("layouts", "mine = my_plugin:MINE", "raise GeneratorExit", "cannot be loaded: GeneratorExit"),
    "no Python": ("layouts", "mine = my_plugin:MINE", "def", "cannot be loaded: SyntaxError"),
    "no layout": ("layouts", "mine = my_plugin:MINE", "MINE = [7]", "expected a .*Layout, found int"),
    "a bad name": ("layouts", "mine = my_plugin:MINE", LAYOUT.format("My Faces"), "expected a name of small letters"),
    "a shipped name": ("layouts", "mine = my_plugin:MINE", LAYOUT.format("jaffe"), "one named 'jaffe' already"),
    "methods raise": ("methods", "mine = my_plugin:METHODS", "1 / 0", "cannot be loaded: ZeroDivisionError"),
    "methods exit": ("methods", "mine = my_plugin:METHODS", "raise SystemExit(0)", "cannot be loaded: SystemExit: 0"),
    "a suite exits": ("suites", "mine = my_plugin.inner", "raise SystemExit(0)", "SystemExit: 0"),
    "no methods": ("methods", "mine = my_plugin:METHODS", "METHODS = 7", "expected a sequence of .*MethodSpec"),
    "a shipped suite": ("suites", "akhand2021 = my_plugin", "", "one named 'akhand2021' already"),
    "no suite": ("suites", "mine = my_plugin", "", "expected mine.toml in that package"),
    "no package": ("suites", "mine = no_such_module", "", "expected mine.toml in that package"),
}
LOAD = {"layouts": load_layouts, "methods": load_methods, "suites": known_suites}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_plugin_is_one_sentence_that_names_it(case, monkeypatch, tmp_path):
    """What cannot be loaded, is something else, or takes a name that is there is refused, and told whose it is."""
    group, point, code, message = BROKEN[case]
    register(monkeypatch, tmp_path, f"fer_bench.{group}", point, code)
    with pytest.raises(UserError, match=message) as caught:
        LOAD[group]()
    assert "my_plugin" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_several_layouts_and_one_spec_may_be_registered_as_they_are(monkeypatch, tmp_path):
    """A sequence of layouts, or one alone, comes after the shipped ones, which keep their order."""
    code = LAYOUT.format("mine-1") + "MORE = [MINE, Layout('mine-2', 's', 'e', None, None, {}, 'n')]\n"
    register(monkeypatch, tmp_path, "fer_bench.layouts", "mine = my_plugin:MORE", code)
    assert list(load_layouts()) == [*LAYOUTS, "mine-1", "mine-2"]


def test_a_packages_suite_is_loaded_by_its_name(monkeypatch, tmp_path):
    """The entry point's name is the suite's; a file that is not TOML is told."""
    package = tmp_path / "my_suites"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "mine.toml").write_text('summary = "my own"\n[[job]]\nfamily = "cnn"\nprotocols = ["subject-10fold"]\n')
    register(monkeypatch, tmp_path, "fer_bench.suites", "mine = my_suites")
    assert load_suite("mine").jobs[0]["family"] == "cnn"
    assert known_suites()["mine"] == "my own"
    (package / "mine.toml").write_text("summary =")
    with pytest.raises(UserError, match="suite mine cannot be read as TOML"):
        load_suite("mine")
