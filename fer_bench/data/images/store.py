"""The image store: every picture decoded, cropped and resized once, into memory-mapped uint8 arrays.

A store's name is a hash of what its pixels depend on: the manifest, the crop with its detector, the form that a method
asked for. It is written under a temporary name and takes its own when it is whole, so a half-written one is never read;
its checksum lies beside it, so neither is one that was damaged since.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, astuple
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from fer_bench.errors import InputError
from fer_bench.methods import ImageSpec
from fer_bench.utils.files import atomic_write, cache_dir, clean_killed, locked, need_space, to_json
from fer_bench.utils.json_files import find_sealed, sealed_text
from fer_bench.utils.progress import progress, say
from fer_bench.utils.sealed import fault_of, sealed_write

from ..manifest import Dataset
from .crop import Box, crop_identity, cut_box, detector_for, locate, to_spec
from .detect import Detector
from .landmarks import UNMARKED, Marker, find_marker
from .pictures import FilePictures, in_order

__all__ = ["build_stores", "crop_audit", "store_path"]

_Shaped = tuple[Box, list[NDArray[Any]]]


def store_path(dataset: Dataset, spec: ImageSpec, weights_dir: Path | None = None) -> Path:
    """Return where the images of ``dataset`` in the form ``spec`` are kept, whether they are there yet or not."""
    made: list[object] = [asdict(spec)]
    if spec.source == "landmarks":
        made += [_marker(dataset, weights_dir).label]
    return _folder() / f"{_faces_key(dataset, weights_dir)}-{_key(*made)[:8]}.npy"


def build_stores(
    dataset: Dataset, specs: Iterable[ImageSpec], workers: int, weights_dir: Path | None = None
) -> dict[ImageSpec, Path]:
    """Make the missing stores in one pass over the pictures, those anew that are not what was written.

    Those that are there are read once, to be held against their checksums. Two processes that need the same stores at
    once make them once: the second waits for the first, and makes them itself where the first was killed.

    Parameters
    ----------
    dataset : Dataset
        What to read.
    specs : iterable of ImageSpec
        The forms that methods want.
    workers : int
        Threads that decode, and threads that crop and resize.
    weights_dir : Path, optional
        Where a face detector's model may lie; as in `fer_bench.data.images.crop.crop_identity`.

    Returns
    -------
    dict of ImageSpec to Path
        Files for ``numpy.load(path, mmap_mode="r")``: (n, size, size) or (n, size, size, 3) uint8, or landmarks
        (n, 68, 2) float32, in the manifest's order. A file is complete and sound, or absent.

    Raises
    ------
    InputError
        Landmarks are wanted, and nobody can place them on these pictures.
    """
    paths = {spec: store_path(dataset, spec, weights_dir) for spec in specs}
    if not _faults(dataset, paths.values(), workers, weights_dir):
        return paths
    key = _faces_key(dataset, weights_dir)
    with _alone(_folder() / f"{key}.lock"):
        clean_killed(_folder() / f"{key}*")
        faults = _faults(dataset, paths.values(), workers, weights_dir)  # another process may have made them
        for path, fault in faults.items():
            if fault:
                say(f"{path}: {fault}; these faces are cropped anew.")
        if faults:
            _build(dataset, {spec: path for spec, path in paths.items() if path in faults}, workers, weights_dir)
    return paths


def _faults(dataset: Dataset, paths: Collection[Path], workers: int, weights_dir: Path | None) -> dict[Path, str]:
    """Stores that are to be made, with what is wrong with them: nothing where there is none yet."""
    with ThreadPoolExecutor(max(1, workers)) as pool:
        found = dict(zip(paths, pool.map(_fault, paths), strict=True))
    boxes = _boxes_path(dataset, weights_dir)
    if dataset.crop == "detect" and not _load_boxes(boxes, len(dataset.manifest)):
        lost = f"{boxes.name}, where faces were found, is lost or damaged"
        found = {path: lost if fault == "" else fault for path, fault in found.items()}
    return {path: fault or "" for path, fault in found.items() if fault != ""}


def _fault(path: Path) -> str | None:
    """What is wrong with a file: nothing where it is sound, None where there is none."""
    return fault_of(path) if path.exists() else None


def crop_audit(dataset: Dataset, weights_dir: Path | None = None) -> dict[str, Any]:
    """Tell how faces were found, once the stores are built; empty where no detector was asked.

    Returns
    -------
    dict
        ``detector`` (name and hash), ``found`` and ``fallback`` (numbers of pictures), ``by`` (number by each
        detector), ``views`` (``[found, fallback]`` by view; a view that is not given is ``""``), ``names`` (files
        that have the fixed box because no face was found).
    """
    detector = detector_for(dataset.crop, weights_dir)
    boxes = _load_boxes(_boxes_path(dataset, weights_dir), len(dataset.manifest))
    if detector is None or not boxes:
        return {}
    missed = [box.by == "fallback" for box in boxes]
    views = dataset.manifest.table["view"]
    return {
        "detector": detector.label,
        "found": missed.count(False),
        "fallback": missed.count(True),
        "by": {by: sum(box.by == by for box in boxes) for by in sorted({box.by for box in boxes})},
        "views": {v: _count([m for m, view in zip(missed, views, strict=True) if view == v]) for v in sorted({*views})},
        "names": [file for file, m in zip(dataset.manifest.table["file"], missed, strict=True) if m],
    }


def _count(missed: Sequence[bool]) -> list[int]:
    return [missed.count(False), missed.count(True)]


def _folder() -> Path:
    return cache_dir() / "store"


def _key(*parts: object) -> str:
    return hashlib.sha256(to_json(parts).encode()).hexdigest()[:20]


def _faces_key(dataset: Dataset, weights_dir: Path | None) -> str:
    """Name the same faces, cut out in the same way, in whatever form."""
    return _key(dataset.manifest.hash, crop_identity(dataset, weights_dir))


def _boxes_path(dataset: Dataset, weights_dir: Path | None) -> Path:
    return _folder() / f"{_faces_key(dataset, weights_dir)}-boxes.json"


def _load_boxes(path: Path, n: int) -> list[Box]:
    """Read where faces were found when another store of the same pictures was built; empty where none was."""
    boxes = [Box(*values) for values in find_sealed(path, list[tuple[int, int, int, str]]) or ()]
    return boxes if len(boxes) == n else []


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Let one process at a time in."""
    with locked(lock, wait=False) as got:
        if got:
            yield
            return
    say("Another fer-bench is cropping these faces; waiting for it.")
    with locked(lock, wait=True):
        yield


