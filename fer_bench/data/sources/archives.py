"""Zip and tar files as sources: members are read where they lie, and what could do harm is refused by name.

Refused are paths that lead outside, links, devices, encrypted members, second members of one name, and more bytes
than is credible; what a header says of sizes is checked against what really comes.
"""

from __future__ import annotations

import lzma
import os
import re
import stat
import tarfile
import tempfile
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, TypeVar

from fer_bench.errors import UserError
from fer_bench.utils.files import cache_dir, need_space

from ..manifest import Excluded
from .base import Source, check_count, file_stamp, max_bytes
from .kinds import HEAD_BYTES

__all__ = ["MAX_TOTAL_BYTES", "is_tar", "is_zip", "open_tar", "open_zip"]

MAX_TOTAL_BYTES = 64_000_000_000
"""Unpacked bytes of an archive; KDEF has under one thousand million."""

_MOST_TIMES, _ALWAYS_BYTES = 100, 256_000_000
"""How many times its own size an archive may unpack to, and what any may: JPEGs hardly shrink, FER2013's table and bare
pixels of rendered faces to a third; a bomb unpacks to a thousand times its size and more."""

_DRIVE = re.compile(r"[A-Za-z]:")
_DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    RuntimeError,
    NotImplementedError,
)
_CHUNK = 1 << 20

Member = TypeVar("Member")


def is_zip(path: Path) -> bool:
    """Tell whether a file says that it is a zip, sound or not; a tar with a zip in it is none."""
    start = _starts(path)
    return start.startswith(b"PK\x03\x04") or (zipfile.is_zipfile(path) and start[257:262] != b"ustar")


