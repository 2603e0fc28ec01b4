"""Claims on an order: deeper networks, larger inputs, more layers trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from ..model.report_run import ReportRun
from .contrast import Weighted, mean_of, trend
from .evidence import Evidence, measured, outcomes_of, rows_by_mode

__all__ = ["deeper", "larger", "layers", "sized"]

DEPTH = (("ResNet", ("resnet18", "resnet34", "resnet50", "resnet152")), ("VGG", ("vgg16", "vgg19")))
"""Networks that differ in depth and in little else, shallow ones first."""

TRAINED = ("dense", "last_block", "entire")
"""Modes by how much of the network is trained."""

MODES = ("entire", "gradual", "last_block", "dense", "scratch")
"""Where depth is compared, one mode for all: the first of these that holds two networks of a series."""


def deeper(run: ReportRun, protocol: str) -> Evidence:
    """Depth: the rise along each series, mean over series; no series may fall."""
    rule = (
        "Rise from the shallowest to the deepest network of a series, along a straight line through all of it "
        "(ResNet-18, -34, -50, -152; VGG-16, -19), mean over series. Each series is a part."
    )
    rows = rows_by_mode(run, protocol)
    for mode in MODES:
        series = {
            name: [rows[network, mode] for network in networks if (network, mode) in rows] for name, networks in DEPTH
        }
        series = {name: methods for name, methods in series.items() if len(methods) > 1}
        if series:
            words = "; ".join(", ".join(methods) for methods in series.values())
            rises = [(name, _rise(run, protocol, methods)) for name, methods in series.items()]
            # one series is the figure itself, so it is no part beside it
            parts = rises if len(rises) > 1 else []
            found = _with_methods(Evidence(rule, words), protocol, list(series.values()))
            return measured(run, found, mean_of([weighted for _, weighted in rises]), parts)
    return Evidence(
        rule,
        missing="this run finished no two networks of a series in one mode, such as resnet18-entire "
        "and resnet50-entire",
    )


def larger(run: ReportRun, protocol: str) -> Evidence:
    """Size of input: the rise along all sizes; no step from a size to the next may fall."""
    rule = (
        "Rise from the smallest to the largest input of the article's small network, along a straight line. Larger is "
        "better only where the order holds all the way: each step from a size to the next is a part."
    )
    methods = sized(run, protocol)
    if len(methods) < 2:
        return Evidence(rule, missing="this run finished no two sizes of cnn2, such as cnn2-48 and cnn2-128")
    steps = list(pairwise(methods)) if len(methods) > 2 else []
    parts = [(f"{large} minus {small}", _rise(run, protocol, (small, large))) for small, large in steps]
    found = _with_methods(Evidence(rule, ", ".join(methods)), protocol, [methods])
    return measured(run, found, _rise(run, protocol, methods), parts)


def sized(run: ReportRun, protocol: str) -> list[str]:
    """Finished methods of the article's small network, by size of input."""
    told = run.info["methods"]
    names = [str(name) for name in run.standing(protocol)["method"]]
    mine = [n for n in names if n in told and told[n].get("network", "") == "cnn2" and told[n].get("size")]
    return sorted(mine, key=lambda name: int(told[name]["size"]))


def layers(run: ReportRun, protocol: str) -> Evidence:
    """How much is trained: the rise over modes, mean over networks; no step and no network may fall."""
    rule = (
        "Rise from training the dense layers alone, by way of the last block, to the entire network, along a straight "
        "line, mean over networks. Each step, mean over networks, and each network are parts."
    )
    rows = rows_by_mode(run, protocol)
    networks = list(dict.fromkeys(network for network, _ in rows))
    series = {name: [rows[name, mode] for mode in TRAINED if (name, mode) in rows] for name in networks}
    series = {name: methods for name, methods in series.items() if len(methods) > 1}
    if not series:
        missing = "this run finished no network in two of the modes dense, last_block and entire"
        return Evidence(rule, missing=missing)
    words = "; ".join(", ".join(methods) for methods in list(series.values())[:6])
    words += f" and {len(series) - 6} more networks" if len(series) > 6 else ""
    rises = {name: _rise(run, protocol, methods) for name, methods in series.items()}
    parts = list(rises.items()) if len(series) > 1 else []
    for less, more in pairwise(TRAINED):
        both = [(rows[name, less], rows[name, more]) for name in series if {(name, less), (name, more)} <= set(rows)]
        if both and any(len(methods) > 2 for methods in series.values()):
            step = mean_of([_rise(run, protocol, pair) for pair in both])
            parts.append((f"{more} minus {less}, {len(both)} network{'s' * (len(both) > 1)}", step))
    found = _with_methods(Evidence(rule, words), protocol, list(series.values()))
    return measured(run, found, mean_of(list(rises.values())), parts)


def _rise(run: ReportRun, protocol: str, methods: Sequence[str]) -> list[Weighted]:
    return trend(outcomes_of(run, protocol, methods))


def _with_methods(evidence: Evidence, protocol: str, series: Sequence[Sequence[str]]) -> Evidence:
    names = tuple(dict.fromkeys(name for methods in series for name in methods))
    return replace(evidence, methods=names, protocols=(protocol,))
