"""A run directory that was read back, as one object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from fer_bench import stats

from .contradictions import find_contradictions
from .genders import find_genders

__all__ = ["RunData"]


@dataclass(frozen=True)
class RunData:
    """The consolidated files of one run directory.

    Attributes
    ----------
    path : Path
        The directory.
    info : mapping
        ``run.json``.
    trials : DataFrame
        ``trials.csv``, one row a planned trial.
    predictions : DataFrame
        ``predictions.parquet``, one row a tested image of a finished trial.
    watched : DataFrame or None
        ``watched.parquet``: the same, of the epoch that was best on the test images.
    curves : DataFrame or None
        ``curves.csv``, one row an epoch of a trial.
    strangers : mapping of str to int
        Rows of the two tables of predictions that no finished trial has, by method; they are left out.
    """

    path: Path
    info: Mapping[str, Any]
    trials: pd.DataFrame
    predictions: pd.DataFrame
    watched: pd.DataFrame | None = None
    curves: pd.DataFrame | None = None
    strangers: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def contradictions(self) -> tuple[str, ...]:
        """What cannot be true together in the tables, a sentence each."""
        return find_contradictions(self.path, self.trials, self.predictions, self.watched, self.unit.name)

    @cached_property
    def genders(self) -> Mapping[str, str]:
        """Gender (F, M) of each person for whom the data give it; empty where they give none."""
        return find_genders(self.path, self.info)

    @property
    def unit(self) -> stats.Unit:
        """What intervals and tests take for independent; runs that do not say have people."""
        return stats.find_unit(str(self.info["dataset"].get("unit", "person")))
