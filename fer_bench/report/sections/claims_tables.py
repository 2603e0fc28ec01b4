"""The article's claims as a section: verdicts first, then what was measured and the methods behind it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from fer_bench.results.outcomes import Key

from ..model.columns import FAMILY, IMAGES, METHOD, accuracy_column, unit_column
from ..model.report_run import LAST, ReportRun
from ..model.tables import Block, Column, Estimate, Figure, Section, Table
from ..model.wording import tested_on
from ..plots import figures
from .claims import RULE, Finding, judge_claims
from .claims_orders import sized
from .contrast import Contrast
from .evidence import MARGIN_WORDS
from .published import load_published

__all__ = ["claims_section"]

CLAIM = Column("claim", "claim")
SAVED = Column("saved", "training time saved, %", "share", "geometric mean over networks, t interval over folds")
_FIGURE = (
    "above zero: what the article claims; its 95 % interval is of this figure alone, while p is of the whole claim, "
    "all claims counted"
)
NOT_LOWER = f"not lower by {MARGIN_WORDS} or more"


def claims_section(run: ReportRun, suffix: str) -> Section:
    """Every claim with what the article says, the figure of ours that tests it, and a verdict."""
    title, protocol = "The article's claims, tested", run.primary
    if protocol is None:
        return Section(f"claims{suffix}", title, ("No trial has finished, so no claim can be tested.",))
    published, findings = load_published(), judge_claims(run, protocol)
    data = "" if run.kdef and not run.rendered else " These are other data than the article's."
    text = (
        f"The article retells {published.paper}, doi {published.doi}. Tested under {run.shown(protocol)}, on "
        f"{tested_on([run], protocol)}, last epoch, unless a row says otherwise.{data}"
    )
    verdicts = _verdicts(run, findings, f"claims-{protocol}{suffix}", f"{run.shown(protocol)}: verdicts")
    blocks: list[Block] = [text, RULE, verdicts]
    drawn = [(f.claim.title, f.evidence.figure.estimate) for f in findings if f.evidence.figure is not None]
    if drawn:
        caption = (
            f"{run.shown(protocol)}: what tests each claim, in points of accuracy with 95 % intervals "
            f"{run.unit.over}; right of zero is what the article claims. Transfer is drawn by its accuracy; its "
            "verdict rests on time, too."
        )
        svg = figures.forest(drawn, caption, "points of accuracy")
        blocks.append(Figure(f"claims-figure{suffix}", svg, caption, verdicts.id))
    blocks += [
        *_parts(run, findings, suffix),
        _said(findings, suffix),
        *_sizes(run, protocol, suffix),
        *_behind(run, findings, suffix),
    ]
    other = _article_like(run, protocol)
    if other:
        title_ = f"{run.shown(other)}: the same claims where the same people are in training, as in the article"
        blocks.append(_verdicts(run, judge_claims(run, other), f"claims-{other}{suffix}", title_, folded=True))
    return Section(f"claims{suffix}", title, tuple(blocks))


def _verdicts(run: ReportRun, findings: Sequence[Finding], name: str, title: str, *, folded: bool = False) -> Table:
    rows = tuple(_verdict(finding) for finding in findings)
    timed = any(row["saved"] is not None for row in rows)
    columns = (
        *(CLAIM, Column("verdict", "verdict")),
        Column("figure", "figure, points", "difference", _FIGURE),
        *([SAVED] if timed else []),
        *(IMAGES, unit_column(run.unit)),
        Column("holm", "p (Holm)", "p", "of the test that decides the claim, corrected for the claims tested"),
        Column(
            *("detectable", "detectable, points", "share"),
            "true difference that is found with 80 % power where all claims are tested",
        ),
    )
    return Table(name, title, columns, rows, head="claim", folded=folded)


def _verdict(finding: Finding) -> dict[str, Any]:
    evidence, figure = finding.evidence, finding.evidence.figure
    row: dict[str, Any] = {"claim": finding.claim.title, "verdict": finding.said, "saved": None}
    if figure is None:
        return row | {"figure": None, "n": None, "people": None, "holm": None, "detectable": None}
    return row | {
        **{"figure": figure.estimate, "n": figure.estimate.n, "people": figure.estimate.people},
        **{"holm": finding.holm, "detectable": figure.detectable, "saved": evidence.saved},
    }


def _parts(run: ReportRun, findings: Sequence[Finding], suffix: str) -> list[Block]:
    """What each claim stands on, every part with its own figure and its own p."""
    rows = [row for finding in findings for row in _parts_of(finding)]
    if not rows:
        return []
    columns = (
        *(CLAIM, Column("part", "part"), Column("asks", "the claim needs it")),
        Column("figure", "figure, points", "difference", f"with its 95 % interval {run.unit.over}"),
        *([SAVED] if any(row["saved"] is not None for row in rows) else []),
        *(IMAGES, unit_column(run.unit)),
        Column(
            "p",
            "p",
            "p",
            "of this part alone, two-sided, not corrected; for a part that must not be lower by a "
            "margin, that it is lower by just the margin where a mode saves time, else that it is zero",
        ),
    )
    title = "The parts of each claim, each with its own p"
    return [Table(f"claims-parts{suffix}", title, columns, tuple(rows), head="claim")]


def _parts_of(finding: Finding) -> list[dict[str, Any]]:
    evidence, claim = finding.evidence, finding.claim.title
    if evidence.figure is None or not (evidence.parts or evidence.options):
        return []
    told: list[tuple[str, str, Contrast | None, Estimate | None, float]] = [
        (evidence.figure_name, "above zero", evidence.figure, None, evidence.figure.p_value),
        *((part.name, part.asks, part.figure, None, part.figure.p_value) for part in evidence.parts),
    ]
    one = "" if len(evidence.options) == 1 else ", or another mode"
    for option in evidence.options:
        told.append((f"{option.name}: training time", f"less{one}", None, option.saved, option.time_p))
        told.append((f"{option.name}: accuracy", f"{NOT_LOWER}{one}", option.figure, None, option.accuracy_p))
    rows = []
    for name, asks, figure, saved, p_value in told:
        found = figure.estimate if figure else None
        rows.append(
            {
                **{"claim": claim, "part": name, "asks": asks, "figure": found, "saved": saved, "p": p_value},
                **{"n": found.n if found else None, "people": found.people if found else None},
            }
        )
    return rows


def _said(findings: Sequence[Finding], suffix: str) -> Table:
    rows = tuple(
        {
            "claim": f.claim.title,
            "says": f"{f.claim.says} ({f.claim.status})",
            "rule": f"{f.evidence.rule} Here: {f.evidence.tested or f.evidence.missing}.",
        }
        for f in findings
    )
    columns = (
        *(CLAIM, Column("says", "what the article says (status)")),
        Column("rule", "what is measured"),
    )
    return Table(f"claims-said{suffix}", "What the article says, and what is measured", columns, rows, head="claim")


def _sizes(run: ReportRun, protocol: str, suffix: str) -> list[Block]:
    """Accuracy over the size of the input, for the article's small network."""
    methods = sized(run, protocol)
    if len(methods) < 2:
        return []
    found = {name: run.accuracy(run.outcomes[Key(name, protocol, LAST)]) for name in methods}
    ticks = [f"{run.info['methods'][name]['size']} px" for name in methods]
    values = [found[name] for name in methods]
    printed = {name: row.published / 100 for row in load_published().tables[0].rows for name in row.ours}
    lines = [("here", "cnn", values)]
    if not run.rendered and run.kdef:
        article = [Estimate(printed.get(name, math.nan)) for name in methods]
        lines += [("the article", "", article)] if any(not math.isnan(a.value) for a in article) else []
    words = "; grey: what the article prints (verified), best epoch on test" if len(lines) > 1 else ""
    name = f"{run.shown(protocol)}: accuracy over size of input"
    caption = f"{name}, 95 % intervals {run.unit.over}{words}. Dashed, level: chance."
    svg = figures.line_chart(ticks, lines, caption, "side of the square picture", run.chance)
    return [Figure(f"sizes{suffix}", svg, caption, f"claims-methods{suffix}")]


