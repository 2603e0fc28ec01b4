"""Protocols by name: who may be trained on, who is tested. Imports nothing heavy; `.splitters` makes the folds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fer_bench.data.words import TEST_SIDE, TRAIN_SIDE

if TYPE_CHECKING:
    from fer_bench.data.manifest import Manifest

__all__ = ["PROTOCOLS", "Protocol", "official_parts", "rule_of", "unsupported"]


_MAX_ROWS = 5_000_000
"""Rows of a folds' file: leave-one-person-out has people x images of them."""

_TRAIN_WORDS = {"train", "training"}
_VALIDATION_WORDS = {"val", "valid", "validation", "dev"}


@dataclass(frozen=True)
class Protocol:
    """How images are split.

    Attributes
    ----------
    name : str
        Name on the command line and in every table.
    splits_by : str
        ``"person"``: nobody is in train and test; ``"image"``: everybody is; ``"session"``: other pictures of
        everybody are; ``"dataset"``: as the data's maker, or two datasets, have it.
    kind : str
        How folds are made; a key of ``fer_bench.folds.splitters``.
    n_folds : int
        Trials a method; 0 where it depends on the data.
    summary : str
        One sentence.
    parts : int
        Parts that images are assigned to, where that is more than ``n_folds``: 10 parts and one fold test a tenth.
    partners : tuple of str
        Protocols with as many images to train on, so that a difference in accuracy is due to who is in them.
    optimistic : bool
        The epoch is chosen on the test images: the figure is no forecast for new ones.
    """

    name: str
    splits_by: str
    kind: str
    n_folds: int
    summary: str
    parts: int = 0
    partners: tuple[str, ...] = ()
    optimistic: bool = False

    @property
    def tests_all(self) -> bool:
        """Whether each image is tested exactly once."""
        return self.kind in ("people", "loso", "sessions", "views") or (self.kind == "images" and not self.parts)


PROTOCOLS: dict[str, Protocol] = {
    p.name: p
    for p in (
        Protocol(
            "subject-10fold", "person", "people", 10,
            "ten folds by person: nobody is in train and test (primary)",
            partners=("random-10fold",),
        ),
        Protocol(
            "subject-loso", "person", "loso", 0,
            "leave one person out: one fold a person, trained on everybody else",
        ),
        Protocol(
            "random-10fold", "image", "images", 10,
            "ten folds by image, stratified: the article's; everybody is in both",
            partners=("subject-10fold",),
        ),
        Protocol(
            "holdout-10", "image", "images", 1,
            "90 % train, 10 % test by image, stratified: the article's",
            parts=10,
        ),
        Protocol(
            "akhand-selected", "image", "images", 1,
            "95 % train, 5 % test by image, and the epoch that does best on the test images: what the paper's code "
            "did; optimistic",
            parts=20, optimistic=True,
        ),
        Protocol(
            "session-out", "session", "sessions", 0,
            "train on one session's pictures of everybody, test on the other's, both ways",
            partners=("random-2fold", "subject-2fold"),
        ),
        Protocol(
            "subject-2fold", "person", "people", 2,
            "two folds by person: for quick runs, and session-out's partner with as much to train on",
            partners=("random-2fold", "session-out"),
        ),
        Protocol(
            "random-2fold", "image", "images", 2,
            "two folds by image, stratified: for quick runs, and session-out's partner with as much to train on",
            partners=("subject-2fold", "session-out"),
        ),
        Protocol(
            "view-out", "person", "views", 0,
            "leave one view out, people disjoint too: each view of one half of the people, trained on the other views "
            "of the other half",
        ),
        Protocol(
            "frontal-to-profile", "person", "profiles", 0,
            "train on straight views only, test on full profiles of other people",
        ),
        Protocol(
            "official", "dataset", "official", 0,
            "the dataset's own split: its training part, tested on each of its test parts",
        ),
        Protocol(
            "cross-dataset", "dataset", "datasets", 1,
            "train on all of --data, test on all of --test-data",
        ),
    )
}  # fmt: skip
"""The twelve protocols by name."""


