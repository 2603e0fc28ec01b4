"""A Dask scheduler and workers as people start them, and trials run on them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from fer_bench.results.records import RECORD
from fer_bench.runner.executors.dask.executor import execute

ROOT = Path(__file__).parents[4]
PLUGINS = ROOT / "tests" / "plugins"


class Cluster:
    """A scheduler and workers as people start them: each a process of its own, on loopback."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file = folder, folder / "scheduler.json"
        self._processes: dict[str, subprocess.Popen] = {}
        self._start("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", self.file)

    def _start(self, name: str, *options: object, prefix: tuple = ()) -> None:
        kind = "scheduler" if name == "scheduler" else "worker"
        command = [*prefix, sys.executable, "-P", "-m", "dask", kind, "--no-dashboard", *options]
        with open(self.folder / f"{name}.log", "w") as log:
            self._processes[name] = subprocess.Popen(
                [str(part) for part in command],
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONPATH": str(PLUGINS), "OMP_NUM_THREADS": "1"},
                start_new_session=True,
            )

    def add(self, name: str, *options: object, prefix: tuple = ()) -> None:
        """Start a worker of one thread."""
        while not self.file.exists():
            time.sleep(0.05)
        more = ["--scheduler-file", self.file, "--name", name, "--nthreads", 1, "--local-directory", self.folder]
        self._start(name, *more, *options, prefix=prefix)

    def kill(self, *names: str) -> None:
        """Take a worker's machine away: its nanny, itself and what it has started."""
        for name in names:
            process = self._processes.pop(name)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def close(self) -> None:
        self.kill(*self._processes)

    def wait(self) -> None:
        """Until all are there."""
        until = time.monotonic() + 120
        for name in self._processes:
            log = self.folder / f"{name}.log"
            while ("Scheduler at:" if name == "scheduler" else "Registered to:") not in log.read_text():
                assert time.monotonic() < until, log.read_text()
                time.sleep(0.05)


def run_all(cluster, tasks, tmp_path, **more):
    records, events = {}, []
    outcome = execute(
        tasks,
        scheduler=str(cluster.file),
        logs=tmp_path / "logs",
        deadline=time.monotonic() + 300,
        on_done=more.pop("on_done", None) or (lambda record: records.update({record["id"]: record})),
        on_event=more.pop("on_event", None) or (lambda event, **facts: events.append((event, facts))),
        **more,
    )
    return records, events, outcome


def committed(tasks):
    """What tells whether a finished trial was written anew."""
    records = [task.folder / RECORD for task in tasks if (task.folder / RECORD).exists()]
    return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in records}
