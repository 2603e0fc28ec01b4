"""A run for notebooks: where it is, how it ended, and its tables, read when they are asked for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from fer_bench.utils.paths import given_path

from .load import load_run as read_run
from .run_data import RunData
from .schema import FAILED
from .table import build_results

__all__ = ["RunResult", "load_run"]


@dataclass(frozen=True)
class RunResult(os.PathLike[str]):
    """A run: what `fer_bench.run` gives, and `fer_bench.load_run` of an earlier one.

    It stands for its folder wherever a path is expected.

    Attributes
    ----------
    path : Path
        Its folder.
    exit_code : int
        As of ``fer-bench run``: 0 where every trial is ok or skipped with a reason, 1 where some failed, 130 where the
        run was interrupted (of one that is read back: where trials are missing).
    """

    path: Path
    exit_code: int

    def __fspath__(self) -> str:
        return str(self.path)

    def __repr__(self) -> str:
        return f"<RunResult {self.path}: exit code {self.exit_code}>"

    @property
    def ok(self) -> bool:
        """Whether every trial is ok or skipped with a reason."""
        return self.exit_code == 0

    @property
    def report(self) -> Path:
        """The report's page."""
        return self.path / "report.html"

    @cached_property
    def data(self) -> RunData:
        """All files of the run, checked against each other.

        Raises
        ------
        UserError
            They are no longer there, or contradict each other.
        """
        return read_run(self.path)

    @property
    def info(self) -> Mapping[str, Any]:
        """What ``run.json`` holds: data, methods, seed, versions, machine, the command."""
        return self.data.info

    @cached_property
    def results(self) -> pd.DataFrame:
        """One row a method and protocol, as ``results.csv``, computed from the predictions.

        See `fer_bench.results.table.build_results` for the columns.
        """
        return build_results(self.data)

    @property
    def trials(self) -> pd.DataFrame:
        """One row a planned trial: its state, reason, times and sizes."""
        return self.data.trials

    @property
    def predictions(self) -> pd.DataFrame:
        """One row a tested image of a finished trial, with seven probabilities."""
        return self.data.predictions

    @property
    def watched(self) -> pd.DataFrame | None:
        """The same of the epoch that was best on the test images; None where no epoch was watched."""
        return self.data.watched

    @property
    def curves(self) -> pd.DataFrame | None:
        """One row an epoch of a trial; None where nothing is trained in epochs."""
        return self.data.curves


def load_run(path: str | os.PathLike[str]) -> RunResult:
    """Read a run back that `fer_bench.run` or ``fer-bench run`` made.

    Parameters
    ----------
    path : path
        Its folder.

    Raises
    ------
    UserError
        It is no run directory, its schema is another one, or its files contradict each other.
    """
    folder = given_path(path, "the run's folder")
    data = read_run(folder)
    states = set(data.trials["state"])
    result = RunResult(folder, 1 if states & set(FAILED) else 130 if "missing" in states else 0)
    result.__dict__["data"] = data  # read already
    return result
