"""How even folds are: sizes, expressions, people and sexes."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from fer_bench.data.manifest import Manifest

__all__ = ["Balance", "balance"]


@dataclass(frozen=True)
class Balance:
    """How even folds are.

    Attributes
    ----------
    deviation : float
        Largest difference, over folds and expressions, between an expression's share of a fold's test images and
        its share of all test images; 0 to 1.
    label : str
        The expression where it is that large.
    fold : int
        The fold where it is.
    images, people : tuple of int
        Fewest and most test images and tested people a fold; people are (0, 0) where they are not given.
    women : tuple of float
        Smallest and largest share of women among the tested people; (0, 0) where sexes are not given.
    """

    deviation: float
    label: str
    fold: int
    images: tuple[int, int]
    people: tuple[int, int]
    women: tuple[float, float]

    @property
    def sentence(self) -> str:
        """One sentence for people."""
        parts = [f"{_span(*self.images)} test images"]
        if self.people != (0, 0):
            parts.append(f"{_span(*self.people)} {'person' if self.people == (1, 1) else 'people'}")
        if self.women != (0.0, 0.0):
            parts.append(f"{_span(round(100 * self.women[0]), round(100 * self.women[1]))} % women")
        where = f" ({self.label} in fold {self.fold})" if self.deviation >= 0.0005 else ""
        return (
            f"{', '.join(parts)} a fold; an expression's share differs from the whole by at most "
            f"{100 * self.deviation:.1f} points{where}"
        )


def _span(low: float, high: float) -> str:
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def balance(table: pd.DataFrame, manifest: Manifest) -> Balance:
    """Measure how even the test sides of folds are.

    Parameters
    ----------
    table : DataFrame
        Folds, with the columns fold, role, image and label.
    manifest : Manifest
        The images' people and sexes.
    """
    tested = table[table["role"] == "test"]
    counts = pd.crosstab(tested["fold"], tested["label"])
    shares = counts.div(counts.sum(axis=1), axis=0)
    off = (shares - counts.sum() / counts.to_numpy().sum()).abs()
    fold, label = off.stack().idxmax()
    images = counts.sum(axis=1)
    facts = manifest.table.set_index("image")[["subject", "gender"]]
    who = tested[["fold", "image"]].join(facts, on="image").drop_duplicates(["fold", "subject"])
    people, women = (0, 0), (0.0, 0.0)
    if who["subject"].ne("").all():
        n = who.groupby("fold").size()
        people = (int(n.min()), int(n.max()))
        if set(who["gender"]) == {"F", "M"}:
            share = who["gender"].eq("F").groupby(who["fold"]).mean()
            women = (float(share.min()), float(share.max()))
    spread = (int(images.min()), int(images.max()))
    return Balance(float(off.to_numpy().max()), str(label), int(fold), spread, people, women)
