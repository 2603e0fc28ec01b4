"""Ctrl-C, SIGTERM and SIGHUP, as real signals to a real run."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pandas as pd
import psutil
import pytest

PLUGINS = Path(__file__).parents[2] / "plugins"


@pytest.fixture
def start(command, kdef_folder, tmp_path):
    """Give a function that starts a run of some methods and waits until so many trials are done and one runs on."""
    started = []

    def begin(*methods, done, running="", workers=2, hangup=signal.SIG_DFL):
        suite = tmp_path / "signals.toml"
        suite.write_text(f'[[job]]\nmethods = {list(methods)}\nprotocols = ["subject-2fold"]\n'.replace("'", '"'))
        out = tmp_path / "r"
        process = subprocess.Popen(
            [*command, "run", "--suite", suite, "--data", kdef_folder, "--out", out, "--workers", str(workers)],
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(PLUGINS)},
            # These tests themselves may run under nohup, whose children inherit what it ignores.
            preexec_fn=lambda: signal.signal(signal.SIGHUP, hangup),
        )
        started.append(process)
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and process.poll() is None:
            events = (out / "events.jsonl").read_text() if (out / "events.jsonl").exists() else ""
            begun = sum("trial_started" in line and running in line for line in events.splitlines())
            if len(list(out.glob("trials/*/trial.json"))) >= done and begun:
                return process, out
            time.sleep(0.02)
        raise AssertionError(process.communicate()[1])

    yield begin
    for process in started:
        if process.poll() is None:
            process.kill()


def ended(process, seconds=60):
    """Wait for the end of a run; its error output, and the processes that are left of it."""
    family = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    _, error = process.communicate(timeout=seconds)
    return error, psutil.wait_procs(family, 5)[1]


def states(out):
    return pd.read_csv(out / "trials.csv").groupby("method")["state"].apply(lambda s: sorted(s)).to_dict()


def test_once_finishes_what_runs(start):
    """Ctrl-C: the trial in flight is finished, no other is started, the report says what is missing, and why."""
    process, out = start("hostile-slow", "hostile-learn", done=0, running="hostile-slow", workers=1)
    process.send_signal(signal.SIGINT)
    error, left = ended(process)
    assert process.returncode == 130, error
    assert left == []
    assert "Stopping after the trials that run now; press Ctrl-C again" in error
    assert "run the same command again to go on" in error
    table = pd.read_csv(out / "trials.csv")
    assert sorted(table["state"]) == ["missing", "missing", "missing", "ok"]
    assert set(table.loc[table["state"] == "missing", "reason"]) == {
        "not started: the run was interrupted; run the same command again to go on"
    }
    assert "the run was interrupted" in (out / "report.md").read_text()


@pytest.mark.parametrize(
    "signals",
    [
        pytest.param([signal.SIGINT, signal.SIGINT], id="twice"),
        pytest.param([signal.SIGTERM], id="SIGTERM", marks=pytest.mark.slow),
        pytest.param([signal.SIGHUP], id="SIGHUP", marks=pytest.mark.slow),
    ],
)
def test_twice_stops_what_runs(start, signals):
    """Ctrl-C twice, SIGTERM as schedulers send it, a closed terminal: what hangs is stopped, the rest is reported."""
    process, out = start("hostile-learn", "hostile-hang", done=2, running="hostile-hang")
    family = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signals[0])
    if len(signals) == 2:
        time.sleep(1.0)
        assert process.poll() is None, "a trial that hangs is waited for"
        process.send_signal(signals[1])
    error, _ = ended(process, 30)
    assert process.returncode == 130, error
    assert psutil.wait_procs(family, 5)[1] == []
    assert "Stopped: the report shows the trials that are complete; run the same command again to go on" in error
    assert states(out) == {"hostile-learn": ["ok", "ok"], "hostile-hang": ["missing", "missing"]}
    assert "the run was stopped" in (out / "report.md").read_text()
    assert not list(out.rglob(".tmp-*"))


def test_under_nohup_a_closed_terminal_ends_nothing(start):
    """Who ignores SIGHUP for a run wants it to go on without a terminal."""
    process, out = start("hostile-slow", done=0, running="hostile-slow", workers=1, hangup=signal.SIG_IGN)
    process.send_signal(signal.SIGHUP)
    error, _ = ended(process)
    assert process.returncode == 0, error
    assert states(out) == {"hostile-slow": ["ok", "ok"]}


def test_too_many_failures_end_a_run_early(cli, kdef_folder, tmp_path):
    """--max-failures: no more trials are started, the report names the rest with the reason, and exit code 1."""
    suite = tmp_path / "suite.toml"
    suite.write_text('[[job]]\nmethods = ["hostile-raise", "hostile-learn"]\nprotocols = ["subject-2fold"]\n')
    given = ["run", "--suite", suite, "--data", kdef_folder, "--out", tmp_path / "r", "--workers", 1]
    done = cli(*given, "--max-failures", "25%", expect=1)
    assert "1 trials failed, as many as --max-failures allows: no more are started" in done.stderr
    assert "run the same command again to go on with the rest" in done.stderr
    assert states(tmp_path / "r") == {"hostile-raise": ["failed", "missing"], "hostile-learn": ["missing", "missing"]}
    assert "as many trials had failed as --max-failures allows" in (tmp_path / "r" / "report.md").read_text()
    done = cli(*given, expect=1)
    assert states(tmp_path / "r") == {"hostile-raise": ["failed", "failed"], "hostile-learn": ["ok", "ok"]}


@pytest.mark.slow
def test_the_worst_methods_in_one_run(cli, kdef_folder, tmp_path):
    """Everything that a method can do to a run in one suite: each its state and reason, the others finish, exit 1."""
    expected = {
        "learn": ("ok", ""),
        "orphans": ("ok", ""),
        "print-gigabyte": ("ok", ""),
        "raise": ("failed", "ZeroDivisionError: planted"),
        "exit": ("failed", "its process ended with exit code 3"),
        "kill": ("failed", "by signal 9 (SIGKILL)"),
        "nan-loss": ("failed", "loss of epoch 2 of 3 is nan"),
        "nan-probabilities": ("failed", "rows are not finite"),
        "allocate": ("oom", "its limit is 0.50 GB"),
        "hang": ("timeout", "its limit is 12 s"),
        "hang-deaf": ("timeout", "its limit is 12 s"),
    }
    names = [f"hostile-{does}" for does in expected]
    suite = tmp_path / "suite.toml"
    suite.write_text(f'[[job]]\nmethods = {names}\nprotocols = ["subject-2fold"]\n'.replace("'", '"'))
    given = ["run", "--suite", suite, "--data", kdef_folder, "--out", tmp_path / "r", "--workers", 2]
    cli(*given, "--time-limit", 12, "--memory-limit", 0.5, expect=1)
    trials = pd.read_csv(tmp_path / "r" / "trials.csv", keep_default_na=False)
    report = (tmp_path / "r" / "report.md").read_text()
    for does, (state, reason) in expected.items():
        rows = trials[trials["method"] == f"hostile-{does}"]
        assert list(rows["state"]) == [state, state], does
        assert all(reason in text for text in rows["reason"]), does
        assert f"hostile-{does}" in report
        assert reason in report
    assert sum(f.stat().st_size for f in (tmp_path / "r" / "logs").iterdir()) < 3e6
