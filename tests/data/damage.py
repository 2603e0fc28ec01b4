"""A seeded maker of damaged picture files: every kind of damage that a set of faces may arrive with."""

import io
import random
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

BOMB_SIDE = 20_000
BOMBS = ("PNG", "JPEG", "BMP", "TIFF", "GIF")


@dataclass(frozen=True)
class Kinds:
    """How many files of each kind of damage: 300 together."""

    truncated: int = 115
    flipped: int = 90
    text: int = 15
    renamed: int = 15
    empty: int = 10
    zeros: int = 10
    tiny: int = 15
    bomb: int = 30


def damage(files: list[Path], seed: int, kinds: Kinds = Kinds()) -> list[Path]:
    """Damage some of the files, chosen by the seed; returns those touched. Some may still be sound pictures."""
    rng = random.Random(seed)
    plan = [kind for kind, n in vars(kinds).items() for _ in range(n)]
    chosen = rng.sample(files, len(plan))
    for path, kind in zip(chosen, plan, strict=True):
        path.write_bytes(damaged(path.read_bytes(), kind, rng))
    return chosen


def damaged(data: bytes, kind: str, rng: random.Random) -> bytes:
    """Damage one file."""
    if kind == "truncated":
        return data[: rng.randrange(1, len(data))]
    if kind == "flipped":
        return flipped(other_format(data, rng.choice(["JPEG", "JPEG", "JPEG", "PNG", "TIFF", "BMP", "GIF"])), rng)
    if kind == "text":
        return rng.choice([b"<html>404 Not Found</html>", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"PK\x03\x04", b"\xff\xd8\xff"])
    if kind == "renamed":
        return other_format(data, rng.choice(["PNG", "TIFF", "BMP", "GIF", "WEBP"]))
    if kind == "tiny":
        target = io.BytesIO()
        small = Image.new("RGB", rng.choice([(1, 1), (1, 500), (31, 31)]), (90, 90, 90))
        small.save(target, rng.choice(["PNG", "JPEG"]))
        return target.getvalue()
    if kind == "bomb":
        return header_bomb(other_format(data, kind := rng.choice(BOMBS)), kind)
    return b"" if kind == "empty" else b"\0" * len(data)


def flipped(data: bytes, rng: random.Random) -> bytes:
    """Flip one to twenty bits anywhere."""
    changed = bytearray(data)
    for _ in range(rng.choice([1, 1, 3, 20])):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def other_format(data: bytes, kind: str) -> bytes:
    """Save a picture's pixels in another format."""
    if kind == "JPEG":
        return data
    target = io.BytesIO()
    Image.open(io.BytesIO(data)).save(target, kind)
    return target.getvalue()


def header_bomb(data: bytes, kind: str, side: int = BOMB_SIDE) -> bytes:
    """Make a file's header promise ``side`` x ``side`` pixels."""
    changed = bytearray(data)
    if kind == "JPEG":
        at = data.index(b"\xff\xc0") + 5
        changed[at : at + 4] = struct.pack(">HH", side, side)
    elif kind == "PNG":
        changed[16:24] = struct.pack(">II", side, side)
        changed[29:33] = struct.pack(">I", zlib.crc32(changed[12:29]))
    elif kind == "BMP":
        changed[18:26] = struct.pack("<ii", side, side)
    elif kind == "GIF":
        changed[6:10] = struct.pack("<HH", side, side)
    else:
        tags = struct.unpack("<I", data[4:8])[0]
        for i in range(struct.unpack("<H", data[tags : tags + 2])[0]):
            at = tags + 2 + 12 * i
            if struct.unpack("<H", data[at : at + 2])[0] in (256, 257):
                changed[at + 2 : at + 12] = struct.pack("<HII", 4, 1, side)
    return bytes(changed)


def is_sound(path: Path) -> bool:
    """Judge a file by Pillow alone: it decodes in full, is not tiny, not black, and not beyond belief in size."""
    try:
        with Image.open(path) as picture:
            if picture.width * picture.height > 50_000_000 or min(picture.size) < 32:
                return False
            picture.load()
            return float(np.asarray(picture.convert("L")).mean()) >= 10
    except Exception:  # noqa: BLE001 - whatever Pillow raises, the file is not sound
        return False
