"""Mean ranks over people of at most ten methods, with the critical difference: a picture, not a verdict."""

from __future__ import annotations

import numpy as np

from fer_bench import stats
from fer_bench.results.outcomes import Key

from ..model.columns import FAMILY, METHOD
from ..model.report_run import LAST, ReportRun
from ..model.tables import Column, Figure, Section, Table, p_clause
from ..plots import figures

__all__ = ["ranks_section"]


def ranks_section(run: ReportRun, suffix: str) -> Section:
    """The most accurate methods ranked on each person; for runs that rank somebody."""
    title, protocol = f"Ranks over {run.unit.many}", run.primary
    if not run.declares_winner or protocol is None:
        return Section(f"ranks{suffix}", title, ("A quick run, or one on rendered faces, ranks nobody.",))
    methods = [str(name) for name in run.standing(protocol)["method"]][: stats.MOST_RANKED]
    outcomes = [run.outcomes[Key(method, protocol, LAST)] for method in methods]
    if any(not np.array_equal(outcome.images, outcomes[0].images) for outcome in outcomes):
        return Section(f"ranks{suffix}", title, ("The methods were not tested on the same images.",))
    if not outcomes:
        return Section(f"ranks{suffix}", title, ("No method finished all of its trials.",))
    scores = np.stack([stats.person_accuracies(o.correct, o.person) for o in outcomes], axis=1)
    found = stats.critical_difference(methods, scores, unit=run.unit)
    if isinstance(found, stats.NotApplicable):
        return Section(f"ranks{suffix}", title, (f"No diagram: {found.reason}.",))
    caption = (
        f"{run.shown(protocol)}: mean rank over {found.people:,} {run.unit.many}, 1 is best; the {len(methods)} most "
        "accurate methods. Bars join neighbours that are not significantly different by Nemenyi's critical difference. "
        "Descriptive: ranks forget by how much a method is better; the test of record is the sign-flip test."
    )
    table_id = f"ranks-{protocol}{suffix}"
    ranks = list(zip(found.names, found.ranks, strict=True))
    drawn = figures.rank_diagram(ranks, found.groups, found.difference, caption)
    grouped = {name: [str(i + 1) for i, group in enumerate(found.groups) if name in group] for name in found.names}
    rows = tuple(
        {"method": name, "family": run.family(name), "rank": rank, "groups": ", ".join(grouped[name]) or "alone"}
        for name, rank in ranks
    )
    columns = (
        *(METHOD, FAMILY, Column("rank", "mean rank", "score", f"over {run.unit.many}; ties share")),
        Column("groups", "not significantly different in group", "text", "within the critical difference"),
    )
    note = f"{found.method}: critical difference {found.difference:.2f}; Friedman p {p_clause(found.p_value)}."
    table = Table(table_id, f"{run.shown(protocol)}: mean ranks", columns, rows, (note,), folded=True)
    return Section(f"ranks{suffix}", title, (Figure(f"ranks-figure{suffix}", drawn, caption, table_id), table))
