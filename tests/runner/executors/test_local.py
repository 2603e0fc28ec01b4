"""Whatever a method does, it takes nothing with it but its own trial."""

import os
import signal
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from fer_bench.methods import ImageSpec, MethodSpec
from fer_bench.results.records import PREDICTIONS, RECORD
from fer_bench.runner.executors.output import HEAD_BYTES, TAIL_BYTES
from fer_bench.runner.executors.worker import Worker

PROBE = MethodSpec("wrong", "classical", "probe_methods:Probe", ImageSpec(32), params={"does": "wrong-shape"})


def test_methods_that_misbehave_leave_the_others_alone(make_task, run_all):
    """Raising, exiting, NaN, wrong shape, memory: each its own state and reason, on disk as in memory."""
    bad = ["raise", "exit", "kill", "nan-loss", "nan-probabilities"]
    tasks = [make_task(does) for does in bad] + [make_task("wrong-shape", spec=PROBE)]
    tasks += [make_task("learn", i) for i in range(6)]
    records, outcome = run_all(tasks)
    assert outcome.not_started == ()
    reasons = {name: record["reason"] for name, record in records.items() if record["state"] == "failed"}
    assert set(reasons) == {task.id for task in tasks[:6]}
    assert {record["state"] for name, record in records.items() if name not in reasons} == {"ok"}
    assert reasons["raise-0"] == "ZeroDivisionError: planted"
    assert reasons["exit-0"] == "its process ended with exit code 3, 2 times in a row"
    assert "by signal 9 (SIGKILL); the usual cause is that memory ran out, 2 times" in reasons["kill-0"]
    assert reasons["nan-loss-0"] == "history_: loss of epoch 2 of 3 is nan, not finite"
    assert "1 of 14 rows are not finite" in reasons["nan-probabilities-0"]
    assert "(14, 5)" in reasons["wrong-shape-0"]
    for task in tasks:
        assert (task.folder / RECORD).exists()
        assert (task.folder / PREDICTIONS).exists() == (task.id not in reasons)
        assert not list(task.folder.glob(".tmp-*"))


@pytest.mark.parametrize("does", ["hang", "hang-deaf", "orphans-and-hang"])
def test_a_trial_that_overstays_is_ended_with_all_it_has_started(make_task, run_all, lines, gone, does):
    """Asked, told, killed: one that sleeps ends at once, one that is deaf to both ends, too, and so do its children."""
    begun = time.monotonic()
    records, _ = run_all([make_task(does, timeout_seconds=2.0), make_task("learn")], workers=1)
    record = records[f"{does}-0"]
    assert (record["state"], records["learn-0"]["state"]) == ("timeout", "ok")
    assert "its limit is 2 s" in record["reason"]
    pids = list(map(int, lines("pids")))
    assert len(pids) >= 1
    assert gone(pids) == []
    assert lines("deaf") == (["asked"] if does == "hang-deaf" else [])
    assert time.monotonic() - begun < 30


@pytest.mark.parametrize("does", ["allocate", "allocate-in-child"])
def test_a_trial_that_takes_too_much_memory_is_stopped(make_task, run_all, does):
    """Memory without end, in its own process or in one that it has started: state oom, with how much of how much."""
    records, _ = run_all([make_task(does, memory_bytes=4e8), make_task("learn", memory_bytes=4e8)], workers=1)
    record = records[f"{does}-0"]
    assert record["state"] == "oom"
    assert "GB of memory; its limit is 0.40 GB (--memory-limit)" in record["reason"]
    assert 380 < record["peak_rss_mb"] < 8000
    assert records["learn-0"]["state"] == "ok"


def test_memory_that_children_share_counts_once(make_task, run_all):
    """Four forks of a process of 150 MB are not 750 MB: what they have not written to is one and the same."""
    records, _ = run_all([make_task("fork", memory_bytes=4e8)], workers=1)
    assert records["fork-0"]["state"] == "ok", records


def test_what_a_trial_leaves_behind_is_not_the_next_ones_burden(make_task, run_all, lines, gone):
    """Children, one of them in a session of its own, and threads left behind end with the trial, which is ok."""
    tasks = [make_task("orphans"), make_task("orphans-and-exit"), make_task("learn")]
    records, _ = run_all(tasks, workers=1)
    assert [records[t.id]["state"] for t in tasks] == ["ok", "failed", "ok"]
    before = {line.split()[0] for line in lines("workers")}
    assert lines("fits")[0].split()[0] not in before, "the next trial has a process of its own"
    own_session = 1  # every second one; who leaves the group of a process that dies by itself is out of reach
    pids = list(map(int, lines("pids")))
    assert gone(pids[:2]) == []
    left = gone(pids[2:])
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert set(left) <= set(pids[2:][own_session::2])


