"""Datasets by name or path."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_bench.errors import UserError
from fer_bench.labels import VIEWS
from fer_bench.methods import ImageSpec
from fer_bench.utils.near import did_you_mean
from fer_bench.utils.paths import given_path
from fer_bench.utils.people_names import fold_name, name_keys
from fer_bench.utils.spawn import SPAWN

from . import DATASETS
from .join import join_datasets
from .layouts.kdef import STRICT, parse_name
from .layouts.known import read_dataset
from .manifest import Dataset, Excluded, Manifest, as_manifest, choose_images, choose_people, need_expressions
from .words import view_code

__all__ = ["CROPS", "load_dataset"]

CROPS = ("fixed", "detect", "none")

_RENDER_SIZE = (562, 762)
_IMAGES_A_PERSON = 70
_NOTICE = (
    "These are rendered faces: drawn by fer-bench itself, no camera, no real person. "
    "The figures say nothing about KDEF or about people's faces."
)


def load_dataset(
    data: str | os.PathLike[str] = "synthetic",
    *,
    people: int | None = None,
    views: str | Sequence[str] = (),
    crop: str = "",
    strict: bool = False,
    test_data: str | os.PathLike[str] = "",
    workers: int = 0,
    weights_dir: str | os.PathLike[str] | None = None,
    allow_outside: bool = False,
) -> Dataset:
    """Find a dataset by name or path.

    Parameters
    ----------
    data : str or path
        ``"synthetic"``, the path of a folder, archive or table, or ``LAYOUT:PATH``.
    people : int, optional
        Keep only this many people (quick runs have 7); where people are not given, as many images as KDEF has of them.
    views : str or sequence of str
        Keep only these views, such as ``["S", "HL"]``; empty for all.
    crop : str
        ``"fixed"``, ``"detect"`` or ``"none"``; empty for what suits the data: KDEF's boxes for KDEF, else what looking
        at some pictures says, see `fer_bench.data.images.look.choose_crop`.
    strict : bool
        Refuse data in which a name stands in several spellings or words such as "unknown" in the place of one, which
        is otherwise told in ``notes``; of KDEF, leave out what a stricter human clean-up dropped, too.
    test_data : str or path
        Other data to be tested, joined to ``data``, which are trained on: for the protocol ``cross-dataset``. Of these
        ``views`` choose as far as they tell views.
    workers : int
        Threads or processes that may read or render; 0: one a core, at most 8.
    weights_dir : path, optional
        Where models that find faces and landmarks may lie.
    allow_outside : bool
        Read pictures that a table names outside its folder or behind links, too; a table from elsewhere could name any
        file of the machine.

    Returns
    -------
    Dataset
        Its ``notes`` say how it was read and what joining two datasets left out.

    Raises
    ------
    UserError
        Nothing usable there, or an option that does not fit the data.
    """
    workers = workers or min(8, _cores())
    kept = (views,) if isinstance(views, str) and views else tuple(views)
    place = None if weights_dir is None else given_path(weights_dir, "`weights_dir`")
    load = partial(_load, people=people, workers=workers, crop=crop, weights_dir=place, allow_outside=allow_outside)
    dataset = load(os.fspath(data), "data", strict=strict, views=kept)
    if os.fspath(test_data):
        dataset = _with_test_data(dataset, partial(load, os.fspath(test_data), "test_data"), strict, kept, crop)
    return replace(dataset, stored=partial(_stored, workers=workers, weights_dir=place))


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _stored(dataset: Dataset, spec: ImageSpec, *, workers: int, weights_dir: Path | None) -> NDArray[Any]:
    """Map the images of a dataset in one form from the image store, which is made where it lacks them."""
    from .images.store import build_stores

    path = build_stores(dataset, [spec], workers, weights_dir)[spec]
    images: NDArray[Any] = np.load(path, mmap_mode="r")
    return images


def _with_test_data(
    dataset: Dataset, load: Callable[..., Dataset], strict: bool, views: Sequence[str], crop: str
) -> Dataset:
    """Join test data, of which is kept what was asked for as far as they can tell."""
    test, said = load(strict=strict, views=()), []
    views_too = views if test.manifest.table["view"].ne("").any() else ()
    if views_too:
        test = load(strict=strict, views=views_too)
    if views and not views_too:
        said.append(f"--views: {test.name} does not give the view of its pictures; all are tested")
    if not crop and {dataset.crop, test.crop} == {"none", "detect"}:
        # Faces of one size on both sides: a detector finds those that were cut out before, too.
        said.append(f"Faces of {dataset.name} and {test.name} are both found and cut out, so that they have one size")
        dataset, test = (replace(part, crop="detect") for part in (dataset, test))
    joined, notes = join_datasets(dataset, test)
    read = [f"{part.name}: {note}" for part in (dataset, test) for note in part.notes]
    return replace(joined, notes=(*read, *said, *notes))


def _load(
    data: str,
    parameter: str,
    *,
    people: int | None,
    workers: int,
    strict: bool,
    crop: str,
    weights_dir: Path | None,
    views: Sequence[str],
    allow_outside: bool,
) -> Dataset:
    """Read one dataset; errors name it by ``parameter``, as the caller knows it."""
    if data == "synthetic":
        dataset = _synthetic(people, strict)
    elif data in DATASETS or not data:
        raise UserError(f"`{parameter}` {data!r}: expected 'synthetic' or the path of a folder, archive or table")
    else:
        dataset = read_dataset(data, workers, strict=strict, parameter=parameter, allow_outside=allow_outside)
    dataset = _with_views(_with_crop(dataset, crop, weights_dir, workers), views, parameter)
    return dataset if people is None else _fewer(dataset, people)


def _with_crop(dataset: Dataset, crop: str, weights_dir: Path | None, workers: int) -> Dataset:
    """Cut faces out as was asked, else as the layout says, else as looking at the pictures says."""
    if crop not in ("", *CROPS):
        raise UserError(f"`crop` {crop}: expected {', '.join(CROPS)}{did_you_mean(crop, CROPS)}")
    if crop == "fixed" and not set(dataset.manifest.table["view"]) <= set(VIEWS):
        raise UserError(
            f"`crop` fixed: the fixed boxes are KDEF's, one a view, and these data ({dataset.layout}) are not KDEF's; "
            "use `crop` detect or none"
        )
    if crop or dataset.crop:
        return replace(dataset, crop=crop or dataset.crop)
    from .images.detect import find_detector
    from .images.look import choose_crop

    chosen = choose_crop(dataset, find_detector(weights_dir), workers)
    return replace(dataset, crop=chosen.crop, crop_choice=chosen)


def _with_views(dataset: Dataset, views: Sequence[str], parameter: str) -> Dataset:
    if not views:
        return dataset
    found = sorted(set(dataset.manifest.table["view"]) - {""})
    by_name = {key: view for view, key in name_keys(found).items()}
    views = [by_name.get(fold_name(view)) or view_code(view) or view for view in views]
    unknown = [view for view in views if view not in found]
    if unknown:
        near = did_you_mean(unknown[0], found)
        has = f"they have {', '.join(found)}" if found else "nothing tells the view of their pictures"
        raise UserError(f"`views` {','.join(views)}: no picture in these data shows view {unknown[0]}; {has}{near}")
    kept = replace(dataset, manifest=dataset.manifest.where("view", list(views)))
    need_expressions(kept.manifest, f"`{parameter}` {dataset.path or dataset.name}")
    return kept


def _fewer(dataset: Dataset, people: int) -> Dataset:
    manifest = dataset.manifest
    if len(manifest.people) > people:
        return dataset.keep(choose_people(manifest, people))
    n = people * _IMAGES_A_PERSON
    if manifest.people or len(manifest) <= n:
        return dataset
    fewer = manifest.where("image", choose_images(manifest, n))
    notice = f"{dataset.notice} A quick run takes {len(fewer):,} of the {len(manifest):,} pictures."
    return replace(dataset, manifest=fewer, notice=notice)


def _synthetic(people: int | None, strict: bool) -> Dataset:
    from .render import portrait_names, software

    rows, excluded = [], []
    for name in portrait_names(70 if people is None else people):
        parsed = parse_name(name)
        if parsed is None:
            raise UserError(f"the renderer named a face {name!r}, which is not in KDEF's grammar; report this as a bug")
        if strict and name in STRICT:
            excluded.append(Excluded(name, "on the strict list that --strict asks for"))
            continue
        # The pixels follow from these alone; a hash of pixels would differ by a grey level between machines.
        identity = f"{software(0)}, {_RENDER_SIZE}, {name}"
        rows.append({**parsed, "file": name, "sha256": hashlib.sha256(identity.encode()).hexdigest()})
    return Dataset(
        name="synthetic",
        manifest=as_manifest(rows, excluded, "synthetic"),
        notice=_NOTICE,
        path="",
        rendered=True,
        drawn_by=(software(0),),
        crop="fixed",
        pictures=_render,
        landmarks=_rendered_landmarks,
    )


def _rendered_landmarks(file: str) -> NDArray[np.float64]:
    from .render import render_truth

    return render_truth(file, size=_RENDER_SIZE, seed=0).landmarks


def _render(manifest: Manifest, workers: int) -> Iterator[NDArray[np.uint8]]:
    from .render import render_many

    names = list(manifest.table["file"])
    for _, picture in render_many(names, size=_RENDER_SIZE, seed=0, workers=workers, context=SPAWN):
        yield picture
