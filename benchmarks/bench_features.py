"""Images a second of every feature, beside the library's own loop over single images, and how far the values agree.

    python benchmarks/bench_features.py                                        # the table, about two minutes
    python benchmarks/bench_features.py --write benchmarks/results/features.md # the same as a file
    python benchmarks/bench_features.py --only 'lbp*' --repeats 9
    tox -e bench -- -k features                                                # in the table of all speeds

Images are 140 built-in rendered faces. Everything runs on one thread; times are CPU seconds of this process, so that a
busy machine disturbs them less. Both sides take turns, and the ratio is the median of the turns' ratios. Histograms of
the loops are counted by bincount, not by the slower np.histogram.
"""

from __future__ import annotations

import argparse
import fnmatch
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy is imported

import cv2
import numpy as np
import pytest
import pywt
from numpy.typing import NDArray
from scipy.signal import fftconvolve
from skimage.feature import hog, local_binary_pattern

from fer_bench.baselines.features.gabor import gabor_waves
from fer_bench.baselines.features.lbp import lbp_codes, square_lbp_codes
from fer_bench.baselines.features.registry import find_feature
from fer_bench.data.render import portrait_names, render_many

Images = NDArray[np.uint8]
cv2.setNumThreads(1)


def codes(image: Images, radius: int = 1) -> NDArray[Any]:
    return local_binary_pattern(image, 8, radius, "nri_uniform").astype(np.intp)


