"""What picking the epoch on the test images adds; and learning curves."""

from __future__ import annotations

from typing import Any

import pandas as pd

from fer_bench.results.outcomes import Key

from ..model.columns import FAMILY, IMAGES, METHOD, unit_column
from ..model.report_run import BEST, LAST, ReportRun
from ..model.tables import Column, Estimate, Figure, Section, Table
from ..plots import figures, svg
from ..plots.cells import dumbbells

__all__ = ["curves_section", "epochs_section"]


def epochs_section(run: ReportRun, suffix: str) -> Section:
    """What picking the epoch on the test images adds."""
    title = "Best epoch on test, or the last"
    tables = [table for name in run.protocols if (table := _epoch_table(run, name, suffix)) is not None]
    if not tables:
        return Section(f"epochs{suffix}", title, ("No epochs were watched on the test images in this run.",))
    text = (
        "The article scored the epoch that did best on the test images. Such a figure cannot be lower than the last "
        "epoch's of the same fold, and it is no forecast for new images; it is shown to size that habit."
    )
    figures = [figure for table in tables[:1] if (figure := _epoch_slopes(table, suffix)) is not None]
    return Section(f"epochs{suffix}", title, (text, *figures, *tables))


def _epoch_slopes(table: Table, suffix: str) -> Figure | None:
    """The rows of a table of epochs as slopes."""
    lines = [(row["method"], row["family"], [row["last"], row["best"]]) for row in table.rows]
    most = sorted(table.rows, key=lambda row: row["best"].value - row["last"].value)
    named = [lines[0][0], lines[-1][0], most[-1]["method"]]
    caption = f"{table.title}, in % of images. Every line is a method (hover for its name)."
    svg_text = figures.slopes(["last epoch", "best epoch on test: optimistic"], lines, caption, named)
    return Figure(f"epochs-figure{suffix}", svg_text, caption, table.id)


def curves_section(run: ReportRun, suffix: str) -> Section:
    """Accuracy over epochs, mean over folds."""
    title, curves, protocol = "Learning curves", run.data.curves, run.primary
    mine = curves[curves["protocol"] == protocol] if curves is not None else pd.DataFrame()
    if mine.empty:
        return Section(f"curves{suffix}", title, ("No learning curves were recorded in this run.",))
    shown = run.shown(str(protocol))
    panels: list[tuple[str, str, list[tuple[str, list[float]]]]] = []
    rows: list[dict[str, Any]] = []
    for method, found in mine.groupby("method", sort=False):
        family = run.family(str(method))
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
    table = Table(f"curves-{protocol}{suffix}", f"{shown}: where training ended", columns, tuple(rows), folded=True)
    caption = f"{shown}: accuracy over epochs, mean over trials; dashed: training images, solid: test images, watched."
    figure = [svg.curves_figure(f"curves-figure{suffix}", panels, caption)] if panels else []
    return Section(f"curves{suffix}", title, (*figure, table))


def _epoch_table(run: ReportRun, protocol: str, suffix: str) -> Table | None:
    rows: list[dict[str, Any]] = []
    for method in run.ranked(protocol)["method"]:
        last, best = run.outcomes[Key(str(method), protocol, LAST)], run.outcome(str(method), protocol, BEST)
        found = run.difference(best, last) if best is not None else None
        if best is None or found is None:
            continue
        a, b = run.accuracy(last), run.accuracy(best)
        rows.append(
            {
                **{"method": str(method), "family": run.family(str(method)), "last": a, "best": b},
                "difference": Estimate.of(found.interval),
                **{"n": found.interval.n, "people": found.interval.people},
            }
        )
    if not rows:
        return None
    scale = dumbbells(rows, "last", "best")
    columns = (
        *(METHOD, FAMILY, Column("last", "last epoch, %", "share")),
        Column("best", "best epoch on test, %: optimistic", "share", "picked on the images it is scored on"),
        Column("drawing", f"{scale}; ring: last, disc: best on test", "drawing"),
        Column("difference", "added, points", "difference", "best epoch on test minus last epoch, 95 % interval"),
        *(IMAGES, unit_column(run.unit)),
    )
    title = f"{run.shown(protocol)}: what picking the epoch on the test images adds"
    return Table(f"epochs-{protocol}{suffix}", title, columns, tuple(rows), folded=protocol != run.primary)
