"""Folds given in as a file are held against the data: images must be there, promises are proven anew."""

import pandas as pd
import pytest

from fer_bench.data.datasets import load_dataset
from fer_bench.data.manifest import as_manifest
from fer_bench.errors import UserError
from fer_bench.folds.check import check_made
from fer_bench.folds.folds import Folds
from fer_bench.folds.given import user_folds
from fer_bench.folds.match import match_images
from fer_bench.folds.splitters import make_folds


@pytest.fixture(scope="module")
def manifest(kdef_folder):
    """Four people, 280 pictures."""
    return load_dataset(str(kdef_folder), people=None, workers=1).manifest


@pytest.fixture(scope="module")
def folds(manifest):
    return make_folds(manifest, "subject-2fold", 5)


def test_a_protocol_s_own_file_is_that_protocol(manifest, folds, tmp_path):
    """What `folds make` wrote comes back under the protocol's name and hash, so that the same trials are meant."""
    folds.write(tmp_path / "f.csv")
    found, notes = user_folds(tmp_path / "f.csv", manifest)
    assert (found.protocol, found.hash, notes) == ("subject-2fold", folds.hash, ())


def test_folds_for_other_data_are_used_and_said(manifest, folds, tmp_path):
    """Another manifest is a difference that is told; images that stand in no fold are counted."""
    table = folds.table[folds.table["image"].str.endswith("S")]
    Folds("subject-2fold", "0" * 64, 5, table).write(tmp_path / "mine.csv")
    found, notes = user_folds(tmp_path / "mine.csv", manifest)
    assert found.protocol == "given-mine"
    assert found.manifest_hash == manifest.hash
    assert any("made for other data (manifest 000000000000" in note for note in notes)
    assert any("224 images of the data stand in none" in note for note in notes)
    assert any("is not what that protocol makes" in note for note in notes)


def test_the_claim_is_proven_from_the_data_s_people(manifest, folds, tmp_path):
    """A file that says subject-2fold and leaks one image is refused, though its own column of people hides it."""
    table = folds.table.copy()
    row = table.index[(table["fold"] == 0) & (table["role"] == "test")][0]
    table.loc[row, "role"] = "train"
    table.loc[row, "subject"] = "somebody else"
    Folds("subject-2fold", manifest.hash, 5, table).write(tmp_path / "f.csv")
    with pytest.raises(UserError, match=r"it says subject-2fold, which keeps people apart, but people: 1 person is in"):
        user_folds(tmp_path / "f.csv", manifest)


def test_a_wrong_column_of_people_does_not_count(manifest, folds, tmp_path):
    """People and labels are the data's own; rows that say otherwise are counted."""
    table = folds.table.assign(subject="x", label="HA")
    Folds("random", manifest.hash, 5, table).write(tmp_path / "f.csv")
    found, notes = user_folds(tmp_path / "f.csv", manifest)
    assert check_made(found, manifest).people_apart == "proven"
    assert any("the person differs from the data's own in 560 rows" in note for note in notes)
    assert any("the expression differs" in note for note in notes)


def test_another_tool_s_table_names_files(manifest, tmp_path):
    """A CSV with paths and a test fold a picture is matched by the files' names, in any case."""
    rows = [
        f"/somewhere/{image.lower()}.png,{int(subject[1:]) % 2}"
        for image, subject in zip(manifest.table["image"], manifest.table["subject"], strict=True)
    ]
    (tmp_path / "theirs.csv").write_text("\n".join(["path,fold", *rows]))
    found, notes = user_folds(tmp_path / "theirs.csv", manifest)
    assert found.protocol == "given-theirs"
    assert len(found.table) == 560
    assert check_made(found, manifest).people_apart == "proven"
    assert any("each image is tested in its fold" in note for note in notes)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,role\nAF01AFS,train\nBF01AFS,test\nCAT,test\n", "1 of its 3 images are not in the data, such as CAT"),
        ("image,role\nAF01AFS,train\n", "fold 0: 1 images to train on and 0 to test on"),
        ("image,role\nAF01AFS,train\nAF01AFS,test\n", "stand more than once, such as AF01AFS"),
        (
            "image,role,fold\nAF01AFS,train,0\nBF01AFS,test,0\nAF01ANS,train,1\nBF01AFS,test,1\n",
            "1 images are tested more than once, such as BF01AFS",
        ),
    ],
)
def test_folds_that_do_not_fit_are_one_sentence(manifest, tmp_path, text, message):
    """Images that the data lack, empty sides, and images that are tested twice are refused by name."""
    (tmp_path / "f.csv").write_text(text)
    with pytest.raises(UserError, match=message) as error:
        user_folds(tmp_path / "f.csv", manifest)
    assert str(error.value).startswith("`folds` ")


