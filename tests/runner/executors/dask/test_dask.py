"""Trials on a cluster of real processes: same figures, nothing lost, nothing sent twice, nothing waited for in vain."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import psutil
import pytest
from dask_cluster import PLUGINS, committed, run_all

from fer_bench.errors import UserError
from fer_bench.results.records import PREDICTIONS, RECORD
from fer_bench.runner.executors.dask import node
from fer_bench.runner.executors.dask.executor import execute
from fer_bench.runner.order import draw_order, put_back


@pytest.mark.parametrize(
    "suite",
    [
        pytest.param(("--only", "[lg][dn][ab]-*"), id="lda-and-gnb"),
        # all but the probes, one of which sleeps for ever
        pytest.param(
            ("--only", "[!hp]*", "--only", "hist_gb-*"), id="whole", marks=[pytest.mark.slow, pytest.mark.timeout(1800)]
        ),
    ],
)
def test_predictions_are_those_of_one_process(two, cli, kdef_folder, tmp_path, suite):
    """Suite classical on a cluster and in process give the same predictions, to the bit."""
    what = ["run", "--suite", "classical", *suite] + (["--data", str(kdef_folder)] if len(suite) == 2 else [])
    cli(*what, "--out", "one", "--executor", "in-process")
    cli(*what, "--out", "many", "--executor", "dask", "--scheduler", two.file)
    one, many = (pd.read_parquet(tmp_path / run / "predictions.parquet") for run in ("one", "many"))
    assert len(one) > (100 if len(suite) == 2 else 44_000)
    pd.testing.assert_frame_equal(one, many, check_exact=True)


def test_a_killed_worker_takes_nothing_finished_with_it(start, make_task, tmp_path):
    """One of two workers is killed in the middle: all trials end well, and no finished one is written again."""
    cluster = start(workers=2)
    tasks = [make_task(0, seconds=6.0)] + [make_task(number) for number in range(1, 12)]
    records, places, before = {}, {}, {}

    def on_event(event, **facts):
        if event == "trial_started":
            places.setdefault(facts["id"], []).append(facts["worker"])

    def on_done(record):
        records[record["id"]] = record
        if len(records) == 4:
            before.update(committed(tasks))
            cluster.kill(places["trial-0"][0])

    *_, outcome = run_all(cluster, tasks, tmp_path, on_done=on_done, on_event=on_event)
    assert outcome.why == ""
    assert {record["state"] for record in records.values()} == {"ok"}
    assert len(records) == 12
    assert len(before) >= 4
    assert {path: committed(tasks)[path] for path in before} == before
    assert sorted(places["trial-0"]) == ["w0", "w1"]
    for task in tasks:
        expected = np.random.default_rng(task.random_state).random((14, 7))
        expected = (expected / expected.sum(axis=1, keepdims=True)).astype(np.float32)
        np.testing.assert_array_equal(np.load(task.folder / PREDICTIONS)["proba"], put_back(expected, draw_order(task)))


@pytest.mark.slow
def test_misbehaving_trials_leave_the_workers_alone(two, make_task, tmp_path):
    """A trial that sleeps for ever, one that exits and one that raises end with their states; the workers live on."""
    probe = "probe_methods:Probe"
    tasks = [
        make_task(0, factory=probe, does="sleep", timeout=3.0),
        make_task(1, factory=probe, does="exit"),
        make_task(2, factory=probe, does="raise"),
        *(make_task(number) for number in range(3, 9)),
    ]
    records, events, outcome = run_all(two, tasks, tmp_path)
    assert outcome.not_started == ()
    assert [records[f"trial-{n}"]["state"] for n in range(9)] == ["timeout", "failed", "failed", *["ok"] * 6]
    assert "exit code 3" in records["trial-1"]["reason"]
    pids = {facts["pid"] for event, facts in events if event == "trial_started"}
    _, again, _ = run_all(two, [make_task(number) for number in range(20, 24)], tmp_path)
    assert {facts["pid"] for event, facts in again if event == "trial_started"} <= pids


def test_a_crash_below_a_dask_worker_is_tried_again_in_a_safer_process(two, make_task, tmp_path):
    """The signal travels to the driver and the caution back: ok in the second try, which the record tells."""
    crashing = {"factory": "hostile_methods:Crashing", "place": str(tmp_path)}
    tasks = [make_task(0, signal_name="SIGSEGV", **crashing)]
    records, events, _ = run_all(two, tasks, tmp_path)
    assert records["trial-0"]["state"] == "ok"
    (retry,) = [facts["reason"] for event, facts in events if event == "retry"]
    assert retry.startswith("its process ended by signal 11 (SIGSEGV); tried again, safer: ")
    record = json.loads((tasks[0].folder / RECORD).read_text())
    assert record["second_try"] == {"after": "signal 11 (SIGSEGV)", "how": "ONEDNN_MAX_CPU_ISA=AVX2"}
    tries = [json.loads(line)[1:] for line in (tmp_path / "tries").read_text().splitlines()]
    assert tries == [["", ""], ["AVX2", "1"]]
    assert 'hostile_methods.py", line' in (tmp_path / "logs" / "trial-0.log").read_text()


def test_no_process_of_a_run_stays_behind(two, make_task, tmp_path):
    """When a run is over, its processes below the Dask workers are gone."""
    _, events, _ = run_all(two, [make_task(number) for number in range(4)], tmp_path)
    workers = [psutil.Process(facts["pid"]) for event, facts in events if event == "trial_started"]

    def left():
        alive = [p for worker in workers for p in worker.children() if p.status() != psutil.STATUS_ZOMBIE]
        return [p for p in alive if "resource_tracker" not in " ".join(p.cmdline())]

    until = time.monotonic() + 20
    while time.monotonic() < until:
        with suppress(psutil.NoSuchProcess):  # as it goes
            if not left():
                return
        time.sleep(0.2)
    assert left() == []


def test_what_no_worker_can_do_is_skipped_with_a_reason(two, make_task, tmp_path):
    """A trial for a GPU, or for more memory than any worker has, is not waited for; the others run."""
    big = replace(make_task(1), memory_bytes=64e9)
    tasks = [make_task(0, device="cuda"), big, make_task(2)]
    records, _, outcome = run_all(two, tasks, tmp_path, patience_seconds=3.0)
    assert outcome.why == ""
    assert [records[task.id]["state"] for task in tasks] == ["skipped", "skipped", "ok"]
    assert "no Dask worker has a GPU" in records["trial-0"]["reason"]
    assert "64.0 GB" in records["trial-1"]["reason"]
    assert json.loads((tasks[0].folder / RECORD).read_text())["state"] == "skipped"


@pytest.mark.slow
def test_a_gpu_takes_one_trial_at_a_time(start, make_task, tmp_path):
    """A worker of two threads with a GPU runs one trial on it at a time, and another beside it on the CPU."""
    cluster = start()
    cluster.add("g", "--no-nanny", "--resources", "GPU=1", "--nthreads", 2)
    tasks = [make_task(n, device="cuda", seconds=0.4) for n in range(3)] + [make_task(n, seconds=0.1) for n in (3, 4)]
    _, events, _ = run_all(cluster, tasks, tmp_path)
    records = [json.loads((task.folder / RECORD).read_text()) for task in tasks]
    assert {record["state"] for record in records} == {"ok"}
    spans = sorted((record["started"], record["started"] + record["fit_seconds"]) for record in records[:3])
    assert all(end <= begin for (_, end), (begin, _) in pairwise(spans))
    assert [facts["device"] for event, facts in events if event == "trial_started"][:2] == ["cuda", "cpu"]


def test_other_versions_are_refused_by_name(two, make_task, tmp_path, monkeypatch):
    """Workers with another numpy would give other figures: the sentence names the package and both versions."""
    here = node.facts()
    monkeypatch.setattr(node, "facts", lambda: here | {"numpy": "1.0"})
    with pytest.raises(UserError, match=rf"numpy is {here['numpy']} there and 1\.0 here"):
        run_all(two, [make_task(0)], tmp_path)


def test_a_cluster_that_is_not_there_is_one_sentence(start, make_task, tmp_path):
    """No file, another file, no scheduler, no workers: each says what is wrong and what to do."""
    cluster = start()
    (tmp_path / "notes.json").write_text("{}")
    for scheduler, sentence in {
        str(tmp_path / "none.json"): "none.json cannot be read: No such file.*give an address such as tcp://host:8786",
        str(tmp_path / "notes.json"): "address is missing; .*the file that `dask scheduler --scheduler-file` writes",
        "tcp://127.0.0.1:9": "no Dask scheduler answers there",
        "carrier-pigeon://roof": "no Dask scheduler answers there",
        str(cluster.file): "no workers, and none came within 1 s; start some with `dask worker`",
    }.items():
        with pytest.raises(UserError, match=sentence):
            execute(
                [make_task(0)], scheduler=scheduler, logs=tmp_path / "logs", on_done=print, patience_seconds=1.0
            )  # fmt: skip
    assert not list(tmp_path.glob(".tmp-*"))


@pytest.mark.slow
def test_a_trial_that_loses_every_worker_has_failed(start, make_task, tmp_path):
    """A trial whose third worker dies is tried no more: it may be what kills them."""
    cluster = start(workers=4)
    tried = []

    def on_event(event, **facts):
        if event == "trial_started" and facts["id"] == "trial-0":
            tried.append(facts["worker"])
            cluster.kill(facts["worker"])

    records, _, outcome = run_all(cluster, [make_task(0, seconds=60.0), make_task(1)], tmp_path, on_event=on_event)
    assert outcome.why == ""
    assert len(set(tried)) == 3
    assert {name: record["state"] for name, record in records.items()} == {"trial-0": "failed", "trial-1": "ok"}
    assert records["trial-0"]["reason"] == "its Dask worker was lost, 3 times in a row"


@pytest.mark.slow
def test_when_all_workers_are_gone_the_run_says_so(start, make_task, tmp_path):
    """With nobody left to take trials the run ends, keeps what is finished and names what is not."""
    cluster = start(workers=1)
    tasks = [make_task(number, seconds=0.2) for number in range(8)]
    records = {}

    def on_done(record):
        records[record["id"]] = record
        if len(records) == 2:
            cluster.kill("w0")

    *_, outcome = run_all(cluster, tasks, tmp_path, on_done=on_done, patience_seconds=2.0)
    assert outcome.why == "workers"
    assert "all Dask workers are gone" in outcome.reason
    assert len(records) + len(outcome.not_started) == 8
    assert {record["state"] for record in records.values()} == {"ok"}


@pytest.mark.slow
def test_a_cluster_that_dies_ends_the_run_with_a_sentence(start, make_task, tmp_path):
    """The scheduler is gone in the middle: no traceback, no endless wait."""
    cluster = start(workers=1)
    tasks = [make_task(number, seconds=0.2) for number in range(40)]

    def on_done(record):
        if record["id"] == "trial-2":
            cluster.kill("scheduler")

    *_, outcome = run_all(cluster, tasks, tmp_path, on_done=on_done, patience_seconds=2.0)
    assert outcome.why == "workers"
    assert "scheduler does not answer" in outcome.reason
    assert "trial-39" in outcome.not_started


def test_ctrl_c_twice_stops_what_runs_on_the_workers(two, cli, kdef_folder, tmp_path):
    """The second Ctrl-C ends the trials on the workers, too; the report is written, and the exit code is 130."""
    suite = tmp_path / "sleep.toml"
    suite.write_text('[[job]]\nmethods = ["probe-sleep"]\nprotocols = ["subject-2fold"]\n')
    command = [sys.executable, "-P", "-c", "from fer_bench.cli.app import main; main()", "run", "--suite", str(suite)]
    command += ["--data", str(kdef_folder), "--out", str(tmp_path / "run"), "--executor", "dask"]
    command += ["--scheduler", str(two.file)]
    process = subprocess.Popen(
        command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(PLUGINS)}
    )
    events = tmp_path / "run" / "events.jsonl"
    until = time.monotonic() + 120
    while not (events.exists() and "trial_started" in events.read_text()) and time.monotonic() < until:
        time.sleep(0.2)
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(1.0)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert (tmp_path / "run" / "report.html").exists()
