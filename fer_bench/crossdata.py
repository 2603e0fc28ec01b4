"""Two datasets as one: all of the first trains, all of the second is tested."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_bench.data.manifest import COLUMNS, Dataset, Excluded, Manifest
from fer_bench.errors import UserError
from fer_bench.protocols import TEST_SIDE, TRAIN_SIDE

__all__ = ["join_datasets"]

_TRAIN, _TEST = "train/", "test/"
"""In front of the names of images, people and films, so that nobody of one dataset is taken for one of the other."""


def join_datasets(train: Dataset, test: Dataset) -> tuple[Dataset, list[str]]:
    """Join two datasets for the protocol ``cross-dataset``.

    Images of an expression that nobody shows in the training data are left out of the test, and pictures that
    stand in both are left out of training.

    Returns
    -------
    Dataset
        Images named ``train/...`` and ``test/...``; the column ``split`` tells which side they are on.
    list of str
        What a reader of the figures must know.

    Raises
    ------
    UserError
        Faces are cut out of the two in different ways, or nothing is left to test.
    """
    if train.crop != test.crop:
        raise UserError(
            f"--test-data: faces of {train.name} are cut out as '{train.crop}', of {test.name} as '{test.crop}', which "
            "no figure could tell from a difference of the data; give --crop detect or --crop none for both"
        )
    unlearnt = sorted(set(test.manifest.table["label"]) - set(train.manifest.table["label"]))
    excluded, notes = [], []
    tested = test.manifest.table
    if unlearnt:
        cut = tested["label"].isin(unlearnt)
        excluded += [
            Excluded(_TEST + row.file, f"shows {row.label}, which nobody shows in the training data")
            for row in tested[cut].itertuples()
        ]
        tested = tested[~cut]
        notes.append(f"{int(cut.sum())} test images show {', '.join(unlearnt)}, which {train.name} lacks: left out")
    if tested.empty:
        raise UserError(f"--test-data {test.name}: no image shows an expression that {train.name} has")
    trained = train.manifest.table
    both = trained["sha256"].isin(tested["sha256"])
    if both.any():
        excluded += [Excluded(_TRAIN + file, "the same file is in the test data") for file in trained.loc[both, "file"]]
        notes.append(f"{int(both.sum())} files of {train.name} are in {test.name}, too: not trained on")
        trained = trained[~both]
    if trained.empty:
        raise UserError(f"--test-data {test.name}: it holds every file of {train.name}; expected other data")
    people = bool(train.manifest.people and test.manifest.people)
    sides = [_side(trained, train, _TRAIN, TRAIN_SIDE, people), _side(tested, test, _TEST, TEST_SIDE, people)]
    table = pd.concat(sides).sort_values("image").reset_index(drop=True)
    before = [
        Excluded(prefix + e.file, e.reason)
        for prefix, part in ((_TRAIN, train), (_TEST, test))
        for e in part.manifest.excluded
    ]
    joined = replace(
        train,
        name=f"{train.name} to {test.name}",
        manifest=Manifest(table[list(COLUMNS)], tuple(sorted([*before, *excluded], key=lambda e: e.file))),
        notice=" ".join(dict.fromkeys([train.notice, test.notice])),
        rendered=train.rendered or test.rendered,
        layout=" and ".join(dict.fromkeys(filter(None, [train.layout, test.layout]))),
        why_no_people=train.why_no_people or test.why_no_people,
        pictures=_Pictures(train, test),
    )
    return joined, notes


def _side(table: pd.DataFrame, dataset: Dataset, prefix: str, split: str, people: bool) -> pd.DataFrame:
    """One dataset's rows, renamed. Where the other tells nobody apart, people go on as groups of pictures."""
    groups = pd.Series(dataset.manifest.groups, index=dataset.manifest.table["image"])
    sequence = table["sequence"] if people else table["image"].map(groups)
    return table.assign(
        image=prefix + table["image"],
        subject=prefix + table["subject"] if people else "",
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
