"""Datasets by name or path."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_bench.data import DATASETS
from fer_bench.data.kdef import parse_name, read_kdef
from fer_bench.data.manifest import Dataset, Manifest, as_manifest, choose_people
from fer_bench.errors import UserError

__all__ = ["load_dataset"]

_RENDER_SIZE = (562, 762)
_NOTICE = (
    "These are rendered faces: drawn by fer-bench itself, no camera, no real person. "
    "The figures say nothing about KDEF or about people's faces."
)


def load_dataset(data: str, *, people: int | None, workers: int) -> Dataset:
    """Find a dataset by name or path.

    Parameters
    ----------
    data : str
        ``"synthetic"`` or a path to a KDEF folder or zip.
    people : int, optional
        Keep only this many people (quick runs).
    workers : int
        Threads or processes that may read or render.

    Raises
    ------
    UserError
        Nothing usable there.
    """
    if data == "synthetic":
        dataset = _synthetic(people)
    elif data in DATASETS or not data:
        raise UserError(f"--data {data!r}: expected 'synthetic' or the path of a KDEF folder or zip")
    else:
        dataset = read_kdef(Path(data).expanduser(), workers)
    if people is not None and len(dataset.manifest.people) > people:
        dataset = dataset.keep(choose_people(dataset.manifest, people))
    return dataset


def _synthetic(people: int | None) -> Dataset:
    from fer_bench.data.render import RENDERER_VERSION, portrait_names

    rows = []
    for name in portrait_names(70 if people is None else people):
        parsed = parse_name(name)
        if parsed is None:
            raise UserError(f"the renderer named a face {name!r}, which is not in KDEF's grammar; report this as a bug")
        # The pixels follow from these alone; a hash of pixels would differ by a grey level between machines.
        identity = f"fer-bench renderer {RENDERER_VERSION}, seed 0, {_RENDER_SIZE}, {name}"
        rows.append({**parsed, "file": name, "sha256": hashlib.sha256(identity.encode()).hexdigest()})
    return Dataset(
        name="synthetic",
        manifest=as_manifest(rows, [], "synthetic"),
        notice=_NOTICE,
        path="",
        rendered=True,
        crop="fixed",
        pictures=_render,
    )


def _render(manifest: Manifest, workers: int) -> Iterator[NDArray[np.uint8]]:
    from fer_bench.data.render import render_many

    for _, picture in render_many(list(manifest.table["file"]), size=_RENDER_SIZE, seed=0, workers=workers):
        yield picture
