"""Every picture looked at once: its hashes, its size, and what makes it unusable. Verdicts are cached by content.

A file is not even hashed again while it stands where it stood and nothing was written to it, so that a set of faces
that has been checked is opened in a fraction of a second.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import PIL

from fer_bench.utils.files import atomic_write, cache_dir, clean_killed, locked
from fer_bench.utils.heap import keep_freed_memory
from fer_bench.utils.json_files import find_sealed, sealed_text
from fer_bench.utils.progress import progress, say

from ..sources.base import Source
from .drawn import mark_of
from .phash import phash
from .pictures import glance

__all__ = ["BLANK_MEAN", "MIN_SIDE", "AuditResult", "audit"]

BLANK_MEAN = 10.0
"""Mean grey level under which a frame is blank: KDEF's ten black frames have 0.6, its pictures 55 and more."""

MIN_SIDE = 32
"""Pixels of the shorter side under which there is no face to read."""

_AUDIT_VERSION = 4
_VERDICT, _STAMP = tuple[str, int, int, str, str], tuple[str, str]
"""Entries of the caches: a `AuditResult` but for its hash, and a file's stamp with the hash of what it held."""


@dataclass(frozen=True)
class AuditResult:
    """What is known of a file.

    Attributes
    ----------
    sha256 : str
        Of its bytes; empty where it cannot be read.
    reason : str
        Why it is unusable; empty where it is not.
    width, height : int
        In pixels, upright; 0 where it cannot be decoded.
    phash : str
        See `fer_bench.data.images.phash`; empty where it cannot be decoded or has hardly any contrast.
    mark : str
        See `fer_bench.data.images.drawn.mark_of`.
    """

    sha256: str
    reason: str
    width: int = 0
    height: int = 0
    phash: str = ""
    mark: str = ""

    def to_cache(self) -> list[str | int]:
        """Return all but the hash of the bytes, under which it is kept."""
        return [self.reason, self.width, self.height, self.phash, self.mark]


def audit(files: Sequence[str], source: Source, workers: int) -> list[AuditResult]:
    """Judge each file, in order."""
    # What decoders of another version refuse, and what they make of damage, may differ.
    verdicts_path = cache_dir() / f"audit-v{_AUDIT_VERSION}-pillow{PIL.__version__}.json"
    home = hashlib.sha256(str(source.path.resolve()).encode("utf-8", "surrogateescape")).hexdigest()
    stamps_path = cache_dir() / "stamps" / f"{home[:20]}.json"
    for path in (verdicts_path, stamps_path):
        if path.exists() and not _load(path, object):
            say(f"{path}: damaged, or of an earlier version; pictures are checked anew.")
    known = {digest: AuditResult(digest, *rest) for digest, rest in _load(verdicts_path, _VERDICT).items()}
    stamps = _load(stamps_path, _STAMP)

    # Taken before the files are read: what is written to one meanwhile makes its stamp another one.
    now = {file: source.stamp(file) for file in files}
    verdicts: dict[str, AuditResult] = {}
    for file, stamp in now.items():
        then, digest = stamps.get(file, ("", ""))
        if stamp and stamp == then and digest in known:
            verdicts[file] = known[digest]
    unknown = [file for file in now if file not in verdicts]
    if unknown:
        keep_freed_memory()
    # Pillow's remarks on odd pictures would reach the user without the file's name.
    with warnings.catch_warnings(), ThreadPoolExecutor(workers) as pool:
        warnings.filterwarnings("ignore", module="PIL")
        with progress("Checking pictures", len(unknown)) as done:
            judged = pool.map(lambda file: _judge(file, source, known), unknown)
            for i, (file, verdict) in enumerate(zip(unknown, judged, strict=True), start=1):
                verdicts[file] = verdict
                done(i)
    fresh = {v.sha256: v.to_cache() for v in verdicts.values() if v.sha256 and v.sha256 not in known}
    _add(verdicts_path, fresh, _VERDICT)
    _add(stamps_path, {f: [now[f], verdicts[f].sha256] for f in unknown if now[f] and verdicts[f].sha256}, _STAMP)
    return [verdicts[file] for file in files]


def _judge(file: str, source: Source, known: Mapping[str, AuditResult]) -> AuditResult:
    try:
        data = source.read(file)
    except (OSError, ValueError) as error:
        return AuditResult("", f"cannot be read: {getattr(error, 'strerror', None) or error}")
    digest = hashlib.sha256(data).hexdigest()
    return known[digest] if digest in known else _look(digest, data)


def _look(digest: str, data: bytes) -> AuditResult:
    import cv2

    try:
        seen = glance(data)
    except ValueError as error:
        return AuditResult(digest, str(error))
    reason = ""
    mean = cv2.mean(seen.grey)[0]  # numpy's takes ten times as long for so few pixels
    if min(seen.width, seen.height) < MIN_SIDE:
        reason = f"{seen.width}x{seen.height} pixels, smaller than {MIN_SIDE}"
    elif mean < BLANK_MEAN:
        reason = f"blank frame (mean grey level {mean:.1f})"
    look = phash(seen.grey, seen.width / seen.height)
    return AuditResult(digest, reason, seen.width, seen.height, look, mark_of(data))


def _load(path: Path, entry: Any) -> dict[str, Any]:
    """Read a cache of entries of one shape; what is not there, or not as it was written, is empty."""
    found: dict[str, Any] | None = find_sealed(path, dict[str, entry])
    return found or {}


def _add(path: Path, new: Mapping[str, list[Any]], entry: Any) -> None:
    """Add to a cache what another process may be adding to, too."""
    if new:
        with locked(path.with_suffix(".lock"), wait=True):
            clean_killed(path)
            with atomic_write(path, "w") as handle:
                handle.write(sealed_text({**_load(path, entry), **new}))
