"""Which worker gets which trial: torch apart, one worker for each GPU."""

import subprocess
import time

import pytest

from fer_bench.errors import UserError
from fer_bench.methods import ImageSpec, MethodSpec
from fer_bench.runner.executors import get_executor
from fer_bench.runner.executors.local import assign, visible_gpus
from fer_bench.runner.executors.queue import TrialQueue
from fer_bench.runner.executors.worker import Worker


def network(place):
    """A method that is told to need torch (and does not, so that the test is quick)."""
    return MethodSpec(
        "network", "cnn", "hostile_methods:Hostile", ImageSpec(32), params={"does": "slow", "place": str(place)},
        uses_torch=True,
    )  # fmt: skip


def test_no_worker_imports_torch_while_light_trials_wait(make_task, run_all, tmp_path):
    """Workers that have not imported torch take the trials that need none first; networks are not starved: all end."""
    tasks = [make_task("net", i, spec=network(tmp_path)) for i in range(2)] + [make_task("learn", i) for i in range(5)]
    order = []
    records, _ = run_all(tasks, workers=2, on_event=lambda event, **facts: order.append(facts["method"]))
    assert order == [*(f"learn-{i}" for i in range(5)), "network", "network"]
    assert {r["state"] for r in records.values()} == {"ok"}


def test_a_worker_with_torch_goes_on_with_networks(make_task, run_all, tmp_path):
    """A worker that has imported torch takes networks before light trials that have come back since."""
    worker = Worker("0", tmp_path / "logs")
    try:
        assert not worker.has_torch
        worker.start(make_task("net", spec=network(tmp_path)))
        assert worker.has_torch
        while worker.poll() is None:
            time.sleep(0.02)
        trial_queue = TrialQueue(
            [make_task("learn"), make_task("net", 1, spec=network(tmp_path))], on_done=lambda record: None
        )
        assign(worker, trial_queue)
        assert worker.task.id == "net-1"
    finally:
        worker.stop()


def test_each_gpu_has_one_worker_and_sees_no_other(make_task, run_all, tmp_path, monkeypatch):
    """Two GPUs: two workers for trials on cuda, each with a device of its own, and a third one for the others."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
    spec = MethodSpec(
        "gpu", "cnn", "hostile_methods:Hostile", ImageSpec(32), params={"does": "device", "place": str(tmp_path)},
        uses_torch=True,
    )  # fmt: skip
    tasks = [make_task("gpu", i, spec=spec, device="cuda") for i in range(4)] + [make_task("slow", i) for i in range(3)]
    where = {}
    run_all(tasks, workers=3, on_event=lambda event, **facts: where.update({facts["id"]: facts["worker"]}))
    on_gpu = {where[f"gpu-{i}"] for i in range(4)}
    seen = {tuple(line.split()) for line in (tmp_path / "devices").read_text().splitlines()}
    assert on_gpu <= {"0", "1"}
    assert {(device, share) for _, device, share in seen} == {("3", "1"), ("5", "1")}
    assert len({pid for pid, *_ in seen}) == 2
    assert "2" in {where[f"slow-{i}"] for i in range(3)}


def test_trials_share_a_gpu_where_asked(make_task, run_all, tmp_path, monkeypatch):
    """--per-gpu 2: two workers see the one device at the same time, and are told by how many it is shared."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    spec = MethodSpec(
        "gpu", "cnn", "hostile_methods:Hostile", ImageSpec(32), params={"does": "device", "place": str(tmp_path)},
        uses_torch=True,
    )  # fmt: skip
    tasks = [make_task("gpu", i, spec=spec, device="cuda") for i in range(2)]
    began = []
    run_all(tasks, workers=2, per_gpu=2, on_event=lambda event, **facts: began.append((event, facts["id"])))
    seen = [tuple(line.split()) for line in (tmp_path / "devices").read_text().splitlines()]
    assert [line[1:] for line in seen] == [("3", "2")] * 2
    assert len({pid for pid, *_ in seen}) == 2
    assert len({name for _, name in began[:2]}) == 2  # both had started before either ended


def test_only_this_machines_processes_share_a_gpu():
    """--per-gpu means nothing to the other executors, and is refused there."""
    with pytest.raises(UserError, match="only `executor` local shares a GPU"):
        get_executor("in-process", per_gpu=2)


def test_gpus_are_counted_by_the_driver(tmp_path, monkeypatch):
    """Without CUDA_VISIBLE_DEVICES the driver's own tool lists them."""
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'GPU 0: One (UUID: a)'\necho '  MIG 1g.5gb'\necho 'GPU 1: Two (UUID: b)'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert subprocess.run(["nvidia-smi"], capture_output=True, check=True).stdout
    assert visible_gpus() == ["0", "1"]
