"""Figures as files of their own: SVG that carries its style, in the light palette, for papers and slides."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

from ..model.tables import Figure

__all__ = ["figure_svg"]

FAMILIES = ("classical", "cnn", "deep", "other")


def figure_svg(figure: Figure) -> str:
    """Write a figure as one SVG document that needs no page around it.

    Colours are written out where the page has variables: programs that set papers know no variables.

    Parameters
    ----------
    figure : Figure
        Its ``alone`` is taken where there is one.
    """
    drawing = str(figure.alone or figure.svg)
    opening, rest = drawing.split(">", 1)
    opening = re.sub(r'\s(?:xmlns|width|height)="[^"]*"', "", opening)
    box = re.search(r'viewBox="([^"]+)"', opening)
    if not opening.startswith("<svg") or box is None:
        raise ValueError(f"figure {figure.id}: expected one <svg> with a viewBox, found {drawing[:60]!r}")
    left, top, width, height = (float(part) for part in box[1].split())
    opening = opening.replace(box[0], f'viewBox="{left - 8:g} {top - 8:g} {width + 16:g} {height + 16:g}"')
    sizes = f'width="{width + 16:g}" height="{height + 16:g}"'
    sheet = f'<rect x="{left - 8:g}" y="{top - 8:g}" width="100%" height="100%" fill="{_light()["paper"]}"/>'
    style = f"<style>{_style()}</style>"
    start = opening.replace("<svg", f'<svg xmlns="http://www.w3.org/2000/svg" {sizes}', 1)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{start}>{style}{sheet}{rest}\n'


def _text(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


@cache
def _light() -> dict[str, str]:
    """Variables of the light palette; white paper, as figures are printed on."""
    block = _text("palette.css").split(":root{", 1)[1].split("}", 1)[0]
    found = dict(re.findall(r"--([\w-]+):([^;]+)", block.replace("\n", "")))
    return found | {"paper": "#ffffff"}


@cache
def _style() -> str:
    """The rules of ``figure.css`` without variables, those of a family's colour once for each family."""
    rules = []
    for selector, body in re.findall(r"([^{}]+)\{([^{}]*)\}", _text("figure.css")):
        if "var(--f)" not in body:
            rules.append(f"{selector.strip()}{{{_resolved(body)}}}")
            continue
        last = selector.split()[-1]
        joined = f".f-%s {last}" + (f",.f-%s{last}" if last.startswith(".") else "")
        for family in FAMILIES:
            colour = _light()[family]
            rules.append(f"{joined.replace('%s', family)}{{{_resolved(body.replace('var(--f)', colour))}}}")
    return "".join(rules).replace("<", "\\3c ").replace("&", "\\26 ")


def _resolved(body: str) -> str:
    return re.sub(r"var\(--([\w-]+)\)", lambda found: _light()[found[1]], body)
