"""A process that crashes is tried once more in a safer one, and everything that tells of the trial says so."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from fer_bench.methods import ImageSpec, MethodSpec
from fer_bench.results.records import RECORD
from fer_bench.runner.executors.output import BoundedLog
from fer_bench.runner.executors.retries import Death
from fer_bench.runner.trial import lost_record, run_task

CRASHES = {"SIGFPE": 8, "SIGILL": 4, "SIGSEGV": 11, "SIGABRT": 6}
SENTENCE = (
    "second try: the process of the first ended by signal 8 (SIGFPE); this one computed safer: ONEDNN_MAX_CPU_ISA=AVX2"
)


@pytest.fixture
def crashing(make_task, tmp_path):
    """Give a function that makes a task whose process ends by a signal."""

    def make(signal_name, when="with units", number=0):
        params = {"signal_name": signal_name, "when": when, "place": str(tmp_path)}
        spec = MethodSpec("crashing", "classical", "hostile_methods:Crashing", ImageSpec(32), params=params)
        return make_task(f"{when}-{signal_name}".replace(" ", "-"), number, spec=spec)

    return make


def tries(lines):
    """What each try found: its process, and the two variables of a safer one."""
    return [json.loads(line) for line in lines("tries")]


@pytest.mark.parametrize("name", CRASHES)
def test_a_crash_is_tried_again_in_a_safer_process(crashing, run_all, lines, tmp_path, name):
    """The second try ends well; record, events and log say after what and how, the log at which line it crashed."""
    task, events = crashing(name), []
    records, _ = run_all([task], on_event=lambda event, **facts: events.append((event, facts)))
    assert records[task.id]["state"] == "ok"
    (first, *plain), (second, *safer) = tries(lines)
    assert plain == ["", ""]
    assert safer == ["AVX2", "1"]
    started = [facts["pid"] for event, facts in events if event == "trial_started"]
    assert started == [first, second]
    end = f"signal {CRASHES[name]} ({name})"
    (retry,) = [facts["reason"] for event, facts in events if event == "retry"]
    assert retry == f"its process ended by {end}; tried again, safer: ONEDNN_MAX_CPU_ISA=AVX2"
    record = json.loads((task.folder / RECORD).read_text())
    assert record["second_try"] == {"after": end, "how": "ONEDNN_MAX_CPU_ISA=AVX2"}
    assert record["warnings"] == [SENTENCE.replace("signal 8 (SIGFPE)", end)]
    log = (tmp_path / "logs" / f"{task.id}.log").read_text()
    assert re.search(r'File ".*hostile_methods\.py", line \d+ in fit', log)
    assert f"second try after {end}: ONEDNN_MAX_CPU_ISA=AVX2" in log


def test_what_does_not_crash_is_tried_again_as_it_was(crashing, run_all, lines):
    """SIGKILL is somebody else's: the second try computes as the first did, and nothing is said in the record."""
    task = crashing("SIGKILL", "once")
    records, _ = run_all([task])
    assert records[task.id]["state"] == "ok"
    assert [found[1:] for found in tries(lines)] == [["", ""]] * 2
    record = json.loads((task.folder / RECORD).read_text())
    assert "second_try" not in record
    assert record["warnings"] == []


def test_the_next_trial_has_a_plain_process_again(crashing, run_all, lines):
    """After a safer try its worker computes as before: no other trial's figures depend on what crashed."""
    records, _ = run_all([crashing("SIGFPE"), crashing("SIGFPE", "never", 1)], workers=1)
    assert {record["state"] for record in records.values()} == {"ok"}
    found = tries(lines)
    assert [variables for _, *variables in found] == [["", ""], ["AVX2", "1"], ["", ""]]
    assert len({pid for pid, *_ in found}) == 3


def test_a_trial_that_crashes_twice_has_failed(crashing, run_all, lines):
    """The reason tells both tries, and that the second was the safer one; there is no third."""
    task = crashing("SIGABRT", "always")
    records, _ = run_all([task])
    assert len(tries(lines)) == 2
    record = records[task.id]
    assert record["state"] == "failed"
    assert record["reason"] == (
        "its process ended by signal 6 (SIGABRT); in a second, safer try (ONEDNN_MAX_CPU_ISA=AVX2) it ended by signal "
        "6 (SIGABRT)"
    )
    assert record["second_try"]["after"] == "signal 6 (SIGABRT)"


def test_table_and_report_of_a_run_tell_the_safer_try(cli, kdef_folder, tmp_path):
    """A run whose trials crash once ends with 0; trials.csv has the sentence, the report has it beside the method."""
    (tmp_path / "mine.toml").write_text(
        '[[job]]\nmethods = ["hostile-crash", "hostile-learn"]\nprotocols = ["subject-2fold"]\n'
    )
    cli("run", "--suite", "mine.toml", "--data", kdef_folder, "--out", "r", "--workers", 1)
    trials = pd.read_csv(tmp_path / "r" / "trials.csv", keep_default_na=False)
    assert set(trials["state"]) == {"ok"}
    for method, warnings in zip(trials["method"], trials["warnings"], strict=True):
        assert warnings == (SENTENCE if method == "hostile-crash" else "")
    for form in ("report.md", "report.html"):
        text = (tmp_path / "r" / form).read_text()
        (row,) = (line for line in re.split(r"\n|<tr", text) if SENTENCE in line and "hostile-crash" in line)
        assert "hostile-learn" not in row


