"""Where a run may be written: what is there is asked first, and what is not its own stays as it is."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from fer_bench.errors import UserError
from fer_bench.plan.request import Request
from fer_bench.runner.run import run

PLAIN = {"protocols": ("subject-2fold",), "only": ("majority",), "device": "cpu", "offline": True}


def snapshot(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, with what it holds."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def made(kdef_folder, tmp_path_factory):
    """A finished run, and what it was asked for."""
    out = tmp_path_factory.mktemp("made") / "r"
    ask = Request("classical", str(kdef_folder), executor="in-process", out=out, **PLAIN)
    assert run(ask) == 0
    return ask


@pytest.fixture
def copied(made, tmp_path):
    """A copy of that run that a test may spoil, and what it was asked for."""
    shutil.copytree(made.out, tmp_path / "r")
    return replace(made, out=tmp_path / "r")


@pytest.fixture(scope="module")
def others(write_faces, tmp_path_factory):
    """Other faces."""
    return write_faces(tmp_path_factory.mktemp("others"), people=2)


def refused(ask: Request, *words: str) -> str:
    """Ask for a run that must be refused and must leave its folder as it is; return the sentence."""
    before = snapshot(ask.out)
    with pytest.raises(UserError) as caught:
        run(ask)
    assert snapshot(ask.out) == before
    for word in words:
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", ["notes.txt", "manifest.csv", "results.csv", "trials/mine.txt", "run.json.bak"])
@pytest.mark.parametrize("replaced", [False, True])
def test_a_folder_of_somebody_else_is_refused(made, tmp_path, name, replaced):
    """Whatever its files are called, and whatever is asked for; the remedy heals."""
    file = tmp_path / "mine" / name
    file.parent.mkdir(parents=True)
    file.write_text("mine")
    ask = replace(made, out=tmp_path / "mine", replace=replaced)
    said = refused(ask, "expected a new or empty folder", name.partition("/")[0])
    assert said.endswith(f"such as {tmp_path / 'mine' / 'run'}")
    assert run(replace(ask, out=tmp_path / "mine" / "run")) == 0
    assert file.read_text() == "mine"


def test_a_run_json_of_another_program_is_refused(made, tmp_path):
    """A file of that name is not a run."""
    (tmp_path / "run.json").write_text('{"schema": 1, "jobs": []}')
    (tmp_path / "manifest.csv").write_text("mine")
    refused(replace(made, out=tmp_path), "expected a new or empty folder")


def test_an_empty_folder_will_do(made, tmp_path):
    """Made beforehand, or left so by a call that was killed."""
    (tmp_path / "empty" / "trials").mkdir(parents=True)
    for name in (".tmp-99-run.json", "trials/.tmp-probe"):
        (tmp_path / "empty" / name).write_text("")
    assert run(replace(made, out=tmp_path / "empty")) == 0


def test_the_data_are_not_written_over(copied, kdef_folder, tmp_path_factory):
    """Neither where they stand under a name of the run's own files, nor as the run's folder."""
    table = copied.out / "manifest.csv"
    table.write_text("path,label\n")
    refused(replace(copied, data=str(table)), f"`data` {table}: lies where the run's own files go")
    refused(replace(copied, data=str(copied.out)), "lies where the run's own files go")
    refused(replace(copied, folds=copied.out / "folds" / "subject-2fold.csv", protocols=()), "`folds`")
    refused(replace(copied, out=kdef_folder), "own files go")
    above = tmp_path_factory.mktemp("above")
    faces = shutil.copytree(kdef_folder, above / "faces")
    refused(replace(copied, out=above, test_data=str(faces)), "expected a new or empty folder")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"suite": "all"}, "of suite classical, not all"),
        ({"seed": 1}, "of seed 0, not 1"),
        ({"profile": "full"}, "of profile quick, not full"),
        ({"preset": "as-printed"}, "of preset default, not as-printed"),
        ({"crop": "none"}, "of crop fixed, not none"),
        ({"views": ("S",)}, "of other data"),
        ({"only": ("gnb-lbp",)}, "of other methods (majority under subject-2fold is not asked for now)"),
        ({"protocols": ("random-2fold",)}, "of other methods (majority under subject-2fold is not asked for now)"),
    ],
)
def test_another_run_is_refused(copied, change, words):
    """Data, suite, profile, preset, seed, methods and protocols are those of the run that is there."""
    refused(replace(copied, **change), "holds another run", words, "`replace=True`")


def test_other_data_replace_a_run_only_when_asked(copied, others):
    """What the other run has left goes, a user's files stay, and trials of the same result are kept."""
    mine = [copied.out / "notes.txt", copied.out / "tables" / "mine.csv", copied.out / "folds" / "mine.csv"]
    mine += [copied.out / "trials" / "mine" / "trial.json", copied.out / "logs" / "mine.log"]
    for file in mine:
        file.parent.mkdir(exist_ok=True)
        file.write_text("mine")
    before = {folder.name for folder in (copied.out / "trials").iterdir()} - {"mine"}
    ask = replace(copied, data=str(others))
    refused(ask, "of other data")
    assert run(replace(ask, replace=True)) == 0
    assert [file.read_text() for file in mine] == ["mine"] * len(mine)
    assert not before & {folder.name for folder in (copied.out / "trials").iterdir()}
    info = json.loads((copied.out / "run.json").read_text())
    assert info["dataset"]["n_people"] == 2
    assert info["elapsed_seconds"] < 100
    assert run(ask) == 0


