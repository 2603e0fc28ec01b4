"""The image store: every picture decoded, cropped and resized once, into memory-mapped uint8 arrays."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import numpy as np

from fer_bench.data.crop import CROP_VERSION, face_box, to_spec
from fer_bench.data.manifest import Dataset
from fer_bench.files import TEMPORARY, cache_dir, need_space, to_json
from fer_bench.methods import ImageSpec
from fer_bench.progress import progress

__all__ = ["build_stores", "store_path"]


def store_path(dataset: Dataset, spec: ImageSpec) -> Path:
    """Return where the images of ``dataset`` in the form ``spec`` are kept, whether they are there yet or not."""
    key = to_json([dataset.manifest.hash, dataset.crop, CROP_VERSION, asdict(spec)])
    return cache_dir() / "store" / f"{hashlib.sha256(key.encode()).hexdigest()[:20]}.npy"


def build_stores(dataset: Dataset, specs: Iterable[ImageSpec], workers: int) -> dict[ImageSpec, Path]:
    """Make the missing stores in one pass over the pictures.

    Returns
    -------
    dict of ImageSpec to Path
        Files for ``numpy.load(path, mmap_mode="r")``: (n, size, size) or (n, size, size, 3) uint8, in the
        manifest's order. A file is complete or absent.
    """
    paths = {spec: store_path(dataset, spec) for spec in specs}
    missing = {spec: path for spec, path in paths.items() if not path.exists()}
    if not missing:
        return paths
    n = len(dataset.manifest)
    folder = cache_dir() / "store"
    need_space(folder, sum(n * s.size**2 * s.channels for s in missing), "the image store")
    verb = "Rendering faces" if dataset.rendered else "Cropping faces"
    with ExitStack() as stack:
        arrays = {spec: stack.enter_context(_Growing(path, n, spec)) for spec, path in missing.items()}
        done = stack.enter_context(progress(verb, n))
        views = dataset.manifest.table["view"]
        for i, picture in enumerate(dataset.pictures(dataset.manifest, workers)):
            left, top, side = face_box(views[i], picture.shape[1], picture.shape[0])
            face = np.ascontiguousarray(picture[top : top + side, left : left + side])
            for spec, array in arrays.items():
                array[i] = to_spec(face, spec)
            done(i + 1)
    return paths


class _Growing:
    """A memory-mapped array under a temporary name that takes its real one only when all went well."""

    def __init__(self, path: Path, n: int, spec: ImageSpec) -> None:
        self._path = path
        self._temporary = path.with_name(f"{TEMPORARY}{os.getpid()}-{path.name}")
        shape = (n, spec.size, spec.size) if spec.channels == 1 else (n, spec.size, spec.size, 3)
        self._array = np.lib.format.open_memmap(self._temporary, mode="w+", dtype=np.uint8, shape=shape)

    def __enter__(self) -> np.memmap:
        return self._array

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        self._array.flush()
        del self._array
        if kind is None:
            with open(self._temporary, "rb+") as handle:
                os.fsync(handle.fileno())
            os.replace(self._temporary, self._path)
        else:
            self._temporary.unlink(missing_ok=True)
