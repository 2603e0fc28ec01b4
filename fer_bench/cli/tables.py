"""What the commands answer, as lines of text."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from fer_bench.errors import UserError
from fer_bench.methods import WeightsSpec, load_methods
from fer_bench.utils.texts import escaped


def columns(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Align rows of text; the last column is left as long as it is."""
    table = [tuple(escaped(str(cell)) for cell in row) for row in rows]
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))] if table else []
    for row in table:
        yield "  ".join([cell.ljust(w) for cell, w in zip(row[:-1], widths, strict=False)] + [row[-1]]).rstrip()


def method_lines() -> Iterator[str]:
    """Name, family, images and summary of every installed method."""
    rows = [(s.name, s.family, s.image.words, s.summary) for s in load_methods().values()]
    yield from columns([("METHOD", "FAMILY", "IMAGES", "WHAT IT IS"), *rows])


def suite_lines() -> Iterator[str]:
    """Name and summary of every suite."""
    from fer_bench.plan.suites import known_suites

    yield from columns([("SUITE", "WHAT IT RUNS"), *known_suites().items()])


def dataset_lines() -> Iterator[str]:
    """What --data takes, and every layout that is recognised."""
    from fer_bench.data import DATASETS, LAYOUT_SUMMARIES
    from fer_bench.utils.plugins import LAYOUTS_GROUP, points

    summaries = LAYOUT_SUMMARIES
    if points(LAYOUTS_GROUP):  # alone then are the layouts themselves read, which takes half a second
        from fer_bench.data.layouts.known import load_layouts

        summaries = {layout.name: layout.summary for layout in load_layouts().values()}
    yield from columns([("--data", "WHAT IT IS"), *DATASETS.items()])
    yield ""
    yield from columns([("LAYOUT", "WHAT IT IS"), *summaries.items()])


def protocol_lines() -> Iterator[str]:
    """Name, unit of splitting and summary of every protocol."""
    from fer_bench.folds.protocols import PROTOCOLS

    rows = [(p.name, p.splits_by, p.summary) for p in PROTOCOLS.values()]
    yield from columns([("PROTOCOL", "SPLITS BY", "HOW"), *rows])


def weights_by_name() -> dict[str, WeightsSpec]:
    """Every set of weights that an installed method needs, by name."""
    return {s.weights.name: s.weights for s in load_methods().values() if s.weights is not None}


def weights_lines(weights_dir: Path | None) -> Iterator[str]:
    """What each network needs and where it is."""
    from fer_bench.methods.weights import find_weights

    if weights_dir is not None and not weights_dir.is_dir():
        raise UserError(f"--weights-dir {weights_dir}: no such folder")
    rows = []
    for spec in weights_by_name().values():
        found = find_weights(spec, weights_dir)
        where = f"{found.path} (sha256 {found.sha256[:12]})" if found else "not here"
        rows.append((spec.name, f"{spec.megabytes:.0f} MB", spec.filename, where))
    yield from columns([("NETWORK", "SIZE", "PUBLISHED FILE", "WHERE"), *rows])


def answer(*lines: str) -> None:
    """Answer on standard output; names in a line may hold anything, and are written as `escaped` does."""
    _write("\n".join(map(escaped, lines)))


def answer_json(text: str) -> None:
    """Answer in JSON; what a terminal would obey can stand in its texts alone, and is written as JSON's escapes."""
    _write("".join(c if c.isprintable() or c in " \n" else json.dumps(c)[1:-1] for c in text))


def _write(text: str) -> None:
    """Write to standard output; a reader that has seen enough (`| head`) is no error."""
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
