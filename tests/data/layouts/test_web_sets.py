"""Sets of faces from the web, each with numbers of its own for expressions: RAF-DB, AffectNet, ExpW, FER+."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from layouts import (
    AFFECTNET,
    fer_rows,
    save,
    square,
    web_faces,
    write_affectnet,
    write_expw,
    write_fer2013_csv,
    write_ferplus,
    write_rafdb,
    write_rafdb_folders,
)  # fmt: skip

from fer_bench.data.datasets import load_dataset
from fer_bench.data.layouts.affectnet import AFFECTNET_ORDER
from fer_bench.data.layouts.ferplus import FERPLUS
from fer_bench.data.layouts.known import LAYOUTS, recognise
from fer_bench.data.layouts.rafdb import RAFDB_ORDER
from fer_bench.data.sources.base import Source
from fer_bench.data.sources.open_source import open_source
from fer_bench.data.words import LABEL_WORDS
from fer_bench.errors import UserError
from fer_bench.labels import EMOTIONS


def read(path):
    return load_dataset(str(path), people=None, workers=1)


def reasons_of(dataset):
    return {e.file: e.reason for e in dataset.manifest.excluded}


@pytest.mark.parametrize(
    ("name", "order"),
    [
        # Makers' notes: whdeng.cn/RAF/model1.html; the paper's table 3; the note on label.lst; FER+'s own header.
        ("rafdb", "SU AF DI HA SA AN NE"),
        ("rafdb-folders", "SU AF DI HA SA AN NE"),
        ("affectnet", "NE HA SA SU AF DI AN"),
        ("expw", "AN DI AF HA SA SU NE"),
        ("ferplus", "NE HA SU SA AN DI AF"),
    ],
)
def test_numbers_stand_for_what_their_makers_say(name, order):
    """Each set has its own order, and none is another's."""
    assert list(LAYOUTS[name].labels.values()) == order.split()


def test_rafdb_takes_its_list_and_aligned_faces(tmp_path):
    """Label by the list, part by the name; whole photographs, other pictures and lines without one are named."""
    dataset = read(write_rafdb(tmp_path))
    assert dataset.layout == "rafdb"
    labels = {number: label for number, label, _ in web_faces()}
    for row in dataset.manifest.table.itertuples():
        part, number = row.image.split("_")
        assert (row.label, row.split) == (labels[int(number)], part)
        assert row.file.endswith("_aligned.jpg")
    assert len(dataset.manifest) == 21
    reasons = reasons_of(dataset)
    assert reasons.pop("basic/Image/original/train_00001.jpg").startswith("a whole photograph")
    assert reasons.pop("test_3000").startswith("no such picture: line 22 of basic/EmoLabel")
    unlisted = "basic/Image/aligned/train_12000_aligned.jpg", "compound/Image/aligned/train_0001_aligned.jpg"
    assert all(reasons[name].startswith("not in the list of RAF-DB's basic expressions") for name in unlisted)
    assert dataset.manifest.people == []
    assert "non-commercial" in dataset.notice


def test_rafdbs_whole_photographs_are_read_with_a_note(tmp_path):
    """Without aligned faces the photographs are read, and the reader is told."""
    for file in (write_rafdb(tmp_path) / "basic" / "Image" / "aligned").iterdir():
        file.rename(file.with_name(file.name.replace("_aligned", "")))
    dataset = read(tmp_path)
    assert len(dataset.manifest) + len(dataset.manifest.excluded) >= 21
    assert any("--crop detect" in note for note in dataset.notes)


def test_rafdbs_compound_expressions_are_refused(tmp_path):
    """Numbers up to 11 are another list of the same name."""
    write_rafdb(tmp_path)
    with pytest.raises(UserError, match="compound expressions, 1 to 11, are none of the seven"):
        read(tmp_path / "compound")
    with pytest.raises(UserError, match="compound expressions, 1 to 11, are none of the seven"):
        read(f"rafdb:{tmp_path / 'compound'}")


def test_rafdb_in_numbered_folders(tmp_path):
    """RAF-DB's own names tell what the folders' numbers are; part and label are as in the list."""
    dataset = read(write_rafdb_folders(tmp_path))
    assert dataset.layout == "rafdb-folders"
    labels = {number: label for number, label, _ in web_faces()}
    told = {row.image: (row.label, row.split) for row in dataset.manifest.table.itertuples()}
    assert all(told[image] == (labels[int(image[-4:])], image.split("_")[0]) for image in told)
    assert len(told) == 21
    assert "in no folder from 1 to 7" in reasons_of(dataset)["DATASET/sample.jpg"]


