"""The sections of a report, in reading order."""

from __future__ import annotations

from collections.abc import Callable

from . import (
    article,
    calibrated,
    claims_section,
    comparison,
    costs,
    data,
    detail,
    hard,
    leakage,
    named,
    protocols,
    provenance,
    ranks,
    slices,
    turned,
)
from .gather import RunView
from .tables import Section

__all__ = ["SECTIONS"]

SECTIONS: tuple[Callable[[RunView, str], Section], ...] = (
    comparison.families_section,
    comparison.pairs_section,
    ranks.ranks_section,
    claims_section.claims_section,
    article.article_section,
    named.named_section,
    detail.expressions_section,
    detail.views_section,
    detail.confusions_section,
    hard.hard_section,
    slices.people_section,
    calibrated.calibration_section,
    leakage.splits_section,
    turned.turned_section,
    protocols.epochs_section,
    protocols.curves_section,
    costs.costs_section,
    costs.failures_section,
    data.data_section,
    provenance.provenance_section,
    provenance.citation_section,
)
"""Sections that are written for one run each, in reading order; one without blocks is left out."""
