"""The sections of a report, in reading order."""

from __future__ import annotations

from collections.abc import Callable

from .model.report_run import ReportRun
from .model.tables import Section
from .sections import (
    article,
    calibration,
    claims_tables,
    confusions,
    costs,
    data,
    hard_images,
    head_pose,
    leaderboard,
    leakage,
    named,
    protocols,
    provenance,
    ranks,
    subgroups,
)

__all__ = ["SECTIONS"]

SECTIONS: tuple[Callable[[ReportRun, str], Section], ...] = (
    leaderboard.families_section,
    leaderboard.pairs_section,
    ranks.ranks_section,
    claims_tables.claims_section,
    article.article_section,
    named.named_section,
    confusions.expressions_section,
    confusions.views_section,
    confusions.confusions_section,
    hard_images.hard_section,
    subgroups.people_section,
    calibration.calibration_section,
    leakage.splits_section,
    head_pose.turned_section,
    protocols.epochs_section,
    protocols.curves_section,
    costs.costs_section,
    costs.failures_section,
    data.data_section,
    provenance.provenance_section,
    provenance.citation_section,
)
"""Sections that are written for one run each, in reading order; one without blocks is left out."""
