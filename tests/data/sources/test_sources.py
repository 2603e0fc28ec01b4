"""Folders and archives as sources of files: read in place, bounded, and never anywhere else."""

import io
import os
import stat
import sys
import tarfile
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer_bench.data.datasets import load_dataset
from fer_bench.data.sources import archives, base
from fer_bench.data.sources.open_source import open_source
from fer_bench.errors import UserError

OUTSIDE = ["../evil.jpg", "KDEF/../../evil.jpg", "/etc/evil.jpg", "C:/evil.jpg", "C:\\evil.jpg", "..\\evil.jpg"]


def reasons(source) -> dict[str, str]:
    return {e.file: e.reason for e in source.refused}


def make_zip(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def make_tar(path: Path, members: dict[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


MEMBERS = {"KDEF/AF01/a.jpg": b"one", "KDEF/AF01/b.jpg": b"", "c.csv": b"two" * 1000}


@pytest.mark.parametrize("kind", ["folder", "a.zip", "a.tar", "a.tar.gz", "a.tgz", "a.tar.bz2", "a.tar.xz"])
def test_every_kind_of_source_gives_the_same_files(tmp_path, kind):
    """A folder, a zip and a tar, plain or compressed, list the same names and give the same bytes."""
    path = tmp_path / kind
    if kind == "folder":
        for name, data in MEMBERS.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(data)
    elif kind == "a.zip":
        make_zip(path, MEMBERS)
    else:
        packing = {"tgz": "gz"}.get(kind.split(".")[-1], kind.split(".")[-1])
        make_tar(path, MEMBERS, "w" if packing == "tar" else f"w:{packing}")
    source = open_source(path)
    assert source.files == tuple(sorted(MEMBERS))
    assert {name: source.read(name) for name in source.files} == MEMBERS
    assert source.refused == ()


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_members_that_lead_outside_are_refused_by_name(tmp_path, make):
    """'..', absolute paths and drive letters are never names of files; the rest of the archive is used."""
    path = make(tmp_path / "faces.archive.tar", {**dict.fromkeys(OUTSIDE, b"evil"), "good.jpg": b"good"})
    source = open_source(path)
    assert "good.jpg" in source.files
    assert not [name for name in source.files if ".." in name.split("/") or name.startswith(("/", "C:"))]
    assert len(source.refused) + len(source.files) == 7
    assert all("outside" in reason for reason in reasons(source).values())


def test_links_in_archives_are_refused_by_name(tmp_path):
    """Symbolic links of zips and all links of tars are named and not followed."""
    info = zipfile.ZipInfo("link.jpg")
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE):
            member = tarfile.TarInfo(f"{kind.decode()}.jpg")
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member)
    assert reasons(open_source(tmp_path / "a.zip")) == {"link.jpg": "a link"}
    refused = reasons(open_source(tmp_path / "a.tar"))
    assert sorted(refused.values()) == ["a link", "a link", "neither a file nor a folder"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_in_folders_are_refused_by_name_and_loops_end(tmp_path):
    """A link to a file or folder outside, a loop and a pipe are each named; none is followed, nothing hangs."""
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(b"secret")
    data = tmp_path / "data"
    (data / "in").mkdir(parents=True)
    (data / "in" / "good.jpg").write_bytes(b"good")
    (data / "out.jpg").symlink_to(secret)
    (data / "broken.jpg").symlink_to(tmp_path / "nowhere")
    (data / "in" / "loop").symlink_to(data)
    os.mkfifo(data / "pipe.jpg")
    source = open_source(data)
    assert source.files == ("in/good.jpg",)
    refused = reasons(source)
    assert refused.pop("pipe.jpg") == "neither a file nor a folder"
    assert set(refused) == {"out.jpg", "broken.jpg", "in/loop"}
    assert all("a link" in reason for reason in refused.values())
    (data / "in" / "good.jpg").unlink()
    (data / "in" / "good.jpg").symlink_to(secret)
    with pytest.raises(OSError, match=r"good\.jpg|symbolic|Too many"):
        source.read("in/good.jpg")


def test_a_folder_behind_a_link_is_taken_where_the_user_says_so(tmp_path):
    """The path that the user gives may itself be a link."""
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.jpg").write_bytes(b"a")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert open_source(tmp_path / "link").files == ("a.jpg",)


def test_a_member_larger_than_a_picture_can_be_is_not_unpacked(tmp_path, monkeypatch):
    """A bomb within the limit of the archive is stopped at the limit of a file, by what really comes."""
    monkeypatch.setattr(base, "_MAX_PICTURE_BYTES", 1000)
    path = make_zip(tmp_path / "a.zip", {"bomb.jpg": b"\0" * 100_000, "fits.jpg": b"\0" * 1000})
    source = open_source(path)
    assert len(source.read("fits.jpg")) == 1000
    with pytest.raises(ValueError, match="MB, more than"):
        source.read("bomb.jpg")


def test_a_header_that_lies_about_the_size_is_found_out(tmp_path):
    """A member that unpacks to more than its header says is damaged, and costs no more memory than it said."""
    path = make_zip(tmp_path / "a.zip", {"bomb.jpg": b"\0" * 1_000_000})
    data = bytearray(path.read_bytes())
    real = (1_000_000).to_bytes(4, "little")
    assert data.count(real) == 2
    path.write_bytes(bytes(data).replace(real, (1000).to_bytes(4, "little")))
    with pytest.raises(ValueError, match="damaged"):
        open_source(path).read("bomb.jpg")


@pytest.mark.parametrize("limit", ["MAX_TOTAL_BYTES", "MAX_FILES"])
def test_an_archive_that_holds_more_than_is_credible_is_refused(tmp_path, monkeypatch, limit):
    """Too many members, or too many bytes together, are one clear sentence before anything is unpacked."""
    path = make_zip(tmp_path / "a.zip", {f"{i}.jpg": b"\0" * 1000 for i in range(20)})
    tar = make_tar(tmp_path / "a.tgz", {f"{i}.jpg": b"\0" * 1000 for i in range(20)}, "w:gz")
    monkeypatch.setattr(archives if limit == "MAX_TOTAL_BYTES" else base, limit, 10)
    for archive in (path, tar):
        with pytest.raises(UserError, match=r"more than|download") as error:
            open_source(archive)
        assert "\n" not in str(error.value)


def zeros(n: int):
    """A file of so many zeros that holds none of them."""
    file = io.BytesIO()
    left = n

    def read(size: int) -> bytes:
        nonlocal left
        size = min(size, left)
        left -= size
        return bytes(size)

    file.read = read
    return file


@pytest.mark.parametrize("kind", ["tar.gz", "tar.bz2", "tar.xz", "zip"])
def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch, kind):
    """An archive that unpacks to hundreds of times its size is one clear sentence, and hardly anything was written."""
    path, cache = tmp_path / f"bomb.{kind}", tmp_path / "cache"
    monkeypatch.setenv("FER_BENCH_CACHE", str(cache))
    monkeypatch.setattr(archives, "_ALWAYS_BYTES", 2_000_000)
    n = 60_000_000
    if kind == "zip":
        make_zip(path, {"a.jpg": bytes(n)})
    else:
        with tarfile.open(path, f"w:{kind[4:]}") as archive:
            info = tarfile.TarInfo("a.jpg")
            info.size = n
            archive.addfile(info, zeros(n))
    assert path.stat().st_size < n / 400
    written = []
    make = archives.tempfile.TemporaryFile
    monkeypatch.setattr(archives.tempfile, "TemporaryFile", lambda **how: written.append(make(**how)) or written[-1])
    with pytest.raises(UserError, match=r"unpacks to more than 100 times its size.*unpack it yourself") as error:
        open_source(path)
    assert str(error.value).startswith(f"`data` {path}: ")
    assert sum(os.fstat(file.fileno()).st_size for file in written) < n / 4


def test_pictures_that_shrink_a_lot_are_no_bomb(tmp_path):
    """A small set of flat pictures without compression is read from an archive that shrinks them to a thousandth."""
    members = {f"{i}.bmp": b"\0" * 1_000_000 for i in range(20)}
    assert len(open_source(make_zip(tmp_path / "a.zip", members)).files) == 20
    assert len(open_source(make_tar(tmp_path / "a.tgz", members, "w:gz")).files) == 20


def test_a_tar_with_a_zip_in_it_is_a_tar(tmp_path):
    """A zip at the end of a tar does not hide the tar's own members."""
    inner = make_zip(tmp_path / "inner.zip", {"b.jpg": b"b"}).read_bytes()
    path = make_tar(tmp_path / "a.tar", {"a.jpg": b"a", "inner.zip": inner})
    assert open_source(path).files == ("a.jpg", "inner.zip")


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_linked_class_folder_is_left_out_by_name(tmp_path):
    """A whole expression behind a link is no silent loss: the link is named with what to do, and counted."""
    for word in ("angry", "happy", "sad"):
        home = tmp_path / ("data" if word != "sad" else "else") / word
        home.mkdir(parents=True)
        for i in range(2):
            pixels = np.random.default_rng([i, ord(word[0])]).integers(0, 255, (48, 48, 3), np.uint8)
            Image.fromarray(pixels).save(home / f"{i}.png")
    (tmp_path / "data" / "sad").symlink_to(tmp_path / "else" / "sad")
    manifest = load_dataset(str(tmp_path / "data"), workers=1).manifest
    assert [(e.file, "a link" in e.reason) for e in manifest.excluded] == [("sad", True)]
    assert manifest.count.sentence == "5 files: 4 read, 1 left out"


def test_second_members_and_encrypted_ones_are_refused_by_name(tmp_path):
    """Which of two members of one name is meant, and what an encrypted one shows, nobody can tell."""
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("twice.jpg", b"first")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("twice.jpg", b"second")
    source = open_source(path)
    assert source.read("twice.jpg") == b"first"
    assert reasons(source) == {"twice.jpg": "a second member of this name"}
    path = make_zip(tmp_path / "b.zip", {"locked.jpg": b"x"}, zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    assert "encrypted" in reasons(open_source(path))["locked.jpg"]


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tgz"])
def test_a_truncated_archive_is_one_clear_sentence(tmp_path, name):
    """Half an archive is told as such, by its path, whatever the library says."""
    path = tmp_path / name
    members = {f"{i}.jpg": os.urandom(5000) for i in range(5)}
    _ = make_zip(path, members) if name == "a.zip" else make_tar(path, members, "w:gz" if name == "a.tgz" else "w")
    path.write_bytes(path.read_bytes()[:12_345])
    with pytest.raises(UserError, match=f"{path}.*damaged"):
        open_source(path)


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_threads_read_one_archive_at_once(tmp_path, make):
    """Eight threads that read all members in different orders get each member's own bytes."""
    members = {f"{i:03d}.jpg": bytes([i]) * (1000 + 37 * i) for i in range(100)}
    source = open_source(make(tmp_path / "a.tar", members))
    orders = [source.files[i:] + source.files[:i] for i in range(0, 80, 10)]
    with ThreadPoolExecutor(8) as pool:
        for read in pool.map(lambda order: {name: source.read(name) for name in order}, orders):
            assert read == members


def test_a_stamp_changes_with_the_file_and_is_empty_while_it_may_change(tmp_path):
    """A file just written has no stamp; a settled one has, and another one after a write of the same length."""
    file = tmp_path / "a.jpg"
    file.write_bytes(b"one")
    source = open_source(tmp_path)
    assert source.stamp("a.jpg") == ""
    time.sleep(2.1)
    settled = source.stamp("a.jpg")
    assert settled
    before = file.stat()
    file.write_bytes(b"two")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))  # as copying tools do
    time.sleep(2.1)
    assert source.stamp("a.jpg") != settled
