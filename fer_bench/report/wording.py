"""What may be said about a protocol's figures: who is tested, and the flag of those that are optimistic."""

from __future__ import annotations

from collections.abc import Sequence

from fer_bench.stats import MIXED, Unit

from .gather import RunView

__all__ = ["OPTIMISTIC", "common_unit", "tested_on", "who"]

OPTIMISTIC = (
    "optimistic: where a method has epochs, the one that did best on these test images was taken, so the figure is no "
    "forecast for new images"
)

_OWN_WORDS = {
    "cross-dataset": "another dataset, people that the method has never seen",
    "view-out": "people that the method has never seen, from a view that it has never seen",
    "frontal-to-profile": "full profiles of people that the method has never seen, after straight views alone",
}
_SEEN = {
    "image": "images drawn at random: the same people in training",
    "session": "another session of people who are in training",
}


def tested_on(views: Sequence[RunView], protocol: str) -> str:
    """Words for who is tested, to follow "tested on"; runs that differ are told apart."""
    found = [_tested_on(view, protocol) for view in views if protocol in view.protocols]
    return " / ".join(dict.fromkeys(found))


def who(view: RunView, protocol: str) -> str:
    """Words for whose images were read, for the headline."""
    flag = f" ({view.shown(protocol)})" if view.optimistic(protocol) else ""
    if not view.unit.tells_people:
        return f"on images of people that the data do not tell apart{flag}"
    if view.unseen_people(protocol):
        return f"on people it has never seen{flag}"
    return f"on images of people it has seen (no protocol by person was run){flag}"


def common_unit(views: Sequence[RunView]) -> Unit:
    """The unit of several runs' intervals; `MIXED` where they differ."""
    units = {view.unit.name: view.unit for view in views}
    return next(iter(units.values())) if len(units) == 1 else MIXED


def _tested_on(view: RunView, protocol: str) -> str:
    if not view.unit.tells_people:
        return "images; the data do not tell who is on them, so the same people may be in training"
    if view.unseen_people(protocol):
        return _OWN_WORDS.get(protocol, "people that the method has never seen")
    splits_by = str(view.info["protocols"].get(protocol, {}).get("splits_by", ""))
    return _SEEN.get(splits_by, "images of people of whom some may be in training")
