"""What folds promise, proven or refused: people, films, sessions and pictures on both sides of a split.

A leak is looked for in every fact that is at hand: the table's own columns, a manifest, and what image names in a
known grammar tell by themselves, so that a file cannot vouch for itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_bench.data.manifest import COLUMNS, Manifest
from fer_bench.data.names import name_facts
from fer_bench.errors import UserError
from fer_bench.labels import EMOTIONS, VIEWS

from .balance import balance
from .consistency import contradictions, differences, one_row_an_image
from .folds import Folds, broken_folds
from .match import match_images
from .protocols import PROTOCOLS
from .tables import FoldTable, read_fold_table, read_text_table

__all__ = ["CLAIMS", "Verdict", "check_file", "check_table"]

CLAIMS = {
    "person": "nobody is in train and test",
    "sequence": "no film or sitting is in train and test",
    "session": "no session is in train and test",
    "image": "no picture is in train and test",
}
"""What can be proven of folds, and what it means."""

_SHOWN = 3
_FILE = "as the file says"
_FACTS = ("subject", "label", "session", "sequence", "sha256", "phash")


@dataclass(frozen=True)
class Verdict:
    """What was found, line by line, and whether the claim is refused."""

    lines: tuple[str, ...]
    refused: bool


@dataclass(frozen=True)
class _Leak:
    """Test images that share something with a training image of their fold."""

    slots: int
    folds: int
    groups: int
    pairs: tuple[tuple[int, str, str], ...]


@dataclass(frozen=True)
class _Sides:
    """Folds as positions in ``images``: (train, test) a fold."""

    images: NDArray[np.object_]
    folds: dict[int, tuple[NDArray[np.int64], NDArray[np.int64]]]

    @property
    def slots(self) -> int:
        return sum(len(test) for _, test in self.folds.values())


def check_file(path: Path, *, claim: str | None = None, data: str = "", manifest: Path | None = None) -> Verdict:
    """Check a file of folds, with what the data or a manifest tell of its images.

    Raises
    ------
    UserError
        Something cannot be read, the images are not in the data, or there is no such claim.
    """
    if data and manifest:
        raise UserError("`data` and `manifest` exclude each other: give one")
    file = read_fold_table(path)
    notes = list(file.notes)
    known = _from_data(data) if data else read_manifest(manifest) if manifest else None
    if known is None:
        known = _beside(path, file, notes)
    elif file.manifest_hash and file.manifest_hash != known.hash:
        notes.append(_made_for(file.manifest_hash, known))
    return check_table(file, path.name, claim=claim, manifest=known, notes=tuple(notes))


def _from_data(data: str) -> Manifest:
    from fer_bench.data.datasets import load_dataset

    return load_dataset(data, people=None, workers=2).manifest


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
    table = read_text_table(path, "a manifest")
    if not {"image", "label"} <= set(table.columns):
        raise UserError(f"{where}: expected the columns image and label; found {', '.join(table.columns)}")
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


def check_table(
    file: FoldTable,
    name: str,
    *,
    claim: str | None = None,
    manifest: Manifest | None = None,
    notes: tuple[str, ...] = (),
) -> Verdict:
    """Check folds against a claim.

    Parameters
    ----------
    file : FoldTable
        The folds.
    name : str
        What to call them.
    claim : str, optional
        A key of `CLAIMS`; by default what the file's protocol promises, else ``"person"``.
    manifest : Manifest, optional
        What is known of the images.
    notes : tuple of str
        Lines to go first.

    Raises
    ------
    UserError
        No such claim, or images that the manifest lacks.
    """
    claim = claim or _promise(file)
    if claim not in CLAIMS:
        raise UserError(f"`claim` {claim}: expected {', '.join(CLAIMS)}")
    table = file.table
    folds = Folds(file.protocol, file.manifest_hash, file.seed, table)
    about = f"sha256 {file.hash}" if file.hash else "another tool's table"
    lines = [f"{file.protocol or name}: {len(folds.numbers)} folds of {table['image'].nunique()} images, {about}"]
    lines += notes
    broken = list(broken_folds(folds))
    if broken:
        return Verdict((*lines, *broken, "REFUSED: these folds are broken"), True)
    said_twice = list(contradictions(table))
    if said_twice:
        return Verdict((*lines, *said_twice, "REFUSED: the file contradicts itself, so that it proves nothing"), True)
    facts = _facts(table, manifest, name)
    sides = _sides(table, facts)
    source = _FILE if manifest is None else "as the data tell"
    found = [*_people(facts, sides, claim, source), *_others(facts, sides, claim)]
    wrong = list(differences(one_row_an_image(table, ["subject", "label"]), facts)) if manifest is not None else []
    lines += [text for text, _ in found]
    if table.get("label", pd.Series(dtype=str)).ne("").any() or manifest is not None:
        lines.append(f"class balance: {_even(table, facts)}")
    refused = any(bad for _, bad in found)
    if wrong and not refused:
        return Verdict((*lines, *wrong, "REFUSED: what the file says of its images is not what the data say"), True)
    return Verdict((*lines, *wrong, _conclusion(claim, refused, found)), refused)


def _promise(file: FoldTable) -> str:
    rule = PROTOCOLS.get(file.protocol)
    if rule is None:
        return "person"
    if rule.kind == "datasets" and file.table["subject"].ne("").all():
        return "person"
    return rule.splits_by if rule.splits_by in CLAIMS else "image"


def _conclusion(claim: str, refused: bool, found: list[tuple[str, bool]]) -> str:
    if refused and claim == "person":
        return "REFUSED: these folds are not subject-independent"
    if refused:
        return f"REFUSED: these folds do not keep what was claimed: {CLAIMS[claim]}"
    if found[0][0].startswith("people: proven"):
        return f"ACCEPTED: {CLAIMS[claim]}"
    return f"ACCEPTED: {CLAIMS[claim]}; no figure from these folds may be called subject-independent"


def _facts(table: pd.DataFrame, manifest: Manifest | None, name: str) -> pd.DataFrame:
    """One row an image: what is known of it, empty where nothing is."""
    facts = one_row_an_image(table, list(_FACTS))
    if manifest is not None:
        matched = match_images(facts.index.to_series(), manifest, name)
        facts = manifest.table.set_index("image").loc[matched.to_numpy(), list(_FACTS)].set_axis(facts.index)
    told = [name_facts(str(image)) for image in facts.index]
    for column in ("session", "sequence"):
        by_name = pd.Series([getattr(fact, column) if fact else "" for fact in told], index=facts.index)
        facts[column] = facts[column].where(facts[column].ne(""), by_name)
    return facts.assign(
        name_subject=[fact.subject if fact else "" for fact in told],
        picture=[fact.picture if fact else "" for fact in told],
    )


def _sides(table: pd.DataFrame, facts: pd.DataFrame) -> _Sides:
    at = facts.index.get_indexer(table["image"])
    fold, test = table["fold"].to_numpy(), (table["role"] == "test").to_numpy()
    folds = {int(k): (at[(fold == k) & ~test], at[(fold == k) & test]) for k in np.unique(fold)}
    return _Sides(facts.index.to_numpy(dtype=object), folds)


def _people(facts: pd.DataFrame, sides: _Sides, claim: str, source: str) -> Iterator[tuple[str, bool]]:
    """People from the data or the table, and independent of it from the images' names."""
    columns = {"subject": source, "name_subject": "by the images' names"}
    leaks: dict[_Leak, list[str]] = {}
    counts = []
    for column, how in columns.items():
        if facts[column].ne("").any():
            leaks.setdefault(_leak(facts[column], sides), []).append(how)
            counts.append(f"{facts.loc[facts[column].ne(''), column].nunique()} {how}")
    head = "people: REFUSED, " if claim == "person" else "people: "
    found = {leak: " and ".join(hows) for leak, hows in leaks.items() if leak.slots}
    for leak, how in found.items():
        text = (
            f"{leak.groups} {'person is' if leak.groups == 1 else 'people are'} in train and test ({how}), "
            f"in {leak.folds} of {len(sides.folds)} folds: "
            f"{_share(leak, sides)} show somebody who is trained on; {_pairs(leak)}"
        )
        yield head + text, claim == "person"
    # Two sources that each tell a part of the images may call one person by two names.
    unknown = min(int(facts[column].eq("").sum()) for column in columns)
    if unknown and not found:
        remedy = "; give --data or --manifest" if source == _FILE else ""
        what = f"{unknown} of {len(facts)} images do not tell who is on them{remedy}"
        yield f"{head}not proven, {what}", claim == "person"
    elif not found:
        yield f"people: proven, nobody is in train and test of any fold ({', '.join(counts)})", False