def is_tar(path: Path) -> bool:
    """Tell whether a file is a tar, or a compressed file that is called one."""
    start = _starts(path)
    called = re.search(r"\.(tar(\.\w+)?|tgz|tbz2?|txz)$", path.name.lower()) is not None
    return start[257:262] == b"ustar" or (called and start.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ")))


def open_zip(path: Path, parameter: str = "data") -> Source:
    """List a zip's members.

    Raises
    ------
    UserError
        The zip's directory is damaged, or says more than is credible.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (*_DAMAGE, OSError, ValueError) as error:
        raise UserError(f"`{parameter}` {path}: the zip file is damaged: {error}; download it again") from error
    members = [member for member in archive.infolist() if not member.is_dir()]
    named = [(member.filename.replace("\\", "/"), _why_not_zip(member), member) for member in members]
    chosen, refused = _choose(f"`{parameter}` {path}", named, lambda member: member.file_size)
    _refuse_bomb(path, sum(member.file_size for member in chosen.values()), path.stat().st_size, parameter)

    def read(name: str) -> bytes:
        limit = max_bytes(name)
        if chosen[name].file_size > limit:
            raise ValueError(_too_large(chosen[name].file_size, limit))
        try:
            with archive.open(chosen[name]) as handle:  # safe from several threads: each has its own position
                return _bounded(handle, limit)
        except _DAMAGE as error:
            raise ValueError(f"damaged in the zip file: {error}") from error

    def head(name: str) -> bytes:
        try:
            with archive.open(chosen[name]) as handle:
                return handle.read(HEAD_BYTES)
        except (*_DAMAGE, OSError):
            return b""

    def say(name: str) -> str:
        return f"{chosen[name].header_offset}:{chosen[name].CRC}"

    return Source(path, tuple(sorted(chosen)), read, refused, _stamps(path, say), parameter, head)


def open_tar(path: Path, parameter: str = "data") -> Source:
    """List a tar's members; a compressed tar is first unpacked into one nameless temporary file.

    Raises
    ------
    UserError
        The archive is damaged, says more than is credible, or does not fit on the disk.
    """
    try:
        handle = _plain_tar(path, parameter)
        with tarfile.open(fileobj=handle, mode="r:") as archive:
            members = [member for member in archive if not member.isdir()]
    except (*_DAMAGE, OSError, ValueError) as error:
        raise UserError(f"`{parameter}` {path}: the tar file is damaged: {error}; download it again") from error
    named = [(member.name.removeprefix("./"), _why_not_tar(member), member) for member in members]
    chosen, refused = _choose(f"`{parameter}` {path}", named, lambda member: member.size)
    lock = threading.Lock()

    def read(name: str) -> bytes:
        member = chosen[name]
        if member.size > max_bytes(name):
            raise ValueError(_too_large(member.size, max_bytes(name)))
        with lock:
            handle.seek(member.offset_data)
            data = handle.read(member.size)
        if len(data) < member.size:
            raise ValueError("damaged: the tar file ends within it")
        return data

    def head(name: str) -> bytes:
        with lock:
            handle.seek(chosen[name].offset_data)
            return handle.read(min(HEAD_BYTES, chosen[name].size))

    stamps = _stamps(path, lambda name: str(chosen[name].offset))
    return Source(path, tuple(sorted(chosen)), read, refused, stamps, parameter, head)


def _starts(path: Path) -> bytes:
    try:
        with open(path, "rb") as handle:
            return handle.read(262)
    except OSError:
        return b""


def _stamps(path: Path, say: Callable[[str], str]) -> Callable[[str], str]:
    """Stamps of members: the archive's own, and where the member stands in it."""
    whole = file_stamp(path)
    return lambda name: f"{whole}:{say(name)}" if whole else ""


def _choose(
    where: str, named: Iterable[tuple[str, str, Member]], size: Callable[[Member], int]
) -> tuple[dict[str, Member], tuple[Excluded, ...]]:
    """Sort members into those that are read, by name, and those that are refused."""
    chosen: dict[str, Member] = {}
    refused = []
    total = 0
    for count, (name, reason, member) in enumerate(named, start=1):
        check_count(where, count)
        why = reason or _why_not_name(name)
        if name in chosen and not why:
            why = "a second member of this name"
        if why:
            refused.append(Excluded(name, why))
            continue
        chosen[name] = member
        total += size(member)
    if total > MAX_TOTAL_BYTES:
        raise UserError(
            f"{where}: the archive unpacks to {total / 1e9:,.0f} GB, more than {MAX_TOTAL_BYTES / 1e9:.0f}; "
            "expected a set of faces: unpack it yourself if it is one, and give the folder"
        )
    return chosen, tuple(refused)


def _why_not_name(name: str) -> str:
    if name.startswith("/") or _DRIVE.match(name):
        return "an absolute path, which leads outside the archive"
    return "a path that leads outside the archive" if ".." in name.split("/") else ""


def _why_not_zip(member: zipfile.ZipInfo) -> str:
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return "a link"
    if kind not in (0, stat.S_IFREG):
        return "neither a file nor a folder"
    return "encrypted; unpack it with its password, and give the folder" if member.flag_bits & 1 else ""


def _why_not_tar(member: tarfile.TarInfo) -> str:
    if member.issym() or member.islnk():
        return "a link"
    return "" if member.isreg() and not member.issparse() else "neither a file nor a folder"


def _too_large(size: int, limit: int) -> str:
    return f"{size / 1e6:,.0f} MB, more than {limit / 1e6:,.0f}"


def _bounded(handle: IO[bytes], limit: int) -> bytes:
    """Read to the end, which is where the file's checksum is compared, or up to the limit."""
    data = handle.read(limit + 1)
    if len(data) > limit:
        raise ValueError(f"more than {limit / 1e6:,.0f} MB")
    return data


def _refuse_bomb(path: Path, unpacked: int, packed: int, parameter: str) -> None:
    """Refuse what unpacks to more than is credible, before it is written or held anywhere.

    Raises
    ------
    UserError
        ``unpacked`` bytes out of ``packed`` are too many.
    """
    if unpacked > _ALWAYS_BYTES + _MOST_TIMES * packed:
        raise UserError(
            f"`{parameter}` {path}: it unpacks to more than {_MOST_TIMES} times its size, as archives do that are made "
            "to fill a disk; expected a set of faces: if it is one, unpack it yourself and give the folder"
        )


def _plain_tar(path: Path, parameter: str) -> IO[bytes]:
    start = _starts(path)
    if start[257:262] == b"ustar" or not is_tar(path):
        return open(path, "rb")
    folder = cache_dir()
    folder.mkdir(parents=True, exist_ok=True)
    plain = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - has no name, so that it goes when the process does
    with open(path, "rb") as packed, _decompressed(packed, start) as stream:
        while chunk := stream.read(_CHUNK):
            _refuse_bomb(path, plain.tell() + len(chunk), packed.tell(), parameter)
            need_space(folder, len(chunk), f"unpacking {path.name}")
            plain.write(chunk)
            if plain.tell() > MAX_TOTAL_BYTES:
                raise ValueError(f"it unpacks to more than {MAX_TOTAL_BYTES / 1e9:.0f} GB")
    plain.seek(0, os.SEEK_SET)
    return plain


def _decompressed(packed: IO[bytes], start: bytes) -> IO[bytes]:
    import bz2
    import gzip

    if start.startswith(b"\x1f\x8b"):
        return gzip.open(packed)  # type: ignore[return-value]
    return bz2.open(packed) if start.startswith(b"BZh") else lzma.open(packed)  # type: ignore[return-value]
