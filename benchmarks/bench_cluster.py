"""What a trial costs beside its method on a Dask cluster: 1,000 empty trials on a scheduler and workers on loopback.

Run as ``python benchmarks/bench_cluster.py [--trials 1000] [--workers 2] [--write FILE]``. Scheduler and workers are
started as processes of their own, as people start them. Wall time of the whole execution divided by the number of
trials, fsync of record and predictions included; the start of the workers' processes (imports) is told apart. Beside it
the CPU time of driver, scheduler, workers and their processes together, which other people's load changes little.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from fer_bench.methods import ImageSpec, MethodSpec
from fer_bench.runner.executors.dask.executor import execute
from fer_bench.runner.task import Task

_HEADING = """# A trial's cost on a cluster

Made by `python benchmarks/bench_cluster.py`: empty trials, a Dask scheduler and its workers as processes on loopback,
record and predictions written with fsync. At most 25 ms of wall time a trial is asked for.

"""
PLUGINS = Path(__file__).parents[1] / "tests" / "plugins"


@dataclass(frozen=True)
class Overhead:
    """Milliseconds a trial, of wall and of CPU time, and seconds until the first ones had ended."""

    trials: int
    workers: int
    per_trial_ms: float
    cpu_ms: float
    first_seconds: float


@contextmanager
def cluster(folder: Path, workers: int) -> Iterator[Path]:
    """Start a scheduler and workers; yields the scheduler's file."""
    file = folder / "scheduler.json"
    environment = {**os.environ, "PYTHONPATH": str(PLUGINS), "OMP_NUM_THREADS": "1"}
    dask = [sys.executable, "-P", "-m", "dask"]
    commands = [[*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", file]]
    worker = [*dask, "worker", "--scheduler-file", file, "--nthreads", "1", "--no-dashboard"]
    commands += [[*worker, "--local-directory", folder, "--name", f"w{i}"] for i in range(workers)]
    processes = []
    try:
        for number, command in enumerate(commands):
            with open(folder / f"process-{number}.log", "w") as log:
                processes.append(subprocess.Popen([str(c) for c in command], stdout=log, stderr=log, env=environment))
            while not file.exists():
                time.sleep(0.05)
        for number in range(1, workers + 1):
            while "Registered to" not in (folder / f"process-{number}.log").read_text():
                time.sleep(0.05)
        yield file
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait()


def empty_tasks(folder: Path, n: int) -> list[Task]:
    """Trials of 28 images whose method does nothing."""
    images = folder / "images.npy"
    np.save(images, np.zeros((28, 8, 8), dtype=np.uint8))
    spec = MethodSpec("nap", "classical", "cluster_methods:Nap", ImageSpec(8))
    common = {
        "spec": spec, "protocol": "subject-2fold", "fold": 0, "seed": 0, "random_state": 0, "device": "cpu",
        "weights": None, "watch": False, "images": images, "train": np.arange(14), "test": np.arange(14, 28),
        "labels": np.tile(np.arange(7), 2), "groups": np.repeat("F01", 14), "estimate_seconds": 0.0,
        "timeout_seconds": 60.0,
    }  # fmt: skip
    return [Task(id=f"{i:016x}", folder=folder / "trials" / f"{i:016x}", **common) for i in range(n)]


def measure(trials: int = 1000, workers: int = 2) -> Overhead:
    """Run empty trials and take the time."""
    if str(PLUGINS) not in sys.path:
        sys.path.insert(0, str(PLUGINS))
    ends: list[float] = []
    cpu: list[float] = []

    def on_done(record: object) -> None:
        ends.append(time.perf_counter())
        if len(ends) in (workers, trials):
            cpu.append(cpu_seconds())

    with tempfile.TemporaryDirectory() as name, cluster(Path(name), workers) as file:
        folder = Path(name)
        tasks = empty_tasks(folder, trials)
        begun = time.perf_counter()
        execute(tasks, scheduler=str(file), logs=folder / "logs", on_done=on_done)
        over = time.perf_counter()
    # Every worker's process imports on its first trial; what is left is what a further trial costs.
    started = ends[workers - 1]
    per_trial = 1000 / (trials - workers)
    return Overhead(trials, workers, per_trial * (over - started), per_trial * (cpu[1] - cpu[0]), started - begun)


def cpu_seconds() -> float:
    """CPU time so far of this process and all below it."""
    me = psutil.Process()
    used = 0.0
    for process in (me, *me.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            used += sum(process.cpu_times()[:2])
    return used


def main() -> None:
    """Print the table, or write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    load = os.getloadavg()[0]
    found = measure(given.trials, given.workers)
    lines = [
        "| executor | trials | workers | cores | load before | wall ms a trial | CPU ms a trial | s to the first |",
        "|---|---|---|---|---|---|---|---|",
        f"| dask | {found.trials:,} | {found.workers} | {os.cpu_count()} | {load:.1f} | {found.per_trial_ms:.1f} "
        f"| {found.cpu_ms:.1f} | {found.first_seconds:.1f} |",
    ]
    text = "\n".join(lines) + "\n"
    if given.write:
        given.write.write_text(_HEADING + text)
    print(text)


if __name__ == "__main__":
    main()
