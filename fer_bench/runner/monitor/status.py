"""How a run is doing, from its folder alone: one that runs elsewhere, has ended, or was killed."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fer_bench.errors import UserError
from fer_bench.results.csv_files import need_regular
from fer_bench.results.info import AGAIN, read_info
from fer_bench.results.records import read_record
from fer_bench.results.schema import FAILED, INFO
from fer_bench.utils.regular import open_at_once
from fer_bench.utils.spreadsheets import unguarded
from fer_bench.utils.texts import duration

from .display import place
from .events import EVENTS, read_events
from .state import RunState, read_state
from .time_left import seconds_left

__all__ = ["Failure", "Now", "Status", "newest_run", "read_status", "status_lines"]

_SHOWN_FAILURES = 20
_MOST_BYTES = 100_000_000
"""Of a trials.csv that is looked at for a status."""
_ENDS = {
    "": "",
    "deadline": "its time was over",
    "failures": "as many trials failed as --max-failures allows",
    "interrupted": "it was interrupted",
    "stopped": "it was stopped",
    "storage": "results could not be stored",
    "workers": "the cluster has no workers left",
}


@dataclass(frozen=True)
class Now:
    """A trial that runs."""

    method: str
    protocol: str
    fold: int
    worker: str
    device: str
    seconds: float


@dataclass(frozen=True)
class Failure:
    """Trials of one method that have no result for one reason."""

    method: str
    state: str
    reason: str
    trials: int


@dataclass(frozen=True)
class Status:
    """How a run is doing.

    Attributes
    ----------
    state : str
        ``running``; ``ended`` (its last call came to its end); ``interrupted`` (by Ctrl-C or a signal that it obeyed);
        ``died`` (killed, or ended by an error).
    why : str
        What ended it, or keeps it from starting further trials; empty where nothing does.
    planned, done, failed, skipped, left : int
        Trials; ``left`` are those that a rerun of the command would do, but for the failed ones.
    rate : float or None
        Trials a minute.
    seconds_left : float or None
        Until all are done; None where nothing runs.
    started, last_event : str or None
        Times in UTC.
    running : tuple of Now
    failures : tuple of Failure
    command : str
        What was typed.
    report : str or None
        Where its report is, if there is one.
    """

    run: str
    state: str
    why: str
    planned: int
    done: int
    failed: int
    skipped: int
    left: int
    rate: float | None
    seconds_left: float | None
    started: str | None
    last_event: str | None
    running: tuple[Now, ...]
    failures: tuple[Failure, ...]
    command: str
    report: str | None

    def as_json(self) -> dict[str, Any]:
        """Return what ``fer-bench status --json`` prints."""
        return asdict(self)


def newest_run(folder: Path = Path("runs")) -> Path:
    """Return the run directory below ``folder`` that was written to last.

    Raises
    ------
    UserError
        There is none.
    """
    found = [file.parent for file in folder.glob(f"*/{INFO}")] if folder.is_dir() else []
    if not found:
        raise UserError(f"{folder}: no run directory in it; give one, as in `fer-bench status RUN`")
    return max(found, key=lambda run: max(_changed(run / name) for name in (INFO, EVENTS)))


def read_status(folder: Path, *, now: float | None = None) -> Status:
    """Say how a run is doing; nothing in its folder is changed.

    Parameters
    ----------
    folder : Path
        A run directory.
    now : float, optional
        Seconds since 1970.

    Raises
    ------
    UserError
        It is no run directory.
    """
    now = time.time() if now is None else now
    held = _held(folder / "run.lock")  # before all else: a run that ends meanwhile is told as ended by its log
    info = read_info(folder)
    rows = [row for row in info.get("plan", ()) if not row.get("skip")]
    seconds = {r["id"]: float(r.get("predicted_seconds", r.get("estimate_seconds")) or 0.0) for r in rows}
    run_state = read_state(read_events(folder), seconds)
    records = _records(folder, [row["id"] for row in rows])
    states = {trial: str(record.get("state", "")) for trial, record in records.items()}
    if held and run_state is not None and run_state.ended is None:
        # What failed in an earlier call is tried anew by this one.
        states |= {trial: "" for trial, s in states.items() if s in FAILED and trial not in run_state.over}
    done, failed = _count(states, ("ok",)), _count(states, FAILED)
    state, why = _state(held, run_state, info)
    running = state == "running" and run_state is not None
    left = {trial: seconds[trial] for trial, s in states.items() if s not in ("ok", *FAILED)}
    return Status(
        run=str(folder),
        state=state,
        why=why,
        planned=len(info.get("plan", ())),
        done=done,
        failed=failed,
        skipped=len(info.get("plan", ())) - len(rows),
        left=len(rows) - done - failed,
        rate=round(run_state.rate(now), 2) if running and run_state and run_state.n_over else None,
        seconds_left=_rounded(seconds_left(run_state, left, now)) if running and run_state else None,
        started=_utc(run_state.started) if run_state else info.get("started"),
        last_event=_utc(run_state.last) if run_state else info.get("finished"),
        running=_running(run_state, now) if running else (),
        failures=_failures(rows, records, states),
        command=str(info.get("command", "")),
        report=str(folder / "report.html") if (folder / "report.html").exists() else None,
    )


def status_lines(status: Status) -> Iterator[str]:
    """Tell a status to people."""
    told = {
        "running": "running",
        "ended": "ended",
        "interrupted": "interrupted",
        "died": "not running, and it did not come to its end",
    }[status.state]
    since = f", started {status.started}" if status.started else ""
    yield f"{status.run}: {told}{f' ({status.why})' if status.why else ''}{since}"
    yield (
        f"trials: {status.done} of {status.planned} done, {status.failed} failed, {status.skipped} skipped with a "
        f"reason, {status.left} left"
    )
    if status.state == "running":
        speed = f"{status.rate:.3g} trials a minute, " if status.rate else ""
        left = f"about {duration(status.seconds_left)} left" if status.seconds_left is not None else "no trial is left"
        yield f"speed: {speed}{left}"
        yield from _running_lines(status.running)
    elif status.last_event:
        yield f"last sign: {status.last_event}"
    yield from _failure_lines(status.failures)
    if status.report:
        yield f"report: {status.report}{' (of an earlier call)' if status.state in ('running', 'died') else ''}"
    if status.state != "running" and (status.left or status.failed):
        what = "does what is left" if status.left else "tries again what failed"
        yield f"to go on: the same command {what}: {status.command}"


def _running_lines(running: Sequence[Now]) -> Iterator[str]:
    if not running:
        yield "now: no trial; pictures are being prepared, or the report is being written"
    for trial in running:
        where, since = place(trial.worker, trial.device), duration(trial.seconds)
        yield f"now: {where}  {trial.method}  {trial.protocol} fold {trial.fold}  {since}"


def _failure_lines(failures: Sequence[Failure]) -> Iterator[str]:
    for failure in failures[:_SHOWN_FAILURES]:
        yield f"{failure.state}: {failure.method}, {failure.trials} trials: {failure.reason}"
    if len(failures) > _SHOWN_FAILURES:
        yield f"and {len(failures) - _SHOWN_FAILURES} further reasons; --json gives all"


def _state(held: bool, run_state: RunState | None, info: Mapping[str, Any]) -> tuple[str, str]:
    """State and reason: the lock tells whether it runs, the last event how it ended."""
    if held:
        return "running", _ENDS.get(
            run_state.stopping, run_state.stopping
        ) if run_state and run_state.ended is None else ""
    if run_state is None:  # of a version without a log of events
        return ("ended", "") if info.get("finished") else ("died", "")
    if run_state.ended is None:
        return "died", "it was killed, or its machine went down"
    if run_state.ended == "error":
        return "died", run_state.reason
    if run_state.ended in ("interrupted", "stopped"):
        return "interrupted", ""
    return "ended", _ENDS.get(run_state.ended, run_state.ended)


def _held(lock: Path) -> bool:
    """Tell whether a run holds its lock; looking takes a shared lock for a moment, and changes nothing."""
    try:
        import fcntl
    except ImportError:  # Windows
        return False
    try:
        with open(lock, "rb", opener=open_at_once) as handle:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _records(folder: Path, trials: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """Records of trials by id; where their folders were not kept, what the consolidated table says."""
    table = folder / "trials.csv"
    if (folder / "trials").is_dir() or not table.is_file():
        return {trial: read_record(folder, trial) or {} for trial in trials}
    try:
        need_regular(table, AGAIN, _MOST_BYTES)
        with open(table, encoding="utf-8", newline="") as handle:
            rows = [{name: unguarded(cell) for name, cell in row.items()} for row in csv.DictReader(handle)]
            known = {row.get("id", ""): row for row in rows}
    except (OSError, UserError, UnicodeDecodeError, csv.Error):
        known = {}
    return {trial: known.get(trial, {}) for trial in trials}


def _failures(
    rows: Sequence[Mapping[str, Any]], records: Mapping[str, Mapping[str, Any]], states: Mapping[str, str]
) -> tuple[Failure, ...]:
    counts: dict[tuple[str, str, str], int] = {}
    for row in rows:
        state = states[row["id"]]
        if state in FAILED:
            reason = str(records[row["id"]].get("reason") or "no reason was recorded")
            key = (str(row.get("method") or ""), state, " ".join(reason.split()))
            counts[key] = counts.get(key, 0) + 1
    return tuple(Failure(method, state, reason, n) for (method, state, reason), n in counts.items())


def _running(run_state: RunState | None, now: float) -> tuple[Now, ...]:
    trials = sorted(run_state.running.values(), key=lambda t: t.since) if run_state else []
    return tuple(
        Now(t.method, t.protocol, t.fold, t.worker, t.device, round(max(0.0, now - t.since), 1)) for t in trials
    )


def _count(states: Mapping[str, str], wanted: Sequence[str]) -> int:
    return sum(state in wanted for state in states.values())


def _changed(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)


def _utc(when: float) -> str:
    return datetime.fromtimestamp(when, UTC).isoformat(timespec="seconds")
