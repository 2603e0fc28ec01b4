"""What is classified correctly and what not: by expression, by view, confusions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fer_bench import stats
from fer_bench.labels import EMOTION_NAMES, EMOTIONS, VIEW_NAMES, VIEWS
from fer_bench.results.outcomes import Key, MethodPredictions
from fer_bench.stats import metrics

from ..model.columns import FAMILY, IMAGES, METHOD, accuracy_column, unit_column
from ..model.report_run import FAMILY_WORDS, LAST, ReportRun
from ..model.tables import Block, Column, Embedded, Section, Table
from .published import STATUS_WORDS, load_published

__all__ = ["confusion_table", "confusions_section", "expressions_section", "views_section"]


def expressions_section(run: ReportRun, suffix: str) -> Section:
    """Share of each expression's images that each method found."""
    columns = tuple(
        Column(
            code, f"{name}, %", "heat", f"share of the {name} faces ({code}) that were classified as {name} (recall)"
        )
        for code, name in zip(EMOTIONS, EMOTION_NAMES, strict=True)
    )
    tables = [
        _heat_table(run, protocol, f"expressions-{protocol}{suffix}", "by expression", columns, _label_masks)
        for protocol in run.protocols
    ]
    nothing = "No method finished all of its trials."
    first, *others = _first_open(tables, nothing)
    blocks = (first, *_beside_people(run, suffix), *others)
    return Section(f"expressions{suffix}", "By expression", blocks)


def _beside_people(run: ReportRun, suffix: str) -> list[Block]:
    """The best method of each family on straight views, below the hit rates of people on such photographs."""
    protocol = run.primary
    if not run.kdef or run.rendered or protocol is None or not run.declares_winner:
        return []
    people = load_published().humans
    row: dict[str, Any] = {"method": people.label, "accuracy": f"about {people.accuracy:g}"}
    rows = [row | {code: people.by_expression[code] / 100 for code in EMOTIONS}]
    for family in run.families(protocol):
        outcome = run.outcomes[Key(str(run.best(protocol, family)), protocol, LAST)]
        straight = outcome.where(outcome.views == "S")
        if not len(straight.labels):
            continue
        shares = {code: run.accuracy(straight, mask) for code, mask in _label_masks(straight, EMOTIONS).items()}
        found = run.accuracy(straight)
        rows.append({"method": outcome.key.method, "accuracy": found, "n": found.n, "people": found.people, **shares})
    if len(rows) == 1:
        return []
    columns = (
        replace(METHOD, kind="text"),
        Column("accuracy", "all, %", "share", f"straight views alone, 95 % interval {run.unit.over}"),
        *(
            Column(code, f"{n}, %", "heat", f"classified as {n}")
            for code, n in zip(EMOTIONS, EMOTION_NAMES, strict=True)
        ),
        *(IMAGES, unit_column(run.unit)),
    )
    status = STATUS_WORDS[people.by_expression_status]
    notes = (
        f"{people.label}, doi {people.doi}: {people.caveat}. Its rates by expression: {status}, no interval.",
        "Methods: the most accurate of each family, picked on these images; straight views of both sessions.",
    )
    title = f"{run.shown(protocol)}: straight views, beside people"
    return [Table(f"people-{protocol}{suffix}", title, columns, tuple(rows), notes)]


def views_section(run: ReportRun, suffix: str) -> Section:
    """Accuracy of each method for each direction that the face is turned to."""
    shown = [code for code in VIEWS if code in set(run.info["dataset"].get("views") or VIEWS)]
    columns = tuple(
        Column(code, f"{VIEW_NAMES[VIEWS.index(code)]}, %", "heat", f"accuracy on the images of view {code}")
        for code in shown
    )
    tables = [
        _heat_table(run, protocol, f"views-{protocol}{suffix}", "by view", columns, _view_masks)
        for protocol in run.protocols
    ]
    nothing = "No method finished all of its trials, or the data name no views."
    return Section(f"views{suffix}", "By view", _first_open(tables, nothing))


def confusions_section(run: ReportRun, suffix: str) -> Section:
    """What is taken for what, for the most accurate method of each family."""
    protocol = run.primary
    blocks: list[Block] = []
    for family in run.families(protocol) if protocol else ():
        method = str(run.best(str(protocol), family))
        outcome = run.outcomes[Key(method, str(protocol), LAST)]
        counts = metrics.confusion_matrix(outcome.labels, outcome.predicted)
        title = f"{method} on {run.shown(str(protocol))}, the most accurate of the {FAMILY_WORDS[family]}"
        table = confusion_table(f"confusion-{family}{suffix}", title, counts)
        blocks.append(replace(table, folded=bool(blocks)))
    if not blocks:
        return Section(f"confusions{suffix}", "Confusions", ("No method finished all of its trials.",))
    text = (
        "One row for each expression shown, in percent of its images: what it was classified as. Intervals of the "
        "diagonal stand under By expression."
    )
    return Section(f"confusions{suffix}", "Confusions", (text, _explorer(run, suffix), *blocks))


