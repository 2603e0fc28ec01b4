"""What trials cost on this machine: kept in the cache, so that the next plan need not guess.

Only ever read to predict time and memory. No trial's identity or result hangs on it.
"""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, TypedDict

from fer_bench.errors import UserError
from fer_bench.methods import FAMILIES, MethodSpec, without_modules
from fer_bench.utils.files import atomic_write, cache_dir, locked, to_json
from fer_bench.utils.json_files import json_lines

from .machine_speed import machine_key

__all__ = ["Cost", "History", "costs_file", "kind_of_cost", "load_history", "record_cost"]

_LARGEST_BYTES = 8_000_000
_KEPT_EACH = 8
_KEPT = 12_000
"""When the file has grown too large, so many costs stay of each kind of trial, and of all, the latest."""

_OF_A_RECORD = ("n_train", "n_test", "device", "fit_seconds", "predict_seconds")
"""What a cost is made from; a record that lacks any of it tells none."""
_SAME_SIZE = 0.05
_FAMILY_KINDS = 3
"""A family's measurements tell of its other methods where they are of so many methods or more."""


@dataclass(frozen=True)
class Cost:
    """What one trial cost.

    Attributes
    ----------
    kind : str
        Hash of what cost depends on but the number of images: method, parameters, code version, images, device.
    family : str
        The method's family.
    n_train, n_test : int
    seconds : float
        Fitting and predicting, without work that trials share.
    estimate : float
        What was shipped as estimate for it.
    shared : float
        Seconds an image of the shared work; 0 where there is none.
    rss_mb : float
        Largest resident memory.
    """

    kind: str
    family: str
    n_train: int
    n_test: int
    seconds: float
    estimate: float
    shared: float = 0.0
    rss_mb: float = 0.0


class _Line(TypedDict):
    """What a line of the file holds: a `Cost`, and the machine that it was measured on."""

    machine: str
    kind: str
    family: str
    n_train: int
    n_test: int
    seconds: float
    estimate: float
    shared: float
    rss_mb: float


