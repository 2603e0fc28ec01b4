"""The questions a reader comes with, each answered in a sentence with a link to where it is shown."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from fer_bench import stats
from fer_bench.labels import EMOTION_NAMES, EMOTIONS, VIEW_NAMES, VIEWS
from fer_bench.methods import COMPARED_FAMILIES
from fer_bench.results.outcomes import Key, MethodPredictions

from ..model.comparisons import Compared, compare_all
from ..model.paths import published_command
from ..model.report_run import LAST, ReportRun
from ..model.tables import Column, Estimate, Link, Table, cell_text, p_clause
from ..model.wording import who
from .claims import CANNOT_TELL, NOT_SUPPORTED, SUPPORTED, Finding, judge_claims
from .hard_images import missed_by_all
from .training_luck import withheld

__all__ = ["answers"]

SHARE = Column("share", "", "share")
POINTS = Column("points", "", "difference")
SECONDS = Column("seconds", "", "seconds")


def answers(run: ReportRun, suffix: str = "") -> Table | None:
    """What was found, in a few sentences; None where nothing has finished.

    Parameters
    ----------
    view : ReportRun
    suffix : str
        Ends the ids of this run's sections.
    """
    protocol = run.primary
    if protocol is None or run.standing(protocol).empty:
        return None
    rows = []
    for question, answer, target, shown in _QUESTIONS:
        text = answer(run, protocol)
        if text:
            anchor = target.format(protocol=protocol) if "{" in target else f"{target}{suffix}"
            rows.append({"question": question, "answer": text, "link": Link(shown, anchor)})
    columns = (Column("question", "question"), Column("answer", "answer"), Column("link", "shown in"))
    return Table(f"answers{suffix}", "In short", columns, tuple(rows), head="question")


@dataclass(frozen=True)
class _Lead:
    """What the most accurate method has before another; ``withheld`` says why it is no verdict though p is low."""

    other: str
    found: Compared
    withheld: str

    @property
    def even(self) -> bool:
        return not self.found.p_value < stats.ALPHA


def _leads(run: ReportRun, protocol: str) -> list[_Lead]:
    """The first of the standing methods against each other one on the same images, in order of accuracy."""
    methods = [str(name) for name in run.standing(protocol)["method"]]
    family = compare_all(run, protocol)
    pairs = [(name, family.of(methods[0], name)) for name in methods[1:]]
    return [
        _Lead(name, found, withheld(run, protocol, methods[0], name, found.p_value))
        for name, found in pairs
        if found is not None
    ]


def _best(run: ReportRun, protocol: str) -> str:
    if not run.declares_winner:
        return f"None is named: {_no_winner(run)}."
    first = run.standing(protocol).iloc[0]
    outcome = run.outcomes[Key(str(first["method"]), protocol, LAST)]
    found = run.accuracy(outcome)
    over = "" if run.unit.name == "image" else f" of {found.people:,} {run.unit.many}"
    figure = f"{first['method']}: {_percent(found)} {who(run, protocol)} ({found.n:,} images{over}, {protocol})."
    leads = _leads(run, protocol)
    even, held = sum(lead.even for lead in leads), [lead for lead in leads if lead.withheld]
    if not even and not held:
        return figure
    shown = [f"{even:,} of {len(leads):,} others are not significantly different"] if even else []
    # one reason stands for all: they are alike but for the p over folds
    shown += [f"over {len(held):,} of {len(leads):,} others the {held[0].withheld}"] if held else []
    return f"No method is shown to be: {'; '.join(shown)}. Highest accuracy: {figure}"


def _by_how_much(run: ReportRun, protocol: str) -> str:
    if not run.declares_winner:
        compared = set(run.families(protocol)) & set(COMPARED_FAMILIES)
        tables = " Differences with intervals and p stand in the tables." if len(compared) > 1 else ""
        return f"Not said: {_no_winner(run)}.{tables}"
    if len(run.standing(protocol)) < 2:
        return "It has no other finished method to be held against."
    leads = _leads(run, protocol)
    if not leads:
        return "The other methods were not tested on the same images."
    nearest = leads[0]
    lead, p_value = nearest.found.estimate, nearest.found.p_value
    sign = "no" if nearest.even else "not said" if nearest.withheld else "yes"
    even, held = sum(one.even for one in leads), sum(bool(one.withheld) for one in leads)
    rest = [f"not significantly different: {even} of {len(leads)} others"] if even else []
    rest += [f"verdict withheld: {held} of {len(leads)} others"] if held else []
    why = f" ({nearest.withheld})" if nearest.withheld else ""
    return (
        f"{cell_text(POINTS, lead)} points before the next, {nearest.other}. Significant: {sign}{why}, "
        f"p {p_clause(p_value)} (interval and p for all {compare_all(run, protocol).pairs:,} pairs at once), "
        f"{lead.n:,} images; {'; '.join(rest) or f'all {len(leads)} others are behind'}."
    )


def _cost(run: ReportRun, protocol: str) -> str:
    seconds = run.ranked(protocol)["fit_seconds"].dropna()
    if seconds.empty:
        return ""
    spread = f"{cell_text(SECONDS, seconds.min())} to {cell_text(SECONDS, seconds.max())} s"
    if not run.declares_winner:
        return f"Training one fold took {spread}, by method."
    first = run.standing(protocol).iloc[0]
    memory = "" if math.isnan(first["peak_rss_mb"]) else f", {first['peak_rss_mb']:,.0f} MB of memory at most"
    return (
        f"Highest accuracy, {first['method']}: {cell_text(SECONDS, first['fit_seconds'])} s to train one fold "
        f"(all methods: {spread}), "
        f"{cell_text(SECONDS, first['predict_ms_per_image'])} ms to classify an image{memory}."
    )


def _claims(run: ReportRun, protocol: str) -> str:
    findings = judge_claims(run, protocol)
    if not run.declares_winner:
        shown = sum(finding.evidence.figure is not None for finding in findings)
        have = f"{shown} of them {'has' if shown == 1 else 'have'} a figure"
        return f"Six claims are listed. None is decided here: {_no_winner(run)}. {have}."
    parts = []
    for verdict, words in ((SUPPORTED, "Supported"), (NOT_SUPPORTED, "Not supported"), (CANNOT_TELL, "Can't tell")):
        names = [_named(finding) for finding in findings if finding.verdict == verdict and not finding.withheld]
        parts += [f"{words}: {'; '.join(names)}."] if names else []
    held = [_named(finding) for finding in findings if finding.withheld]
    parts += [f"Verdict withheld, since it hangs on these trainings: {'; '.join(held)}."] if held else []
    return " ".join(parts)


def _named(finding: Finding) -> str:
    return finding.claim.title[0].lower() + finding.claim.title[1:]


def _fails(run: ReportRun, protocol: str) -> str:
    methods = [str(name) for name in run.standing(protocol)["method"]]
    everyone = len(run.ranked(protocol))
    median = "the median method" if everyone == len(methods) else f"the median of the {len(methods)} compared methods"
    chosen, whose = (methods[:1], methods[0]) if run.declares_winner else (methods, median)
    outcomes = [run.outcomes[Key(name, protocol, LAST)] for name in chosen]
    emotion = _lowest(run, outcomes, EMOTIONS, EMOTION_NAMES, lambda o, c: o.labels == EMOTIONS.index(c))
    turned = _lowest(run, outcomes, VIEWS, VIEW_NAMES, lambda o, c: o.views == c)
    said = [f"{words} faces {text}" for words, text in (emotion, turned) if words]
    missed, tested = missed_by_all(run, protocol)
    every = "" if everyone == len(methods) else f" of all {everyone}"
    hard = f" Misclassified by every method{every}: {len(missed):,} of {tested:,} images."
    hard = hard if everyone > 1 and len(missed) else ""
    return f"Lowest accuracy of {whose}: {'; '.join(said)}.{hard}" if said else hard.strip()


def _lowest(
    run: ReportRun,
    outcomes: Sequence[MethodPredictions],
    codes: Sequence[str],
    names: Sequence[str],
    mask: Callable[[MethodPredictions, str], np.ndarray],
) -> tuple[str, str]:
    """The kind of images with the lowest accuracy, and that accuracy; nothing where there is one kind only."""
    found = {}
    for code, name in zip(codes, names, strict=True):
        shares = [float(o.correct[mask(o, code)].mean()) for o in outcomes if mask(o, code).any()]
        if shares:
            found[name] = (float(np.median(shares)), code)
    if len(found) < 2:
        return "", ""
    worst = min(found, key=lambda name: found[name][0])
    share, code = found[worst]
    if len(outcomes) == 1:
        return worst, _percent(run.accuracy(outcomes[0], mask(outcomes[0], code)))
    return worst, f"{100 * share:.1f} %"


def _again(run: ReportRun, protocol: str) -> str:
    return f"`{published_command(str(run.info['command']))}`"


def _no_winner(run: ReportRun) -> str:
    return "this is a quick run" if run.quick else "these are rendered faces"


def _percent(found: Estimate) -> str:
    return f"{cell_text(SHARE, found)} %"


_QUESTIONS: tuple[tuple[str, Callable[[ReportRun, str], str], str, str], ...] = (
    ("Which method is best?", _best, "leaderboard-{protocol}", "Leaderboard"),
    ("By how much, and is it significant?", _by_how_much, "pairs", "Best of each family, compared"),
    ("What does it cost?", _cost, "cost", "Cost"),
    ("What did the article claim, and does it hold?", _claims, "claims", "The article's claims"),
    ("Where does it fail?", _fails, "expressions", "By expression; then by view, confusions, misclassified images"),
    ("How do I reproduce these figures?", _again, "cite", "Reproduce and cite"),
)
