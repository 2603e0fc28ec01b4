"""What a check of folds found, as facts: who and what stands in train and test, and whether the claim holds.

`fer_bench.folds.wording` makes the sentences.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .balance import Balance
from .consistency import Contradiction, Difference

__all__ = ["Leak", "People", "Shared", "Verdict"]


@dataclass(frozen=True)
class Leak:
    """Test images that share something with a training image of their fold.

    Attributes
    ----------
    tests : int
        How many tests of an image, over all folds.
    folds : int
        In how many folds.
    groups : int
        How many people, films or pictures are on both sides; 0 for pictures that look the same, which make no groups.
    pairs : tuple of (int, str, str)
        Up to three examples: a fold, an image that it tests, and one that it trains on.
    sources : tuple of str
        Who tells so: any of ``"file"``, ``"data"`` and ``"names"`` (of the images); empty where it is plain.
    mirrored, turned : int
        Of pictures that look the same: tests of an image that is trained on mirrored, and turned.
    """

    tests: int
    folds: int
    groups: int
    pairs: tuple[tuple[int, str, str], ...]
    sources: tuple[str, ...] = ()
    mirrored: int = 0
    turned: int = 0


@dataclass(frozen=True)
class People:
    """Whether anybody is in train and test.

    Attributes
    ----------
    state : str
        ``"proven"``: nobody is; ``"refused"``: somebody is; ``"unknown"``: it is not given who is on some image.
    counts : mapping of str to int
        How many people each source tells apart: ``"file"`` or ``"data"``, and ``"names"`` (of the images).
    leaks : tuple of Leak
        Who is in both; two where the sources differ on it.
    unknown, images : int
        Images that do not tell who is on them, of how many.
    """

    state: str
    counts: Mapping[str, int]
    leaks: tuple[Leak, ...]
    unknown: int
    images: int


@dataclass(frozen=True)
class Shared:
    """Whether films, sessions or pictures of a kind are in train and test.

    Attributes
    ----------
    state : str
        ``"none"``: none is, as far as images tell; ``"found"``: some are; ``"unknown"``: too few images tell.
    leak : Leak or None
        What is in both.
    unknown, images : int
        Images that do not tell, of how many.
    refuses : bool
        Whether it breaks the claim.
    upright : int
        Images whose hash does not tell of what look they are when they are mirrored or turned.
    """

    state: str
    leak: Leak | None
    unknown: int
    images: int
    refuses: bool
    upright: int = 0


@dataclass(frozen=True)
class Verdict:
    """Folds held against a claim.

    Attributes
    ----------
    name : str
        What the folds are called: their protocol, else their file.
    claim : str
        A key of ``fer_bench.folds.check.CLAIMS``.
    accepted : bool
        Whether the claim holds.
    n_folds, n_images, n_tests : int
        Folds, different images, and tests of an image over all folds.
    hash : str
        Sha256 of the folds' file; empty for another tool's table.
    source : str
        ``"data"`` where data or a manifest told of the images, else ``"file"``.
    notes : tuple of str
        How the file was read, and what it was made for, where that is not plain.
    broken : tuple of str
        Why these are no folds at all: none of what follows is then looked for.
    contradictions : tuple of Contradiction
        Where the file says two things of an image: none of what follows is then looked for.
    people : People or None
    sequences, sessions, duplicates, same_pictures, near_duplicates : Shared or None
        Films and sittings; sessions (each person's own, but for the claim ``"session"``); pictures of equal content;
        copies by their names; pictures that look the same.
    differences : tuple of Difference
        Where the file says of its images what the data do not.
    balance : Balance or None
        How even the folds are; None where no expression is given.
    untrained : tuple of (int, str)
        Folds and expressions that they test without training on any image of them.
    """

    name: str
    claim: str
    accepted: bool
    n_folds: int
    n_images: int
    n_tests: int = 0
    hash: str = ""
    source: str = "file"
    notes: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    contradictions: tuple[Contradiction, ...] = ()
    people: People | None = None
    sequences: Shared | None = None
    sessions: Shared | None = None
    duplicates: Shared | None = None
    same_pictures: Shared | None = None
    near_duplicates: Shared | None = None
    differences: tuple[Difference, ...] = ()
    balance: Balance | None = None
    untrained: tuple[tuple[int, str], ...] = ()

    @property
    def refused(self) -> bool:
        """Whether the claim does not hold."""
        return not self.accepted

    @property
    def shared(self) -> tuple[Shared, ...]:
        """All kinds of films, sessions and pictures that were looked for."""
        kinds = (self.sequences, self.sessions, self.duplicates, self.same_pictures, self.near_duplicates)
        return tuple(kind for kind in kinds if kind is not None)

    @property
    def copies(self) -> dict[str, Shared]:
        """What was looked for of pictures on both sides: ``"exact"``, ``"by name"`` and ``"by look"``."""
        kinds = {"exact": self.duplicates, "by name": self.same_pictures, "by look": self.near_duplicates}
        return {name: kind for name, kind in kinds.items() if kind is not None}

    @property
    def people_apart(self) -> str:
        """Whether nobody is in train and test, as `People.state` says it.

        A copy or a film on both sides refuses it, too: then somebody goes by two names.
        """
        if self.people is None:
            return "unknown"
        shared = any(kind.leak is not None for kind in (*self.copies.values(), self.sequences) if kind is not None)
        return "refused" if shared and self.people.state == "proven" else self.people.state

    @property
    def leaks(self) -> bool:
        """Whether what is in train and test, or is not given of people and films, breaks the claim."""
        unproven = self.claim == "person" and self.people is not None and self.people.state != "proven"
        return unproven or any(kind.refuses for kind in self.shared)
