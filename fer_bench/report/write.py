"""Put the report together and write its files."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypedDict

import pandas as pd

from fer_bench.errors import UserError
from fer_bench.results.checks import find_doubts
from fer_bench.results.schema import INFO
from fer_bench.utils.files import atomic_write
from fer_bench.utils.json_files import find_json
from fer_bench.utils.ownership import need_own
from fer_bench.utils.paths import given_path
from fer_bench.utils.spreadsheets import guarded_csv

from .contents import SECTIONS
from .formats.exports import document_json, table_csv
from .formats.figures import figure_svg
from .formats.html import html
from .formats.latex import table_tex
from .formats.markdown import markdown, summary
from .model.document import Document, figures_of, tables_of
from .model.ids import with_own_ids
from .model.report_run import ReportRun, gather
from .model.tables import Section, Table, with_reasons
from .sections import leaderboard, opening, provenance
from .sections.bibliography import bibtex
from .sections.runs import runs_section

__all__ = ["build_document", "write_report"]

_NEW = "give another folder with `out`"
EVERYTHING = Path("tables", "report.json")


_Path = str | os.PathLike[str]


def write_report(runs: _Path | Sequence[_Path], out: _Path | None = None) -> Path:
    """Write the report in all its forms.

    ``report.html`` and ``report.md`` to read, ``summary.md`` for a comment on a pull request; ``results.csv``, one row
    a method and protocol; and from the very same tables ``tables/*.csv`` and ``tables/*.tex``, ``tables/report.json``
    with everything, ``figures/*.svg``. The same run files give the same bytes: nothing but the runs' own records goes
    in, no clock, no host.

    Parameters
    ----------
    runs : path or sequence of path
        Run directories, or what `fer_bench.run` gave; several are merged, each row labelled with its run.
    out : path, optional
        Directory to write to; the run's own where there is one run.

    Returns
    -------
    path
        Of ``report.html``.

    Raises
    ------
    UserError
        No run is given, several are given without ``out``, one is no run directory, or files would be lost that no
        report of ours wrote.
    """
    run_dirs = [
        given_path(run, "the run's folder") for run in ([runs] if isinstance(runs, str | os.PathLike) else runs)
    ]
    if not run_dirs:
        raise UserError("no run directory was given; give one or more that `fer-bench run` wrote")
    if out is None and len(run_dirs) > 1:
        raise UserError(f"{len(run_dirs)} runs are merged into one report; say where to write it with `out`")
    places = [folder.resolve() for folder in run_dirs]
    twice = next((run for run, place in zip(run_dirs, places, strict=True) if places.count(place) > 1), None)
    if twice is not None:
        raise UserError(f"{twice} is given twice; name each run once")
    target = run_dirs[0] if out is None else _apart(given_path(out, "`out`"), places)
    found = gather(run_dirs)
    document = build_document(found)
    files = {
        Path("results.csv"): _results_csv(found),
        **{Path("tables", f"{table.id}.csv"): table_csv(table) for table in tables_of(document)},
        **{Path("tables", f"{table.id}.tex"): table_tex(table) for table in tables_of(document)},
        **{Path("figures", f"{figure.id}.svg"): figure_svg(figure) for figure in figures_of(document)},
        Path("references.bib"): bibtex(found),
        Path("report.md"): markdown(document),
        Path("summary.md"): summary(document),
        Path("report.html"): html(document),
    }
    beside = [name.as_posix() for name in files if len(name.parts) > 1]
    earlier = find_json(target / EVERYTHING, _Everything)
    if out is not None and target.resolve() not in places:
        _need_own(target, [EVERYTHING, *files], earlier)
    _remove_stale(target, beside, earlier)
    # First what tells whose folder it is: a report that is broken off can be written anew.
    for name, text in ({EVERYTHING: document_json(document, beside)} | files).items():
        with atomic_write(target / name, "w") as handle:
            handle.write(_writable(text))
    return target / "report.html"


def build_document(runs: Sequence[ReportRun]) -> Document:
    """Make the report's sections from gathered runs."""
    several = len(runs) > 1
    sections = [*([runs_section(runs)] if several else []), leaderboard.leaderboard_section(runs)]
    for build in SECTIONS:
        for place, run in enumerate(runs):
            section = build(run, f"-{place + 1}" if several else "")
            if not section.blocks:
                continue
            title = f"{section.title} ({run.label})" if several else section.title
            sections.append(Section(section.id, title, section.blocks))
    sections = [_with_reasons(section) for section in sections]
    tables = [block for section in sections for block in section.blocks if isinstance(block, Table)]
    sections.append(provenance.words_section(tables))
    names = " and ".join(dict.fromkeys(_data_words(run) for run in runs))
    return with_own_ids(
        Document(
            title=f"Facial expression recognition on {names}",
            subtitle="; ".join(dict.fromkeys(_made_by(run) for run in runs)),
            warnings=(*opening.warnings_of(runs), *_doubts(runs)),
            headlines=tuple((f"{v.label}: " if several else "") + opening.headline(v) for v in runs),
            glance=tuple(
                replace(table, title=f"{table.title} ({v.label})") if several else table
                for i, v in enumerate(runs)
                for table in opening.glance(v, f"-{i + 1}" if several else "")
            ),
            sections=tuple(sections),
        )
    )


def _with_reasons(section: Section) -> Section:
    blocks = tuple(with_reasons(block) if isinstance(block, Table) else block for block in section.blocks)
    return replace(section, blocks=blocks)


def _doubts(runs: Sequence[ReportRun]) -> tuple[str, ...]:
    """What is odd in the runs' files."""
    found = [(run.label, text) for run in runs for text in find_doubts(run.data)]
    return tuple(f"{label}: {text}" if len(runs) > 1 else text for label, text in found)


def _made_by(run: ReportRun) -> str:
    return f"fer-bench {run.info['code'].get('version', '')}, {str(run.info.get('started') or '')[:10]}".rstrip(", ")


def _data_words(run: ReportRun) -> str:
    name = str(run.info["dataset"]["name"])
    return f"rendered faces ({name})" if run.rendered else name


def _results_csv(runs: Sequence[ReportRun]) -> str:
    frames = [run.results.assign(run=run.label) if len(runs) > 1 else run.results for run in runs]
    merged = pd.concat([frame for frame in frames if len(frame)] or frames[:1], ignore_index=True)
    return guarded_csv(merged)


def _writable(text: str) -> str:
    """Replace the few signs that no file of ours can hold: control signs of no text, halves of pairs."""
    whole = text.encode("utf-8", "replace").decode("utf-8")
    return re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]", "\ufffd", whole)


class _Everything(TypedDict):
    files: list[str]


def _apart(target: Path, runs: Sequence[Path]) -> Path:
    """Return a folder for a report; that of another run than the one that is reported would lose its own report."""
    if target.exists() and not target.is_dir():
        raise UserError(f"`out` {target} is a file; give a folder for the report")
    if (target / INFO).exists() and [target.resolve()] != list(runs):
        raise UserError(f"`out` {target}: holds a run, whose own report would be lost; give another folder with `out`")
    return target


def _need_own(target: Path, files: Sequence[Path], earlier: _Everything | None) -> None:
    """Refuse a folder in which files of a report's names are that no report of ours wrote."""
    for name in files:
        ours = earlier is not None and (len(name.parts) == 1 or name.as_posix() in [str(EVERYTHING), *earlier["files"]])
        need_own(target / name, lambda _, ours=ours: ours, "a file of a report", "`out`", _NEW)  # type: ignore[misc]


def _remove_stale(target: Path, kept: Sequence[str], earlier: _Everything | None) -> None:
    """Remove what an earlier report of this folder wrote and this one will not; files of others stay."""
    for name in map(Path, set(earlier["files"] if earlier else ()) - set(kept)):
        if name.parts[:-1] in (("tables",), ("figures",)) and name.suffix in (".csv", ".tex", ".svg"):
            (target / name).unlink(missing_ok=True)
