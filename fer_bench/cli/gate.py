"""The answer of ``fer-bench gate``: for people, for programs, and for GitHub."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from fer_bench.errors import FerBenchError, UserError
from fer_bench.gate.check import GateVerdict, check_gate, nothing_compared
from fer_bench.gate.expected import SEEDS, Expected, Reference, read_expected, write_expected
from fer_bench.gate.judge import Row
from fer_bench.utils.progress import say
from fer_bench.utils.reasons import plain_reason
from fer_bench.utils.texts import escaped, one_line

from .option_names import as_options
from .tables import answer, answer_json, columns

__all__ = ["gate_json", "gate_lines", "github_lines", "github_summary", "in_options", "judge", "update_lines"]

_MOST_LINES = 12
"""Rows that are shown though nothing is wrong with them; --json has all."""
_ACCEPT = (
    "not worse and not what is expected, as where labels leak into training: find out why; if it is meant, write the "
    "new expectation with --update"
)


def judge(
    run_folders: Sequence[Path],
    expected: Path,
    *,
    as_json: bool,
    github: bool,
    **how: Any,
) -> int:
    """Hold a run against expected results, answer in the form that is asked for, and return the exit code.

    Parameters
    ----------
    run_folders : sequence of Path
        One.
    expected : Path
    as_json, github : bool
        For programs, or as annotations.
    **how
        As of `check_gate`.
    """
    try:
        if len(run_folders) > 1:
            raise UserError(f"gate: expected one run, found {len(run_folders)}; several are for --update")
        found = check_gate(run_folders[0], expected, **how)
    except (FerBenchError, OSError) as error:
        if not (as_json or github):
            raise
        # Programs and GitHub are told in their own way, too.
        found = nothing_compared(str(error) if isinstance(error, FerBenchError) else plain_reason(error))
    except Exception as error:
        if github:
            what = one_line(f"{type(error).__name__}: {error}", 300)
            answer(_annotation("error", "fer-bench gate: an error that should not happen", what))
        raise
    found = in_options(found)
    if as_json:
        answer_json(gate_json(found))
    else:
        answer(*(github_lines if github else gate_lines)(found))
    if github:
        write_summary(found)
    return found.exit_code


def in_options(found: GateVerdict) -> GateVerdict:
    """Return the same verdict in the command line's words."""
    faults, notes = (tuple(map(as_options, texts)) for texts in (found.faults, found.notes))
    return replace(found, faults=faults, notes=notes)


def gate_lines(found: GateVerdict) -> Iterator[str]:
    """Word a verdict: what got worse first, then the rows with what each would catch."""
    yield from (f"SET UP WRONGLY: {fault}" for fault in found.faults)
    yield from (f"REGRESSION: {_sentence(row)}" for row in found.regressed)
    yield from (f"CHANGED: {_sentence(row)}; {_ACCEPT}" for row in found.changed)
    if found.rows:
        yield ""
        yield from columns(
            [("METHOD", "PROTOCOL", "EXPECTED", "FOUND", "CHANGED", "P (HOLM)", "CATCHES", ""), *_cells(found)]
        )
        yield "CATCHES: smallest drop in points that the row fails by, with 80 % power where it rests on a test."
    yield from (f"note: {note}" for note in found.notes)
    yield _summary(found)


def gate_json(found: GateVerdict) -> str:
    """Everything as JSON; what is no finite number is null."""
    value = {
        "exit_code": found.exit_code,
        "unit": found.unit.name,
        "faults": list(found.faults),
        "notes": list(found.notes),
        "rows": [{name: _plain(cell) for name, cell in asdict(row).items()} for row in found.rows],
    }
    return json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False)


def github_lines(found: GateVerdict) -> Iterator[str]:
    """Annotations, as GitHub's workflow commands: errors, and warnings for notes."""
    yield from (_annotation("error", "fer-bench gate: set up wrongly", fault) for fault in found.faults)
    yield from (_annotation("error", "fer-bench gate: regression", _sentence(row)) for row in found.regressed)
    changed = (f"{_sentence(row)}; {_ACCEPT}" for row in found.changed)
    yield from (_annotation("error", "fer-bench gate: changed", text) for text in changed)
    yield from (_annotation("warning", "fer-bench gate", note) for note in found.notes)
    yield _summary(found)


def github_summary(found: GateVerdict) -> str:
    """Markdown for the page of a job."""
    head = "| method | protocol | expected | found | changed | p (Holm) | catches, points | verdict |"
    rows = ["| " + " | ".join(map(_cell, cells)) + " |" for cells in _cells(found, everything=True)]
    said = [f"- **set up wrongly**: {escaped(fault)}" for fault in found.faults]
    said += [f"- **{escaped(row.method)} under {escaped(row.protocol)} changed**: {_ACCEPT}" for row in found.changed]
    said += [f"- {escaped(note)}" for note in found.notes]
    table = [head, "|" + "---|" * 8, *rows] if rows else []
    return "\n".join(["### fer-bench gate", "", _summary(found), "", *said, "", *table, ""])


def write_summary(found: GateVerdict) -> None:
    """Append the Markdown to the file that GitHub names, where it does."""
    file = os.environ.get("GITHUB_STEP_SUMMARY")
    if file:
        try:
            with Path(file).open("a", encoding="utf-8") as handle:
                handle.write(github_summary(found))
        except OSError as error:  # the verdict stands without it
            say(f"fer-bench gate: {file}: no summary written ({plain_reason(error)})")


