"""The sentences that tell what a check of folds found, as ``fer-bench folds check`` prints them."""

from __future__ import annotations

from collections.abc import Iterator

from .consistency import Contradiction, Difference
from .facts import Leak, People, Shared, Verdict

__all__ = ["CLAIMS", "conclusion", "refusals", "verdict_lines"]

CLAIMS = {
    "person": "nobody is in train and test",
    "sequence": "no film or sitting is in train and test",
    "session": "no session is in train and test",
    "image": "no picture is in train and test",
}
"""What can be proven of folds, and what it means."""

_SOURCES = {"file": "as the file says", "data": "as given in the data", "names": "by the images' names"}
_STATED = {"subject": "people", "label": "expressions", "session": "sessions", "sequence": "sequences"}
_ONE = {"subject": "person", "label": "expression"}


def verdict_lines(found: Verdict) -> list[str]:
    """Return what was found, a sentence each: what the folds are, every fact, and the verdict last."""
    return list(_lines(found))


def refusals(found: Verdict) -> list[str]:
    """Return those of the sentences that tell why the claim does not hold; none where it does."""
    reasons = [line for line in _lines(found) if ": REFUSED, " in line]
    return [*found.broken, *(line.replace(": REFUSED, ", ": ", 1) for line in reasons)]


def _lines(found: Verdict) -> Iterator[str]:
    about = f"sha256 {found.hash}" if found.hash else "another tool's table"
    yield f"{found.name}: {found.n_folds} folds of {found.n_images} images, {about}"
    yield from found.notes
    yield from found.broken
    yield from map(_contradiction, found.contradictions)
    if found.people is not None:
        yield from _people(found.people, found)
    yield from _shared(found)
    if found.balance is not None:
        yield f"class balance: {found.balance.sentence}{_untrained(found.untrained)}"
    yield from map(_difference, found.differences)
    yield conclusion(found)


def conclusion(found: Verdict) -> str:
    """Return the verdict: accepted or refused, and what that means for figures from these folds."""
    if found.broken:
        return "REFUSED: these folds are broken"
    if found.contradictions:
        return "REFUSED: the file contradicts itself, so that it proves nothing"
    if found.leaks and found.claim == "person":
        return "REFUSED: these folds are not subject-independent"
    if found.leaks:
        return f"REFUSED: these folds do not keep what was claimed: {CLAIMS[found.claim]}"
    if found.differences:
        return "REFUSED: what the file says of its images is not what the data say"
    if found.people_apart == "proven":
        return f"ACCEPTED: {CLAIMS[found.claim]}"
    return f"ACCEPTED: {CLAIMS[found.claim]}; no figure from these folds may be called subject-independent"


def _people(people: People, found: Verdict) -> Iterator[str]:
    head = "people: REFUSED, " if found.claim == "person" else "people: "
    for leak in people.leaks:
        who = "person is" if leak.groups == 1 else "people are"
        how = " and ".join(_SOURCES[source] for source in leak.sources)
        yield (
            f"{head}{leak.groups} {who} in train and test ({how}), in {leak.folds} of {found.n_folds} folds: "
            f"{_share(leak, found)} show somebody who is trained on; {_pairs(leak)}"
        )
    if people.state == "unknown":
        remedy = "; give --data or --manifest" if found.source == "file" else ""
        what = f"{people.unknown} of {people.images} images do not tell who is on them{remedy}"
        yield f"{head}not proven, {what}"
    elif people.state == "proven":
        counts = ", ".join(f"{n} {_SOURCES[source]}" for source, n in people.counts.items())
        yield f"people: proven, nobody is in train and test of any fold ({counts})"


def _shared(found: Verdict) -> Iterator[str]:
    session = "a session" if found.claim == "session" else "a person's session"
    kinds = {
        "sequences": (found.sequences, "frames of a film or sitting that is trained on"),
        "sessions": (found.sessions, f"{session} that is trained on"),
        "exact duplicates": (found.duplicates, "a picture that is trained on under another name"),
    }
    for title, (kind, what) in kinds.items():
        if kind is not None:
            yield f"{title}: {_kind(kind, what, found)}"
    same = found.same_pictures
    if same is not None and same.state != "unknown":
        # Names in a known grammar are not to be expected: those that tell nothing go without saying.
        told = Shared(same.state, same.leak, 0, same.images, same.refuses)
        yield f"same pictures: {_kind(told, 'a copy, by its name, of a picture that is trained on', found)}"
    if found.near_duplicates is not None:
        yield f"near-duplicates: {_near(found.near_duplicates, found)}"


def _kind(kind: Shared, what: str, found: Verdict) -> str:
    if kind.state == "unknown":
        return "not given" + (f" for {kind.unknown} of {kind.images} images" if kind.unknown < kind.images else "")
    if kind.leak is None:
        some = f" ({kind.unknown} of {kind.images} images do not tell)" if kind.unknown else ""
        return f"none on both sides of a fold{some}"
    return f"{_head(kind)}{_share(kind.leak, found)} show {what}; {_pairs(kind.leak)}"


def _near(near: Shared, found: Verdict) -> str:
    if near.state == "unknown":
        return "not looked for, nothing at hand tells how pictures look; give --data or --manifest"
    some = (
        f"; {near.unknown} of {near.images} images have no hash to compare, hardly any contrast" if near.unknown else ""
    )
    if near.upright:
        some += f"; {near.upright} of {near.images} images have a hash that does not tell mirrored and turned copies"
    if near.leak is None:
        return f"none found (a strongly changed copy may be missed{some})"
    kinds = {"mirrored": near.leak.mirrored, "turned": near.leak.turned}
    changed = " and ".join(f"{tests:,} of them to a {kind} one" for kind, tests in kinds.items() if tests)
    what = f"look the same as a picture that is trained on{f', {changed}' if changed else ''}; {_pairs(near.leak)}"
    return f"{_head(near)}{_share(near.leak, found)} {what}{some}"


def _head(kind: Shared) -> str:
    return "REFUSED, " if kind.refuses else ""


def _share(leak: Leak, found: Verdict) -> str:
    return f"{leak.tests:,} of {found.n_tests:,} tests ({_percent(leak.tests, found.n_tests)})"


def _percent(part: int, whole: int) -> str:
    percent = 100 * part / whole
    return f"{percent:.0f} %" if percent >= 1 else "under 1 %"


def _pairs(leak: Leak) -> str:
    shown = [f"fold {fold} tests {test} and trains on {train}" for fold, test, train in leak.pairs]
    return "such as " + ", ".join(shown)


def _untrained(cells: tuple[tuple[int, str], ...]) -> str:
    if not cells:
        return ""
    fold, label = cells[0]
    times = f"{len(cells)} times an expression is tested that its fold trains on none of"
    return f"; {times}, such as {label} in fold {fold}"


def _contradiction(found: Contradiction) -> str:
    images = f"{found.images} image{'s' if found.images > 1 else ''}"
    return (
        f"{_STATED[found.column]}: REFUSED, the file contradicts itself in {images}, such as {found.image}: "
        f"{found.column} {' and '.join(found.said)}"
    )


def _difference(found: Difference) -> str:
    return (
        f"{_STATED[found.column]}: REFUSED, the file states another {_ONE[found.column]} than the data of "
        f"{found.images} of {found.compared} images, such as {found.image}: {found.file} in the file, {found.data} in "
        "the data"
    )
