"""The other systems that the article names: what their authors report, beside ours on this run's folds."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from fer_bench.data import CROP_WORDS

from ..model.report_run import ReportRun
from ..model.tables import Column, Section, Table
from ..model.wording import input_words
from .article import our_cells, our_columns
from .published import STATUS_WORDS, NamedFigure, NamedSystem, load_published

__all__ = ["named_section"]

_TEXT = (
    "No two figures of a row were measured alike: the column why says how. A published figure with the status "
    "recalled, unverified was not read by us; one that is missing is not known to us. Rows of the family literature "
    "are shown among the others, but lead no headline, decide no claim and are in no test between families."
)

_UNKNOWN = "not known to us"
"""A protocol in ``published.toml`` that nobody could tell."""


def named_section(run: ReportRun, suffix: str) -> Section:
    """Every named system of this run with its published figures; empty where the run has none.

    AlexNet, fine-tuned beside sixteen other networks, makes no such part by itself.
    """
    planned = list(dict.fromkeys(run.data.trials["method"]))
    rows: list[dict[str, Any]] = []
    for system in load_published().named:
        mine = [name for name in planned if any(fnmatchcase(name, pattern) for pattern in system.ours)]
        rows += [_row(run, system, figure, name) for name in mine for figure in system.figures or (None,)]
    if all(run.family(row["ours"]) == "deep" for row in rows):
        return Section(f"named{suffix}", "Systems named in the article", ())
    accuracies = {f"ours {name}" for name in run.protocols}
    ours = our_columns(run, rows)
    columns = (
        *(Column("label", "system"), Column("published", "published, %"), Column("status", "status")),
        *(Column("ours", "our method", "code"), *(column for column in ours if column.key in accuracies)),
        Column("why", "why the two can't be compared directly"),
        *(column for column in ours if column.key not in accuracies),
        *(Column("data", "its data"), Column("reads", "ours reads"), Column("source", "source")),
    )
    title = "Systems named in the article, published figures beside ours"
    table = Table(f"named-systems{suffix}", title, columns, tuple(rows), head="label")
    return Section(f"named{suffix}", "Systems named in the article", (_TEXT, table))


def _row(run: ReportRun, system: NamedSystem, figure: NamedFigure | None, name: str) -> dict[str, Any]:
    cells: dict[str, Any] = {"published": "not known", "status": "", "data": ""}
    if figure is not None:
        cells = {"published": figure.percent, "status": STATUS_WORDS[figure.status]}
        cells |= {"data": figure.data}
    method = run.info["methods"].get(name, {})
    return {
        **{"label": system.label, "source": system.source, "ours": name},
        **cells,
        "reads": input_words(method),
        "why": "; ".join(filter(None, [_less(method), _other_data(run, figure), _faces(run, system), system.differs])),
        **our_cells(run, name),
    }


def _less(method: Mapping[str, Any]) -> str:
    """How much less our method does in this run than in a full one; mostly the first reason for a low figure."""
    shown = {
        "size": "{} px",
        "network": "the network {}",
        "epochs": "{} epochs",
        "pretraining epochs": "{} before them",
    }
    less = [
        f"{shown[what].format(here)} (in full {full})"
        for what, (here, full) in (method.get("shortened") or {}).items()
        if what in shown
    ]
    return f"cut short in this run: {', '.join(less)}".replace(" 1 epochs", " 1 epoch") if less else ""


def _faces(run: ReportRun, system: NamedSystem) -> str:
    """How faces were cut out in this run, and in theirs where that is known."""
    ours = CROP_WORDS.get(str(run.info["dataset"].get("crop")), "")
    return ", ".join(filter(None, [ours, system.faces and f"{'not ' if ours else 'their faces were '}{system.faces}"]))


def _other_data(run: ReportRun, figure: NamedFigure | None) -> str:
    """How data and folds differ between a published figure and this run."""
    if figure is None:
        return ""
    known = figure.protocol != _UNKNOWN
    folds = f"other folds than theirs ({figure.protocol})" if known else "how they split is not known to us"
    if figure.layout and run.layouts == (figure.layout,) and not run.rendered:
        return f"the same data, perhaps not the same pictures of it; {folds}"
    ours = "rendered faces" if run.rendered else str(run.info["dataset"]["name"])
    return f"other data: {ours}, not {figure.data}; {folds}"
