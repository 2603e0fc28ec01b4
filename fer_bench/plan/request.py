"""What a command asks for, and the data that it means."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fer_bench.data.datasets import load_dataset
from fer_bench.data.manifest import Dataset
from fer_bench.errors import UserError
from fer_bench.utils import renamed

from .suites import known_suites

__all__ = ["Request", "asked_protocols", "open_data"]


@dataclass(frozen=True)
class Request:
    """What the command line asks for; see ``fer-bench run --help``."""

    suite: str = "all"
    data: str = "synthetic"
    protocols: tuple[str, ...] = ()
    profile: str = "quick"
    preset: str = "default"
    only: tuple[str, ...] = ()
    out: Path | None = None
    workers: int = 0
    device: str = "auto"
    weights_dir: Path | None = None
    offline: bool = False
    seed: int = 0
    crop: str = ""
    views: tuple[str, ...] = ()
    strict: bool = False
    folds: Path | None = None
    test_data: str = ""
    allow_outside: bool = False
    tune: bool = False
    executor: str = "local"
    scheduler: str = ""
    per_gpu: int = 1
    memory_limit: float = 0.0
    time_limit: float = 0.0
    max_failures: str = ""
    replace: bool = False
    fresh: bool = False
    command: str = ""

    def __post_init__(self) -> None:
        # A package may have registered a suite of an old name of ours: then that one is meant.
        if self.suite in renamed.SUITES and self.suite not in known_suites():
            object.__setattr__(self, "suite", renamed.current("suite", self.suite, renamed.SUITES))
        object.__setattr__(self, "preset", renamed.current("preset", self.preset, renamed.PRESETS))

    @property
    def data_options(self) -> dict[str, Any]:
        """What was asked for beyond the data as they are: crop, views, strict, folds, test data, paths."""
        asked = {
            "crop": self.crop,
            "views": list(self.views),
            "strict": self.strict,
            "folds": self.folds.name if self.folds else "",
            "test_data": self.test_data,
            "allow_outside": self.allow_outside,
        }
        return {name: value for name, value in asked.items() if value}

    @property
    def n_workers(self) -> int:
        """Trials at once on this machine.

        As asked, else one a core, but no more than memory holds (3 GB each) and at most 8; in process, one.
        """
        if self.executor == "in-process":
            return 1
        if self.workers:
            return self.workers
        import psutil

        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return max(1, min(cores, 8, int(psutil.virtual_memory().total // 3e9)))


def asked_protocols(request: Request) -> tuple[str, ...]:
    """Return the protocols that the command asks for by name; ``--test-data`` asks for one, too.

    Raises
    ------
    UserError
        Options that exclude each other.
    """
    if request.folds and (request.protocols or request.test_data):
        other = "`protocols`" if request.protocols else "`test_data`"
        raise UserError(
            f"`folds` and {other} exclude each other: a folds' file says who is trained on and who is tested"
        )
    if request.test_data and set(request.protocols) - {"cross-dataset"}:
        raise UserError(
            f"`protocols` {request.protocols[0]} and `test_data` exclude each other: "
            "with `test_data` the protocol is cross-dataset"
        )
    return ("cross-dataset",) if request.test_data else request.protocols


def open_data(request: Request, people: int | None) -> tuple[Dataset, list[str]]:
    """Read the data of a command, with the test data joined to them, and say how they were read."""
    dataset = load_dataset(
        request.data,
        people=people,
        views=request.views,
        crop=request.crop,
        strict=request.strict,
        test_data=request.test_data,
        workers=request.n_workers,
        weights_dir=request.weights_dir,
        allow_outside=request.allow_outside,
    )
    looked = [dataset.crop_choice.sentence] if dataset.crop_choice else []
    return dataset, [*dataset.notes, *looked]
