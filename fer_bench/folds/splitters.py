"""The folds that a protocol makes of a manifest: a table with a hash, which every method of a run uses as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_bench.data.manifest import Dataset, Manifest
from fer_bench.data.words import TEST_SIDE, TRAIN_SIDE
from fer_bench.errors import UserError
from fer_bench.seeds import derive_seed
from fer_bench.utils.near import did_you_mean

from .folds import FOLD_COLUMNS, Folds
from .protocols import PROTOCOLS, Protocol, official_parts, unsupported
from .stratify import assign_groups, assign_images

__all__ = ["make_folds"]


def make_folds(data: Dataset | Manifest, protocol: str, seed: int = 0) -> Folds:
    """Split a dataset by a protocol; the same arguments give the same folds everywhere.

    Parameters
    ----------
    data : Dataset or Manifest
        The images.
    protocol : str
        One of ``fer-bench list protocols``, such as ``"subject-10fold"``.
    seed : int
        All that is drawn follows from it.

    Returns
    -------
    Folds
        A table with a hash, and a splitter that scikit-learn takes (``cv=folds``).

    Raises
    ------
    UserError
        No such protocol, or the data cannot support it; see `fer_bench.folds.protocols.unsupported`.
    """
    manifest, why_no_people = (data.manifest, data.why_no_people) if isinstance(data, Dataset) else (data, "")
    if protocol not in PROTOCOLS:
        near = did_you_mean(protocol, PROTOCOLS)
        raise UserError(f"`protocol` {protocol}: no such protocol; choose from {', '.join(PROTOCOLS)}{near}")
    reason = unsupported(manifest, why_no_people).get(protocol)
    if reason:
        raise UserError(f"protocol {protocol}: {reason}")
    rule = PROTOCOLS[protocol]
    rng = np.random.default_rng(derive_seed(seed, "folds", protocol))
    rows = manifest.table[["image", "subject", "label"]]
    parts: list[pd.DataFrame] = []
    for train, test in _SIDES[rule.kind](manifest, rule, rng):
        # People of a ragged dataset may lack a view: where there is nothing to test there is no fold.
        if not test.any():
            continue
        if not train.any():
            raise UserError(f"protocol {protocol}: fold {len(parts)} has {test.sum()} images to test, none to train on")
        role = np.where(test, "test", "train")
        parts.append(rows.assign(fold=len(parts), role=role)[train | test][FOLD_COLUMNS])
    table = pd.concat(parts, ignore_index=True)
    return Folds(protocol, manifest.hash, seed, table, order=tuple(manifest.table["image"]))


_Sides = Iterator[tuple[NDArray[np.bool_], NDArray[np.bool_]]]
"""Which rows of the manifest train and which test a fold, fold after fold."""


def _people_sides(manifest: Manifest, rule: Protocol, rng: np.random.Generator) -> _Sides:
    fold = assign_groups(manifest, rule.n_folds, rng)
    yield from ((fold != k, fold == k) for k in range(rule.n_folds))


def _loso_sides(manifest: Manifest, rule: Protocol, rng: np.random.Generator) -> _Sides:
    subject = manifest.table["subject"].to_numpy(dtype=object)
    yield from ((subject != person, subject == person) for person in manifest.people)


def _image_sides(manifest: Manifest, rule: Protocol, rng: np.random.Generator) -> _Sides:
    part = assign_images(manifest, rule.parts or rule.n_folds, rng)
    yield from ((part != k, part == k) for k in range(rule.n_folds))


def _session_sides(manifest: Manifest, rule: Protocol, rng: np.random.Generator) -> _Sides:
    session = manifest.table["session"].to_numpy(dtype=object)
    yield from ((session != left_out, session == left_out) for left_out in sorted(set(session)))


def _view_sides(manifest: Manifest, rule: Protocol, rng: np.random.Generator) -> _Sides:
    view = manifest.table["view"].to_numpy(dtype=object)
    half = assign_groups(manifest, 2, rng)
    for left_out in sorted(set(view)):
        yield from (((view != left_out) & (half != k), (view == left_out) & (half == k)) for k in range(2))


def _profile_sides(manifest: Manifest, rule: Protocol, rng: np.random.Generator) -> _Sides:
    view = manifest.table["view"].to_numpy(dtype=object)
    n_folds = min(10, len(manifest.people))
    fold = assign_groups(manifest, n_folds, rng)
    profile = (view == "FL") | (view == "FR")
    yield from (((view == "S") & (fold != k), profile & (fold == k)) for k in range(n_folds))


def _official_sides(manifest: Manifest, rule: Protocol, rng: np.random.Generator) -> _Sides:
    split = manifest.table["split"].to_numpy(dtype=object)
    train, tested = official_parts(manifest)
    yield from ((np.isin(split, train), split == part) for part in tested)


def _dataset_sides(manifest: Manifest, rule: Protocol, rng: np.random.Generator) -> _Sides:
    split = manifest.table["split"].to_numpy(dtype=object)
    yield split == TRAIN_SIDE, split == TEST_SIDE


_SIDES: dict[str, Callable[[Manifest, Protocol, np.random.Generator], _Sides]] = {
    "people": _people_sides,
    "loso": _loso_sides,
    "images": _image_sides,
    "sessions": _session_sides,
    "views": _view_sides,
    "profiles": _profile_sides,
    "official": _official_sides,
    "datasets": _dataset_sides,
}
