"""What every table of folds must keep, proven from the table alone, whatever made it: whole folds, and people apart."""

from __future__ import annotations

from collections.abc import Iterator

from .folds import Folds

__all__ = ["broken_folds", "broken_promises"]


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


def broken_promises(folds: Folds) -> Iterator[str]:
    """Yield every way in which folds break a promise: none means that people (and images) are disjoint.

    Proven from the table alone, whatever made it.
    """
    yield from broken_folds(folds)
    unknown = int(folds.table["subject"].eq("").sum())
    if unknown:
        yield f"{unknown} of {len(folds.table)} rows do not tell who is on the picture: nothing is known about people"
    for fold in folds.numbers if not unknown else []:
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
