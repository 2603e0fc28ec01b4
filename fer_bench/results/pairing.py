"""Which images of two runs are the same: by name on the same data, else by content, person and label."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_bench.errors import UserError
from fer_bench.utils.people_names import name_keys

from .csv_files import find_manifest
from .outcomes import MethodPredictions
from .run_data import RunData

__all__ = ["Identity", "NothingPairedError", "common_places", "identities"]

Identity = Mapping[str, str]
"""What tells images apart, by name; one without an entry is in no other run."""


class NothingPairedError(UserError):
    """Two runs of which no image can be paired.

    Attributes
    ----------
    why : str
        The sentence without what to do, which whoever shows the runs side by side has done.
    """

    def __init__(self, why: str, advice: str) -> None:
        super().__init__(f"{why}{advice}")
        self.why = why


def identities(a: RunData, b: RunData) -> tuple[Identity | None, Identity | None, str]:
    """What an image is known by in each run (None: its name), and how that reads."""
    data_a, data_b = a.info["dataset"], b.info["dataset"]
    name_a, name_b = (f"{data.get('name', '')} ({int(data.get('n_images', 0)):,} images)" for data in (data_a, data_b))
    if data_a.get("manifest_hash") == data_b.get("manifest_hash"):
        return None, None, f"same data: {name_a}"
    rows = [_known_images(run) for run in (a, b)]
    if rows[0] is None or rows[1] is None:
        lacking = a if rows[0] is None else b
        raise NothingPairedError(
            f"other data: {a.path} tested {name_a}, {b.path} tested {name_b}, and {lacking.path} holds no manifest.csv "
            "that tells which images are the same",
            "; compare runs on the same data",
        )
    people = name_keys(rows[0]["subject"], rows[1]["subject"])
    tables = [_contents(known, people) for known in (rows[0], rows[1])]
    common = set(tables[0].values()) & set(tables[1].values())
    if not common:
        raise NothingPairedError(
            f"other data: {a.path} tested {name_a}, {b.path} tested {name_b}, and no image of one person with one "
            "label is in both",
            f", so nothing can be paired; `fer-bench report {a.path} {b.path}` shows them side by side",
        )
    how = f"other data: {name_a} and {name_b}; compared on the {len(common):,} images that are in both, by content"
    return tables[0], tables[1], how


def _known_images(run: RunData) -> pd.DataFrame | None:
    """Images of which the content is known, from the run's own manifest.csv."""
    table = find_manifest(run.path, ("image", "sha256", "subject", "label"))
    return None if table is None else table[table["sha256"] != ""]


def _contents(known: pd.DataFrame, people: Mapping[str, str]) -> Identity:
    """Content, person and label of each image."""
    who = known["subject"].map(people)
    return dict(zip(known["image"], known["sha256"] + " " + who + " " + known["label"], strict=True))


def common_places(
    left: MethodPredictions, right: MethodPredictions, identity_a: Identity | None, identity_b: Identity | None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places in both of what both tested: the same image, its first test with its first, its second with its second."""
    if identity_a is None and np.array_equal(left.images, right.images):
        every = np.arange(len(left.images))
        return every, every
    places = {key: place for place, key in _tested(right, identity_b)}
    found = [(place, places[key]) for place, key in _tested(left, identity_a) if key in places]
    at_a, at_b = np.array(found, dtype=np.int64).reshape(-1, 2).T
    return at_a, at_b


def _tested(outcome: MethodPredictions, identity: Identity | None) -> Iterator[tuple[int, tuple[str, int]]]:
    """Place and (image, how often it was tested before); images without an identity are passed over."""
    seen: dict[str, int] = {}
    for place, image in enumerate(outcome.images):
        known = str(image) if identity is None else identity.get(str(image))
        if known is not None:
            seen[known] = seen.get(known, -1) + 1
            yield place, (known, seen[known])
