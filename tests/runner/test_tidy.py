"""What a killed call left is cleaned away, and nothing of what somebody still writes or of what counts."""

import subprocess
import sys
from pathlib import Path

import pytest

from fer_bench.plan import request as module
from fer_bench.plan.request import Request
from fer_bench.results.records import PREDICTIONS, RECORD, TRIAL_LOCK
from fer_bench.runner.executors import local
from fer_bench.runner.run_dir import tidy
from fer_bench.utils.files import locked


@pytest.fixture(scope="module")
def dead():
    """The id of a process that is gone."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def write(*files: Path) -> None:
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x")


def test_what_another_process_still_writes_stays(tmp_path, dead):
    """Half-written files of a trial whose lock is held are somebody's work; when it is free they are left over."""
    folder = tmp_path / "trials" / "t"
    files = [folder / f".tmp-{dead}-{PREDICTIONS}", folder / "checkpoint" / f".tmp-{dead}-training.pt"]
    write(*files)
    with locked(folder / TRIAL_LOCK, wait=True):
        tidy(tmp_path, ())
        assert all(file.exists() for file in files)
    tidy(tmp_path, ())
    assert not any(file.exists() for file in files)


def test_of_what_is_done_the_result_stays_alone(tmp_path):
    """Record and predictions stay to the byte; a lock, a checkpoint and what else lies there go. A trial that is not
    done keeps its checkpoint, and files of other folders are nobody's business."""
    done, begun = tmp_path / "trials" / "done", tmp_path / "trials" / "begun"
    kept = [done / RECORD, done / PREDICTIONS, begun / "checkpoint" / "training.pt", tmp_path / "mine" / "x.lock"]
    gone = [done / TRIAL_LOCK, done / "checkpoint" / "training.pt", done / "odd.txt"]
    write(*kept, *gone)
    tidy(tmp_path, {"done"})
    assert [file.read_text() for file in kept] == ["x"] * len(kept)
    assert sorted(file.name for file in done.iterdir()) == sorted((RECORD, PREDICTIONS))


@pytest.mark.parametrize(
    ("cores", "gigabytes", "workers"),
    [(4, 64, 4), (64, 640, 8), (64, 12, 4), (4, 2, 1), (1, 64, 1), (8, 24, 8), (9, 1000, 8)],
)
def test_no_more_workers_than_cores_eight_and_memory(monkeypatch, cores, gigabytes, workers):
    """One a core, at most eight, and 3 GB for each; one at least."""
    import psutil

    monkeypatch.setattr(module.os, "sched_getaffinity", lambda _: set(range(cores)), raising=False)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("Memory", (), {"total": gigabytes * 1e9})())
    assert Request().n_workers == workers
    assert Request(workers=40).n_workers == 40
    assert Request(workers=40, executor="in-process").n_workers == 1


@pytest.mark.parametrize(("workers", "trials", "started"), [(3, 9, 3), (9, 3, 3), (1, 9, 1)])
def test_as_many_processes_as_workers_and_as_there_is_to_do(monkeypatch, tmp_path, workers, trials, started):
    """Never more processes than are asked for, nor than there are trials."""
    monkeypatch.setattr(local, "Worker", lambda name, logs, **more: name)

    class Queue:
        def __len__(self):
            return trials

        def count(self, kind):
            return 0

    assert local._team(Queue(), workers, 1, tmp_path) == [str(i) for i in range(started)]
