"""Trials one after the other in this very process: for debuggers and small runs.

Nothing protects a run from its trials here: limits of time and memory do not hold, a method that ends its process ends
the run, without a second try (the command line then tells the line of Python), and only what Python prints is kept and
bounded. The figures are those of the other executors to the bit.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing, redirect_stdout, suppress
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from ..task import Task
from ..trial import run_task
from .execution_result import ExecutionResult
from .output import BoundedLog, BoundedText
from .queue import TrialQueue, no_event
from .signals import Stop, interrupts
from .worker import THREADS, environment, thread_variables

__all__ = ["execute"]


def execute(
    tasks: Iterable[Task],
    *,
    workers: int = 1,
    logs: Path,
    deadline: float = float("inf"),
    max_failures: int | None = None,
    on_done: Callable[[Mapping[str, Any]], None],
    on_event: Callable[..., None] = no_event,
) -> ExecutionResult:
    """Run tasks here, one after the other; see `fer_bench.runner.executors.local.execute` for the parameters.

    ``workers`` is taken for the sake of one signature; there is one.
    """
    trial_queue = TrialQueue(tasks, deadline=deadline, max_failures=max_failures, on_done=on_done, on_event=on_event)
    logs.mkdir(parents=True, exist_ok=True)
    task = None

    def at_once(stop: Stop) -> None:
        with suppress(RuntimeError):  # the signal came while something was being said
            trial_queue.report_stop(stop)
        if stop.now:
            raise KeyboardInterrupt

    # Libraries that are loaded already are told at run time, those still to come by their variables.
    with interrupts(at_once) as stop, environment(thread_variables()), threadpool_limits(THREADS):
        try:
            while not stop.asked and (task := trial_queue.next()) is not None:
                trial_queue.started(task, worker="in process", pid=os.getpid())
                with closing(BoundedLog(logs / f"{task.id}.log")) as log, redirect_stdout(BoundedText(log)):
                    record = run_task(task)
                trial_queue.done(record)
                task = None
        except KeyboardInterrupt:
            stop.asked = stop.now = True
            if task is not None:
                trial_queue.put_back(task)
        return trial_queue.outcome(stop)