@dataclass(frozen=True)
class History:
    """The costs that one machine has recorded."""

    by_kind: Mapping[str, tuple[Cost, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, costs: Iterable[Cost]) -> History:
        """Sort costs by kind; of each kind the latest count."""
        kinds: dict[str, deque[Cost]] = defaultdict(lambda: deque(maxlen=_KEPT_EACH * 4))
        for cost in costs:
            kinds[cost.kind].append(cost)
        return cls({kind: tuple(found) for kind, found in kinds.items()})

    def measured(self, kind: str, n_train: int, n_test: int) -> float | None:
        """Return the median seconds of such trials with as many images; None where there were none."""
        found = [c.seconds for c in self.by_kind.get(kind, ()) if _alike(c, n_train, n_test)]
        return median(found) if found else None

    def scaled(self, spec: MethodSpec, kind: str, n_train: int, n_test: int) -> float | None:
        """Return the seconds of such trials with other numbers of images, scaled as the shipped estimate grows."""
        found = self.by_kind.get(kind, ())
        if not found:
            return None
        nearest = min(found, key=lambda c: abs(c.n_train - n_train))
        alike = [c.seconds for c in found if (c.n_train, c.n_test) == (nearest.n_train, nearest.n_test)]
        then = spec.estimate_seconds(nearest.n_train, nearest.n_test)
        return median(alike) * spec.estimate_seconds(n_train, n_test) / max(then, 1e-9)

    def slowness(self) -> dict[str, float]:
        """Return how many times its shipped estimate a family's trials took, by families measured well enough."""
        ratios: dict[str, list[float]] = {family: [] for family in FAMILIES}
        for costs in self.by_kind.values():
            each = [c.seconds / c.estimate for c in costs if c.estimate > 0]
            if each:
                ratios.setdefault(costs[0].family, []).append(median(each))
        return {family: median(found) for family, found in ratios.items() if len(found) >= _FAMILY_KINDS}

    def rss_mb(self, kind: str, n_train: int, n_test: int) -> float | None:
        """Return the largest memory of such trials with as many images; None where there were none."""
        found = [c.rss_mb for c in self.by_kind.get(kind, ()) if _alike(c, n_train, n_test) and c.rss_mb]
        return max(found) if found else None

    def shared(self, kind: str) -> float | None:
        """Return seconds an image of the work that such trials share with others."""
        found = [c.shared for c in self.by_kind.get(kind, ())]
        return median(found) if found else None


def kind_of_cost(spec: MethodSpec, device: str, watch: bool) -> str:
    """Return the hash of all that a trial's cost depends on beside the machine and the number of images."""
    image = [spec.image.size, spec.image.channels]
    parts = without_modules([spec.name, spec.factory, spec.version, dict(spec.params), image, device, watch])
    return hashlib.sha256(to_json(parts).encode()).hexdigest()[:12]


def costs_file() -> Path:
    """Return where costs are kept."""
    return cache_dir() / "costs.jsonl"


def load_history(machine: str = "") -> History:
    """Read what this machine has recorded; what cannot be read counts as not recorded."""
    machine = machine or machine_key()
    return History.of(cost for where, cost in _read(costs_file()) if where == machine)


def record_cost(spec: MethodSpec, record: Mapping[str, Any], *, watch: bool, machine: str = "") -> None:
    """Add what a finished trial cost. A cache that cannot be written keeps nothing: that costs no result.

    Parameters
    ----------
    spec : MethodSpec
        The trial's method.
    record : mapping
        As in its ``trial.json``; only trials that ended well are kept.
    watch : bool
        Whether it predicted after every epoch.
    """
    if record.get("state") != "ok" or any(record.get(name) is None for name in _OF_A_RECORD):
        return
    n_train, n_test = int(record["n_train"]), int(record["n_test"])
    shared = float(record.get("prepare_seconds") or 0.0)
    cost = Cost(
        kind=kind_of_cost(spec, str(record["device"]), watch),
        family=spec.family,
        n_train=n_train,
        n_test=n_test,
        seconds=round(max(0.0, float(record["fit_seconds"]) + float(record["predict_seconds"]) - shared), 5),
        estimate=round(spec.estimate_seconds(n_train, n_test), 5),
        shared=round(shared / max(1, n_train + n_test), 8),
        rss_mb=round(float(record.get("peak_rss_mb") or 0.0), 1),
    )
    line = to_json({"machine": machine or machine_key(), "method": spec.name, **cost.__dict__}) + "\n"
    try:
        _append(costs_file(), line.encode())
    except (OSError, UserError):
        return


def _append(file: Path, line: bytes) -> None:
    """Add a line in one write; a file grown too large is cut to its latest lines first, whoever else is adding."""
    with locked(file.with_suffix(".lock"), wait=True):
        handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            size = os.fstat(handle).st_size
            torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n" if hasattr(os, "pread") else False
            os.write(handle, b"\n" + line if torn else line)
        finally:
            os.close(handle)
        if size > _LARGEST_BYTES:
            _shorten(file)


def _shorten(file: Path) -> None:
    kept: dict[tuple[str, str, int], deque[tuple[int, str]]] = defaultdict(lambda: deque(maxlen=_KEPT_EACH))
    for place, (machine, cost) in enumerate(_read(file)):
        text = to_json({"machine": machine, **cost.__dict__})
        kept[machine, cost.kind, cost.n_train].append((place, text))
    latest = sorted(entry for entries in kept.values() for entry in entries)[-_KEPT:]
    with atomic_write(file, "w") as handle:
        handle.write("".join(f"{text}\n" for _, text in latest))


def _read(file: Path) -> Iterable[tuple[str, Cost]]:
    """Yield machine and cost of each whole line."""
    for line in json_lines(file, _Line):
        yield line["machine"], Cost(**{name: line[name] for name in Cost.__dataclass_fields__})  # type: ignore[literal-required]


def _alike(cost: Cost, n_train: int, n_test: int) -> bool:
    return abs(cost.n_train - n_train) <= _SAME_SIZE * n_train and abs(cost.n_test - n_test) <= _SAME_SIZE * n_test + 1
