"""What training holds of the people who are tested, counted by the run: no story, only shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ..model.report_run import ReportRun
from ..model.tables import Block, Column, Table, cell_text

__all__ = ["NO_NULL", "by_split_alone", "span_words", "training_blocks"]

NO_NULL = (
    "difference of answers that use no expression at all, only who is shown: in proportion to what training holds of "
    "that person, and the person's most frequent expression"
)
_UNKNOWN = (
    "This run does not hold what the nearest training pictures are (it is of an earlier version, or its pictures have "
    "no hashes), so no reason for these differences can be given. Beware of differences below zero under a split by "
    "image: the tested expressions of a person are the ones that are missing in training, so that answers that use "
    "nothing but who is shown fall below chance. Zero is not what no effect looks like there."
)
_POINTS = Column("points", "", "difference")


class Compared(Protocol):
    """Names of two protocols."""

    @property
    def looser(self) -> str:
        """The one that lets more of the tested people into training."""

    @property
    def stricter(self) -> str:
        """The other."""


def training_blocks(run: ReportRun, pairs: Sequence[Compared], suffix: str) -> list[Block]:
    """A table of shares, one row a protocol, with what follows from them; a sentence where the run counted nothing."""
    names = list(dict.fromkeys(name for pair in pairs for name in (pair.looser, pair.stricter)))
    rows = [row for name in names if (row := _row(run, name))]
    if not rows:
        return [_UNKNOWN]
    columns = (
        *(Column("protocol", "protocol"), Column("tests", "tests looked up", "count")),
        Column("person", "same person, %", "share", "the nearest training picture shows the tested person"),
        Column("session", "in another session, %", "share", "it shows the tested person in another session"),
        Column("label", "tested expression, %", "share", "it shows the tested expression, of whomever"),
        Column("both", "same person and expression, %", "share", "it shows the tested person with that expression"),
        Column(
            "proportion",
            "knowing the person, %",
            "share",
            "accuracy of answering in proportion to what training "
            "holds of the tested person, without looking at the expression",
        ),
        Column(
            "frequent",
            "the person's most frequent, %",
            "share",
            "accuracy of answering the expression that training has most often of the tested person",
        ),
    )
    notes = (
        "Nearest: fewest of 256 bits of the perceptual hash apart; of several each counts a part.",
        *_said(run, pairs),
    )
    title = "What training holds of those who are tested"
    return [Table(f"neighbours{suffix}", title, columns, tuple(rows), notes=notes, head="protocol")]


def by_split_alone(run: ReportRun, looser: str, stricter: str) -> tuple[float, float] | None:
    """Differences of the two answers that know only who is shown, and use no expression; None if unknown."""
    loose, strict = (_told(run, name, "known_person") for name in (looser, stricter))
    if not loose or not strict:
        return None
    base = strict["in_proportion"]
    low, high = sorted((loose["most_frequent"] - base, loose["in_proportion"] - base))
    return low, high


def span_words(span: tuple[float, float] | None) -> str:
    """Such a span in points."""
    return "" if span is None else " to ".join(cell_text(_POINTS, value) for value in span)


def _told(run: ReportRun, protocol: str, what: str) -> Mapping[str, Any]:
    return run.info["protocols"].get(protocol, {}).get(what) or {}


def _row(run: ReportRun, protocol: str) -> dict[str, Any]:
    nearest, known = _told(run, protocol, "nearest"), _told(run, protocol, "known_person")
    if not nearest and not known:
        return {}
    return {
        **{"protocol": run.shown(protocol), "tests": nearest.get("tests")},
        **{"person": nearest.get("person"), "session": nearest.get("other_session")},
        **{"label": nearest.get("label"), "both": nearest.get("person_and_label")},
        **{"proportion": known.get("in_proportion"), "frequent": known.get("most_frequent")},
    }


def _said(run: ReportRun, pairs: Sequence[Compared]) -> list[str]:
    """A sentence a pair on the nearest picture, one on what the split does by itself; only what was counted."""
    found = []
    for pair in pairs:
        a, b = (_told(run, name, "nearest") for name in (pair.looser, pair.stricter))
        looser, stricter = run.shown(pair.looser), run.shown(pair.stricter)
        if a and b:
            shares = f"{100 * a['label']:.1f} % of tests under {looser} and {100 * b['label']:.1f} % under {stricter}"
            who = "" if a["person"] is None else f", the tested person in {100 * a['person']:.1f} % under {looser}"
            way = "gains by" if a["label"] > b["label"] else "loses by"
            found.append(
                f"The nearest training picture shows the tested expression in {shares}{who}: an answer that goes by "
                f"this picture alone {way} the looser split, {cell_text(_POINTS, a['label'] - b['label'])} points."
            )
        span = by_split_alone(run, pair.looser, pair.stricter)
        if span is not None:
            biased = min(span) < -0.005
            words = (
                "so zero is not what no effect looks like: a difference below zero down to there needs no face"
                if biased
                else "so this comparison is not biased below zero by the split itself"
            )
            found.append(
                f"{looser} against {stricter}: answers that use nothing but who is shown differ by {span_words(span)} "
                f"points, {words}."
            )
    return found
