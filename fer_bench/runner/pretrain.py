"""Rendered people to pretrain a network on: transfer learning without a download, and without anyone's photographs.

The people are other ones than those of the built-in set, out of the same renderer. Targets are what each picture was
made from: action units, pose, identity; never one of the seven expressions.
"""

from __future__ import annotations

import multiprocessing
import shlex
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_bench.data.render import MAX_PEOPLE, RENDERER_VERSION, portrait_names, render_portrait, render_truth
from fer_bench.errors import UserError
from fer_bench.methods import MethodSpec, load_object
from fer_bench.utils.files import atomic_write, need_space
from fer_bench.utils.ownership import head_of, need_own
from fer_bench.utils.progress import progress, say

__all__ = ["PICTURES_EACH", "RenderedPool", "pretrain", "render_pool"]

PICTURES_EACH = 35
"""Pictures of a person: seven expressions from five views, in one session."""

_MOST_HEAD = 1 << 22
"""Bytes of a file of weights in which its description ends."""

_FIRST_SEED = 1000
"""The built-in set is seed 0 of the renderer; sets of 70 people each follow from here."""

_SIDE = 1.55
"""Of a crop, in heights of the face's landmarks: about that of the boxes that KDEF is cropped by."""


_Part = tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]


@dataclass(frozen=True)
class RenderedPool:
    """Pictures and what they were made from.

    Attributes
    ----------
    pictures : ndarray
        (n, side, side, 3) uint8, RGB.
    units : ndarray
        (n, 2, u) float32: each FACS action unit on the picture's left and right half of the face, 0 absent, 1 full.
    pose : ndarray
        (n, 2) float32: yaw and pitch in degrees.
    people : ndarray
        (n,) int64: who it is, from 0.
    """

    pictures: NDArray[np.uint8]
    units: NDArray[np.float32]
    pose: NDArray[np.float32]
    people: NDArray[np.int64]


def render_pool(people: int, side: int, *, workers: int = 1) -> RenderedPool:
    """Render people that are not in the built-in set, `PICTURES_EACH` pictures of each.

    Parameters
    ----------
    people : int
        The first so many of an endless row of people; the pixels don't depend on ``workers``.
    side : int
        Of the square crops, in pixels.
    workers : int
        Processes; one works in this process.
    """
    tasks = list(_tasks(people, side))
    parts = []
    with progress(f"Rendering {people:,} people", len(tasks)) as done, _mapper(workers) as mapped:
        for part in mapped(_render_person, tasks):
            parts.append(part)
            done(len(parts))
    pictures, units, pose = (np.concatenate(each) for each in zip(*parts, strict=True))
    return RenderedPool(pictures, units, pose, np.repeat(np.arange(people), PICTURES_EACH))


@contextmanager
def _mapper(workers: int) -> Iterator[Callable[..., Iterable[_Part]]]:
    """`map`, here or in processes of its own."""
    if workers == 1:
        yield map
        return
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), cv2.setNumThreads, (1,)) as pool:
        yield pool.map


def _tasks(people: int, side: int) -> Iterator[tuple[str, str, int, int]]:
    """Person, session, seed of the renderer and side of each piece of work."""
    for number in range(people):
        block, place = divmod(number, MAX_PEOPLE)
        yield f"{'FM'[place % 2]}{place // 2 + 1:02d}", "AB"[block % 2], _FIRST_SEED + block, side


def _render_person(task: tuple[str, str, int, int]) -> _Part:
    """A person's crops, action units and poses."""
    person, session, seed, side = task
    names = [name for name in portrait_names() if name.startswith(session + person)]
    size = (round(1.36 * side), round(1.84 * side))
    pictures, units, pose = [], [], []
    for name in names:
        truth = render_truth(name, size=size, seed=seed)
        pictures.append(_crop(render_portrait(name, size=size, seed=seed), truth.landmarks, side))
        units.append(np.array(list(truth.action_units.values()), dtype=np.float32).T)
        pose.append(np.array([truth.yaw, truth.pitch], dtype=np.float32))
    return np.stack(pictures), np.stack(units), np.stack(pose)


def _crop(picture: NDArray[np.uint8], landmarks: NDArray[np.float64], side: int) -> NDArray[np.uint8]:
    """The square around a face, resized; beyond the picture its edge is repeated."""
    low, high = landmarks.min(axis=0), landmarks.max(axis=0)
    scale = side / (_SIDE * (high[1] - low[1]))
    centre = (low + high) / 2
    matrix = np.array([[scale, 0, side / 2 - scale * centre[0]], [0, scale, side / 2 - scale * centre[1]]])
    return np.asarray(
        cv2.warpAffine(picture, matrix, (side, side), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE),
        dtype=np.uint8,
    )


def pretrain(
    method: MethodSpec,
    out: Path,
    *,
    people: int,
    epochs: int,
    seed: int = 0,
    device: str = "auto",
    workers: int = 1,
) -> Path:
    """Make a file of weights: render people, train on them, write.

    Parameters
    ----------
    method : MethodSpec
        A row that starts from such weights; their ``make`` says how they are made.
    out : Path
        Where to write; a .safetensors file that tells how it was made.
    people, epochs : int
        People rendered, and passes over their pictures.
    seed : int
        Of initial values and order; the people are always the same.
    device : str
        As everywhere.
    workers : int
        Processes that render.

    Raises
    ------
    UserError
        Too few people, an ending other than .safetensors, no room on the disk, weights that are not made this way, or
        another file is there.
    """
    spec = method.weights
    if spec is None or not spec.make:
        raise UserError(f"pretrain {method.network}: its weights are not made here{f': {spec.origin}' if spec else ''}")
    if out.suffix != ".safetensors":
        raise UserError(f"`out` {out}: expected a name that ends in .safetensors")
    for what, found, least in (("`people`", people, 20), ("`epochs`", epochs, 1)):
        if found < least:
            raise UserError(f"{what}: expected {least} or more, found {found}")
    need_own(out, _made_here, "weights that `fer-bench pretrain` made", "`out`")
    need_space(out.resolve().parent, spec.megabytes * 1e6, f"the weights {out.name}")
    make = load_object(spec.make)
    pool = render_pool(people, method.image.size, workers=workers)
    options = {"--people": people, "--epochs": epochs, "--seed": seed}
    words = ["fer-bench", "pretrain", method.network, *(str(x) for pair in options.items() for x in pair)]
    told = {
        "command": shlex.join(words),
        "renderer": f"fer-bench's own, version {RENDERER_VERSION}, people of sets {_FIRST_SEED} and above",
        "pictures": f"{len(pool.pictures)} at {method.image.size} pixels",
    }
    with atomic_write(out) as handle:
        make(method.network, pool, handle, epochs=epochs, seed=seed, device=device, told=told, tell=say)
    return out


def _made_here(file: Path) -> bool:
    """Whether a file of weights says in its head that `pretrain` made it."""
    head = head_of(file, _MOST_HEAD)
    told = head[8 : 8 + int.from_bytes(head[:8], "little")]
    return told.startswith(b'{"__metadata__"') and b"fer-bench pretrain " in told
