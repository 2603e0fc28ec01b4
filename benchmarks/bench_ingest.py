"""How fast pictures of KDEF's size become an image store, beside what the cores can decode at all.

    python benchmarks/bench_ingest.py                      # speed: 980 JPEG files of 562x762 pixels, about 70 kB each
    python benchmarks/bench_ingest.py --images 4900 --memory    # also the peak memory of a process that reads them all
    python benchmarks/bench_ingest.py --hashes             # distances of perceptual hashes: copies and other pictures

Every round times each row once, so that a neighbour on the machine slows all of them; a row's figure is its best
round, ``share`` its rate over that of the fastest decoder, as the median over rounds, by the clock and by CPU time
(which a busy machine disturbs less). "decode" rows only decode bytes
that are in memory. "ingest" rows read files, check them against their hashes, decode, crop, resize and write a store.
"""

from __future__ import annotations

import argparse
import io
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from fer_bench.data.images.audit import audit
from fer_bench.data.images.phash import BITS, NEAR, near_pairs, phash
from fer_bench.data.images.pictures import glance
from fer_bench.data.images.store import build_stores, store_path
from fer_bench.data.layouts.kdef import read_kdef
from fer_bench.data.render import portrait_names, render_many
from fer_bench.data.sources.open_source import open_source
from fer_bench.methods import ImageSpec

SIZE = (562, 762)
GREY, COLOUR = ImageSpec(224), ImageSpec(224, 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=980, help="a multiple of 70; 4900 is all of KDEF")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--memory", action="store_true", help="measure the peak memory of reading them, too")
    parser.add_argument("--hashes", action="store_true", help="measure distances of perceptual hashes instead")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        read_all(asked.child, asked.workers)
        return
    if asked.hashes:
        hashes(asked.images, asked.workers)
        return
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FER_BENCH_CACHE"] = f"{folder}/cache"
        data = Path(folder) / "KDEF"
        write_pictures(data, asked.images, asked.workers)
        speed(data, asked.workers, asked.rounds)
        if asked.memory:
            memory(data, asked.workers)


