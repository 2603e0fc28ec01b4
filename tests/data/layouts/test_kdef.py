"""Reading KDEF as people have it."""

import os
import zipfile

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from layouts import face, kdef_names, save, write_kdef_as, write_kdef_official
from PIL import Image

from fer_bench.data.datasets import load_dataset
from fer_bench.data.layouts.kdef import KDEF, MISNAMED, STRICT, parse_name, read_kdef
from fer_bench.data.manifest import choose_people
from fer_bench.data.sources.base import Source
from fer_bench.errors import UserError
from fer_bench.labels import EMOTION_NAMES, EMOTIONS, VIEWS

names = st.builds(
    lambda s, g, n, e, v: f"{s}{g}{n:02d}{e}{v}",
    st.sampled_from("AB"), st.sampled_from("FM"), st.integers(1, 35), st.sampled_from(EMOTIONS), st.sampled_from(VIEWS),
)  # fmt: skip


@given(names, st.booleans())
def test_every_name_of_the_grammar_is_read_in_any_case(name, lower):
    """A KDEF name gives back the parts that it was built from, in lower case too."""
    row = parse_name(name.lower() if lower else name)
    assert row["image"] == name
    assert row["session"] + row["subject"] + row["label"] + row["view"] == name


@given(st.text(max_size=10))
def test_other_names_are_not_guessed(text):
    """Whatever is not a KDEF name or one of its two known misnamed files is not read as one."""
    row = parse_name(text)
    assert row is None or row["image"] == MISNAMED.get(text.upper(), text.upper())


@pytest.mark.parametrize(("name", "image"), [("AF31V", "AF31SAHL"), ("AM31H", "AM31SUHR")])
def test_the_two_misnamed_files_are_put_right(name, image):
    """KDEF's two broken names are read as the pictures that they are."""
    assert parse_name(name)["image"] == image


def test_a_folder_is_read_whole(kdef_folder):
    """All 280 pictures of four people are found, with person, session, view and label."""
    manifest = read_kdef(kdef_folder, 2).manifest
    assert len(manifest) == 280
    assert manifest.people == ["F01", "F02", "M01", "M02"]
    assert manifest.table.groupby(["subject", "session", "view", "label"]).size().eq(1).all()
    assert manifest.excluded == ()


def test_a_zip_is_the_same_data_as_its_folder(kdef_folder, tmp_path):
    """The manifest's hash depends on pictures and names, not on how they are packed or where they lie."""
    archive = tmp_path / "faces.zip"
    with zipfile.ZipFile(archive, "w") as z:
        for file in kdef_folder.rglob("*.JPG"):
            z.write(file, f"elsewhere/{file.relative_to(kdef_folder)}")
    assert read_kdef(archive, 2).manifest.hash == read_kdef(kdef_folder, 2).manifest.hash


