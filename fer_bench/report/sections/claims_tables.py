"""The article's claims as a section: verdicts first, then what was measured and the methods behind it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from fer_bench.results import Key

from ..model.columns import FAMILY, IMAGES, METHOD, accuracy_column, unit_column
from ..model.run_view import LAST, RunView
from ..model.tables import Block, Column, Estimate, Figure, Section, Table
from ..model.wording import tested_on
from ..plots import figures
from .claims import RULE, Finding, sized, test_claims
from .published import load_published

__all__ = ["claims_section"]

CLAIM = Column("claim", "claim")


def claims_section(view: RunView, suffix: str) -> Section:
    """Every claim with what the article says, the figure of ours that tests it, and a verdict."""
    title, protocol = "The article's claims, tested", view.primary
    if protocol is None:
        return Section(f"claims{suffix}", title, ("No trial has finished, so no claim can be tested.",))
    published, findings = load_published(), test_claims(view, protocol)
    data = "" if view.kdef and not view.rendered else " These are other data than the article's."
    text = (
        f"The article retells {published.paper}, doi {published.doi}. Tested under {view.shown(protocol)}, on "
        f"{tested_on([view], protocol)}, last epoch, unless a row says otherwise.{data}"
    )
    verdicts = _verdicts(view, findings, f"claims-{protocol}{suffix}", f"{view.shown(protocol)}: verdicts")
    blocks: list[Block] = [text, RULE, verdicts]
    drawn = [(f.claim.title, f.evidence.figure.estimate) for f in findings if f.evidence.figure is not None]
    if drawn:
        caption = (
            f"{view.shown(protocol)}: what tests each claim, in points of accuracy with 95 % intervals "
            f"{view.unit.over}; right of zero is what the article claims. Transfer is drawn by its accuracy; its "
            "verdict rests on time."
        )
        svg = figures.forest(drawn, caption, "points of accuracy")
        blocks.append(Figure(f"claims-figure{suffix}", svg, caption, verdicts.id))
    blocks += [_said(findings, suffix), *_sizes(view, protocol, suffix), *_behind(view, findings, suffix)]
    other = _article_like(view, protocol)
    if other:
        title_ = f"{view.shown(other)}: the same claims where the same people are in training, as in the article"
        blocks.append(_verdicts(view, test_claims(view, other), f"claims-{other}{suffix}", title_, folded=True))
    return Section(f"claims{suffix}", title, tuple(blocks))


def _verdicts(view: RunView, findings: Sequence[Finding], name: str, title: str, *, folded: bool = False) -> Table:
    rows = tuple(_verdict(finding) for finding in findings)
    timed = any(row["saved"] is not None for row in rows)
    saved = Column("saved", "training time saved, %", "share", "geometric mean over networks, t interval over folds")
    columns = (
        *(CLAIM, Column("verdict", "verdict")),
        Column("figure", "figure, points", "difference", "above zero: what the article claims; see what is measured"),
        *([saved] if timed else []),
        *(IMAGES, unit_column(view.unit)),
        Column("holm", "p (Holm)", "p", "sign-flip test (time: t test over folds), corrected for the claims tested"),
        Column("detectable", "detectable, points", "share", "smallest true difference seen four times in five"),
    )
    return Table(name, title, columns, rows, head="claim", folded=folded)


def _verdict(finding: Finding) -> dict[str, Any]:
    evidence, figure = finding.evidence, finding.evidence.figure
    verdict = f"{finding.verdict}: {finding.why}" if finding.why else finding.verdict
    row: dict[str, Any] = {"claim": finding.claim.title, "verdict": verdict, "saved": None}
    if figure is None:
        return row | {"figure": None, "n": None, "people": None, "holm": None, "detectable": None}
    return row | {
        **{"figure": figure.estimate, "n": figure.estimate.n, "people": figure.estimate.people},
        **{"holm": finding.holm, "detectable": figure.detectable, "saved": evidence.saved},
    }


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


def _sizes(view: RunView, protocol: str, suffix: str) -> list[Block]:
    """Accuracy over the size of the input, for the article's small network."""
    methods = sized(view, protocol)
    if len(methods) < 2:
        return []
    found = {name: view.accuracy(view.outcomes[Key(name, protocol, LAST)]) for name in methods}
    ticks = [f"{view.info['methods'][name]['size']} px" for name in methods]
    values = [found[name] for name in methods]
    printed = {name: row.published / 100 for row in load_published().tables[0].rows for name in row.ours}
    lines = [("here", "cnn", values)]
    if not view.rendered and view.kdef:
        article = [Estimate(printed.get(name, math.nan)) for name in methods]
        lines += [("the article", "", article)] if any(not math.isnan(a.value) for a in article) else []
    words = "; grey: what the article prints (verified), best epoch on test" if len(lines) > 1 else ""
    name = f"{view.shown(protocol)}: accuracy over size of input"
    caption = f"{name}, 95 % intervals {view.unit.over}{words}. Dashed, level: chance."
    svg = figures.line_chart(ticks, lines, caption, "side of the square picture", view.chance)
    return [Figure(f"sizes{suffix}", svg, caption, f"claims-methods{suffix}")]


def _behind(view: RunView, findings: Sequence[Finding], suffix: str) -> list[Block]:
    rows = []
    for finding in findings:
        for protocol in finding.evidence.protocols:
            for method in finding.evidence.methods:
                outcome = view.outcomes[Key(method, protocol, LAST)]
                found = view.accuracy(outcome)
                rows.append(
                    {
                        **{"claim": finding.claim.title, "method": method, "family": view.family(method)},
                        **{"protocol": view.shown(protocol), "accuracy": found, "n": found.n, "people": found.people},
                    }
                )
    if not rows:
        return []
    counts = (IMAGES, unit_column(view.unit))
    columns = (CLAIM, METHOD, FAMILY, Column("protocol", "protocol"), accuracy_column(view.unit), *counts)
    return [
        Table(
            f"claims-methods{suffix}", "The methods behind each claim", columns, tuple(rows), head="claim", folded=True
        )
    ]


def _article_like(view: RunView, protocol: str) -> str | None:
    """A protocol that deals images at random, as the article's; the one with most test images."""
    told = view.info["protocols"]
    names = [
        name
        for name in view.protocols
        if name != protocol and told.get(name, {}).get("splits_by") == "image" and not view.optimistic(name)
    ]
    return max(names, key=lambda name: int(told[name].get("n_test") or 0), default=None)
