"""Runs on data as people have them: damaged pictures, options, two datasets, folds of one's own, every protocol."""

import json

import cv2
import pandas as pd
import pytest

ONLY = ["run", "--suite", "classical", "--only", "[lg][dn][ab]-*"]  # lda and gnb on three features


def test_bad_pictures_are_named_in_the_report_and_the_run_goes_on(cli, write_faces, tmp_path):
    """A truncated JPEG and a text file named .JPG are excluded by name in both reports."""
    data = write_faces(tmp_path / "faces", people=4)
    home = data / "KDEF" / "AF01"
    whole = (home / "AF01AFS.JPG").read_bytes()
    (home / "AF01AFS.JPG").write_bytes(whole[: len(whole) // 3])
    (home / "AF01SUFR.JPG").write_text("not a picture at all")
    cli(*ONLY, "--data", data, "--out", tmp_path / "r")
    for report in ("report.md", "report.html"):
        text = (tmp_path / "r" / report).read_text()
        assert "AF01AFS.JPG" in text
        assert "AF01SUFR.JPG" in text
    assert pd.read_csv(tmp_path / "r" / "manifest.csv").shape[0] == 278


def test_options_of_the_data_are_recorded_and_shown(cli, kdef_folder, tmp_path):
    """--views and --crop choose the images, stand in run.json and in both reports, and make other trials."""
    command = ["run", "--suite", "classical", "--only", "knn-pixels", "--data", kdef_folder, "--out", tmp_path / "r"]
    cli(*command, "--protocol", "view-out", "--views", "S,HL", "--crop", "none")
    info = json.loads((tmp_path / "r" / "run.json").read_text())
    assert info["dataset"]["n_images"] == 112
    assert info["dataset"]["views"] == ["HL", "S"]
    assert info["dataset"]["options"] == {"crop": "none", "views": ["S", "HL"]}
    rule = info["protocols"]["view-out"]
    assert (rule["n_folds"], rule["n_train"], rule["n_test"]) == (4, 28, 112)
    assert rule["people_disjoint"] is True
    assert "28 test images, 2 people" in rule["balance"]
    for report in ("report.md", "report.html"):
        text = (tmp_path / "r" / report).read_text()
        assert "--views S,HL --crop none" in text
    assert len(list((tmp_path / "r").glob("trials/*/trial.json"))) == 4


def test_one_dataset_trains_and_another_is_tested(cli, kdef_folder, write_faces, tmp_path):
    """--test-data: every image of the second is tested once; its pictures and people in the first are told."""
    other = write_faces(tmp_path / "other", people=2, views=("S",))
    for file in other.rglob("*.JPG"):
        file.write_bytes(recoded(file))
    command = ["run", "--suite", "classical", "--only", "lda-pixels", "--data", kdef_folder, "--out", tmp_path / "r"]
    cli(*command, "--test-data", other, "--profile", "full")
    table = pd.read_parquet(tmp_path / "r" / "predictions.parquet")
    assert set(table["protocol"]) == {"cross-dataset"}
    assert len(table) == 28
    assert set(table["subject"]) == {"both/F01", "both/M01"}
    assert (table["label"] == table["predicted"]).mean() > 0.5, "the faces are drawn alike"
    info = json.loads((tmp_path / "r" / "run.json").read_text())
    assert info["dataset"]["options"] == {"test_data": "other"}
    assert info["dataset"]["layouts"] == ["kdef"]
    assert info["dataset"]["n_people"] == 4
    rule = info["protocols"]["cross-dataset"]
    assert rule["n_train"] <= 280 - 28, "no picture that is tested is trained on in another coding"
    assert rule["people_disjoint"] is False
    assert (rule["n_people_tested"], rule["n_people_also_trained"]) == (2, 2)
    assert any("2 of 2 people of other are in" in note for note in info["notes"])
    assert "never seen" not in (tmp_path / "r" / "report.md").read_text()
    assert "cross-dataset" in (tmp_path / "r" / "report.md").read_text()


def test_given_folds_run_end_to_end(cli, kdef_folder, tmp_path):
    """`folds make`, then `run --folds`: the file's folds, its protocol's name, proven anew; `folds check` agrees."""
    made = cli("folds", "make", tmp_path / "f.csv", "--protocol", "subject-2fold", "--data", kdef_folder)
    assert "140 test images, 2 people, 50 % women a fold" in made.stdout
    command = ["run", "--suite", "classical", "--only", "knn-pixels", "--data", kdef_folder, "--out", tmp_path / "r"]
    cli(*command, "--folds", tmp_path / "f.csv")
    info = json.loads((tmp_path / "r" / "run.json").read_text())
    rule = info["protocols"]["subject-2fold"]
    assert list(info["protocols"]) == ["subject-2fold"]
    assert (rule["n_people_tested"], rule["n_people_also_trained"]) == (4, 0)
    assert info["dataset"]["options"] == {"folds": "f.csv"}
    # The drawn faces look alike, whoever it is: by person, look-alikes would be refused.
    checked = cli("folds", "check", tmp_path / "r" / "folds" / "subject-2fold.csv", "--claim", "image")
    assert "with the manifest beside it (280 images)" in checked.stdout
    assert "people: proven" in checked.stdout
    assert "ACCEPTED: no picture is in train and test" in checked.stdout


def recoded(file):
    """The same picture in another file."""
    picture = cv2.imread(str(file))
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes()


@pytest.mark.slow
def test_every_protocol_of_one_dataset_runs_and_is_compared(cli, kdef_folder, tmp_path):
    """The suite of protocols: each one's trials end well, and the report sets partners side by side."""
    cli("run", "--suite", "protocols", "--data", kdef_folder, "--out", tmp_path / "r", "--profile", "full")
    results = pd.read_csv(tmp_path / "r" / "results.csv")
    assert results["status"].eq("ok").all()
    assert results["protocol"].nunique() == 9
    rules = json.loads((tmp_path / "r" / "run.json").read_text())["protocols"]
    assert rules["frontal-to-profile"]["summary"].endswith("of other people (4 folds by person)")
    text = (tmp_path / "r" / "report.md").read_text()
    assert "session-out" in text
    assert "skipped, protocol subject-10fold" in text
