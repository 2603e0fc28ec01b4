"""What a method costs, and what was skipped or failed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from fer_bench.results.outcomes import Key

from ..model.columns import FAMILY, METHOD, accuracy_column
from ..model.paths import without_folders
from ..model.report_run import LAST, ReportRun
from ..model.tables import Block, Column, Embedded, Estimate, Section, Table, cell_text
from ..plots import svg
from .dead_trainings import dead_note

__all__ = ["costs_section", "failures_section"]

SECONDS = Column("fit", "fit, s", "seconds", "mean seconds to train one fold, features included, as if it stood alone")
STATE_WORDS = {
    "failed": "failed",
    "timeout": "timed out",
    "oom": "out of memory",
    "skipped": "skipped",
    "missing": "not reached",
}


def costs_section(run: ReportRun, suffix: str) -> Section:
    """Accuracy against seconds, and what one fold takes."""
    title, protocol = "Cost", run.primary
    if protocol is None:
        return Section(f"cost{suffix}", title, ("No trial has finished, so nothing was timed.",))
    rows = _cost_rows(run, protocol)
    points = [
        (row["method"], row["family"], row["fit"], row["accuracy"].value)
        for row in rows
        if row["fit"] > 0 and row["status"] == "ok" and not row["dead"]
    ]
    caption = (
        f"{run.shown(protocol)}: accuracy over seconds to train one fold (logarithmic). The dotted line is the "
        "Pareto front: no cheaper method is as accurate. Circle: classical, square: cnn, triangle: deep, diamond: "
        "other families; dashed: chance."
    )
    axis = "seconds to fit one fold"
    name = f"cost-{protocol}{suffix}"
    drawn = svg.scatter_figure(f"cost-figure{suffix}", points, caption, axis, run.chance) if points else None
    figure: list[Block] = [replace(drawn, table=name), _any_cost(run, rows, suffix)] if drawn else []
    fronts = _mark_fronts(rows)
    columns = (
        *(
            METHOD,
            FAMILY,
            accuracy_column(run.unit),
            Column("front", "Pareto-optimal in", "text", "costs at which no cheaper method is as accurate"),
            SECONDS,
            Column("spread", "least to most, s", "text", "over the finished folds"),
        ),
        Column("trials", "folds", "count", "finished folds that the times come from"),
        Column("prepare", "shared, s", "seconds", "part of fit and predict that is done once for all folds"),
        Column("predict", "predict, ms/image", "milliseconds", "milliseconds to classify one image"),
        Column("cpu", "CPU, s", "seconds", "mean processor seconds of fitting, without the shared work"),
        Column("memory", "peak, MB", "megabytes", "largest resident memory of a trial"),
        *([Column("parameters", "parameters", "count")] if any(row.get("parameters") for row in rows) else []),
        Column("device", "device"),
    )
    left_out = dead_note(run, protocol, done="Pareto-optimal in nothing")
    alone = "Times of trials that ran side by side on few cores are longer than alone."
    notes = (*fronts, *left_out, _machine_note(run), alone)
    return Section(
        f"cost{suffix}",
        title,
        (
            *figure,
            Table(name, f"{run.shown(protocol)}: cost", columns, tuple(rows), notes=notes),
        ),
    )


AXES = (
    ("fit", "training time", "seconds to fit one fold", "s"),
    ("predict", "prediction time", "milliseconds per image", "ms"),
    ("memory", "memory", "largest memory of a trial, MB", "MB"),
    ("parameters", "parameters", "number of parameters", "parameters"),
)
"""Costs that a method can be cheap in: column, short word, title of an axis, unit."""


def _mark_fronts(rows: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    """Write into each row the costs in which it is Pareto-optimal: no method is cheaper and at least as accurate."""
    finished = [row for row in rows if row["status"] == "ok" and not row["dead"]]
    for row in finished:
        mine = []
        for key, word, *_ in AXES:
            if not (row[key] and row[key] > 0):
                continue
            rivals = (other for other in finished if other[key] and 0 < other[key] < row[key])
            if all(other["accuracy"].value < row["accuracy"].value for other in rivals):
                mine.append(word)
        row["front"] = ", ".join(mine)
    return (
        ("Pareto fronts compare figures as they are: neighbours may differ by less than their intervals.",)
        if finished
        else ()
    )


def _any_cost(run: ReportRun, rows: Sequence[dict[str, Any]], suffix: str) -> Embedded:
    """The same points for the page to draw over a cost that the reader chooses."""
    finished = [row for row in rows if row["status"] == "ok" and not row["dead"]]
    axes = [
        {"key": key, "title": title, "unit": unit}
        for key, _, title, unit in AXES
        if any(row[key] and row[key] > 0 for row in finished)
    ]
    points = [
        {"name": row["method"], "family": row["family"], "accuracy": row["accuracy"].value}
        | {str(axis["key"]): row[str(axis["key"])] for axis in axes}
        for row in finished
    ]
    return Embedded(
        f"cost-any{suffix}",
        "costs",
        "Accuracy over a cost of your choice",
        {"axes": axes, "methods": points, "chance": run.chance},
        "Opened as a page with scripts allowed, the report draws accuracy over training time, prediction time or memory"
        " here; the table below holds the figures.",
    )


def failures_section(run: ReportRun, suffix: str) -> Section:
    """Planned trials without a figure, by reason; and warnings of those that finished."""
    trials = run.data.trials
    absent = trials[trials["state"] != "ok"]
    blocks: list[Block] = []
    if trials.empty:
        blocks.append("Nothing was planned.")
    elif absent.empty:
        blocks.append(f"All {len(trials):,} planned trials finished.")
    else:
        blocks.append(_absent_table(trials, absent, suffix))
    warned = trials[trials["warnings"].fillna("") != ""]
    if len(warned):
        rows = _grouped(warned.assign(state="", reason=warned["warnings"]))
        columns = (Column("reason", "warning"), *_WHO)
        blocks.append(Table(f"warnings{suffix}", "Warnings of trials", columns, tuple(rows), head="reason"))
    return Section(f"missing{suffix}", "Skipped and failed", tuple(blocks))


_WHO = (
    Column("trials", "trials", "count", "one method on one fold of one protocol"),
    Column("methods", "methods", "count"),
    Column("names", "which"),
)


def _cost_rows(run: ReportRun, protocol: str) -> list[dict[str, Any]]:
    table, trials = run.results, run.data.trials
    chosen = table[(table["protocol"] == protocol) & (table["selection"] == LAST) & (table["n_done"] > 0)]
    rows = []
    for found in chosen.sort_values(["fit_seconds", "method"]).to_dict("records"):
        method = str(found["method"])
        mine = trials[(trials["method"] == method) & (trials["protocol"] == protocol) & (trials["state"] == "ok")]
        outcome = run.outcomes[Key(method, protocol, LAST)]
        fastest, slowest = (cell_text(SECONDS, float(mine["fit_seconds"].agg(end))) for end in ("min", "max"))
        rows.append(
            {
                **{"method": method, "family": found["family"], "status": found["status"]},
                "dead": run.has_dead(method, protocol),
                "accuracy": run.accuracy(outcome) if found["status"] == "ok" else Estimate(float("nan")),
                **{"fit": float(found["fit_seconds"]), "spread": f"{fastest} to {slowest}", "trials": len(mine)},
                **{"prepare": float(found["prepare_seconds"]), "predict": float(found["predict_ms_per_image"])},
                **{"cpu": float(found["cpu_seconds"]), "memory": float(found["peak_rss_mb"])},
                "parameters": run.info["methods"].get(method, {}).get("n_parameters"),
                "device": ", ".join(sorted(set(mine["device"]))) if "device" in mine else "",
            }
        )
    return rows


def _machine_note(run: ReportRun) -> str:
    machine = run.info.get("machine", {})
    gpu = f", {machine['gpu']}" if machine.get("gpu") else ""
    return (
        f"Measured on {machine.get('cpu', 'an unnamed processor')}, {machine.get('cores', '?')} cores{gpu}, "
        f"with {run.info.get('workers', '?')} workers at a time."
    )


def _absent_table(trials: pd.DataFrame, absent: pd.DataFrame, suffix: str) -> Table:
    columns = (Column("state", "state"), Column("reason", "reason"), *_WHO)
    note = f"{len(absent):,} of {len(trials):,} planned trials; none of them counts as wrong or right anywhere."
    return Table(
        f"absent{suffix}", "Planned, without a figure", columns, tuple(_grouped(absent)), (note,), head="state"
    )


def _grouped(trials: pd.DataFrame) -> list[dict[str, Any]]:
    """One row a state and reason; reasons that differ in their numbers only are told once."""
    reasons = trials["reason"].fillna("").astype(str)
    keyed = trials.assign(reason=reasons, pattern=reasons.map(lambda text: re.sub(r"\d[\d.,]*", "#", text)))
    rows = []
    for (state, _), found in keyed.groupby(["state", "pattern"], sort=False):
        names = list(dict.fromkeys(found["method"]))
        told = list(dict.fromkeys(found["reason"]))
        reason = without_folders(told[0]) or (
            "the run ended before it" if state == "missing" else "no reason was recorded"
        )
        rows.append(
            {
                "state": STATE_WORDS.get(str(state), str(state)),
                "reason": reason + (f" (numbers differ in {len(told) - 1} more)" if len(told) > 1 else ""),
                **{"trials": len(found), "methods": len(names), "names": _listed(names)},
            }
        )
    order = list(STATE_WORDS.values())
    return sorted(rows, key=lambda row: order.index(row["state"]) if row["state"] in order else -1)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
