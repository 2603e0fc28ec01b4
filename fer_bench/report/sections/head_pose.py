"""Views kept apart: what a face turned to a side that training never showed costs, view by view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fer_bench.labels import VIEW_NAMES, VIEWS
from fer_bench.results.outcomes import Key

from ..model.columns import FAMILY, METHOD
from ..model.report_run import LAST, VIEW_PROTOCOLS, ReportRun
from ..model.tables import Block, Column, Estimate, Section, Table
from .leakage import Comparison

__all__ = ["all_views_partner", "turned_section"]


def turned_section(run: ReportRun, suffix: str) -> Section:
    """Protocols that keep views out of training against one by person alone, for every view."""
    title = "Views kept out of training"
    here = [name for name in VIEW_PROTOCOLS if name in run.protocols]
    if not here:
        return Section(f"turned{suffix}", title, ("This run has no protocol that keeps views out of training.",))
    blocks: list[Block] = []
    for name in here:
        pair = _against(run, name)
        if pair is None:
            blocks.append(f"{name}: no other protocol by person in this run to hold it against; see By view.")
            continue
        table = _table(run, pair, suffix)
        blocks.append(table if table.rows else f"{name}: no method finished under it and under {pair.looser}.")
    return Section(f"turned{suffix}", title, tuple(blocks))


def all_views_partner(run: ReportRun, protocol: str) -> str | None:
    """The protocol by person that shows training all views, nearest in the amount of training data."""
    pair = _against(run, protocol)
    return pair.looser if pair else None


def _against(run: ReportRun, protocol: str) -> Comparison | None:
    size = run.train_size(protocol)
    others = {
        name: run.train_size(name)
        for name in run.protocols
        if run.unseen_people(name)
        and name not in VIEW_PROTOCOLS
        and run.info["protocols"].get(name, {}).get("splits_by") == "person"
    }
    if not others:
        return None
    nearest = min(others, key=lambda name: abs(others[name] - size))
    return Comparison(nearest, protocol, others[nearest], size)


def _table(run: ReportRun, pair: Comparison, suffix: str) -> Table:
    methods = run.finished_under(pair.stricter, pair.looser)
    rows = [{"method": name, "family": run.family(name), **_row(run, pair, name)} for name in methods]
    sizes = _tested(run, pair, methods)
    words = dict(zip(VIEWS, VIEW_NAMES, strict=True))
    columns: list[Column] = [METHOD, FAMILY]
    for code in [*(code for code in VIEWS if code in sizes), *sorted(set(sizes) - set(VIEWS))]:
        text = words.get(code, code)
        columns += [
            Column(code, f"{text}, %", "heat", f"accuracy under {pair.stricter} on the images of view {code}"),
            Column(f"{code} cost", f"{text}, points", "difference", f"minus {pair.looser} on the same images"),
        ]
    tested = ", ".join(f"{words.get(code, code)} {n:,}" for code, n in sizes.items())
    size = "" if pair.same_size else f" Training sizes differ: {pair.looser} and {pair.stricter}: {pair.sizes} images."
    notes = (
        f"Points: {pair.stricter} minus {pair.looser}, where all views are in training.{size}",
        f"Images: {tested}. 95 % intervals {run.unit.over}, not corrected for the number of comparisons.",
    )
    title = f"{pair.stricter} against {pair.looser}, by view"
    return Table(f"turned-{pair.stricter}{suffix}", title, tuple(columns), tuple(rows), notes=notes)


def _tested(run: ReportRun, pair: Comparison, methods: Sequence[str]) -> dict[str, int]:
    """Test images of each view; the same for all methods, whose trials all finished."""
    if not methods:
        return {}
    runs, counts = np.unique(run.outcomes[Key(methods[0], pair.stricter, LAST)].views, return_counts=True)
    return {str(code): int(n) for code, n in zip(runs, counts, strict=True) if code}


def _row(run: ReportRun, pair: Comparison, method: str) -> dict[str, Any]:
    apart, all_views = (run.outcomes[Key(method, name, LAST)] for name in (pair.stricter, pair.looser))
    row: dict[str, Any] = {}
    for code in sorted(set(apart.views) - {""}):
        here = apart.where(apart.views == code)
        found = run.difference(here, all_views)
        if found is not None:
            row |= {code: run.accuracy(here), f"{code} cost": Estimate.of(found.interval)}
    return row