def test_a_child_that_prints_without_end_holds_nobody_up(make_task, run_all, tmp_path):
    """A trial that ends and leaves behind a child that never stops printing: its log is finished, the next one runs."""
    records, _ = run_all([make_task("babble"), make_task("learn")], workers=1)
    assert {r["state"] for r in records.values()} == {"ok"}
    assert (tmp_path / "logs" / "babble-0.log").stat().st_size < HEAD_BYTES + TAIL_BYTES + 100


def test_a_gigabyte_of_output_fills_no_disk(make_task, run_all, tmp_path):
    """A trial that prints a gigabyte ends well; of its output the beginning and the end are kept, at most 1 MB."""
    records, _ = run_all([make_task("print-gigabyte"), make_task("learn")])
    assert {r["state"] for r in records.values()} == {"ok"}
    (log,) = (tmp_path / "logs").iterdir()
    data = log.read_bytes()
    assert log.name == "print-gigabyte-0.log"
    assert data.startswith(b"the beginning\nxxx")
    assert data.endswith(b"xxx\nthe end\n")
    assert HEAD_BYTES + TAIL_BYTES <= len(data) < HEAD_BYTES + TAIL_BYTES + 100
    left_out = (1 << 30) + len(b"the beginning\n") + len(b"\nthe end\n") - HEAD_BYTES - TAIL_BYTES
    assert b"\n[... %d bytes left out ...]\n" % left_out in data


def test_last_words_are_kept(make_task, run_all, tmp_path):
    """What a method printed before its process died is in its log."""
    run_all([make_task("exit")])
    assert (tmp_path / "logs" / "exit-0.log").read_bytes() == b"last words\n"


def test_a_worker_that_is_killed_from_outside_costs_one_more_try(make_task, run_all, lines):
    """SIGKILL of a worker, as the kernel sends it where memory runs out: its trial is done in the second try."""
    events = []

    def on_event(event, **facts):
        events.append((event, facts["id"]))
        if events == [("trial_started", "slow-0")]:
            os.kill(facts["pid"], signal.SIGKILL)

    records, _ = run_all([make_task("slow")], on_event=on_event)
    assert records["slow-0"]["state"] == "ok"
    assert [event for event, _ in events] == ["trial_started", "retry", "trial_started"]
    own = Path("/proc/self/oom_score_adj")
    if own.exists():
        score = int(lines("fits")[0].split()[2])
        assert score > int(own.read_text()), "the kernel takes workers first, not the driver"


def test_nothing_is_started_after_the_deadline(make_task, run_all):
    """Tasks that were not started in time are named, and leave no record that could pass for a result."""
    tasks = [make_task("learn", i) for i in range(3)]
    records, outcome = run_all(tasks, deadline=time.monotonic() - 1)
    assert outcome.why == "deadline"
    assert set(outcome.not_started) == {t.id for t in tasks}
    assert records == {}
    assert not any((t.folder / RECORD).exists() for t in tasks)


def test_as_many_failures_as_are_allowed(make_task, run_all):
    """With two failures of two allowed no trial is started any more; the rest is named, and why."""
    tasks = [make_task("raise", i) for i in range(3)] + [make_task("learn", i) for i in range(3)]
    records, outcome = run_all(tasks, workers=1, max_failures=2)
    assert list(records) == ["raise-0", "raise-1"]
    assert outcome.why == "failures"
    assert set(outcome.not_started) == {t.id for t in tasks[2:]}


def test_no_worker_outlives_its_run(make_task, run_all):
    """When the last trial is done no process is left."""
    before = set(psutil.Process().children(recursive=True))
    run_all([make_task("learn", i) for i in range(4)], workers=3)
    mine = set(psutil.Process().children(recursive=True)) - before
    assert [p.name() for p in mine if "resource_tracker" not in " ".join(p.cmdline())] == []


def test_a_worker_that_is_slow_to_start_blocks_nobody(make_task, tmp_path, monkeypatch):
    """A task larger than a pipe holds is sent to who reads it: its owner can do other things meanwhile, and end it."""
    (tmp_path / "sitecustomize.py").write_text(
        "import sys, time\nif 'spawn_main' in ' '.join(sys.orig_argv):\n    time.sleep(3)\n"
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ["PYTHONPATH"]]))
    task = make_task("learn", labels=np.tile(np.arange(7), 20_000), groups=np.tile(["F01", "M01"], 70_000))
    begun = time.monotonic()
    worker = Worker("w", tmp_path / "logs")
    worker.start(task)
    assert worker.poll() is None
    assert time.monotonic() - begun < 2
    while (ended := worker.poll()) is None:
        time.sleep(0.05)
    assert time.monotonic() - begun > 3
    assert ended.record["state"] == "ok"
    worker.stop()
