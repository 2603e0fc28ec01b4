"""`fer-bench status`: what a run's folder tells, whoever runs it and however it ended."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fer_bench.errors import UserError
from fer_bench.runner.monitor.events import EVENTS, EventLog
from fer_bench.runner.monitor.status import newest_run, read_status, status_lines
from fer_bench.utils.files import locked

PLUGINS = Path(__file__).parents[2] / "plugins"


def make_run(folder, *, states, skipped=0, finished="2026-01-01T00:00:00+00:00", **more):
    """Write a run directory: trials by state, with no record for the state ``""``."""
    rows = [
        {"id": f"t{i}", "method": "knn-pixels", "protocol": "p", "fold": i, "predicted_seconds": 10.0, "skip": None}
        for i in range(len(states))
    ]
    rows += [{"id": f"s{i}", "method": "vgg16-dense", "protocol": "p", "skip": "no weights"} for i in range(skipped)]
    info = {"schema": 1, "plan": rows, "command": "fer-bench run --out r", "finished": finished, **more}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "run.json").write_text(json.dumps(info))
    for row, state in zip(rows, states, strict=False):
        if state:
            trial = folder / "trials" / row["id"]
            trial.mkdir(parents=True)
            record = {"id": row["id"], "state": state, "reason": "" if state == "ok" else f"planted {state}"}
            (trial / "trial.json").write_text(json.dumps(record))
    return folder


def start(folder, **more):
    log = EventLog(folder)
    log.write("run_started", todo=3, workers=2, pid=1, **more)
    return log


def contents(folder):
    return {str(p): (p.stat().st_mtime_ns, p.stat().st_size) for p in sorted(folder.rglob("*"))}


def test_a_run_that_ended_is_told_by_its_records(tmp_path):
    """Done, failed, skipped and left are counted from what is there; failures have reasons; nothing is changed."""
    folder = make_run(tmp_path / "r", states=["ok", "ok", "timeout", "oom", "oom", ""], skipped=2)
    with start(folder) as log:
        log.write("run_ended", why="deadline")
    before = contents(folder)
    status = read_status(folder)
    assert contents(folder) == before
    assert (status.state, status.why) == ("ended", "its time was over")
    assert (status.planned, status.done, status.failed, status.skipped, status.left) == (8, 2, 3, 2, 1)
    assert [(f.method, f.state, f.reason, f.trials) for f in status.failures] == [
        ("knn-pixels", "timeout", "planted timeout", 1),
        ("knn-pixels", "oom", "planted oom", 2),
    ]
    text = "\n".join(status_lines(status))
    assert "2 of 8 done, 3 failed, 2 skipped with a reason, 1 left" in text
    assert "oom: knn-pixels, 2 trials: planted oom" in text
    assert "to go on: the same command does what is left: fer-bench run --out r" in text


def test_a_run_that_runs_is_told_with_what_runs_now(tmp_path):
    """While its lock is held: what runs where since when, rate and time left; old failures are being tried anew."""
    folder = make_run(tmp_path / "r", states=["ok", "failed", "", ""], finished=None)
    with locked(folder / "run.lock", wait=False) as mine, start(folder) as log:
        assert mine
        axes = {"method": "knn-pixels", "protocol": "p"}
        log.write("trial_started", id="t1", **axes, fold=1, worker="w1", device="cpu")
        began = log.write("trial_started", id="t2", **axes, fold=2, worker="w2", device="cuda")["time"]
        status = read_status(folder, now=began + 4)
        assert (status.state, status.done, status.failed, status.left) == ("running", 1, 0, 3)
        assert [(t.worker, t.fold, t.device) for t in status.running] == [("w1", 1, "cpu"), ("w2", 2, "cuda")]
        assert [t.seconds for t in status.running] == pytest.approx([4, 4], abs=1)
        assert status.seconds_left == pytest.approx((6 + 6 + 10) / 2, abs=1)
        text = "\n".join(status_lines(status))
        assert "now: w2 (cuda)  knn-pixels  p fold 2  4 s" in text
        assert "about 11 s left" in text
        assert "to go on" not in text
        log.write("trial_ended", id="t1", state="failed", seconds=2.0)
        status = read_status(folder, now=began + 6)
        assert (status.failed, status.left, status.rate) == (1, 2, pytest.approx(10, rel=0.1))
        log.write("stopping", why="interrupted")
        assert read_status(folder).why == "it was interrupted"


@pytest.mark.parametrize(
    ("events", "state", "words"),
    [
        ([], "died", "killed, or its machine went down"),
        ([("trial_started", {"id": "t1", "method": "m"})], "died", "did not come to its end"),
        ([("run_ended", {"why": "error", "reason": "the disk is full"})], "died", "the disk is full"),
        ([("run_ended", {"why": "interrupted"})], "interrupted", "interrupted"),
        ([("run_ended", {"why": "stopped"})], "interrupted", "interrupted"),
        ([("run_ended", {"why": "failures"})], "ended", "--max-failures"),
        ([("run_ended", {"why": ""}), ("run_started", {})], "died", "did not come to its end"),
    ],
)
def test_how_it_ended_is_told_by_lock_and_last_event(tmp_path, events, state, words):
    """Without a holder of the lock, a call that did not tell its end was killed; what told it is believed."""
    folder = make_run(tmp_path / "r", states=["ok", ""])
    log = start(folder)
    for event, facts in events:
        log.write(event, **facts)
    status = read_status(folder)
    assert status.state == state
    assert status.running == ()
    text = "\n".join(status_lines(status))
    assert words in text
    assert "to go on: the same command does what is left" in text


def test_a_run_of_a_version_without_events_is_told_too(tmp_path):
    """An older run has no log: run.json and the records tell what they can."""
    folder = make_run(tmp_path / "r", states=["ok", "ok"])
    assert (read_status(folder).state, read_status(folder).left) == ("ended", 0)
    folder = make_run(tmp_path / "q", states=["ok", ""], finished=None)
    assert (read_status(folder).state, read_status(folder).left) == ("died", 1)
    with locked(folder / "run.lock", wait=False):
        status = read_status(folder)
    assert (status.state, status.running, status.seconds_left) == ("running", (), None)
    assert "now: no trial" in "\n".join(status_lines(status))


def test_where_trials_were_not_kept_the_table_tells(tmp_path):
    """A published run directory without the trials' folders is told by trials.csv."""
    folder = make_run(tmp_path / "r", states=["", ""])
    (folder / "trials.csv").write_text("id,state,reason\nt0,ok,\nt1,failed,planted\n")
    status = read_status(folder)
    assert (status.done, status.failed, status.left) == (1, 1, 0)


