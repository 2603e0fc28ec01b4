"""Pretrained weights: where they are, whether they are whole, how they are got. Never what they mean."""

from __future__ import annotations

import http.client
import re
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from fer_bench.errors import UserError, WeightsUnavailableError
from fer_bench.utils.files import atomic_write, cache_dir, need_space, sha256_file
from fer_bench.utils.ownership import need_own
from fer_bench.utils.paths import folder_of_variable
from fer_bench.utils.progress import progress
from fer_bench.utils.texts import one_line

from . import WeightsSpec, load_methods, load_object

__all__ = ["FoundWeights", "fetch_weights", "find_weights", "misplaced_weights", "nameless_weights"]

_TIMEOUT_SECONDS = 15
_CHUNK = 1 << 20


@dataclass(frozen=True)
class FoundWeights:
    """A local file of weights and the sha256 of its bytes; ``published``: these are the published file's bytes."""

    path: Path
    sha256: str
    published: bool

    @property
    def label(self) -> str:
        """Name and hash, for provenance."""
        return f"{self.path.name} sha256:{self.sha256[:12]}"


def find_weights(spec: WeightsSpec, weights_dir: Path | None) -> FoundWeights | None:
    """Look for weights in ``weights_dir``, FER_BENCH_WEIGHTS, fer-bench's cache, torch hub's and where they ship with.

    In this order. In the first two, which a user names, any file that is called after the network will do
    (``resnet18.pth``, ``resnet18_msceleb.pth.tar``); elsewhere only the published one.

    Raises
    ------
    UserError
        A file whose name ends in a hash, as published files' do, has another content; or several files of a folder may
        be meant.
    """
    for folder, by_user in _folders(spec, weights_dir):
        files = [path for path in _entries(folder) if path.is_file()]
        path = _choose(spec, files, by_user)
        if path is not None:
            digest = _digest(path, path.stat().st_mtime_ns)
            _check_name(path.name, digest, str(path))
            return FoundWeights(path, digest, _is_published(spec, digest))
    return None


def _choose(spec: WeightsSpec, files: list[Path], by_user: bool) -> Path | None:
    """The published file, whose content can be checked, else the one that has the network's bare name, else the one."""
    published = [path for path in files if path.name == spec.filename]
    if published or not by_user:
        return published[0] if published else None
    longer = [_file_name(name) for name in _weights_names() if name.startswith(spec.name) and name != spec.name]
    called = [path for path in files if _file_name(spec.name).fullmatch(path.name)]
    fits = [path for path in called if not any(other.fullmatch(path.name) for other in longer)]
    bare = [path for path in fits if _bare(path.name).lower() == spec.name.lower()]
    if len(bare or fits) > 1:
        raise UserError(
            f"weights of {spec.name}: {len(bare or fits)} files in {fits[0].parent} are called after it "
            f"({', '.join(path.name for path in (bare or fits)[:4])}); keep the one that is meant there alone, or call "
            f"it {spec.name}.pth"
        )
    return next(iter(bare or fits), None)


def misplaced_weights(spec: WeightsSpec, weights_dir: Path | None) -> str:
    """Name the files that are called after a network and still not found, and say why; empty where there are none.

    Such a file is meant: published weights in its place would stand in the report under the same name.
    """
    for folder, by_user in _folders(spec, weights_dir):
        if not by_user or not folder.is_dir():
            continue
        mine = [
            p for p in _below(folder) if re.match(rf"{re.escape(spec.name)}(?![a-z0-9]|_bn)", p.name, re.IGNORECASE)
        ]
        longer = [name for name in _weights_names() if name.startswith(spec.name) and name != spec.name]
        mine = [p for p in mine if not any(p.name.lower().startswith(name.lower()) for name in longer)]
        if mine:
            where = "lies in a folder below it" if mine[0].parent != folder else "has an ending that is not read"
            return (
                f"{one_line(str(mine[0]), 200)} {where}; expected {folder / spec.name}.pth, .pt, .pth.tar, .ckpt or "
                ".safetensors: put it there, or take it away"
            )
    return ""


def nameless_weights(weights_dir: Path | None) -> list[str]:
    """Say which files of tensors in the folders that a user named are called after no network: they are not used."""
    said, known = [], sorted(_weights_names())
    for folder in _named_folders(weights_dir):
        odd = [
            path.name
            for path in (_below(folder) if folder.is_dir() else ())
            if path.suffix.lower() in _TENSORS and not any(path.name.lower().startswith(n.lower()) for n in known)
        ]
        if odd:
            names = ", ".join(one_line(name, 80) for name in odd[:3]) + (f" and {len(odd) - 3} more" if odd[3:] else "")
            said.append(
                f"weights in {folder}: {names} {'is' if len(odd) == 1 else 'are'} called after no network and not "
                f"used; a file is found by the network's name, such as {known[0]}.pth or {known[0]}_mine.pth"
            )
    return said


