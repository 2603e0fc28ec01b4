"""What a plan leaves out, in a few lines: files, expressions that nobody shows, and rows that will not run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from fer_bench.data.left_out import by_reason
from fer_bench.labels import EMOTION_NAMES, EMOTIONS

from .skipped import SkippedLike

if TYPE_CHECKING:
    from fer_bench.data.manifest import Dataset

    from .plan import Plan, Trial

__all__ = ["absent", "left_out_json", "left_out_lines", "skipped_json", "skipped_lines"]

_MOST_REASONS = 5
"""Reasons that are told; `fer-bench data inspect` tells all."""
_MOST_METHODS = 3


def left_out_lines(dataset: Dataset) -> Iterator[str]:
    """Say how many files are left out and why, with an example each, and which expressions nobody shows."""
    excluded = dataset.manifest.excluded
    if excluded:
        groups = [part for group in by_reason((e.file, e.reason) for e in excluded) for part in group.apart()]
        n = len(excluded)
        yield f"left out: {n:,} {'file' if n == 1 else 'files'}; `fer-bench data inspect` names them"
        for group in groups[:_MOST_REASONS]:
            reason = group.reason if group.example in group.reason else f"{group.example}: {group.reason}"
            yield f"  {len(group):,}, {'' if len(group) == 1 else 'such as '}{reason}"
        if len(groups) > _MOST_REASONS:
            rest = sum(map(len, groups[_MOST_REASONS:]))
            yield f"  {rest:,} for {len(groups) - _MOST_REASONS} other reasons"
    if lacking := absent(dataset):
        names = ", ".join(f"{code} ({EMOTION_NAMES[EMOTIONS.index(code)]})" for code in lacking)
        yield f"no image shows {names}: no figure says anything of {'it' if len(lacking) == 1 else 'them'}"


def absent(dataset: Dataset) -> list[str]:
    """Return the codes of the expressions that no image shows."""
    shown = set(dataset.manifest.table["label"])
    return [code for code in EMOTIONS if code not in shown]


def left_out_json(dataset: Dataset) -> list[dict[str, Any]]:
    """Return the same for programs: reason, number of files and an example."""
    groups = by_reason((e.file, e.reason) for e in dataset.manifest.excluded)
    parts = [part for group in groups for part in group.apart()]
    return [{"reason": part.reason, "files": len(part), "example": part.example} for part in parts]


def skipped_lines(plan: Plan) -> Iterator[str]:
    """Say why rows will not run: one line for all that have it in common, with what to do."""
    for found in skipped_json(plan):
        methods = found["methods"]
        more = f" and {len(methods) - _MOST_METHODS} more" if len(methods) > _MOST_METHODS else ""
        who = f"{', '.join(methods[:_MOST_METHODS])}{more}"
        head = f"skipped: {found['trials']} trials of {len(methods)} {'method' if len(methods) == 1 else 'methods'}"
        yield f"{head} ({who}) {found['why']}: {found['remedy']}"


def skipped_json(plan: Plan) -> list[dict[str, Any]]:
    """Return the groups of rows that will not run, most first: why, what to do, methods and number of trials."""
    groups: dict[tuple[str, str], list[Trial]] = {}
    for trial in plan.trials:
        if trial.skip:
            like = trial.like or SkippedLike("will not run", trial.skip)
            groups.setdefault((like.why, like.remedy), []).append(trial)
    found = [_group(why, remedy, trials) for (why, remedy), trials in groups.items()]
    return sorted(found, key=lambda group: -group["trials"])


def _group(why: str, remedy: str, trials: Sequence[Trial]) -> dict[str, Any]:
    items = dict.fromkeys(trial.like.item for trial in trials if trial.like and trial.like.item)
    methods = list(dict.fromkeys(trial.spec.name for trial in trials))
    return {"why": why, "remedy": " ".join([remedy, *items]), "trials": len(trials), "methods": methods}
