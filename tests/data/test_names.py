"""Names with additions: whose picture it is, and which picture a changed copy is a copy of."""

import pytest
from layouts import face, kdef_names, save, square, write_ckplus, write_jaffe, write_kdef_as

from fer_bench.data.datasets import load_dataset
from fer_bench.data.layouts.ckplus import CKPLUS, CKPLUS48
from fer_bench.data.layouts.jaffe import JAFFE
from fer_bench.data.layouts.kdef import KDEF
from fer_bench.data.names import KDEF_NAME, name_facts, picture_name
from fer_bench.data.sources.base import Source

ADDITIONS = ["_aug1", " (1)", "-flipped", "_copy", "_crop_0", ".rf.3f9a", "_JPG.rf.3f9a"]


@pytest.mark.parametrize("addition", ADDITIONS)
def test_an_addition_keeps_person_session_and_view(addition):
    """A changed copy of a KDEF picture is a row of its own name that shows the same person in the same view."""
    (row,) = KDEF.listing(Source(None, (f"x/af01anhl{addition}.jpg",), bytes)).rows
    assert row["image"] == f"AF01ANHL{addition}"
    assert (row["subject"], row["session"], row["view"], row["label"]) == ("F01", "A", "HL", "AN")
    assert name_facts(row["image"]).picture == "AF01ANHL"


@pytest.mark.parametrize("stem", ["Copy of AF01ANHL", "aug_AF01ANHL", "007-AF01ANHL_b"])
def test_what_stands_before_a_name_is_an_addition_too(stem):
    """Tools put their words in front as well as behind."""
    (row,) = KDEF.listing(Source(None, (f"{stem}.png",), bytes)).rows
    assert (row["image"], row["subject"]) == (stem, "F01")
    assert name_facts(row["image"]).picture == "AF01ANHL"


@pytest.mark.parametrize("stem", ["AF01ANHLX", "XAF01ANHL", "AF36ANHL", "AF01ANHL_AF02ANHL", "AF01ANHLflip"])
def test_a_piece_of_a_word_and_two_names_are_no_name(stem):
    """A longer word is no KDEF name, and of two names nobody can say which is meant."""
    assert picture_name(KDEF_NAME, stem) is None
    assert [e.file for e in KDEF.listing(Source(None, (f"{stem}.jpg",), bytes)).excluded] == [f"{stem}.jpg"]


@pytest.mark.parametrize(
    ("layout", "file", "image", "subject"),
    [
        (JAFFE, "ka.an1.39_aug.png", "KA.AN1.39_aug", "KA"),
        (JAFFE, "KA.AN1.39 (2).tiff", "KA.AN1.39 (2)", "KA"),
        (JAFFE, "KA.AN1.39.tiff.png", "KA.AN1.39", "KA"),
        (CKPLUS48, "anger/s010_004_00000017_flip.png", "S010_004_00000017_flip", "S010"),
        (KDEF, "AF31V_flip.jpg", "AF31SAHL_flip", "F31"),
        (KDEF, "AF01ANHL.JPG.png", "AF01ANHL", "F01"),
    ],
)
def test_additions_to_other_names(layout, file, image, subject):
    """JAFFE's and CK+'s names are read like KDEF's; a second ending is no addition."""
    (row,) = layout.listing(Source(None, (file,), bytes)).rows
    assert (row["image"], row["subject"]) == (image, subject)


def test_a_copy_of_a_peak_is_no_frame_of_its_own():
    """The last three frames of a sequence stay its peak however many copies of them there are."""
    frames = [f"S005/001/S005_001_{i:08d}.png" for i in range(1, 7)]
    copies = [f"S005/001/S005_001_{i:08d}_flip.png" for i in (1, 4, 6)]
    note = "E/S005_001_00000006_emotion.txt"
    rows = CKPLUS.listing(Source(None, (*frames, *copies, note), lambda name: b"5.0")).rows
    told = {row["image"].removeprefix("S005_001_0000000"): row["label"] for row in rows}
    peak = dict.fromkeys(["4", "4_flip", "5", "6", "6_flip"], "HA")
    assert told == {"1": "NE", "1_flip": "NE"} | peak


def test_copies_are_counted_in_a_note_and_plain_names_have_none(tmp_path):
    """A reader is told how many names have additions, and those alone."""
    write_kdef_as(tmp_path, lambda n: f"{n}.png")
    plain = load_dataset(str(tmp_path), people=None, workers=1)
    assert plain.notes == ()
    save(face("AF31AFS")[:, ::-1], tmp_path / "AF31AFS_flip.png")
    dataset = load_dataset(str(tmp_path), people=None, workers=1)
    assert set(dataset.manifest.table["image"]) == {*kdef_names(), "AF31AFS_flip"}
    assert dataset.notes == (
        "1 of 85 pictures have names with an addition to KDEF's, such as AF31AFS_flip: each counts as a copy of its "
        "original, with its person.",
    )


def test_pictures_of_other_names_are_counted_in_a_note(tmp_path):
    """Where many pictures are left out for their names, the note has their number and what to do."""
    for write in (write_jaffe, write_ckplus):
        (tmp_path / write.__name__).mkdir()
        write(tmp_path / write.__name__)
        for i in range(100):
            save(square("AF01AFS", 48), tmp_path / write.__name__ / "web" / f"web{i:02d}.png")
        (note,) = load_dataset(str(tmp_path / write.__name__), people=None, workers=1).notes
        assert note.startswith("10")
        assert "pictures were left out, as their names are not" in note
        assert "web/web00.png" in note or "KA.XX1" in note


def test_the_strict_list_holds_for_copies(tmp_path):
    """A changed copy of a picture on the strict list is as ruined as the picture."""
    for name in ("AF18AFS", "AF18AFS_flip", "AF31HAS", "AF31SAS"):
        save(face("AF31AFS" if name[2:4] == "18" else name), tmp_path / f"{name}.png")
    dataset = load_dataset(str(tmp_path), people=None, workers=1, strict=True)
    assert list(dataset.manifest.table["image"]) == ["AF31HAS", "AF31SAS"]
