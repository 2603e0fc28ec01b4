"""A whole report as one object: what every form of it is written from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .tables import Block, Embedded, Figure, Section, Table

__all__ = ["NUMERIC", "Document", "embedded_of", "figures_of", "tables_of"]

NUMERIC = ("count", "share", "heat", "difference", "score", "p", "seconds", "milliseconds", "megabytes")
"""Kinds of columns that are set to the right."""


@dataclass(frozen=True)
class Document:
    """A whole report.

    Attributes
    ----------
    title, subtitle : str
    warnings : tuple of str
        Said before everything else.
    headlines : tuple of str
        One sentence a run.
    glance : tuple of Table
        Facts beside the headline, one table a run.
    sections : tuple of Section
    """

    title: str
    subtitle: str
    warnings: tuple[str, ...]
    headlines: tuple[str, ...]
    glance: tuple[Table, ...]
    sections: tuple[Section, ...]


def tables_of(document: Document) -> Iterator[Table]:
    """All tables, in reading order."""
    yield from document.glance
    yield from (block for block in _blocks(document) if isinstance(block, Table))


def figures_of(document: Document) -> Iterator[Figure]:
    """All figures, in reading order."""
    yield from (block for block in _blocks(document) if isinstance(block, Figure))


def embedded_of(document: Document) -> Iterator[Embedded]:
    """All parts that the page draws from JSON, in reading order."""
    yield from (block for block in _blocks(document) if isinstance(block, Embedded))


def _blocks(document: Document) -> Iterator[Block]:
    for section in document.sections:
        yield from section.blocks
