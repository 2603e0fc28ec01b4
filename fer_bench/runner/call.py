"""A run called from Python: `fer_bench.run`."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Sequence
from dataclasses import MISSING, fields, replace
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Any, TypedDict, Unpack, get_type_hints

from fer_bench.errors import UserError
from fer_bench.plan.request import Request
from fer_bench.results.run_result import RunResult
from fer_bench.utils.commands import call_text
from fer_bench.utils.paths import given_path
from fer_bench.utils.progress import without_progress
from fer_bench.utils.texts import writable

from .run import default_out
from .run import run as run_request

__all__ = ["RunOptions", "run"]

_Path = str | os.PathLike[str]
_Names = str | Sequence[str]

_BOUNDS: dict[str, tuple[float, float]] = {
    "workers": (0, float("inf")),
    "seed": (0, 2**63 - 1),
    "per_gpu": (1, 16),
    "memory_limit": (0, float("inf")),
    "time_limit": (0, float("inf")),
}
"""Least and most of what is a number."""


class RunOptions(TypedDict, total=False):
    """What a run takes beside its suite; what is not given is as ``fer-bench run`` has it.

    Attributes
    ----------
    data : str or path
        ``"synthetic"`` (rendered faces), or a folder, archive or table.
    protocols : str or sequence of str
        Use these instead of the suite's.
    profile : str
        ``"quick"`` (7 people, 2 folds, ten minutes) or ``"full"``.
    preset : str
        ``"default"``, ``"as-printed"``, ``"original"`` or ``"authors-code"``.
    only : str or sequence of str
        Only methods whose name fits one of these patterns, such as ``"*-lbp"``.
    out : path, optional
        The run's folder. Default: ``runs/<suite>-<profile>-<data>``.
    workers : int
        Worker processes; 0: one a core, at most 8.
    device : str
        Where networks run: ``"auto"``, ``"cpu"`` or ``"cuda"``.
    weights_dir : path, optional
        Folder of pretrained weights. ``FER_BENCH_WEIGHTS`` and the caches are looked at, too.
    offline : bool
        Download nothing.
    seed : int
        The run's seed; all others are derived from it.
    crop, views, strict, test_data, allow_outside
        As of `fer_bench.load_dataset`.
    folds : path, optional
        Folds from a file, in place of a protocol; proven anew against the data. Folds in hand are written to one by
        ``folds.write``.
    tune : bool
        Choose parameters from the suite's grids, by people inside each training fold.
    executor : str
        ``"local"`` (worker processes), ``"in-process"`` (for debuggers: no limits hold) or ``"dask"``.
    scheduler : str
        Of Dask: address or scheduler file.
    per_gpu : int
        Trials that share a GPU.
    memory_limit : float
        Gigabytes that one trial may take; 0: nine tenths of the free memory, divided by the number of workers.
    time_limit : float
        Seconds that one trial may take; 0: the profile's.
    max_failures : int or str
        Start no more trials when so many have failed: a number, or a share such as ``"10%"``.
    replace : bool
        Remove another run that is in the folder (its own files, nothing else); a run of the same goes on.
    fresh : bool
        Compute every trial anew, also those whose results are there.
    """

    data: _Path
    protocols: _Names
    profile: str
    preset: str
    only: _Names
    out: _Path | None
    workers: int
    device: str
    weights_dir: _Path | None
    offline: bool
    seed: int
    crop: str
    views: _Names
    strict: bool
    folds: _Path | None
    test_data: _Path
    allow_outside: bool
    tune: bool
    executor: str
    scheduler: str
    per_gpu: int
    memory_limit: float
    time_limit: float
    max_failures: int | str
    replace: bool
    fresh: bool


def run(suite: _Path = "all", *, progress: bool = True, **options: Unpack[RunOptions]) -> RunResult:
    """Run a suite and write its report, as ``fer-bench run`` does; given again, it does only what is missing.

    Works in a notebook, in any thread, and in a script, which needs no ``if __name__ == "__main__"``: the worker
    processes do not import it. In the main thread Ctrl-C (a notebook's interrupt) finishes what runs, a second one
    stops it; both write the report of what is there.

    Parameters
    ----------
    suite : str or path
        One of ``fer-bench list suites``, or a suite file ending in ``.toml``.
    progress : bool
        Show progress on standard error.
    **options
        See `RunOptions`.

    Returns
    -------
    RunResult
        Also where trials failed or the run was interrupted: see its ``ok`` and ``exit_code``.

    Raises
    ------
    TypeError
        An option that there is not.
    UserError
        A mistake in the arguments, and nothing was started; or the call came from a process that is being started.
    """
    _refuse_in_a_starting_process()
    _SIGNATURE.bind(suite, progress=progress, **options)
    given = {name: _FORMS.get(name, _as_it_is)(value) for name, value in {"suite": suite, **options}.items()}
    given |= {name: given_path(given[name], f"`{name}`") for name in _PATHS if given.get(name) is not None}
    request = Request(**given)
    _check_numbers(request)
    with without_progress(not progress):
        code = run_request(replace(request, command=_command(request)))
    return RunResult(request.out or default_out(request), code)


def _names(given: _Names) -> tuple[str, ...]:
    return tuple(filter(None, (given,) if isinstance(given, str) else given))


def _as_it_is(given: Any) -> Any:
    return given


_PATHS = ("out", "weights_dir", "folds")
_FORMS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("suite", "data", "test_data"), os.fspath),
    **dict.fromkeys(("protocols", "only", "views"), _names),
    "max_failures": str,
}
"""How a request has what callers may give in several forms."""


def _signature() -> Signature:
    """The signature of `run` with every option and its default, for notebooks and ``help``."""
    defaults = {field.name: field.default for field in fields(Request)}
    kinds = get_type_hints(RunOptions)
    options = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=defaults[name], annotation=kinds[name]) for name in kinds
    ]
    plain = signature(run)
    own = [plain.parameters["suite"], *options, plain.parameters["progress"]]
    return plain.replace(parameters=own)


_SIGNATURE = _signature()
run.__signature__ = _SIGNATURE  # type: ignore[attr-defined]


def _check_numbers(request: Request) -> None:
    for name, (least, most) in _BOUNDS.items():
        value = getattr(request, name)
        if not least <= value <= most:
            raise UserError(f"fer_bench.run: {name}: expected {least:g} to {most:g}, found {value}")


def _command(request: Request) -> str:
    """The call that reproduces this run: what is asked for beyond the defaults."""
    asked: dict[str, Any] = {"suite": request.suite}
    for field in fields(request):
        value = getattr(request, field.name)
        if field.default is not MISSING and value != field.default and field.name != "fresh":  # that would not go on
            plain = os.fspath(value) if isinstance(value, Path) else list(value) if isinstance(value, tuple) else value
            asked[field.name] = plain
    return writable(call_text(asked))


def _refuse_in_a_starting_process() -> None:
    """A script whose other libraries start processes is imported by each of them, and would run anew there."""
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise UserError(
            "fer_bench.run: called while a process of another library is being started, which imports your script "
            'anew; put what the script does below `if __name__ == "__main__":`'
        )