def test_bad_files_are_left_out_by_name_with_their_reason(tmp_path, write_faces):
    """Truncated, blank, fake, foreign and doubled pictures are each named; every good one is used."""
    write_faces(tmp_path, people=2)
    home = tmp_path / "KDEF" / "AF01"
    whole = (home / "AF01AFS.JPG").read_bytes()
    (home / "AF01AFS.JPG").write_bytes(whole[: len(whole) // 2])
    (home / "AF01ANS.JPG").write_text("this is not a picture")
    (home / "AF01DIS.JPG").write_bytes(b"")
    Image.fromarray(np.zeros((130, 96, 3), np.uint8)).save(home / "AF01HAS.JPG")
    (home / "holiday.jpg").write_bytes(whole)
    (tmp_path / "AKDEF").mkdir()
    (tmp_path / "AKDEF" / "FAFS.JPG").write_bytes(whole)
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "BF01AFS.JPG").write_bytes((tmp_path / "KDEF" / "BF01" / "BF01AFS.JPG").read_bytes())
    (tmp_path / "README.txt").write_text("no picture")
    manifest = read_kdef(tmp_path, 2).manifest
    reasons = {e.file.rsplit("/", 1)[-1]: e.reason for e in manifest.excluded}
    assert set(reasons) == {
        "AF01AFS.JPG", "AF01ANS.JPG", "AF01DIS.JPG", "AF01HAS.JPG", "holiday.jpg", "FAFS.JPG", "BF01AFS.JPG",
        "README.txt",
    }  # fmt: skip
    assert "damaged" in reasons["AF01AFS.JPG"]
    assert "not a picture" in reasons["AF01ANS.JPG"]
    assert "blank" in reasons["AF01HAS.JPG"]
    assert "average" in reasons["FAFS.JPG"]
    assert "second" in reasons["BF01AFS.JPG"]
    assert len(manifest) == 140 - 4


def test_a_damaged_member_of_a_zip_is_named_and_the_others_are_used(kdef_folder, tmp_path):
    """Bytes overwritten inside a compressed archive cost that picture alone."""
    archive = tmp_path / "faces.zip"
    files = sorted(kdef_folder.rglob("AF01*.JPG"))
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as z:
        for file in files:
            z.write(file, file.name)
        offset = z.getinfo(files[3].name).header_offset
    data = bytearray(archive.read_bytes())
    data[offset + 45 : offset + 75] = b"\xff" * 30
    archive.write_bytes(data)
    manifest = read_kdef(archive, 1).manifest
    assert [e.file for e in manifest.excluded] == [files[3].name]
    assert len(manifest) == len(files) - 1


def test_a_name_that_is_no_text_can_be_written_down(write_faces, tmp_path):
    """A file name in another encoding is left out under a name that every file of a run can hold."""
    data = write_faces(tmp_path, people=2)
    with open(os.fsencode(data) + b"/l\xe4s.jpg", "wb") as handle:
        handle.write(b"x")
    (excluded,) = read_kdef(data, 1).manifest.excluded
    assert excluded.file.encode("utf-8") == b"l\\udce4s.jpg"


@pytest.mark.parametrize("make", ["missing", "empty", "text"])
def test_unusable_paths_are_one_clear_sentence(tmp_path, make):
    """No folder, no picture, no zip: the path is named and what was expected is said."""
    path = tmp_path / make
    if make == "empty":
        path.mkdir()
    if make == "text":
        path.write_text("hello")
    with pytest.raises(UserError, match=str(path)) as error:
        read_kdef(path, 1)
    assert "KDEF" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_quick_choice_has_both_sexes(kdef_folder):
    """People are chosen one of each sex in turn, the same every time."""
    manifest = read_kdef(kdef_folder, 2).manifest
    assert choose_people(manifest, 3) == ["F01", "M01", "F02"]


def test_the_whole_rendered_set_is_read(shared):
    """All 4,900 pictures of 70 people of the rendered set in KDEF's layout are usable, and known as drawn."""
    dataset = read_kdef(shared / "kdef_render.zip", 2)
    assert len(dataset.manifest) == 4900
    assert len(dataset.manifest.people) == 70
    assert dataset.rendered
    assert len(dataset.drawn_by) == 1
    assert dataset.notice.startswith("These are rendered faces")


BLANK = {
    *("AF01SUFR", "AF10AFFR", "AF11NEHL", "AF20DIHL", "AM25DIFL"),
    *("AM34DIFR", "BF13NEHR", "BM21DIFL", "BM22DIHL", "BM24DIFL"),
}


def full_size() -> list[str]:
    """KDEF's 4,900 file names, two of them broken."""
    right = {image: broken for broken, image in MISNAMED.items()}
    names = [f"{s}{g}{n:02d}{e}{v}" for s in "AB" for g in "FM" for n in range(1, 36) for e in EMOTIONS for v in VIEWS]
    return [f"KDEF_and_AKDEF/KDEF/{name[:4]}/{right.get(name, name)}.JPG" for name in names]


def test_4900_names_are_4900_rows():
    """At KDEF's own size every name is a row, 140 of each expression and view, and each AKDEF average is refused."""
    averages = [f"KDEF_and_AKDEF/AKDEF/{g}{e}{v}.JPG" for g in "FM" for e in EMOTIONS for v in VIEWS]
    averages[averages.index("KDEF_and_AKDEF/AKDEF/FAFHR.JPG")] = "KDEF_and_AKDEF/AKDEF/FAHR.JPG"
    found = KDEF.listing(Source(None, (*full_size(), *averages), bytes))
    assert len(found.rows) == len({row["image"] for row in found.rows}) == 4900
    counts = {}
    for row in found.rows:
        counts[row["label"], row["view"]] = counts.get((row["label"], row["view"]), 0) + 1
    assert set(counts.values()) == {140}
    assert len(found.excluded) == 70
    assert all("average" in e.reason for e in found.excluded)


def test_the_strict_list_leaves_4822():
    """The stricter clean-up drops 78 pictures that KDEF has, the ten blank frames among them."""
    names = {row["image"] for row in KDEF.listing(Source(None, tuple(full_size()), bytes)).rows}
    assert names >= STRICT >= BLANK
    assert len(names - STRICT) == 4822


def test_the_official_archive_is_read_with_its_bad_files(tmp_path):
    """One folder too deep, two broken names, a blank frame, averages and a text: 84 good pictures, the rest named."""
    dataset = load_dataset(str(write_kdef_official(tmp_path)), people=None, workers=2)
    images = set(dataset.manifest.table["image"])
    assert images == {*kdef_names(), "AM31SUHR"} - {"AF31SUFR"}
    table = dataset.manifest.table.set_index("image")
    assert table.loc["AF31SAHL", "file"].endswith("AF31V.JPG")
    assert table.loc["AM31SUHR", ["label", "view", "subject"]].tolist() == ["SU", "HR", "M31"]
    reasons = {e.file.rsplit("/", 1)[-1]: e.reason for e in dataset.manifest.excluded}
    assert set(reasons) == {"FAFS.JPG", "FAHR.JPG", "MSUS.JPG", "AF31SUFR.JPG", "ReadThis.txt"}
    assert reasons["AF31SUFR.JPG"].startswith("blank frame")


COPIES = {
    "flat": (lambda n: f"{n}.JPG", lambda p: p, "RGB"),
    "class folders": (lambda n: f"KDEF/{n[4:6]}/{n}.jpeg", lambda p: p, "RGB"),
    "classes in words": (lambda n: f"{EMOTION_NAMES[EMOTIONS.index(n[4:6])]}/{n.lower()}.png", lambda p: p, "RGB"),
    "resized": (lambda n: f"{n}.png", lambda p: cv2.resize(p, (120, 162)), "RGB"),
    "cropped": (lambda n: f"x/{n.title()}.bmp", lambda p: p[20:68, 6:54], "RGB"),
    "grey": (lambda n: f"grey/{n}.TIFF", lambda p: p, "L"),
}


@pytest.mark.parametrize("copy", COPIES)
def test_copies_that_people_share_are_the_same_images(tmp_path, copy):
    """However a copy is laid out, renamed in case, resized, cropped or turned grey: same images, labels and people."""
    place, change, mode = COPIES[copy]
    dataset = load_dataset(str(write_kdef_as(tmp_path, place, change, mode)), people=None, workers=2)
    assert (dataset.layout, dataset.crop) == ("kdef", "fixed")
    assert list(dataset.manifest.table["image"]) == sorted(kdef_names())
    assert dataset.manifest.people == ["F31", "M31"]
    assert dataset.manifest.excluded == ()


def test_frontal_pictures_alone_are_data_of_one_view(tmp_path):
    """A copy of straight views of one session has one view and one session, and nothing else is made of it."""
    for name in kdef_names():
        if name.endswith("S") and name[0] == "A":
            save(face(name), tmp_path / f"{name}.JPG")
    table = load_dataset(str(tmp_path), people=None, workers=2).manifest.table
    assert len(table) == 14
    assert set(table["view"]) == {"S"}
    assert set(table["session"]) == {"A"}


def test_a_class_folder_that_contradicts_a_name_is_not_believed(tmp_path):
    """A picture whose folder says another expression than its name is left out: nobody can say which is right."""
    write_kdef_as(tmp_path, lambda n: f"{n[4:6]}/{n}.png")
    (tmp_path / "HA" / "AF31HAS.png").rename(tmp_path / "SA" / "AF31HAS.png")
    (excluded,) = load_dataset(str(tmp_path), people=None, workers=2).manifest.excluded
    assert excluded.file == "SA/AF31HAS.png"
    assert "contradictory labels: the name says HA, the folder SA" in excluded.reason


def test_an_ending_is_not_what_makes_a_picture(tmp_path):
    """A picture under KDEF's name is used whatever its ending, and a text under such a name is left out by name."""
    write_kdef_as(tmp_path, lambda n: f"{n}.png")
    (tmp_path / "AF31HAS.png").rename(tmp_path / "AF31HAS.dat")
    (tmp_path / "AF31SAS.txt").write_text("no picture")
    (tmp_path / "AF31SAS.png").unlink()
    manifest = load_dataset(str(tmp_path), people=None, workers=2).manifest
    assert "AF31HAS" in set(manifest.table["image"])
    (excluded,) = manifest.excluded
    assert excluded.file == "AF31SAS.txt"
    assert "not a picture" in excluded.reason
