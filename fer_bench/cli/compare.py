"""The answer of ``fer-bench compare``, for people and for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from fer_bench import stats
from fer_bench.results.compare import Compared, Pair

from .tables import columns

__all__ = ["compare_json", "compare_lines"]

_MOST_LINES = 8
"""Lines of one kind before "and n more"; --json has all."""


def compare_lines(found: Compared) -> Iterator[str]:
    """Word a comparison: the answer first, then what it rests on."""
    if len(found.pairs) == 1:
        yield from _one(found.pairs[0], found)
    else:
        yield from _many(found)
    yield ""
    sides = {(pair.method_a, pair.method_b) for pair in found.pairs}
    for side, run, place in (("A", found.run_a, 0), ("B", found.run_b, 1)):
        yield f"{side}: {next(iter(sides))[place]} of {run}" if len(sides) == 1 else f"{side}: {run}"
    yield found.data[:1].upper() + found.data[1:]
    yield from _list("What differs between the runs", found.differs)
    yield from _list("Not compared", found.left_out)
    yield from _list("Read with care", found.cautions)


def compare_json(found: Compared) -> str:
    """Everything as JSON; what is no number is null."""
    value = {
        "run_a": str(found.run_a),
        "run_b": str(found.run_b),
        "unit": found.unit.name,
        "data": found.data,
        "differs": found.differs,
        "left_out": found.left_out,
        "cautions": found.cautions,
        "pairs": [asdict(pair) | {"verdict": pair.verdict} for pair in found.pairs],
    }
    return json.dumps(_plain(value), indent=1, ensure_ascii=False, allow_nan=False)


def _one(pair: Pair, found: Compared) -> Iterator[str]:
    interval, unit = pair.difference.interval, found.unit
    name = pair.method_a if pair.method_a == pair.method_b else f"{pair.method_a} (A) and {pair.method_b} (B)"
    yield (
        f"{name} under {pair.protocol}, {interval.n:,} images of {interval.people} {unit.many}: A "
        f"{_share(pair.accuracy_a)}, B {_share(pair.accuracy_b)}."
    )
    yield f"A minus B: {_points(interval)} points; {_verdict_words(pair)}."
    yield ""
    yield from columns(list(_evidence(pair, unit)))
    for note in pair.notes:
        yield f"Note: {note}."


def _evidence(pair: Pair, unit: stats.Unit) -> Iterator[tuple[str, str]]:
    """Each test with its p or its reason."""
    test, mcnemar, folds = pair.difference.test, pair.difference.mcnemar, pair.folds
    yield f"sign-flip test {unit.over} (of record)", f"p {_p(pair.p_adjusted)}{_because(test.reason)}"
    posterior = pair.posterior
    if isinstance(posterior, stats.Posterior):
        yield (
            f"better by more than {_margin(posterior.margin)}",
            f"A {_percent(posterior.better)}, neither {_percent(posterior.same)}, B {_percent(posterior.worse)}",
        )
    else:
        yield "better by more than a margin", f"none: {posterior.reason}"
    detectable = pair.difference.detectable
    seen = f"none: {pair.difference.interval.reason}" if math.isnan(detectable) else f"{100 * detectable:.1f} points"
    yield "difference detectable with 80 % power", seen
    if isinstance(folds, stats.FoldTest):
        yield f"corrected t over {folds.folds} folds", f"p {_p(folds.p_value)}"
    else:
        yield "corrected t over folds", f"none: {folds.reason}"
    yield "McNemar, assumes independent images", f"p {_p(mcnemar.p_value)}{_because(mcnemar.reason)}"


def _many(found: Compared) -> Iterator[str]:
    told = [pair for pair in found.pairs if pair.p_adjusted < stats.ALPHA and not pair.withheld]
    held = sum(pair.p_adjusted < stats.ALPHA for pair in found.pairs) - len(told)
    withheld = f"; the verdict is withheld in {held} more, where it hangs on these trainings" if held else ""
    better = sum(pair.difference.interval.value > 0 for pair in told)
    yield (
        f"In {len(told)} of {len(found.pairs)} comparisons A and B are significantly different (A better in {better}, "
        f"B in {len(told) - better}){withheld}: sign flips {found.unit.over} at 5 %, all {len(found.pairs)} together."
    )
    for protocol in dict.fromkeys(pair.protocol for pair in found.pairs):
        yield ""
        yield (
            f"{protocol}, accuracy in %, A minus B in points; 95 % intervals {found.unit.over} that hold for all "
            f"{len(found.pairs)} comparisons at once"
        )
        head = ("METHOD", "A", "B", "A - B", "P (ALL)", "DETECTABLE", "IMAGES", found.unit.many.upper(), "")
        rows = [_row(pair) for pair in found.pairs if pair.protocol == protocol]
        yield from columns([head, *rows])


def _row(pair: Pair) -> tuple[str, ...]:
    interval, detectable = pair.difference.interval, pair.difference.detectable
    same = pair.difference.mcnemar.reason and "right on the same images"
    return (
        pair.method_a if pair.method_a == pair.method_b else f"{pair.method_a} / {pair.method_b}",
        *(f"{100 * found.value:.1f}" for found in (pair.accuracy_a, pair.accuracy_b)),
        _points(interval),
        _p(pair.p_adjusted),
        "" if math.isnan(detectable) else f"{100 * detectable:.1f}",
        *(f"{interval.n:,}", str(interval.people)),
        "; ".join(filter(None, (same or pair.verdict, *pair.notes))),
    )


def _verdict_words(pair: Pair) -> str:
    if pair.difference.mcnemar.reason:
        return pair.difference.mcnemar.reason
    return f"{pair.verdict} (p {_p(pair.p_adjusted)})"


def _share(found: stats.Interval) -> str:
    bounds = "" if found.reason else f" [{100 * found.low:.1f}, {100 * found.high:.1f}]"
    return f"{100 * found.value:.1f} %{bounds}"


def _points(found: stats.Interval) -> str:
    bounds = "" if found.reason else f" [{100 * found.low:+.1f}, {100 * found.high:+.1f}]"
    return f"{100 * found.value:+.1f}{bounds}"


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.2g}" if value < 0.1 else f"{value:.2f}"


def _margin(share: float) -> str:
    points = f"{100 * share:g}"
    return f"{points} point{'' if points == '1' else 's'}"


def _percent(value: float) -> str:
    return f"{100 * value:.0f} %"


def _because(reason: str) -> str:
    return f" ({reason})" if reason else ""


def _list(title: str, lines: tuple[str, ...]) -> Iterator[str]:
    if not lines:
        return
    yield f"{title}:"
    yield from (f"  {line}" for line in lines[:_MOST_LINES])
    if len(lines) > _MOST_LINES:
        yield f"  and {len(lines) - _MOST_LINES} more (--json lists all)"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
