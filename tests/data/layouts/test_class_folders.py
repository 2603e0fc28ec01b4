"""Class folders of one's own: words mapped, parts given, what is unknown named."""

import os
from pathlib import PurePosixPath

import pytest
from layouts import save, square, varied, write_folders

from fer_bench.data.datasets import load_dataset
from fer_bench.data.layouts.class_folders import FOLDERS, class_folder
from fer_bench.data.layouts.folder_words import folder_reader, near_word
from fer_bench.data.sources.base import Source
from fer_bench.errors import UserError


@pytest.mark.parametrize(
    ("path", "label", "split"),
    [
        ("anger/1.png", "AN", ""),
        ("AN/1.png", "AN", ""),
        ("data/Train/Happiness/1.png", "HA", "train"),
        ("val/fear/p1/1.png", "AF", "validation"),
        ("testing/FE/1.png", "AF", "test"),
        ("surprised/sub/1.png", "SU", ""),
    ],
)
def test_folders_are_read_in_any_case_and_depth(path, label, split):
    """The folder of an expression may stand anywhere above the picture, a part's above it."""
    folder = class_folder(PurePosixPath(path))
    assert (folder.label, folder.split, folder.problem) == (label, split, "")


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("1.png", "in no folder of an expression that is known: the top folder"),
        ("holiday/1.png", "in no folder of an expression that is known: folder 'holiday'"),
        ("0/1.png", "in no folder of an expression that is known: folder '0'; numbers differ between data sets"),
        ("neural/1.png", "in no folder of an expression that is known: folder 'neural'; did you mean neutral?"),
        ("Suprise/p1/1.png", "in no folder of an expression that is known: folder 'Suprise'; did you mean surprise?"),
        ("sad/angry/1.png", "contradictory labels: the folders say sad and angry"),
        ("train/test/sad/1.png", "contradictory parts: the folders say test and train"),
        ("contempt/1.png", "contempt is none of the seven expressions"),
    ],
)
def test_what_folders_do_not_say_is_not_guessed(path, problem):
    """No, an unknown, or two contradicting folders give a reason in place of a label."""
    assert class_folder(PurePosixPath(path)).problem == problem
    assert class_folder(PurePosixPath(path)).label == ""


@pytest.mark.parametrize(
    ("files", "labels"),
    [
        (["AN/1.png", "HA/1.png", "contempt/1.png"], ["AN", "HA", ""]),
        (["an/1.png", "de/1.png", "en/1.png"], ["", "", ""]),
        (["an/happy/1.png", "de/sad/1.png"], ["HA", "SA"]),
        (["an/happy/1.png", "an/sad/1.png"], ["HA", "SA"]),
        (["p1/an/1.png", "p1/ha/1.png", "p2/an/1.png", "p2/x/1.png"], ["AN", "HA", "", ""]),
        (["sa/happy/1.png", "di/sad/1.png"], ["", ""]),
        ([".thumbs/1.png", "an/1.png", "ha/1.png"], ["", "AN", "HA"]),
    ],
)
def test_two_letters_are_an_expression_only_among_expressions(files, labels):
    """Beside other folders they may be a language or somebody's initials; nothing is made of them."""
    read = folder_reader(files)
    assert [read(file).label for file in files] == labels


def test_a_folder_of_two_letters_that_is_no_expression_says_why():
    """The reason names the folder beside it and the word to rename it to."""
    problem = folder_reader(["an/1.png", "de/1.png"])("an/1.png").problem
    assert "folder 'an' stands beside 'de'" in problem
    assert "rename it to angry if it is that" in problem


@pytest.mark.parametrize(
    ("folder", "word"),
    [("neural", "neutral"), ("neutrality", "neutral"), ("Suprise", "surprise"), ("happyness", "happiness"),
     ("1_happy", "happy"), ("Angry faces", "angry"), ("contemt", "contempt"), ("image", ""), ("images", ""),
     ("faces", ""), ("features", ""), ("female", ""), ("holiday", ""), ("data", ""), ("0", "")],
)  # fmt: skip
def test_near_words_are_near(folder, word):
    """Misspelt and decorated expressions are told, common names of folders are not taken for them."""
    assert near_word(folder) == word