def _build(dataset: Dataset, missing: Mapping[ImageSpec, Path], workers: int, weights_dir: Path | None) -> None:
    n = len(dataset.manifest)
    need_space(_folder(), sum(n * s.n_bytes for s in missing), "the image store")
    boxes_path = _boxes_path(dataset, weights_dir)
    known = _load_boxes(boxes_path, n) if dataset.crop == "detect" else []
    detector = None if known else detector_for(dataset.crop, weights_dir)
    if detector is not None and detector.name == "haar":
        say("Faces are found by OpenCV's cascades; `fer-bench weights fetch yunet` gets a better detector (0.2 MB).")
    marker = _marker(dataset, weights_dir) if any(spec.source == "landmarks" for spec in missing) else None
    boxes = []
    with ExitStack() as stack:
        files = [stack.enter_context(sealed_write(path)) for path in missing.values()]
        for file, spec in zip(files, missing, strict=True):
            _write_header(file, n, spec)
        done = stack.enter_context(progress("Rendering faces" if not dataset.path else "Cropping faces", n))
        for i, (box, images) in enumerate(_shaped(dataset, list(missing), workers, known, detector, marker), start=1):
            boxes.append(box)
            for file, image in zip(files, images, strict=True):
                file.write(image.data)
            done(i)
        if detector is not None:  # before the stores take their names: where there is a store, there are its boxes
            with atomic_write(boxes_path, "w") as handle:
                handle.write(sealed_text([astuple(box) for box in boxes]))


def _write_header(file: IO[bytes], n: int, spec: ImageSpec) -> None:
    """Start a ``.npy`` file; its rows are then written one by one, which takes no memory, unlike a memory map."""
    header = {"descr": spec.dtype, "fortran_order": False, "shape": (n, *spec.shape)}
    np.lib.format.write_array_header_1_0(file, header)


def _shaped(
    dataset: Dataset,
    specs: Sequence[ImageSpec],
    workers: int,
    known: Sequence[Box],
    detector: Detector | None,
    marker: Marker | None,
) -> Iterator[_Shaped]:
    """Cut and resize in the manifest's order, a bounded number of pictures ahead."""
    import cv2

    def shape(i: int, picture: NDArray[np.uint8]) -> _Shaped:
        box = known[i] if known else locate(picture, views[i], dataset.crop, detector)
        face = cut_box(picture, box)
        points = None if marker is None else marker.find(files[i], face, box)
        return box, [_form(face, points, spec) for spec in specs]

    views, files = (list(dataset.manifest.table[column]) for column in ("view", "file"))
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)  # pictures are done side by side already
    try:
        if isinstance(dataset.pictures, FilePictures):
            yield from dataset.pictures.each(shape, dataset.manifest, workers)
            return
        with ThreadPoolExecutor(workers) as pool:
            yield from in_order(pool, shape, dataset.pictures(dataset.manifest, workers), 2 * workers + 2)
    finally:
        cv2.setNumThreads(threads)


def _form(face: NDArray[np.uint8], points: NDArray[np.float64] | None, spec: ImageSpec) -> NDArray[Any]:
    """What stands in the store for one face; ``points`` are shares of the square."""
    if spec.source == "landmarks" and points is not None:
        return np.ascontiguousarray(points * spec.size, dtype=spec.dtype)
    return np.ascontiguousarray(to_spec(face, spec))


def _marker(dataset: Dataset, weights_dir: Path | None) -> Marker:
    marker = find_marker(dataset, weights_dir)
    if marker is None:
        raise InputError(
            f"the image store: expected pictures on which landmarks can be placed; {UNMARKED}; give the "
            "folder of one as `weights_dir`"
        )
    return marker