def test_a_crash_in_the_very_process_says_at_which_line(cli, kdef_folder, tmp_path):
    """With --executor in-process the run ends with its trial, and standard error has the line of Python."""
    (tmp_path / "mine.toml").write_text('[[job]]\nmethods = ["hostile-crash"]\nprotocols = ["subject-2fold"]\n')
    given = ["run", "--suite", "mine.toml", "--data", str(kdef_folder), "--out", "r", "--executor", "in-process"]
    plugins = str(Path(__file__).parents[2] / "plugins")
    done = subprocess.run(
        [sys.executable, "-P", "-c", "from fer_bench.cli.app import main; main()", *given],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": plugins}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == -CRASHES["SIGFPE"]
    assert re.search(r'File ".*hostile_methods\.py", line \d+ in fit', done.stderr)


@pytest.mark.slow
def test_a_safer_try_of_a_network_computes_in_float32(make_task, run_all, lines, tmp_path):
    """A training that crashes in bfloat16 is begun anew in float32, though its checkpoint was complete."""
    spec = MethodSpec(
        "cnn", "cnn", "keeping_methods:CrashingInHalf", ImageSpec(32), params={"epochs": 3, "place": str(tmp_path)},
        wants=("random_state", "device"), uses_torch=True,
    )  # fmt: skip
    task = make_task("network", spec=spec)
    records, _ = run_all([task])
    assert records[task.id]["state"] == "ok"
    record = json.loads((task.folder / RECORD).read_text())
    assert (record["precision"], record["resumed_seconds"]) == ("float32", 0)
    assert record["second_try"] == {"after": "signal 8 (SIGFPE)", "how": "float32, ONEDNN_MAX_CPU_ISA=AVX2"}
    assert len(lines("epochs")) == 2 * 3
    log = (tmp_path / "logs" / f"{task.id}.log").read_text()
    assert re.search(r'File ".*keeping_methods\.py", line \d+ in predict_proba', log)


@pytest.mark.parametrize("begun_as", ["", "signal 8 (SIGFPE)"])
@pytest.mark.parametrize("cautious", ["", "signal 8 (SIGFPE)"])
def test_a_training_goes_on_from_one_of_its_own_kind(make_task, tmp_path, lines, begun_as, cautious):
    """A safer try goes on from a safer one that was stopped, a plain one from a plain one; else it starts anew."""
    spec = MethodSpec("steps", "classical", "hostile_methods:Steps", ImageSpec(32), params={"place": str(tmp_path)})
    task = make_task("steps", spec=spec, cautious=cautious)
    kept = task.folder / "checkpoint"
    kept.mkdir(parents=True)
    (kept / "steps").write_text("3")
    (kept / "attempt.json").write_text(json.dumps({"begun": 0.0, "earlier": 0.0, "cautious": begun_as}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.sleep", lambda _: None)
        assert run_task(task)["state"] == "ok"
    assert lines("steps") == (["4", "5"] if begun_as == cautious else ["1", "2", "3", "4", "5"])


def test_features_of_a_safer_try_are_its_own(make_task, tmp_path, monkeypatch):
    """Other instructions give other last digits: what a safer try prepares is no plain trial's to read."""
    monkeypatch.setenv("FER_BENCH_CACHE", str(tmp_path / "cache"))
    spec = MethodSpec("shared", "classical", "measured_methods:Shared", ImageSpec(32), params={"place": str(tmp_path)})
    for number, cautious in enumerate(("", "signal 8 (SIGFPE)", "")):
        assert run_task(make_task("shared", number, spec=spec, cautious=cautious))["state"] == "ok"
    made = sorted(file.name.removesuffix(".npy") for file in (tmp_path / "cache" / "features").glob("*.npy"))
    assert len(made) == 2
    assert made[1] == f"{made[0]}-cautious"


def test_a_safer_try_that_overstays_says_that_it_was_one(make_task):
    """The record that the owner writes of a safer try has its facts and its sentence, as one that ran has."""
    record = lost_record(make_task("hang", cautious="signal 8 (SIGFPE)"), "timeout", "too slow")
    assert record["second_try"]["after"] == "signal 8 (SIGFPE)"
    assert record["warnings"] == [SENTENCE]


def test_deaths_are_told_in_words():
    """A signal by number and name, also one without a name; an exit code; what memory may have to do with it."""
    told = {-8: "ended by signal 8 (SIGFPE)", -40: "ended by signal 40", 3: "ended with exit code 3"}
    assert {code: str(Death(code)) for code in told} == told
    assert str(Death(-9)) == "ended by signal 9 (SIGKILL); the usual cause is that memory ran out"
    assert [Death(code).crashed for code in (-8, -4, -11, -6, -9, -15, 0, 8)] == [True] * 4 + [False] * 4


def test_a_log_of_a_second_try_keeps_the_first(tmp_path):
    """What was there stays, up to its size, and what comes is written behind it."""
    for append, expected in ((False, b"one"), (True, b"onetwo"), (False, b"three")):
        log = BoundedLog(tmp_path / "log", append=append)
        log.write(expected.removeprefix(b"one") or expected)
        log.close()
        assert (tmp_path / "log").read_bytes() == expected
