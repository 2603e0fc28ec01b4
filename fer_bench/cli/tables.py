"""What the commands answer, as lines of text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from fer_bench.errors import UserError
from fer_bench.methods import WeightsSpec, load_methods

if TYPE_CHECKING:
    from fer_bench.plan import Plan


def columns(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Align rows of text; the last column is left as long as it is."""
    table = [tuple(map(str, row)) for row in rows]
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))] if table else []
    for row in table:
        yield "  ".join([cell.ljust(w) for cell, w in zip(row[:-1], widths, strict=False)] + [row[-1]]).rstrip()


def method_lines() -> Iterator[str]:
    """Name, family, images and summary of every installed method."""
    rows = [
        (s.name, s.family, f"{s.image.size} px {'grey' if s.image.channels == 1 else 'colour'}", s.summary)
        for s in load_methods().values()
    ]
    yield from columns([("METHOD", "FAMILY", "IMAGES", "WHAT IT IS"), *rows])


def suite_lines() -> Iterator[str]:
    """Name and summary of every suite."""
    from fer_bench.suites import built_in_suites

    yield from columns([("SUITE", "WHAT IT RUNS"), *built_in_suites().items()])


def dataset_lines() -> Iterator[str]:
    """What --data takes, and every layout that is recognised."""
    from fer_bench.data import DATASETS, LAYOUT_SUMMARIES

    yield from columns([("--data", "WHAT IT IS"), *DATASETS.items()])
    yield ""
    yield from columns([("LAYOUT", "WHAT IT IS"), *LAYOUT_SUMMARIES.items()])


def protocol_lines() -> Iterator[str]:
    """Name, unit of splitting and summary of every protocol."""
    from fer_bench.protocols import PROTOCOLS

    rows = [(p.name, p.splits_by, p.summary) for p in PROTOCOLS.values()]
    yield from columns([("PROTOCOL", "SPLITS BY", "HOW"), *rows])


def weights_by_name() -> dict[str, WeightsSpec]:
    """Every set of weights that an installed method needs, by name."""
    return {s.weights.name: s.weights for s in load_methods().values() if s.weights is not None}


def weights_lines(weights_dir: Path | None) -> Iterator[str]:
    """What each network needs and where it is."""
    from fer_bench.weights import find_weights

    if weights_dir is not None and not weights_dir.is_dir():
        raise UserError(f"--weights-dir {weights_dir}: no such folder")
    rows = []
    for spec in weights_by_name().values():
        found = find_weights(spec, weights_dir)
        where = f"{found.path} (sha256 {found.sha256[:12]})" if found else "not here"
        rows.append((spec.name, f"{spec.megabytes:.0f} MB", spec.filename, where))
    yield from columns([("NETWORK", "SIZE", "PUBLISHED FILE", "WHERE"), *rows])


def plan_lines(plan: Plan) -> Iterator[str]:
    """Rows of the plan, then what it costs and what is skipped."""
    rows: dict[tuple[str, str], list] = {}
    for trial in plan.trials:
        rows.setdefault((trial.spec.name, trial.protocol), []).append(trial)
    table = [("METHOD", "PROTOCOL", "TRIALS", "CORE-SECONDS", "")]
    for (name, protocol), trials in rows.items():
        seconds = sum(t.estimate_seconds for t in trials)
        table.append((name, protocol, str(len(trials)), f"{seconds:,.0f}", "skipped" if trials[0].skip else ""))
    yield from columns(table)
    yield ""
    yield from plan.notes
    yield from _cost_lines(plan)
    reasons = Counter(t.skip for t in plan.trials if t.skip)
    for reason, n in reasons.most_common():
        yield f"skipped, {n} trials: {reason}"
    for spec in plan.downloads:
        yield f"download: {spec.filename}, {spec.megabytes:.0f} MB"


def _cost_lines(plan: Plan) -> Iterator[str]:
    data, workers = plan.dataset.manifest, plan.request.n_workers
    seconds = sum(t.estimate_seconds for t in plan.runnable)
    images = {t.spec.image for t in plan.runnable}
    disk = sum(len(data) * s.size**2 * s.channels for s in images) / 1e6
    largest = max((s.size**2 * s.channels * len(data) / 1e9 for s in images), default=0.0)
    yield (
        f"data: {plan.dataset.name}, {len(data)} images of {len(data.people)} people; "
        f"{len(data.excluded)} files left out"
    )
    yield f"trials: {len(plan.trials)}, of which {len(plan.trials) - len(plan.runnable)} are skipped"
    yield (
        f"estimate: {seconds / workers / 60:,.0f} minutes with {workers} workers ({seconds:,.0f} core-seconds of a "
        f"laptop), {disk:,.0f} MB of disk for pictures, up to {1.5 + 4 * largest:.1f} GB of memory a worker, "
        f"device {plan.device}"
    )
