"""Drawings, by hand: small enough to sit in a table cell, coloured by the page's own variables.

All numbers are rounded to a tenth of a pixel, so equal input gives equal bytes. Marks differ in shape as well as in
colour: circle classical, square cnn, triangle deep, diamond the others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup, escape

from ..model.tables import Estimate, Figure

__all__ = [
    "WIDTH",
    "curves_figure",
    "drawing",
    "dumbbell",
    "hue",
    "interval_bar",
    "px",
    "scatter_figure",
    "strip_figure",
]

WIDTH = 720
PANEL = (180, 108)


def interval_bar(found: Estimate, family: str, chance: float, width: int = 150) -> str:
    """Draw an accuracy as a bar from 0 to 100 % with its interval and the line of chance."""

    def x(share: float) -> str:
        return px(share * width)

    if math.isnan(found.value):
        return ""
    whisker = "" if math.isnan(found.low) else f'<path class="w" d="M{x(found.low)} 7H{x(found.high)}"/>'
    return (
        f'<svg class="bar {hue(family)}" width="{width}" height="14" aria-hidden="true">'
        f'<rect width="{x(found.value)}" height="10" y="2"/>{whisker}'
        f'<path class="c" d="M{x(chance)} 0V14"/></svg>'
    )


def dumbbell(first: float, second: float, family: str, scale: tuple[float, float] = (0, 1), width: int = 150) -> str:
    """Draw two shares between the ends of a scale: a ring for the first, a filled mark for the second."""
    if math.isnan(first) or math.isnan(second):
        return ""
    a, b = (px(4 + (share - scale[0]) / (scale[1] - scale[0]) * (width - 8)) for share in (first, second))
    return (
        f'<svg class="bell {hue(family)}" width="{width}" height="14" aria-hidden="true"><path d="M{a} 7H{b}"/>'
        f'<circle class="o" cx="{a}" cy="7" r="3.2"/><circle cx="{b}" cy="7" r="3.6"/></svg>'
    )


def strip_figure(
    name: str, lanes: Sequence[tuple[str, Sequence[tuple[str, float]]]], caption: str, chance: float
) -> Figure:
    """Draw each family as a lane of marks along accuracy.

    Parameters
    ----------
    name : str
        The figure's id.
    lanes : sequence of (family, sequence of (method, accuracy))
    caption : str
    chance : float
        Accuracy of guessing, drawn as a dashed line.
    """
    left, right, lane = 90, WIDTH - 20, 56
    height = lane * len(lanes) + 34

    def x(share: float) -> float:
        return left + share * (right - left)

    parts = [_axis_x(x, height - 26, [0, 0.2, 0.4, 0.6, 0.8, 1], "accuracy, %")]
    parts.append(f'<path class="c" d="M{px(x(chance))} 0V{height - 26}"/>')
    for row, (family, methods) in enumerate(lanes):
        middle = lane * row + lane / 2 + 6
        parts.append(f'<text class="l" x="0" y="{px(middle + 4)}">{escape(family)}</text>')
        for place, (method, share) in enumerate(methods):
            y = middle + (place % 3 - 1) * 9
            parts.append(_mark(family, x(share), y, f"{method}: {100 * share:.1f} %"))
        best, share = max(methods, key=lambda found: found[1])
        side = "n e" if share > 0.5 else "n"
        parts.append(f'<text class="{side}" x="{px(x(share) + 4)}" y="{px(middle - 17)}">{escape(best)}</text>')
    return Figure(name, drawing(parts, height, caption), caption)


def scatter_figure(
    name: str, points: Sequence[tuple[str, str, float, float]], caption: str, x_title: str, chance: float
) -> Figure:
    """Draw accuracy over cost, cost on a logarithmic axis, the Pareto front labelled.

    Parameters
    ----------
    name : str
    points : sequence of (method, family, cost, accuracy)
        Cost above 0.
    caption, x_title : str
    chance : float
        Accuracy of guessing, drawn as a dashed line.
    """
    height, left, right, top, bottom = 380, 44, WIDTH - 20, 10, 338
    low = math.floor(math.log10(min(cost for *_, cost, _ in points)))
    high = max(low + 1, math.ceil(math.log10(max(cost for *_, cost, _ in points))))

    def x(cost: float) -> float:
        return left + (math.log10(cost) - low) / (high - low) * (right - left)

    def y(share: float) -> float:
        return bottom - share * (bottom - top)

    parts = [_axis_x(x, bottom, [10.0**k for k in range(low, high + 1)], x_title, plain=True)]
    for tick in (0, 0.2, 0.4, 0.6, 0.8, 1):
        parts.append(f'<path class="g" d="M{left} {px(y(tick))}H{right}"/>')
        parts.append(f'<text class="t e" x="{left - 6}" y="{px(y(tick) + 4)}">{100 * tick:.0f}</text>')
    parts.append(f'<path class="c" d="M{left} {px(y(chance))}H{right}"/>')
    ordered = sorted(points, key=lambda p: (p[2], -p[3], p[0]))
    front, best = [], -1.0
    for point in ordered:
        if point[3] > best:
            front.append(point)
            best = point[3]
    parts += [_mark(f, x(cost), y(a), f"{m}: {100 * a:.1f} %, {cost:.3g} s") for m, f, cost, a in ordered]
    line = "L".join(f"{px(x(cost))} {px(y(share))}" for *_, cost, share in front)
    parts.append(f'<path class="f" d="M{line}"/>')
    parts += _labels([(m, x(cost), y(share)) for m, _, cost, share in front], right)
    return Figure(name, drawing(parts, height, caption), caption)


def curves_figure(
    name: str, panels: Sequence[tuple[str, str, Sequence[tuple[str, Sequence[float]]]]], caption: str
) -> Figure:
    """Draw small panels of accuracy over epochs on one scale.

    Parameters
    ----------
    name : str
    panels : sequence of (method, family, sequence of (class of line, values))
        Values in [0, 1], one an epoch; lines are called ``train`` or ``test``.
    caption : str
    """
    drawn = [(method, hue(family), _panel(lines)) for method, family, lines in panels]
    page = "".join(
        f'<figure class="panel {family}"><svg viewBox="0 0 {PANEL[0]} {PANEL[1]}" role="img" '
        f'aria-label="{escape(method)}">{parts}</svg><figcaption>{escape(method)}</figcaption></figure>'
        for method, family, parts in drawn
    )
    wide, high = PANEL[0] + 12, PANEL[1] + 26
    alone = "".join(
        f'<g class="{family}" transform="translate({wide * (i % 4)} {high * (i // 4)})">{parts}'
        f'<text class="s" x="26" y="{PANEL[1] + 10}">{escape(method)}</text></g>'
        for i, (method, family, parts) in enumerate(drawn)
    )
    size = f"0 0 {wide * min(4, len(drawn))} {high * math.ceil(len(drawn) / 4)}"
    file = f'<svg viewBox="{size}" role="img" aria-label="{escape(caption)}">{alone}</svg>'
    return Figure(name, Markup('<div class="panels">' + page + "</div>"), caption, alone=file)


def _panel(lines: Sequence[tuple[str, Sequence[float]]]) -> str:
    """Axes and lines of one panel of learning curves."""
    epochs = max(len(values) for _, values in lines)
    parts = [f'<path class="g" d="M26 {y}H176"/>' for y in (10, 50, 90)]
    parts += [f'<text class="s e" x="22" y="{y + 4}">{label}</text>' for y, label in ((10, 100), (50, 50), (90, 0))]
    parts.append(f'<text class="s" x="26" y="104">1</text><text class="s e" x="176" y="104">{epochs}</text>')
    for kind, values in lines:
        step = 150 / max(1, len(values) - 1)
        points = [(px(26 + step * i), px(90 - 80 * v)) for i, v in enumerate(values) if math.isfinite(v)]
        if len(points) > 1:
            parts.append(f'<path class="{kind}" d="M{"L".join(f"{x} {y}" for x, y in points)}"/>')
        elif points:
            parts.append(f'<circle class="{kind}" cx="{points[0][0]}" cy="{points[0][1]}" r="2"/>')
    return "".join(parts)


def _labels(points: Sequence[tuple[str, float, float]], right: float) -> list[str]:
    """Names beside their points, best first; a name that would cover another is left out (hovering shows it)."""
    taken: list[tuple[float, float, float]] = []
    drawn = []
    for method, x, y in reversed(points):
        width = 6.4 * len(method)
        start = x - width - 8 if x + width + 8 > right else x + 8
        if all(abs(y - other) > 13 or start > end or start + width < begin for begin, end, other in taken):
            taken.append((start, start + width, y))
            drawn.append(f'<text class="n" x="{px(start)}" y="{px(y - 6)}">{escape(method)}</text>')
    return drawn


def _axis_x(x, y: float, ticks: Sequence[float], title: str, *, plain: bool = False) -> str:  # type: ignore[no-untyped-def]
    parts = [f'<path class="g" d="M{px(x(tick))} 0V{px(y)}"/>' for tick in ticks]
    for tick in ticks:
        text = f"{tick:g}" if plain else f"{100 * tick:.0f}"
        parts.append(f'<text class="t m" x="{px(x(tick))}" y="{px(y + 13)}">{text}</text>')
    middle = (x(ticks[0]) + x(ticks[-1])) / 2
    parts.append(f'<text class="t m" x="{px(middle)}" y="{px(y + 25)}">{escape(title)}</text>')
    return "".join(parts)


def _mark(family: str, x: float, y: float, title: str) -> str:
    shape = {
        "classical": f'<circle cx="{px(x)}" cy="{px(y)}" r="4.5"/>',
        "cnn": f'<rect x="{px(x - 4)}" y="{px(y - 4)}" width="8" height="8"/>',
        "deep": f'<path d="M{px(x)} {px(y - 5)}l5 9h-10z"/>',
    }.get(family, f'<path d="M{px(x)} {px(y - 5.5)}l5.5 5.5l-5.5 5.5l-5.5 -5.5z"/>')
    return f'<g class="{hue(family)} k"><title>{escape(title)}</title>{shape}</g>'


def drawing(parts: Sequence[str], height: float, caption: str) -> str:
    """Put parts into an image of the page's width, with its caption for those who cannot see it."""
    return Markup(
        f'<svg class="wide" viewBox="0 0 {WIDTH} {px(height)}" role="img" aria-label="{escape(caption)}">'
        f"{''.join(parts)}</svg>"
    )


def hue(family: str) -> str:
    """Return the class of CSS that colours a family of methods."""
    return f"f-{family}" if family in ("classical", "cnn", "deep") else "f-other"


def px(number: float) -> str:
    """Return a coordinate with a tenth at most."""
    text = f"{number:.1f}"
    return text[:-2] if text.endswith(".0") else text
