"""Drawn faces are known by their files, under any name; photographs stay what they are in any folder."""

import csv
import hashlib
import json
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from fer_bench.data.datasets import load_dataset
from fer_bench.data.images import drawn
from fer_bench.data.images.audit import audit
from fer_bench.data.images.drawn import PHOTOGRAPHS, mark_of
from fer_bench.data.images.pictures import decode
from fer_bench.data.join import join_datasets
from fer_bench.data.layouts.known import LAYOUTS
from fer_bench.data.manifest import Manifest
from fer_bench.data.overlap import copied_pictures, shared_people
from fer_bench.data.render import render_portrait, software, write_kdef
from fer_bench.data.sources.open_source import open_source

SIZE = (56, 76)
LICENCE = "may not be redistributed"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """One rendered person, as ``data render`` writes her, in a folder called stand-in."""
    home = tmp_path_factory.mktemp("made") / "stand-in"
    write_kdef(home, n_people=1, size=SIZE, workers=1)
    return home


def photographs(folder, number="02"):
    """Pictures of one person in KDEF's names that nothing has marked."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(int(number))
    for label in ("AF", "HA", "SA"):
        Image.fromarray(rng.integers(60, 200, (76, 56, 3), np.uint8)).save(folder / f"AF{number}{label}S.JPG")
    return folder


def load(path):
    return load_dataset(str(path), workers=1)


def replace_hashes(dataset):
    """The dataset without the hashes of how pictures look: faces of one renderer look alike when so small."""
    return replace(dataset, manifest=Manifest(dataset.table.assign(phash="")))


def test_a_rendered_set_is_rendered_under_any_name(written):
    """The mark tells; the notice says so in place of KDEF's licence."""
    data = load(written)
    assert data.rendered
    assert data.drawn_by == (software(0),)
    assert "rendered faces" in data.notice
    assert LICENCE not in data.notice


def test_a_mark_is_known_in_any_place(written, tmp_path):
    """In an archive, in class folders and in a table of one's own; of a person of another seed, too."""
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for file in (written / "KDEF").rglob("*.JPG"):
            archive.write(file, f"a/{file.name}")
    for label, word in (("HA", "happy"), ("SA", "sad")):
        (tmp_path / "folders" / word).mkdir(parents=True)
        for file in (written / "KDEF").rglob(f"*{label}S.JPG"):
            (tmp_path / "folders" / word / file.name[:4]).with_suffix(".jpg").write_bytes(file.read_bytes())
    beside = Path(shutil.copytree(written / "KDEF", tmp_path / "table" / "KDEF"))
    rows = [f"{file},{file.stem[4:6]}" for file in sorted(beside.rglob("*S.JPG"))]
    table = tmp_path / "table" / "table.csv"
    table.write_text("path,label\n" + "\n".join(rows) + "\n")
    for path in (tmp_path / "x.zip", tmp_path / "folders", table):
        assert load(path).drawn_by == (software(0),)


def test_pictures_truth_and_note_say_what_drew_them(written):
    """The comment stands behind JFIF's header and changes no pixel; the table of the truth names the same."""
    file = written / "KDEF" / "AF01" / "AF01HAS.JPG"
    with Image.open(file) as picture:
        assert picture.info["comment"].decode().startswith(f"Software: {software(0)};")
        assert "jfif" in picture.info
    picture = render_portrait("AF01HAS", size=SIZE)
    _, plain = cv2.imencode(".jpg", picture[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])
    assert np.array_equal(decode(file.read_bytes()), decode(plain.tobytes()))
    with (written / "truth.csv").open(encoding="utf-8") as table:
        assert {row["software"] for row in csv.DictReader(table)} == {software(0)}