def _below(folder: Path) -> list[Path]:
    """Files of weights in a folder and one level below."""
    files = [path for place in (folder, *filter(Path.is_dir, _entries(folder))) for path in _entries(place)]
    return [path for path in files if path.suffix.lower() in _TENSORS | _OF_OTHERS and path.is_file()]


def _entries(folder: Path) -> list[Path]:
    """What stands in a folder, sorted; nothing where there is none or it cannot be read."""
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


_ENDINGS = r"\.(pth|pt|pth\.tar|pt\.tar|ckpt|safetensors)"
_TENSORS = frozenset({".pth", ".pt", ".tar", ".ckpt", ".safetensors", ".bin", ".h5", ".keras", ".pkl"})
_OF_OTHERS = frozenset({".onnx", ".tflite", ".pb"})
"""Endings of whole models: those of detectors and landmarks lie in the same folders, under names of their own."""


def _file_name(name: str) -> re.Pattern[str]:
    """What a file of a network's weights may be called; with ``_bn`` it is that of another network of torchvision's."""
    return re.compile(rf"{re.escape(name)}((?!_bn[-._])[-._ ].*)?{_ENDINGS}", re.IGNORECASE)


def _bare(name: str) -> str:
    return re.sub(_ENDINGS + "$", "", name, flags=re.IGNORECASE)


@cache
def _weights_names() -> frozenset[str]:
    """All weights that an installed method needs: what is called after one of them is no other's of a shorter name."""
    return frozenset(spec.weights.name for spec in load_methods().values() if spec.weights)


def fetch_weights(spec: WeightsSpec) -> FoundWeights:
    """Download weights into fer-bench's cache, with a progress bar and the hash checked.

    Raises
    ------
    WeightsUnavailableError
        No connection, or what came is not the published file.
    UserError
        Another file is in its place.
    """
    if not spec.fetch:
        raise WeightsUnavailableError(f"{spec.filename} is published nowhere: {spec.origin}")
    target = _cache_folder() / spec.filename
    need_own(target, lambda there: _is_published(spec, sha256_file(there)), f"the published {spec.filename}", "")
    need_space(target.parent, spec.megabytes * 1e6, f"the download of {spec.filename}")
    try:
        url = load_object(spec.fetch)(spec.name)
        request = urllib.request.Request(url, headers={"User-Agent": "fer-bench"})
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer, atomic_write(target) as handle:
            size = int(answer.headers.get("Content-Length") or spec.megabytes * 1e6)
            with progress(f"Downloading {spec.filename}", size) as done:
                _copy(answer.read, handle.write, done)
    except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError) as error:
        cause = getattr(error, "reason", error)
        why = getattr(cause, "strerror", None) or cause
        raise WeightsUnavailableError(f"the download of {spec.filename} failed: {why}") from error
    digest = sha256_file(target)
    if not _is_published(spec, digest):
        target.unlink()
        raise WeightsUnavailableError(f"the download of {spec.filename} is damaged (sha256 {digest[:8]})")
    return FoundWeights(target, digest, published=True)


def _copy(read: Callable[[int], bytes], write: Callable[[bytes], object], done: Callable[[int], None]) -> None:
    copied = 0
    while chunk := read(_CHUNK):
        write(chunk)
        copied += len(chunk)
        done(copied)


def _cache_folder() -> Path:
    return cache_dir() / "weights"


def _named_folders(weights_dir: Path | None) -> list[Path]:
    """Folders that a user names, one of them once."""
    return list(dict.fromkeys(filter(None, (weights_dir, folder_of_variable("FER_BENCH_WEIGHTS")))))


def _folders(spec: WeightsSpec, weights_dir: Path | None) -> list[tuple[Path, bool]]:
    """Folders to look in, and whether a user named them."""
    base = folder_of_variable("XDG_CACHE_HOME") or Path.home() / ".cache"
    torch_home = folder_of_variable("TORCH_HOME") or base / "torch"
    by_user = _named_folders(weights_dir)
    caches = [_cache_folder(), torch_home / "hub" / "checkpoints"]
    if spec.shipped:
        caches.append(Path(str(files(spec.shipped.partition(":")[0]))))
    return [(folder, True) for folder in by_user] + [(folder, False) for folder in caches]


@cache
def _digest(path: Path, _mtime: int) -> str:
    return sha256_file(path)


def _promised(name: str) -> str:
    """The start of a sha256 that a published file's name ends in; empty where there is none."""
    match = re.search(r"-([0-9a-f]{8})\.\w+$", name)
    return match.group(1) if match else ""


def _is_published(spec: WeightsSpec, digest: str) -> bool:
    return bool(_promised(spec.filename)) and digest.startswith(_promised(spec.filename))


def _check_name(name: str, digest: str, where: str) -> None:
    promised = _promised(name)
    if not digest.startswith(promised):
        raise UserError(
            f"{where}: expected a sha256 that starts with {promised}, found {digest[:8]}; "
            "the file is damaged or another one: delete it, then `fer-bench weights fetch` gets it anew"
        )
