"""Only 0 says that all is well: trials that lose their folder or their result are told, and told as failed."""

import os
from pathlib import Path

import pandas as pd
import pytest

from fer_bench.results.records import read_record
from fer_bench.runner.executors import local

PLUGINS = Path(__file__).parents[1] / "plugins"


@pytest.fixture
def run_methods(cli, kdef_folder, tmp_path):
    """Give a function that runs methods by name into a folder given as people do, relative to where they are."""

    def run(*methods: str, expect: int = 0, executor: str = "local"):
        names = ", ".join(f'"{name}"' for name in methods)
        (tmp_path / "mine.toml").write_text(f'[[job]]\nmethods = [{names}]\nprotocols = ["subject-2fold"]\n')
        arguments = ["--suite", "mine.toml", "--data", kdef_folder, "--out", "r", "--workers", 1]
        done = cli("run", *arguments, "--executor", executor, expect=expect)
        return done.stderr, pd.read_csv(tmp_path / "r" / "trials.csv").set_index(["method", "fold"])

    return run


@pytest.mark.parametrize("executor", ["local", "in-process"])
def test_a_method_that_leaves_the_working_folder_takes_no_result_with_it(run_methods, executor):
    """Its own results and those of the trials behind it are where they belong."""
    said, trials = run_methods("hostile-wander", "hostile-learn", executor=executor)
    assert set(trials["state"]) == {"ok"}
    assert "4 ok" in said


def test_a_method_that_raises_no_error_but_something_else_fails_alone(run_methods):
    """Whatever a method raises is its failure, in words; the process goes on with the others."""
    said, trials = run_methods("hostile-swear", "hostile-leave", "hostile-learn", expect=1)
    assert trials["state"].to_dict() == {
        ("hostile-swear", 0): "failed",
        ("hostile-swear", 1): "failed",
        ("hostile-leave", 0): "failed",
        ("hostile-leave", 1): "failed",
        ("hostile-learn", 0): "ok",
        ("hostile-learn", 1): "ok",
    }
    assert "hostile-swear, subject-2fold fold 0: Oath: planted" in said
    assert "hostile-leave, subject-2fold fold 0: SystemExit: 0" in said


def test_a_result_that_is_gone_after_an_ok_is_a_failure(kdef_folder, tmp_path, monkeypatch, capsys):
    """A trial that ended well and whose files are not there is told as failed, and the exit code is 1."""
    import fer_bench as fb

    monkeypatch.syspath_prepend(str(PLUGINS))
    monkeypatch.setenv("PYTHONPATH", str(PLUGINS) + os.pathsep + os.environ.get("PYTHONPATH", ""))
    suite = tmp_path / "mine.toml"
    suite.write_text('[[job]]\nmethods = ["hostile-learn"]\nprotocols = ["subject-2fold"]\n')
    execute = local.execute

    def and_lose(tasks, *, on_done, **more):
        def lose(record):
            on_done(record)
            if record["fold"] == 1:
                for file in (tmp_path / "r" / "trials" / record["id"]).iterdir():
                    file.unlink()

        return execute(tasks, on_done=lose, **more)

    monkeypatch.setattr(local, "execute", and_lose)
    found = fb.run(suite, data=kdef_folder, out=tmp_path / "r", progress=False)
    assert found.exit_code == 1
    trials = pd.read_csv(tmp_path / "r" / "trials.csv").set_index("fold")
    assert trials["state"].to_dict() == {0: "ok", 1: "failed"}
    assert "its result is not in" in trials.loc[1, "reason"]
    assert "its result is not in" in read_record(tmp_path / "r", trials.loc[1, "id"])["reason"]
    assert "its result is not in" in capsys.readouterr().err
