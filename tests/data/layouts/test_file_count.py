"""Every file of a dataset is read as a picture, read as a table, or left out by name: in every layout and source."""

import io
import os
import sys
import tarfile
import zipfile
from collections import Counter
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from layouts import WRITERS, face, save, square, varied
from PIL import Image, features

from fer_bench.cli.inspect import inspect_lines
from fer_bench.data.datasets import load_dataset
from fer_bench.data.manifest import FileCount


@cache
def picture(kind: str, seed: int = 0) -> bytes:
    """A small drawn face as a file of one format."""
    target = io.BytesIO()
    Image.fromarray(varied(face("BF05NES"), seed)).save(target, kind)
    return target.getvalue()


def packed(kind: str) -> bytes:
    """An archive with a picture in it."""
    target = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(target, "w") as archive:
            archive.writestr("AF01AFS.JPG", picture("JPEG"))
    else:
        with tarfile.open(fileobj=target, mode="w:gz") as archive:
            archive.addfile(tarfile.TarInfo("AF01AFS.JPG"), io.BytesIO())
    return target.getvalue()


FILM = b"\0\0\0\x18ftypisom\0\0\2\0isomiso2" + bytes(40)
WHAT = {
    **{
        f"{kind}{end}": picture(kind) for kind in ("JPEG", "PNG", "GIF") for end in (".jpg", ".jfif", "", ".jpg ", ".x")
    },
    **{f"broken{end}": picture("JPEG")[:900] for end in (".jpg", ".jfif", "", ".heic")},
    **{f"black{end}": b"P5 64 64 255\n" + bytes(4096) for end in (".pgm", "")},
    "photo.heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(40),
    "photo.nef": b"II*\0" + bytes(200),
    "film.mp4": FILM,
    "film.jpg": FILM,
    "film": b"RIFF\x24\0\0\0AVI LIST" + bytes(20),
    "film.webm": b"\x1a\x45\xdf\xa3" + bytes(90),
    "more.zip": packed("zip"),
    "more.tar.gz": packed("tar"),
    "more.7z": b"7z\xbc\xaf\x27\x1c" + bytes(30),
    "more.zip.001": bytes(range(1, 90)),
    "scores.csv": b"name,score\na,1\n",
    "scores.tsv": b"name\tscore\na\t1\n",
    "scores.xlsx": b"PK\3\4" + bytes(30),
    "notes.txt": "Müller\n".encode(),
    "notes": b"please read this",
    "empty.jpg": b"",
    "empty": b"",
    "weights.pth": b"\x80\2}q" + bytes(30),
    ".DS_Store": b"\0\0\0\1Bud1",
    "Thumbs.db": b"\xd0\xcf\x11\xe0",
    "desktop.ini": b"[ViewState]",
    "._1.jpg": b"\0\5\x16\7",
}
"""Files that lie about in sets of faces, by name; each is a kind of its own."""

FOLDERS = ("", "happy/", "train/sad/", "holiday/", "__MACOSX/", "S010/001/", "deep/er/")


@cache
def base(layout: str) -> dict[str, bytes]:
    """The files of a small set of a layout."""
    with TemporaryDirectory() as place:
        WRITERS[layout](Path(place))
        return {p.relative_to(place).as_posix(): p.read_bytes() for p in Path(place).rglob("*") if p.is_file()}


def write(place: Path, kind: str, files: dict[str, bytes], links: list[str]) -> Path:
    """Write a source of a kind; links lead to a file, and to a folder with a picture, outside of it."""
    outside = place / "outside"
    outside.mkdir()
    (outside / "1.jpg").write_bytes(picture("JPEG", 9))
    path = place / f"data{'' if kind == 'folder' else '.' + kind}"
    if kind == "folder":
        for name, data in files.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(data)
        for name in links:
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).symlink_to(outside if name.endswith("folder") else outside / "1.jpg")
    elif kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in files.items():
                archive.writestr(name, data)
    else:
        with tarfile.open(path, "w:gz" if kind == "tgz" else "w") as archive:
            for name, data in files.items():
                info = tarfile.TarInfo(name)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
            for name in links:
                info = tarfile.TarInfo(name)
                info.type, info.linkname = tarfile.SYMTYPE, "/etc/hosts"
                archive.addfile(info)
    return path


