"""What the article claims, and what this run can say about it: one figure and one verdict a claim.

Every verdict follows one rule (`RULE`), applied after Holm's correction over the claims that could be tested at all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from fer_bench import stats
from fer_bench.results.outcomes import Key, MethodPredictions
from fer_bench.stats import MARGIN

from ..model.report_run import LAST, ReportRun
from ..model.tables import NO_VALUE, Column, Estimate, cell_text
from .contrast import Contrast, contrast, mean_of, trend
from .head_pose import all_views_partner
from .published import PublishedClaim, load_published

__all__ = ["CANNOT_TELL", "NOT_SUPPORTED", "RULE", "SUPPORTED", "UNDECIDED", "Finding", "judge_claims"]

_MARGIN = f"{100 * MARGIN:g} point{'' if MARGIN == 0.01 else 's'}"

SUPPORTED, NOT_SUPPORTED, CANNOT_TELL = "supported", "not supported", "can't tell from these data"
UNDECIDED = "not decided here"

RULE = (
    "Supported: the figure lies above zero with its whole 95 % interval, and p after Holm's correction over the claims "
    "is below 0.05. Not supported: it lies below zero in the same way, or its interval ends below "
    f"{_MARGIN}, so that at most a difference too small to matter is left. Otherwise: can't tell."
)

DEPTH = (("ResNet", ("resnet18", "resnet34", "resnet50", "resnet152")), ("VGG", ("vgg16", "vgg19")))
"""Networks that differ in depth and in little else, shallow ones first."""

TRAINED = ("dense", "last_block", "entire")
"""Modes by how much of the network is trained."""

MODES = ("entire", "gradual", "last_block", "dense", "scratch")
"""Where depth is compared, one mode for all: the first of these that holds two networks of a series."""

LINEAR = ("linear_svc", "lda", "fisher", "logreg")
HALF = Fraction(1, 2)
POINTS = Column("points", "", "difference")
SHARE = Column("share", "", "share")


@dataclass(frozen=True)
class Evidence:
    """What a run holds on one claim.

    Attributes
    ----------
    rule : str
        What is measured and what more than `RULE` the verdict asks for.
    tested : str
        What was compared, in words.
    figure : Contrast or None
        Above zero where the claim is right; None where ``missing`` says what is.
    missing : str
    methods : tuple of str
        Behind the figure.
    protocols : tuple of str
    saved : Estimate or None
        Share of training time saved, its n being folds; decides the claim on compute, with ``p_value``.
    p_value : float
        Of the test that decides; the figure's own unless it is the one on time.
    reverse : str
        What a figure below zero says.
    objection : str
        Why the claim fails although its figure is above zero; empty where nothing speaks against it.
    """

    rule: str
    tested: str = ""
    figure: Contrast | None = None
    missing: str = ""
    methods: tuple[str, ...] = ()
    protocols: tuple[str, ...] = ()
    saved: Estimate | None = None
    p_value: float = math.nan
    reverse: str = "the reverse is so"
    objection: str = ""


@dataclass(frozen=True)
class Finding:
    """A claim with its evidence and verdict; ``holm`` is the corrected p, NaN where nothing could be tested."""

    claim: PublishedClaim
    evidence: Evidence
    holm: float
    verdict: str
    why: str


def judge_claims(run: ReportRun, protocol: str) -> tuple[Finding, ...]:
    """Hold every claim of the article against a protocol of a run.

    Parameters
    ----------
    view : ReportRun
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
        verdict, why = _judge(evidence, holm)
        if not run.declares_winner:
            verdict = f"{UNDECIDED} ({'quick run' if run.quick else 'rendered faces'})"
            why = evidence.missing
        found.append(Finding(claim, evidence, holm, verdict, why))
    return tuple(found)


