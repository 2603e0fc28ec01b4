"""The images behind the figures: what was read, chosen and cut out, what was left out and why, how folds are drawn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import PurePath
from typing import Any

from fer_bench.data import CROP_WORDS, LAYOUT_SUMMARIES
from fer_bench.data.left_out import by_reason
from fer_bench.data.manifest import FileCount

from ..model.paths import without_folders
from ..model.report_run import ReportRun
from ..model.tables import Block, Column, Section, Table

__all__ = ["data_section", "fact_table"]

MOST_NAMES = 1000
"""Names of files that one table of the report lists; all of them are in run.json."""

_FILES = Column("files", "files", "count")


def data_section(run: ReportRun, suffix: str) -> Section:
    """The audit: images and people, options that chose them, crops, files left out, and the balance of the folds."""
    dataset = run.info["dataset"]
    blocks: list[Block] = [fact_table(f"data-facts{suffix}", "The images", _facts(run))]
    blocks += _crops(dataset.get("crop_audit"), suffix)
    blocks += _balance(run, suffix)
    blocks += _left_out([(str(item["file"]), str(item["reason"])) for item in dataset.get("excluded", ())], suffix)
    blocks += [_nothing_left_out(dataset)] if not dataset.get("excluded") else []
    return Section(f"data{suffix}", "Data", tuple(blocks))


def fact_table(name: str, title: str, facts: Iterable[tuple[str, str]]) -> Table:
    """Pairs of what and value; empty values are left out."""
    rows = tuple({"what": what, "value": value} for what, value in facts if value not in ("", ", "))
    return Table(name, title, (Column("what", "what"), Column("value", "value")), rows, head="what")


def _facts(run: ReportRun) -> list[tuple[str, str]]:
    dataset = run.info["dataset"]
    counted = _counted(dataset)
    people = f"{dataset['n_people']:,}" if run.unit.tells_people else "not given"
    stands_in = "" if run.unit.tells_people else f"{run.unit.many}: intervals and tests are {run.unit.over}"
    return [
        ("name", str(dataset["name"])),
        ("layout", _layout_words(run)),
        ("faces", "rendered, drawn by a computer" if run.rendered else "photographs"),
        ("images", f"{dataset['n_images']:,}"),
        ("people", people),
        ("unit in place of people", stands_in),
        ("sessions", _listed(dataset.get("sessions", ()))),
        ("views", _listed(dataset.get("views", ()))),
        *_options(dataset),
        ("crop", _crop_words(dataset)),
        ("files", counted.sentence if counted else ""),
        ("files left out", f"{len(dataset.get('excluded', ())):,}"),
        ("file or folder", PurePath(str(dataset.get("path", ""))).name),
        ("hash of the manifest", str(dataset.get("manifest_hash", ""))),
    ]


def _layout_words(run: ReportRun) -> str:
    """The sentences of one layout, or of the two that were joined for cross-dataset.

    The run's own, since a package's layout need not be installed where a report is made; earlier runs had none.
    """
    known = run.info["dataset"].get("layout_summary")
    return str(known or "; and ".join(LAYOUT_SUMMARIES.get(name, name) for name in run.layouts))


def _options(dataset: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Options that made the data what they are; only those that were given."""
    given = dataset.get("options") or {}
    return [(f"option --{str(name).replace('_', '-')}", _value_words(value)) for name, value in given.items()]


def _value_words(value: Any) -> str:
    if value in (None, False, "", [], ()):
        return ""
    if value is True:
        return "yes"
    return without_folders(_listed(value) if isinstance(value, (list, tuple)) else str(value))


def _crop_words(dataset: Mapping[str, Any]) -> str:
    """How faces were cut out, and what was seen where looking at pictures chose it; earlier runs did not look."""
    crop, chosen = str(dataset.get("crop", "")), dataset.get("crop_choice") or {}
    words = chosen.get("sentence") or CROP_WORDS.get(crop, "")
    return f"{crop}: {words}" if words else crop


def _listed(values: Iterable[Any]) -> str:
    return ", ".join(str(value) for value in values if str(value))


def _crops(found: Mapping[str, Any] | None, suffix: str) -> list[Block]:
    """How many faces the detector found, and which pictures got the fixed box instead."""
    if not found:
        return []
    names, views = [str(name) for name in found.get("names", ())], found.get("views") or {}
    facts = [
        ("detector", str(found.get("detector", ""))),
        ("faces found", f"{int(found.get('found', 0)):,}"),
        ("by each detector", _listed(f"{by} {n:,}" for by, n in (found.get("by") or {}).items())),
        ("fixed box or centre in place of a face", f"{int(found.get('fallback', 0)):,}"),
        *((f"view {v}" if v else "no view given", f"{hit:,} found, {miss:,} not") for v, (hit, miss) in views.items()),
    ]
    blocks: list[Block] = [fact_table(f"crops{suffix}", "Faces cut out", facts)]
    if names:
        rows = tuple({"file": name} for name in names[:MOST_NAMES])
        columns = (Column("file", "file", "code"),)
        title = f"No face found: {len(names):,} pictures, cut by the fixed box or the centre"
        blocks.append(Table(f"fallback{suffix}", title, columns, rows, _more(len(names)), head="file", folded=True))
    return blocks


def _balance(run: ReportRun, suffix: str) -> list[Block]:
    rows = []
    for name in run.protocols:
        words = str(run.info["protocols"].get(name, {}).get("balance") or "")
        if words:
            rows.append({"protocol": run.shown(name), "balance": words})
    if not rows:
        return []
    columns = (Column("protocol", "protocol"), Column("balance", "test sides of its folds"))
    title = "How even the folds are"
    return [Table(f"balance{suffix}", title, columns, tuple(rows), head="protocol")]


def _counted(dataset: Mapping[str, Any]) -> FileCount | None:
    """Where each file went; earlier runs did not count them."""
    said = dataset.get("files")
    return FileCount(**{one.name: said[one.name] for one in fields(FileCount)}) if said else None


def _nothing_left_out(dataset: Mapping[str, Any]) -> str:
    """That nothing was left out, as far as files were counted."""
    counted = _counted(dataset)
    if counted and counted.whole:
        return f"No file was left out: {counted.sentence}."
    if dataset["rendered"] and not dataset.get("path"):
        return "No image was left out."
    return "No picture was left out; other files beside the pictures were not counted."


def _left_out(excluded: Sequence[tuple[str, str]], suffix: str) -> list[Block]:
    """Reasons with their counts, then the names, folded away."""
    if not excluded:
        return []
    rows = [
        {"reason": without_folders(group.reason), "files": len(group), "example": group.example}
        for whole in by_reason(excluded)
        for group in whole.apart()
    ]
    columns = (Column("reason", "reason"), _FILES, Column("example", "such as", "code"))
    listed = tuple({"file": file, "reason": without_folders(reason)} for file, reason in excluded[:MOST_NAMES])
    return [
        Table(f"left-out{suffix}", "Left out, by reason", columns, tuple(rows), head="reason"),
        Table(
            f"excluded{suffix}",
            f"Left out: {len(excluded):,} files",
            (Column("file", "file", "code"), Column("reason", "reason")),
            listed,
            _more(len(excluded)),
            head="file",
            folded=True,
        ),
    ]


def _more(total: int) -> tuple[str, ...]:
    if total <= MOST_NAMES:
        return ()
    return (f"The first {MOST_NAMES:,} of {total:,}; run.json names all of them.",)
