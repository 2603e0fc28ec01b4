"""Trials that an earlier call of a run has computed: what they were computed with, and how to compute them anew."""

from __future__ import annotations

import shutil
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path

from fer_bench.plan.plan import Plan
from fer_bench.results.records import PREDICTIONS, RECORD, read_record, trial_folder
from fer_bench.utils.provenance import code_name, cpu

from .resume import CHECKPOINT
from .trial import versions

__all__ = ["forget", "other_sources", "other_versions"]

_MOST_METHODS = 5


def forget(out: Path, plan: Plan) -> None:
    """Remove the results of a plan's trials, and what their trainings have kept, so that all are computed anew.

    For the holder of `fer_bench.runner.run_dir.claimed` alone. The record goes first: without it nothing counts.
    """
    for trial in plan.trials:
        folder = trial_folder(out, trial.id)
        for name in (RECORD, PREDICTIONS):
            (folder / name).unlink(missing_ok=True)
        shutil.rmtree(folder / CHECKPOINT, ignore_errors=True)


def other_sources(out: Path, plan: Plan, sources: Mapping[str, str]) -> list[str]:
    """Say in a line which finished trials another source of their method has computed; none where all are of this one.

    Parameters
    ----------
    out : Path
        The run directory.
    plan : Plan
        What is asked for now.
    sources : mapping of str to str
        Hash of each method's source as it is now. A record of an earlier version has none: that one is not known.
    """
    found: defaultdict[str, int] = defaultdict(int)
    for trial in plan.runnable:
        record = read_record(out, trial.id) or {}
        here = sources[trial.spec.name]
        if record.get("state") == "ok" and (record.get("source_hash") or here) != here:
            found[trial.spec.name] += 1
    if not found:
        return []
    names = sorted(found)
    more = f" and {len(names) - _MOST_METHODS} more" if len(names) > _MOST_METHODS else ""
    return [
        f"{sum(found.values())} trials were computed by other code of their methods than there is now "
        f"({', '.join(names[:_MOST_METHODS])}{more}); `fresh=True` computes all anew"
    ]


def other_versions(out: Path, plan: Plan) -> list[str]:
    """Say which finished trials were computed with other packages or code than this call's, or on other processors."""
    packages: Counter[str] = Counter()
    codes: Counter[str] = Counter()
    processors: Counter[str] = Counter()
    here = {"code": code_name(), "cpu": str(cpu()["cpu"])}
    for trial in plan.runnable:
        record = read_record(out, trial.id) or {}
        found = versions(trial.spec.uses_torch)
        packages.update(f"{name} {v}" for name, v in (record.get("versions") or {}).items() if found.get(name) != v)
        codes.update(v for v in [record.get("code")] if v and v != here["code"])
        processors.update(v for v in [record.get("cpu")] if v and v != here["cpu"])
    return [
        *(f"{n} trials were computed with {v}, not with the version installed now" for v, n in packages.items()),
        *(f"{n} trials were computed by {v}, not by what runs now: {here['code']}" for v, n in codes.items()),
        *(
            f"{n} trials were computed on another processor, {v}; this one is {here['cpu']}: mind that in their times"
            for v, n in processors.items()
        ),
    ]
