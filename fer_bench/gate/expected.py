"""Expected results: a file that holds what runs predicted, image by image, and what made it."""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from fer_bench import stats
from fer_bench.errors import InputError, UserError
from fer_bench.results.load import load_run
from fer_bench.results.outcomes import Key, MethodPredictions, collect_predictions
from fer_bench.results.run_data import RunData
from fer_bench.results.schema import LAST_EPOCH
from fer_bench.utils.files import atomic_write
from fer_bench.utils.json_files import checked, find_json, json_text, read_json
from fer_bench.utils.ownership import head_of, need_own
from fer_bench.utils.shapes import shown

__all__ = [
    "RULES",
    "SCHEMA",
    "SEEDS",
    "Expected",
    "Reference",
    "hash_images",
    "last_epochs",
    "read_expected",
    "write_expected",
]

SCHEMA = 2
"""Of the file; 1 held no people and one seed."""
SEEDS = 5
"""Of a method that is trained at random, at least: fewer say too little of how far a new seed may fall."""
RULES = ("exact", "people")
"""exact: the same predictions; people: tolerance and sign-flip test."""
_BEGINS = re.compile(rb'\s*\{\s*"schema":\s*\d+,\s*"manifest_hash":')
_ANEW = "write it anew with `write_expected`"


@dataclass(frozen=True)
class Reference:
    """What one method predicted under one protocol, k seeds of the same n images.

    Attributes
    ----------
    method, protocol, rule, weights : str
        ``rule`` is one of `RULES`; ``weights`` is what run.json says of them.
    seeds : tuple of int
    folds : tuple of str
        Hash of the folds of each seed.
    labels : (n,) uint8
    predicted : (k, n) uint8
    people : (n,) int64
    images : str
        Hash of the images' names in their order.
    """

    method: str
    protocol: str
    rule: str
    weights: str
    seeds: tuple[int, ...]
    folds: tuple[str, ...]
    labels: NDArray[np.uint8]
    predicted: NDArray[np.uint8]
    people: NDArray[np.int64]
    images: str

    @property
    def correct(self) -> NDArray[np.bool_]:
        """(k, n) bool."""
        result: NDArray[np.bool_] = self.predicted == self.labels
        return result

    @property
    def name(self) -> str:
        """For lines and annotations."""
        return f"{self.method} under {self.protocol}"


@dataclass(frozen=True)
class Expected:
    """A file of expected results; ``made_by`` says of each run its command, seed, code and packages."""

    manifest_hash: str
    unit: stats.Unit
    rows: Mapping[tuple[str, str], Reference]
    made_by: tuple[Mapping[str, Any], ...]


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
        A folder is no run, a trial did not end well, the runs do not belong together, seeds are too few, or another
        kind of file is there.
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
    rows: list[dict[str, Any]] = []
    tested: dict[str, dict[str, Any]] = {}
    for method, protocol in outcomes[0]:
        row, test = _collect(method, protocol, runs, outcomes)
        if len(runs) < SEEDS and row["rule"] != "exact" and not few_seeds:
            raise UserError(
                f"`write_expected`: {method} is trained at random, and {len(runs)} of {SEEDS} seeds are given, which "
                f"says too little of how far a new seed may fall; give runs of {SEEDS} seeds (run `seed` 1 `out` ..., "
                "and so on), or take it as it is with `few_seeds=True`"
            )
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
        "made_by": [_maker(run) for run in runs],
        "tested": tested,
        "rows": rows,
    }
    with atomic_write(expected, "w") as handle:
        handle.write(json_text(value, indent=1) + "\n")


def _is_expectation(file: Path) -> bool:
    """Whether a file is one of ours, of any schema, though it may be damaged."""
    found = find_json(file, dict[str, Any]) or {}
    return {"schema", "manifest_hash", "rows"} <= set(found) or bool(_BEGINS.match(head_of(file)))


