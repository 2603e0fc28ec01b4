"""What folds promise, proven or refused: people, films, sessions and pictures on both sides of a split.

A leak is looked for in every fact that is at hand: the table's own columns, a manifest, and what image names in a
known grammar tell by themselves, so that a file cannot vouch for itself.
"""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pandas as pd

from fer_bench.data.manifest import COLUMNS, Dataset, Manifest
from fer_bench.errors import UserError
from fer_bench.labels import EMOTIONS, VIEWS
from fer_bench.utils.near import did_you_mean, meant_columns
from fer_bench.utils.paths import given_path
from fer_bench.utils.spreadsheets import unguarded_table

from .balance import Balance, balance
from .consistency import Difference, contradictions, differences, one_row_an_image, with_one_spelling
from .facts import Leak, People, Shared, Verdict
from .folds import Folds
from .known import known_facts
from .leaks import Sides, find_near, find_people, find_shared, sides_of
from .promises import broken_folds
from .protocols import PROTOCOLS
from .tables import FoldTable, read_fold_table, read_text_table
from .wording import CLAIMS

__all__ = ["CLAIMS", "Leak", "People", "Shared", "Verdict", "check_folds", "check_made", "check_table"]


def check_folds(
    folds: Folds | str | os.PathLike[str],
    *,
    claim: str | None = None,
    data: Dataset | str | None = None,
    manifest: Manifest | str | os.PathLike[str] | None = None,
    allow_outside: bool = False,
) -> Verdict:
    """Check folds, or a file of them, with what the data or a manifest tell of its images.

    Parameters
    ----------
    folds : Folds or path
        Folds, a file that fer-bench wrote, or anybody's CSV of images and folds.
    claim : str, optional
        A key of `CLAIMS`; by default what the folds' protocol promises, else ``"person"``.
    data : Dataset or str, optional
        The data that they are of, or their name or path.
    manifest : Manifest or path, optional
        In place of the data: a manifest, or a run's ``manifest.csv``. One beside the file is found.
    allow_outside : bool
        As of `fer_bench.load_dataset`.

    Returns
    -------
    Verdict
        Every fact that was found; ``accepted`` tells whether the claim holds.

    Raises
    ------
    UserError
        Something cannot be read, the images are not in the data, or there is no such claim.
    """
    if data and manifest is not None:
        raise UserError("`data` and `manifest` exclude each other: give one")
    path = None if isinstance(folds, Folds) else given_path(folds, "`folds`")
    if isinstance(folds, Folds):
        file = FoldTable(folds.protocol, folds.manifest_hash, folds.seed, folds.hash, folds.table)
    else:
        file = read_fold_table(given_path(folds, "`folds`"))
    notes = list(file.notes)
    known = _known(data, manifest, allow_outside)
    if known is None and path is not None:
        known = _beside(path, file, notes)
    elif known is not None and file.manifest_hash and file.manifest_hash != known.hash:
        notes.append(_made_for(file.manifest_hash, known))
    return check_table(file, path.name if path else "folds", claim=claim, manifest=known, notes=tuple(notes))


def _known(
    data: Dataset | str | None, manifest: Manifest | str | os.PathLike[str] | None, allow_outside: bool
) -> Manifest | None:
    """The manifest that was given in one way or another."""
    if isinstance(data, Dataset):
        return data.manifest
    if data:
        from fer_bench.data.datasets import load_dataset

        return load_dataset(data, crop="none", workers=2, allow_outside=allow_outside).manifest
    if manifest is None or isinstance(manifest, Manifest):
        return manifest
    return read_manifest(given_path(manifest, "`manifest`"))


def _made_for(wanted: str, known: Manifest) -> str:
    """Tell what data a file was made for that is not made for all of these: some of their views, or others."""
    views = sorted(set(known.table["view"]) - {""}, key=lambda view: (VIEWS.index(view) if view in VIEWS else 9, view))
    for n in range(1, len(views)):
        for some in combinations(views, n):
            if known.where("view", some).hash == wanted:
                return f"made for the views {','.join(some)} of these data"
    return f"made for other data: manifest {wanted[:12]}, these are {known.hash[:12]}"