def rule_of(name: str, splits_by: str = "image") -> Protocol:
    """Return a protocol by name; one for folds that were given in as a file where there is none of that name."""
    return PROTOCOLS.get(name) or Protocol(name, splits_by, "given", 0, "folds given in as a file (--folds)")


def unsupported(manifest: Manifest, why_no_people: str = "") -> dict[str, str]:
    """Say which protocols a dataset cannot support.

    Parameters
    ----------
    manifest : Manifest
        The images.
    why_no_people : str
        The dataset's own sentence on why identities are not given, where it has one.

    Returns
    -------
    dict of str to str
        Reasons by name of protocol, each a clause to follow "protocol x: "; what is supported is not in it.
    """
    reasons = {}
    for rule in PROTOCOLS.values():
        reason = next(_obstacles(rule, manifest, why_no_people), "")
        if reason:
            reasons[rule.name] = reason
    return reasons


def _obstacles(rule: Protocol, manifest: Manifest, why_no_people: str) -> Iterator[str]:
    joined = set(manifest.table["split"]) == {TRAIN_SIDE, TEST_SIDE}
    if joined != (rule.kind == "datasets"):
        yield "two datasets are given, which go with cross-dataset alone" if joined else "it needs `test_data` PATH"
    elif rule.splits_by == "person":
        yield from _person_obstacles(rule, manifest, why_no_people)
    elif rule.kind == "images":
        least = 2 * (rule.parts or rule.n_folds)
        if len(manifest) < least:
            yield f"{len(manifest)} images are too few for it; expected at least {least}"
    elif rule.kind == "sessions":
        yield from _column_obstacles(manifest, "session", 2, 10)
    elif rule.kind == "official":
        yield from _official_obstacles(manifest)


def _person_obstacles(rule: Protocol, manifest: Manifest, why_no_people: str) -> Iterator[str]:
    n, least = len(manifest.people), rule.n_folds or 2
    if not n:
        yield why_no_people or "these data do not tell who is on which picture, so nobody can be kept out of training"
    elif n < least:
        yield (
            f"it needs at least {least} people, the data have {n}; choose a protocol with fewer folds, or one by image"
        )
    elif rule.kind == "loso" and n * len(manifest) > _MAX_ROWS:
        yield f"{n} folds of {len(manifest):,} images are too many; choose subject-10fold"
    elif rule.kind == "views":
        yield from _column_obstacles(manifest, "view", 2, 10)
    elif rule.kind == "profiles":
        yield from _column_obstacles(manifest, "view", 1, None)
        found = set(manifest.table["view"])
        if "S" not in found or not found & {"FL", "FR"}:
            yield f"it needs straight views (S) and full profiles (FL or FR); the data have {', '.join(sorted(found))}"
        # Somebody else must be left to train on whoever is tested.
        elif manifest.table.loc[manifest.table["view"] == "S", "subject"].nunique() < 2:
            yield "it needs straight views of at least two people"


def _column_obstacles(manifest: Manifest, column: str, least: int, most: int | None) -> Iterator[str]:
    values = set(manifest.table[column])
    if "" in values:
        yield f"these data do not give the {column} of " + ("some pictures" if len(values) > 1 else "a picture")
    elif len(values) < least:
        yield f"it needs at least {least} {column}s, the data have {len(values)} ({', '.join(sorted(values))})"
    elif most is not None and len(values) > most:
        yield f"it takes at most {most} {column}s, the data have {len(values)}"


def official_parts(manifest: Manifest) -> tuple[list[str], list[str]]:
    """Return the parts of a dataset's own split that are trained on, and those that are tested, each sorted.

    A part for validation is neither where there is another to test on: methods choose within the training part.
    """
    parts = sorted(set(manifest.table["split"]) - {""})
    train = [part for part in parts if part.lower() in _TRAIN_WORDS]
    other = [part for part in parts if part not in train]
    tested = [part for part in other if part.lower() not in _VALIDATION_WORDS]
    return train, tested or other


def _official_obstacles(manifest: Manifest) -> Iterator[str]:
    train, tested = official_parts(manifest)
    if not train and not tested:
        yield "these data come without a split of their own"
    elif not train or not tested:
        yield f"the data's own split needs a part named train and one to test on; found {', '.join(train or tested)}"
