"""Several runs in one report: what each is, and the first held against every other."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from fer_bench.errors import UserError
from fer_bench.results.compare import Compared, Pair, compare_data
from fer_bench.results.pairing import NothingPairedError

from ..model.columns import FAMILY, IMAGES, METHOD, unit_column
from ..model.comparisons import ADJUSTED_COMPARISONS
from ..model.paths import without_folders
from ..model.report_run import ReportRun
from ..model.tables import Block, Column, Estimate, Section, Table

__all__ = ["runs_section", "same_data"]

_AT_ONCE = "95 % interval that holds for all comparisons of the two runs at once"


def same_data(runs: Sequence[ReportRun]) -> bool:
    """Tell whether all runs read the same pictures: equal hashes of what was read, as `compare_data` takes it."""
    return len({str(run.info["dataset"].get("manifest_hash")) for run in runs}) == 1


def runs_section(runs: Sequence[ReportRun]) -> Section:
    """What each run is; then methods of the first against the same of every other, paired where images are the same."""
    blocks: list[Block] = [_runs(runs)]
    for place, other in enumerate(runs[1:], start=2):
        blocks += _against(runs[0], other, f"-1-{place}" if len(runs) > 2 else "")
    return Section("runs", "The runs, compared", tuple(blocks))


def _runs(runs: Sequence[ReportRun]) -> Table:
    rows = []
    for run in runs:
        info, data = run.info, run.info["dataset"]
        machine, code = info["machine"], info["code"]
        rows.append(
            {
                **{"run": run.label, "data": f"{data['name']}{', rendered' if run.rendered else ''}"},
                **{"images": data["n_images"], "people": data["n_people"] if run.unit.tells_people else None},
                **{"suite": f"{info['suite']}, {info['profile']}", "seed": str(info["seed"])},
                "code": f"{code.get('version', '')} {str(code.get('commit') or '')[:12]}".strip(),
                **{"machine": str(machine.get("cpu") or ""), "date": str(info.get("started") or "")[:10]},
            }
        )
    columns = (
        *(Column("run", "run"), Column("data", "data"), Column("images", "images", "count")),
        *(Column("people", "people", "count"), Column("suite", "suite, profile"), Column("code", "code", "code")),
        *(Column("machine", "processor"), Column("seed", "seed"), Column("date", "date")),
    )
    return Table("runs-merged", "The runs", columns, tuple(rows), head="run")


def _against(a: ReportRun, b: ReportRun, suffix: str) -> list[Block]:
    try:
        found = compare_data(a.data, b.data)
    except UserError as error:
        why = error.why if isinstance(error, NothingPairedError) else str(error)
        return _side_by_side(a, b, _named(why, a, b), suffix)
    winner = not found.cautions
    care = [f"Read with care: {'; '.join(found.cautions)}."] if found.cautions else []
    text = (
        f"A is {a.label}, B is {b.label}. {found.data[:1].upper()}{found.data[1:]}. A minus B, on the images that both "
        f"tested: sign flips {found.unit.over}, intervals and p for all {len(found.pairs)} comparisons at once."
    )
    protocols = dict.fromkeys(pair.protocol for pair in found.pairs)
    tables = [_pairs(a, found, name, suffix, winner=winner) for name in protocols]
    return [" ".join([text, *care]), *tables, *_lists(found, a, b, suffix)]


def _pairs(a: ReportRun, found: Compared, protocol: str, suffix: str, *, winner: bool) -> Table:
    rows = [_row(a, pair, winner=winner) for pair in found.pairs if pair.protocol == protocol]
    columns = (
        *(METHOD, FAMILY, Column("a", "A, %", "share", "accuracy of the first run on the common images")),
        Column("b", "B, %", "share", "accuracy of the second run on the common images"),
        Column("difference", "A minus B, points", "difference", f"on the same images; {_AT_ONCE}"),
        *(IMAGES, unit_column(found.unit)),
        Column(
            *("adjusted", ADJUSTED_COMPARISONS, "p"),
            "sign flips of all comparisons of the two runs together; below 5 % exactly where the interval leaves zero "
            "out",
        ),
        Column(
            *("detectable", "detectable, points", "share"),
            "true difference that is found with 80 % power where all comparisons of the two runs are looked at",
        ),
        *([Column("verdict", "what it supports")] if winner else []),
        *([Column("notes", "note")] if any(row["notes"] for row in rows) else []),
    )
    title = f"{a.shown(protocol)}: the same methods in both runs"
    return Table(f"compared-{protocol}{suffix}", title, columns, tuple(rows), interactive=True)


def _row(a: ReportRun, pair: Pair, *, winner: bool) -> dict[str, Any]:
    interval = pair.difference.interval
    return {
        **{"method": pair.method_a, "family": a.family(pair.method_a)},
        **{"a": Estimate.of(pair.accuracy_a), "b": Estimate.of(pair.accuracy_b)},
        **{
            "difference": Estimate.of(interval),
            "n": interval.n,
            "people": interval.people,
            "adjusted": pair.p_adjusted,
        },
        **{"detectable": pair.difference.detectable, "notes": "; ".join(pair.notes)},
        **({"verdict": pair.verdict} if winner else {}),
    }


def _lists(found: Compared, a: ReportRun, b: ReportRun, suffix: str) -> Iterator[Block]:
    """What else differs, and what could not be compared, one row each."""
    for name, title, lines in (
        ("differs", "What differs between the runs", found.differs),
        ("uncompared", "Not compared", found.left_out),
    ):
        if lines:
            rows = tuple({"what": without_folders(_named(line, a, b))} for line in lines)
            yield Table(f"{name}{suffix}", title, (Column("what", "what"),), rows, head="what", folded=len(rows) > 12)


def _side_by_side(a: ReportRun, b: ReportRun, why: str, suffix: str) -> list[Block]:
    """Figures of both where no image is tested by both: no difference, no test."""
    blocks: list[Block] = [f"{a.label} and {b.label} stand side by side, and no difference is computed: {why}."]
    for protocol in (name for name in a.protocols if name in b.protocols):
        sides = [{str(name) for name in run.ranked(protocol)["method"]} for run in (a, b)]
        shared = [str(name) for name in a.ranked(protocol)["method"] if str(name) in sides[1]]
        rows = tuple(_side_row(a, b, name, protocol) for name in shared if name in sides[0])
        columns = (
            *(METHOD, FAMILY),
            Column("a", f"{a.label}, %", "share", "accuracy with its 95 % interval, on this run's own images"),
            *(Column("n_a", "its images", "count"), Column("people_a", f"its {a.unit.many}", "count")),
            Column("b", f"{b.label}, %", "share", "accuracy with its 95 % interval, on this run's own images"),
            *(Column("n_b", "its images", "count"), Column("people_b", f"its {b.unit.many}", "count")),
        )
        if rows:
            title = f"{a.shown(protocol)}: side by side"
            note = "Other images, other people: the two columns must not be subtracted."
            blocks.append(Table(f"beside-{protocol}{suffix}", title, columns, rows, (note,)))
    return blocks


def _side_row(a: ReportRun, b: ReportRun, method: str, protocol: str) -> dict[str, Any]:
    row: dict[str, Any] = {"method": method, "family": a.family(method)}
    for side, run in (("a", a), ("b", b)):
        outcome = run.outcome(method, protocol)
        found = Estimate(math.nan) if outcome is None else run.accuracy(outcome)
        row |= {side: found, f"n_{side}": found.n, f"people_{side}": found.people}
    return row


def _named(text: str, a: ReportRun, b: ReportRun) -> str:
    """A sentence with the runs' names in place of their folders."""
    for run in sorted((a, b), key=lambda run: -len(str(run.data.path))):
        text = text.replace(str(run.data.path), run.label)
    return text.rstrip(".")
