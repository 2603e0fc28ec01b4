"""Leakage: the same method on the same images, with other pictures of the tested people in training and without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fer_bench import stats
from fer_bench.results.outcomes import Key, MethodPredictions

from ..model.columns import FAMILY, IMAGES, METHOD, unit_column
from ..model.comparisons import ADJUSTED_METHODS, compare_apiece
from ..model.report_run import LAST, VIEW_PROTOCOLS, ReportRun
from ..model.tables import Block, Column, Estimate, Figure, Section, Table, cell_text
from ..plots import figures
from ..plots.cells import dumbbells
from .copies import copies_blocks
from .dead_trainings import dead_note
from .neighbours import NO_NULL, by_split_alone, span_words, training_blocks

__all__ = ["SAME_SIZE", "Comparison", "comparisons", "splits_section"]

_ALL = "95 % interval that holds for all methods at once"

SAME_SIZE = 0.02
"""Training sets that differ by no more than this share count as equal; others are told."""


@dataclass(frozen=True)
class Comparison:
    """Two protocols of one run; differences are the looser minus the stricter.

    Attributes
    ----------
    looser, stricter : str
        The stricter one keeps more of what is tested out of training: image, then session, then person.
    looser_size, stricter_size : float
        Mean number of images that a fold trains on.
    """

    looser: str
    stricter: str
    looser_size: float
    stricter_size: float

    @property
    def same_size(self) -> bool:
        """Whether both train on the same amount of images, within `SAME_SIZE`."""
        low, high = sorted((self.looser_size, self.stricter_size))
        return high <= (1 + SAME_SIZE) * low

    @property
    def sizes(self) -> str:
        """The amounts in words."""
        looser, stricter = f"{self.looser_size:,.0f}", f"{self.stricter_size:,.0f}"
        pair = f"{looser} and {stricter}"
        if self.same_size:
            return stricter if looser == stricter else pair
        return f"{pair} ({100 * (self.looser_size / self.stricter_size - 1):+.1f} %)".replace("-", "−")


def comparisons(run: ReportRun) -> tuple[Comparison, ...]:
    """Pairs of protocols that differ in who is in training; those with equal training sizes first.

    The partners that ``run.json`` names come first; a protocol that lets tested people into training and has no
    stricter partner in the run is held against the protocol by person that is nearest in training size.
    """
    strict = {name: rank for name in run.protocols if (rank := _strictness(run, name)) is not None}
    size = {name: run.train_size(name) for name in strict}
    pairs: list[tuple[str, str]] = []
    for name in strict:
        for partner in run.info["protocols"].get(name, {}).get("partners") or ():
            if strict.get(partner, strict[name]) != strict[name]:
                loose, tight = sorted((name, partner), key=strict.__getitem__)
                pairs.append((loose, tight))
    unseen = [name for name in strict if run.unseen_people(name)]
    for name in strict:
        if unseen and name not in unseen and name not in {loose for loose, _ in pairs}:
            pairs.append((name, min(unseen, key=lambda other: abs(size[other] - size[name]))))
    order = list(run.protocols)
    pairs = sorted(dict.fromkeys(pairs), key=lambda pair: (strict[pair[0]], order.index(pair[0]), -strict[pair[1]]))
    found = [Comparison(loose, tight, size[loose], size[tight]) for loose, tight in pairs]
    return tuple(sorted(found, key=lambda pair: not pair.same_size))


def splits_section(run: ReportRun, suffix: str) -> Section:
    """Every method under two protocols that differ in who is in training."""
    title, pairs = "Leakage: who is in training", comparisons(run)
    if not pairs:
        return Section(f"splits{suffix}", title, (_nothing(run), *copies_blocks(run, suffix)))
    found = {pair: rows for pair in pairs if (rows := _rows(run, pair))}
    if not found:
        nothing = "No method finished under both protocols of a pair."
        return Section(f"splits{suffix}", title, (nothing, *copies_blocks(run, suffix)))
    text = (
        "A split by image puts other pictures of a tested person into training, a split by session those of another "
        "sitting. What that is worth to a method, and with which sign, is measured here. "
        "Every row counts the images that both protocols tested, last epoch on both sides."
    )
    if not run.unit.tells_people:
        text += " These data do not tell who is who, so no row shows what unseen people do to a figure."
    blocks: list[Block] = [text, *_slopes(run, suffix), _overview(run, found, suffix)]
    blocks += training_blocks(run, list(found), suffix)
    for place, (pair, rows) in enumerate(found.items()):
        blocks.append(_table(run, pair, rows, suffix, folded=place > 0))
    blocks += copies_blocks(run, suffix)
    return Section(f"splits{suffix}", title, tuple(blocks))


def _strictness(run: ReportRun, protocol: str) -> int | None:
    """Rank what is kept out of training; None where that is not what the protocol is about."""
    if protocol in VIEW_PROTOCOLS:
        return None
    splits_by = str(run.info["protocols"].get(protocol, {}).get("splits_by", ""))
    if run.unseen_people(protocol) and splits_by != "dataset":
        return 2
    return {"image": 0, "session": 1}.get(splits_by)


def _nothing(run: ReportRun) -> str:
    if not run.unit.tells_people:
        return "These data do not tell who is who, so what seen people do to a figure cannot be measured on them."
    if not any(run.unseen_people(name) for name in run.protocols):
        return "It takes a protocol that keeps people apart and one that does not; this run has none that does."
    return "It takes a protocol by person and one by image or by session; this run has one kind only."


def _rows(run: ReportRun, pair: Comparison) -> list[dict[str, Any]]:
    methods = run.finished_under(pair.stricter, pair.looser)
    sides = [
        tuple(run.outcomes[Key(method, name, LAST)] for name in (pair.looser, pair.stricter)) for method in methods
    ]
    both = [_shared(loose, tight) for loose, tight in sides]
    found, _ = compare_apiece(run, both)
    return [
        {
            **{"method": method, "family": run.family(method)},
            **{"looser": run.accuracy(outcomes[0]), "stricter": run.accuracy(outcomes[1])},
            **{"difference": compared.estimate, "adjusted": compared.p_value, "detectable": compared.detectable},
            **{"n": compared.estimate.n, "people": compared.estimate.people, "outcomes": outcomes},
        }
        for method, outcomes, compared in zip(methods, both, found, strict=True)
        if compared is not None
    ]


def _shared(a: MethodPredictions, b: MethodPredictions) -> tuple[MethodPredictions, MethodPredictions]:
    """Both outcomes on the images that both tested."""
    return a.where(np.isin(a.images, b.images)), b.where(np.isin(b.images, a.images))


def _slopes(run: ReportRun, suffix: str) -> list[Block]:
    """Every method from random images by way of sessions to unseen people: what the protocol does, in one drawing."""
    chosen = _ladder(run)
    if len(chosen) < 2:
        return []
    finished = {protocol: [str(name) for name in run.learnt(protocol)["method"]] for protocol in chosen}
    methods = list(dict.fromkeys(name for names in finished.values() for name in names))
    rows: list[dict[str, Any]] = []
    for method in methods:
        found = {name: run.outcome(method, name) for name in chosen if method in finished[name]}
        if len(found) > 1:
            values = {name: run.accuracy(outcome) for name, outcome in found.items() if outcome is not None}
            tested = [estimate.n for estimate in values.values()]
            count = f"{min(tested):,}" + (f" to {max(tested):,}" if max(tested) > min(tested) else "")
            rows.append({"method": method, "family": run.family(method), "n": count, **values})
    if not rows:
        return []
    lines = [(r["method"], r["family"], [r.get(name, Estimate(float("nan"))) for name in chosen]) for r in rows]
    named = [rows[0]["method"], rows[-1]["method"], *(str(run.best(chosen[-1], f)) for f in run.families(chosen[-1]))]
    sizes = ", ".join(f"{run.shown(name)} {run.train_size(name):,.0f}" for name in chosen)
    caption = (
        f"Accuracy of {len(rows)} methods, in %: the further right, the less of the tested people is in training. "
        f"Every line is a method (hover for its name); last epoch. Training images: {sizes}."
    )
    table_id = f"ladder{suffix}"
    columns = (
        *(METHOD, FAMILY),
        *(
            Column(name, f"{run.shown(name)}, %", "share", f"accuracy, 95 % interval {run.unit.over}")
            for name in chosen
        ),
        Column("n", "images", "text", "test images behind each figure"),
    )
    svg = figures.slopes([run.shown(name) for name in chosen], lines, caption, named)
    figure = Figure(f"ladder-figure{suffix}", svg, caption, table_id)
    return [figure, Table(table_id, "The same methods under each protocol", columns, tuple(rows), folded=True)]


def _ladder(run: ReportRun) -> list[str]:
    """One protocol a step: by image, by session, by person; of several, those that train on the most equal amounts."""
    steps: dict[int, list[str]] = {}
    for name in run.protocols:
        rank = _strictness(run, name)
        if rank is not None and not run.optimistic(name) and len(run.learnt(name)):
            steps.setdefault(rank, []).append(name)
    if not steps:
        return []
    last = steps[max(steps)]
    best: tuple[float, list[str]] = (np.inf, [])
    for anchor in last:
        size = run.train_size(anchor)
        chosen = [min(steps[r], key=lambda n: abs(run.train_size(n) - size)) for r in sorted(steps) if r != max(steps)]
        chosen.append(anchor)
        apart = sum(abs(run.train_size(name) / size - 1) for name in chosen)
        if apart < best[0] - 1e-9:
            best = (apart, chosen)
    return best[1]


def _signs(rows: Sequence[dict[str, Any]]) -> tuple[int, int]:
    """How many methods score higher, and lower, by intervals that hold for all of them at once."""
    return sum(row["difference"].low > 0 for row in rows), sum(row["difference"].high < 0 for row in rows)


def _overview(run: ReportRun, found: dict[Comparison, list[dict[str, Any]]], suffix: str) -> Table:
    table = []
    for pair, rows in found.items():
        higher, lower = _signs(rows)
        table.append(
            {
                "pair": f"{run.shown(pair.looser)} minus {run.shown(pair.stricter)}",
                **{"train": pair.sizes, "methods": len(rows), "n": rows[0]["n"], "people": rows[0]["people"]},
                "median": run.median_difference([row["outcomes"] for row in rows]),
                **{"higher": higher, "lower": lower, "open": len(rows) - higher - lower},
                "alone": span_words(by_split_alone(run, pair.looser, pair.stricter)),
                "beyond": sum(row["adjusted"] < stats.ALPHA and not _of_the_split(run, pair, row) for row in rows),
            }
        )
    columns = (
        *(Column("pair", "compared"), Column("train", "training images", "text", "mean over folds")),
        *(Column("methods", "methods", "count"), IMAGES, unit_column(run.unit)),
        Column("median", "median difference, points", "difference", "over methods, with its 95 % interval"),
        Column("higher", "higher", "count", f"methods whose difference lies above zero with its whole {_ALL}"),
        Column("lower", "lower", "count", f"methods whose difference lies below zero with its whole {_ALL}"),
        Column("open", "not significantly different", "count", f"methods whose {_ALL} holds zero, or that have none"),
        Column("alone", "by the split alone, points", "text", NO_NULL),
        Column(
            "beyond",
            "higher or lower, beyond the split alone",
            "count",
            "methods that differ significantly, and by more than the split alone can do; where that is not known, "
            "differences above zero alone are counted for splits by image",
        ),
    )
    return Table(f"leakage{suffix}", "Who is in training, at a glance", columns, tuple(table), head="pair")


def _of_the_split(run: ReportRun, pair: Comparison, row: dict[str, Any]) -> bool:
    """Whether a difference may come from the split alone, without any use of a face."""
    span = by_split_alone(run, pair.looser, pair.stricter)
    if span is None:
        return bool(row["difference"].value < 0 and _strictness(run, pair.looser) == 0)
    return bool(row["difference"].high >= min(span) and row["difference"].low <= max(*span, 0.0))


def _tally(run: ReportRun, pair: Comparison, rows: Sequence[dict[str, Any]]) -> str:
    """Count who gains and who loses; intervals that hold zero count as neither."""
    higher, lower = _signs(rows)
    column = Column("difference", "", "difference")
    median = cell_text(column, float(np.median([row["difference"].value for row in rows])))
    fair = "with as much to train on"
    if not pair.same_size:
        fair = f"trained on {pair.sizes} images, so part of the difference may be due to that"
    return (
        f"{run.shown(pair.looser)} against {run.shown(pair.stricter)}, {fair}: of {len(rows)} methods {higher} score "
        f"higher on {run.shown(pair.looser)}, {lower} lower, and {len(rows) - higher - lower} are not "
        f"significantly different ({_ALL}). Median difference: {median} points."
    )


def _power_note(run: ReportRun, rows: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    """Say where the test could not have found any difference: all people agreeing still leaves 2 of 2^people flips."""
    people = max(row["people"] for row in rows)
    least = 2.0 ** (1 - people)
    if least < stats.ALPHA:
        return ()
    return (
        f"With {people} {run.unit.many} no p can be below {cell_text(Column('p', '', 'p'), least)}, whatever is true, "
        "and no difference has an interval: run more people.",
    )


def _table(run: ReportRun, pair: Comparison, rows: list[dict[str, Any]], suffix: str, *, folded: bool) -> Table:
    scale = dumbbells(rows, "stricter", "looser")
    looser, stricter = run.shown(pair.looser), run.shown(pair.stricter)
    columns = (
        *(METHOD, FAMILY),
        Column("looser", f"{looser}, %", "share", "accuracy with more of the tested people in training"),
        Column("stricter", f"{stricter}, %", "share", "accuracy with less of them, or nobody, in training"),
        Column("drawing", f"{scale}; ring: {pair.stricter}, disc: {pair.looser}", "drawing"),
        Column(
            *("difference", "difference, points", "difference"),
            f"first minus second, on the same images; {_ALL}",
        ),
        Column(
            *("adjusted", ADJUSTED_METHODS, "p"),
            f"sign flips {run.unit.over} of all methods in this table together; below 5 % exactly where the interval "
            "leaves zero out",
        ),
        Column(
            *("detectable", "detectable, points", "share"),
            "true difference that is found with 80 % power where all methods in this table are looked at",
        ),
        *(IMAGES, unit_column(run.unit)),
    )
    notes = (_tally(run, pair, rows), *_power_note(run, rows), *dead_note(run, pair.looser, pair.stricter))
    name = f"splits-{pair.looser}-{pair.stricter}{suffix}"
    title = f"{looser} against {stricter}"
    shown = tuple({key: value for key, value in row.items() if key != "outcomes"} for row in rows)
    return Table(name, title, columns, shown, notes=notes, folded=folded)
