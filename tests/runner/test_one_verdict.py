"""A run, its plan, its data, its folds' file and its report give one verdict on who and what is in train and test."""

import json
import re

import cv2
import pandas as pd
import pytest

from fer_bench.labels import EMOTIONS

CLASSES = dict(zip(EMOTIONS, ("fear", "angry", "disgust", "happy", "neutral", "sad", "surprise"), strict=True))
KNN = ["--suite", "classical", "--only", "knn-pixels", "--profile", "full"]
BY_NAME = "2 people are in train and test (by the images' names)"
ONE = "people: by the images' names 8 of the column subject are 4, such as AF01 ("


@pytest.fixture(scope="module")
def sittings(write_faces, tmp_path_factory):
    """A table of KDEF's pictures, whose column subject is the first four letters: a sitting, not a person."""
    folder = write_faces(tmp_path_factory.mktemp("sittings"), people=4, views=("S",))
    files = sorted(folder.rglob("*.JPG"), key=lambda file: file.name)
    table = pd.DataFrame({"path": [str(file.relative_to(folder)) for file in files]})
    table["label"], table["subject"] = [f.stem[4:6] for f in files], [f.stem[:4] for f in files]
    table.to_csv(folder / "pictures.csv", index=False)
    return folder / "pictures.csv"


def test_sittings_that_stand_as_people_are_refused_by_all(cli, sittings, tmp_path):
    """`run`, `plan`, `data inspect`, `folds check`, `--folds` and the report: one woman of two names is not apart."""
    asked = ["--data", sittings, "--protocol", "subject-2fold", *KNN]
    ran = cli("run", *asked, "--out", tmp_path / "r")
    planned = cli("plan", *asked)
    inspected = cli("data", "inspect", sittings)
    checked = cli("folds", "check", tmp_path / "r" / "folds" / "subject-2fold.csv", expect=1)
    given = cli("run", "--data", sittings, *KNN, "--folds", tmp_path / "r" / "folds" / "subject-2fold.csv", expect=2)
    made = cli("folds", "make", tmp_path / "f.csv", "--data", sittings, "--protocol", "subject-2fold")
    report = (tmp_path / "r" / "report.md").read_text()
    refused = "REFUSED: these folds are not subject-independent"
    for said in (ran.stderr, planned.stdout, inspected.stdout, made.stdout, report):
        assert ONE in said
        assert refused in said
        assert "by the images' names)" in said
    assert BY_NAME in checked.stdout
    assert BY_NAME in given.stderr
    assert refused in checked.stdout
    found = json.loads((tmp_path / "r" / "run.json").read_text())["protocols"]["subject-2fold"]
    assert found["people_disjoint"] is False
    assert (found["check"]["people"]["state"], found["check"]["accepted"]) == ("refused", False)
    assert "never seen" not in report
    assert "yes, checked" not in report
    assert "no: 2 are also trained on, by the images' names" in report


def test_the_same_pictures_with_people_s_names_are_accepted_by_all(cli, sittings, tmp_path):
    """With one name a person, the remedy of the message, nothing is said and people are apart."""
    table = pd.read_csv(sittings)
    table["path"] = str(sittings.parent) + "/" + table["path"]
    table.assign(subject=table["subject"].str[1:]).to_csv(tmp_path / "healed.csv", index=False)
    ran = cli(
        "run", "--data", "healed.csv", "--allow-outside", "--protocol", "subject-2fold", *KNN, "--out", tmp_path / "r"
    )
    checked = cli("folds", "check", tmp_path / "r" / "folds" / "subject-2fold.csv")
    report = (tmp_path / "r" / "report.md").read_text()
    assert "REFUSED" not in ran.stderr + checked.stdout + report
    assert "yes, checked" in report
    found = json.loads((tmp_path / "r" / "run.json").read_text())["protocols"]["subject-2fold"]
    assert (found["people_disjoint"], found["check"]["accepted"]) == (True, True)


def test_copies_in_a_maker_s_split_are_counted_by_all(cli, write_faces, tmp_path):
    """Test pictures that training holds saved anew: told by run and inspect, counted in the report, refused."""
    faces = write_faces(tmp_path / "faces", people=6, views=("S",))
    for i, file in enumerate(sorted(faces.rglob("*.JPG"))):
        word, test = CLASSES[file.stem[4:6]], file.stem[1:4] == "F01"
        place = tmp_path / "d" / ("test" if test else "train") / word
        place.mkdir(parents=True, exist_ok=True)
        picture = cv2.imread(str(file))
        cv2.imwrite(str(place / f"{i}.png"), picture)
        if test:
            again = tmp_path / "d" / "train" / word / f"{i}_again.jpg"
            again.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(again), picture, [cv2.IMWRITE_JPEG_QUALITY, 90])
    ran = cli("run", "--data", "d", "--protocol", "official", *KNN, "--out", tmp_path / "r")
    inspected = cli("data", "inspect", "d")
    checked = cli("folds", "check", tmp_path / "r" / "folds" / "official.csv", expect=1)
    report = (tmp_path / "r" / "report.md").read_text()
    told = re.search(r"near-duplicates: REFUSED, (\d+) of 14 tests \(\d+ %\) look the same", checked.stdout)
    assert told
    assert int(told[1]) >= 9, "most copies are found; not every one is promised"
    share = told[0].partition("REFUSED, ")[2]
    for said in (ran.stderr, inspected.stdout, checked.stdout, report):
        assert share in said
    leakage = report.split("## Leakage")[1].split("\n## ")[0]
    assert f"| official | 14 | 0 | – | {told[1]} |" in leakage
    assert "REFUSED: these folds do not keep what was claimed" in leakage
