"""Datasets by name or path."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fer_bench.errors import UserError
from fer_bench.labels import VIEWS

from . import DATASETS
from .layouts.kdef import STRICT, parse_name
from .layouts.known import read_dataset
from .manifest import Dataset, Excluded, Manifest, as_manifest, choose_images, choose_people, need_expressions

__all__ = ["CROPS", "load_dataset"]

CROPS = ("fixed", "detect", "none")

_RENDER_SIZE = (562, 762)
_IMAGES_A_PERSON = 70
_NOTICE = (
    "These are rendered faces: drawn by fer-bench itself, no camera, no real person. "
    "The figures say nothing about KDEF or about people's faces."
)


def load_dataset(
    data: str,
    *,
    people: int | None,
    workers: int,
    strict: bool = False,
    crop: str = "",
    views: Sequence[str] = (),
    parameter: str = "data",
) -> Dataset:
    """Find a dataset by name or path.

    Parameters
    ----------
    data : str
        ``"synthetic"``, the path of a folder, archive or table, or ``LAYOUT:PATH``.
    people : int, optional
        Keep only this many people (quick runs); where nobody is told apart, as many images as KDEF has of them.
    workers : int
        Threads or processes that may read or render.
    strict : bool
        Leave out what a stricter human clean-up of KDEF dropped, too.
    crop : str
        ``"fixed"``, ``"detect"`` or ``"none"``; empty for what suits the layout.
    views : sequence of str
        Keep only these views; empty for all.
    parameter : str
        What the caller's own caller knows ``data`` as, such as ``"test_data"``: errors name it.

    Raises
    ------
    UserError
        Nothing usable there, or an option that does not fit the data.
    """
    if data == "synthetic":
        dataset = _synthetic(people, strict)
    elif data in DATASETS or not data:
        raise UserError(f"`{parameter}` {data!r}: expected 'synthetic' or the path of a folder, archive or table")
    else:
        dataset = read_dataset(data, workers, strict=strict, parameter=parameter)
    dataset = _with_views(_with_crop(dataset, crop), views, parameter)
    return dataset if people is None else _fewer(dataset, people)


def _with_crop(dataset: Dataset, crop: str) -> Dataset:
    if crop not in ("", *CROPS):
        raise UserError(f"`crop` {crop}: expected {', '.join(CROPS)}")
    if crop == "fixed" and not set(dataset.manifest.table["view"]) <= set(VIEWS):
        raise UserError(
            f"`crop` fixed: the fixed boxes are KDEF's, one a view, and these data ({dataset.layout}) are not KDEF's; "
            "use `crop` detect or none"
        )
    return replace(dataset, crop=crop or dataset.crop)


def _with_views(dataset: Dataset, views: Sequence[str], parameter: str) -> Dataset:
    if not views:
        return dataset
    found = sorted(set(dataset.manifest.table["view"]) - {""})
    unknown = [view for view in views if view not in found]
    if unknown:
        has = f"they have {', '.join(found)}" if found else "nothing tells the view of their pictures"
        raise UserError(f"`views` {','.join(views)}: no picture in these data shows view {unknown[0]}; {has}")
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
    from .render import RENDERER_VERSION, portrait_names

    rows, excluded = [], []
    for name in portrait_names(70 if people is None else people):
        parsed = parse_name(name)
        if parsed is None:
            raise UserError(f"the renderer named a face {name!r}, which is not in KDEF's grammar; report this as a bug")
        if strict and name in STRICT:
            excluded.append(Excluded(name, "on the strict list that --strict asks for"))
            continue
        # The pixels follow from these alone; a hash of pixels would differ by a grey level between machines.
        identity = f"fer-bench renderer {RENDERER_VERSION}, seed 0, {_RENDER_SIZE}, {name}"
        rows.append({**parsed, "file": name, "sha256": hashlib.sha256(identity.encode()).hexdigest()})
    return Dataset(
        name="synthetic",
        manifest=as_manifest(rows, excluded, "synthetic"),
        notice=_NOTICE,
        path="",
        rendered=True,
        crop="fixed",
        pictures=_render,
        landmarks=_rendered_landmarks,
    )


def _rendered_landmarks(file: str) -> NDArray[np.float64]:
    from .render import render_truth

    return render_truth(file, size=_RENDER_SIZE, seed=0).landmarks


def _render(manifest: Manifest, workers: int) -> Iterator[NDArray[np.uint8]]:
    from .render import render_many

    for _, picture in render_many(list(manifest.table["file"]), size=_RENDER_SIZE, seed=0, workers=workers):
        yield picture