def _explorer(run: ReportRun, suffix: str) -> Embedded:
    """Confusions of every finished method, for the page to draw one of them or the difference of two."""
    found = []
    for protocol in run.protocols:
        methods = []
        for method in run.ranked(protocol)["method"]:
            outcome = run.outcomes[Key(str(method), protocol, LAST)]
            counts = metrics.confusion_matrix(outcome.labels, outcome.predicted)
            methods.append({"name": str(method), "counts": [int(count) for count in counts.ravel()]})
        if methods:
            found.append({"name": run.shown(protocol), "methods": methods})
    return Embedded(
        f"confusions-any{suffix}",
        "confusions",
        "Any method, or the difference of two",
        {"labels": list(EMOTION_NAMES), "protocols": found},
        "Opened as a page with scripts allowed, the report draws the confusions of any method, or of one minus another,"
        " here; the tables below show the most accurate method of each family.",
    )


def confusion_table(name: str, title: str, counts: ArrayLike, notes: Sequence[str] = ()) -> Table:
    """Make a table of confusions from counts.

    Parameters
    ----------
    name : str
        The table's id.
    title : str
    counts : (7, 7) integers
        Row: the label; column: the prediction.
    notes : sequence of str
    """
    matrix = np.asarray(counts, dtype=np.int64)
    tested = matrix.sum(axis=1)
    rows = []
    for i, emotion in enumerate(EMOTION_NAMES):
        shares = {code: matrix[i, j] / tested[i] if tested[i] else None for j, code in enumerate(EMOTIONS)}
        rows.append({"label": emotion, **shares, "n": int(tested[i])})
    columns = (
        Column("label", "shown"),
        *(Column(c, f"{n}, %", "heat", f"classified as {n}") for c, n in zip(EMOTIONS, EMOTION_NAMES, strict=True)),
        IMAGES,
    )
    return Table(name, title, columns, tuple(rows), notes=tuple(notes), head="label")


def _heat_table(
    run: ReportRun, protocol: str, name: str, what: str, columns: tuple[Column, ...], masks: Any
) -> Table | None:
    methods = [
        (str(found["method"]), str(found["family"]))
        for found in run.results.sort_values(["accuracy", "method"], ascending=[False, True]).to_dict("records")
        if found["protocol"] == protocol and found["selection"] == LAST and found["status"] == "ok"
    ]
    rows: list[Mapping[str, Any]] = []
    tested: dict[str, set[int]] = {column.key: set() for column in columns}
    for method, family in methods:
        outcome = run.outcomes[Key(method, protocol, LAST)]
        row: dict[str, Any] = {"method": method, "family": family, "accuracy": run.accuracy(outcome)}
        for code, mask in masks(outcome, [column.key for column in columns]).items():
            tested[code].add(int(mask.sum()))
            row[code] = run.accuracy(outcome, mask)
        rows.append(row)
    columns = tuple(column for column in columns if tested[column.key] - {0})
    if not rows or not columns:
        return None
    sizes = {
        code: " to ".join(f"{n:,}" for n in sorted({min(found), max(found)})) for code, found in tested.items() if found
    }
    count = {"method": "images of each method", "family": "", "accuracy": "", **sizes}
    unit = run.unit
    people = len({*run.outcomes[Key(methods[0][0], protocol, LAST)].people})
    wilson = f"Where no two {unit.many} differ, as at 100 %, the interval is Wilson's with {unit.many} as trials."
    notes = [f"Methods whose trials all finished. 95 % intervals over {people:,} {unit.many}."]
    return Table(
        id=name,
        title=f"{run.shown(protocol)}: {what}",
        columns=(METHOD, FAMILY, replace(accuracy_column(unit), title="all, %"), *columns),
        rows=(count, *rows),
        notes=(*notes, "Wilson's interval, which takes images for independent." if unit == stats.IMAGE else wilson),
    )


def _label_masks(outcome: MethodPredictions, codes: Sequence[str]) -> dict[str, NDArray[np.bool_]]:
    return {code: outcome.labels == EMOTIONS.index(code) for code in codes}


def _view_masks(outcome: MethodPredictions, codes: Sequence[str]) -> dict[str, NDArray[np.bool_]]:
    return {code: outcome.views == code for code in codes}


def _first_open(tables: Sequence[Table | None], nothing: str) -> tuple[Block, ...]:
    """The first table open, further ones folded: the report stays readable with many methods and protocols."""
    found = [table for table in tables if table is not None]
    if not found:
        return (nothing,)
    return tuple(table if place == 0 else replace(table, folded=True) for place, table in enumerate(found))
