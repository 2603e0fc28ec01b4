"""Pretrained weights: where they are, whether they are whole, how they are got. Never what they mean."""

from __future__ import annotations

import http.client
import os
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
from fer_bench.utils.progress import progress

from . import WeightsSpec, load_methods, load_object

__all__ = ["FoundWeights", "fetch_weights", "find_weights"]

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

    In this order. In the first two, which a user names, any file that is called after the network will do; elsewhere
    only the published one.

    Raises
    ------
    UserError
        A file whose name ends in a hash, as published files' do, has another content.
    """
    named = _file_name(spec.name)
    others = [_file_name(name) for name in _weights_names() if name.startswith(spec.name) and name != spec.name]
    for folder, by_user in _folders(spec, weights_dir):
        files = sorted(p for p in folder.iterdir() if p.is_file()) if folder.is_dir() else []
        # A file under the published name goes first: its content can be checked.
        for path in sorted(files, key=lambda p: p.name != spec.filename):
            if path.name == spec.filename or (
                by_user and named.fullmatch(path.name) and not any(other.fullmatch(path.name) for other in others)
            ):
                digest = _digest(path, path.stat().st_mtime_ns)
                _check_name(path.name, digest, str(path))
                return FoundWeights(path, digest, _is_published(spec, digest))
    return None


def _file_name(name: str) -> re.Pattern[str]:
    return re.compile(rf"{re.escape(name)}([-.].*)?\.(pth|pt|safetensors)", re.IGNORECASE)


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
    """
    if not spec.fetch:
        raise WeightsUnavailableError(f"{spec.filename} is published nowhere: {spec.origin}")
    target = _cache_folder() / spec.filename
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


def _folders(spec: WeightsSpec, weights_dir: Path | None) -> list[tuple[Path, bool]]:
    """Folders to look in, and whether a user named them."""
    hub = os.environ.get("TORCH_HOME")
    torch_home = Path(hub) if hub else Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "torch"
    named = os.environ.get("FER_BENCH_WEIGHTS")
    by_user = [folder for folder in (weights_dir, Path(named) if named else None) if folder is not None]
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
