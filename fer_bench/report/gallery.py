"""The pictures that all methods misclassify, in a page of their own, for the eyes of whoever has the data.

Kept apart from the report: no picture of a licensed dataset leaves the user's machine by way of it.
"""

from __future__ import annotations

import base64
import io
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape
from numpy.typing import NDArray

from fer_bench.errors import UserError
from fer_bench.labels import EMOTION_NAMES, EMOTIONS
from fer_bench.utils.commands import call_arguments
from fer_bench.utils.files import atomic_write
from fer_bench.utils.ownership import head_of, need_own

from .model.report_run import ReportRun, gather
from .sections.hard_images import hardest, taken_for

if TYPE_CHECKING:
    from fer_bench.data.manifest import Dataset

__all__ = ["GALLERY", "MOST_PICTURES", "write_gallery"]

GALLERY = "gallery.html"
MOST_PICTURES = 300
_TITLE = "Not to be published: misclassified images"
HEIGHT = 200
"""Of a picture in the gallery, in pixels."""

_KEEP = (
    "For your eyes only: this page holds pictures of the dataset. Do not publish it, commit it or send it on unless "
    "the dataset's makers and the people shown allow it. The report beside it holds no picture."
)
_STYLE = """body{font:16px/1.5 system-ui,sans-serif;margin:24px;background:#fff;color:#1d1f24}
.keep{background:#fff4d6;border-left:5px solid #d9a400;padding:.6em 1em;max-width:60em;font-weight:600}
ul{list-style:none;padding:0;display:grid;grid-template-columns:repeat(auto-fill,minmax(170px,1fr));gap:18px}
img{height:200px;max-width:100%;object-fit:contain;display:block;background:#eee}
code{font-size:.8rem;overflow-wrap:anywhere}p{max-width:60em}li span{display:block;font-size:.85rem}"""


@dataclass(frozen=True)
class _Picture:
    image: str
    person: str
    label: str
    taken: str
    times: int


def write_gallery(run_dir: Path, data: str = "", *, workers: int = 2) -> Path:
    """Write ``gallery.html`` into a run's directory.

    Parameters
    ----------
    run_dir : path
        A directory that ``fer-bench run`` wrote.
    data : str
        Where the pictures are, as for ``fer-bench run --data``; empty for where the run's own command says.
    workers : int
        Threads that read pictures.

    Returns
    -------
    path
        Of ``gallery.html``.

    Raises
    ------
    UserError
        The run has fewer than two finished methods, the pictures are not where they were, or they are others.
    """
    run = gather([run_dir])[0]
    protocol = run.primary
    if protocol is None or len(run.ranked(protocol)) < 2:
        raise UserError(f"`write_gallery`: {run_dir} has fewer than two finished methods, so nothing is missed by all")
    names, what = hardest(run, protocol, MOST_PICTURES)
    shown = [_Picture(name, **taken_for(run, protocol, name)) for name in names]
    pictures = _read(run, shown, data, workers) if shown else []
    target = Path(run_dir) / GALLERY
    need_own(target, lambda there: _TITLE.encode() in head_of(there), "a gallery of fer-bench's", "`write_gallery`")
    with atomic_write(target, "w") as handle:
        handle.write(_page(run, protocol, shown, pictures, what))
    return target


def _read(run: ReportRun, shown: Sequence[_Picture], data: str, workers: int) -> list[str]:
    """Pictures as JPEG in base64, in the order of ``shown``."""
    place = data or _data_of(str(run.info["command"]))
    options = run.info["dataset"].get("options") or {}
    dataset = _dataset(place, workers, **{name: bool(options.get(name)) for name in ("strict", "allow_outside")})
    wanted = [picture.image for picture in shown]
    table = dataset.manifest.table.set_index("image")
    absent = [name for name in wanted if name not in table.index]
    if absent:
        raise UserError(
            f"`write_gallery`: {place} does not hold {absent[0]} ({len(absent):,} of {len(wanted):,} pictures are "
            "missing); give the data that this run read, with `data`"
        )
    other = next((p for p in shown if EMOTIONS[EMOTION_NAMES.index(p.label)] != table.loc[p.image, "label"]), None)
    if other is not None:
        raise UserError(
            f"`write_gallery`: {place} calls {other.image} {table.loc[other.image, 'label']}, the run {other.label}: "
            "these are other pictures; give the data that this run read, with `data`"
        )
    manifest = dataset.manifest.where("image", wanted)
    found = zip(manifest.table["image"], dataset.pictures(manifest, workers), strict=True)
    encoded = {str(name): _jpeg(pixels) for name, pixels in found}
    return [encoded[name] for name in wanted]


def _dataset(place: str, workers: int, *, strict: bool, allow_outside: bool) -> Dataset:
    from fer_bench.data.datasets import load_dataset

    try:
        return load_dataset(place, crop="none", workers=workers, strict=strict, allow_outside=allow_outside)
    except UserError as error:
        raise UserError(
            f"`write_gallery`: the pictures cannot be read: {error}; say where they are with `data`"
        ) from error


def _data_of(command: str) -> str:
    """What data the run's command named, a shell's or a call from Python; else the built-in rendered faces."""
    call = call_arguments(command)
    if call is not None:
        return str(call.get("data", "synthetic"))
    try:
        words = shlex.split(command)
    except ValueError:
        words = command.split()
    for place, word in enumerate(words):
        if word == "--data" and place + 1 < len(words):
            return words[place + 1]
        if word.startswith("--data="):
            return word.removeprefix("--data=")
    return "synthetic"


def _jpeg(pixels: NDArray[Any]) -> str:
    from PIL import Image

    picture = Image.fromarray(pixels)
    picture.thumbnail((2 * HEIGHT, HEIGHT))
    out = io.BytesIO()
    picture.save(out, format="JPEG", quality=82)
    return base64.b64encode(out.getvalue()).decode("ascii")


def _page(run: ReportRun, protocol: str, shown: Sequence[_Picture], pictures: Sequence[str], what: str) -> str:
    methods = len(run.ranked(protocol))
    text = f"{run.shown(protocol)}, {methods} methods: {what}. Shown: {len(shown):,}."
    items = [
        Markup(
            '<li><img alt="{}" src="data:image/jpeg;base64,{}"><code>{}</code>'
            "<span>shown: {}; most often misclassified as {} ({} of {} methods)</span></li>"
        ).format(one.image, data, one.image, one.label, one.taken, one.times, methods)
        for one, data in zip(shown, pictures, strict=True)
    ]
    notice = str(run.info["dataset"].get("notice") or "")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        f'<title>{_TITLE}</title><link rel="icon" href="data:,">'
        f"<style>{_STYLE}</style></head>\n<body><h1>Misclassified images</h1>\n"
        f'<p class="keep">{escape(_KEEP)}</p>\n<p>{escape(notice)}</p>\n<p>{escape(text)}</p>\n'
        f"<ul>\n{chr(10).join(items)}\n</ul></body></html>\n"
    )
