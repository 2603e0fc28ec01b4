"""The claim that transfer saves compute: accuracy of what is fine-tuned, and the time of each way to do it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from fer_bench import stats

from ..model.report_run import ReportRun
from ..model.tables import Estimate
from .contrast import Weighted, contrast, mean_of, trend
from .evidence import MARGIN_WORDS, TOLERANCE, Evidence, Option, outcomes_of, rows_by_mode

__all__ = ["LEAST_SAVED", "transfer"]

LEAST_SAVED = 0.05
"""A way that saves less of the time than this saves too little to matter."""

_WORSE = "fine-tuned, it classifies fewer images correctly than from scratch"

FINE_TUNED = ("entire", "gradual", "last_block", "dense")
"""Modes that start from ImageNet weights, those that train most first."""

Pair = tuple[str, str]


def transfer(run: ReportRun, protocol: str) -> Evidence:
    """Fine-tuning against the same network from scratch: more accurate, and in some mode cheaper at no loss."""
    rule = (
        "Two things. Accuracy, as the article compares it: the entire network fine-tuned minus the same network from "
        "scratch, mean over networks (where no entire one has finished, the mode that trains most). Time: in one of "
        "the modes, training takes less of it (geometric mean over networks, t interval over folds) while accuracy is "
        f"not lower by {MARGIN_WORDS} or more; p of a mode is the larger of both, times the number of modes. Not "
        f"supported, too, where every mode saves less than {100 * LEAST_SAVED:g} % of the time, or loses more accuracy "
        "than that."
    )
    rows = rows_by_mode(run, protocol)
    modes = {mode: pairs for mode in FINE_TUNED if (pairs := _pairs(rows, mode))}
    if not modes:
        return Evidence(rule, missing="this run finished no network both from ImageNet weights and from scratch")
    words = "; ".join(f"{a} against {b}" for pairs in modes.values() for a, b in pairs)
    names = dict.fromkeys(name for pairs in modes.values() for pair in pairs for name in pair)
    evidence = Evidence(rule, words, methods=tuple(names), protocols=(protocol,), reverse=_WORSE)
    first = next(iter(modes))
    figure = contrast(run, _gain(run, protocol, modes[first]))
    if figure is None:
        return replace(evidence, missing="these methods share no test image")
    options = []
    for mode, pairs in modes.items():
        found = _option(run, protocol, mode, pairs)
        if found is None:
            return replace(evidence, missing="they ran on different devices, so their times cannot be compared")
        options.append(found)
    return replace(evidence, figure=figure, figure_name=f"{first} minus scratch", options=tuple(options))


def _pairs(rows: Mapping[Pair, str], mode: str) -> list[Pair]:
    """Methods of this mode, each with the same network from scratch."""
    return [
        (name, rows[net, "scratch"]) for (net, its), name in rows.items() if its == mode and (net, "scratch") in rows
    ]


def _gain(run: ReportRun, protocol: str, pairs: Sequence[Pair]) -> list[Weighted]:
    return mean_of([trend(outcomes_of(run, protocol, (scratch, tuned))) for tuned, scratch in pairs])


def _option(run: ReportRun, protocol: str, mode: str, pairs: Sequence[Pair]) -> Option | None:
    saved, time_p = _time_saved(run, protocol, pairs)
    weighted = _gain(run, protocol, pairs)
    figure, raised = contrast(run, weighted), contrast(run, weighted, constant=TOLERANCE)
    if saved is None or figure is None or raised is None:
        return None
    return Option(mode, saved, time_p, figure, raised.p_value)


def _time_saved(run: ReportRun, protocol: str, pairs: Sequence[Pair]) -> tuple[Estimate | None, float]:
    """One minus the ratio of seconds, geometric mean over networks; folds are the units."""
    trials = run.data.trials
    mine = trials[(trials["protocol"] == protocol) & (trials["state"] == "ok")]
    if "device" in mine and mine.loc[mine["method"].isin({n for pair in pairs for n in pair}), "device"].nunique() > 1:
        return None, math.nan
    seconds = mine.pivot_table(index=["seed", "fold"], columns="method", values="fit_seconds", aggfunc="mean")
    logs = np.log(np.stack([seconds[a] / seconds[b] for a, b in pairs], axis=1)).mean(axis=1)
    logs = logs[np.isfinite(logs)]
    if not len(logs):
        return Estimate(math.nan, why="no time was recorded"), 1.0
    value = 1 - math.exp(float(logs.mean()))
    found = stats.mean_t_test(logs)
    if isinstance(found, stats.NotApplicable):
        return Estimate(value, n=len(logs), why="it takes two folds that differ"), 1.0
    return Estimate(value, 1 - math.exp(found.high), 1 - math.exp(found.low), n=len(logs)), found.p_value
