"""People and images assigned to folds, so that classes, sexes and sizes are as even as the groups allow."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_bench.data.manifest import Manifest

__all__ = ["assign_groups", "assign_images"]

_MAX_ROUNDS = 10


def assign_groups(manifest: Manifest, n_folds: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Assign people to folds.

    Women and men, the largest contributors first and in a random order among equals, are assigned in rounds of one
    person a fold: folds differ by at most one person of either sex. Within a round, and by swaps of two people of
    one sex afterwards, the expressions' counts are kept even.

    Returns
    -------
    array of int64
        (n,) fold of each image. The same arguments give the same folds on every machine: costs are integers.
    """
    table = manifest.table
    people = table.groupby("subject", sort=True)["gender"].first()
    counts = pd.crosstab(table["subject"], table["label"]).loc[people.index].to_numpy(dtype=np.int64)
    cost = _Cost(counts, n_folds)
    fold = np.full(len(people), -1, dtype=np.int64)
    free = np.arange(n_folds)
    for gender in sorted(people.unique()):
        mine = rng.permutation(np.flatnonzero(people.to_numpy() == gender))
        mine = mine[np.argsort(-counts[mine].sum(axis=1), kind="stable")]
        of_gender = np.zeros(n_folds, dtype=np.int64)
        while len(mine):
            fewest = free[of_gender[free] == of_gender[free].min()]
            now, mine = mine[: len(fewest)], mine[len(fewest) :]
            fold[now] = chosen = fewest[cost.assign(now, fewest)]
            of_gender[chosen] += 1
            cost.held[chosen] += counts[now]
            free = np.setdiff1d(free, chosen)
            free = free if len(free) else np.arange(n_folds)
    cost.swap(fold, people.to_numpy())
    by_name = dict(zip(people.index, fold, strict=True))
    result: NDArray[np.int64] = table["subject"].map(by_name).to_numpy(dtype=np.int64)
    return result


class _Cost:
    """Squared distances of the folds' counts of each expression from even shares, rare expressions counting more."""

    def __init__(self, counts: NDArray[np.int64], n_folds: int) -> None:
        total = counts.sum(axis=0)
        self.counts, self.n_folds, self.total = counts, n_folds, total
        self.weight = total.sum() // total
        self.held = np.zeros((n_folds, counts.shape[1]), dtype=np.int64)

    def of(self, held: NDArray[np.int64]) -> NDArray[np.int64]:
        """(..., classes) counts of a fold to (...) costs."""
        return np.asarray((self.weight * (self.n_folds * held - self.total) ** 2).sum(axis=-1))

    def assign(self, people: NDArray[np.int64], folds: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the positions in ``folds`` of these people, one a fold, at least total cost."""
        from scipy.optimize import linear_sum_assignment

        held = self.held[folds]
        added = self.of(held[None] + self.counts[people][:, None]) - self.of(held)[None]
        return np.asarray(linear_sum_assignment(added.astype(float))[1])

    def swap(self, fold: NDArray[np.int64], gender: NDArray[np.object_]) -> None:
        """Swap pairs of people of one sex in place while that makes the folds more even; a few rounds at most."""
        for _ in range(_MAX_ROUNDS if self.n_folds < len(fold) else 0):
            swapped = [self._swap_one(a, fold, gender) for a in range(len(fold))]
            if not any(swapped):
                return

    def _swap_one(self, a: int, fold: NDArray[np.int64], gender: NDArray[np.object_]) -> bool:
        others = np.flatnonzero((gender == gender[a]) & (fold != fold[a]))
        if not len(others):
            return False
        moved = self.counts[others] - self.counts[a]
        here, there = self.held[fold[a]], self.held[fold[others]]
        change = self.of(here + moved) - self.of(here) + self.of(there - moved) - self.of(there)
        best = int(change.argmin())
        if change[best] >= 0:
            return False
        b = int(others[best])
        self.held[fold[a]] += moved[best]
        self.held[fold[b]] -= moved[best]
        fold[a], fold[b] = fold[b], fold[a]
        return True


def assign_images(manifest: Manifest, parts: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Assign images to parts by expression in random order: (n,) int64; each expression is even within one image."""
    part = np.empty(len(manifest), dtype=np.int64)
    dealt = 0
    for label in np.unique(manifest.labels):
        rows = rng.permutation(np.flatnonzero(manifest.labels == label))
        # Going on where the last expression ended keeps the parts' sizes within one image of each other.
        part[rows] = (dealt + np.arange(len(rows))) % parts
        dealt += len(rows)
    return part