def update_lines(run_folders: list[Path], file: Path, *, few_seeds: bool) -> Iterator[str]:
    """Write a new expectation and tell what it changes."""
    before, damage = None, ""
    if file.exists():
        try:
            before = read_expected(file)
        except UserError as error:
            damage = as_options(str(error))
    first = None
    if before is not None:
        try:
            first = check_gate(run_folders[0], file, few_seeds=True)
        except UserError as error:
            damage = as_options(str(error))
    write_expected(run_folders, file, few_seeds=few_seeds)
    now = read_expected(file)
    yield from _changes(before, now)
    if before is not None:
        judged = {(row.method, row.protocol): row for row in (first.rows if first is not None else ())}
        common = [key for key in now.rows if key in before.rows]
        changed = list(filter(None, (_change(before.rows[key], now.rows[key], judged.get(key)) for key in common)))
        yield from (f"changed: {sentence}" for sentence in changed)
        yield f"{len(changed)} of {len(common)} rows changed"
    elif damage:
        yield f"not compared with what was there: {damage}"
    seeds = next(iter(now.rows.values())).seeds
    yield f"{file}: written, {len(now.rows)} rows, {len(seeds)} {'seed' if len(seeds) == 1 else 'seeds'}"


def _changes(before: Expected | None, now: Expected) -> Iterator[str]:
    if before is None:
        return
    yield from (f"new: {row.name}" for key, row in now.rows.items() if key not in before.rows)
    yield from (f"gone: {row.name}" for key, row in before.rows.items() if key not in now.rows)
    if before.manifest_hash != now.manifest_hash:
        yield f"other data: {before.manifest_hash[:12]} -> {now.manifest_hash[:12]}"


def _change(old: Reference, new: Reference, judged: Row | None) -> str:
    """What is other in a new expectation of a row; empty where nothing is."""
    parts = {
        "seeds": (", ".join(map(str, old.seeds)), ", ".join(map(str, new.seeds))),
        "rule": (old.rule, new.rule),
        "weights": (old.weights, new.weights),
    }
    words = [f"{what} {a} -> {b}" for what, (a, b) in parts.items() if a != b]
    words += ["other folds"] if old.folds != new.folds else []
    words += ["other images"] if old.images != new.images else []
    if not words and judged is not None:
        return _sentence(judged) if judged.changed or judged.verdict != "ok" else ""
    if not words and old.predicted.shape == new.predicted.shape:
        turned = int((old.predicted != new.predicted).sum())
        words = [f"{turned} answers differ"] if turned else []
    means = [f"{100 * row.correct.mean():.2f} %" for row in (old, new)]
    return f"{new.name}: {means[0]} -> {means[1]}, {', '.join(words)}" if words else ""


def _sentence(row: Row) -> str:
    text = f"{row.method} under {row.protocol}: {100 * row.expected:.2f} % -> {100 * row.found:.2f} %"
    if row.rule == "exact":
        return f"{text}, {row.changed} of {row.images} images answered differently, {_allowed(row)} allowed"
    few = f", {row.seeds} of {SEEDS} seeds" if row.few_seeds else ""
    return f"{text}, tolerance {100 * row.tolerance:.2f} points, p {row.p_value:.2g} (Holm){few}"


def _allowed(row: Row) -> int:
    return round(row.tolerance * row.images)


def _cells(found: GateVerdict, *, everything: bool = False) -> list[tuple[str, ...]]:
    shown = sorted(found.rows, key=lambda row: ("regression", "changed", "ok").index(row.verdict))
    kept = shown if everything else [row for i, row in enumerate(shown) if row.verdict != "ok" or i < _MOST_LINES]
    cells: list[tuple[str, ...]] = [
        (
            *(row.method, row.protocol, f"{100 * row.expected:.1f}", f"{100 * row.found:.1f}"),
            str(row.changed) if row.changed >= 0 else "",
            "" if math.isnan(row.p_value) else f"{row.p_value:.2g}",
            "nothing" if math.isinf(row.caught) else f"{100 * row.caught:.1f}",
            row.verdict,
        )
        for row in kept
    ]
    hidden = len(shown) - len(kept)
    if hidden:
        cells.append((f"... and {hidden} more, all ok", "", "", "", "", "", "", ""))
    return cells


def _summary(found: GateVerdict) -> str:
    worse, changed, n = len(found.regressed), len(found.changed), len(found.rows)
    text = f"{worse} of {n} rows got worse" + (f", {changed} changed otherwise" if changed else "")
    return f"{text}; {len(found.faults)} faults of the setup, which leave rows unjudged" if found.faults else text


def _annotation(kind: str, title: str, message: str) -> str:
    """One workflow command; its message may hold no line end and no bare per cent sign."""
    text = escaped(message).replace("%", "%25")
    return f"::{kind} title={title.replace('%', '%25').replace(':', '%3A').replace(',', '%2C')}::{text}"


def _cell(text: str) -> str:
    """A cell of Markdown."""
    return escaped(text).replace("|", "\\|")


def _plain(cell: Any) -> Any:
    return None if isinstance(cell, float) and not math.isfinite(cell) else cell