def write_pictures(folder: Path, n: int, workers: int) -> None:
    """Write ``n`` different pictures: 70 rendered ones, each with as many fields of film grain as it takes."""
    names = portrait_names(70)[:n]
    bases = [picture for _, picture in render_many(names[:: max(1, len(names) // 70)][:70], size=SIZE, workers=workers)]

    def write(i: int) -> int:
        grain = np.random.default_rng(i).integers(0, 9, (SIZE[1], SIZE[0], 1), dtype=np.uint8)
        picture = cv2.subtract(bases[i % len(bases)], np.repeat(grain, 3, axis=2))
        path = folder / names[i][:4] / f"{names[i]}.JPG"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(path, quality=85)
        return path.stat().st_size

    with ThreadPoolExecutor(workers) as pool:
        sizes = list(pool.map(write, range(len(names))))
    print(f"{len(names)} files, {statistics.mean(sizes) / 1e3:.0f} kB each; {workers} workers")


def speed(data: Path, workers: int, rounds: int) -> None:
    dataset = read_kdef(data, workers)
    source = open_source(data)
    files = [source.read(name) for name in source.files]

    def ingest(specs: Sequence[ImageSpec]) -> None:
        for spec in specs:
            store_path(dataset, spec).unlink(missing_ok=True)
        build_stores(dataset, specs, workers)

    rows: dict[str, Callable[[], object]] = {
        "decode, OpenCV": lambda: every(with_opencv, files, workers),
        "decode, Pillow": lambda: every(with_pillow, files, workers),
        "audit's glance": lambda: every(glance, files, workers),
        "ingest, grey 224": lambda: ingest([GREY]),
        "ingest, RGB 224": lambda: ingest([COLOUR]),
        "ingest, grey and RGB 224": lambda: ingest([GREY, COLOUR]),
    }
    wall: dict[str, list[float]] = {name: [] for name in rows}
    cpu: dict[str, list[float]] = {name: [] for name in rows}
    for _ in range(rounds):
        for name, job in rows.items():
            start, used = time.perf_counter(), time.process_time()
            job()
            wall[name].append(time.perf_counter() - start)
            cpu[name].append(time.process_time() - used)
    print(f"{'':26} {'pictures/s':>10} {'share':>6} {'ms of CPU':>10} {'share':>6}")
    for name in rows:
        shares = [statistics.median(f / s for f, s in zip(fastest(t), t[name], strict=True)) for t in (wall, cpu)]
        rate, each = len(files) / min(wall[name]), min(cpu[name]) / len(files) * 1e3
        print(f"{name:26} {rate:10.0f} {shares[0]:6.2f} {each:10.2f} {shares[1]:6.2f}")
    start = time.perf_counter()
    audit(source.files, source, workers)
    build_stores(read_kdef(data, workers), [GREY, COLOUR], workers)
    print(f"a second start (list, compare, find the stores): {time.perf_counter() - start:.2f} s")


def fastest(seconds: dict[str, list[float]]) -> list[float]:
    """Seconds of the faster decoder, round by round."""
    return [min(pair) for pair in zip(seconds["decode, OpenCV"], seconds["decode, Pillow"], strict=True)]


def every(job: Callable[[bytes], object], files: Sequence[bytes], workers: int) -> None:
    with ThreadPoolExecutor(workers) as pool:
        for _ in pool.map(job, files):
            pass


def with_opencv(data: bytes) -> object:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)


def with_pillow(data: bytes) -> None:
    with Image.open(io.BytesIO(data)) as picture:
        picture.load()


def memory(data: Path, workers: int) -> None:
    environment = {**os.environ, "FER_BENCH_CACHE": f"{data.parent}/other"}
    command = [sys.executable, __file__, "--child", str(data), "--workers", str(workers)]
    print(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout, end="")


def read_all(data: Path, workers: int) -> None:
    import resource

    dataset = read_kdef(data, workers)
    build_stores(dataset, [GREY, COLOUR], workers)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"peak memory of checking and storing {len(dataset.manifest)} pictures: {peak:.2f} GB")


def hashes(n: int, workers: int) -> None:
    """Compare pictures with their own copies and with pictures of other people."""
    names = portrait_names(70)[:n]
    pictures = [picture for _, picture in render_many(names, size=(281, 381), workers=workers)]
    whole = [phash(glance(encoded(Image.fromarray(p), 92)).grey) for p in pictures]
    copies: dict[str, Callable[[Image.Image], bytes]] = {
        "quality 50": lambda p: encoded(p, 50),
        "quality 20": lambda p: encoded(p, 20),
        "half the size": lambda p: encoded(p.resize((p.width // 2, p.height // 2)), 90),
        "grey": lambda p: encoded(p.convert("L"), 90),
        "grey, half, quality 70": lambda p: encoded(p.convert("L").resize((p.width // 2, p.height // 2)), 70),
        "2 % cut off each edge": lambda p: encoded(p.crop((6, 8, p.width - 6, p.height - 8)), 92),
    }
    sample = range(0, len(pictures), 10)
    for name, copy in copies.items():
        found = [phash(glance(copy(Image.fromarray(pictures[i]))).grey) for i in sample]
        d = np.array([near_pairs([whole[i]], [h], BITS)[0, 2] for i, h in zip(sample, found, strict=True)])
        print(
            f"copy, {name:24} median {np.median(d):3.0f}  largest {d.max():3d}  within {NEAR}: {np.mean(d <= NEAR):.3f}"
        )
    i, j, d = near_pairs(whole, whole, BITS).T
    i, j, d = (v[i < j] for v in (i, j, d))
    person = np.array([name[1:4] for name in names])
    sitting = np.array([name[:4] + name[6:] for name in names])
    groups = {
        "other people": person[i] != person[j],
        "one person": (person[i] == person[j]) & (sitting[i] != sitting[j]),
        "one person, sitting and view": sitting[i] == sitting[j],
    }
    for name, chosen in groups.items():
        some = d[chosen]
        print(f"{name:30} pairs {len(some):9,}  least {some.min():3d}  median {np.median(some):3.0f}  "
              f"within {NEAR}: {np.sum(some <= NEAR):,}")  # fmt: skip
    for contrast in (0.3, 0.12, 0.06):
        pale = [phash(paled(p, contrast)) for p in pictures]
        near = near_pairs(pale, pale)
        others = np.sum(person[near[:, 0]] != person[near[:, 1]]) // 2
        print(f"48x65, contrast x {contrast}: no hash {pale.count('')}, pairs of other people within {NEAR}: {others}")


def paled(picture: np.ndarray, contrast: float) -> np.ndarray:
    small = Image.fromarray(picture).convert("L").resize((48, 65))
    return (np.asarray(small) * contrast + 100).astype(np.uint8)


def encoded(picture: Image.Image, quality: int) -> bytes:
    target = io.BytesIO()
    picture.save(target, "JPEG", quality=quality)
    return target.getvalue()


if __name__ == "__main__":
    main()
