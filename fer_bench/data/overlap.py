"""Who and what two datasets have in common: copies of pictures, and people, by name and by look."""

from __future__ import annotations

from collections import Counter

import pandas as pd

from fer_bench.utils.people_names import name_keys

from .images.drawn import PHOTOGRAPHS
from .images.phash import copies
from .manifest import Dataset
from .names import name_facts

__all__ = ["copied_pictures", "shared_people"]


def copied_pictures(train: Dataset, test: Dataset) -> dict[str, str]:
    """Find the training images that are pictures of the test data, too.

    Names count within one layout alone, and for pictures that one renderer drew, or photographs: another dataset may
    call another picture AF01ANS.

    Returns
    -------
    dict of str to str
        Why, by image of the training data.
    """
    trained, tested = train.manifest.table, test.manifest.table
    why = dict.fromkeys(
        trained.loc[trained["sha256"].isin(tested["sha256"]), "image"], "the same file is in the test data"
    )
    if train.layout == test.layout and _origins(train) & _origins(test):
        there = set(filter(None, map(_picture, tested["image"])))
        for image in trained["image"]:
            if _picture(image) in there:
                why.setdefault(image, "a picture of this name is in the test data")
    for row in dict.fromkeys(_look_alikes(trained, tested)["train"]):
        why.setdefault(trained["image"].iat[row], "a picture that looks the same is in the test data")
    return why


def shared_people(train: Dataset, test: Dataset) -> dict[str, str]:
    """Find the people of the test data who are in the training data, too.

    Within one layout a name is one person, in any spelling (see `name_keys`); across layouts it is where the images'
    names have a known grammar. Under other names, pictures that look the same tell. Drawn people are nobody's
    photograph, whatever their names.

    Returns
    -------
    dict of str to str
        Name in the training data, by name in the test data; empty where one of the two tells nobody apart.
    """
    if not (train.manifest.people and test.manifest.people) or not _origins(train) & _origins(test):
        return {}
    trained, tested = train.manifest.table, test.manifest.table
    pairs = _look_alikes(trained, tested)
    seen = zip(trained["subject"].iloc[pairs["train"]], tested["subject"].iloc[pairs["test"]], strict=True)
    # A person's pictures may look like those of several people; most of them tell.
    by_look = {there: here for (here, there), _ in reversed(Counter(seen).most_common())}
    same = train.layout == test.layout
    here, there = _names(trained, same), _names(tested, same)
    keys = name_keys(here.values(), there.values())
    names = {keys[name]: person for person, name in here.items()}
    by_name = {person: names[keys[name]] for person, name in there.items() if keys[name] in names}
    return by_look | by_name


def _origins(dataset: Dataset) -> set[str]:
    """What the pictures were made by; the people of two renderers have only their names in common."""
    return set(dataset.drawn_by) or {"an unknown renderer" if dataset.rendered else PHOTOGRAPHS}


def _picture(image: str) -> str:
    facts = name_facts(image)
    return facts.picture if facts else ""


def _names(table: pd.DataFrame, same_layout: bool) -> dict[str, str]:
    """By what name a person may be known in the other dataset."""
    people = table.drop_duplicates("subject")
    if same_layout:
        return dict(zip(people["subject"], people["subject"], strict=True))
    facts = zip(people["subject"], map(name_facts, people["image"]), strict=True)
    return {subject: told.subject for subject, told in facts if told}


def _look_alikes(trained: pd.DataFrame, tested: pd.DataFrame) -> pd.DataFrame:
    """Pairs of rows, columns train and test, int64; none where a dataset has no hashes."""
    pairs = copies(list(trained["phash"]), list(tested["phash"]))
    return pairs.rename(columns={"a": "train", "b": "test"})
