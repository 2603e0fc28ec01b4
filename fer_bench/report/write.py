"""Put the report together and write its files."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from fer_bench.errors import UserError

from . import article, comparison, costs, data, detail, leakage, opening, protocols, provenance, turned
from .document import Document, tables_of
from .exports import table_csv
from .gather import RunView, gather
from .markdown import markdown
from .render import html
from .tables import Section, Table, with_reasons

__all__ = ["build_document", "write_report"]

SECTIONS: tuple[Callable[[RunView, str], Section], ...] = (
    comparison.families_section,
    comparison.pairs_section,
    article.article_section,
    detail.expressions_section,
    detail.views_section,
    detail.confusions_section,
    leakage.splits_section,
    turned.turned_section,
    protocols.epochs_section,
    protocols.curves_section,
    costs.costs_section,
    costs.failures_section,
    data.data_section,
    provenance.provenance_section,
    provenance.citation_section,
)
"""Sections that are written for one run each, in reading order."""


def write_report(run_dirs: Sequence[Path], out: Path | None = None) -> Path:
    """Write ``report.html``, ``report.md``, ``results.csv`` and ``tables/*.csv``.

    The same run files give the same bytes: nothing but the runs' own records goes in, no clock, no host.

    Parameters
    ----------
    run_dirs : sequence of path
        Run directories; several are merged, each row labelled with its run.
    out : path, optional
        Directory to write to; the run's own where there is one run.

    Returns
    -------
    path
        Of ``report.html``.

    Raises
    ------
    UserError
        No run is given, several are given without ``out``, or one is no run directory.
    """
    if not run_dirs:
        raise UserError("no run directory was given; give one or more that `fer-bench run` wrote")
    if out is None and len(run_dirs) > 1:
        raise UserError(f"{len(run_dirs)} runs are merged into one report; say where to write it with --out")
    target = Path(run_dirs[0]) if out is None else Path(out)
    views = gather(run_dirs)
    (target / "tables").mkdir(parents=True, exist_ok=True)
    _write(target / "results.csv", _results_csv(views))
    document = build_document(views)
    tables = {f"{table.id}.csv": table_csv(table) for table in tables_of(document)}
    for stale in set((target / "tables").glob("*.csv")) - {target / "tables" / name for name in tables}:
        stale.unlink()
    for name, text in tables.items():
        _write(target / "tables" / name, text)
    _write(target / "report.md", markdown(document))
    _write(target / "report.html", html(document))
    return target / "report.html"


def build_document(views: Sequence[RunView]) -> Document:
    """Make the report's sections from gathered runs."""
    several = len(views) > 1
    sections = [comparison.leaderboard_section(views)]
    for build in SECTIONS:
        for place, view in enumerate(views):
            section = build(view, f"-{place + 1}" if several else "")
            title = f"{section.title} ({view.label})" if several else section.title
            sections.append(Section(section.id, title, section.blocks))
    sections = [_with_reasons(section) for section in sections]
    tables = [block for section in sections for block in section.blocks if isinstance(block, Table)]
    sections.append(provenance.words_section(tables))
    first = views[0].info
    names = " and ".join(dict.fromkeys(_data_words(view) for view in views))
    date = str(first.get("started", ""))[:10]
    return Document(
        title=f"Facial expression recognition on {names}",
        subtitle=f"fer-bench {first.get('code', {}).get('version', '')}, {date}".rstrip(", "),
        warnings=opening.warnings_of(views),
        headlines=tuple((f"{v.label}: " if several else "") + opening.headline(v) for v in views),
        glance=tuple(opening.facts(view, f"-{i + 1}" if several else "") for i, view in enumerate(views)),
        sections=tuple(sections),
    )


def _with_reasons(section: Section) -> Section:
    blocks = tuple(with_reasons(block) if isinstance(block, Table) else block for block in section.blocks)
    return replace(section, blocks=blocks)


def _data_words(view: RunView) -> str:
    name = str(view.info["dataset"]["name"])
    return f"rendered faces ({name})" if view.rendered else name


def _results_csv(views: Sequence[RunView]) -> str:
    if len(views) == 1:
        return views[0].results.to_csv(index=False, lineterminator="\n")
    frames = [view.results.assign(run=view.label) for view in views]
    merged = pd.concat([frame for frame in frames if len(frame)] or frames[:1], ignore_index=True)
    return merged.to_csv(index=False, lineterminator="\n")


def _write(file: Path, text: str) -> None:
    """Write whole or not at all: a reader never meets half a report."""
    scratch = file.with_name(f".{file.name}.tmp")
    with scratch.open("w", encoding="utf-8", newline="\n") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    scratch.replace(file)
