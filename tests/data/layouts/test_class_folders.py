"""Class folders of one's own: words mapped, parts given, what is unknown named."""

import os
from pathlib import PurePosixPath

import pytest
from layouts import save, square, write_folders

from fer_bench.data.datasets import load_dataset
from fer_bench.data.layouts.class_folders import FOLDERS, class_folder
from fer_bench.data.sources.base import Source


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
        ("0/1.png", "in no folder of an expression that is known: folder '0'"),
        ("sad/angry/1.png", "contradictory labels: the folders say sad and angry"),
        ("train/test/sad/1.png", "contradictory parts: the folders say test and train"),
        ("contempt/1.png", "contempt is none of the seven expressions"),
    ],
)
def test_what_folders_do_not_say_is_not_guessed(path, problem):
    """No, an unknown, or two contradicting folders give a reason in place of a label."""
    assert class_folder(PurePosixPath(path)).problem == problem
    assert class_folder(PurePosixPath(path)).label == ""


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
