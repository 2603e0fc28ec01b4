"""What a run shows while it runs: drawn in a terminal, plain lines elsewhere, nothing where that is asked for."""

import os
import pty
import subprocess
import sys
import threading
import time

import pytest

from fer_bench.runner.monitor.display import summary
from fer_bench.runner.monitor.state import RunState
from fer_bench.utils.progress import Throttle
from fer_bench.utils.texts import duration

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo-terminals")

SHOWS = """
import os, sys, time
from pathlib import Path
from fer_bench.runner.monitor.events import EventLog
from fer_bench.runner.monitor.display import begin, monitored
from fer_bench.utils.progress import hide_progress, progress, say
folder, hidden = Path(sys.argv[1]), sys.argv[2:] == ["--no-progress"]
hide_progress(hidden)
with progress("Cropping faces", 3) as done:
    done(3)
with EventLog(folder) as log:
    run_state = begin(log, todo=2, done_before=0, skipped=0, workers=1)
    with monitored(log, run_state, {"a": 1.0, "b": 60.0}) as monitor:
        for trial in "ab":
            axes = {"id": trial, "method": "knn-pixels", "protocol": "subject-2fold", "fold": 1}
            monitor.event("trial_started", **axes, device="cpu", worker="worker-7", pid=1)
            time.sleep(float(os.environ.get("SECONDS", "2.1")) if trial == "a" else 0.6)
            say("a line of somebody else")
            monitor.done({**axes, "state": "failed", "reason": "planted"})
"""


def in_a_terminal(command, environment):
    """Run a command with a pseudo-terminal of 100 columns as its standard error; return what it wrote there."""
    ours, theirs = pty.openpty()
    import fcntl
    import struct
    import termios

    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    process = subprocess.Popen(command, stderr=theirs, stdout=subprocess.PIPE, env={**os.environ, **environment})
    os.close(theirs)
    written = []

    def read():
        while True:
            try:
                chunk = os.read(ours, 65536)
            except OSError:
                return
            if not chunk:
                return
            written.append(chunk)

    reader = threading.Thread(target=read)
    reader.start()
    out, _ = process.communicate(timeout=60)
    reader.join(timeout=10)
    os.close(ours)
    assert process.returncode == 0, b"".join(written)
    assert out == b"", "progress never mixes with what a command answers"
    return b"".join(written).decode()


def command(tmp_path, *more):
    return [sys.executable, "-P", "-c", SHOWS, str(tmp_path), *more]


def test_in_a_terminal_the_view_is_drawn(tmp_path):
    """A terminal sees done of all, failures, time left, and which worker does what since when; others' lines stay."""
    text = in_a_terminal(command(tmp_path), {"TERM": "xterm-256color"})
    assert "\x1b[" in text
    assert "0/2 done" in text
    assert "1/2 done, 1 failed" in text
    assert "left" in text
    for cell in ("worker-7", "knn-pixels", "subject-2fold fold 1", "2 s"):
        assert cell in text
    assert text.count("a line of somebody else") == 2
    assert "━" in text, "there is a bar"


@pytest.mark.parametrize("term", ["dumb", "unknown"])
def test_a_terminal_that_cannot_draw_gets_plain_lines(tmp_path, term):
    """`TERM=dumb` means no escape sequence, though it is a terminal."""
    text = in_a_terminal(command(tmp_path), {"TERM": term})
    assert "\x1b" not in text
    assert "Trials: 1/2 done, 1 failed" in text


def test_without_a_terminal_there_are_plain_lines(tmp_path):
    """A log gets lines without escape sequences or carriage returns."""
    done = subprocess.run(command(tmp_path), capture_output=True, text=True, check=True)
    assert "Trials: 1/2 done, 1 failed" in done.stderr
    assert not {"\x1b", "\r"} & set(done.stderr)
    assert done.stdout == ""


def test_no_progress_shows_none_but_logs_all(tmp_path):
    """With progress hidden, only what others say is written; the event log is complete all the same."""
    text = in_a_terminal(command(tmp_path, "--no-progress"), {"TERM": "xterm-256color", "SECONDS": "0"})
    assert text.splitlines() == ["a line of somebody else"] * 2
    lines = (tmp_path / "events.jsonl").read_text().splitlines()
    assert len(lines) == 5


def test_lines_are_throttle(monkeypatch):
    """A log gets a line after 20 seconds, or after 5 % and two seconds; never more often."""
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    throttle = Throttle(1000)
    told = []
    for step in range(1, 1001):
        now[0] = step * 0.1
        if throttle.due(step):
            told.append(step)
    assert len(told) == 20, "every five per cent"
    slow = Throttle(10)
    begun = now[0]
    times = []
    for step in range(1, 11):
        now[0] = begun + step * 60
        if slow.due(step):
            times.append(step)
    assert times == list(range(1, 11))
    hectic = Throttle(2)
    now[0] += 1.9
    assert not hectic.due(1)


def test_the_summary_is_one_short_phrase():
    """Done of all, failures only where there are some, rate, time left; while it stops, what still runs."""
    run_state = RunState(started=0.0, todo=4, workers=2)
    predicted = dict.fromkeys("abcd", 60.0)
    assert summary(run_state, predicted, 0.0) == "0/4 done, about 2 min left"
    run_state.take({"time": 0.0, "event": "trial_started", "id": "a"}, predicted)
    run_state.take({"time": 30.0, "event": "trial_ended", "id": "a", "state": "oom"}, predicted)
    assert summary(run_state, predicted, 30.0) == "1/4 done, 1 failed, 2 a minute, about 90 s left"
    run_state.take({"time": 30.0, "event": "trial_started", "id": "b"}, predicted)
    run_state.take({"time": 31.0, "event": "stopping", "why": "interrupted"}, predicted)
    assert summary(run_state, predicted, 31.0).endswith("stopping, 1 still running")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (119, "119 s"), (150, "2 min"), (7199, "2 h 00 min"), (9000, "2 h 30 min"), (200_000, "2 days 7 h")],
)
def test_durations_read_as_people_say_them(seconds, text):
    """Seconds become two units at most."""
    assert duration(seconds) == text
