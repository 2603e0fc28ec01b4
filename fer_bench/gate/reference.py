"""What a file of expected results says, read and checked: nothing of it is taken on trust that it can prove itself."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from fer_bench import stats
from fer_bench.errors import InputError, UserError
from fer_bench.labels import N_CLASSES
from fer_bench.utils.json_files import checked, read_json
from fer_bench.utils.shapes import shown
from fer_bench.utils.texts import one_line

from .packing import MOST_ANSWERS, MOST_IMAGES, unpack

__all__ = ["DIGITS", "RULES", "SCHEMA", "SEEDS", "Expected", "Reference", "read_expected"]

SCHEMA = 2
"""Of the file; 1 held no people and one seed."""
SEEDS = 5
"""Of a method that is trained at random, at least: fewer say too little of how far a new seed may fall."""
RULES = ("exact", "people")
"""exact: the same predictions; people: tolerance and sign-flip test."""
DIGITS = 6
"""Decimal places of the accuracies that stand beside the answers."""
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
        return _named(self.method, self.protocol)


@dataclass(frozen=True)
class Expected:
    """A file of expected results; ``made_by`` says of each run its command, seed, code and packages."""

    manifest_hash: str
    unit: stats.Unit
    rows: Mapping[tuple[str, str], Reference]
    made_by: tuple[Mapping[str, Any], ...]


def read_expected(expected: Path) -> Expected:
    """Read a file of expected results.

    Raises
    ------
    UserError
        It is none, is damaged, has another schema, or contradicts itself: accuracies that are not those of its answers,
        numbers that are no classes, more of them than it says.
    """
    name = f"`expected` {expected}"
    value = read_json(expected, object, name=name, mend="`write_expected` writes one from a run")
    schema = value.get("schema") if isinstance(value, dict) else None
    if schema != SCHEMA:
        found = "none" if schema is None else shown(schema)
        raise UserError(f"{name}: expected a file of expected results of schema {SCHEMA}, found {found}; {_ANEW}")
    content = checked(value, _File, name, _ANEW)
    try:
        _bound(content)
        rows = [_reference(row, content["tested"]) for row in content["rows"]]
        if not rows or len({(row.method, row.protocol) for row in rows}) < len(rows):
            raise ValueError("expected rows, each once")
        unit = stats.find_unit(content["unit"])
    except (ValueError, zlib.error, InputError) as error:
        raise UserError(f"{name}: is damaged ({one_line(str(error))}); {_ANEW}") from error
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
    accuracy: list[float]
    predicted: list[str]


class _File(TypedDict):
    manifest_hash: str
    unit: str
    made_by: list[dict[str, Any]]
    tested: dict[str, _Tested]
    rows: list[_Row]


def _named(method: str, protocol: str) -> str:
    """Say which row is meant; a file may hold anything, line breaks and what terminals obey among it."""
    return one_line(f"{method} under {protocol}")


def _bound(content: _File) -> None:
    """Refuse a small file that unfolds to more than a memory holds, before any of it is unfolded."""
    sizes = {protocol: test["n"] for protocol, test in content["tested"].items()}
    answers = sum(len(row["predicted"]) * max(0, sizes.get(row["protocol"], 0)) for row in content["rows"])
    if answers > MOST_ANSWERS:
        raise ValueError(f"expected {MOST_ANSWERS:,} answers at most, found {answers:,}")


def _reference(row: _Row, tested: Mapping[str, _Tested]) -> Reference:
    name, test = _named(row["method"], row["protocol"]), tested.get(row["protocol"])
    if test is None:
        raise ValueError(f"{name}: nothing tells what was tested")
    if row["rule"] not in RULES:
        raise ValueError(f"{name}: rule {shown(row['rule'])} is none of {', '.join(RULES)}")
    lengths = {len(row["seeds"]), len(row["folds"]), len(row["predicted"]), len(row["accuracy"])}
    if not row["seeds"] or len(lengths) > 1:
        raise ValueError(f"{name}: seeds, folds, accuracies and predictions differ in number")
    n, classes = test["n"], N_CLASSES - 1
    found = Reference(
        method=row["method"],
        protocol=row["protocol"],
        rule=row["rule"],
        weights=row["weights"],
        seeds=tuple(row["seeds"]),
        folds=tuple(row["folds"]),
        labels=unpack(test["labels"], n, classes),
        predicted=np.stack([unpack(text, n, classes) for text in row["predicted"]]),
        people=unpack(test["people"], n, MOST_IMAGES, np.int32).astype(np.int64),
        images=test["images"],
    )
    for seed, told, correct in zip(found.seeds, row["accuracy"], found.correct, strict=True):
        if round(float(correct.mean()), DIGITS) != told:
            raise ValueError(f"{name}: accuracy of seed {seed} is {told}, its answers give {correct.mean():.6f}")
    return found
