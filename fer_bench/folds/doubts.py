"""What a user is told of data and folds before any figure: whatever the check of folds refuses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from fer_bench.data.manifest import Manifest

from .check import check_made
from .facts import Verdict
from .folds import Folds
from .known import named_people
from .protocols import PROTOCOLS, unsupported
from .splitters import make_folds
from .wording import conclusion, refusals

__all__ = ["Examined", "examine", "examine_data"]

_BY_PERSON = ("subject-10fold", "subject-2fold")


@dataclass(frozen=True)
class Examined:
    """Folds of some data with their verdicts.

    Attributes
    ----------
    verdicts : mapping of str to Verdict
        What `fer_bench.check_folds` finds, by name of the folds.
    warnings : tuple of str
        What does not hold though data or folds promise it, a sentence each; strict reading refuses it.
    remarks : tuple of str
        What was found of folds that promise nothing.
    """

    verdicts: Mapping[str, Verdict]
    warnings: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def examine(manifest: Manifest, folds: Mapping[str, Folds]) -> Examined:
    """Check folds with the manifest of their data, and say what a reader of figures from them must know."""
    verdicts = {name: check_made(made, manifest) for name, made in folds.items()}
    refused = {name: found for name, found in verdicts.items() if found.refused}
    remarks: list[str] = []
    for name in [name for name in refused if name not in PROTOCOLS]:
        # Nobody said that these folds keep people apart; that they share no picture goes without saying.
        remarks += _sentences({name: refused.pop(name)}, promised=False)
        strict = check_made(folds[name], manifest, claim="image")
        refused |= {name: strict} if strict.refused else {}
    return Examined(verdicts, (*_clashes(manifest), *_sentences(refused, promised=True)), tuple(remarks))


def examine_data(manifest: Manifest) -> Examined:
    """Check what data say of themselves: their people, by folds that keep them apart, and their own split."""
    reasons = unsupported(manifest)
    by_person = [name for name in _BY_PERSON if name not in reasons][:1]
    names = [*by_person, *(name for name in ("official", "cross-dataset") if name not in reasons)]
    return examine(manifest, {name: make_folds(manifest, name, 0) for name in names})


def _sentences(refused: Mapping[str, Verdict], *, promised: bool) -> Iterator[str]:
    """One sentence for all folds that are refused for the same kinds of reasons."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for name, found in refused.items():
        kinds = tuple(line.partition(":")[0] for line in refusals(found))
        groups.setdefault((conclusion(found), *kinds), []).append(name)
    for names in groups.values():
        found = refused[names[0]]
        reasons = "; ".join(refusals(found))
        some = f"in {names[0]} " if len(names) > 1 else ""
        listed = ", ".join(names)
        if promised:
            yield f"{listed}: {conclusion(found)}; {some}{reasons}{_remedy(found)}; `fer-bench folds check` tells all"
        else:
            yield f"{listed}: no protocol's folds, which promise nothing of people; {reasons}"


def _remedy(found: Verdict) -> str:
    if any(kind.refuses for kind in found.copies.values()):
        return "; keep a picture and its copies on one side, or leave the copies out"
    return ""


def _clashes(manifest: Manifest) -> Iterator[str]:
    """Where the data's people are not those that the images' names tell: one under two names, or two under one."""
    known = named_people(manifest)
    people = known.drop_duplicates(["subject", "name_subject"])
    split = people[people["name_subject"].duplicated(keep=False)]
    if len(split):
        who, rows = next(iter(split.groupby("name_subject", sort=False)))
        yield (
            f"{_counted(split, 'subject', 'name_subject')}, such as {_listed(rows, 'subject')}, who are one; make the "
            f"column subject one name a person, such as {who}: until then folds by person may have one on both sides, "
            "and intervals over people are too narrow"
        )
    merged = people[people["subject"].duplicated(keep=False)]
    if len(merged):
        who, rows = next(iter(merged.groupby("subject", sort=False)))
        yield (
            f"{_counted(merged, 'subject', 'name_subject')}, such as {who}, who is {_listed(rows, 'name_subject')}; "
            "make the column subject one name a person: until then intervals over people are not what they say"
        )


def _counted(people: pd.DataFrame, said: str, named: str) -> str:
    n, m = people[said].nunique(), people[named].nunique()
    return f"people: by the images' names {n} of the column subject are {m}"


def _listed(rows: pd.DataFrame, column: str) -> str:
    shown = [f"{row[column]} ({row['image']})" for row in rows.head(3).to_dict("records")]
    more = f" and {len(rows) - 3} more" if len(rows) > 3 else ""
    return (", ".join(shown) if more else " and ".join(shown)) + more