def test_the_newest_run_is_found(tmp_path, monkeypatch):
    """Without a folder, the run that was written to last is told; where there is none, that is one sentence."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="runs: no run directory in it"):
        newest_run()
    for age, name in enumerate(["old", "new", "older"]):
        folder = make_run(tmp_path / "runs" / name, states=["ok"])
        os.utime(folder / "run.json", (1000 - age, 1000 - age))
    assert newest_run() == Path("runs/old")
    EventLog(tmp_path / "runs" / "new").write("run_started")
    assert newest_run() == Path("runs/new")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "is not a run directory: it holds no run.json"),
        ("{", "cannot be read as JSON"),
        ('{"schema": 99}', "update fer-bench"),
        ("[]", "expected an object with a schema"),
    ],
)
def test_what_is_no_run_is_one_sentence(tmp_path, text, message):
    """A folder that is no run, or of another version, is refused in one line."""
    if text is not None:
        (tmp_path / "run.json").write_text(text)
    with pytest.raises(UserError, match=message) as error:
        read_status(tmp_path)
    assert "\n" not in str(error.value)


def test_a_folder_that_is_no_run_exits_with_2(cli, tmp_path):
    """The command answers nothing then, says one sentence, and its exit code is 2."""
    done = cli("status", tmp_path, expect=2)
    assert "is not a run directory" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_real_run_is_told_while_it_runs_and_after_it_was_killed(cli, kdef_folder, tmp_path):
    """A run with one method that fails and one that never ends: told running, killed, and in JSON."""
    (tmp_path / "probe.toml").write_text(
        '[[job]]\nmethods = ["probe-learn", "probe-raise", "probe-sleep"]\nprotocols = ["subject-2fold"]\n'
    )
    command = [sys.executable, "-P", "-c", "from fer_bench.cli.app import main; main()", "run", "--suite", "probe.toml"]
    process = subprocess.Popen(
        [*command, "--data", str(kdef_folder), "--out", "r", "--workers", "2"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(PLUGINS)},
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            events = (tmp_path / "r" / EVENTS).read_text() if (tmp_path / "r" / EVENTS).exists() else ""
            if events.count('"trial_ended"') >= 4 and events.count('"trial_started"') >= 6:
                break
            time.sleep(0.1)
        status = json.loads(cli("status", "r", "--json").stdout)
        assert (status["state"], status["planned"], status["done"], status["failed"]) == ("running", 6, 2, 2)
        assert {trial["method"] for trial in status["running"]} == {"probe-sleep"}
        assert status["failures"] == [
            {
                "method": "probe-raise",
                "state": "failed",
                "reason": "ZeroDivisionError: planted",
                "trials": 2,
            }
        ]
        assert "now: worker 0  probe-sleep  subject-2fold" in cli("status", "r").stdout
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    text = cli("status", "r").stdout
    assert "not running, and it did not come to its end (it was killed" in text
    assert "2 of 6 done, 2 failed, 0 skipped with a reason, 2 left" in text
    assert "to go on: the same command does what is left: fer-bench" in text