def read_manifest(path: Path) -> Manifest:
    """Read a run's manifest.csv.

    Raises
    ------
    UserError
        The file is missing or is no manifest: a column is lacking, an image stands twice, or a label is no code.
    """
    where = f"`manifest` {path}"
    table = unguarded_table(read_text_table(path, "a manifest"))
    if not {"image", "label"} <= set(table.columns):
        near = meant_columns(table.columns, {"image", "label"} - set(table.columns))
        raise UserError(f"{where}: expected the columns image and label; found {', '.join(table.columns)}{near}")
    twice = table.loc[table["image"].duplicated(), "image"]
    if len(twice):
        raise UserError(
            f"{where}: expected one row an image, found {len(twice)} rows too many, such as {twice.iloc[0]} again; "
            "give the manifest.csv of a run"
        )
    unknown = table.loc[~table["label"].isin(EMOTIONS), "label"]
    if len(unknown):
        raise UserError(f"{where}: the label {unknown.iloc[0]!r} is none of {', '.join(EMOTIONS)}")
    return Manifest(table.reindex(columns=list(COLUMNS), fill_value=""))


def _beside(path: Path, file: FoldTable, notes: list[str]) -> Manifest | None:
    """The manifest of the run that a file of folds lies in, where it is the one that they were made for."""
    for place in (path.parent / "manifest.csv", path.parent.parent / "manifest.csv"):
        if place.is_file():
            found = read_manifest(place)
            if found.hash == file.manifest_hash:
                notes.append(f"with the manifest beside it ({len(found)} images)")
                return found
    return None


def check_made(folds: Folds, manifest: Manifest, claim: str | None = None) -> Verdict:
    """Check the folds of a run with the manifest of its data, as `check_folds` does with a run's files.

    How even they are is not measured: a run tells that with what else it knows of its people.
    """
    file = FoldTable(folds.protocol, folds.manifest_hash, folds.seed, folds.hash, folds.table)
    claim = claim or _promise(file)
    # People and expressions of these folds are the data's own: nothing is stated that could differ.
    bare = replace(file, table=folds.table[["fold", "role", "image"]])
    return check_table(bare, folds.protocol, claim=claim, manifest=manifest, even=False)


def check_table(
    file: FoldTable,
    name: str,
    *,
    claim: str | None = None,
    manifest: Manifest | None = None,
    notes: tuple[str, ...] = (),
    even: bool = True,
) -> Verdict:
    """Check folds against a claim.

    Parameters
    ----------
    file : FoldTable
        The folds.
    name : str
        What to call them where they name no protocol.
    claim : str, optional
        A key of `CLAIMS`; by default what the file's protocol promises, else ``"person"``.
    manifest : Manifest, optional
        What is known of the images.
    notes : tuple of str
        What else is to be told of them.
    even : bool
        Measure how even they are, too.

    Raises
    ------
    UserError
        No such claim, or images that the manifest lacks.
    """
    claim = claim or _promise(file)
    if claim not in CLAIMS:
        raise UserError(f"`claim` {claim}: expected {', '.join(CLAIMS)}{did_you_mean(claim, CLAIMS)}")
    table = file.table
    folds = Folds(file.protocol, file.manifest_hash, file.seed, table)
    found = Verdict(
        name=file.protocol or name,
        claim=claim,
        accepted=False,
        n_folds=len(folds.numbers),
        n_images=table["image"].nunique(),
        hash=file.hash,
        source="file" if manifest is None else "data",
        notes=notes,
        broken=tuple(broken_folds(folds)),
    )
    if found.broken:
        return found
    if told_twice := tuple(contradictions(table)):
        return replace(found, contradictions=told_twice)
    said = list(found.notes)
    facts = with_one_spelling(known_facts(table, manifest, name), ("subject", "session", "sequence"), said)
    found = _with_both_sides(replace(found, notes=tuple(said)), facts, sides_of(table, facts.index), file.protocol)
    if manifest is not None:
        found = replace(found, differences=_differences(table, facts))
    if even and (manifest is not None or table.get("label", pd.Series(dtype=str)).ne("").any()):
        found = _with_balance(found, table, facts)
    return replace(found, accepted=not found.leaks and not found.differences)


