"""Measure what the harness costs beside the methods.

    python benchmarks/bench_overhead.py                                          # empty trials; prints a table
    python benchmarks/bench_overhead.py --run DIR                                # a finished run, split into phases
    python benchmarks/bench_overhead.py --write benchmarks/results/overhead.md   # writes what it prints, too

An empty trial is one of a registered method that returns constants, with the images of a fold of KDEF (4,410 to train
on, 490 to test): what is left is task, loading, checks, compression, hash, two files with fsync, record. Dask's is in
`bench_cluster.py`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy is imported

import numpy as np
import pandas as pd
import psutil

from fer_bench.methods import ImageSpec, MethodSpec
from fer_bench.runner.executors import get_executor
from fer_bench.runner.monitor.events import read_events
from fer_bench.runner.task import Task

PLUGIN = Path(__file__).parents[1] / "tests" / "runner" / "plugins"
TARGETS_MS = {"in-process": 15.0, "local": 15.0, "dask": 25.0}
TARGET_SHARE = 0.02
N_IMAGES, N_TEST, SIDE = 4900, 490, 32


@dataclass(frozen=True)
class Overhead:
    """Of empty trials.

    Attributes
    ----------
    start_seconds : float
        From the call until the first trial was done.
    trial_ms : float
        From then on, for each trial.
    cpu_ms : float
        The same in CPU time of all processes: what is left of it on a busy machine.
    """

    start_seconds: float
    trial_ms: float
    cpu_ms: float


def empty_tasks(n: int, folder: Path) -> list[Task]:
    """Make trials of a method that does nothing, on random images of the size that a full run has.

    Parameters
    ----------
    n : int
        Number of trials.
    folder : Path
        For the store of images and the trials' folders.
    """
    spec = MethodSpec("empty-000", "classical", "pace_methods:Constant", ImageSpec(SIDE), wants=("random_state",))
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    np.save(folder / "images.npy", rng.integers(0, 256, (N_IMAGES, SIDE, SIDE), dtype=np.uint8))
    test, train = np.arange(N_TEST), np.arange(N_TEST, N_IMAGES)
    return [
        Task(
            id=f"{i:016x}",
            spec=spec,
            protocol="subject-10fold",
            fold=0,
            seed=0,
            random_state=i,
            device="cpu",
            weights=None,
            watch=False,
            images=folder / "images.npy",
            train=train,
            test=test,
            labels=train % 7,
            groups=np.repeat([f"F{person:02}" for person in range(63)], 70),
            folder=folder / "trials" / f"{i:016x}",
            estimate_seconds=0.0,
            timeout_seconds=600.0,
        )
        for i in range(n)
    ]


def measure_empty(name: str, n: int, workers: int, folder: Path, **more: Any) -> Overhead:
    """Run empty trials through an executor.

    Parameters
    ----------
    name : str
        Of the executor.
    n, workers : int
        Numbers of trials and worker processes.
    folder : Path
        Empty; on the disk whose fsync counts.
    **more
        For the executor, such as ``scheduler``.
    """
    ends: list[float] = []
    cpu: list[float] = []

    def on_done(record: Mapping[str, Any]) -> None:
        if record["state"] != "ok":
            raise SystemExit(f"{name}: an empty trial ended {record['state']}: {record['reason']}")
        ends.append(time.perf_counter())
        if len(ends) in (1, n):
            cpu.append(cpu_seconds())

    path = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(PLUGIN), path]))  # for the workers
    sys.path.insert(0, str(PLUGIN))
    try:
        tasks = empty_tasks(n, folder)
        begun = time.perf_counter()
        get_executor(name, more.get("scheduler", ""))(
            tasks, workers=workers, logs=folder / "logs", on_done=on_done, **more
        )
    finally:
        sys.path.remove(str(PLUGIN))
        os.environ.pop("PYTHONPATH") if path is None else os.environ.update(PYTHONPATH=path)
    per_trial = 1000 / (n - 1)
    return Overhead(ends[0] - begun, per_trial * (ends[-1] - ends[0]), per_trial * (cpu[-1] - cpu[0]))


def cpu_seconds() -> float:
    """Return the CPU seconds of this process and of all below it that live."""
    here = psutil.Process()
    times = [process.cpu_times() for process in (here, *here.children(recursive=True))]
    return sum(each.user + each.system for each in times)


def empty_table(n: int, folder: Path) -> list[str]:
    """Measure the executors of one machine; rows of Markdown."""
    lines = [
        f"{n:,} empty trials, {N_IMAGES - N_TEST:,} training and {N_TEST} test images each, fsync included.",
        "",
        "| executor | workers | until the first is done, s | then ms a trial | CPU ms a trial | at most | |",
        "|---|---:|---:|---:|---:|---:|---|",
    ]
    idle = _load() < 1
    for name, workers in (("in-process", 1), ("local", 1), ("local", 2)):
        with tempfile.TemporaryDirectory(dir=folder) as place:
            found = measure_empty(name, n, workers, Path(place))
        kept = "kept" if found.trial_ms < TARGETS_MS[name] else "missed" if idle else "not judged: busy machine"
        cells = (name, workers, f"{found.start_seconds:.1f}", f"{found.trial_ms:.1f}", f"{found.cpu_ms:.1f}")
        lines.append(f"| {' | '.join(map(str, cells))} | {TARGETS_MS[name]:.0f} | {kept} |")
    return [*lines, "", f"One fsync of a small file here: {fsync_ms(folder):.2f} ms (median of 200)."]


def _load() -> float:
    """Processes that want to run, by others, for each core."""
    return os.getloadavg()[0] / (os.cpu_count() or 1)


def fsync_ms(folder: Path) -> float:
    """Return the median milliseconds of an fsync of a small file."""
    times = []
    with tempfile.NamedTemporaryFile(dir=folder) as handle:
        for _ in range(200):
            handle.write(bytes(1000))
            handle.flush()
            begun = time.perf_counter()
            os.fsync(handle.fileno())
            times.append(time.perf_counter() - begun)
    return 1000 * float(np.median(times))


@dataclass(frozen=True)
class Spent:
    """Where the worker-seconds of a finished run went; see `spent`.

    Attributes
    ----------
    total : float
        Seconds from start to report, times workers.
    methods : float
        Fitting, predicting, and features computed once.
    phases : mapping
        Seconds of each phase that the workers wait for, times workers; what run.json does not tell is not there.
    in_trials, idle : float or None
        While trials run: within a trial beside its method, and between trials; None without an event log.
    """

    total: float
    methods: float
    phases: Mapping[str, float]
    in_trials: float | None
    idle: float | None

    @property
    def overhead(self) -> float:
        """All but methods and stores."""
        return self.total - self.methods - self.phases.get("stores", 0.0)

    @property
    def share(self) -> float:
        """Overhead as a part of the time in methods."""
        return self.overhead / self.methods


def spent(run: Path) -> Spent:
    """Split the time of a finished run.

    A trial's record counts features that folds share as if it had computed them alone (``prepare_seconds``); here they
    count once for each feature, which is what was computed.
    """
    info = json.loads((run / "run.json").read_text())
    trials = pd.read_csv(run / "trials.csv").query("state == 'ok'")
    workers = int(info["workers"])
    per_image = (trials["prepare_seconds"] / (trials["n_train"] + trials["n_test"])).round(8)
    features = float(per_image.unique().sum()) * info["dataset"]["n_images"]
    alone = float((trials["fit_seconds"] + trials["predict_seconds"] - trials["prepare_seconds"]).sum())
    phases = {name: seconds * workers for name, seconds in (info.get("phase_seconds") or {}).items()}
    running = phases.pop("trials", None)
    within = float(sum(e["seconds"] for e in read_events(run) if e["event"] == "trial_ended" and e["state"] == "ok"))
    known = running is not None and within > 0
    return Spent(
        total=float(info["elapsed_seconds"]) * workers,
        methods=alone + features,
        phases=phases,
        in_trials=within - alone - features if known else None,
        idle=running - within if known else None,
    )


def run_table(run: Path) -> list[str]:
    """Show where the time of a finished run went; rows of Markdown."""
    found = spent(run)
    info = json.loads((run / "run.json").read_text())
    rows = {"in methods, with features computed once": found.methods}
    rows |= {f"{name} (workers wait)": seconds for name, seconds in found.phases.items()}
    if found.in_trials is not None and found.idle is not None:
        rows["in trials, beside methods"] = found.in_trials
        rows["workers idle: starting, waiting, at the end"] = found.idle
    rows["all, workers times wall"] = found.total
    kept = "kept" if found.share <= TARGET_SHARE else "missed"
    data = f"{info['dataset']['n_images']:,} images, {len(info['plan'])} trials, {info['workers']} workers"
    return [
        f"`{info['command']}`: {data}; code {str((info.get('code') or {}).get('commit'))[:7]}.",
        "",
        "| worker-seconds | | of the methods' |",
        "|---|---:|---:|",
        *(f"| {name} | {seconds:,.1f} | {seconds / found.methods:.2%} |" for name, seconds in rows.items()),
        f"| **overhead: all but methods{' and stores' if found.phases else ''}** | {found.overhead:,.1f} "
        f"| **{found.share:.2%}** |",
        "",
        *([] if found.phases else ["This run does not tell its phases: building stores is within the overhead.", ""]),
        f"Asked for: at most {TARGET_SHARE:.0%}: {kept}.",
    ]


def main() -> None:
    """Measure, print, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, action="append", default=[], help="a finished run; may be repeated")
    parser.add_argument("--trials", type=int, default=1000, help="how many empty trials; 0: none")
    parser.add_argument("--folder", type=Path, default=Path(), help="on the disk to measure; default: here")
    parser.add_argument("--write", type=Path, help="file to write")
    given = parser.parse_args()
    lines = ["# Overhead of the harness", "", "Made by `python benchmarks/bench_overhead.py`.", ""]
    machine = f"Python {platform.python_version()}, {os.cpu_count()} cores"
    lines += [f"{machine}, {_load():.1f} processes of others a core. Times depend on the machine and its load.", ""]
    if given.trials:
        lines += ["## Empty trials", "", *empty_table(given.trials, given.folder), ""]
    for run in given.run:
        lines += ["## A finished run", "", *run_table(run), ""]
    text = "\n".join(lines).rstrip() + "\n"
    print(text)
    if given.write:
        given.write.write_text(text, encoding="utf-8")


if __name__ == "__main__":  # worker processes import this file
    main()
