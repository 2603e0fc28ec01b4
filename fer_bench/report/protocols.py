"""What the protocol does to a figure: split by image or by person, best epoch on test or last; and learning curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from fer_bench.results import Key

from . import svg
from .columns import FAMILY, IMAGES, METHOD, PEOPLE
from .gather import BEST, LAST, RunView
from .tables import Block, Column, Drawing, Estimate, Section, Table, cell_text

__all__ = ["curves_section", "epochs_section", "splits_section"]

_DIFFERENCE = Column(
    *("difference", "difference, points", "difference"), "by image minus by person, on the same images, 95 % interval"
)


def splits_section(view: RunView, suffix: str) -> Section:
    """The same method, tested on the same images: with and without other pictures of the same people in training."""
    title = "Split by image or by person"
    person = next((name for name in view.protocols if view.unseen_people(name)), None)
    others = [name for name in view.protocols if not view.unseen_people(name)]
    if person is None or not others:
        return Section(f"splits{suffix}", title, ("It takes a protocol by person and one by image; this run has one.",))
    text = (
        "A split by image puts other pictures of a tested person into training. That helps some methods, which then "
        "know the face, and misleads others, for which the nearest face is the same person with another expression. "
        "Both columns and the difference count the images that both protocols tested."
    )
    blocks: list[Block] = [text]
    for other in others:
        rows = _split_rows(view, person, other)
        if rows:
            blocks += [_tally(rows, other), _split_table(f"splits-{other}{suffix}", person, other, rows)]
    if len(blocks) == 1:
        blocks.append("No method finished under both protocols.")
    return Section(f"splits{suffix}", title, tuple(blocks))


def epochs_section(view: RunView, suffix: str) -> Section:
    """What picking the epoch on the test images adds."""
    title = "Best epoch on test, or the last"
    tables = [table for name in view.protocols if (table := _epoch_table(view, name, suffix)) is not None]
    if not tables:
        return Section(f"epochs{suffix}", title, ("No epochs were watched on the test images in this run.",))
    text = (
        "The article scored the epoch that did best on the test images. Such a figure cannot be lower than the last "
        "epoch's of the same fold, and it is no forecast for new images; it is shown to size that habit."
    )
    return Section(f"epochs{suffix}", title, (text, *tables))


def curves_section(view: RunView, suffix: str) -> Section:
    """Accuracy over epochs, mean over folds."""
    title, curves, protocol = "Learning curves", view.run.curves, view.primary
    mine = curves[curves["protocol"] == protocol] if curves is not None else pd.DataFrame()
    if mine.empty:
        return Section(f"curves{suffix}", title, ("No learning curves were recorded in this run.",))
    panels: list[tuple[str, str, list[tuple[str, list[float]]]]] = []
    rows: list[dict[str, Any]] = []
    for method, found in mine.groupby("method", sort=False):
        family = view.family(str(method))
        mean = found.groupby("epoch")[["loss", "train_accuracy", "test_accuracy"]].mean()
        lines = [
            (kind, [float(v) for v in mean[f"{kind}_accuracy"]])
            for kind in ("train", "test")
            if mean[f"{kind}_accuracy"].notna().any()
        ]
        if lines:
            panels.append((str(method), family, lines))
        last = mean.iloc[-1]
        rows.append(
            {
                **{"method": str(method), "family": family, "epochs": int(mean.index[-1])},
                "trials": int(found[["fold", "seed"]].drop_duplicates().shape[0]),
                **{"loss": float(last["loss"]), "train": float(last["train_accuracy"])},
                "test": float(last["test_accuracy"]),
            }
        )
    columns = (
        *(METHOD, FAMILY, Column("epochs", "epochs", "count"), Column("trials", "trials", "count", "folds averaged")),
        Column("loss", "last loss", "score", "training loss of the last epoch, mean over trials"),
        Column("train", "last on training, %", "share", "training accuracy of the last epoch, mean over trials"),
        Column("test", "last on test, %", "share", "accuracy on the watched test images, mean over trials"),
    )
    table = Table(f"curves-{protocol}{suffix}", f"{protocol}: where training ended", columns, tuple(rows), folded=True)
    caption = (
        f"{protocol}: accuracy over epochs, mean over trials; dashed: training images, solid: test images, watched."
    )
    figure = [svg.curves_figure(f"curves-figure{suffix}", panels, caption)] if panels else []
    return Section(f"curves{suffix}", title, (*figure, table))


def _split_rows(view: RunView, person: str, other: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for method in view.ranked(person)["method"]:
        a, b = view.outcome(str(method), other), view.outcome(str(method), person)
        found = view.difference(a, b) if a and b else None
        if a is None or b is None or found is None:
            continue
        shared = np.isin(b.images, a.images)
        by_image, by_person = view.accuracy(a, np.isin(a.images, b.images)), view.accuracy(b, shared)
        rows.append(
            {
                **{"method": str(method), "family": view.family(str(method)), "image": by_image, "person": by_person},
                "difference": Estimate.of(found.interval),
                **{"n": found.interval.n, "people": found.interval.people},
            }
        )
    return rows


def _tally(rows: Sequence[dict[str, Any]], other: str) -> str:
    """Count who gains and who loses; intervals that hold zero count as neither."""
    gain = sum(row["difference"].low > 0 for row in rows)
    lose = sum(row["difference"].high < 0 for row in rows)
    median = cell_text(_DIFFERENCE, float(np.median([row["difference"].value for row in rows])))
    return (
        f"{other}: of {len(rows)} methods {gain} score higher when split by image, {lose} lower, and "
        f"{len(rows) - gain - lose} are not told apart (95 % intervals, not corrected for the number of methods). "
        "Median difference: "
        f"{median} points."
    )


def _draw(rows: Sequence[dict[str, Any]], first: str, second: str) -> str:
    """Give each row its dumbbell on one scale for all, and return the words for that scale."""
    shares = [row[key].value for row in rows for key in (first, second)]
    low, high = np.floor(10 * min(shares)) / 10, np.ceil(10 * max(shares)) / 10
    scale = (float(low), float(max(high, low + 0.1)))
    for row in rows:
        row["drawing"] = Drawing(svg.dumbbell(row[first].value, row[second].value, row["family"], scale))
    return f"{100 * scale[0]:.0f} to {100 * scale[1]:.0f} %"


def _split_table(name: str, person: str, other: str, rows: list[dict[str, Any]]) -> Table:
    scale = _draw(rows, "person", "image")
    columns = (
        *(METHOD, FAMILY, Column("image", f"{other}, %", "share", "tested on images of people seen in training")),
        Column("person", f"{person}, %", "share", "tested on people never seen in training"),
        Column("drawing", f"{scale}; ring: by person, disc: by image", "drawing"),
        _DIFFERENCE,
        *(IMAGES, PEOPLE),
    )
    return Table(name, f"{other} against {person}", columns, tuple(rows))


def _epoch_table(view: RunView, protocol: str, suffix: str) -> Table | None:
    rows: list[dict[str, Any]] = []
    for method in view.ranked(protocol)["method"]:
        last, best = view.outcomes[Key(str(method), protocol, LAST)], view.outcome(str(method), protocol, BEST)
        found = view.difference(best, last) if best is not None else None
        if best is None or found is None:
            continue
        a, b = view.accuracy(last), view.accuracy(best)
        rows.append(
            {
                **{"method": str(method), "family": view.family(str(method)), "last": a, "best": b},
                "difference": Estimate.of(found.interval),
                **{"n": found.interval.n, "people": found.interval.people},
            }
        )
    if not rows:
        return None
    scale = _draw(rows, "last", "best")
    columns = (
        *(METHOD, FAMILY, Column("last", "last epoch, %", "share")),
        Column("best", "best epoch on test, %: optimistic", "share", "picked on the images it is scored on"),
        Column("drawing", f"{scale}; ring: last, disc: best on test", "drawing"),
        Column("difference", "added, points", "difference", "best epoch on test minus last epoch, 95 % interval"),
        *(IMAGES, PEOPLE),
    )
    title = f"{protocol}: what picking the epoch on the test images adds"
    return Table(f"epochs-{protocol}{suffix}", title, columns, tuple(rows), folded=protocol != view.primary)
