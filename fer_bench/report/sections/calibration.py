"""Calibration: the confidence of methods against their accuracy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_bench import stats
from fer_bench.results.outcomes import Key, MethodPredictions
from fer_bench.stats import metrics

from ..model.columns import FAMILY, IMAGES, METHOD, accuracy_column, unit_column
from ..model.report_run import LAST, ReportRun
from ..model.tables import Block, Column, Estimate, Figure, Section, Table
from ..plots import figures

__all__ = ["calibration_section"]


def calibration_section(run: ReportRun, suffix: str) -> Section:
    """Calibration of every finished method, and reliability curves of the best of each family."""
    title, protocol = "Calibration (confidence and accuracy)", run.primary
    methods = [] if protocol is None else [str(name) for name in run.ranked(protocol)["method"]]
    if protocol is None or not methods:
        return Section(f"calibration{suffix}", title, ("No method finished all of its trials.",))
    text = (
        "Of the images that a method classifies with a confidence of 80 %, 80 % should be classified correctly. A "
        "calibrated method follows the dashed diagonal; below it, confidence exceeds accuracy."
    )
    table = _table(run, protocol, methods, suffix)
    blocks: list[Block] = [text, *_curves(run, protocol, table.id, suffix), table]
    return Section(f"calibration{suffix}", title, tuple(blocks))


def _curves(run: ReportRun, protocol: str, table: str, suffix: str) -> list[Block]:
    panels = []
    for family in run.families(protocol):
        outcome = run.outcomes[Key(str(run.best(protocol, family)), protocol, LAST)]
        bins = metrics.calibration_bins(outcome.labels, outcome.probabilities)
        told = zip(bins.confidence, bins.accuracy, bins.n, strict=True)
        points = [(float(sure), float(right), int(n)) for sure, right, n in told if n]
        if points:
            panels.append((outcome.key.method, family, points))
    if not panels:
        return []
    caption = (
        f"{run.shown(protocol)}: images classified correctly, in %, over the confidence of the method, in %, in "
        f"{metrics.CALIBRATION_BINS} bins of equal width; larger marks hold more images, bins of ten or "
        "more are joined. The most accurate method of each family; dashed: confidence equals accuracy."
    )
    return [Figure(f"calibration-figure{suffix}", figures.calibration_panels(panels, caption), caption, table)]


def _table(run: ReportRun, protocol: str, methods: list[str], suffix: str) -> Table:
    rows = [_row(run, run.outcomes[Key(method, protocol, LAST)]) for method in methods]
    columns = (
        *(METHOD, FAMILY, accuracy_column(run.unit)),
        Column("sure", "confidence, %", "share", "mean probability that it gives to its own answer"),
        Column("over", "confidence minus accuracy, points", "difference", "above zero: overconfident"),
        Column(
            *("error", "calibration error, %", "share"),
            f"mean distance of confidence and accuracy over {metrics.CALIBRATION_BINS} bins of equal width (Guo et al. "
            f"2017), 95 % interval {run.unit.over}; few images per bin raise it",
        ),
        Column("brier", "Brier score", "score", "squared distance of the probabilities from the truth; 0 is best"),
        Column("loss", "log loss", "score", "mean minus log of the probability of the truth; 0 is best"),
        *(IMAGES, unit_column(run.unit)),
    )
    title = f"{run.shown(protocol)}: calibration"
    return Table(f"calibration-{protocol}{suffix}", title, columns, tuple(rows), folded=len(rows) > 12)


def _row(run: ReportRun, outcome: MethodPredictions) -> dict[str, Any]:
    found = run.accuracy(outcome)
    row: dict[str, Any] = {
        **{"method": outcome.key.method, "family": run.family(outcome.key.method), "accuracy": found},
        **{"n": found.n, "people": found.people},
    }
    known = np.isfinite(outcome.probabilities).all(axis=1)
    if not len(sure := outcome.probabilities.max(axis=1, initial=0.0)) or not known.all():
        return row  # its log loss is undefined, and half of a calibration is none
    right = outcome.probabilities.argmax(axis=1) == outcome.labels
    return row | {
        "sure": float(sure.mean()),
        "over": _interval(run, np.stack([sure - right, np.ones(len(sure))], axis=1), outcome, _mean, (-1.0, 1.0)),
        "error": _interval(run, _binned(sure, right), outcome, _error, (0.0, 1.0)),
        "brier": metrics.brier_score(outcome.labels, outcome.probabilities),
        "loss": metrics.log_loss(outcome.labels, outcome.probabilities),
    }


def _binned(sure: NDArray[np.float64], right: NDArray[np.bool_]) -> NDArray[np.float64]:
    """For each image its bin's gap and count, (n, 2 * bins): sums over people give the error of any set of people."""
    bins = metrics.CALIBRATION_BINS
    place = np.clip(np.ceil(sure * bins).astype(int) - 1, 0, bins - 1)
    table = np.zeros((len(sure), 2 * bins))
    rows = np.arange(len(sure))
    table[rows, place] = right - sure
    table[rows, bins + place] = 1.0
    return table


def _error(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    bins = sums.shape[1] // 2
    total = sums[:, bins:].sum(axis=1)
    gaps = np.abs(sums[:, :bins]).sum(axis=1)
    result: NDArray[np.float64] = np.divide(gaps, total, out=np.full(len(sums), np.nan), where=total > 0)
    return result


def _mean(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    result: NDArray[np.float64] = np.divide(
        sums[:, 0], sums[:, 1], out=np.full(len(sums), np.nan), where=sums[:, 1] > 0
    )
    return result


def _interval(
    run: ReportRun, table: NDArray[np.float64], outcome: MethodPredictions, statistic: Any, bounds: tuple[float, float]
) -> Estimate:
    counts = stats.sum_by_person(table, outcome.person)
    found = stats.people_interval(counts, statistic, n=len(table), seed=run.seed, bounds=bounds, unit=run.unit)
    return Estimate.of(found)