def _judge(evidence: Evidence, holm: float) -> tuple[str, str]:
    """Apply the rule; the second string is the reason."""
    if evidence.figure is None:
        return CANNOT_TELL, evidence.missing
    if evidence.saved is not None:
        return _judge_saved(evidence.saved, evidence.figure.estimate, holm)
    found = evidence.figure.estimate
    if math.isnan(found.low):
        return CANNOT_TELL, f"the figure has no interval, as {found.why or 'nothing varies'}"
    if holm < 0.05 and found.low > 0:
        if evidence.objection:
            return NOT_SUPPORTED, evidence.objection
        return SUPPORTED, "above zero"
    if holm < 0.05 and found.high < 0:
        return NOT_SUPPORTED, evidence.reverse
    if found.high < MARGIN:
        return NOT_SUPPORTED, f"its interval ends below {_MARGIN}"
    seen = "" if math.isnan(evidence.figure.detectable) else f"; {_unseen(evidence.figure.detectable)}"
    if found.low > 0:
        return CANNOT_TELL, f"the interval lies above zero, but not after correction for the number of claims{seen}"
    if found.high < 0:
        return CANNOT_TELL, f"the interval lies below zero, but not after correction for the number of claims{seen}"
    return CANNOT_TELL, f"the interval holds zero{seen}"


def _unseen(detectable: float) -> str:
    return f"a true difference below {100 * detectable:.1f} points would often go unseen"


def _judge_saved(saved: Estimate, accuracy: Estimate, holm: float) -> tuple[str, str]:
    if math.isnan(saved.low):
        return CANNOT_TELL, f"the time saved has no interval, as {saved.why}"
    if saved.high < 0 and holm < 0.05:
        return NOT_SUPPORTED, "it takes longer"
    cheaper = saved.low > 0 and holm < 0.05
    if accuracy.high < -MARGIN:
        return NOT_SUPPORTED, f"it {'is cheaper, but ' if cheaper else ''}classifies fewer images correctly"
    if not cheaper:
        return CANNOT_TELL, "the interval of the time saved holds zero"
    if math.isnan(accuracy.low) or accuracy.low < -MARGIN:
        return CANNOT_TELL, f"it is cheaper, but may lose {_MARGIN} of accuracy or more"
    return SUPPORTED, "it takes less time and is not less accurate"


def _rows(run: ReportRun, protocol: str) -> dict[tuple[str, str], str]:
    """Finished methods by network and mode."""
    found = {}
    for method in run.standing(protocol)["method"]:
        told = run.info["methods"].get(str(method), {})
        if told.get("network"):
            found[str(told["network"]), str(told.get("mode", ""))] = str(method)
    return found


def _outcomes(run: ReportRun, protocol: str, methods: Sequence[str]) -> list[MethodPredictions]:
    return [run.outcomes[Key(method, protocol, LAST)] for method in methods]


def _trends(run: ReportRun, protocol: str, series: Sequence[Sequence[str]], evidence: Evidence) -> Evidence:
    """Fill in the mean over series of the rise from first to last."""
    figure = contrast(run, mean_of([trend(_outcomes(run, protocol, methods)) for methods in series]))
    if figure is None:
        return replace(evidence, missing="these methods share no test image")
    methods = tuple(dict.fromkeys(name for names in series for name in names))
    return replace(evidence, figure=figure, methods=methods, protocols=(protocol,), p_value=figure.p_value)


def _deeper(run: ReportRun, protocol: str) -> Evidence:
    rule = (
        "Rise from the shallowest to the deepest network of a series, along a straight line through all of it "
        "(ResNet-18, -34, -50, -152; VGG-16, -19), mean over series."
    )
    rows = _rows(run, protocol)
    for mode in MODES:
        series = [[rows[network, mode] for network in networks if (network, mode) in rows] for _, networks in DEPTH]
        series = [methods for methods in series if len(methods) > 1]
        if series:
            words = "; ".join(", ".join(methods) for methods in series)
            return _trends(run, protocol, series, Evidence(rule, words))
    return Evidence(
        rule,
        missing="this run finished no two networks of a series in one mode, such as resnet18-entire "
        "and resnet50-entire",
    )


def _larger(run: ReportRun, protocol: str) -> Evidence:
    rule = "Rise from the smallest to the largest input of the article's small network, along a straight line."
    methods = sized(run, protocol)
    if len(methods) < 2:
        return Evidence(rule, missing="this run finished no two sizes of cnn2, such as cnn2-48 and cnn2-128")
    return _trends(run, protocol, [methods], Evidence(rule, ", ".join(methods)))


