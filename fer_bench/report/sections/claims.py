"""What the article claims, and what this run can say about it: one figure and one verdict a claim.

Every verdict follows one rule (`RULE`), applied after Holm's correction over the claims that could be tested at all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from fer_bench import stats
from fer_bench.results.outcomes import Key
from fer_bench.results.training_luck import WITHHELD
from fer_bench.stats import ALPHA, MARGIN

from ..model.report_run import LAST, ReportRun
from ..model.tables import Column, cell_text
from .claims_classical import classical, frontal
from .claims_orders import deeper, larger, layers
from .claims_transfer import LEAST_SAVED, transfer
from .contrast import Contrast
from .evidence import MARGIN_WORDS, Evidence
from .published import PublishedClaim, load_published
from .training_luck import doubtful

__all__ = ["CANNOT_TELL", "NOT_SUPPORTED", "RULE", "SUPPORTED", "UNDECIDED", "Finding", "judge_claims"]

SUPPORTED, NOT_SUPPORTED, CANNOT_TELL = "supported", "not supported", "can't tell from these data"
UNDECIDED = "not decided here"

RULE = (
    "Supported: the figure lies above zero with its whole 95 % interval, p after Holm's correction over the claims "
    f"is below {ALPHA:g}, and each part of the claim holds, too: its interval begins above −{MARGIN_WORDS}, so that it "
    "is not lower by what matters. Not supported: the figure, or a part (corrected for the number of parts), lies "
    f"below zero in the same way, or the figure's interval ends below {MARGIN_WORDS}, so that at most a difference too "
    "small to matter is left. Otherwise: can't tell. p of a claim is that of the test that decides: the largest of all "
    "that it needs, or that of the part that speaks against it."
)

_POINTS = Column("points", "", "difference")


@dataclass(frozen=True)
class Finding:
    """A claim with its evidence and verdict.

    Attributes
    ----------
    claim : PublishedClaim
    evidence : Evidence
    holm : float
        The corrected p; NaN where nothing could be tested.
    verdict : str
        By the rule, of these trainings.
    why : str
    withheld : str
        Why the verdict is not said, though the rule gives one; empty where it is said.
    """

    claim: PublishedClaim
    evidence: Evidence
    holm: float
    verdict: str
    why: str
    withheld: str = ""

    @property
    def said(self) -> str:
        """The verdict with its reason, or why it is withheld: what may be shown."""
        return self.withheld or (f"{self.verdict}: {self.why}" if self.why else self.verdict)


def judge_claims(run: ReportRun, protocol: str) -> tuple[Finding, ...]:
    """Hold every claim of the article against a protocol of a run.

    Parameters
    ----------
    run : ReportRun
    protocol : str
        The claim on frontal training looks at protocols of its own.
    """
    if ("claims", protocol) not in run.kept:
        run.kept["claims", protocol] = _judge_claims(run, protocol)
    found: tuple[Finding, ...] = run.kept["claims", protocol]
    return found


def _judge_claims(run: ReportRun, protocol: str) -> tuple[Finding, ...]:
    gathered = [(claim, EVIDENCE[claim.id](run, protocol)) for claim in load_published().claims]
    tested = [evidence.p_value for _, evidence in gathered if not math.isnan(evidence.p_value)]
    adjusted = iter(stats.holm(tested))
    found = []
    for claim, evidence in gathered:
        holm = math.nan if math.isnan(evidence.p_value) else next(adjusted)
        if evidence.figure is not None:
            evidence = replace(evidence, figure=evidence.figure.among(len(tested)))
        verdict, why, held_by = _judge(evidence, holm)
        withheld = _withheld(run, evidence, held_by) if run.declares_winner else ""
        if not run.declares_winner:
            verdict = f"{UNDECIDED} ({'quick run' if run.quick else 'rendered faces'})"
            why = evidence.missing
        found.append(Finding(claim, evidence, holm, verdict, why, withheld))
    return tuple(found)


_Bound = tuple[Contrast, int, float]
"""What a verdict hangs on: a figure that lies above (1) or below (-1) a bound."""

_Judged = tuple[str, str, tuple[_Bound, ...]]


def _withheld(run: ReportRun, evidence: Evidence, held_by: Sequence[_Bound]) -> str:
    """Why a verdict holds for these trainings alone; empty where a test over folds agrees, or no method is in doubt."""
    rows = [run.outcomes.get(Key(m, p, LAST)) for p in evidence.protocols for m in evidence.methods]
    if not held_by or not any(doubtful(run, row) for row in rows if row is not None):
        return ""
    for contrast, side, bound in held_by:
        found = contrast.over_folds
        if found is None:
            return f"{WITHHELD}: it holds for these trainings; no test over folds can tell what new ones would show"
        if not (found.low > bound if side > 0 else found.high < bound):
            bounds = f"{100 * found.difference:+.1f} [{100 * found.low:+.1f}, {100 * found.high:+.1f}]".replace(
                "-", "−"
            )
            told = f"{bounds} points over the {found.folds} folds, as for new ones"
            return f"{WITHHELD}: it holds for these trainings, but what decides it is {told}"
    return ""


def _judge(evidence: Evidence, holm: float) -> _Judged:
    """Apply the rule; the second string is the reason, then what the verdict hangs on."""
    if evidence.figure is None:
        return CANNOT_TELL, evidence.missing, ()
    found = evidence.figure.estimate
    if math.isnan(found.low):
        return CANNOT_TELL, f"the figure has no interval, as {found.why or 'nothing varies'}", ()
    # where the networks are no better than chance nothing has been learnt that could be behind or ahead
    for part in evidence.parts:
        if part.strict and not part.holds:
            return CANNOT_TELL, part.else_, ()
    against = evidence.against
    if against is not None and against[1] < ALPHA and holm < ALPHA:
        part = against[0]
        points = cell_text(_POINTS, part.figure.estimate.value)
        return NOT_SUPPORTED, f"{part.name} is {points} points", ((part.figure, -1, 0.0),)
    if holm < ALPHA and found.high < 0:
        return NOT_SUPPORTED, evidence.reverse, ((evidence.figure, -1, 0.0),)
    if evidence.options and all(option.refuted(LEAST_SAVED) for option in evidence.options):
        # what is refuted by its time is so over folds already
        by_accuracy = (option.figure for option in evidence.options if option.saved.high >= LEAST_SAVED)
        return NOT_SUPPORTED, _no_option(evidence), tuple((figure, -1, -MARGIN) for figure in by_accuracy)
    if found.high < MARGIN:
        return NOT_SUPPORTED, f"its interval ends below {MARGIN_WORDS}", ((evidence.figure, -1, MARGIN),)
    verdict, why = _supported_or_open(evidence, holm)
    needed = (evidence.figure, *(part.figure for part in evidence.parts if part.strict))
    return verdict, why, tuple((figure, 1, 0.0) for figure in needed) if verdict == SUPPORTED else ()


def _no_option(evidence: Evidence) -> str:
    """Why each way to save time is none."""
    told = []
    for option in evidence.options:
        if option.saved.high < 0:
            told.append(f"{option.name} takes longer")
        elif option.saved.high < LEAST_SAVED:
            told.append(f"{option.name} saves less than {100 * LEAST_SAVED:g} % of the time")
        else:
            cheaper = "is cheaper, but " if option.saved.low > 0 else ""
            told.append(f"{option.name} {cheaper}classifies fewer images correctly")
    return "; ".join(told)


def _supported_or_open(evidence: Evidence, holm: float) -> tuple[str, str]:
    """Where nothing speaks against the claim: supported, or in a sentence what is missing for it."""
    assert evidence.figure is not None
    found = evidence.figure.estimate
    seen = "" if math.isnan(evidence.figure.detectable) else f"; {_unseen(evidence.figure.detectable)}"
    if found.low <= 0:
        return CANNOT_TELL, f"the interval {'lies below' if found.high < 0 else 'holds'} zero{seen}"
    doubtful = [part.name for part in evidence.parts if not part.holds]
    if doubtful:
        more = f" and {len(doubtful) - 1} more" if len(doubtful) > 1 else ""
        return (
            CANNOT_TELL,
            f"above zero as a whole, but a part may be lower by {MARGIN_WORDS} or more: {doubtful[0]}{more}",
        )
    if evidence.option is not None and evidence.option[1] >= ALPHA:
        return CANNOT_TELL, (
            "more accurate than from scratch, but no mode is shown both to take less time and to lose less than "
            f"{MARGIN_WORDS} of accuracy"
        )
    if holm >= ALPHA:
        return CANNOT_TELL, f"the interval lies above zero, but not after correction for the number of claims{seen}"
    if evidence.option is not None:
        return SUPPORTED, f"more accurate than from scratch, and {evidence.option[0].name} takes less time at no loss"
    return SUPPORTED, "above zero" + (", and every part holds" if evidence.parts else "")


def _unseen(detectable: float) -> str:
    return f"a true difference below {100 * detectable:.1f} points would often go unseen"


EVIDENCE: dict[str, Callable[[ReportRun, str], Evidence]] = {
    "deeper": deeper,
    "larger": larger,
    "layers": layers,
    "transfer": transfer,
    "classical": classical,
    "frontal": frontal,
}
