"""Two datasets as one: all of the first trains, all of the second is tested."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_bench.errors import UserError

from .images.drawn import PHOTOGRAPHS
from .manifest import COLUMNS, Dataset, Excluded, FileCount, Manifest
from .overlap import copied_pictures, shared_people
from .words import TEST_SIDE, TRAIN_SIDE

__all__ = ["BOTH", "join_datasets"]

_TRAIN, _TEST, BOTH = "train/", "test/", "both/"
"""In front of the names of images, people and films; a person who is in both datasets is one person."""


def join_datasets(train: Dataset, test: Dataset) -> tuple[Dataset, list[str]]:
    """Join two datasets for the protocol ``cross-dataset``.

    Images of an expression that nobody shows in the training data are left out of the test, and pictures that
    stand in both are left out of training. People who are in both keep one name, so that folds tell them.

    Returns
    -------
    Dataset
        Images named ``train/...`` and ``test/...``; the column ``split`` tells which side they are on.
    list of str
        What a reader of the figures must know.

    Raises
    ------
    UserError
        Faces are cut out of the two in different ways, or nothing is left to train on or to test.
    """
    if train.crop != test.crop:
        raise UserError(
            f"`test_data`: faces of {train.name} are cut out as '{train.crop}', of {test.name} as '{test.crop}', which "
            "no figure could tell from a difference of the data; give `crop` detect or `crop` none for both"
        )
    trained, copies, said = _without_copies(train, test)
    tested, unlearnt, untested = _without_unlearnt(test, trained["label"], train.name)
    left, asked = set(trained["subject"]), set(tested["subject"])
    found = shared_people(train, test).items()
    shared = {there: here for there, here in found if here in left and there in asked}
    people = bool(train.manifest.people and test.manifest.people)
    sides = [
        _side(trained, train, _TRAIN, TRAIN_SIDE, dict.fromkeys(shared.values(), "") if people else None),
        _side(tested, test, _TEST, TEST_SIDE, shared if people else None),
    ]
    table = pd.concat(sides).sort_values("image").reset_index(drop=True)
    before = [
        Excluded(prefix + e.file, e.reason)
        for prefix, part in ((_TRAIN, train), (_TEST, test))
        for e in part.manifest.excluded
    ]
    excluded = tuple(sorted([*before, *copies, *unlearnt], key=lambda e: e.file))
    layouts = tuple(dict.fromkeys(filter(None, [train.layout, test.layout])))
    joined = replace(
        train,
        name=f"{train.name} to {test.name}",
        manifest=Manifest(table[list(COLUMNS)], excluded, _count(train, test, len(copies), len(unlearnt))),
        notice=" ".join(dict.fromkeys([train.notice, test.notice])),
        rendered=train.rendered or test.rendered,
        drawn_by=_drawn_by(train, test),
        layout=" and ".join(layouts),
        layouts=layouts,
        layout_summary="; and ".join(dict.fromkeys(filter(None, [train.layout_summary, test.layout_summary]))),
        why_no_people=train.why_no_people or test.why_no_people,
        pictures=_Pictures(train, test),
        landmarks=train.landmarks if train.landmarks is test.landmarks else None,
    )
    return joined, [*said, *untested, *([_on_people(train, test, shared)] if people else [])]


def _count(train: Dataset, test: Dataset, copies: int, unlearnt: int) -> FileCount | None:
    """Where the files of both went, which is known where it is known of each."""
    here, there = train.manifest.count, test.manifest.count
    return here.without(copies) + there.without(unlearnt) if here and there else None


def _drawn_by(train: Dataset, test: Dataset) -> tuple[str, ...]:
    if not (train.rendered or test.rendered):
        return ()
    return tuple(sorted({tool for part in (train, test) for tool in part.drawn_by or (PHOTOGRAPHS,)}))


def _without_copies(train: Dataset, test: Dataset) -> tuple[pd.DataFrame, list[Excluded], list[str]]:
    """Training rows that are no picture of the test data, what is left out, and a sentence a reason."""
    table = train.manifest.table
    copies = copied_pictures(train, test)
    why = pd.Series([copies.get(image, "") for image in table["image"]], index=table.index, dtype=str)
    copied, kept = table[why.ne("")], table[why.eq("")]
    if kept.empty:
        raise UserError(f"`test_data` {test.name}: it holds every picture of {train.name}; expected other data")
    if kept["label"].nunique() < 2 <= table["label"].nunique():
        raise UserError(
            f"`test_data` {test.name}: without the {len(copied)} pictures that are in it, too, all that is left of "
            f"{train.name} shows {kept['label'].iat[0]}; expected other data"
        )
    reasons = why[why.ne("")]
    excluded = [Excluded(_TRAIN + file, reason) for file, reason in zip(copied["file"], reasons, strict=True)]
    said = [f"{n} images of {train.name}: {reason}, not trained on" for reason, n in reasons.value_counts().items()]
    return kept, excluded, said


def _without_unlearnt(
    test: Dataset, learnt: pd.Series, train_name: str
) -> tuple[pd.DataFrame, list[Excluded], list[str]]:
    """Test rows of expressions that the training data show, what is left out, and a sentence on it."""
    table = test.manifest.table
    unlearnt = ~table["label"].isin(learnt)
    if unlearnt.all():
        raise UserError(f"`test_data` {test.name}: no image shows an expression that {train_name} has")
    excluded = [
        Excluded(_TEST + row.file, f"shows {row.label}, which nobody shows in the training data")
        for row in table[unlearnt].itertuples()
    ]
    if not excluded:
        return table, [], []
    labels = ", ".join(sorted(set(table.loc[unlearnt, "label"])))
    said = f"{len(excluded)} test images show {labels}, which no training image of {train_name} shows: left out"
    return table[~unlearnt], excluded, [said]


def _on_people(train: Dataset, test: Dataset, shared: dict[str, str]) -> str:
    if not shared:
        return (
            f"people of {train.name} and {test.name} are taken to be different: "
            "no name and no picture that looks the same says otherwise"
        )
    there, here = min(shared.items())
    who = here if here == there else f"{there} (there {here})"
    n = f"{len(shared)} of {len(test.manifest.people)} people"
    return f"{n} of {test.name} are in {train.name}, too, by name or by look, such as {who}: people are not kept apart"


def _side(
    table: pd.DataFrame, dataset: Dataset, prefix: str, split: str, shared: dict[str, str] | None
) -> pd.DataFrame:
    """One dataset's rows, renamed.

    ``shared`` has the names of those who are in both, and what the training data call them where that is another name;
    it is None where one dataset tells nobody apart: then people go on as groups of pictures.
    """
    groups = pd.Series(dataset.manifest.groups, index=dataset.manifest.table["image"])
    sequence = table["image"].map(groups) if shared is None else table["sequence"]
    known = {name: BOTH + (other or name) for name, other in (shared or {}).items()}
    return table.assign(
        image=prefix + table["image"],
        subject="" if shared is None else [known.get(name, prefix + name) for name in table["subject"]],
        sequence=sequence.where(sequence.eq(""), prefix + sequence),
        split=split,
    )


class _Pictures:
    """Reads the pictures of two datasets in the order of the joined manifest: those to test come first by name."""

    def __init__(self, train: Dataset, test: Dataset) -> None:
        self._sides = ((_TEST, test), (_TRAIN, train))

    def __call__(self, manifest: Manifest, workers: int) -> Iterator[NDArray[np.uint8]]:
        """Yield whole pictures in the manifest's order."""
        return chain.from_iterable(self._read(manifest, prefix, part, workers) for prefix, part in self._sides)

    @staticmethod
    def _read(manifest: Manifest, prefix: str, part: Dataset, workers: int) -> Iterator[NDArray[np.uint8]]:
        table = manifest.table[manifest.table["image"].str.startswith(prefix)]
        own = table.assign(image=table["image"].str.removeprefix(prefix)).reset_index(drop=True)
        return part.pictures(Manifest(own), workers) if len(own) else iter(())
