"""What ``fer-bench plan`` answers: trials, what is skipped, what the rest will take, and where each figure is from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fer_bench.folds.facts import Verdict
from fer_bench.folds.wording import refusals
from fer_bench.plan.forecast import SOURCES, Forecast, forecast
from fer_bench.plan.plan import Plan, Trial
from fer_bench.plan.told import absent, left_out_json, left_out_lines, skipped_json, skipped_lines
from fer_bench.utils.texts import duration

from .option_names import as_options
from .tables import columns

__all__ = ["Planned", "planned", "planned_json", "planned_lines"]


@dataclass(frozen=True)
class Planned:
    """A plan, which of its trials are done, and what the others will take.

    Attributes
    ----------
    plan : Plan
    done : frozenset of str
        Ids of trials whose results are there.
    expected : Forecast
        Of the trials that are to be done.
    """

    plan: Plan
    done: frozenset[str]
    expected: Forecast


def planned(plan: Plan, done: Callable[[str], bool], **known: Any) -> Planned:
    """Leave out what is done and predict the rest; ``known`` is for `forecast`."""
    over = frozenset(trial.id for trial in plan.runnable if done(trial.id))
    todo = replace(plan, trials=tuple(trial for trial in plan.trials if trial.id not in over))
    return Planned(plan, over, forecast(todo, **known))


def planned_lines(found: Planned) -> Iterator[str]:
    """Rows of the plan, then what it takes and what is skipped."""
    table = [("METHOD", "PROTOCOL", "TRIALS", "CORE-SECONDS", "FROM", "")]
    for row in _rows(found):
        seconds = "" if row["skip"] or row["done"] == row["trials"] else f"{row['seconds']:,.1f}"
        state = "skipped" if row["skip"] else f"{row['done']} done" if row["done"] else ""
        table.append((row["method"], row["protocol"], str(row["trials"]), seconds, ", ".join(row["sources"]), state))
    yield from columns(table)
    yield ""
    yield from map(as_options, found.plan.notes)
    yield from left_out_lines(found.plan.dataset)
    yield from _summary_lines(found)
    yield from skipped_lines(found.plan)


def planned_json(found: Planned) -> dict[str, Any]:
    """Return the same for programs."""
    plan, expected = found.plan, found.expected
    data = plan.dataset.manifest
    return {
        "suite": plan.request.suite,
        "profile": plan.profile.name,
        "workers": plan.request.n_workers,
        "device": plan.device,
        "data": {
            "name": plan.dataset.name,
            "images": len(data),
            "people": len(data.people),
            "excluded": len(data.excluded),
            "left_out": left_out_json(plan.dataset),
            "absent": absent(plan.dataset),
        },
        "trials": _counts(found),
        "skipped": skipped_json(plan),
        "forecast": expected.as_json(),
        "downloads": [{"file": spec.filename, "megabytes": spec.megabytes} for spec in plan.downloads],
        "notes": list(map(as_options, plan.notes)),
        "folds": {name: _verdict(verdict) for name, verdict in plan.examined.verdicts.items()},
        "rows": _rows(found),
    }


def _verdict(found: Verdict) -> dict[str, Any]:
    told = {"claim": found.claim, "accepted": found.accepted, "people": found.people_apart}
    return told | {"refusals": refusals(found)}


def _counts(found: Planned) -> dict[str, int]:
    every, runnable = len(found.plan.trials), len(found.plan.runnable)
    todo = runnable - len(found.done)
    return {"planned": every, "done": len(found.done), "skipped": every - runnable, "to_run": todo}


def _rows(found: Planned) -> list[dict[str, Any]]:
    """One row a method and protocol."""
    grouped: dict[tuple[str, str], list[Trial]] = {}
    for trial in found.plan.trials:
        grouped.setdefault((trial.spec.name, trial.protocol), []).append(trial)
    return [_row(method, protocol, trials, found) for (method, protocol), trials in grouped.items()]


def _row(method: str, protocol: str, trials: Sequence[Trial], found: Planned) -> dict[str, Any]:
    expected = [found.expected.trials[t.id] for t in trials if t.id in found.expected.trials]
    return {
        "method": method,
        "protocol": protocol,
        "trials": len(trials),
        "done": sum(t.id in found.done for t in trials),
        "seconds": round(sum(p.seconds for p in expected), 2),
        "sources": [source for source in SOURCES if any(p.source == source for p in expected)],
        "skip": trials[0].skip or None,
    }


def _summary_lines(found: Planned) -> Iterator[str]:
    plan, expected, counts = found.plan, found.expected, _counts(found)
    data = plan.dataset.manifest
    yield (
        f"data: {plan.dataset.name}, {len(data)} images of {len(data.people)} people; "
        f"{len(data.excluded)} files left out"
    )
    yield (
        f"trials: {counts['planned']}, of which {counts['skipped']} are skipped, {counts['done']} done before and "
        f"{counts['to_run']} to run"
    )
    if not counts["to_run"]:
        return
    workers = plan.request.n_workers
    yield (
        f"time: about {duration(expected.wall_seconds)} with {workers} worker{'s' if workers > 1 else ''} "
        f"({expected.core_seconds:,.0f} core-seconds), device {plan.device}; reading pictures and writing the report "
        "come on top"
    )
    yield from _source_lines(expected.sources, expected.slowness)
    known = "measured on this machine" if expected.memory_measured else "partly or wholly a rough estimate"
    yield f"memory: up to {expected.memory_gb:.1f} GB for {workers} trials at once, {known}"
    disk = expected.disk_mb
    yield (
        f"disk: at most {sum(disk.values()):,.0f} MB: pictures {disk['pictures']:,.0f}, features "
        f"{disk['features']:,.0f} (a rough estimate; both are kept in the cache, and may be there already), "
        f"results {disk['results']:,.0f}"
    )
    for spec in plan.downloads:
        yield f"download: {spec.filename}, {spec.megabytes:.0f} MB"
    if len(plan.downloads) > 1:
        yield f"downloads: {expected.download_mb:,.0f} MB in all"


def _source_lines(sources: Mapping[str, int], slowness: float | None) -> Iterator[str]:
    for source, n in sources.items():
        factor = f" (x {slowness:.2f})" if source == "calibrated" and slowness else ""
        yield f"  {n} trials ({source}): {SOURCES[source]}{factor}"
