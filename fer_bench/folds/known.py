"""What is known of the images of folds: by the data or the file, and, independent of both, by the images' names."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd

from fer_bench.data.join import BOTH
from fer_bench.data.manifest import Manifest
from fer_bench.data.names import NameFacts, name_facts
from fer_bench.data.words import TEST_SIDE, TRAIN_SIDE

from .consistency import one_row_an_image
from .match import match_images

__all__ = ["known_facts", "named_people"]

_by_name = lru_cache(maxsize=100_000)(name_facts)
"""A run asks for each protocol anew."""

_FACTS = ["subject", "label", "session", "sequence", "sha256", "phash"]


def known_facts(table: pd.DataFrame, manifest: Manifest | None, name: str) -> pd.DataFrame:
    """Tell what is known of each image of a table of folds.

    Parameters
    ----------
    table : DataFrame
        See `fer_bench.folds.tables.FoldTable`.
    manifest : Manifest, optional
        What the data tell; then nothing counts that the table says.
    name : str
        What to call the table in a message.

    Returns
    -------
    DataFrame
        One row an image, in the order of the manifest where there is one, so that all folds of some data have one:
        subject, label, session, sequence, sha256, phash; by the image's name name_subject and picture; all str, empty
        where nothing is known.

    Raises
    ------
    UserError
        An image is not in the manifest.
    """
    facts = one_row_an_image(table, _FACTS) if manifest is None else _of_manifest(table, manifest, name)
    told = [_by_name(str(image)) for image in facts.index]
    for column in ("session", "sequence"):
        by_name = pd.Series([getattr(fact, column) if fact else "" for fact in told], index=facts.index)
        facts[column] = facts[column].where(facts[column].ne(""), by_name)
    worlds = _worlds(facts.index, manifest)
    return facts.assign(
        name_subject=[_told(fact, "subject", world) for fact, world in zip(told, worlds, strict=True)],
        picture=[_told(fact, "picture", world) for fact, world in zip(told, worlds, strict=True)],
    )


def named_people(manifest: Manifest) -> pd.DataFrame:
    """Return the images whose names tell who is on them: columns image, subject (the data's own) and name_subject."""
    table = manifest.table[["image", "subject"]]
    worlds = _worlds(pd.Index(table["image"]), manifest)
    who = [_told(_by_name(image), "subject", world) for image, world in zip(table["image"], worlds, strict=True)]
    known = table.assign(name_subject=who)
    return known[known["subject"].ne("") & known["name_subject"].ne("")]


def _of_manifest(table: pd.DataFrame, manifest: Manifest, name: str) -> pd.DataFrame:
    images = pd.Index(table["image"].unique(), name="image")
    known = manifest.table.set_index("image")
    at = known.index.get_indexer(images)
    if (at < 0).any():
        at = known.index.get_indexer(match_images(images.to_series(), manifest, name))
    order = np.argsort(at, kind="stable")
    return known.iloc[at[order]][_FACTS].set_axis(images[order])


def _told(fact: NameFacts | None, what: str, world: str) -> str:
    return f"{world}{getattr(fact, what)}" if fact else ""


def _worlds(images: pd.Index, manifest: Manifest | None) -> list[str]:
    """What to put before what a name tells: one name means two people where two data sets share nobody.

    Drawn people may be called as real ones are; whether two data sets that were joined share people was told by the
    names in front of theirs.
    """
    if manifest is None or set(manifest.table["split"]) != {TRAIN_SIDE, TEST_SIDE}:
        return [""] * len(images)
    people = manifest.people
    if not people or any(person.startswith(BOTH) for person in people):
        return [""] * len(images)
    return [f"{str(image).partition('/')[0]}/" for image in images]