def write_words(folder, *words):
    for i in range(1, 8):
        for word, label in zip(words, ("AN", "HA", "NE", "SU"), strict=True):
            save(varied(square(f"AF{i:02d}{label}S", 48), i), folder / word / f"{i}.png")
    return str(folder)


def test_an_expression_lost_with_an_unknown_folder_is_told(tmp_path):
    """Seven of 28 pictures in a folder that is nearly neutral: counted, with what may be meant and what is missing."""
    dataset = load_dataset(write_words(tmp_path, "anger", "happy", "neural", "surprise"), people=None, workers=1)
    assert len(dataset.manifest) == 21
    assert dataset.notes == (
        "7 of 28 pictures were left out, as their folder is called after no expression that is known, 'neural' (7; "
        "did you mean neutral?): no picture shows neutral.",
    )


def test_a_few_pictures_elsewhere_are_worth_no_note(tmp_path):
    """One picture in 29 in a folder that is like no expression is an excluded file and no more."""
    write_words(tmp_path, "anger", "happy", "neutral", "surprise")
    save(square("AF01DIS", 48), tmp_path / "holiday" / "1.png")
    assert load_dataset(str(tmp_path), people=None, workers=1).notes == ()


def test_a_linked_class_folder_is_told(tmp_path):
    """A class folder that is a link is not followed, and the expression that is lost with it is named."""
    write_words(tmp_path / "data", "anger", "happy", "neutral", "surprise")
    (tmp_path / "data" / "neutral").rename(tmp_path / "elsewhere")
    (tmp_path / "data" / "neutral").symlink_to(tmp_path / "elsewhere")
    (note,) = load_dataset(str(tmp_path / "data"), people=None, workers=1).notes
    assert note.startswith("Folder neutral was left out: a link")
    assert note.endswith("no picture shows neutral.")


def test_folders_that_are_all_unknown_are_told_with_near_matches(tmp_path):
    """Where no folder is known the error has the folders, their numbers and what may be meant."""
    save(square("AF01HAS", 48), tmp_path / "happyness" / "1.png")
    save(square("AF01SUS", 48), tmp_path / "Suprise" / "1.png")
    with pytest.raises(UserError, match=r"'Suprise' .1; did you mean surprise.*rename them to afraid, angry"):
        load_dataset(str(tmp_path), people=None, workers=1)


def test_a_class_that_is_not_there_is_absent(tmp_path):
    """Three of seven expressions give a manifest of three; the other pictures are named."""
    dataset = load_dataset(str(write_folders(tmp_path)), people=None, workers=2)
    assert set(dataset.manifest.table["label"]) == {"AN", "HA", "SU"}
    assert len(dataset.manifest) == 15
    assert [e.file for e in dataset.manifest.excluded] == ["mine/contempt/1.png", "mine/holiday/1.png"]
    assert "subject" in dataset.why_no_people


def test_equal_names_in_two_folders_are_two_pictures():
    """Pictures are told apart by their whole path: every class folder may begin at 1.png."""
    files = ("a/happy/1.png", "b/happy/1.png", "b/sad/1.png")
    assert [row["image"] for row in FOLDERS.listing(Source(None, files, bytes)).rows] == list(files)


def test_a_name_that_is_no_text_is_left_out_by_name(tmp_path):
    """A picture whose name is in another encoding is named, and the manifest of the others can be written down."""
    write_folders(tmp_path)
    save(square("AF01HAS", 48), tmp_path / "mine" / "Happy" / "x.png")
    os.rename(tmp_path / "mine" / "Happy" / "x.png", os.fsencode(tmp_path / "mine" / "Happy") + b"/l\xe4s.png")
    manifest = load_dataset(str(tmp_path), people=None, workers=1).manifest
    assert "mine/Happy/l\\udce4s.png" in [e.file for e in manifest.excluded]
    assert manifest.hash