def read_expected(expected: Path) -> Expected:
    """Read a file of expected results.

    Raises
    ------
    UserError
        It is none, is damaged, or has another schema.
    """
    name = f"`expected` {expected}"
    value = read_json(expected, object, name=name, mend="`write_expected` writes one from a run")
    schema = value.get("schema") if isinstance(value, dict) else None
    if schema != SCHEMA:
        found = "none" if schema is None else shown(schema)
        raise UserError(f"{name}: expected a file of expected results of schema {SCHEMA}, found {found}; {_ANEW}")
    content = checked(value, _File, name, _ANEW)
    try:
        rows = [_reference(row, content["tested"]) for row in content["rows"]]
        if not rows or len({(row.method, row.protocol) for row in rows}) < len(rows):
            raise ValueError("expected rows, each once")
        unit = stats.find_unit(content["unit"])
    except (ValueError, zlib.error, InputError) as error:
        raise UserError(f"{name}: is damaged ({error}); {_ANEW}") from error
    return Expected(
        manifest_hash=content["manifest_hash"],
        unit=unit,
        rows={(row.method, row.protocol): row for row in rows},
        made_by=tuple(content["made_by"]),
    )


class _Tested(TypedDict):
    n: int
    images: str
    labels: str
    people: str


class _Row(TypedDict):
    method: str
    protocol: str
    rule: str
    weights: str
    seeds: list[int]
    folds: list[str]
    predicted: list[str]


class _File(TypedDict):
    manifest_hash: str
    unit: str
    made_by: list[dict[str, Any]]
    tested: dict[str, _Tested]
    rows: list[_Row]


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
            "labels": _pack(o.labels),
            "people": _pack(o.person, np.int32),
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
        "rule": "exact" if told.get("family") == "classical" else "people",
        "weights": told.get("weights", "none"),
        "seeds": [int(run.info["seed"]) for run in runs],
        "folds": [str(run.info["protocols"].get(protocol, {}).get("folds_hash", "none")) for run in runs],
        "accuracy": [round(float(o.correct.mean()), 6) for o in found],
        "predicted": [_pack(o.predicted) for o in found],
    }
    return row, tests[0]


def _maker(run: RunData) -> dict[str, Any]:
    kept = ("command", "seed", "suite", "profile", "preset", "code", "packages")
    return {name: run.info.get(name) for name in kept} | {"cpu": run.info["machine"].get("cpu")}


def _reference(row: _Row, tested: Mapping[str, _Tested]) -> Reference:
    name, test = f"{row['method']} under {row['protocol']}", tested.get(row["protocol"])
    if test is None:
        raise ValueError(f"{name}: nothing tells what was tested")
    if row["rule"] not in RULES:
        raise ValueError(f"{name}: rule {shown(row['rule'])} is none of {', '.join(RULES)}")
    if not row["seeds"] or not len(row["seeds"]) == len(row["folds"]) == len(row["predicted"]):
        raise ValueError(f"{name}: seeds, folds and predictions differ in number")
    return Reference(
        method=row["method"],
        protocol=row["protocol"],
        rule=row["rule"],
        weights=row["weights"],
        seeds=tuple(row["seeds"]),
        folds=tuple(row["folds"]),
        labels=_unpack(test["labels"], test["n"]),
        predicted=np.stack([_unpack(text, test["n"]) for text in row["predicted"]]),
        people=_unpack(test["people"], test["n"], np.int32).astype(np.int64),
        images=test["images"],
    )


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


def _pack(values: NDArray[Any], dtype: Any = np.uint8) -> str:
    return base64.b64encode(zlib.compress(np.ascontiguousarray(values, dtype=dtype).tobytes(), 9)).decode()


def _unpack(text: str, n: int, dtype: Any = np.uint8) -> NDArray[Any]:
    most = max(0, n) * np.dtype(dtype).itemsize + 1  # whatever else the text unfolds to
    values = np.frombuffer(zlib.decompressobj().decompress(base64.b64decode(text, validate=True), most), dtype=dtype)
    if len(values) != n:
        raise ValueError(f"expected {n} images, found {len(values)}")
    return values
