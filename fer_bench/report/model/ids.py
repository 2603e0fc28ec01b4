"""Anchors and file names: each its own, whatever protocols and families are called."""

from __future__ import annotations

from dataclasses import replace

from .document import Document
from .tables import Block, Embedded, Figure, Section, Table

__all__ = ["with_own_ids"]

RESERVED = ("main", "report")


class _Ids:
    """Ids given so far; compared without case, since some file systems do not tell cases apart."""

    def __init__(self) -> None:
        self.taken = set(RESERVED)

    def own(self, wanted: str) -> str:
        """Return the wanted id, or the first free one after it."""
        found, number = wanted, 1
        while found.lower() in self.taken:
            number += 1
            found = f"{wanted}-{number}"
        self.taken.add(found.lower())
        return found


def with_own_ids(document: Document) -> Document:
    """Give every section, table, figure and drawn part an id that no other has.

    A figure that names no table is taken to draw the next table of its section.
    """
    ids = _Ids()
    anchors = [ids.own(section.id) for section in document.sections]
    for anchor in anchors:
        ids.own(f"h-{anchor}")
    glance = tuple(replace(table, id=ids.own(table.id)) for table in document.glance)
    sections = tuple(
        replace(section, id=anchor, blocks=_blocks(section, ids))
        for section, anchor in zip(document.sections, anchors, strict=True)
    )
    return replace(document, glance=glance, sections=sections)


def _blocks(section: Section, ids: _Ids) -> tuple[Block, ...]:
    blocks: list[Block] = []
    renamed: dict[str, str] = {}
    for block in section.blocks:
        if isinstance(block, Table | Figure | Embedded):
            own = ids.own(block.id)
            if isinstance(block, Table):
                renamed[block.id] = own
            blocks.append(replace(block, id=own))
        else:
            blocks.append(block)
    for place, block in enumerate(blocks):
        if isinstance(block, Figure):
            after = next((found.id for found in blocks[place:] if isinstance(found, Table)), "")
            blocks[place] = replace(block, table=renamed.get(block.table, block.table) or after)
    return tuple(blocks)
