"""A run from request to report."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_bench.data.images.store import build_stores, crop_audit
from fer_bench.errors import StorageError, UserError
from fer_bench.methods import source_hashes
from fer_bench.plan.costs import record_cost
from fer_bench.plan.forecast import forecast
from fer_bench.plan.plan import Plan, Trial, make_plan
from fer_bench.plan.request import Request
from fer_bench.plan.told import left_out_lines, skipped_lines
from fer_bench.results.records import finished, read_record, trial_folder
from fer_bench.results.schema import FAILED, INFO
from fer_bench.utils import provenance, renamed
from fer_bench.utils.files import TEMPORARY, atomic_write, cache_dir, need_space, need_writable, to_json
from fer_bench.utils.paths import given_path
from fer_bench.utils.progress import say
from fer_bench.utils.spreadsheets import guarded_csv

from .consolidate import consolidate
from .describe import describe, now
from .executors import ExecutionResult, get_executor
from .executors.limits import failures_allowed, memory_share
from .executors.signals import terminable
from .monitor.display import RunMonitor, begin, monitored
from .monitor.events import EventLog
from .place import check_same, clear_other
from .resume import earlier_seconds, predicted_before
from .reused import forget, other_sources, other_versions
from .run_dir import Stopwatch, check_place, claimed, space_needed, tidy, write_json
from .task import Task
from .trial import lost_record

__all__ = ["default_out", "run"]

INTERRUPTED = 130
_ENDED_EARLY = {
    "deadline": "The profile's time is over: what was not reached is skipped; run the same command again to go on.",
    "interrupted": "Interrupted: the report shows what is done; run the same command again to go on.",
    "stopped": "Stopped: the report shows the trials that are complete; run the same command again to go on.",
    "failures": "Ended early: too many trials failed (--max-failures). The report names them; mend the cause, then run "
    "the same command again to go on with the rest.",
}


def default_out(request: Request) -> Path:
    """Return ``runs/<suite>-<profile>-<data>``, the same for the same command, so that it goes on where it stopped.

    A command that narrows or changes the suite (--only, --protocol, --seed, --preset, --views and the like, other data
    of the same name) has a folder of its own: it does not replace the report of the whole suite by its own few rows.
    A run that was begun under an old name of its suite or preset goes on in its folder.
    """
    suites = (request.suite, *renamed.old_names(request.suite, renamed.SUITES))
    presets = (request.preset, *renamed.old_names(request.preset, renamed.PRESETS))
    places = [_out_of(request, suite, preset) for suite in suites for preset in presets]
    return next((place for place in places if place.exists()), places[0])


def _out_of(request: Request, suite: str, preset: str) -> Path:
    data = _place(request.data)
    parts = [Path(suite).stem, request.profile, Path(data).stem]
    narrowed = [*(request.only or ("*",)), *request.protocols, request.seed, preset]
    options = request.data_options
    if request.folds or request.test_data:
        # Files of one name in two places are two files.
        options |= {"folds": str(request.folds and request.folds.resolve()), "test_data": _place(request.test_data)}
    narrowed += [options] if options else []
    narrowed += ["tune"] if request.tune else []
    if data != "synthetic" or narrowed != ["*", 0, "default"]:
        parts.append(hashlib.sha256(to_json([data, narrowed]).encode()).hexdigest()[:6])
    return Path("runs") / "-".join(parts)


def _place(data: str) -> str:
    return data if data in ("", "synthetic") else str(given_path(data, "`data`").resolve())


def run(request: Request) -> int:
    """Do what is missing, write the report, and return the exit code.

    Returns
    -------
    int
        0: every trial is ok or skipped with a reason; 1: some trial failed or has no result; 130: interrupted.

    Raises
    ------
    UserError
        A user's mistake; nothing was started.
    """
    begun = time.monotonic()
    folder = request.out or default_out(request)
    # Whoever leaves the working folder meanwhile, a method or another thread, takes no file with him.
    out = folder.absolute()
    get_executor(request.executor, request.scheduler, request.per_gpu)
    failures_allowed(request.max_failures, 1)
    check_place(folder, request)
    need_writable(cache_dir(), "set FER_BENCH_CACHE to another folder")
    plan = make_plan(request, fetch=True, done=lambda trial_id: not request.fresh and finished(out, trial_id))
    check_same(folder, plan)
    try:
        (out / "trials").mkdir(parents=True, exist_ok=True)
        # A folder that is there but cannot be written to is found out before any work.
        probe = out / "trials" / f"{TEMPORARY}probe"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise UserError(f"`out` {folder}: cannot be written: {error.strerror}; choose another folder") from error
    with claimed(out), terminable():
        if check_same(folder, plan):
            clear_other(out, plan)
        if request.fresh:
            forget(out, plan)
        return _run(plan, out, begun)


def _run(plan: Plan, out: Path, begun: float) -> int:
    planned = time.monotonic() - begun
    sources = source_hashes(trial.spec for trial in plan.trials)
    done = {trial.id for trial in plan.runnable if finished(out, trial.id)}
    tidy(out, done)
    todo = [trial for trial in plan.runnable if trial.id not in done]
    n_done = len(done)
    n_skipped = len(plan.trials) - len(plan.runnable)
    _tell(plan, n_done, len(todo))
    for line in other_sources(out, plan, sources):
        say(line)
    need_space(out, space_needed(plan, todo), "this run", remedy="give a folder on a larger disk with `out`")
    earlier, killed = earlier_seconds(out) if n_done else (0.0, 0.0)
    clock = Stopwatch(out, resumed=bool(n_done))
    clock.add("trials", killed)
    clock.add("plan", planned)
    expected = forecast(plan, before=predicted_before(out, except_for={trial.id for trial in todo}))
    description = describe(plan, expected, sources)
    # A call that is killed takes none of what earlier ones have spent with it.
    description |= {"elapsed_seconds": round(earlier, 1) or None, "phase_seconds": clock.seconds}
    write_json(out / INFO, description)
    for name, folds in plan.folds.items():
        folds.write(out / "folds" / f"{name}.csv")
    with atomic_write(out / "manifest.csv", "w") as handle:
        handle.write(guarded_csv(plan.dataset.manifest.table))

    with EventLog(out) as log:
        counts = {"todo": len(todo), "done_before": n_done, "skipped": n_skipped, "workers": plan.request.n_workers}
        run_state = begin(log, executor=plan.request.executor, **counts)
        outcome = ExecutionResult(tuple(trial.id for trial in todo), "stopped")
        try:
            with clock("stores"):
                tasks = _tasks(plan, out, {trial.id for trial in todo}, sources)
            # Only now: pictures have a bar of their own, and two cannot share a terminal.
            with monitored(log, run_state, {trial.id: expected.seconds[trial.id] for trial in todo}) as monitor:
                outcome = _execute(plan, out, todo, tasks, begun, monitor, clock)
            if run_state.widest != plan.request.n_workers:  # a cluster's, who are known only now
                description |= {
                    "workers": run_state.widest,
                    "forecast": forecast(plan, before=expected.trials, workers=run_state.widest).as_json(),
                }
        except KeyboardInterrupt:
            say("Stopped while preparing the trials.")
        with clock("consolidate"):
            table = consolidate(out, plan, outcome.not_started, outcome.why)
        # A run that was broken off and started again took the time of all its parts.
        elapsed = earlier + time.monotonic() - begun
        notes = [*plan.notes, *other_versions(out, plan), *other_sources(out, plan, sources)]
        description["dataset"]["crop_audit"] = crop_audit(plan.dataset, plan.request.weights_dir)
        finish = {"finished": now(), "elapsed_seconds": round(elapsed, 1), "notes": notes}
        write_json(out / INFO, description | finish | {"phase_seconds": clock.seconds})
        with clock("report"):
            code = _report(plan, out, table, outcome.why)
        write_json(out / INFO, description | finish | {"phase_seconds": clock.seconds})
        if outcome.why == "storage":
            raise StorageError(outcome.reason)
        log.write("run_ended", why=outcome.why, seconds=round(time.monotonic() - begun, 1), code=code)
        if outcome.why == "workers":
            raise UserError(outcome.reason)
        return code


def _tell(plan: Plan, n_done: int, n_todo: int) -> None:
    """Say what is left out, how many trials there are, and why some will not run."""
    n_skipped = len(plan.trials) - len(plan.runnable)
    counts = f"{len(plan.trials)} trials: {n_done} done before, {n_todo} to run, {n_skipped} skipped with a reason"
    for line in (*plan.notes, *left_out_lines(plan.dataset), counts, *skipped_lines(plan)):
        say(line)


def _execute(
    plan: Plan,
    out: Path,
    todo: Sequence[Trial],
    tasks: Sequence[Task],
    begun: float,
    monitor: RunMonitor,
    clock: Stopwatch,
) -> ExecutionResult:
    """Run the trials that are to do; failures are told at once, costs are kept for the next plan."""
    trials = {trial.id: trial for trial in todo}
    request = plan.request
    answered: dict[str, str] = {}

    def on_done(record: Mapping[str, Any]) -> None:
        answered[record["id"]] = record["state"]
        if record["state"] in FAILED:
            say(f"{record['method']}, {record['protocol']} fold {record['fold']}: {record['reason']}")
        for told in record.get("rebuilt") or ():  # what was damaged in the cache
            say(told)
        monitor.done(record)
        if request.executor != "dask":  # those machines may be others than this one
            whole = read_record(out, record["id"]) or {}
            record_cost(trials[record["id"]].spec, whole, watch=trials[record["id"]].watch)

    with clock("trials"):
        outcome: ExecutionResult = get_executor(request.executor, request.scheduler, request.per_gpu)(
            tasks,
            workers=request.n_workers,
            logs=out / "logs",
            deadline=begun + plan.profile.deadline_seconds,
            max_failures=failures_allowed(request.max_failures, len(plan.runnable)),
            on_done=on_done,
            on_event=monitor.event,
            **({"scheduler": request.scheduler} if request.scheduler else {}),
        )
    _own_up([task for task in tasks if answered.get(task.id) == "ok" and not finished(out, task.id)])
    return outcome


def _own_up(lost: Sequence[Task]) -> None:
    """Let trials fail that ended well and whose result is not where it belongs all the same."""
    for task in lost:
        record = lost_record(task, "failed", f"it ended well, but its result is not in {task.folder}: was it removed?")
        say(f"{record['method']}, {record['protocol']} fold {record['fold']}: {record['reason']}")


def _report(plan: Plan, out: Path, table: pd.DataFrame, why: str) -> int:
    from fer_bench.report import write_report

    page = (plan.request.out or default_out(plan.request)) / write_report([out]).name
    states = table["state"].value_counts().to_dict()
    say(", ".join(f"{n} {state}" for state, n in sorted(states.items())) + f". Report: {page}")
    if why in _ENDED_EARLY:
        say(_ENDED_EARLY[why] + (" Leave out `fresh`, which begins anew." if plan.request.fresh else ""))
    if why in ("interrupted", "stopped"):
        return INTERRUPTED
    return 1 if any(states.get(state) for state in (*FAILED, "missing")) else 0


@dataclass(frozen=True)
class _Side:
    """Rows of a fold, and labels and people of the training rows alone: no more reaches a worker."""

    train: NDArray[np.int64]
    test: NDArray[np.int64]
    labels: NDArray[np.int64]
    groups: NDArray[Any]

    @classmethod
    def of(
        cls, labels: NDArray[np.int64], groups: NDArray[Any], train: NDArray[np.int64], test: NDArray[np.int64]
    ) -> _Side:
        """Take what belongs to the training rows from labels and people of all rows."""
        return cls(train, test, labels[train], groups[train])


def _tasks(plan: Plan, out: Path, todo: set[str], sources: Mapping[str, str]) -> list[Task]:
    """Build the image stores, and turn the trials to do into what workers take."""
    trials = [trial for trial in plan.trials if trial.id in todo]
    manifest = plan.dataset.manifest
    specs = {trial.spec.image for trial in trials}
    stores = build_stores(plan.dataset, specs, plan.request.n_workers, plan.request.weights_dir)
    labels, groups = manifest.labels, manifest.groups.astype(str)
    sides = {
        (name, fold): _Side.of(labels, groups, *f.indices(manifest, fold))
        for name, f in plan.folds.items()
        for fold in f.numbers
    }
    # A cluster's workers have memory of their own, and know how much.
    elsewhere = plan.request.executor == "dask"
    memory = plan.request.memory_limit * 1e9 or (0.0 if elsewhere else memory_share(plan.request.n_workers))
    tasks, code = [], provenance.code_name()
    for trial in trials:
        side = sides[trial.protocol, trial.fold]
        limit = plan.request.time_limit or max(
            plan.profile.timeout_seconds, plan.profile.timeout_factor * trial.estimate_seconds
        )
        tasks.append(
            Task(
                id=trial.id,
                spec=trial.spec,
                protocol=trial.protocol,
                fold=trial.fold,
                seed=trial.seed,
                random_state=trial.random_state,
                device=trial.device,
                weights=str(trial.weights.path.absolute()) if trial.weights else None,
                watch=trial.watch,
                images=stores[trial.spec.image].absolute(),
                train=side.train,
                test=side.test,
                labels=side.labels,
                groups=side.groups,
                folder=trial_folder(out, trial.id),
                estimate_seconds=trial.budget_seconds,
                timeout_seconds=limit,
                memory_bytes=memory,
                code=code,
                source_hash=sources[trial.spec.name],
            )
        )
    return tasks