def _behind(run: ReportRun, findings: Sequence[Finding], suffix: str) -> list[Block]:
    rows = []
    for finding in findings:
        for protocol in finding.evidence.protocols:
            for method in finding.evidence.methods:
                outcome = run.outcomes[Key(method, protocol, LAST)]
                found = run.accuracy(outcome)
                rows.append(
                    {
                        **{"claim": finding.claim.title, "method": method, "family": run.family(method)},
                        **{"protocol": run.shown(protocol), "accuracy": found, "n": found.n, "people": found.people},
                    }
                )
    if not rows:
        return []
    counts = (IMAGES, unit_column(run.unit))
    columns = (CLAIM, METHOD, FAMILY, Column("protocol", "protocol"), accuracy_column(run.unit), *counts)
    return [
        Table(
            f"claims-methods{suffix}", "The methods behind each claim", columns, tuple(rows), head="claim", folded=True
        )
    ]


def _article_like(run: ReportRun, protocol: str) -> str | None:
    """A protocol that draws images at random, as the article's; the one with most test images."""
    told = run.info["protocols"]
    names = [
        name
        for name in run.protocols
        if name != protocol and told.get(name, {}).get("splits_by") == "image" and not run.optimistic(name)
    ]
    return max(names, key=lambda name: int(told[name].get("n_test") or 0), default=None)
