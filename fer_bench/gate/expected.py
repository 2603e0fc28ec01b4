"""Expected results: a file that holds what runs predicted, image by image, and what made it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Container, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fer_bench.errors import UserError
from fer_bench.results.load import load_run
from fer_bench.results.outcomes import Key, MethodPredictions, collect_predictions
from fer_bench.results.run_data import RunData
from fer_bench.results.schema import LAST_EPOCH
from fer_bench.utils.files import atomic_write
from fer_bench.utils.json_files import find_json, json_text
from fer_bench.utils.ownership import head_of, need_own

from .maker import Sources, find_sources, maker
from .packing import pack
from .reference import DIGITS, RULES, SCHEMA, SEEDS, Expected, Reference, read_expected

__all__ = [
    "RULES",
    "SCHEMA",
    "SEEDS",
    "Expected",
    "Reference",
    "hash_images",
    "last_epochs",
    "other_source",
    "read_expected",
    "rule_of",
    "write_expected",
]

_BEGINS = re.compile(rb'\s*\{\s*"schema":\s*\d+,\s*"manifest_hash":')


def last_epochs(run: RunData) -> dict[tuple[str, str], MethodPredictions]:
    """What is gated: predictions of the last epoch, by method and protocol."""
    found: dict[Key, MethodPredictions] = collect_predictions(run)
    return {(key.method, key.protocol): o for key, o in found.items() if key.selection == LAST_EPOCH}


def hash_images(outcome: MethodPredictions) -> str:
    """Hash the names of the tested images in their order."""
    return hashlib.sha256("\n".join(outcome.images).encode()).hexdigest()


def write_expected(run_folders: Sequence[Path] | Path, expected: Path, *, few_seeds: bool = False) -> None:
    """Write what runs predicted as the new expectation.

    Parameters
    ----------
    run_folders : Path, or several
        One run, or runs that differ in their seed.
    expected : Path
        The file to write.
    few_seeds : bool
        Take methods that are trained at random with fewer than `SEEDS` seeds.

    Raises
    ------
    UserError
        A folder is no run, a trial did not end well or is another code's, the runs do not belong together, seeds are
        too few, or another kind of file is there.
    """
    need_own(expected, _is_expectation, "a file of expected results", "`expected`")
    folders = [run_folders] if isinstance(run_folders, Path) else list(run_folders)
    runs = [load_run(folder) for folder in folders]
    for run in runs:
        _refuse_unfinished(run)
        if run.contradictions:
            raise UserError(f"`write_expected`: {run.path}: {run.contradictions[0]}")
        _refuse_other(run, runs[0])
    seeds = [int(run.info["seed"]) for run in runs]
    if len(set(seeds)) < len(seeds):
        raise UserError(
            f"`write_expected`: seed {seeds[0]} comes twice among {len(seeds)} runs; give runs of different seeds"
        )
    outcomes = [last_epochs(run) for run in runs]
    if not outcomes[0]:
        raise UserError(f"{runs[0].path}: no finished trial, so there is nothing to expect")
    for run, found in zip(runs, outcomes, strict=True):
        _refuse_reused(run, found)
        _refuse_more(run, found, runs[0], outcomes[0])
    rows: list[dict[str, Any]] = []
    tested: dict[str, dict[str, Any]] = {}
    for method, protocol in outcomes[0]:
        row, test = _collect(method, protocol, runs, outcomes)
        if row["rule"] != "exact" and not few_seeds:
            _need_seeds(method, len(runs))
        rows.append(row)
        known = tested.setdefault(protocol, test)
        if known != test:
            raise UserError(
                f"`write_expected`: {method} was tested on other images under {protocol} than the methods before"
            )
    value = {
        "schema": SCHEMA,
        "manifest_hash": runs[0].info["dataset"].get("manifest_hash", "none"),
        "unit": runs[0].unit.name,
        "made_by": [maker(run) for run in runs],
        "tested": tested,
        "rows": rows,
    }
    with atomic_write(expected, "w") as handle:
        handle.write(json_text(value, indent=1) + "\n")


def _need_seeds(method: str, n: int) -> None:
    if n < SEEDS:
        raise UserError(
            f"`write_expected`: {method} is trained at random, and {n} of {SEEDS} seeds are given, which "
            f"says too little of how far a new seed may fall; give runs of {SEEDS} seeds (run `seed` 1 `out` ..., "
            "and so on), or take it as it is with `few_seeds=True`"
        )


def _is_expectation(file: Path) -> bool:
    """Whether a file is one of ours, of any schema, though it may be damaged."""
    found = find_json(file, dict[str, Any]) or {}
    return {"schema", "manifest_hash", "rows"} <= set(found) or bool(_BEGINS.match(head_of(file)))


def _collect(
    method: str, protocol: str, runs: Sequence[RunData], outcomes: Sequence[Mapping[tuple[str, str], MethodPredictions]]
) -> tuple[dict[str, Any], dict[str, Any]]:
    found = []
    for run, outcome in zip(runs, outcomes, strict=True):
        if (method, protocol) not in outcome:
            raise UserError(f"`write_expected`: {run.path} has no {method} under {protocol}, which {runs[0].path} has")
        found.append(outcome[method, protocol])
    tests = [
        {
            "n": len(o.labels),
            "images": hash_images(o),
            "labels": pack(o.labels),
            "people": pack(o.person, np.int32),
        }
        for o in found
    ]
    if any(test != tests[0] for test in tests):
        raise UserError(
            f"`write_expected`: the runs test {method} under {protocol} on different images; make them with the same "
            "`folds`"
        )
    told = runs[0].info["methods"].get(method, {})
    row = {
        "method": method,
        "protocol": protocol,
        "rule": rule_of(runs[0], method),
        "weights": told.get("weights", "none"),
        "seeds": [int(run.info["seed"]) for run in runs],
        "folds": [str(run.info["protocols"].get(protocol, {}).get("folds_hash", "none")) for run in runs],
        "accuracy": [round(float(o.correct.mean()), DIGITS) for o in found],
        "predicted": [pack(o.predicted) for o in found],
    }
    return row, tests[0]


def rule_of(run: RunData, method: str) -> str:
    """Return the rule of a method of this run: ``"exact"`` for classical ones, else ``"people"``."""
    return "exact" if run.info["methods"].get(method, {}).get("family") == "classical" else "people"


def _refuse_unfinished(run: RunData) -> None:
    bad = run.trials[~run.trials["state"].isin(["ok", "skipped"])]
    if len(bad):
        first = bad.iloc[0]
        raise UserError(
            f"{run.path}: {len(bad)} trials did not end well, the first is {first['method']} fold {first['fold']} "
            f"({first['state']}: {first['reason']}); run the same command again, then gate"
        )


def _refuse_other(run: RunData, first: RunData) -> None:
    for name in ("manifest_hash", "unit"):
        here, there = run.info["dataset"].get(name), first.info["dataset"].get(name)
        if here != there:
            raise UserError(
                f"`write_expected`: {run.path} has {name} {here}, {first.path} has {there}; give runs of one dataset"
            )


def _refuse_more(run: RunData, rows: Iterable[tuple[str, str]], first: RunData, known: Container[Any]) -> None:
    for method, protocol in rows:
        if (method, protocol) not in known:
            raise UserError(f"`write_expected`: {first.path} has no {method} under {protocol}, which {run.path} has")


def _refuse_reused(run: RunData, rows: Iterable[tuple[str, str]]) -> None:
    for method, protocol in rows:
        if found := other_source(find_sources(run, method, protocol)):
            raise UserError(f"`write_expected`: {run.path}: {method} under {protocol}: {found}")


def other_source(found: Sources) -> str:
    """Say that trials are left from other code, and what to do; empty where none is."""
    if not found.other:
        return ""
    return (
        f"{found.other} of {found.trials} trials are another code's, left from an earlier run: expected source_hash "
        f"{found.wanted[:12]}, as run.json says, found {found.found[:12]}; compute them anew with the same command "
        "and `fer-bench run --fresh ...`"
    )
