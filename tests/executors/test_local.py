"""Whatever a method does, it takes nothing with it but its own trial."""

import time
from pathlib import Path

import numpy as np
import pytest

from fer_bench.executors.local import execute
from fer_bench.methods import ImageSpec, MethodSpec
from fer_bench.trial import PREDICTIONS, RECORD, Task

PLUGINS = Path(__file__).parents[1] / "plugins"


@pytest.fixture
def make_task(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(PLUGINS))
    rng = np.random.default_rng(0)
    np.save(tmp_path / "images.npy", rng.integers(0, 255, (28, 32, 32), dtype=np.uint8))

    def make(does, *, number=0, timeout=60.0):
        name = f"{does}-{number}"
        return Task(
            id=name,
            spec=MethodSpec(
                name, "classical", "probe_methods:Probe", ImageSpec(32), params={"does": does}, wants=("random_state",)
            ),
            protocol="subject-2fold",
            fold=0,
            seed=0,
            random_state=1,
            device="cpu",
            weights=None,
            watch=False,
            images=tmp_path / "images.npy",
            train=np.arange(14),
            test=np.arange(14, 28),
            labels=np.tile(np.arange(7), 4),
            groups=np.repeat(["F01", "M01"], 14),
            folder=tmp_path / "trials" / name,
            estimate_seconds=0.1,
            timeout_seconds=timeout,
        )

    return make


def run_all(tasks, tmp_path, workers=2, deadline=None):
    records = {}
    outcome = execute(
        tasks,
        workers=workers,
        logs=tmp_path / "logs",
        deadline=time.monotonic() + 300 if deadline is None else deadline,
        on_done=lambda record: records.update({record["id"]: record}),
    )
    return records, outcome


def test_methods_that_misbehave_leave_the_others_alone(make_task, tmp_path):
    """Raising, exiting, sleeping for ever, out of memory, NaN, wrong shape: each its own state and reason."""
    bad = ["raise", "exit", "memory", "nan", "wrong-shape", "print"]
    tasks = [make_task(does) for does in bad] + [make_task("sleep", timeout=4.0)]
    tasks += [make_task("learn", number=i) for i in range(6)]
    records, outcome = run_all(tasks, tmp_path)
    assert outcome.not_started == ()
    states = {name: record["state"] for name, record in records.items()}
    assert states == {
        **{f"learn-{i}": "ok" for i in range(6)},
        "raise-0": "failed",
        "exit-0": "failed",
        "memory-0": "oom",
        "nan-0": "failed",
        "wrong-shape-0": "failed",
        "print-0": "ok",
        "sleep-0": "timeout",
    }
    assert "ZeroDivisionError: planted" in records["raise-0"]["reason"]
    assert "exit code 3" in records["exit-0"]["reason"]
    assert "1 of 14 rows are not finite" in records["nan-0"]["reason"]
    assert "(14, 5)" in records["wrong-shape-0"]["reason"]
    assert "limit is 4 s" in records["sleep-0"]["reason"]
    for task in tasks:
        assert (task.folder / RECORD).exists()
        assert (task.folder / PREDICTIONS).exists() == (states[task.id] == "ok")
        assert not list(task.folder.glob(".tmp-*"))


def test_a_method_never_sees_test_labels(make_task, tmp_path):
    """Other labels on the test rows change nothing in what a method predicts."""
    one, two = make_task("learn", number=1), make_task("learn", number=2)
    two.labels[two.test] = 6 - two.labels[two.test]
    run_all([one, two], tmp_path)
    first, second = (np.load(t.folder / PREDICTIONS)["proba"] for t in (one, two))
    np.testing.assert_array_equal(first, second)


def test_nothing_is_started_after_the_deadline(make_task, tmp_path):
    """Tasks that were not started in time are named, and leave no record that could pass for a result."""
    tasks = [make_task("learn", number=i) for i in range(3)]
    records, outcome = run_all(tasks, tmp_path, deadline=time.monotonic() - 1)
    assert outcome.why == "deadline"
    assert set(outcome.not_started) == {t.id for t in tasks}
    assert records == {}
    assert not any((t.folder / RECORD).exists() for t in tasks)