FILES = ["happy/img001.jpg", "sad/img001.jpg", "sad/img002.jpg", "faces/sad/img003.jpg", "img003.png", "img003.bmp"]
FILES += ["sad/img004.jpg", "img004.jpg"]


@pytest.fixture(scope="module")
def classes():
    """Pictures of class folders, of which some have one name."""
    rows = [{"image": f"i{k}", "file": file, "label": "SA" if "sad" in file else "HA"} for k, file in enumerate(FILES)]
    return as_manifest(rows, [], "here")


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("sad/img001.jpg", "sad/img001.jpg"),
        ("/home/me/classes/sad/img001.jpg", "sad/img001.jpg"),
        ("C:\\\\me\\\\classes\\\\Happy\\\\IMG001.png", "happy/img001.jpg"),
        ("./sad/img001", "sad/img001.jpg"),
        ("img002.tif", "sad/img002.jpg"),
        ("sad/img003.jpg", "faces/sad/img003.jpg"),
        ("/d/faces/sad/img003.jpg", "faces/sad/img003.jpg"),
        ("/d/img003.png", "img003.png"),
        ("/d/sad/img004.jpg", "sad/img004.jpg"),
        ("/d/img004.jpg", "img004.jpg"),
    ],
)
def test_a_name_means_the_picture_whose_folders_agree(classes, name, file):
    """Folders before a name are held against the data's as far as both go; the longest agreement counts."""
    found = match_images(pd.Series([name.replace("\\\\", "\\")]), classes, "f.csv")
    assert list(found) == [f"i{FILES.index(file)}"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "angry/img002.jpg",
            r"not in the data, such as angry/img002.jpg \(a picture of that name is in another folder: i2",
        ),
        ("img001.jpg", "may be one of several pictures, such as img001.jpg: i0, i1; give their whole paths"),
        ("/d/img003.jpg", "may be one of several pictures, such as /d/img003.jpg: i4, i5"),
        ("cat.jpg", "1 of its 1 images are not in the data, such as cat.jpg; give"),
    ],
)
def test_a_name_that_means_no_picture_or_several_is_refused(classes, name, message):
    """Another picture of the same file name is never taken in silence, and namesakes are not called absent."""
    with pytest.raises(UserError, match=message):
        match_images(pd.Series([name]), classes, "f.csv")


def test_what_a_protocol_s_own_file_states_is_compared_too(manifest, folds, tmp_path):
    """A changed label in a file that matches its protocol picture by picture is said; equal words are no difference."""
    table = folds.table.copy()
    table.loc[0, "label"] = "SA" if table.loc[0, "label"] != "SA" else "HA"
    table.loc[1, "label"] = {"AF": "afraid"}.get(table.loc[1, "label"], table.loc[1, "label"])
    Folds("subject-2fold", manifest.hash, 5, table).write(tmp_path / "f.csv")
    found, notes = user_folds(tmp_path / "f.csv", manifest)
    assert found.hash == folds.hash
    assert [note for note in notes if "differs" in note] == [
        "--folds f.csv: the expression differs from the data's own in 1 rows; the data's own is used"
    ]