def sized(run: ReportRun, protocol: str) -> list[str]:
    """Finished methods of the article's small network, by size of input."""
    told = run.info["methods"]
    names = [str(name) for name in run.standing(protocol)["method"]]
    mine = [n for n in names if n in told and told[n].get("network", "") == "cnn2" and told[n].get("size")]
    return sorted(mine, key=lambda name: int(told[name]["size"]))


def _layers(run: ReportRun, protocol: str) -> Evidence:
    rule = (
        "Rise from training the dense layers alone, by way of the last block, to the entire network, along a straight "
        "line, mean over networks."
    )
    rows = _rows(run, protocol)
    networks = list(dict.fromkeys(network for network, _ in rows))
    series = [[rows[network, mode] for mode in TRAINED if (network, mode) in rows] for network in networks]
    series = [methods for methods in series if len(methods) > 1]
    if not series:
        missing = "this run finished no network in two of the modes dense, last_block and entire"
        return Evidence(rule, missing=missing)
    words = "; ".join(", ".join(methods) for methods in series[:6])
    more = f" and {len(series) - 6} more networks" if len(series) > 6 else ""
    return _trends(run, protocol, series, Evidence(rule, words + more))


def _transfer(run: ReportRun, protocol: str) -> Evidence:
    rule = (
        "Share of training time that the mode with least to train (dense, else last_block, else entire) saves against "
        "the same network from scratch, mean over networks, t interval over folds. Supported where it is above zero "
        f"and accuracy is not lower by {_MARGIN} or more; not supported where it takes longer, or "
        "loses more than that."
    )
    rows = _rows(run, protocol)
    pairs = []
    for network, mode in rows:
        chosen = next((rows[network, other] for other in TRAINED if (network, other) in rows), None)
        if mode == "scratch" and chosen is not None:
            pairs.append((chosen, rows[network, mode]))
    if not pairs:
        return Evidence(rule, missing="this run finished no network both from ImageNet weights and from scratch")
    evidence = Evidence(rule, "; ".join(f"{a} against {b}" for a, b in pairs), protocols=(protocol,))
    saved, p_value = _time_saved(run, protocol, pairs)
    if saved is None:
        return replace(evidence, missing="they ran on different devices, so their times cannot be compared")
    figure = contrast(run, mean_of([trend(_outcomes(run, protocol, (b, a))) for a, b in pairs]))
    if figure is None:
        return replace(evidence, missing="these methods share no test image")
    methods = tuple(name for pair in pairs for name in pair)
    return replace(evidence, figure=figure, methods=methods, saved=saved, p_value=p_value)


def _time_saved(run: ReportRun, protocol: str, pairs: Sequence[tuple[str, str]]) -> tuple[Estimate | None, float]:
    """One minus the ratio of seconds, geometric mean over networks; folds are the units."""
    trials = run.data.trials
    mine = trials[(trials["protocol"] == protocol) & (trials["state"] == "ok")]
    if "device" in mine and mine.loc[mine["method"].isin({n for pair in pairs for n in pair}), "device"].nunique() > 1:
        return None, math.nan
    seconds = mine.pivot_table(index=["seed", "fold"], columns="method", values="fit_seconds", aggfunc="mean")
    logs = np.log(np.stack([seconds[a] / seconds[b] for a, b in pairs], axis=1)).mean(axis=1)
    logs = logs[np.isfinite(logs)]
    if not len(logs):
        return Estimate(math.nan, why="no time was recorded"), math.nan
    value = 1 - math.exp(float(logs.mean()))
    found = stats.mean_t_test(logs)
    if isinstance(found, stats.NotApplicable):
        return Estimate(value, n=len(logs), why="it takes two folds that differ"), math.nan
    return Estimate(value, 1 - math.exp(found.high), 1 - math.exp(found.low), n=len(logs)), found.p_value