@cache
def cells(shape: tuple[int, int], grid: tuple[int, int], bins: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """First bin of each pixel's cell, and for each bin the pixels of its cell: made once, as anybody would."""
    (h, w), (rows, columns) = shape, grid
    cell = (np.arange(h) * rows // h)[:, None] * columns + np.arange(w) * columns // w
    return cell * bins, np.repeat(np.bincount(cell.ravel()), bins)


def histogram(image: Images, grid: tuple[int, int], radius: int = 1) -> NDArray[Any]:
    first, area = cells(image.shape, grid, 59)
    return np.bincount((first + codes(image, radius)).ravel(), minlength=len(area)) / area


def plain_hog(image: Images) -> NDArray[Any]:
    return hog(image, 9, (8, 8), (2, 2), "L2-Hys")


def plain_dwt(wavelet: str) -> Callable[[Images], NDArray[Any]]:
    return lambda image: pywt.dwt2(image / np.float32(255), wavelet)[0].ravel()


def plain_dwt_l2(image: Images) -> NDArray[Any]:
    low, (horizontal, vertical, _), _ = pywt.wavedec2(image / np.float32(255), "db2", level=2)
    return np.concatenate([band.ravel() for band in (low, vertical, horizontal)])


@cache
def wavelets() -> list[tuple[int, NDArray[Any]]]:
    """Reach and values of the forty wavelets."""
    found = []
    for down, right, deviation, reach in gabor_waves():
        t = np.arange(-reach, reach + 1)
        y, x = t[:, None], t[None, :]
        wave = np.exp(1j * (down * y + right * x))
        found.append((reach, wave * np.exp(-(y**2 + x**2) / (2 * deviation**2)) / deviation**2))
    return found


def plain_gabor(image: Images) -> NDArray[Any]:
    found = []
    for reach, wavelet in wavelets():
        mirrored = np.pad(image / 255, reach, mode="symmetric")
        found.append(np.abs(fftconvolve(mirrored, wavelet, mode="valid"))[4::8, 4::8].ravel())
    return np.concatenate(found)


@cache
def kirsch() -> tuple[list[NDArray[Any]], NDArray[Any]]:
    """Eight masks from east counter-clockwise, and the bins of patterns of three bits."""
    ring = [(1, 2), (0, 2), (0, 1), (0, 0), (1, 0), (2, 0), (2, 1), (2, 2)]
    masks = []
    for turn in range(8):
        mask = np.full((3, 3), -3.0)
        mask[1, 1] = 0
        for step in (-1, 0, 1):
            mask[ring[(turn + step) % 8]] = 5
        masks.append(mask)
    table = np.zeros(256, dtype=np.intp)
    table[[number for number in range(256) if number.bit_count() == 3]] = np.arange(56)
    return masks, table


def plain_ldp(image: Images) -> NDArray[Any]:
    masks, table = kirsch()
    first, area = cells(image.shape, (7, 6), 56)
    responses = [cv2.filter2D(image, cv2.CV_64F, mask, borderType=cv2.BORDER_REPLICATE) for mask in masks]
    strongest = np.argsort(-np.abs(np.stack(responses)), axis=0, kind="stable")[:3]
    pattern = (1 << strongest).sum(axis=0)
    return np.bincount((first + table[pattern]).ravel(), minlength=len(area)) / area


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    name: str
    size: int
    ours: Callable[[Images], NDArray[Any]]
    plain: Callable[[Images], NDArray[Any]]
    library: str
    target: float | None = None
    images: int = 140
    same: bool = True  # the loop computes the same thing; otherwise it is only what people would call

    @property
    def label(self) -> str:
        """Name and size, as in the table."""
        return f"{self.name}, {self.size} px"


def feature(name: str) -> Callable[[Images], NDArray[Any]]:
    return find_feature(name).extract


EIGHT = (8, 8)
ROWS = (
    Row("lbp codes", 128, lbp_codes, codes, "scikit-image", 2),
    Row("lbp codes", 64, lbp_codes, codes, "scikit-image", 2),
    Row("lbp", 128, feature("lbp"), lambda image: histogram(image, EIGHT), "scikit-image", 2),
    Row("lbp", 64, feature("lbp"), lambda image: histogram(image, EIGHT), "scikit-image", 2),
    Row("lbp_r2", 128, feature("lbp_r2"), lambda image: histogram(image, EIGHT, 2), "scikit-image", 2),
    Row("lbp_6x7", 128, feature("lbp_6x7"), lambda image: histogram(image, (7, 6), 2), "scikit-image", 2),
    Row("square lbp codes", 128, square_lbp_codes, codes, "scikit-image", 15, same=False),
    Row("lbp_sq", 128, feature("lbp_sq"), lambda image: histogram(image, EIGHT), "scikit-image", 15, same=False),
    Row("lbp_sq", 64, feature("lbp_sq"), lambda image: histogram(image, EIGHT), "scikit-image", 15, same=False),
    Row("ldp", 128, feature("ldp"), plain_ldp, "OpenCV, NumPy"),
    Row("hog", 64, feature("hog"), plain_hog, "scikit-image", 4),
    Row("hog_cv", 64, feature("hog_cv"), plain_hog, "scikit-image", 12, same=False),
    Row("gabor", 64, feature("gabor"), plain_gabor, "SciPy", images=4),
    Row("dwt_haar", 64, feature("dwt_haar"), plain_dwt("haar"), "PyWavelets", 3),
    Row("dwt", 64, feature("dwt"), plain_dwt("db2"), "PyWavelets"),
    Row("dwt_l2", 64, feature("dwt_l2"), plain_dwt_l2, "PyWavelets"),
    Row("pixels", 64, feature("pixels"), lambda image: image.ravel() / np.float32(255), "NumPy"),
)


@cache
def faces(size: int) -> Images:
    """Grey faces of 140 portraits, shrunk from squares of 256 pixels."""
    rendered = (
        cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for _, picture in render_many(portrait_names(2), size=(256, 256))
    )
    return np.stack([cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA) for picture in rendered])


def cpu_seconds(work: Callable[[], Any]) -> float:
    before = time.process_time()
    work()
    return time.process_time() - before


def agreement(row: Row) -> str:
    """How far the values are those of the loop."""
    images = faces(row.size)[: row.images]
    ours, plain = row.ours(images), np.stack([row.plain(image) for image in images])
    if np.issubdtype(ours.dtype, np.integer):
        differ = int((ours != plain).sum())
        return (
            "all equal"
            if not differ
            else f"{1 - differ / ours.size:.1%} equal" + ("" if row.same else " (other definition)")
        )
    if not row.same:
        return "another definition"
    apart = np.abs(ours - plain.astype(np.float32)).max()
    return f"within {apart:.0e}" if apart else "identical"


def measure(row: Row, repeats: int) -> tuple[float, float, float]:
    """Images a CPU second of both sides, and the ratio: medians of turns."""
    images = faces(row.size)
    few = images[: min(row.images, 70)]
    times: list[tuple[float, float]] = []
    for turn in range(repeats + 1):
        # several calls, so that the clock's steps don't matter
        ours = cpu_seconds(lambda: [row.ours(images) for _ in range(3)]) / (3 * len(images))
        plain = cpu_seconds(lambda: [row.plain(image) for image in few]) / len(few)
        if turn:  # the first warms up
            times.append((ours, plain))
    ratio = statistics.median(plain / ours for ours, plain in times)
    return 1 / statistics.median(t[0] for t in times), 1 / statistics.median(t[1] for t in times), ratio


def lines(rows: list[Row], repeats: int) -> list[str]:
    """The table in Markdown."""
    table = [
        "| feature | images/s batched | images/s one by one | of | ratio | asked for | values |",
        "|---|---:|---:|---|---:|---:|---|",
    ]
    for row in rows:
        fast, slow, ratio = measure(row, repeats)
        target = f"{row.target:g}" if row.target else ""
        table.append(
            f"| {row.label} | {fast:,.0f} | {slow:,.0f} | {row.library} | {ratio:.1f} | {target} | {agreement(row)} |"
        )
        print(table[-1], flush=True)
    return table


HEAD = """# Speed of the features

Made by `python benchmarks/bench_features.py --write benchmarks/results/features.md`: one thread, images a CPU second,
{images} built-in rendered faces, medians of {repeats} turns. "Asked for" is the ratio that the project set itself.
Where values are of another definition, the loop is what people would call instead: scikit-image's circular LBP or its
HOG. Rates depend on the machine and its load; compare the ratios.

Python {python}, numpy {numpy}, scikit-image {skimage}, OpenCV {cv2}, PyWavelets {pywt}.

"""


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="*", help="features to measure, a pattern of names")
    parser.add_argument("--repeats", type=int, default=5, help="turns of each side")
    parser.add_argument("--write", type=Path, help="a Markdown file to write the table to")
    arguments = parser.parse_args()
    rows = [row for row in ROWS if fnmatch.fnmatch(row.name, arguments.only)]
    if not rows:
        parser.error(f"--only: expected a pattern of {', '.join(dict.fromkeys(row.name for row in ROWS))}")
    table = lines(rows, arguments.repeats)
    if arguments.write:
        head = HEAD.format(
            images=len(faces(64)), repeats=arguments.repeats, python=platform.python_version(), numpy=version("numpy"),
            skimage=version("scikit-image"), cv2=cv2.__version__, pywt=version("pywavelets"),
        )  # fmt: skip
        arguments.write.parent.mkdir(parents=True, exist_ok=True)
        arguments.write.write_text(head + "\n".join(table) + "\n", encoding="utf-8")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.label)
def test_features(beside, row):
    """The batched side beside the library's loop over some of the images."""
    images = faces(row.size)
    few = images[: min(row.images, 28)]
    share = len(few) / len(images)
    beside(f"feature: {row.label}", lambda: row.ours(images), lambda: [row.plain(i) for i in few], share=share)


if __name__ == "__main__":
    main()
