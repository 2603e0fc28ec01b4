"""Drawings of several sections: intervals on one axis, slopes, curves, calibration, ranks. See `svg` for the rules."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import escape

from ..model.tables import Estimate
from .svg import WIDTH, drawing, hue, px

__all__ = ["calibration_panels", "forest", "line_chart", "rank_diagram", "slopes"]

Line = tuple[str, str, Sequence[Estimate]]
"""A method, its family, and one estimate a place along the axis; NaN where there is none."""


def forest(rows: Sequence[tuple[str, Estimate]], caption: str, x_title: str) -> str:
    """Draw differences with their intervals on one axis, zero marked.

    Parameters
    ----------
    rows : sequence of (name, Estimate)
        In shares of images; drawn in points.
    caption, x_title : str
    """
    left, right, lane = 270, WIDTH - 20, 26
    ends = [v for _, found in rows for v in (found.value, found.low, found.high) if not math.isnan(v)]
    low, high = min([0.0, *ends]), max([0.0, *ends])
    step = _step(max(high - low, 0.02))
    low, high = math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step
    high = high if high > low else low + step

    def x(value: float) -> float:
        return left + (value - low) / (high - low) * (right - left)

    bottom = lane * len(rows) + 8
    parts = []
    for k in range(round((high - low) / step) + 1):
        tick = low + k * step
        parts.append(f'<path class="g" d="M{px(x(tick))} 0V{bottom}"/>')
        parts.append(f'<text class="t m" x="{px(x(tick))}" y="{bottom + 13}">{_points(tick)}</text>')
    parts.append(f'<path class="c" d="M{px(x(0))} 0V{bottom}"/>')
    parts.append(f'<text class="t m" x="{px((left + right) / 2)}" y="{bottom + 27}">{escape(x_title)}</text>')
    for place, (name, found) in enumerate(rows):
        y = lane * place + lane / 2 + 4
        parts.append(f'<text class="l" x="0" y="{px(y + 4)}">{escape(name)}</text>')
        if math.isnan(found.value):
            continue
        if not math.isnan(found.low):
            parts.append(f'<path class="x" d="M{px(x(found.low))} {px(y)}H{px(x(found.high))}"/>')
        title = f"<title>{escape(name)}: {_points(found.value, 1)} points</title>"
        parts.append(f'<g class="f-other k">{title}<circle cx="{px(x(found.value))}" cy="{px(y)}" r="4.5"/></g>')
    return drawing(parts, bottom + 32, caption)


def slopes(places: Sequence[str], lines: Sequence[Line], caption: str, named: Sequence[str] = ()) -> str:
    """Draw a line a method from place to place, accuracy upwards; the named ones carry their names at both ends.

    Parameters
    ----------
    places : sequence of str
        Names of the two or more uprights.
    lines : sequence of Line
    caption : str
    named : sequence of str
        Methods to be labelled.
    """
    left, right, top, bottom = 190, WIDTH - 190, 26, 330
    shares = [found.value for *_, values in lines for found in values if not math.isnan(found.value)]
    low, high = _range(shares)

    def x(place: int) -> float:
        return left + place * (right - left) / max(1, len(places) - 1)

    def y(share: float) -> float:
        return bottom - (share - low) / (high - low) * (bottom - top)

    parts = [f'<path class="g" d="M{px(x(i))} {top}V{bottom}"/>' for i in range(len(places))]
    for i, place in enumerate(places):
        parts.append(f'<text class="l m" x="{px(x(i))}" y="{14 if i % 2 == 0 else bottom + 18}">{escape(place)}</text>')
    axis = f'<text class="t m" x="{px(left - 14)}" y="{{}}">{{:.0f}}</text>'
    parts += [axis.format(px(y(tick) + 4), 100 * tick) for tick in (low, high)]
    ends: dict[int, list[tuple[float, str]]] = {0: [], len(places) - 1: []}
    for method, family, values in lines:
        known = [(i, found.value) for i, found in enumerate(values) if not math.isnan(found.value)]
        if len(known) < 2:
            continue
        path = "L".join(f"{px(x(i))} {px(y(v))}" for i, v in known)
        told = ", ".join(f"{places[i]} {100 * v:.1f} %" for i, v in known)
        marks = "".join(f'<circle class="k" cx="{px(x(i))}" cy="{px(y(v))}" r="3"/>' for i, v in known)
        parts.append(
            f'<g class="{hue(family)}"><title>{escape(method)}: {escape(told)}</title>'
            f'<path class="line" d="M{path}"/>{marks}</g>'
        )
        if method in named:
            for i in ends:
                here = dict(known).get(i)
                if here is not None:
                    ends[i].append((y(here), f"{method} {100 * here:.1f}"))
    for i, labels in ends.items():
        for height, text in _spread(labels):
            side = ' class="n e"' if i == 0 else ' class="n"'
            parts.append(
                f'<text{side} x="{px(x(i) + (-26 if i == 0 else 10))}" y="{px(height + 4)}">{escape(text)}</text>'
            )
    return drawing(parts, bottom + 26, caption)


def line_chart(ticks: Sequence[str], lines: Sequence[Line], caption: str, x_title: str, chance: float) -> str:
    """Draw accuracy with its intervals over places that are equally far apart, such as sizes of input."""
    height, left, right, top, bottom = 300, 44, WIDTH - 150, 10, 250

    def x(place: float) -> float:
        return left + (place + 0.5) * (right - left) / len(ticks)

    def y(share: float) -> float:
        return bottom - share * (bottom - top)

    parts = _share_axis(y, left, right)
    parts.append(f'<path class="c" d="M{left} {px(y(chance))}H{right}"/>')
    for place, tick in enumerate(ticks):
        parts.append(f'<text class="t m" x="{px(x(place))}" y="{bottom + 15}">{escape(tick)}</text>')
    parts.append(f'<text class="t m" x="{px((left + right) / 2)}" y="{bottom + 31}">{escape(x_title)}</text>')
    labels = []
    for number, (name, family, values) in enumerate(lines):
        aside = 4 * (number - (len(lines) - 1) / 2)
        known = [(x(i) + aside, found) for i, found in enumerate(values) if not math.isnan(found.value)]
        path = "L".join(f"{px(at)} {px(y(found.value))}" for at, found in known)
        whiskers = "".join(
            f'<path class="w" d="M{px(at)} {px(y(found.low))}V{px(y(found.high))}"/>'
            for at, found in known
            if not math.isnan(found.low)
        )
        marks = "".join(f'<circle class="k" cx="{px(at)}" cy="{px(y(found.value))}" r="3.5"/>' for at, found in known)
        dash = ' stroke-dasharray="4 3"' if number % 2 else ""
        parts.append(f'<g class="{hue(family)}"><path class="line"{dash} d="M{path}"/>{whiskers}{marks}</g>')
        labels.append((y(known[-1][1].value), name, known[-1][0]))
    for height_, text in _spread([(at, name) for at, name, _ in labels]):
        parts.append(f'<text class="n" x="{px(right + 8)}" y="{px(height_ + 4)}">{escape(text)}</text>')
    return drawing(parts, height, caption)


def calibration_panels(panels: Sequence[tuple[str, str, Sequence[tuple[float, float, int]]]], caption: str) -> str:
    """Draw small panels of a method's accuracy over its confidence.

    Parameters
    ----------
    panels : sequence of (method, family, sequence of (confidence, accuracy, images))
        Bins without images left out.
    caption : str
    """
    across, wide, high = 3, 230, 236
    parts = []
    for place, (method, family, bins) in enumerate(panels):
        left, top = place % across * wide, place // across * high
        size, x0, y0 = 160, left + 34, top + 24
        parts.append(f'<text class="n" x="{x0}" y="{top + 14}">{escape(method)}</text>')
        for tick in (0, 0.5, 1):
            across_, down = x0 + tick * size, y0 + (1 - tick) * size
            parts.append(f'<path class="g" d="M{x0} {px(down)}H{x0 + size}M{px(across_)} {y0}V{y0 + size}"/>')
            parts.append(f'<text class="t e" x="{x0 - 4}" y="{px(down + 4)}">{100 * tick:.0f}</text>')
            parts.append(f'<text class="t m" x="{px(across_)}" y="{y0 + size + 13}">{100 * tick:.0f}</text>')
        parts.append(f'<path class="c" d="M{x0} {y0 + size}L{x0 + size} {y0}"/>')
        most = max((n for *_, n in bins), default=1)
        dots = "".join(
            f'<circle class="k" cx="{px(x0 + size * sure)}" cy="{px(y0 + size * (1 - right))}" '
            f'r="{px(2 + 4 * math.sqrt(n / most))}"><title>confidence {100 * sure:.0f} %, '
            f"accuracy {100 * right:.0f} %, {n:,} images</title></circle>"
            for sure, right, n in bins
        )
        path = "L".join(f"{px(x0 + size * sure)} {px(y0 + size * (1 - right))}" for sure, right, n in bins if n >= 10)
        line = f'<path class="line" d="M{path}"/>' if path else ""
        parts.append(f'<g class="{hue(family)}">{line}{dots}</g>')
    rows = -(-len(panels) // across)
    return drawing(parts, rows * high, caption)


def rank_diagram(
    ranks: Sequence[tuple[str, float]], groups: Sequence[Sequence[str]], difference: float, caption: str
) -> str:
    """Draw mean ranks on an axis, and bars over those that are not significantly different (Demsar 2006).

    Parameters
    ----------
    ranks : sequence of (method, mean rank)
        Best first.
    groups : sequence of sequences of methods
    difference : float
        The critical difference, drawn as a bar of its length.
    caption : str
    """
    left, right, k = 210, WIDTH - 210, len(ranks)
    where = dict(ranks)

    def x(rank: float) -> float:
        return left + (rank - 1) / max(1, k - 1) * (right - left)

    axis = 44
    parts = [f'<path class="x" d="M{px(x(1))} {axis}H{px(x(k))}"/>']
    for tick in range(1, k + 1):
        parts.append(f'<path class="x" d="M{px(x(tick))} {axis - 4}V{axis}"/>')
        parts.append(f'<text class="t m" x="{px(x(tick))}" y="{axis - 8}">{tick}</text>')
    parts.append(f'<path class="x" d="M{px(x(1))} 16H{px(x(1 + difference))}M{px(x(1))} 12V20"/>')
    parts.append(f'<path class="x" d="M{px(x(1 + difference))} 12V20"/>')
    parts.append(f'<text class="t" x="{px(x(1 + difference) + 6)}" y="20">critical difference {difference:.2f}</text>')
    for row, group in enumerate(groups):
        ends = [x(where[name]) for name in group]
        y = axis + 8 + 7 * row
        parts.append(f'<path class="near" d="M{px(min(ends) - 3)} {y}H{px(max(ends) + 3)}"/>')
    below, half = axis + 16 + 7 * len(groups), -(-k // 2)
    for place, (name, rank) in enumerate(ranks):
        first = place < half
        height = below + 18 * ((place if first else k - 1 - place) + 0.5)
        edge: float = left - 6 if first else right + 6
        parts.append(f'<path class="g" d="M{px(x(rank))} {axis}V{px(height)}H{px(edge)}"/>')
        side = ' class="n e"' if first else ' class="n"'
        beside = edge - 4 if first else edge + 4
        parts.append(f'<text{side} x="{px(beside)}" y="{px(height + 4)}">{escape(name)} {rank:.2f}</text>')
    return drawing(parts, below + 18 * half + 8, caption)


def _share_axis(y, left: float, right: float) -> list[str]:  # type: ignore[no-untyped-def]
    parts = []
    for tick in (0, 0.2, 0.4, 0.6, 0.8, 1):
        parts.append(f'<path class="g" d="M{left} {px(y(tick))}H{right}"/>')
        parts.append(f'<text class="t e" x="{left - 6}" y="{px(y(tick) + 4)}">{100 * tick:.0f}</text>')
    return parts


def _spread(labels: Sequence[tuple[float, str]], least: float = 13) -> list[tuple[float, str]]:
    """Move labels apart so that none covers another, keeping their order."""
    placed: list[tuple[float, str]] = []
    for height, text in sorted(labels):
        lowest = placed[-1][0] + least if placed else -math.inf
        placed.append((max(height, lowest), text))
    return placed


def _range(shares: Sequence[float]) -> tuple[float, float]:
    low, high = math.floor(10 * min(shares)) / 10, math.ceil(10 * max(shares)) / 10
    return low, max(high, low + 0.1)


def _step(span: float) -> float:
    """A round step that cuts a span into at most eight."""
    return next(step for step in (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5) if span / step <= 8)


def _points(share: float, digits: int = 0) -> str:
    value = 100 * share
    digits = digits or (0 if abs(value - round(value)) < 1e-9 else 1)
    text = f"{abs(value):.{digits}f}"
    return text if not float(text) else f"{'+' if value > 0 else '−'}{text}"
