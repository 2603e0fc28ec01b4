"""Pretrained weights: where they are, whether they are whole, how they are got. Never what they mean."""

from __future__ import annotations

import os
import re
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fer_bench.errors import FerBenchError, UserError
from fer_bench.files import atomic_write, cache_dir, need_space, sha256_file
from fer_bench.methods import WeightsSpec, load_object
from fer_bench.progress import progress

__all__ = ["FoundWeights", "WeightsUnavailableError", "fetch_weights", "find_weights"]

_TIMEOUT_SECONDS = 15
_CHUNK = 1 << 20


class WeightsUnavailableError(FerBenchError):
    """A download did not succeed; the message says why."""


@dataclass(frozen=True)
class FoundWeights:
    """A local file of weights and the sha256 of its bytes."""

    path: Path
    sha256: str

    @property
    def label(self) -> str:
        """Name and hash, for provenance."""
        return f"{self.path.name} sha256:{self.sha256[:12]}"


def find_weights(spec: WeightsSpec, weights_dir: Path | None) -> FoundWeights | None:
    """Look for weights in ``weights_dir``, FER_BENCH_WEIGHTS, fer-bench's cache and torch hub's, in this order.

    Raises
    ------
    UserError
        A file that bears the published name has not the published content.
    """
    pattern = re.compile(rf"{re.escape(spec.name)}([-.].*)?\.(pth|pt)", re.IGNORECASE)
    for folder in _folders(weights_dir):
        files = sorted(folder.iterdir()) if folder.is_dir() else []
        # A file under the published name goes first: its content can be checked.
        for path in sorted(files, key=lambda p: p.name != spec.filename):
            if path.name == spec.filename or pattern.fullmatch(path.name):
                digest = _digest(path, path.stat().st_mtime_ns)
                _check_published(spec, path.name, digest, str(path))
                return FoundWeights(path, digest)
    return None


def fetch_weights(spec: WeightsSpec) -> FoundWeights:
    """Download weights into fer-bench's cache, with a progress bar and the hash checked.

    Raises
    ------
    WeightsUnavailableError
        No connection, or what came is not the published file.
    """
    target = _cache_folder() / spec.filename
    need_space(target.parent, spec.megabytes * 1e6, f"the download of {spec.filename}")
    try:
        url = load_object(spec.fetch)(spec.name)
        request = urllib.request.Request(url, headers={"User-Agent": "fer-bench"})
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer, atomic_write(target) as handle:
            size = int(answer.headers.get("Content-Length") or spec.megabytes * 1e6)
            with progress(f"Downloading {spec.filename}", size) as done:
                _copy(answer.read, handle.write, done)
    except (urllib.error.URLError, OSError, ValueError) as error:
        cause = getattr(error, "reason", error)
        why = getattr(cause, "strerror", None) or cause
        raise WeightsUnavailableError(f"the download of {spec.filename} failed: {why}") from error
    digest = sha256_file(target)
    try:
        _check_published(spec, target.name, digest, str(target))
    except UserError as error:
        target.unlink()
        raise WeightsUnavailableError(f"the download of {spec.filename} is damaged (sha256 {digest[:8]})") from error
    return FoundWeights(target, digest)


def _copy(read: Callable[[int], bytes], write: Callable[[bytes], object], done: Callable[[int], None]) -> None:
    copied = 0
    while chunk := read(_CHUNK):
        write(chunk)
        copied += len(chunk)
        done(copied)


def _cache_folder() -> Path:
    return cache_dir() / "weights"


def _folders(weights_dir: Path | None) -> list[Path]:
    hub = os.environ.get("TORCH_HOME")
    torch_home = Path(hub) if hub else Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "torch"
    named = os.environ.get("FER_BENCH_WEIGHTS")
    chosen = [weights_dir, Path(named) if named else None, _cache_folder(), torch_home / "hub" / "checkpoints"]
    return [folder for folder in chosen if folder is not None]


@cache
def _digest(path: Path, _mtime: int) -> str:
    return sha256_file(path)


def _check_published(spec: WeightsSpec, name: str, digest: str, where: str) -> None:
    promised = re.search(r"-([0-9a-f]{8})\.", name)
    if name == spec.filename and promised and not digest.startswith(promised.group(1)):
        raise UserError(
            f"{where}: expected a sha256 that starts with {promised.group(1)}, found {digest[:8]}; "
            "the file is damaged or another one: delete it, then `fer-bench weights fetch` gets it anew"
        )