def _classical(run: ReportRun, protocol: str) -> Evidence:
    rule = (
        "To fail means to classify fewer than half of the images correctly: one half minus the accuracy of the best "
        "classical pipeline, which was picked on these images and so has luck on its side."
    )
    best = run.best(protocol, "classical")
    if best is None:
        return Evidence(rule, missing="this run finished no classical pipeline")
    outcome = run.outcomes[Key(best, protocol, LAST)]
    figure = contrast(run, [(outcome, Fraction(-1))], constant=HALF)
    if figure is None:
        return Evidence(rule, missing="no image was tested")
    methods, words = [best], f"{best}: {_percent(run.accuracy(outcome))}"
    names = [str(name) for name in run.ranked(protocol, "classical")["method"]]
    linear = next((name for name in names if name.split("-")[0] in LINEAR), None)
    if linear and linear != best:
        methods.append(linear)
        words += f"; best linear one, {linear}: {_percent(run.accuracy(_outcomes(run, protocol, [linear])[0]))}"
    network = max(
        (name for family in ("cnn", "deep") if (name := run.best(protocol, family))),
        key=lambda name: run.outcomes[Key(name, protocol, LAST)].correct.mean(),
        default=None,
    )
    if network:
        methods.append(network)
        words += f"; best network, {network}: {_percent(run.accuracy(_outcomes(run, protocol, [network])[0]))}"
    evidence = Evidence(rule, words, figure, methods=tuple(methods), protocols=(protocol,))
    reverse = "the best pipeline classifies more than half of the images correctly"
    return replace(evidence, p_value=figure.p_value, reverse=reverse)


def _frontal(run: ReportRun, protocol: str) -> Evidence:
    rule = (
        "What classical pipelines gain on full profiles of unseen people when all views are in training in place of "
        "straight ones alone, mean over pipelines. Not supported, too, where with all views they still "
        "classify fewer than half of these images correctly: then it is not the frontal training that makes them fail."
    )
    name = "frontal-to-profile"
    if name in run.protocols and not run.unseen_people(name):
        return Evidence(rule, missing=f"the check of its folds does not find people apart under {name}")
    other = all_views_partner(run, name) if name in run.protocols else None
    if other is None:
        asks = f"it takes {name} and a protocol by person in one run (suite protocols)"
        return Evidence(rule, missing=asks)
    both = run.finished_under(name, other)
    methods = [method for method in both if run.family(method) == "classical"]
    if not methods:
        return Evidence(rule, missing=f"no classical pipeline finished under {name} and {other}")
    pairs = [(run.outcomes[Key(m, name, LAST)], run.outcomes[Key(m, other, LAST)]) for m in methods]
    figure = contrast(run, mean_of([trend(pair) for pair in pairs]))
    if figure is None:
        return Evidence(rule, missing=f"{name} and {other} share no test image")
    words = (
        f"{other} minus {name} on the same images, {len(methods)} pipelines; trained on "
        f"{run.train_size(other):,.0f} and {run.train_size(name):,.0f} images, so part of the gain is the amount"
    )
    evidence = Evidence(rule, words, figure, methods=tuple(methods), protocols=(name, other), p_value=figure.p_value)
    return replace(evidence, reverse="they lose by it", objection=_still_fail(run, pairs))


def _still_fail(run: ReportRun, pairs: Sequence[tuple[MethodPredictions, MethodPredictions]]) -> str:
    """Say so where pipelines trained on all views on average classify fewer than half of these images correctly."""
    share = Fraction(1, len(pairs))
    seen = [(b.where(np.isin(b.images, a.images)), share) for a, b in pairs]
    found = contrast(run, seen)
    if found is None or not found.estimate.high < HALF:
        return ""
    return f"with all views in training they still classify only {_percent(found.estimate)} of these images correctly"


def _percent(found: Estimate) -> str:
    text = cell_text(SHARE, found)
    return text if text == NO_VALUE else f"{text} %"


EVIDENCE: dict[str, Callable[[ReportRun, str], Evidence]] = {
    "deeper": _deeper,
    "larger": _larger,
    "layers": _layers,
    "transfer": _transfer,
    "classical": _classical,
    "frontal": _frontal,
}