def _others(facts: pd.DataFrame, sides: _Sides, claim: str) -> Iterator[tuple[str, bool]]:
    """Films, sessions and pictures."""
    strict = claim in ("person", "sequence")
    by_session = claim == "session"
    facts = facts.assign(own_session=facts["session"] if by_session else _own_sessions(facts))
    a_session = "a session that is trained on" if by_session else "a person's session that is trained on"
    kinds = [
        ("sequences", "sequence", "frames of a film or sitting that is trained on", strict, claim == "sequence"),
        ("sessions", "own_session", a_session, by_session, by_session),
        ("exact duplicates", "sha256", "a picture that is trained on under another name", True, False),
        ("same pictures", "picture", "a copy, by its name, of a picture that is trained on", True, False),
    ]
    for title, column, what, refuses, needed in kinds:
        unknown = int(facts[column].eq("").sum())
        if unknown == len(facts) or (unknown and needed):
            if column != "picture":
                some = f" for {unknown} of {len(facts)} images" if unknown < len(facts) else ""
                yield f"{title}: not told{some}", needed
            continue
        leak = _leak(facts[column], sides)
        if not leak.slots:
            some = f" ({unknown} of {len(facts)} images do not tell)" if unknown and column != "picture" else ""
            yield f"{title}: none on both sides of a fold{some}", False
        else:
            head = "REFUSED, " if refuses else ""
            yield f"{title}: {head}{_share(leak, sides)} show {what}; {_pairs(leak)}", refuses
    yield _near(facts, sides, strict)


