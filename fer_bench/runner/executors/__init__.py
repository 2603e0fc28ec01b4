"""Where trials run: in this process, in worker processes of this machine, or on a cluster.

Every executor is one function with the same keywords, `execute(tasks, *, workers, logs, deadline, ...)`, and gives an
`ExecutionResult`; what they share stands beside them: which trial is next (`queue`), what Ctrl-C means (`signals`).
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial

from fer_bench.errors import UserError
from fer_bench.utils.near import did_you_mean

from .execution_result import ExecutionResult

__all__ = ["EXECUTORS", "ExecutionResult", "get_executor"]

EXECUTORS = {
    "local": "fer_bench.runner.executors.local",
    "in-process": "fer_bench.runner.executors.inprocess",
    "dask": "fer_bench.runner.executors.dask.executor",
}


def get_executor(name: str, scheduler: str = "", per_gpu: int = 1) -> Callable[..., ExecutionResult]:
    """Return the function ``execute`` of an executor; only the one that is asked for is imported.

    Raises
    ------
    UserError
        No such executor, the extra that it needs is not installed, or a scheduler is missing or of no use.
    """
    if name not in EXECUTORS:
        raise UserError(
            f"`executor` {name}: no such executor; choose from {', '.join(EXECUTORS)}{did_you_mean(name, EXECUTORS)}"
        )
    if name != "dask" and scheduler:
        raise UserError(f"`scheduler` {scheduler}: only `executor` dask has a scheduler, found `executor` {name}")
    if name != "local" and per_gpu != 1:
        raise UserError(f"`per_gpu` {per_gpu}: only `executor` local shares a GPU, found `executor` {name}")
    if name == "dask" and not scheduler:
        raise UserError("`executor` dask: give the scheduler's address or file with `scheduler`")
    try:
        module = importlib.import_module(EXECUTORS[name])
    except ImportError as error:
        missing = error.name or str(error)
        raise UserError(
            f"`executor` {name}: {missing} is not installed; install it with "
            "`pip install -c constraints.txt '.[dask]'` in the clone"
        ) from error
    if scheduler:
        module.check(scheduler)
    execute: Callable[..., ExecutionResult] = module.execute
    return execute if per_gpu == 1 else partial(execute, per_gpu=per_gpu)
