"""Trials that tests hand to executors, of methods that behave and of methods that do their worst."""

import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fer_bench.methods import ImageSpec, MethodSpec
from fer_bench.runner.executors import get_executor
from fer_bench.runner.task import Task

PLUGINS = Path(__file__).parents[2] / "plugins"


@pytest.fixture
def make_task(tmp_path, monkeypatch):
    """Give a function that makes a task: ``make_task("hang", timeout_seconds=2)``, or of any spec."""
    monkeypatch.syspath_prepend(str(PLUGINS))
    monkeypatch.setenv("PYTHONPATH", str(PLUGINS))
    rng = np.random.default_rng(0)
    np.save(tmp_path / "images.npy", rng.integers(0, 255, (28, 32, 32), dtype=np.uint8))

    def make(does, number=0, *, spec=None, folder="trials", **changes):
        name = f"{does}-{number}"
        params = {"does": does, "place": str(tmp_path)}
        task = Task(
            id=name,
            spec=spec or MethodSpec(name, "classical", "hostile_methods:Hostile", ImageSpec(32), params=params),
            protocol="subject-2fold",
            fold=0,
            seed=0,
            random_state=number,
            device="cpu",
            weights=None,
            watch=False,
            images=tmp_path / "images.npy",
            train=np.arange(14),
            test=np.arange(14, 28),
            labels=np.tile(np.arange(7), 2),
            groups=np.repeat("F01", 14),
            folder=tmp_path / folder / name,
            estimate_seconds=0.1,
            timeout_seconds=60.0,
        )
        return replace(task, **changes)

    return make


@pytest.fixture
def run_all(tmp_path):
    """Give a function that runs tasks to their end: ``records, outcome = run_all(tasks, workers=2)``."""

    def run(tasks, executor="local", *, workers=2, deadline=None, per_gpu=1, **more):
        records = {}
        outcome = get_executor(executor, per_gpu=per_gpu)(
            tasks,
            workers=workers,
            logs=tmp_path / "logs",
            deadline=time.monotonic() + 300 if deadline is None else deadline,
            on_done=lambda record: records.update({record["id"]: record}),
            **more,
        )
        return records, outcome

    return run


def lines(path):
    """The lines that methods have written to a file of a test's folder."""
    return path.read_text().splitlines() if path.exists() else []


@pytest.fixture(name="lines")
def _lines(tmp_path):
    return lambda name: lines(tmp_path / name)


@pytest.fixture
def gone():
    """Give a function that waits until processes are gone, and says which are not."""
    import psutil

    def wait(pids, seconds=10):
        return [p.pid for p in psutil.wait_procs([psutil.Process(i) for i in pids if psutil.pid_exists(i)], seconds)[1]]

    return wait


@pytest.fixture
def command():
    """The command line of fer-bench in a process of its own."""
    return [sys.executable, "-P", "-c", "from fer_bench.cli.app import main; main()"]
