"""What may be said about a protocol's figures: who is tested, and the flag of those that are optimistic."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from fer_bench.stats import MIXED, Unit

from .report_run import ReportRun

__all__ = ["GIVEN", "OPTIMISTIC", "apart", "common_unit", "guessing", "input_words", "tested_on", "who"]

GIVEN = "given-"
"""Starts the name of folds that were given in as a file and are no protocol's."""

OPTIMISTIC = (
    "optimistic: where a method has epochs, the one that did best on these test images was taken, so the figure is no "
    "forecast for new images"
)

_OWN_WORDS = {
    "cross-dataset": "another dataset, whose people are taken to be none of those in training",
    "view-out": "people that the method has never seen, from a view that it has never seen",
    "frontal-to-profile": "full profiles of people that the method has never seen, after straight views alone",
}
_SEEN = {
    "image": "images drawn at random: the same people in training",
    "session": "another session of people who are in training",
}


def tested_on(runs: Sequence[ReportRun], protocol: str) -> str:
    """Words for who is tested, to follow "tested on"; runs that differ are told apart."""
    found = [_tested_on(run, protocol) for run in runs if protocol in run.protocols]
    return " / ".join(dict.fromkeys(found))


def input_words(method: Mapping[str, Any]) -> str:
    """Words for what a method of run.json is given; who placed its landmarks is part of what its figure means."""
    if method.get("source") == "landmarks":
        return f"68 landmarks: {method.get('landmarks') or 'nobody can place them on these pictures'}"
    if "size" not in method:
        return ""
    by_way = " by way of 256 px grey" if method.get("source") == "grey256" else ""
    return f"{method['size']} px, {'colour' if method.get('channels') == 3 else 'grey'}{by_way}"


def who(run: ReportRun, protocol: str) -> str:
    """Words for whose images were classified, for the headline."""
    flag = f" ({run.shown(protocol)})" if run.optimistic(protocol) else ""
    if not run.unit.tells_people:
        return f"on images of people whose identities are not given{flag}"
    if run.unseen_people(protocol):
        others = "on people of another dataset, taken to be new to it"
        return f"{others if protocol == 'cross-dataset' else 'on people it has never seen'}{flag}"
    if protocol.startswith(GIVEN) or not _sees_all(run, protocol):
        return f"on images of people of whom {_also_trained(run, protocol)}{flag}"
    by_person = any(found.get("splits_by") == "person" for found in run.info["protocols"].values())
    why = "no protocol of this run keeps people apart" if by_person else "no protocol by person was run"
    return f"on images of people it has seen ({why}){flag}"


def common_unit(runs: Sequence[ReportRun]) -> Unit:
    """The unit of several runs' intervals; `MIXED` where they differ."""
    units = {run.unit.name: run.unit for run in runs}
    return next(iter(units.values())) if len(units) == 1 else MIXED


def _tested_on(run: ReportRun, protocol: str) -> str:
    if not run.unit.tells_people:
        return "images; the data do not tell who is on them, so the same people may be in training"
    if run.unseen_people(protocol):
        return _OWN_WORDS.get(protocol, "people that the method has never seen")
    if protocol == "cross-dataset":
        return f"another dataset, of whose people {_also_trained(run, protocol)}"
    if protocol.startswith(GIVEN):
        return f"the test images of a file of folds: of their people {_also_trained(run, protocol)}"
    splits_by = str(run.info["protocols"].get(protocol, {}).get("splits_by", ""))
    if splits_by in _SEEN and _sees_all(run, protocol):
        return _SEEN[splits_by]
    return f"images of people of whom {_also_trained(run, protocol)}"


def apart(run: ReportRun, protocol: str) -> str:
    """Whether people are kept apart, and how that is known: it begins with yes or taken, no, or not known."""
    state = run.people_apart(protocol)
    if state == "unknown":
        return "not known"
    if state == "proven":
        if protocol == "cross-dataset":
            return "taken to be so"
        if not run.check(protocol):
            return "yes, by the data's own names alone"
        return "yes, checked" if run.unit.tells_people else "yes, by the images' names"
    tested, seen = _seen(run, protocol)
    if seen or not run.check(protocol):
        return f"no: {seen:,} of {tested:,}" if 0 < seen < tested else "no"
    return f"no: {_also_trained(run, protocol)}"


def guessing(run: ReportRun, protocol: str) -> str:
    """What guessing gives, and what the most frequent expression would where that is more."""
    chance, (_, share) = f"{100 * run.chance:.1f} %", run.majority(protocol)
    more = f"{100 * share:.1f} %"
    if math.isnan(share) or more == chance:
        return f"chance is {chance}"
    return f"chance is {chance}, and always naming the most frequent expression gives {more}"


def _seen(run: ReportRun, protocol: str) -> tuple[int, int]:
    """How many people are tested, and how many of them the same fold trains on; zeros where run.json does not say."""
    found = run.info["protocols"].get(protocol, {})
    return int(found.get("n_people_tested") or 0), int(found.get("n_people_also_trained") or 0)


def _sees_all(run: ReportRun, protocol: str) -> bool:
    """Whether training shows everybody who is tested, as far as the data's names and the check tell."""
    tested, seen = _seen(run, protocol)
    return seen == tested and not (seen == 0 and run.check(protocol))


def _also_trained(run: ReportRun, protocol: str) -> str:
    """How many of the tested people are also trained on, by the data's names, else by what the check found."""
    tested, seen = _seen(run, protocol)
    if seen:
        return f"{seen:,} of {tested:,} {'is' if seen == 1 else 'are'} also trained on"
    check = run.check(protocol)
    by_name = max((int(leak.get("groups", 0)) for leak in (check.get("people") or {}).get("leaks") or ()), default=0)
    if by_name:
        return f"{by_name:,} {'is' if by_name == 1 else 'are'} also trained on, by the images' names"
    found = [check.get("sequences") or {}, *(check.get("copies") or {}).values()]
    most = max((int(kind.get("tests", 0)) for kind in found), default=0)
    if most:
        return f"some are also trained on, by {most:,} pictures that training holds, too, or frames of one film"
    return "some may be in training"
