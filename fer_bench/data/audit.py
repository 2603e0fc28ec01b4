"""Every picture looked at once: its hash, and what makes it unusable. Verdicts are cached by content."""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from fer_bench.data.pictures import decode
from fer_bench.data.sources import Source
from fer_bench.files import atomic_write, cache_dir
from fer_bench.progress import progress

__all__ = ["BLANK_MEAN", "Verdict", "audit"]

BLANK_MEAN = 10.0
"""Mean grey level under which a frame is blank: KDEF's ten black frames have 0.6, its pictures 55 and more."""

_AUDIT_VERSION = 1


@dataclass(frozen=True)
class Verdict:
    """What is known of a file: its sha256 (empty where it cannot be read), and why it is unusable (or empty)."""

    sha256: str
    reason: str


def audit(files: Sequence[str], source: Source, workers: int) -> list[Verdict]:
    """Judge each file, in order."""
    cache_path = cache_dir() / f"audit-v{_AUDIT_VERSION}.json"
    try:
        known: dict[str, str] = json.loads(cache_path.read_text())
    except (OSError, ValueError):
        known = {}

    def judge(file: str) -> Verdict:
        try:
            data = source.read(file)
        except (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
            return Verdict("", f"cannot be read: {error}")
        digest = hashlib.sha256(data).hexdigest()
        reason = known.get(digest)
        return Verdict(digest, _verdict(data) if reason is None else reason)

    verdicts = []
    with ThreadPoolExecutor(workers) as pool, progress("Checking pictures", len(files)) as done:
        for verdict in pool.map(judge, files):
            verdicts.append(verdict)
            done(len(verdicts))
    found = {verdict.sha256: verdict.reason for verdict in verdicts if verdict.sha256}
    if not found.keys() <= known.keys():
        with atomic_write(cache_path, "w") as handle:
            json.dump({**known, **found}, handle)
    return verdicts


def _verdict(data: bytes) -> str:
    try:
        picture = decode(data)
    except ValueError as error:
        return str(error)
    if min(picture.shape[:2]) < 32:
        return f"{picture.shape[1]}x{picture.shape[0]} pixels, smaller than 32"
    mean = float(picture.mean())
    return f"blank frame (mean grey level {mean:.1f})" if mean < BLANK_MEAN else ""
