"""Misclassified images: by every method, with their file names, and how many by most."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_bench.labels import EMOTION_NAMES, EMOTIONS
from fer_bench.results.outcomes import Key

from ..model.report_run import LAST, ReportRun
from ..model.tables import Block, Column, Section, Table
from .data import MOST_NAMES

__all__ = ["hard_section", "hardest", "missed_by_all", "readings", "taken_for"]

HARDEST = 50
"""How many images are named where none is missed by all methods."""


def readings(run: ReportRun, protocol: str) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.int64]]:
    """Count, for every tested image, the finished methods that classify it correctly.

    A method that tested an image more than once, with several seeds, classifies it correctly where most of its
    answers are correct.

    Returns
    -------
    images : (n,) str
        Sorted; those that all finished methods were tested on.
    right, label : (n,) int64
        Methods that classify the image correctly, and its label, an index into ``EMOTIONS``.
    """
    kept = run.kept.get(("readings", protocol))
    if kept is None:
        kept = run.kept["readings", protocol] = _readings(run, protocol)
    images, right, label = kept
    return images, right, label


def _readings(run: ReportRun, protocol: str) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.int64]]:
    images: NDArray[Any] | None = None
    counted: list[tuple[NDArray[Any], NDArray[np.bool_], NDArray[np.int64]]] = []
    for method in run.ranked(protocol)["method"]:
        outcome = run.outcomes[Key(str(method), protocol, LAST)]
        names, first, place = np.unique(outcome.images, return_index=True, return_inverse=True)
        share = np.bincount(place, weights=outcome.correct) / np.bincount(place)
        counted.append((names, share > 0.5, outcome.labels[first]))
        images = names if images is None else np.intersect1d(images, names, assume_unique=True)
    if images is None:
        return np.array([], dtype=str), np.array([], dtype=np.int64), np.array([], dtype=np.int64)
    right = np.zeros(len(images), dtype=np.int64)
    label = np.zeros(len(images), dtype=np.int64)
    for names, good, labels in counted:
        places = np.searchsorted(names, images)
        right += good[places]
        label = labels[places]
    return images, right, label


def missed_by_all(run: ReportRun, protocol: str) -> tuple[NDArray[Any], int]:
    """Names of the images that all finished methods misclassify, sorted, and how many all were tested on."""
    images, right, _ = readings(run, protocol)
    return images[right == 0], len(images)


def hard_section(run: ReportRun, suffix: str) -> Section:
    """Images that every method misclassifies, and how many methods classify how many images correctly."""
    title, protocol = "Misclassified images", run.primary
    if protocol is None or len(run.ranked(protocol)) < 2:
        return Section(f"hard{suffix}", title, ("It takes two finished methods to say what all of them misclassify.",))
    images, right, _label = readings(run, protocol)
    if not len(images):
        return Section(f"hard{suffix}", title, ("The methods were not tested on the same images.",))
    methods = len(run.ranked(protocol))
    text = (
        f"Under {run.shown(protocol)}, of {len(images):,} images {int((right == 0).sum()):,} are classified "
        f"correctly by none of {methods} methods and {int((right == methods).sum()):,} by all. "
        "No picture is shown here: `fer-bench report RUN --gallery` writes them to a file of its own, for your eyes "
        "only."
    )
    blocks: list[Block] = [text, _by_expression(run, protocol, suffix)]
    blocks.append(_names(run, protocol, suffix))
    return Section(f"hard{suffix}", title, tuple(blocks))


def _by_expression(run: ReportRun, protocol: str, suffix: str) -> Table:
    _images, right, label = readings(run, protocol)
    methods = len(run.ranked(protocol))
    rows = []
    for place, name in enumerate(EMOTION_NAMES):
        mine = right[label == place]
        if len(mine):
            rows.append(
                {
                    **{"label": name, "none": int((mine == 0).sum()), "few": int((4 * mine < methods).sum())},
                    **{"all": int((mine == methods).sum()), "n": len(mine)},
                }
            )
    columns = (
        *(Column("label", "shown"), Column("none", "by none", "count")),
        Column("few", "by fewer than a quarter", "count", "of the methods; those by none are among them"),
        *(Column("all", "by all", "count"), Column("n", "images", "count", "that all finished methods were tested on")),
    )
    title = f"{run.shown(protocol)}: images by how many of {methods} methods classify them correctly"
    return Table(f"hard-{protocol}{suffix}", title, columns, tuple(rows), head="label")


def hardest(run: ReportRun, protocol: str, most: int) -> tuple[list[str], str]:
    """Images that all finished methods misclassify, sorted; else those that fewest classify correctly.

    Returns
    -------
    names : list of str
        At most ``most``.
    title : str
        What they are.
    """
    images, right, _ = readings(run, protocol)
    missed, _ = missed_by_all(run, protocol)
    if len(missed):
        return [str(name) for name in missed[:most]], f"{len(missed):,} images that all methods misclassify"
    order = np.lexsort((images, right))[: min(most, HARDEST)]
    what = f"no image is misclassified by all methods: the {len(order)} that fewest classify correctly"
    return [str(name) for name in images[order]], what


def _names(run: ReportRun, protocol: str, suffix: str) -> Table:
    images, right, _ = readings(run, protocol)
    names, what = hardest(run, protocol, MOST_NAMES)
    reads = dict(zip(map(str, images), map(int, right), strict=True))
    rows = tuple({"image": name, "right": reads[name], **taken_for(run, protocol, name)} for name in names)
    columns = (
        *(
            Column("image", "file", "code"),
            Column("label", "shown"),
            Column("right", "correct by", "count", "methods that classify it correctly"),
        ),
        Column("taken", "most often misclassified as"),
        *(Column("times", "by methods", "count", "methods that agree on this answer"), Column("person", run.unit.one)),
    )
    total = int((right == 0).sum())
    more = (f"The first {MOST_NAMES:,} of {total:,}.",) if total > len(names) else ()
    title = f"{run.shown(protocol)}: {what}"
    return Table(f"missed-{protocol}{suffix}", title, columns, rows, more, head="image", folded=True)


def taken_for(run: ReportRun, protocol: str, image: str) -> dict[str, Any]:
    """Tell who is on an image, what it shows, and which wrong answer most methods give to it.

    Returns
    -------
    dict
        label, person, taken (empty where nobody is wrong) and times.
    """
    votes = np.zeros(len(EMOTIONS), dtype=np.int64)
    label, person = 0, ""
    for method in run.ranked(protocol)["method"]:
        outcome = run.outcomes[Key(str(method), protocol, LAST)]
        place = int(np.searchsorted(outcome.images, image))
        votes[outcome.predicted[place]] += 1
        label, person = int(outcome.labels[place]), str(outcome.people[place])
    votes[label] = 0
    best = int(votes.argmax())
    taken = EMOTION_NAMES[best] if votes[best] else ""
    return {"label": EMOTION_NAMES[label], "person": person, "taken": taken, "times": int(votes[best])}
