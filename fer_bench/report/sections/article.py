"""The article's four tables, its published figures beside ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from fer_bench import stats
from fer_bench.results.outcomes import Key
from fer_bench.stats import metrics

from ..model.report_run import BEST, LAST, ReportRun
from ..model.tables import Block, Column, Section, Table
from .confusions import confusion_table
from .published import STATUS_WORDS, PublishedRow, PublishedTable, load_published

__all__ = ["article_section", "our_cells", "our_columns"]

ARTICLE_TEST_IMAGES = 245
OPTIONAL = (
    Column("notebook_best", "notebook, best epoch on test, %", "text", "in the authors' notebooks"),
    Column("notebook_last", "notebook, last epoch, %", "text", "in the authors' notebooks"),
    Column("ten_folds", "ten random folds, %", "text", "mean and standard deviation over folds, best epoch on test"),
    Column("ten_folds_status", "its status", "text", "of the figure over ten folds"),
    Column("ten_folds_last", "ten folds, last epoch, %", "text", "derived from the logs in the authors' notebooks"),
)
"""Published columns that not every table has."""


def article_section(run: ReportRun, suffix: str) -> Section:
    """Tables 1 to 4 with the status of every published figure."""
    published, title = load_published(), "The article's tables, beside ours"
    if not _same_data(run):
        title = "The article's tables, published on KDEF: another data set"
    planned = set(run.data.trials["method"])
    wanted = {name for table in published.tables for row in table.rows for name in row.ours}
    if not wanted & planned:
        return Section(f"article{suffix}", title, ("This run holds none of the methods of the article's tables.",))
    other = (
        "This run did not read KDEF's photographs. The article's figures are of another data set and are no yardstick "
        "for ours: its tables are folded away, for looking up only."
    )
    blocks: list[Block] = [
        *([] if _same_data(run) else [other]),
        *_uncropped(run),
        f"The article retells {published.paper}, doi {published.doi}. Its protocol: {published.protocol}.",
        *published.notes,
        "Where the article's print is not what was run, or not what its tables say: " + " ".join(published.departures),
        "Status of a published figure: verified was read in a public copy; authors' notebook was read in their "
        "published notebooks; recalled, unverified was not read. Our columns give the last epoch, by protocol.",
    ]
    blocks += [_table(run, table, suffix) for table in published.tables]
    return Section(f"article{suffix}", title, (*blocks, *_confusions(run, suffix)))


def _uncropped(run: ReportRun) -> list[str]:
    """That ours are of pictures as they are, before any figure stands beside a published one."""
    dataset = run.info["dataset"]
    if dataset.get("crop") != "none":
        return []
    seen = (dataset.get("crop_choice") or {}).get("sentence") or ""
    return [f"In this run no face was cut out: our figures are of pictures as they are. {seen}".strip()]


def _same_data(run: ReportRun) -> bool:
    """Whether ours are photographs of KDEF; whatever else has its names is another data set."""
    return run.kdef and not run.rendered


def _table(run: ReportRun, table: PublishedTable, suffix: str) -> Table:
    rows = [_row(run, row, name) for row in table.rows for name in row.ours]
    same = _same_data(run)
    printed = "published, %" if same else "published on KDEF, another data set, %"
    columns = (
        *(Column("label", "row"), Column("published", printed), Column("status", "status")),
        *(
            Column("ours", "our method", "code"),
            Column("size", "our input", "text", "side of the square picture"),
            *our_columns(run, rows),
            Column(
                "wilson", "published, if 245 images, %", "text", "Wilson's 95 % interval, assumes independent images"
            ),
            *(column for column in OPTIONAL if any(row.get(column.key) for row in rows)),
        ),
    )
    title = table.title if same else f"{table.title} (published on KDEF, another data set)"
    return Table(f"{table.id}{suffix}", title, columns, tuple(rows), table.notes, head="label", folded=not same)


def our_columns(run: ReportRun, rows: Sequence[Mapping[str, Any]]) -> list[Column]:
    """Columns of what `our_cells` gave for these rows, protocol by protocol."""
    ours = []
    for name in run.protocols:
        text = f"our accuracy, last epoch, 95 % interval {run.unit.over}"
        shown = run.shown(name)
        ours.append(Column(f"ours {name}", f"ours, {shown}, %", "share", text))
        if any(f"best {name}" in row for row in rows):
            text = "our best epoch on test, picked as the article does: optimistic"
            if run.optimistic(name):
                text += "; Wilson's binomial interval, as for the published figure"
            ours.append(Column(f"best {name}", f"ours, {name}, best epoch on test, %: optimistic", "share", text))
        ours.append(Column(f"n {name}", f"images, {shown}", "count", "test images behind our figure"))
    return ours


def _row(run: ReportRun, row: PublishedRow, name: str) -> dict[str, Any]:
    method = run.info["methods"].get(name, {})
    cells: dict[str, Any] = {
        "label": row.label,
        "published": f"{row.published:.2f}",
        "status": STATUS_WORDS[row.status],
        "wilson": _wilson(row.published),
        "notebook_best": _two_places(row.notebook_best),
        "notebook_last": _two_places(row.notebook_last),
        "ten_folds": row.ten_folds,
        "ten_folds_status": STATUS_WORDS[row.ten_folds_status],
        "ten_folds_last": _two_places(row.ten_folds_last),
        "ours": name,
        "size": f"{method['size']} px" if "size" in method else "",
    }
    return cells | our_cells(run, name)


def our_cells(run: ReportRun, name: str) -> dict[str, Any]:
    """Accuracy of a method of ours under each protocol, the images behind it, or in a word why there is none."""
    cells: dict[str, Any] = {}
    for protocol in run.protocols:
        cells |= _our_cells(run, name, protocol)
    return cells


def _our_cells(run: ReportRun, name: str, protocol: str) -> dict[str, Any]:
    rows = run.results
    mine = rows[(rows["method"] == name) & (rows["protocol"] == protocol) & (rows["selection"] == LAST)]
    outcome = run.outcomes.get(Key(name, protocol, LAST))
    if mine.empty:
        return {f"ours {protocol}": "not in this run"}
    status = str(mine.iloc[0]["status"])
    if outcome is None:
        return {f"ours {protocol}": "not finished" if status == "partial" else status}
    if status == "partial":
        return {f"ours {protocol}": "partial, see the leaderboard", f"n {protocol}": len(outcome.labels)}
    found = {f"ours {protocol}": run.accuracy(outcome), f"n {protocol}": len(outcome.labels)}
    watched = run.outcomes.get(Key(name, protocol, BEST))
    if watched is None:
        return found
    best = run.as_published(name, protocol) if run.optimistic(protocol) else run.accuracy(watched)
    return found | {f"best {protocol}": best}


def _confusions(run: ReportRun, suffix: str) -> list[Block]:
    published, same = load_published().confusion, _same_data(run)
    where = "as published" if same else "as published on KDEF, another data set"
    table = confusion_table(f"{published.id}{suffix}", f"{published.title}, {where}", published.counts, published.notes)
    blocks: list[Block] = [replace(table, folded=not same)]
    found = [name for name in run.protocols if Key(published.ours, name, LAST) in run.outcomes]
    for protocol in found[-1:]:
        outcome = run.outcomes[Key(published.ours, protocol, LAST)]
        counts = metrics.confusion_matrix(outcome.labels, outcome.predicted)
        name = f"{published.id}-ours{suffix}"
        ours = confusion_table(name, f"Ours: {published.ours} on {run.shown(protocol)}, last epoch", counts)
        blocks.append(replace(ours, folded=not same))
    if not found:
        blocks.append(f"{published.ours} has no finished trial in this run, so nothing of ours stands beside it.")
    return blocks


def _wilson(percent: float) -> str:
    """Interval of a published figure where it fits a whole number of 245 images."""
    right = round(percent * ARTICLE_TEST_IMAGES / 100)
    if abs(100 * right / ARTICLE_TEST_IMAGES - percent) > 0.011:
        return "fits no count of 245"
    found = stats.wilson_interval(right, ARTICLE_TEST_IMAGES)
    return f"{100 * found.low:.1f} to {100 * found.high:.1f}"


def _two_places(number: float | None) -> str:
    return "" if number is None else f"{number:.2f}"
