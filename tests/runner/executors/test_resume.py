"""What is computed once stays: complete trials are used, and a training that was killed goes on where it stood."""

import json
import os
import signal
import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from fer_bench.methods import ImageSpec, MethodSpec
from fer_bench.results.records import PREDICTIONS, RECORD
from fer_bench.runner.trial import lost_record, run_task
from fer_bench.utils.files import locked

EPOCHS = 30


def network(place="", epochs=EPOCHS):
    """A small network that keeps itself after every epoch, and notes epochs in a folder."""
    params = {"network": "cnn2", "epochs": epochs, "batch_size": 7, "place": place}
    return MethodSpec(
        "cnn", "cnn", "keeping_methods:Keeping", ImageSpec(32), params=params, wants=("random_state", "device"),
        uses_torch=True, watches=True,
    )  # fmt: skip


def test_a_killed_training_goes_on_to_the_same_bits(make_task, run_all, tmp_path, lines):
    """SIGKILL in the middle of a training: the second try goes on from the checkpoint, to the undisturbed result."""
    whole = make_task("whole", spec=network(), watch=True)
    torn = make_task("torn", spec=network(str(tmp_path)), watch=True)
    events = []

    def on_event(event, **facts):
        events.append(event)
        if event == "trial_started" and facts["id"] == torn.id and events.count("retry") == 0:
            threading.Thread(target=kill_at, args=(facts["pid"], 8)).start()

    def kill_at(pid, epoch):
        while len(lines("epochs")) < epoch:
            time.sleep(0.005)
        os.kill(pid, signal.SIGKILL)

    records, _ = run_all([whole, torn], workers=1, on_event=on_event)
    assert events.count("retry") == 1
    assert [records[t.id]["state"] for t in (whole, torn)] == ["ok", "ok"]
    first, second = (dict(np.load(t.folder / PREDICTIONS)) for t in (whole, torn))
    for name in first:
        np.testing.assert_array_equal(first[name], second[name], err_msg=name)
    before, after = (json.loads((t.folder / RECORD).read_text()) for t in (whole, torn))
    assert before["history"] == after["history"]
    assert EPOCHS <= len(lines("epochs")) <= EPOCHS + 2, "what was trained is not trained again"
    assert before["resumed_seconds"] == 0
    assert 0 < after["resumed_seconds"] < after["fit_seconds"]
    assert sorted(p.name for p in torn.folder.iterdir()) == [PREDICTIONS, RECORD]


def test_a_timeout_leaves_the_checkpoint_for_a_longer_limit(make_task, run_all, tmp_path, lines):
    """A training that ran out of time goes on where it stood when it is given more; nothing is left when it is done."""
    params = {"place": str(tmp_path)}
    spec = MethodSpec("steps", "classical", "hostile_methods:Steps", ImageSpec(32), params=params)
    task = make_task("steps", spec=spec, timeout_seconds=3.0)
    records, _ = run_all([task], workers=1)
    assert records[task.id]["state"] == "timeout"
    assert lines("steps") == ["1", "2", "3"]
    assert (task.folder / "checkpoint").is_dir()
    records, _ = run_all([replace(task, timeout_seconds=60.0)], workers=1)
    assert records[task.id]["state"] == "ok"
    assert lines("steps") == ["1", "2", "3", "4", "5"]
    assert sorted(p.name for p in task.folder.iterdir()) == [PREDICTIONS, RECORD]


@pytest.mark.parametrize("executor", ["local", "in-process"])
def test_a_complete_trial_is_used_and_not_written_again(make_task, run_all, lines, executor):
    """Who comes to a trial that is complete by now gives its record, computes nothing and touches no file."""
    task = make_task("learn")
    first = run_task(task)
    before = {p.name: (p.stat().st_mtime_ns, p.stat().st_ino) for p in task.folder.iterdir()}
    records, _ = run_all([task], executor)
    assert records[task.id]["state"] == first["state"] == "ok"
    assert {p.name: (p.stat().st_mtime_ns, p.stat().st_ino) for p in task.folder.iterdir()} == before
    assert len(lines("fits")) == 1


def test_two_that_come_to_one_trial_compute_it_once(make_task, run_all, lines):
    """The second waits for the first and takes its result: one result is ever committed."""
    task = make_task("slow")
    records, _ = run_all([task, replace(task)], workers=2)
    assert records[task.id]["state"] == "ok"
    assert len(lines("fits")) == 1
    assert sorted(p.name for p in task.folder.iterdir()) == [PREDICTIONS, RECORD]


def test_who_gives_up_writes_nothing_over_who_still_computes(make_task):
    """A trial that is lost to one process while another computes it: no record is written; else it is, once."""
    task = make_task("learn")
    with locked(task.folder / "trial.lock", wait=True):
        assert lost_record(task, "timeout", "too slow")["state"] == "timeout"
        assert not (task.folder / RECORD).exists()
    lost_record(task, "timeout", "too slow")
    assert json.loads((task.folder / RECORD).read_text())["state"] == "timeout"
    assert run_task(task)["state"] == "ok"
    assert lost_record(task, "failed", "died")["state"] == "ok", (
        "it was complete, only its process did not live to tell"
    )
    assert sorted(p.name for p in task.folder.iterdir()) == [PREDICTIONS, RECORD]


@pytest.mark.parametrize("damage", ["record", "predictions", "other id", "failed"])
def test_what_is_not_complete_is_computed(make_task, lines, damage):
    """A torn record, lost predictions, another trial's record or a failed one do not pass for a result."""
    task = make_task("learn")
    run_task(task)
    record = task.folder / RECORD
    if damage == "record":
        record.write_text(record.read_text()[:50])
    elif damage == "predictions":
        (task.folder / PREDICTIONS).write_bytes(b"")
    else:
        changes = {"id": "another"} if damage == "other id" else {"state": "failed"}
        record.write_text(json.dumps(json.loads(record.read_text()) | changes))
    assert run_task(task)["state"] == "ok"
    assert len(lines("fits")) == 2
