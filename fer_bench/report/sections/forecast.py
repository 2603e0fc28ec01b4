"""What a run was expected to take beside what it took."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ..model.report_run import FAMILY_WORDS, ReportRun
from ..model.tables import Column, Table

__all__ = ["foreseen_tables"]

_SOURCES = {
    "measured": "measured",
    "scaled": "measured at another size",
    "family": "corrected estimate",
    "calibrated": "calibrated estimate",
}


def foreseen_tables(run: ReportRun, suffix: str) -> list[Table]:
    """Predicted and true seconds by family; nothing for runs that predicted nothing or finished nothing."""
    trials = _paired(run)
    if trials.empty:
        return []
    groups = list(trials.groupby("family", sort=False))
    rows = [_row(FAMILY_WORDS.get(str(family), str(family)), found) for family, found in groups]
    if len(rows) > 1:
        rows.append(_row("all", trials))
    columns = (
        *(Column("family", "family"), Column("trials", "trials", "count", "finished trials that were predicted")),
        Column("predicted", "predicted, s", "seconds", "core-seconds, as predicted before the first trial began"),
        Column("true", "true, s", "seconds", "seconds to fit and predict, without work that trials share"),
        Column("ratio", "true / predicted", "score", "median over trials"),
        Column("spread", "9 in 10 trials", "text", "the ratio's 5th to 95th percentile"),
        Column("sources", "predicted from", "text", "own measurements, or the shipped estimate, scaled to the machine"),
    )
    title = "Predicted and true time"
    return [Table(f"foreseen{suffix}", title, columns, tuple(rows), _notes(run), head="family", folded=True)]


def _paired(run: ReportRun) -> pd.DataFrame:
    """One row a finished trial that was predicted: id, family, source, predicted and true seconds."""
    rows = run.info.get("plan", ())
    plan = pd.DataFrame([row for row in rows if row.get("predicted_from") and row.get("predicted_seconds") is not None])
    done = run.data.trials[run.data.trials["state"] == "ok"]
    if plan.empty or done.empty:
        return pd.DataFrame()
    known = plan[["id", "predicted_seconds", "predicted_from"]].astype({"id": str, "predicted_seconds": float})
    found = done.merge(known, on="id")
    found["true"] = found["fit_seconds"] + found["predict_seconds"] - found["prepare_seconds"].fillna(0.0)
    found["family"] = found["method"].map(run.family)
    return found[found["true"].notna() & (found["predicted_seconds"] > 0)]


def _row(family: str, found: pd.DataFrame) -> dict[str, Any]:
    ratios = found["true"] / found["predicted_seconds"]
    low, high = ratios.quantile(0.05), ratios.quantile(0.95)
    counts = found["predicted_from"].map(lambda source: _SOURCES.get(source, source)).value_counts(sort=False)
    return {
        "family": family,
        "trials": len(found),
        "predicted": float(found["predicted_seconds"].sum()),
        "true": float(found["true"].sum()),
        "ratio": float(ratios.median()),
        "spread": f"{low:.2f} to {high:.2f}",
        "sources": ", ".join(f"{source}: {n:,}" for source, n in counts.items()),
    }


def _notes(run: ReportRun) -> tuple[str, ...]:
    wall = (run.info.get("forecast") or {}).get("wall_seconds")
    took = (run.info.get("phase_seconds") or {}).get("trials")
    if not wall or not took or (run.data.trials["state"] == "missing").any():
        return ()
    return (
        f"Predicted from the first trial's start to the last one's end, with {run.info.get('workers', '?')} workers: "
        f"{wall / 60:.1f} minutes; it took {took / 60:.1f} minutes, over all calls of the run.",
    )