def test_what_the_same_run_needs_goes_on(copied, capsys):
    """Workers, device, executor and limits may change, methods may be added, `replace` takes nothing away."""
    before = {p: p.stat().st_mtime_ns for p in copied.out.glob("trials/*/trial.json")}
    changes = [
        {"executor": "local", "workers": 2, "time_limit": 60.0, "command": "fer-bench run once more"},
        {"replace": True},
        {"only": ("majority", "gnb-pixels")},
    ]
    for change in changes:
        assert run(replace(copied, **change)) == 0
        assert "2 done before" in capsys.readouterr().err
    assert {p: p.stat().st_mtime_ns for p in before} == before


def test_a_run_of_an_old_name_goes_on(copied, capsys):
    """A suite and a preset that were called otherwise then are the same."""
    file = copied.out / "run.json"
    info = json.loads(file.read_text())
    ask = replace(copied, suite="akhand2021", only=("*-scratch",), preset="as-printed")
    file.write_text(json.dumps(info | {"suite": "paper", "preset": "article", "plan": []}))
    from fer_bench.plan.plan import make_plan
    from fer_bench.runner.place import check_same

    plan = make_plan(ask, fetch=False)
    assert check_same(ask.out, plan) is False
    file.write_text(json.dumps(info | {"suite": "named", "preset": "article", "plan": []}))
    with pytest.raises(UserError, match="of suite literature, not akhand2021"):
        check_same(ask.out, plan)


def test_a_copy_by_links_is_a_run_of_its_own(copied, tmp_path):
    """What a run writes reaches no file of another name: neither by a hard link nor by a symbolic one."""
    first, hard, soft = copied.out, tmp_path / "hard", tmp_path / "soft"
    shutil.copytree(first, hard, copy_function=os.link)
    shutil.copytree(first, soft, copy_function=os.symlink)
    before = snapshot(first)
    for out in (hard, soft):
        assert run(replace(copied, out=out, only=("majority", "gnb-pixels"))) == 0
        assert snapshot(out)["events.jsonl"] != before["events.jsonl"]
    assert snapshot(first) == before


def test_plan_tells_the_same_as_run(cli, kdef_folder, tmp_path):
    """Both refuse with one sentence and exit code 2, and with --replace both go on."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "results.csv").write_text("mine")
    suite = tmp_path / "s.toml"
    suite.write_text('[[job]]\nmethods = ["hostile-learn", "hostile-chat"]\nprotocols = ["subject-2fold"]\n')
    given = ["--suite", suite, "--data", kdef_folder]
    cli("run", *given, "--out", "r", "--only", "*-learn")
    for out, more, words in (("mine", [], "expected a new or empty folder"), ("r", ["--only", "*-chat"], "--replace")):
        said = [cli(c, *given, "--out", out, *more, expect=2).stderr.splitlines()[-1] for c in ("run", "plan")]
        assert said[0] == said[1]
        assert words in said[0]
    cli("plan", *given, "--out", "r", "--only", "*-chat", "--replace")
    assert "0 done before, 2 to run" in cli("run", *given, "--out", "r", "--only", "*-chat", "--replace").stderr
