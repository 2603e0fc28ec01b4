"""Which part of chance an interval holds: people, not new trainings; and what becomes of a verdict where that matters.

The rule stands in `fer_bench.results.training_luck`. A row in doubt by it has an interval over folds beside that over
people, which holds new trainings, too, and a verdict on it is withheld unless the test over folds agrees.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fer_bench import stats
from fer_bench.results.outcomes import Key, MethodPredictions
from fer_bench.results.training_luck import fold_test, folds_differ, in_doubt, why_withheld

from ..model.report_run import LAST, ReportRun
from ..model.tables import Column, Estimate

__all__ = ["FOLD_COLUMNS", "doubtful", "fold_cells", "luck_note", "withheld"]

FOLD_COLUMNS = (
    Column("fold_range", "fold by fold, %", "text", "accuracy of the worst and of the best fold"),
    Column(
        *("retrained", "with new trainings, %", "share"),
        "the same accuracy with a 95 % t interval over folds, which holds new trainings and new people; given where "
        "folds differ by more than people explain, and for trained methods with one seed or fewer than five folds",
    ),
    Column(
        *("p_folds", "p over folds", "p"),
        "against the first row, t test over folds; given where it and the test over people do not agree at 5 %",
    ),
)


def fold_cells(run: ReportRun, protocol: str, row: dict[str, Any]) -> dict[str, Any]:
    """Cells of `FOLD_COLUMNS` of a row of the leaderboard, by its method and its p value against the first row."""
    outcome = run.outcomes[Key(row["method"], protocol, LAST)]
    found = _spread(run, outcome)
    cells: dict[str, Any] = {}
    if not isinstance(found, stats.NotApplicable):
        cells["fold_range"] = f"{100 * found.lowest:.1f} to {100 * found.highest:.1f} ({found.folds} folds)"
        if doubtful(run, outcome) and found.lowest < found.highest:
            cells["retrained"] = Estimate.of(found.interval)
    if "p_behind" in row:
        first = run.outcomes[Key(str(run.standing(protocol)["method"].iloc[0]), protocol, LAST)]
        tested = _fold_test(run, outcome, first)
        if tested is not None and (tested.p_value < stats.ALPHA) != (row["p_behind"] < stats.ALPHA):
            cells["p_folds"] = tested.p_value
    return cells


def withheld(run: ReportRun, protocol: str, a: str, b: str, p_value: float) -> str:
    """Why a difference that is certain over people is none yet of the methods; empty where it is, or is uncertain."""
    pair = [run.outcomes[Key(name, protocol, LAST)] for name in (a, b)]
    if not run.declares_winner or p_value >= stats.ALPHA or not any(doubtful(run, one) for one in pair):
        return ""
    return why_withheld(_fold_test(run, *pair))


def luck_note(runs: Sequence[ReportRun], protocol: str) -> str:
    """Which part of chance the intervals of a leaderboard hold."""
    unit = runs[0].unit.many
    said = f"Intervals and p values hold the chance of who is tested ({unit}), not that of new trainings"
    found = [
        one.key.method
        for run in runs
        for one in run.outcomes.values()
        if (one.key.protocol, one.key.selection) == (protocol, LAST) and _differs(run, one)
    ]
    if found:
        names = f"{', '.join(found[:3])}{f' and {len(found) - 3} more' if len(found) > 3 else ''}"
        said += f"; folds differ by more than people explain (analysis of variance, at 5 %): {names}"
    return f"{said}."


def _spread(run: ReportRun, outcome: MethodPredictions) -> stats.FoldSpread | stats.NotApplicable:
    kept = ("fold spread", outcome.key)
    if kept not in run.kept:
        run.kept[kept] = stats.fold_spread(outcome.correct, outcome.person, outcome.folds)
    found: stats.FoldSpread | stats.NotApplicable = run.kept[kept]
    return found


def _differs(run: ReportRun, outcome: MethodPredictions) -> bool:
    return folds_differ(_spread(run, outcome))


def doubtful(run: ReportRun, outcome: MethodPredictions) -> bool:
    """Whether new trainings may move a row by more than its interval over people says."""
    return in_doubt(outcome, run.family(outcome.key.method), _spread(run, outcome))


def _fold_test(run: ReportRun, a: MethodPredictions, b: MethodPredictions) -> stats.FoldTest | None:
    """The test of a pair over folds, where both tested the same images; None where there is one fold."""
    if not (np.array_equal(a.images, b.images) and np.array_equal(a.seeds, b.seeds)):
        return None
    return fold_test(a.correct, b.correct, a.person, a.folds, run.train_size(a.key.protocol))
