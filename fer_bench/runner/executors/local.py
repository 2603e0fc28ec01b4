"""Trials in local worker processes: spawned, persistent, one thread each; one or more a GPU, the others beside them.

A worker that dies takes nothing with it but the trial in flight, which is tried once more in a fresh process: a safer
one, where the signal that ended the first says that it crashed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from ..task import Task
from .execution_result import ExecutionResult
from .queue import TrialQueue, no_event
from .signals import interrupts
from .worker import Worker

__all__ = ["assign", "execute", "visible_gpus"]

_WAIT_SECONDS = 0.2


def execute(
    tasks: Iterable[Task],
    *,
    workers: int,
    per_gpu: int = 1,
    logs: Path,
    deadline: float = float("inf"),
    max_failures: int | None = None,
    on_done: Callable[[Mapping[str, Any]], None],
    on_event: Callable[..., None] = no_event,
) -> ExecutionResult:
    """Run tasks in worker processes until all have a record, or something ends it sooner.

    Parameters
    ----------
    tasks : iterable of Task
        Started in this order, but for GPUs (a task for ``cuda`` waits for one) and for torch: a worker that has
        imported it takes tasks that need it first, one that has not takes the others first.
    workers : int
        Processes, of one thread each.
    per_gpu : int
        Trials that share a GPU, each in a worker with its part of the memory. A small network alone leaves most of a
        GPU idle.
    logs : Path
        Folder of ``<trial>.log``, where what methods print goes.
    deadline : float
        ``time.monotonic()`` by which all should be over: a task whose estimate no longer fits is not started.
    max_failures : int or None
        With so many failed trials none is started any more.
    on_done : callable
        Called with each record, in the order in which trials end.
    on_event : callable
        See `fer_bench.runner.executors.queue.TrialQueue`.
    """
    trial_queue = TrialQueue(tasks, deadline=deadline, max_failures=max_failures, on_done=on_done, on_event=on_event)
    if not len(trial_queue):
        return ExecutionResult()
    logs.mkdir(parents=True, exist_ok=True)
    with interrupts() as stop:
        team = _team(trial_queue, workers, per_gpu, logs)
        try:
            while True:
                trial_queue.report_stop(stop)
                for worker in team:
                    if worker.task is None and not stop.asked:
                        assign(worker, trial_queue)
                    elif stop.now:
                        worker.terminate()
                busy = [worker for worker in team if worker.task]
                if not busy:
                    return trial_queue.outcome(stop)
                wait([worker.channel for worker in busy], timeout=_WAIT_SECONDS)
                for worker in busy:
                    _collect(worker, trial_queue)
        finally:
            for worker in team:
                worker.dismiss()  # so that they leave together
            for worker in team:
                worker.stop()


def visible_gpus() -> list[str]:
    """Return what to set ``CUDA_VISIBLE_DEVICES`` to for each GPU that this process may use."""
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    if given is not None:
        return [name for name in (part.strip() for part in given.split(",")) if name and name != "-1"]
    if shutil.which("nvidia-smi") is None:
        return []
    listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False).stdout
    return [str(i) for i in range(sum(line.startswith("GPU ") for line in listed.splitlines()))]


def _team(trial_queue: TrialQueue, workers: int, per_gpu: int, logs: Path) -> list[Worker]:
    """``per_gpu`` workers for each GPU that has something to do, one a GPU first; the others without."""
    size = min(workers, len(trial_queue))
    gpus = (visible_gpus() or [""]) * per_gpu if trial_queue.count("gpu") else []
    team = [
        Worker(str(i), logs, gpu=gpu, takes_gpu=True, shares_gpu=per_gpu)
        for i, gpu in enumerate(gpus[: min(size, trial_queue.count("gpu"))])
    ]
    return team + [Worker(str(i), logs) for i in range(len(team), size)]


def assign(worker: Worker, trial_queue: TrialQueue) -> None:
    """Start the next trial that an idle worker may take, if there is one: what it has imported decides on the kind."""
    kinds = ("torch", "light") if worker.has_torch else ("light", "torch")
    task = trial_queue.next(*(("gpu", *kinds) if worker.takes_gpu else kinds))
    if task is not None:
        worker.start(task)
        trial_queue.started(task, worker=worker.name, pid=worker.pid)


def _collect(worker: Worker, trial_queue: TrialQueue) -> None:
    ended = worker.poll()
    if ended is None:
        return
    if ended.record is not None:
        trial_queue.done(ended.record)
    elif ended.lost is not None:
        trial_queue.lost(ended.task, ended.lost)
    else:
        trial_queue.put_back(ended.task)
