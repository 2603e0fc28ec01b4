"""The folds that a protocol makes of a manifest: a table with a hash, which every method of a run uses as it is."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_bench.data.manifest import Manifest
from fer_bench.errors import UserError
from fer_bench.files import atomic_write
from fer_bench.protocols import PROTOCOLS, Protocol
from fer_bench.seeds import derive_seed

__all__ = ["Folds", "broken_folds", "check_folds", "make_folds", "read_folds"]

_COLUMNS = ["fold", "role", "image", "subject", "label"]


@dataclass(frozen=True)
class Folds:
    """The folds of one protocol over one manifest.

    Attributes
    ----------
    protocol, manifest_hash : str
        What they were made by and for.
    seed : int
        The run's seed.
    table : DataFrame
        Columns fold (int), role ("train" or "test"), image, subject, label; one row an image and fold.
    """

    protocol: str
    manifest_hash: str
    seed: int
    table: pd.DataFrame

    @cached_property
    def text(self) -> str:
        """The file's text: a comment line, then CSV."""
        head = f"# fer-bench folds 1; protocol={self.protocol}; manifest={self.manifest_hash}; seed={self.seed}\n"
        return head + self.table.to_csv(index=False, lineterminator="\n")

    @cached_property
    def hash(self) -> str:
        """Sha256 of the file's text."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def numbers(self) -> list[int]:
        """Sorted fold numbers."""
        return sorted(int(f) for f in self.table["fold"].unique())

    def images(self, fold: int, role: str) -> list[str]:
        """Return the sorted images of one side of a fold."""
        side = self.table[(self.table["fold"] == fold) & (self.table["role"] == role)]
        return sorted(side["image"])

    def indices(self, manifest: Manifest, fold: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the rows of the manifest that train and that test a fold, each ascending, int64.

        Raises
        ------
        UserError
            The folds name images that the manifest lacks.
        """
        position = pd.Series(np.arange(len(manifest)), index=manifest.table["image"])
        sides = []
        for role in ("train", "test"):
            images = self.images(fold, role)
            unknown = [image for image in images if image not in position.index]
            if unknown:
                raise UserError(
                    f"fold {fold} of {self.protocol}: {len(unknown)} images such as {unknown[0]} are not in the data; "
                    "make the folds anew with `fer-bench folds make`"
                )
            sides.append(np.sort(position[images].to_numpy(dtype=np.int64)))
        return sides[0], sides[1]

    def write(self, path: Path) -> None:
        """Write the folds' file."""
        with atomic_write(path, "w") as handle:
            handle.write(self.text)


def make_folds(manifest: Manifest, protocol: str, seed: int) -> Folds:
    """Split a manifest by a protocol; the same arguments give the same folds everywhere.

    People are dealt to folds in a random order, women and men in turn, so that folds differ by at most one person
    of either sex. Images are dealt by expression in a random order.

    Raises
    ------
    UserError
        No such protocol, or fewer people than folds.
    """
    if protocol not in PROTOCOLS:
        raise UserError(f"--protocol {protocol}: no such protocol; choose from {', '.join(PROTOCOLS)}")
    rule = PROTOCOLS[protocol]
    rng = np.random.default_rng(derive_seed(seed, "folds", protocol))
    if rule.splits_by == "person":
        test_fold = _deal_people(manifest, rule, rng)
    else:
        test_fold = _deal_images(manifest, 10 if rule.holdout else rule.n_folds, rng)
    rows = manifest.table[["image", "subject", "label"]]
    parts = []
    for fold in range(rule.n_folds):
        role = np.where(test_fold == fold, "test", "train")
        parts.append(rows.assign(fold=fold, role=role)[_COLUMNS])
    return Folds(protocol, manifest.hash, seed, pd.concat(parts, ignore_index=True))