@pytest.mark.parametrize(
    "files",
    [
        ("train/1/a.jpg", "train/2/b.jpg"),
        ("train/0/train_00001_aligned.jpg", "train/1/train_00002_aligned.jpg"),
        ("train/1/train_12272_aligned.jpg",),
        ("train/1/train_00001_aligned.jpg", "train/8/train_00002_aligned.jpg"),
    ],
)
def test_other_numbered_folders_are_not_rafdbs(files):
    """Other names, a folder 0 or 8 and numbers that RAF-DB does not reach are refused, not guessed."""
    with pytest.raises(UserError, match=r"numbers .*, which stand for other expressions in every data set"):
        recognise(Source(None, files, bytes))


def test_numbered_folders_name_the_layouts_that_may_be_meant():
    """The error has the orders that the numbers fit, and the layout to give for each."""
    with pytest.raises(UserError) as zero:
        recognise(Source("x", ("train/0/a.jpg", "train/6/b.jpg"), bytes))
    assert f"give affectnet:x if they are in AffectNet's order ({AFFECTNET_ORDER})" in str(zero.value)
    assert "rafdb" not in str(zero.value)
    with pytest.raises(UserError) as one:
        recognise(Source("x", ("train/1/a.jpg", "train/7/b.jpg"), bytes))
    assert f"rafdb-folders:x if they are in RAF-DB's order ({RAFDB_ORDER})" in str(one.value)


def test_affectnet_takes_its_annotations(tmp_path):
    """Label by the annotation, part by the folder; contempt, a damaged and a missing annotation are named."""
    dataset = read(write_affectnet(tmp_path))
    assert dataset.layout == "affectnet"
    labels = {number: label for number, label, _ in web_faces()}
    for row in dataset.manifest.table.itertuples():
        number = int(row.file.split("/")[-1].split(".")[0])
        assert (row.label, row.split) == (labels[number], "validation" if number % 3 == 0 else "train")
    assert len(dataset.manifest) == 21
    reasons = reasons_of(dataset)
    assert reasons["train_set/images/22.jpg"] == "contempt is none of the seven expressions"
    assert reasons["train_set/images/23.jpg"].startswith("no expression in 23_exp.npy")
    assert reasons["train_set/images/24.jpg"].startswith("no annotation beside it")


def test_affectnets_numbered_folders_are_read_where_they_are_named(tmp_path):
    """``affectnet:PATH`` takes folders 0 to 7 in AffectNet's order and says so."""
    for number, label, picture in web_faces(2):
        save(picture, tmp_path / "train" / AFFECTNET[label] / f"{number}.jpg")
    save(square("AF01DIS", 48), tmp_path / "train" / "7" / "99.jpg")
    dataset = load_dataset(f"affectnet:{tmp_path}", people=None, workers=1)
    assert len(dataset.manifest) == 14
    assert {row.file.split("/")[1]: row.label for row in dataset.manifest.table.itertuples()} == {
        AFFECTNET[label]: label for label in EMOTIONS
    }
    assert AFFECTNET_ORDER in dataset.notes[0]


def test_expw_cuts_each_face_out_of_its_photograph(tmp_path):
    """A line is a picture of its own: the pixels inside its box (top, left, right, bottom) and nothing else."""
    dataset = read(write_expw(tmp_path))
    assert dataset.layout == "expw"
    faces = list(web_faces(4))
    shown = {}
    for (number, left, one), (_, right, two) in zip(faces[::2], faces[1::2], strict=True):
        shown |= {f"happy_people_{number}_0": (left, one), f"happy_people_{number}_1": (right, two)}
    table = dataset.manifest.table
    assert set(table["image"]) == set(shown)
    for row, picture in zip(table.itertuples(), dataset.pictures(dataset.manifest, 1), strict=True):
        label, pixels = shown[row.image]
        assert row.label == label
        np.testing.assert_array_equal(picture, pixels)


def test_expws_useless_lines_and_pictures_are_named(tmp_path):
    """A picture that is not there or not listed, a line too short, a box outside and a number beyond 6."""
    with open(write_expw(tmp_path) / "label" / "label.lst", "a") as file:
        file.write("happy_people_1.png 4 0 0 48 48 50 9\n")
    with pytest.raises(UserError, match="no usable image"):
        read(tmp_path)
    reasons = reasons_of(read(f"expw:{tmp_path}"))
    told = Counter(reason.split(":")[0] for reason in reasons.values())
    assert told["no such picture"] == told["not the 8 cells of a face"] == told["no number from 0 to 6"] == 1
    assert reasons["image/origin/unlisted.png"].startswith("not in label/label.lst")
    assert any("box of the face is not on the picture" in reason for reason in reasons.values())


