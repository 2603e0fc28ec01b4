"""What every table of folds must keep, proven from the table alone, whatever made it: whole folds."""

from __future__ import annotations

from collections.abc import Iterator

from .folds import Folds

__all__ = ["broken_folds"]


def broken_folds(folds: Folds) -> Iterator[str]:
    """Yield what no protocol may do: no folds, an empty side, an image that stands twice in a fold."""
    if not folds.numbers:
        yield "there is no fold in the file"
    again = folds.table[folds.table.duplicated(["fold", "image"])]
    doubled = {int(fold): sorted(images) for fold, images in again.groupby("fold")["image"]}
    for fold in folds.numbers:
        sides = folds.sizes(fold)
        if not all(sides):
            yield f"fold {fold}: {sides[0]} images to train on and {sides[1]} to test on"
        if fold in doubled:
            yield f"fold {fold}: {len(doubled[fold])} images stand more than once, such as {doubled[fold][0]}"
