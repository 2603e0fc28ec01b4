"""What a run holds on a claim: a figure that is above zero where the claim is right, and the parts it stands on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from fer_bench.results.outcomes import Key, MethodPredictions
from fer_bench.stats import ALPHA, MARGIN

from ..model.report_run import LAST, ReportRun
from ..model.tables import NO_VALUE, Column, Estimate, cell_text
from .contrast import Contrast, Weighted, contrast

__all__ = [
    "MARGIN_WORDS",
    "TOLERANCE",
    "Evidence",
    "Option",
    "Part",
    "measured",
    "outcomes_of",
    "percent",
    "rows_by_mode",
]

MARGIN_WORDS = f"{100 * MARGIN:g} point{'' if MARGIN == 0.01 else 's'}"
TOLERANCE = Fraction(MARGIN).limit_denominator(1000)
_SHARE = Column("share", "", "share")


@dataclass(frozen=True)
class Part:
    """One of the things that have to be so for a claim to be so.

    Attributes
    ----------
    name : str
        What is compared.
    figure : Contrast
        Above zero where this part is as the claim says.
    strict : bool
        Whether the claim needs it significantly above zero; otherwise it must not be lower by `MARGIN` or more.
    else_ : str
        What is so where a strict part is not above zero.
    """

    name: str
    figure: Contrast
    strict: bool = False
    else_: str = ""

    @property
    def holds(self) -> bool:
        """Whether the interval shows what the claim needs of this part."""
        low = self.figure.estimate.low
        return low > 0 and self.figure.p_value < ALPHA if self.strict else low > -MARGIN

    @property
    def asks(self) -> str:
        """The condition in words."""
        return "above zero" if self.strict else f"not lower by {MARGIN_WORDS} or more"


@dataclass(frozen=True)
class Option:
    """One of several ways in which time may be saved; the claim needs one of them.

    Attributes
    ----------
    name : str
    saved : Estimate
        Share of training time, its n being folds.
    time_p : float
        Two-sided p that no time is saved.
    figure : Contrast
        Accuracy, against the dearer way.
    accuracy_p : float
        Two-sided p that accuracy is lower by just `MARGIN`.
    """

    name: str
    saved: Estimate
    time_p: float
    figure: Contrast
    accuracy_p: float

    @property
    def support(self) -> float:
        """P that it is not both cheaper and no less accurate: the larger of both, 1 where an interval says no."""
        passes = self.saved.low > 0 and self.figure.estimate.low > -MARGIN
        return max(self.time_p, self.accuracy_p) if passes else 1.0

    def refuted(self, least: float) -> bool:
        """Whether it saves less than ``least`` of the time for certain, or loses accuracy for certain."""
        return self.saved.high < least or self.figure.estimate.high < -MARGIN


@dataclass(frozen=True)
class Evidence:
    """What a run holds on one claim.

    Attributes
    ----------
    rule : str
        What is measured and what more than the common rule the verdict asks for.
    tested : str
        What was compared, in words.
    figure : Contrast or None
        Above zero where the claim is right; None where ``missing`` says what is.
    missing : str
    methods : tuple of str
        Behind the figure.
    protocols : tuple of str
    parts : tuple of Part
        All of them are needed.
    options : tuple of Option
        One of them is needed, where there are any.
    figure_name : str
        What the figure compares, where parts or options stand beside it.
    reverse : str
        What a figure below zero says.
    """

    rule: str
    tested: str = ""
    figure: Contrast | None = None
    missing: str = ""
    methods: tuple[str, ...] = ()
    protocols: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    options: tuple[Option, ...] = ()
    figure_name: str = "the claim as a whole"
    reverse: str = "the reverse is so"

    @property
    def against(self) -> tuple[Part, float] | None:
        """The part that lies below zero most clearly, with its p corrected for the number of parts (Bonferroni)."""
        below = [part for part in self.parts if not part.strict and part.figure.estimate.high < 0]
        if not below:
            return None
        worst = min(below, key=lambda part: part.figure.p_value)
        return worst, min(1.0, len(self.parts) * worst.figure.p_value)

    @property
    def option(self) -> tuple[Option, float] | None:
        """The option that speaks most clearly for the claim, with its p corrected for their number (Bonferroni)."""
        if not self.options:
            return None
        best = min(self.options, key=lambda option: (option.support, -option.saved.value))
        return best, min(1.0, len(self.options) * best.support)

    @property
    def p_value(self) -> float:
        """Of what decides; NaN where nothing could be tested.

        Where a part or the figure lies below zero, its p. Otherwise the largest p of all that the claim needs: an
        intersection-union test (Berger 1982, Technometrics 24:295-300), which takes no correction for their number.
        """
        if self.figure is None:
            return math.nan
        if self.against is not None and self.against[1] < ALPHA:
            return self.against[1]
        if self.figure.estimate.high < 0:
            return self.figure.p_value
        needed = [self.figure.p_value, *(part.figure.p_value for part in self.parts if part.strict)]
        return max([*needed, self.option[1]] if self.option else needed)

    @property
    def saved(self) -> Estimate | None:
        """Training time saved by the best option; None where the claim is not on time."""
        return self.option[0].saved if self.option else None


def measured(
    run: ReportRun,
    evidence: Evidence,
    weighted: Sequence[Weighted],
    parts: Sequence[tuple[str, Sequence[Weighted]]] = (),
) -> Evidence:
    """Fill in the figure and the parts that share images, as weighted sums of accuracies."""
    figure = contrast(run, weighted)
    if figure is None:
        return replace(evidence, missing="these methods share no test image")
    found = [(name, contrast(run, sums)) for name, sums in parts]
    told = tuple(Part(name, part) for name, part in found if part is not None)
    return replace(evidence, figure=figure, parts=(*evidence.parts, *told))


def rows_by_mode(run: ReportRun, protocol: str) -> dict[tuple[str, str], str]:
    """Finished methods by network and mode."""
    found = {}
    for method in run.standing(protocol)["method"]:
        told = run.info["methods"].get(str(method), {})
        if told.get("network"):
            found[str(told["network"]), str(told.get("mode", ""))] = str(method)
    return found


def outcomes_of(run: ReportRun, protocol: str, methods: Sequence[str]) -> list[MethodPredictions]:
    """What methods answered at the last epoch."""
    return [run.outcomes[Key(method, protocol, LAST)] for method in methods]


def percent(found: Estimate) -> str:
    """A share with its interval, as cells show it."""
    text = cell_text(_SHARE, found)
    return text if text == NO_VALUE else f"{text} %"