def test_a_list_of_something_else_is_not_expws():
    """Any other file that is called label.lst is nobody's layout."""
    for text in (b"a.jpg 1\n", b"a.jpg 0 1 2 3 4 5 9\n", b"", b"a.jpg 0 x 2 3 4 5 6\n"):
        with pytest.raises(UserError, match="no usable image"):
            recognise(Source(Path("x"), ("label.lst", "a.jpg"), lambda name, text=text: text))


def test_ferplus_takes_the_majority_of_votes(tmp_path):
    """The label that more than half of the votes name; contempt, no majority, no face and unknown are left out."""
    dataset = read(write_ferplus(tmp_path))
    assert dataset.layout == "ferplus"
    expected = {f"row-{i:05d}": label for i, (label, _, _) in enumerate(fer_rows(), start=1)}
    table = dataset.manifest.table
    assert len(table) == 38
    assert all(expected[row.image] == row.label for row in table.itertuples())
    assert set(table["split"]) == {"train", "PublicTest", "PrivateTest"}
    assert reasons_of(dataset) == {
        "row-00004": "contempt is none of the seven expressions",
        "row-00005": "no majority: 4 neutral, 4 sadness, 1 anger, 1 disgust",
        "row-00009": "no face (NF), say most of those asked",
        "row-00010": "unknown: most of those asked saw no expression that has a name",
    }
    assert "not FER2013's own" in dataset.notes[0]


@pytest.mark.parametrize(
    ("votes", "label"),
    [
        ("5 0 0 5 0 0 0 0 0 0", ""),  # a tie
        ("4 1 1 1 1 1 1 0 0 0", "NE"),  # single votes do not count
        ("5 0 0 3 2 0 0 0 0 0", ""),  # half is no majority
        ("6 0 0 2 2 0 0 0 0 0", "NE"),
        ("1 1 1 1 1 1 1 1 1 1", ""),
        ("0 0 0 0 0 0 9 1 0 0", "AF"),
        ("0 0 0 0 0 0 x 1 0 0", ""),
    ],
)
def test_a_majority_is_counted_as_its_makers_do(tmp_path, votes, label):
    """As in FER+'s own reader: votes of one are dropped, and more than half of the others must agree."""
    header = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
    (tmp_path / "fer2013new.csv").write_text(f"{header}\nTraining,fer0000001.png,{votes.replace(' ', ',')}\n")
    save(square("AF01NES", 48), tmp_path / "FER2013Train" / "fer0000001.png")
    found = FERPLUS.listing(open_source(tmp_path))
    assert [row["label"] for row in found.rows] == ([label] if label else [])
    assert len(found.rows) + len(found.excluded) == 1


def test_votes_of_other_rows_are_refused(tmp_path):
    """A row less, another part or another order of rows would give every picture another's votes."""
    votes = (write_ferplus(tmp_path) / "fer2013new.csv").read_text().splitlines()
    training = [line for line in votes[1:] if line.startswith("Training")]
    turned = iter(training[-4:] + training[:-4])
    shuffled = [next(turned) if line.startswith("Training") else line for line in votes[1:]]
    cases = {
        "expected a row of votes for each row of pixels": votes[1:-1],
        "expected the same rows in the same order": [votes[-1], *votes[2:-1], votes[1]],
        "as if rows stood in another order": shuffled,
    }
    for message, lines in cases.items():
        (tmp_path / "fer2013new.csv").write_text("\n".join([votes[0], *lines]) + "\n")
        with pytest.raises(UserError, match=message):
            read(tmp_path)


def test_votes_alone_say_what_they_need(tmp_path):
    """Without pictures the error names the table to put beside them; FER2013's table alone stays FER2013's."""
    write_ferplus(tmp_path)
    (tmp_path / "fer2013.csv").unlink()
    with pytest.raises(UserError, match=r"expected FER2013's table fer2013.csv beside fer2013new.csv"):
        read(tmp_path)
    path = write_fer2013_csv(tmp_path)
    assert load_dataset(f"fer2013-csv:{path}", people=None, workers=1).layout == "fer2013-csv"


def test_the_orders_in_words_are_the_orders_in_code():
    """What an error tells a user of an order is what the layout does."""
    for order, name in ((RAFDB_ORDER, "rafdb"), (RAFDB_ORDER, "rafdb-folders"), (AFFECTNET_ORDER, "affectnet")):
        told = {number: LABEL_WORDS.get(word) for number, word in (part.split() for part in order.split(", "))}
        assert {number: label for number, label in told.items() if label} == LAYOUTS[name].labels