TOLD = ("table.csv", "fer2013.csv", "fer2013new.csv", "patition_label.txt", "_exp.npy", "label.lst")
"""Ends of names of files that say what the pictures show."""
LOST = ("pictures/lost.png", "test_3000")
"""What tables and lists name and is not there."""

junk = st.dictionaries(st.tuples(st.sampled_from(FOLDERS), st.sampled_from(sorted(WHAT))), st.none(), max_size=12)
links = st.lists(st.sampled_from(["happy/link.jpg", "sad/link-folder", "link"]), unique=True)


@pytest.mark.parametrize("layout", WRITERS)
@given(junk, links, st.sampled_from(["folder", "zip", "tar", "tgz"]))
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_sum_of_files_holds_in_every_layout(layout, junk, links, kind):
    """Whatever lies in a set, each of its files is used, read as a table, or named as left out, and once."""
    files = base(layout) | {folder + what: WHAT[what] for folder, what in junk}
    links = links if sys.platform != "win32" and kind != "zip" else []
    with TemporaryDirectory() as place:
        dataset = load_dataset(f"{layout}:{write(Path(place), kind, files, links)}", workers=1)
    manifest = dataset.manifest
    every = {*manifest.table["file"], *(e.file for e in manifest.excluded)}
    lost = {name for name in every if name in LOST or ".lst, line" in name}
    rows = every - files.keys() - {*links} - lost
    used, named = set(manifest.table["file"]) - rows, Counter(e.file for e in manifest.excluded)
    told = set(files) - used - set(named)
    assert told == {name for name in base(layout) if name.endswith(TOLD)} | {
        name for name in base(layout) if name.endswith("_emotion.txt") and "S022_003" not in name
    }
    assert used | set(named) - rows - lost | told == set(files) | set(links)
    assert used <= set(files)
    assert not [name for name, n in named.items() if n > 1]
    count = manifest.count
    assert count.there == len(files) + len(links) + len(rows)
    assert (count.read, count.told) == (len(manifest), len(told))
    assert count.left_out + count.besides == sum(named.values())
    assert count.whole
    assert count.sentence in list(inspect_lines(dataset))


REASONS = {
    "film.mp4": "a film",
    "film": "a film",
    "film.webm": "a film",
    "film.jpg": "not a picture: a film",
    "more.zip": "an archive: unpack it and give the folder",
    "more.tar.gz": "an archive: unpack it and give the folder",
    "more.7z": "an archive: unpack it and give the folder",
    "more.zip.001": "an archive: unpack it and give the folder",
    "scores.csv": "a table that this layout does not read",
    "scores.tsv": "a table that this layout does not read",
    "scores.xlsx": "a table that this layout does not read",
    "notes.txt": "a text",
    "notes": "a text",
    "empty": "an empty file",
    "weights.pth": "not a picture",
    "photo.heic": "HEIC, which cannot be read here: save it as JPEG or PNG",
    "photo.nef": "a camera's raw picture, which cannot be read here: save it as JPEG or PNG",
    ".DS_Store": "the operating system's own file",
    "Thumbs.db": "the operating system's own file",
    "desktop.ini": "the operating system's own file",
    "._1.jpg": "the operating system's own file",
}


def test_what_is_left_out_is_called_by_its_kind(tmp_path):
    """Films, archives, tables, texts and others are told apart by their content, and by their names where need be."""
    for name, data in (base("folders") | {f"mine/Happy/{what}": WHAT[what] for what in REASONS}).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    excluded = {e.file: e.reason for e in load_dataset(str(tmp_path), workers=1).manifest.excluded}
    found = {what: excluded[f"mine/Happy/{what}"] for what in REASONS}
    assert {what: reason for what, reason in found.items() if not reason.startswith(REASONS[what])} == {}


ENDINGS = {
    **dict.fromkeys((".jfif", ".jpe", "", ".jpg ", ".JPG.", ".png", ".dat", ".jpg (1)", ".jpg_large", ".txt"), "JPEG"),
    **{".bmp": "PNG", ".tif": "JPEG", ".gif": "WEBP", ".pnm": "PPM"},
}