def _deal_people(manifest: Manifest, rule: Protocol, rng: np.random.Generator) -> NDArray[np.int64]:
    people = manifest.table[["subject", "gender"]].drop_duplicates().sort_values("subject")
    if len(people) < rule.n_folds:
        raise UserError(
            f"protocol {rule.name} needs at least {rule.n_folds} people, the data have {len(people)}; "
            "choose a protocol with fewer folds, or one by image"
        )
    dealt: list[str] = []
    for gender in sorted(people["gender"].unique()):
        dealt += list(rng.permutation(people.loc[people["gender"] == gender, "subject"].to_numpy(dtype=object)))
    fold_of = {person: i % rule.n_folds for i, person in enumerate(dealt)}
    return manifest.table["subject"].map(fold_of).to_numpy(dtype=np.int64)


def _deal_images(manifest: Manifest, n_folds: int, rng: np.random.Generator) -> NDArray[np.int64]:
    if len(manifest) < 2 * n_folds:
        raise UserError(f"{len(manifest)} images are too few for {n_folds} folds; expected at least {2 * n_folds}")
    fold = np.empty(len(manifest), dtype=np.int64)
    dealt = 0
    for label in np.unique(manifest.labels):
        rows = rng.permutation(np.flatnonzero(manifest.labels == label))
        # Going on where the last expression ended keeps the folds' sizes within one image of each other.
        fold[rows] = (dealt + np.arange(len(rows))) % n_folds
        dealt += len(rows)
    return fold


def read_folds(path: Path) -> Folds:
    """Read a folds' file.

    Raises
    ------
    UserError
        The file is missing or is not a folds' file.
    """
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read as a folds' file: {error}") from error
    head, _, body = text.partition("\n")
    if not head.startswith("# fer-bench folds 1;"):
        raise UserError(f"{path}: expected a folds' file that starts with '# fer-bench folds 1;', found {head[:40]!r}")
    fields = dict(part.strip().split("=", 1) for part in head.split(";")[1:] if "=" in part)
    try:
        table = pd.read_csv(io.StringIO(body), dtype=str, keep_default_na=False)
        table = table[_COLUMNS].astype({"fold": int})
        folds = Folds(fields["protocol"], fields["manifest"], int(fields["seed"]), table)
    except (KeyError, ValueError) as error:
        raise UserError(f"{path}: not a whole folds' file with the columns {', '.join(_COLUMNS)}: {error}") from error
    if not set(table["role"]) <= {"train", "test"}:
        raise UserError(f"{path}: the column role holds {sorted(set(table['role']))}, expected train and test")
    return folds


def broken_folds(folds: Folds) -> Iterator[str]:
    """Yield what no protocol may do: no folds, an empty side, an image that stands twice in a fold."""
    if not folds.numbers:
        yield "there is no fold in the file"
    for fold in folds.numbers:
        rows = folds.table[folds.table["fold"] == fold]
        sides = [int((rows["role"] == role).sum()) for role in ("train", "test")]
        if not all(sides):
            yield f"fold {fold}: {sides[0]} images to train on and {sides[1]} to test on"
        doubled = sorted(rows.loc[rows["image"].duplicated(), "image"])
        if doubled:
            yield f"fold {fold}: {len(doubled)} images stand more than once, such as {doubled[0]}"


def check_folds(folds: Folds) -> Iterator[str]:
    """Yield every way in which folds break a promise: none means that people (and images) are disjoint.

    Proven from the table alone, whatever made it.
    """
    yield from broken_folds(folds)
    for fold in folds.numbers:
        rows = folds.table[folds.table["fold"] == fold]
        train, test = rows[rows["role"] == "train"], rows[rows["role"] == "test"]
        shared = sorted(set(train["subject"]) & set(test["subject"]))
        if shared:
            person = shared[0]
            in_train, in_test = (int((side["subject"] == person).sum()) for side in (train, test))
            yield (
                f"fold {fold}: {len(shared)} of {test['subject'].nunique()} tested people are also trained on, such as "
                f"{person} ({in_train} images in train, {in_test} in test)"
            )
