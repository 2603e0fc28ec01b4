"""The event log: whole lines whatever is killed, whole runs told by their events alone."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_bench.runner.monitor.events import EVENTS, EventLog, read_events
from fer_bench.runner.monitor.state import RunState, read_state
from fer_bench.runner.monitor.time_left import seconds_left

WRITER = """
import sys
from pathlib import Path
from fer_bench.runner.monitor.events import EventLog
log = EventLog(Path(sys.argv[1]))
print("ready", flush=True)
for i in range(10**9):
    log.write("trial_ended", id=str(i), state="ok", reason="x" * 200)
"""


def test_events_are_read_as_they_were_written(tmp_path):
    """Each event is one line of JSON with its time, in order; later calls append; line breaks stay inside."""
    for call in range(2):
        with EventLog(tmp_path) as log:
            log.write("run_started", todo=1)
            log.write("trial_ended", id=f"t{call}", state="failed", reason="one\ntwo")
    lines = (tmp_path / EVENTS).read_text().splitlines()
    assert [json.loads(line)["event"] for line in lines] == ["run_started", "trial_ended"] * 2
    found = list(read_events(tmp_path))
    assert [event["reason"] for event in found if "reason" in event] == ["one\ntwo"] * 2
    times = [event["time"] for event in found]
    assert times == sorted(times)
    assert abs(times[-1] - time.time()) < 60


@settings(max_examples=60, deadline=None)
@given(cut=st.integers(0, 400), junk=st.binary(max_size=30))
def test_a_torn_line_is_skipped_and_swallows_nothing(tmp_path_factory, cut, junk):
    """Wherever a line is torn, what stood before it is read, and so is what the next call writes."""
    folder = tmp_path_factory.mktemp("log")
    with EventLog(folder) as log:
        for i in range(5):
            log.write("trial_started", id=str(i))
    whole = (folder / EVENTS).read_bytes()
    kept = whole[: max(0, len(whole) - cut)] + junk.replace(b"{", b"")
    (folder / EVENTS).write_bytes(kept)
    before = [event["id"] for event in read_events(folder)]
    assert before == [str(i) for i in range(len(before))]
    with EventLog(folder) as log:
        log.write("trial_started", id="next")
    assert [event["id"] for event in read_events(folder)] == [*before, "next"]


def test_killed_while_writing_all_lines_but_the_last_are_whole(tmp_path):
    """SIGKILL in the middle of a stream of events leaves one torn line at most, at the end."""
    process = subprocess.Popen([sys.executable, "-P", "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"ready\n"
    time.sleep(random.Random(7).uniform(0.2, 0.4))
    process.send_signal(signal.SIGKILL)
    process.communicate()
    lines = (tmp_path / EVENTS).read_bytes().split(b"\n")
    assert len(lines) > 100
    assert [json.loads(line)["id"] for line in lines[:-1]] == [str(i) for i in range(len(lines) - 1)]


def test_a_run_ended_by_an_error_says_so(tmp_path):
    """An exception that leaves the log's block is the run's end, with its words."""

    def run():
        with EventLog(tmp_path) as log:
            log.write("run_started", todo=3)
            raise ValueError("the disk is full")

    with pytest.raises(ValueError, match="disk"):
        run()
    last = list(read_events(tmp_path))[-1]
    assert (last["event"], last["why"], last["reason"]) == ("run_ended", "error", "the disk is full")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_log_that_cannot_be_written_is_told_once(tmp_path, capsys):
    """A full disk under the log costs the status, never the run; it is said once."""
    os.symlink("/dev/full", tmp_path / EVENTS)
    with EventLog(tmp_path) as log:
        for _ in range(3):
            log.write("trial_started", id="a")
    assert capsys.readouterr().err.count("events.jsonl: cannot be written: No space left on device") == 1


def test_no_log_means_no_events(tmp_path):
    """A run of a version without a log is told by its other files."""
    assert list(read_events(tmp_path)) == []
    assert read_state(read_events(tmp_path), {}) is None


def events(*given):
    return [{"time": float(when), "event": event, **facts} for when, event, facts in given]


def test_the_board_tells_what_runs_and_what_is_over():
    """Started trials run until they end or are tried anew; failures are counted; a new call begins anew."""
    told = events(
        (0, "run_started", {"todo": 9, "workers": 1}),
        (100, "run_started", {"todo": 4, "done_before": 5, "workers": 2, "pid": 7}),
        (110, "trial_started", {"id": "a", "method": "m", "protocol": "p", "fold": 1, "worker": "0", "device": "cpu"}),
        (110, "trial_started", {"id": "b", "method": "m", "protocol": "p", "fold": 2, "worker": "1", "device": "cpu"}),
        (120, "trial_ended", {"id": "a", "state": "timeout", "seconds": 10.0}),
        (121, "retry", {"id": "b", "reason": "died"}),
        (122, "trial_started", {"id": "b", "method": "m", "protocol": "p", "fold": 2, "worker": "1", "device": "cpu"}),
    )
    run_state = read_state(told, {})
    assert (run_state.todo, run_state.done_before, run_state.workers, run_state.pid) == (4, 5, 2, 7)
    assert (run_state.n_over, run_state.n_failed) == (1, 1)
    assert [(t.id, t.since) for t in run_state.running.values()] == [("b", 122.0)]
    assert run_state.ended is None
    assert run_state.rate(130.0) == pytest.approx(3.0)
    run_state = read_state(
        [*told, *events((140, "stopping", {"why": "interrupted"}), (150, "run_ended", {"why": "x"}))], {}
    )
    assert (run_state.stopping, run_state.ended, run_state.running) == ("interrupted", "x", {})


def test_time_left_follows_what_trials_really_took():
    """Trials that take twice what was predicted make the rest twice as long; what runs counts for what is left."""
    predicted = dict.fromkeys("abcdef", 10.0)
    run_state = RunState(started=0.0, todo=6, workers=2)
    assert seconds_left(run_state, predicted, 0.0) == pytest.approx(30.0, rel=0.05)
    for place, name in enumerate("abc"):
        run_state.take({"time": 20.0 * place, "event": "trial_started", "id": name}, predicted)
        run_state.take(
            {"time": 20.0 * place + 20, "event": "trial_ended", "id": name, "state": "ok", "seconds": 20.0}, predicted
        )
    assert seconds_left(run_state, predicted, 60.0) == pytest.approx(30.0, rel=0.05)
    run_state.take({"time": 60.0, "event": "trial_started", "id": "d"}, predicted)
    assert seconds_left(run_state, predicted, 70.0) == pytest.approx(25.0, rel=0.05)
    for name in "def":
        run_state.take({"time": 80.0, "event": "trial_ended", "id": name, "state": "ok", "seconds": 20.0}, predicted)
    assert seconds_left(run_state, predicted, 80.0) is None


def ends(run_state, name, seconds, at, predicted):
    run_state.take({"time": at, "event": "trial_ended", "id": name, "state": "ok", "seconds": seconds}, predicted)


def test_short_trials_do_not_tell_of_long_ones():
    """A dozen trials of a blink that take four times as long change nothing; one long trial does."""
    predicted = {**{f"short-{i}": 0.05 for i in range(12)}, **{f"long-{i}": 100.0 for i in range(10)}}
    run_state = RunState(started=0.0, todo=22, workers=1)
    for i in range(12):
        ends(run_state, f"short-{i}", 0.4, i * 0.4, predicted)
    assert seconds_left(run_state, predicted, 5.0) == pytest.approx(1000, rel=0.05)
    ends(run_state, "long-0", 40.0, 45.0, predicted)
    assert seconds_left(run_state, predicted, 45.0) == pytest.approx(900 * 0.4, rel=0.05)


def test_a_trial_that_makes_what_others_share_tells_of_itself_alone():
    """The first of ten equal trials takes ten times as long: the others are not expected to, once two more are over."""
    predicted = {str(i): 10.0 for i in range(10)}
    run_state = RunState(started=0.0, todo=10, workers=1)
    for i, seconds in enumerate((100.0, 10.0, 10.0)):
        ends(run_state, str(i), seconds, 100.0 + 10 * i, predicted)
    assert seconds_left(run_state, predicted, 120.0) == pytest.approx(70, rel=0.05)


def test_the_rate_is_that_of_the_latest_minutes():
    """A hundred quick trials in the first minute, then one in five minutes: the rate is a fifth of one a minute."""
    run_state = RunState(started=0.0, todo=200, workers=1, first=0.0)
    for i in range(100):
        ends(run_state, str(i), 0.6, 0.6 * i, {})
    assert run_state.rate(60.0) == pytest.approx(100, rel=0.05)
    ends(run_state, "long", 300.0, 400.0, {})
    assert run_state.rate(401.0) == pytest.approx(0.2)


def test_a_run_that_is_stopping_waits_for_what_runs_alone():
    """After Ctrl-C the time left is that of the trials that are finished, whatever else there was to do."""
    predicted = {"a": 10.0, "b": 1000.0}
    run_state = RunState(started=0.0, todo=2, workers=1)
    run_state.take({"time": 0.0, "event": "trial_started", "id": "a"}, predicted)
    run_state.take({"time": 1.0, "event": "stopping", "why": "interrupted"}, predicted)
    assert seconds_left(run_state, predicted, 4.0) == pytest.approx(6, abs=0.2)


def test_a_clusters_workers_are_counted_as_they_come_and_go():
    """Time left goes by those that are there; the widest that it was is kept for the report."""
    predicted = dict.fromkeys("abcdefgh", 10.0)
    run_state = RunState(started=0.0, todo=8, workers=2, widest=2)
    for workers, left in ((1, 80), (8, 10), (4, 20)):
        run_state.take({"time": 0.0, "event": "workers", "workers": workers}, predicted)
        assert seconds_left(run_state, predicted, 0.0) == pytest.approx(left, rel=0.05)
    assert run_state.widest == 8


@given(
    seconds=st.lists(st.floats(0.01, 1000), min_size=1, max_size=30),
    workers=st.integers(1, 8),
)
def test_no_schedule_beats_the_time_left(seconds, workers):
    """Time left is never less than the longest trial nor than an even spread, and never more than one after another."""
    predicted = {str(i): s for i, s in enumerate(seconds)}
    left = seconds_left(RunState(todo=len(seconds), workers=workers), predicted, 0.0)
    assert left >= max(seconds)
    assert left * workers >= sum(seconds)
    assert left <= sum(seconds) + 0.1 * len(seconds)