def _promise(file: FoldTable) -> str:
    rule = PROTOCOLS.get(file.protocol)
    if rule is None:
        return "person"
    if rule.kind == "datasets" and file.table["subject"].ne("").all():
        return "person"
    return rule.splits_by if rule.splits_by in CLAIMS else "image"


def _is_makers(protocol: str) -> bool:
    """Whether a split is not ours, but that of the data's maker, or of two sets of data."""
    return protocol in PROTOCOLS and PROTOCOLS[protocol].splits_by == "dataset"


def _with_both_sides(found: Verdict, facts: pd.DataFrame, sides: Sides, protocol: str) -> Verdict:
    """Look for people, films, sessions and pictures on both sides."""
    strict, by_session = found.claim in ("person", "sequence"), found.claim == "session"
    # Pictures of one person may look the same and be no copies: expressions of one sitting, drawn at random. Where
    # nobody says whose they are, and in a split that a maker keeps apart, those that look the same are copies.
    copies = strict or _is_makers(protocol) or bool((facts["subject"].eq("") & facts["name_subject"].eq("")).any())
    session = facts["session"] if by_session else _own_sessions(facts)
    return replace(
        found,
        n_tests=sides.tests,
        people=find_people(facts, sides, found.source),
        sequences=find_shared(facts["sequence"], sides, refuses=strict, needed=found.claim == "sequence"),
        sessions=find_shared(session, sides, refuses=by_session, needed=by_session),
        duplicates=find_shared(facts["sha256"], sides, refuses=True),
        same_pictures=find_shared(facts["picture"], sides, refuses=True),
        near_duplicates=find_near(facts, sides, refuses=copies),
    )


def _own_sessions(facts: pd.DataFrame) -> pd.Series:
    """Each person's own sessions: two people's first sessions have nothing in common."""
    who = facts["subject"].where(facts["subject"].ne(""), facts["name_subject"])
    return (who + "/" + facts["session"]).where(who.ne("") & facts["session"].ne(""), "")


def _differences(table: pd.DataFrame, facts: pd.DataFrame) -> tuple[Difference, ...]:
    if not {"subject", "label"} & set(table.columns):
        return ()
    stated = one_row_an_image(table, ["subject", "label"]).reindex(facts.index)
    return tuple(differences(stated, facts))


def _with_balance(found: Verdict, table: pd.DataFrame, facts: pd.DataFrame) -> Verdict:
    tested = table.assign(label=table["image"].map(facts["label"]))
    return replace(found, balance=_balance(tested, facts), untrained=_untrained(tested))


def _balance(tested: pd.DataFrame, facts: pd.DataFrame) -> Balance:
    people = facts["subject"].where(facts["subject"].ne(""), facts["name_subject"])
    who = pd.DataFrame({"image": facts.index, "subject": people.to_numpy(), "gender": ""}, columns=list(COLUMNS))
    return balance(tested, Manifest(who))


def _untrained(table: pd.DataFrame) -> tuple[tuple[int, str], ...]:
    """Expressions that are tested in a fold that trains on none of them."""
    counts = table.groupby(["fold", "label", "role"]).size().unstack(fill_value=0)
    lacking = counts[(counts.get("train", 0) == 0) & (counts.get("test", 0) > 0)]
    return tuple((int(fold), str(label)) for fold, label in lacking.index)
