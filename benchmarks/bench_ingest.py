"""How fast pictures of KDEF's size become an image store, beside what the cores can decode at all.

    python benchmarks/bench_ingest.py                      # speed: 980 JPEG files of 562x762 pixels, about 70 kB each
    python benchmarks/bench_ingest.py --images 4900 --memory    # also the peak memory of a process that reads them all
    python benchmarks/bench_ingest.py --hashes --images 980    # how alike copies are by their hashes, and other people

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
from PIL import Image, ImageEnhance, ImageOps

from fer_bench.data.images.audit import audit
from fer_bench.data.images.phash import BITS, NEAR, copies, distance, near_pairs, phash
from fer_bench.data.images.pictures import decode, glance
from fer_bench.data.images.rings import ALIKE, likeness, ring_copies
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
    parser.add_argument(
        "--data", type=Path, help="hash the pictures in this folder, named as KDEF's, not rendered ones"
    )
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        read_all(asked.child, asked.workers)
        return
    if asked.hashes:
        hashes(asked.data, asked.images, asked.workers)
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


def turned(picture: Image.Image, degrees: float) -> Image.Image:
    return picture.rotate(degrees, Image.Resampling.BILINEAR, fillcolor="grey")


COPIES: dict[str, Callable[[Image.Image], bytes]] = {
    "quality 50": lambda p: encoded(p, 50),
    "quality 20": lambda p: encoded(p, 20),
    "half the size": lambda p: encoded(p.resize((p.width // 2, p.height // 2)), 90),
    "grey": lambda p: encoded(p.convert("L"), 90),
    "grey, half, quality 70": lambda p: encoded(p.convert("L").resize((p.width // 2, p.height // 2)), 70),
    "2 % cut off each edge": lambda p: encoded(p.crop((6, 8, p.width - 6, p.height - 8)), 92),
    "brighter by a fifth": lambda p: encoded(ImageEnhance.Brightness(p).enhance(1.2), 90),
    "darker by a third": lambda p: encoded(ImageEnhance.Brightness(p).enhance(0.67), 90),
    "two thirds the contrast": lambda p: encoded(ImageEnhance.Contrast(p).enhance(0.67), 90),
    "mirrored": lambda p: encoded(ImageOps.mirror(p), 90),
    "turned by 2.8 degrees": lambda p: encoded(turned(p, 2.8), 90),
    "turned by 5": lambda p: encoded(turned(p, -5), 90),
    "turned by 8.4": lambda p: encoded(turned(p, 8.4), 90),
    "turned by 10": lambda p: encoded(turned(p, -10), 90),
    "by 7, nearest, black": lambda p: encoded(p.rotate(7), 90),
    "mirrored, 6, darker, 60": lambda p: encoded(
        ImageEnhance.Brightness(turned(ImageOps.mirror(p), 6)).enhance(0.8), 60
    ),
}


def hashes(data: Path | None, n: int, workers: int) -> None:
    """Compare pictures with their own copies and with pictures of other people."""
    if data is None:
        names = portrait_names(70)[:n]
        pictures = [picture for _, picture in render_many(names, size=(281, 381), workers=workers)]
    else:
        files = sorted(data.rglob("*.[jJ][pP][gG]"))[:n]
        names = [file.stem for file in files]
        pictures = [decode(file.read_bytes()) for file in files]
    whole = [Image.fromarray(picture) for picture in pictures]
    faces = [p.convert("L").resize((48, 48), Image.Resampling.BICUBIC, box=middle(p)) for p in whole]
    person = np.array([name[1:4] for name in names])
    for title, shown in (("whole", whole), ("48x48, grey", faces)):
        print(f"{title}\n{'copy':26} {'correlation':>11} {'5 % under':>9} {'least':>6} {'bits':>5} {'found':>6}")
        originals = [hashed(encoded(picture, 92)) for picture in shown]
        sample = range(0, len(shown), 10)
        for name, copy in COPIES.items():
            compared([originals[i] for i in sample], [hashed(copy(shown[i])) for i in sample], name)
        others(originals, person)
    for contrast in (0.3, 0.12, 0.06):
        pale = [phash(paled(p, contrast)) for p in pictures]
        near = copies(pale)
        wrong = np.sum(person[near["a"]] != person[near["b"]])
        print(f"48x65, contrast x {contrast}: no hash {pale.count('')}, pairs of other people found: {wrong}")


def middle(picture: Image.Image) -> tuple[float, float, float, float]:
    """The square with the face, of a portrait as KDEF's."""
    side = 0.71 * picture.width
    return (0.14 * picture.width, 0.28 * picture.height, 0.14 * picture.width + side, 0.28 * picture.height + side)


def compared(before: list[str], after: list[str], name: str) -> None:
    """Print how alike copies are to their pictures, and how many of them are found."""
    alike = likeness([h[64:] for h in before], [h[64:] for h in after])["alike"].to_numpy()
    bits = np.array([distance(a, b) for a, b in zip(before, after, strict=True)])
    found = np.mean((alike >= ALIKE) | (bits <= NEAR))
    print(f"{name:26} {np.median(alike):11.3f} {np.quantile(alike, 0.05):9.3f} {alike.min():6.3f} "
          f"{np.median(bits):5.0f} {found:6.3f}")  # fmt: skip


def others(found: list[str], person: np.ndarray) -> None:
    """Print how alike pictures of different people are at most."""
    rings = ring_copies([h[64:] for h in found], least=0.8)
    apart = person[rings["a"]] != person[rings["b"]]
    i, j, d = near_pairs(found, threshold=NEAR + 5).T
    pairs = sum(int(np.sum(person[k + 1 :] != person[k])) for k in range(len(person)))
    bits = d[person[i] != person[j]].min(initial=BITS)
    print(f"other people: {pairs:,} pairs, most alike {rings['alike'][apart].max():.3f} (copies from {ALIKE}), "
          f"nearest {bits if bits < BITS else f'over {NEAR + 5}'} bits (copies up to {NEAR})")  # fmt: skip
    own = int((rings["alike"][~apart] >= ALIKE).sum())
    print(f"one person, other pictures: {own:,} pairs found")


def hashed(data: bytes) -> str:
    """Hash a file as the audit does."""
    seen = glance(data)
    return phash(seen.grey, seen.width / seen.height)


def paled(picture: np.ndarray, contrast: float) -> np.ndarray:
    small = Image.fromarray(picture).convert("L").resize((48, 65))
    return (np.asarray(small) * contrast + 100).astype(np.uint8)


def encoded(picture: Image.Image, quality: int) -> bytes:
    target = io.BytesIO()
    picture.save(target, "JPEG", quality=quality)
    return target.getvalue()


if __name__ == "__main__":
    main()