def test_the_mark_survives_as_png_text_and_as_exif(tmp_path):
    """Other places of a file's metadata are read alike; the words in a name, or far inside the pixels, are no mark."""
    picture = Image.fromarray(render_portrait("AF01HAS", size=SIZE))
    text = PngInfo()
    text.add_text("Software", software(3))
    picture.save(tmp_path / "a.png", pnginfo=text)
    exif = Image.Exif()
    exif[0x0131] = software(4)
    picture.save(tmp_path / "b.jpg", exif=exif)
    picture.save(tmp_path / "c.tiff", software=software(5))
    files = ("a.png", "b.jpg", "c.tiff")
    assert [mark_of((tmp_path / file).read_bytes()) for file in files] == [software(seed) for seed in (3, 4, 5)]
    picture.save(tmp_path / f"{software(0)}.png")
    assert mark_of((tmp_path / f"{software(0)}.png").read_bytes()) == ""
    assert mark_of(bytes(70_000) + software(0).encode()) == ""


def test_photographs_are_photographs_whatever_their_folder_is_called(tmp_path):
    """A folder's name draws nothing: KDEF's notice stays."""
    data = load(photographs(tmp_path / "my-render-set"))
    assert not data.rendered
    assert data.drawn_by == ()
    assert data.notice == LAYOUTS["kdef"].notice


def test_some_drawn_pictures_are_counted(written, tmp_path):
    """Photographs with drawn faces among them: how many, both notices, and no winner."""
    photographs(tmp_path / "mixed")
    for file in sorted((written / "KDEF").rglob("*S.JPG"))[:2]:
        (tmp_path / "mixed" / file.name).write_bytes(file.read_bytes())
    data = load(tmp_path / "mixed")
    assert data.rendered
    assert data.drawn_by == (software(0), PHOTOGRAPHS)
    assert data.notice.startswith(f"2 of 5 pictures are rendered faces, drawn by {software(0)}")
    assert data.notice.endswith(LAYOUTS["kdef"].notice)


def test_a_set_without_marks_is_known_by_its_hashes(tmp_path, monkeypatch):
    """Pictures of the set that went round in KDEF's names are in the list; any of them is known, in any number."""
    assert len(drawn._known()) == 4900
    assert {len(digits) for digits in drawn._known()} == {12}
    photographs(tmp_path / "faces")
    known = {hashlib.sha256(file.read_bytes()).hexdigest()[:12] for file in (tmp_path / "faces").glob("*")}
    monkeypatch.setattr(drawn, "_known", lambda: frozenset(known))
    data = load(tmp_path / "faces")
    assert data.rendered
    assert "ICT-FaceKit" in data.notice
    assert LICENCE not in data.notice
    known.pop()
    assert load(tmp_path / "faces").notice.startswith("2 of 3 pictures are rendered faces")


def test_the_audit_remembers_marks(written, tmp_path, monkeypatch):
    """A second look, which opens no file, knows the same."""
    monkeypatch.setenv("FER_BENCH_CACHE", str(tmp_path))
    source = open_source(written)
    files = [file for file in source.files if file.endswith(".JPG")][:5]
    first = audit(files, source, 1)
    (cache,) = tmp_path.glob("audit-*.json")
    assert {entry[-1] for entry in json.loads(cache.read_text())["value"].values()} == {software(0)}
    assert audit(files, source, 1) == first


def test_people_of_two_renderers_are_different(written, tmp_path):
    """AF01 of seed 0 is herself in another folder, and not the AF01 of seed 1 or of a photograph."""
    write_kdef(tmp_path / "other", n_people=1, size=SIZE, seed=1, workers=1)
    write_kdef(tmp_path / "small", n_people=1, size=(70, 95), workers=1)
    here, again, other = load(written), load(tmp_path / "small"), load(tmp_path / "other")
    photos = load(photographs(tmp_path / "photos", "01"))
    assert load_dataset("synthetic", people=1, workers=1).drawn_by == here.drawn_by == again.drawn_by
    assert shared_people(here, again) == {"F01": "F01"}
    assert len(copied_pictures(here, again)) == 70
    for another in (other, photos):
        assert shared_people(here, replace_hashes(another)) == {}
        assert copied_pictures(here, replace_hashes(another)) == {}
    joined, _ = join_datasets(photos, here)
    assert joined.rendered
    assert joined.drawn_by == (software(0), PHOTOGRAPHS)
