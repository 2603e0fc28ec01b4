"""Simulated runs whose truth is set by hand: an accuracy for each method under each protocol, people who differ."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from simulate import Simulation, write_run

from fer_bench.labels import EMOTIONS


def write_truth(
    folder: Path,
    simulation: Simulation,
    truth: Mapping[str, float] | Mapping[tuple[str, str], float],
    *,
    seconds: Mapping[str, float] | None = None,
    seed: int = 1,
    spread: float = 0.08,
) -> Path:
    """Write a run and give its methods the accuracies of ``truth``, by method or by (method, protocol).

    Each person has an ease of their own that all methods share, and a small taste for each method, so that pictures
    of one person rise and fall together. ``seconds`` sets the mean training time of a fold.
    """
    write_run(folder, simulation)
    rng = np.random.default_rng(seed)
    file = folder / "predictions.parquet"
    table = pd.read_parquet(file)
    people = table["subject"].unique()
    ease = dict(zip(people, spread * rng.standard_normal(len(people)), strict=True))
    codes = np.array(EMOTIONS)
    predicted = table["predicted"].to_numpy(dtype=object)
    for (method, protocol), places in table.groupby(["method", "protocol"], sort=False).indices.items():
        level = truth.get((method, protocol), truth.get(method))
        if level is None:
            continue
        taste = {person: 0.25 * spread * rng.standard_normal() for person in people}
        rows = table.iloc[places]
        wanted = np.clip([level + ease[who] + taste[who] for who in rows["subject"]], 0, 1)
        right = rng.random(len(places)) < wanted
        labels = rows["label"].to_numpy()
        wrong = codes[(np.searchsorted(codes, labels) + rng.integers(1, 7, len(places))) % 7]
        predicted[places] = np.where(right, labels, wrong)
    table["predicted"] = predicted
    table.to_parquet(file, index=False)
    trials = pd.read_csv(folder / "trials.csv", keep_default_na=False)
    for method, mean in (seconds or {}).items():
        mine = trials["method"] == method
        trials.loc[mine, "fit_seconds"] = mean * np.exp(rng.normal(0, 0.1, int(mine.sum())))
    trials.to_csv(folder / "trials.csv", index=False)
    return folder
