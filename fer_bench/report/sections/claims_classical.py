"""Claims on classical pipelines: that they fail, and that training on frontal faces is what makes them fail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from fer_bench.results.outcomes import Key, MethodPredictions

from ..model.report_run import LAST, ReportRun
from .contrast import contrast, mean_of, trend
from .evidence import Evidence, Part, outcomes_of, percent
from .head_pose import all_views_partner

__all__ = ["classical", "frontal"]

LINEAR = ("linear_svc", "lda", "fisher", "logreg")
NETWORKS = ("cnn", "deep")
HALF = Fraction(1, 2)


def classical(run: ReportRun, protocol: str) -> Evidence:
    """Classical pipelines fail where the best is behind the best network, and that network above chance."""
    rule = (
        "To fail means to be significantly behind the networks, and those to be above chance (one in the number of "
        "expressions, or the share of the most frequent one): the best network minus the best classical pipeline. "
        f"Both are picked on one half of the {run.unit.many} and measured on the other half, and the other way round, "
        "so that neither has the luck of having been picked on these images."
    )
    ours = [str(name) for name in run.learnt(protocol, "classical")["method"]]
    networks = [str(name) for family in NETWORKS for name in run.learnt(protocol, family)["method"]]
    if not ours or not networks:
        return Evidence(rule, missing=f"this run finished no {'network' if ours else 'classical pipeline'}")
    halves = _halves(run.outcomes[Key(ours[0], protocol, LAST)])
    ours_, networks_ = (_picked(outcomes_of(run, protocol, names), halves) for names in (ours, networks))
    if ours_ is None or networks_ is None:
        return Evidence(rule, missing=f"it takes two {run.unit.many} and the same test images for all")
    figure = contrast(run, trend([ours_, networks_]))
    above = contrast(run, [(networks_, Fraction(1))], constant=-_chance(run, protocol))
    if figure is None or above is None:
        return Evidence(rule, missing="the pipelines and the networks share no test image")
    best, network = ours[0], _best(outcomes_of(run, protocol, networks)).key.method
    methods, words = [best], f"{best}: {_accuracy(run, protocol, best)}"
    linear = next((name for name in ours if name.split("-")[0] in LINEAR), None)
    if linear and linear != best:
        methods.append(linear)
        words += f"; best linear one, {linear}: {_accuracy(run, protocol, linear)}"
    methods.append(network)
    words += f"; best network, {network}: {_accuracy(run, protocol, network)}"
    part = Part("best network minus chance", above, strict=True, else_="no network is significantly above chance here")
    return Evidence(
        rule,
        words,
        figure,
        methods=tuple(methods),
        protocols=(protocol,),
        parts=(part,),
        figure_name="best network minus best classical pipeline",
        reverse="the best pipeline is ahead of the best network",
    )


def _accuracy(run: ReportRun, protocol: str, method: str) -> str:
    return percent(run.accuracy(run.outcomes[Key(method, protocol, LAST)]))


def _chance(run: ReportRun, protocol: str) -> Fraction:
    """Accuracy of the best guess that looks at no picture."""
    _, share = run.majority(protocol)
    return max(Fraction(1, run.n_classes), Fraction(share).limit_denominator(1000))


def _halves(outcome: MethodPredictions) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
    """Every other person, by name: two halves that no method has a say in."""
    names = np.unique(outcome.people)
    return names[::2], names[1::2]


def _best(outcomes: Sequence[MethodPredictions]) -> MethodPredictions:
    return max(outcomes, key=lambda outcome: (outcome.correct.mean(), outcome.key.method))


def _picked(
    outcomes: Sequence[MethodPredictions], halves: tuple[NDArray[np.str_], NDArray[np.str_]]
) -> MethodPredictions | None:
    """On each half of the people the method that is best on the other half; None where a half was not tested."""
    chosen: list[MethodPredictions] = []
    for here, there in (halves, halves[::-1]):
        seen = [outcome.correct[np.isin(outcome.people, there)] for outcome in outcomes]
        if not all(map(len, seen)):
            return None
        best = max(range(len(seen)), key=lambda place: (seen[place].mean(), outcomes[place].key.method))
        chosen.append(outcomes[best].where(np.isin(outcomes[best].people, here)))
    first = chosen[0]
    joined = {
        field.name: np.concatenate([getattr(one, field.name) for one in chosen])
        for field in fields(first)
        if field.name != "key"
    }
    return MethodPredictions(key=first.key, **joined)


def frontal(run: ReportRun, protocol: str) -> Evidence:
    """Frontal training is the cause of failing where training on all views heals it."""
    rule = (
        "What classical pipelines gain on full profiles of unseen people when all views are in training in place of "
        "straight ones alone, mean over pipelines. A part: with all views they classify half of these images "
        "correctly; where they still do not, it is not the frontal training that makes them fail."
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
    seen = [(b.where(np.isin(b.images, a.images)), Fraction(1, len(pairs))) for a, b in pairs]
    healed = contrast(run, seen, constant=-HALF)
    if figure is None or healed is None:
        return Evidence(rule, missing=f"{name} and {other} share no test image")
    words = (
        f"{other} minus {name} on the same images, {len(methods)} pipelines; trained on "
        f"{run.train_size(other):,.0f} and {run.train_size(name):,.0f} images, so part of the gain is the amount"
    )
    return Evidence(
        rule,
        words,
        figure,
        methods=tuple(methods),
        protocols=(name, other),
        parts=(Part(f"accuracy under {other} minus one half", healed),),
        figure_name=f"{other} minus {name}",
        reverse="they lose by it",
    )
