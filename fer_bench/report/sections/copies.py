"""What the check of folds found on both sides: copies of test pictures in training, under every protocol."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..model.report_run import ReportRun
from ..model.tables import Block, Column, Table
from ..model.wording import apart

__all__ = ["copies_blocks"]

_KINDS = ("exact", "by name", "by look")
_UNCHECKED = (
    "This run is of an earlier version, which looked for people by the data's own names alone: neither copies of test "
    "pictures in training nor people by the images' names were looked for. `fer-bench folds check` does, on the folds' "
    "files of this run with its data."
)


def copies_blocks(run: ReportRun, suffix: str) -> list[Block]:
    """Count the tests of pictures of which training holds a copy, a row a protocol; say so where nobody counted."""
    checked = [name for name in run.protocols if run.check(name)]
    if not checked:
        return [_UNCHECKED] if run.protocols else []
    rows = tuple(
        {"protocol": run.shown(name), "apart": apart(run, name), **_counts(run.check(name))} for name in checked
    )
    columns = (
        *(Column("protocol", "protocol"), Column("tests", "tests", "count", "tests of an image, over all folds")),
        Column("exact", "exact copies", "count", "tests of a picture whose very bytes are trained on"),
        Column(
            "by name", "copies by name", "count", "tests of a picture that is trained on under its name with a tail"
        ),
        Column(
            "by look", "copies by look", "count", "tests of a picture that looks the same as one that is trained on"
        ),
        Column("films", "frames of one film", "count", "tests of a picture of a film that is trained on"),
        *(Column("apart", "people apart"), Column("verdict", "verdict of fer-bench folds check")),
    )
    notes = (
        "Tests of which training holds a copy; an empty cell was not looked for. Copies by look may be two expressions "
        "of one person's sitting where folds do not keep people apart, and strongly changed copies may be missed.",
        *(example for name in checked for example in _examples(name, run.check(name))),
    )
    return [Table(f"copies{suffix}", "Copies of test pictures in training", columns, rows, notes, head="protocol")]


def _counts(check: Mapping[str, Any]) -> dict[str, Any]:
    copies = check.get("copies") or {}
    return {
        "tests": check.get("n_tests"),
        **{kind: _count(copies.get(kind)) for kind in _KINDS},
        "films": _count(check.get("sequences")),
        "verdict": check.get("conclusion", ""),
    }


def _count(found: Mapping[str, Any] | None) -> int | None:
    """Tests that share something with training; None where it was not looked for."""
    state = (found or {}).get("state", "unknown")
    return None if found is None or state == "unknown" else int(found.get("tests") or 0)


def _examples(name: str, check: Mapping[str, Any]) -> Iterator[str]:
    copies = check.get("copies") or {}
    for kind in _KINDS:
        for pair in (copies.get(kind, {}).get("examples") or ())[:1]:
            yield (
                f"{name}, {kind}: fold {pair.get('fold', '?')} tests {pair.get('test', '?')} and trains on "
                f"{pair.get('train', '?')}."
            )