@pytest.mark.parametrize("kind", ["folder", "zip", "tar"])
def test_pictures_are_told_by_content_whatever_their_ending(tmp_path, kind):
    """Pictures of any ending, none, or the wrong one are read in class folders, from folders and archives alike."""
    files = {
        f"{word}/{i}{end}": picture(kind, 10 * i + j)
        for i, (end, kind) in enumerate(ENDINGS.items())
        for j, word in enumerate(("happy", "sad"))
    }
    manifest = load_dataset(str(write(tmp_path, kind, files, [])), workers=1).manifest
    assert set(manifest.table["file"]) == set(files)
    assert manifest.count == FileCount(len(files), len(files), 0, 0)
    assert manifest.count.sentence == "28 files: 28 read, 0 left out"


@pytest.mark.parametrize(("form", "end", "feature"), [("AVIF", "avif", "avif"), ("JPEG2000", "jp2", "jpg_2000")])
def test_rare_formats_are_read_where_pillow_can(tmp_path, form, end, feature):
    """AVIF and JPEG 2000 are read, with and without their endings, where there is a decoder; else named."""
    able = bool(features.check(feature))
    data = picture(form) if able else b"\0\0\0\x18ftypavif\0\0\0\0mif1avif" + bytes(40)
    files = {f"sad/a.{end}": data, "happy/1.jpg": picture("JPEG"), "sad/2": picture("JPEG", 2)}
    manifest = load_dataset(str(write(tmp_path, "folder", files, [])), workers=1).manifest
    assert (f"sad/a.{end}" in set(manifest.table["file"])) == able
    assert all(e.reason.endswith("save it as JPEG or PNG") for e in manifest.excluded)


def test_a_name_without_an_ending_is_read_whole(tmp_path):
    """JAFFE's KA.AN1.39 keeps its number where the ending is gone, and KDEF's names do without one, too."""
    for name in ("KA.AN1.39", "KA.HA1.29", "KL.AN1.167"):
        save(varied(square("AF01ANS", 64), len(name) + ord(name[3])), tmp_path / "jaffe" / f"{name}.png", "L")
        os.rename(tmp_path / "jaffe" / f"{name}.png", tmp_path / "jaffe" / name)
    manifest = load_dataset(str(tmp_path / "jaffe"), workers=1).manifest
    assert {"KA.AN1.39", "KA.HA1.29", "KL.AN1.167"} >= set(manifest.table["image"])
    assert len(manifest) + len(manifest.excluded) == 3
    for name in ("AF01AFS", "AF01HAS"):
        save(face(name), tmp_path / "kdef" / f"{name}.png")
        os.rename(tmp_path / "kdef" / f"{name}.png", tmp_path / "kdef" / name)
    assert list(load_dataset(str(tmp_path / "kdef"), workers=1).manifest.table["image"]) == ["AF01AFS", "AF01HAS"]


def test_pictures_that_a_table_does_not_list_are_named(tmp_path):
    """In a folder with a table, the pictures that it passes over are counted; a table by itself is all there is."""
    (tmp_path / "data").mkdir()
    for name, data in base("csv").items():
        (tmp_path / "data" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "data" / name).write_bytes(data)
    save(np.full((64, 64, 3), 90, np.uint8), tmp_path / "data" / "spare.png")
    excluded = {e.file: e.reason for e in load_dataset(str(tmp_path / "data"), workers=1).manifest.excluded}
    assert excluded["spare.png"] == "a picture that the table does not list"
    alone = load_dataset(str(tmp_path / "data" / "table.csv"), workers=1).manifest
    assert "spare.png" not in {e.file for e in alone.excluded}
    assert alone.count == FileCount(57, 56, 1, 0, 2)
    assert alone.count.sentence == "57 files: 56 read, 1 read for what it says, 0 left out; 2 rows left out besides"


@pytest.mark.parametrize("kind", ["folder", "zip", "tar"])
def test_a_table_that_was_only_looked_at_is_left_out(tmp_path, kind):
    """Of two tables the one that lists the pictures is read; the header of the other was read, and it is named."""
    files = base("csv") | {"scores.csv": WHAT["scores.csv"]}
    manifest = load_dataset(str(write(tmp_path, kind, files, [])), workers=1).manifest
    assert ("scores.csv", "a table that this layout does not read") in {(e.file, e.reason) for e in manifest.excluded}
    assert manifest.count == FileCount(58, 56, 1, 1, 2)