def _own_sessions(facts: pd.DataFrame) -> pd.Series:
    """Each person's own sessions: two people's first sessions have nothing in common."""
    who = facts["subject"].where(facts["subject"].ne(""), facts["name_subject"])
    return (who + "/" + facts["session"]).where(who.ne("") & facts["session"].ne(""), "")


def _near(facts: pd.DataFrame, sides: _Sides, strict: bool) -> tuple[str, bool]:
    """Pictures that look the same under different names and hashes."""
    from fer_bench.data.images.phash import near_pairs

    hashes = facts["phash"].to_numpy(dtype=object)
    if not any(hashes):
        return (
            "near-duplicates: not looked for, nothing at hand tells how pictures look; give --data or --manifest",
            False,
        )
    pairs = near_pairs(list(hashes), list(hashes))[:, :2]
    sha = facts["sha256"].to_numpy(dtype=object)
    pairs = pairs[(pairs[:, 0] != pairs[:, 1]) & ((sha[pairs[:, 0]] != sha[pairs[:, 1]]) | (sha[pairs[:, 0]] == ""))]
    shown: list[tuple[int, str, str]] = []
    slots = folds = 0
    for fold, (train, test) in sides.folds.items():
        across = pairs[np.isin(pairs[:, 0], test) & np.isin(pairs[:, 1], train)]
        slots += len(np.unique(across[:, 0]))
        folds += bool(len(across))
        for a, b in across[: _SHOWN - len(shown)]:
            shown.append((fold, str(sides.images[a]), str(sides.images[b])))
    unknown = int((hashes == "").sum())
    some = f"; {unknown} of {len(facts)} images have no hash to compare, hardly any contrast" if unknown else ""
    if not slots:
        return f"near-duplicates: none found (a strongly changed copy may be missed{some})", False
    leak = _Leak(slots, folds, 0, tuple(shown))
    what = f"{_share(leak, sides)} look the same as a picture that is trained on; {_pairs(leak)}{some}"
    return f"near-duplicates: {'REFUSED, ' if strict else ''}{what}", strict


def _leak(column: pd.Series, sides: _Sides) -> _Leak:
    """Find the test images whose value in a column some training image of the fold has, too; empty is no value."""
    codes, _ = pd.factorize(column)
    codes = np.where(column.eq(""), -1, codes)
    slots, folds, groups = 0, 0, set[int]()
    pairs: list[tuple[int, str, str]] = []
    for fold, (train, test) in sides.folds.items():
        hit = test[np.isin(codes[test], codes[train]) & (codes[test] >= 0)]
        slots, folds = slots + len(hit), folds + bool(len(hit))
        # One pair a person, film or picture says more than three of the same.
        new = [
            position for position in hit[np.unique(codes[hit], return_index=True)[1]] if codes[position] not in groups
        ]
        groups |= set(codes[hit])
        for position in new[: _SHOWN - len(pairs)]:
            other = train[codes[train] == codes[position]][0]
            pairs.append((fold, str(sides.images[position]), str(sides.images[other])))
    return _Leak(slots, folds, len(groups), tuple(pairs))


def _share(leak: _Leak, sides: _Sides) -> str:
    return f"{leak.slots:,} of {sides.slots:,} tests ({_percent(leak.slots, sides.slots)})"


def _percent(part: int, whole: int) -> str:
    percent = 100 * part / whole
    return f"{percent:.0f} %" if percent >= 1 else "under 1 %"


def _pairs(leak: _Leak) -> str:
    shown = [f"fold {fold} tests {test} and trains on {train}" for fold, test, train in leak.pairs]
    return "such as " + ", ".join(shown)


def _even(table: pd.DataFrame, facts: pd.DataFrame) -> str:
    labels = table["image"].map(facts["label"])
    tested = table.assign(label=labels)
    people = facts["subject"].where(facts["subject"].ne(""), facts["name_subject"])
    manifest = Manifest(
        pd.DataFrame({"image": facts.index, "subject": people.to_numpy(), "gender": ""}, columns=list(COLUMNS))
    )
    return balance(tested, manifest).sentence + _untrained(tested)


def _untrained(table: pd.DataFrame) -> str:
    """Expressions that are tested in a fold that trains on none of them."""
    counts = table.groupby(["fold", "label", "role"]).size().unstack(fill_value=0)
    lacking = counts[(counts.get("train", 0) == 0) & (counts.get("test", 0) > 0)]
    if lacking.empty:
        return ""
    fold, label = lacking.index[0]
    times = f"{len(lacking)} times an expression is tested that its fold trains on none of"
    return f"; {times}, such as {label} in fold {fold}"
