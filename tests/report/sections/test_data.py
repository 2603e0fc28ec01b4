"""The data section tells the whole audit, and no folder of the user's machine is published."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulate import PERSON, RANDOM, Simulation, write_run

from fer_bench.report import write_report
from fer_bench.report.model.paths import published_command, without_folders


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_run(tmp_path / "run", Simulation(people=4, sessions=1, folds=2, methods=("gnb-lbp",), curves=False))


def change(folder: Path, **dataset: Any) -> str:
    """Write these keys into the run's dataset and return the data section."""
    info = json.loads((folder / "run.json").read_text())
    info["dataset"] |= dataset
    (folder / "run.json").write_text(json.dumps(info))
    text = write_report([folder]).with_name("report.md").read_text(encoding="utf-8")
    return text.split("\n## Data\n")[1].split("\n## Provenance\n")[0]


def test_left_out_files_are_counted_by_reason(folder: Path) -> None:
    """Reasons that differ in a number or in the file's own name are one row; every file stands in the folded table."""
    blank = [{"file": f"AF{i:02d}.JPG", "reason": f"blank frame (mean grey level 0.{i})"} for i in range(3)]
    double = [{"file": name, "reason": f"{name} holds the same picture"} for name in ("b.jpg", "copy of c.jpg")]
    change(folder, excluded=[*blank, *double])
    by_reason = pd.read_csv(folder / "tables" / "left-out.csv")
    assert by_reason["files"].tolist() == [3, 2]
    assert by_reason["reason"][0].startswith("blank frame (mean grey level 0.0) (names or numbers differ in 2 more)")
    assert len(pd.read_csv(folder / "tables" / "excluded.csv")) == 5
    assert '<details class="tbl" id="excluded">' in (folder / "report.html").read_text(encoding="utf-8")


def test_long_lists_are_cut_and_say_so(folder: Path) -> None:
    """Of 1,500 files left out the report lists 1,000, counts all, and says where the others are."""
    text = change(folder, excluded=[{"file": f"{i}.jpg", "reason": "double of another"} for i in range(1500)])
    assert "Left out: 1,500 files" in text
    assert "The first 1,000 of 1,500; run.json names all of them." in text
    assert pd.read_csv(folder / "tables" / "left-out.csv")["files"].tolist() == [1500]


def test_layout_options_crops_and_balance_are_told(folder: Path) -> None:
    """What made the data what they are stands in the data section; what was not asked for does not."""
    text = change(
        folder,
        layout="jaffe and csv",
        options={"views": ["S", "HL"], "strict": True, "test_data": "/home/jane/other.zip", "folds": ""},
        crop_audit={
            **{"detector": "yunet 0123abcd", "found": 1234, "fallback": 2, "by": {"fallback": 2, "yunet": 1234}},
            **{"views": {"FL": [617, 2], "S": [617, 0]}, "names": ["AF01AFFL", "AF01AFFR"]},
        },
    )
    for row in (
        "| layout | JAFFE: pictures named like KA.AN1.39.tiff; and a table of your own with the columns path",
        "| by each detector | fallback 2, yunet 1,234 |",
        "| view FL | 617 found, 2 not |",
        "| option --views | S, HL |",
        "| option --strict | yes |",
        "| option --test-data | other.zip |",
        "| detector | yunet 0123abcd |",
        "| faces found | 1,234 |",
        "| fixed box or centre in place of a face | 2 |",
        "| AF01AFFR |",
        f"| {PERSON} | 490 test images, 7 people a fold |",
        f"| {RANDOM} | 490 test images, 7 people a fold |",
    ):
        assert row in text
    assert "--folds" not in text
    assert "jane" not in (folder / "report.html").read_text(encoding="utf-8")


def test_report_publishes_no_folder_of_the_user(folder: Path) -> None:
    """The command, a failure's reason and a note lose their folders in every file but run.json."""
    info = json.loads((folder / "run.json").read_text())
    info["command"] = "fer-bench run --data '/home/jane doe/kdef.zip' --weights-dir=/mnt/jane/weights --out runs/a"
    info["notes"] = ["weights came from /home/jane/w.pth"]
    (folder / "run.json").write_text(json.dumps(info))
    trials = pd.read_csv(folder / "trials.csv", keep_default_na=False)
    trials.loc[0, ["state", "reason"]] = ["failed", "OSError: [Errno 5] '/home/jane doe/x/store.npy'"]
    trials.to_csv(folder / "trials.csv", index=False)
    write_report([folder])
    for name in ("report.md", "report.html"):
        text = (folder / name).read_text(encoding="utf-8")
        assert "jane" not in text
        assert "--data kdef.zip --weights-dir=weights --out runs/a" in text
        assert "store.npy" in text
    assert "/home/jane doe/kdef.zip" in json.loads((folder / "run.json").read_text())["command"]


@pytest.mark.parametrize(
    ("command", "published"),
    [
        ("fer-bench run --suite all --only '*-lbp'", "fer-bench run --suite all --only '*-lbp'"),
        ("fer-bench run --data ../shared/kdef.zip", "fer-bench run --data ../shared/kdef.zip"),
        ("fer-bench run --data kdef:/a/b.zip", "fer-bench run --data kdef:b.zip"),
        ("fer-bench run --data ~/faces/", "fer-bench run --data faces"),
        ("fer-bench run --data 'C:\\Users\\j\\kdef.zip'", "fer-bench run --data kdef.zip"),
        ("fer-bench run --data https://a.example/b/c", "fer-bench run --data https://a.example/b/c"),
        ("fer-bench run --data '/home/jane/kdef.zip", "fer-bench run --data 'kdef.zip"),
    ],
)
def test_commands_keep_all_but_folders(command: str, published: str) -> None:
    """Absolute paths lose their folders; options, relative paths, patterns and addresses stay as typed."""
    assert published_command(command) == published


@given(st.lists(st.text("abcXYZ-_=0123 .,:;()%", max_size=8), max_size=6))
def test_sentences_without_paths_stay_as_they_are(words: list[str]) -> None:
    """Nothing but an absolute path is touched."""
    text = " ".join(words)
    assert without_folders(text) == text


def test_that_nothing_was_left_out_is_said_of_counted_files_alone(folder: Path) -> None:
    """The sentence stands where the sum of files is whole; a run that did not count them does not claim it."""
    counted = {"there": 4900, "read": 4899, "told": 1, "left_out": 0, "besides": 0}
    said = "No file was left out: 4,900 files: 4,899 read, 1 read for what it says, 0 left out."
    assert said in change(folder, excluded=[], files=counted)
    assert "No file was left out" not in change(folder, excluded=[], files=counted | {"there": 4901})
    assert "No file was left out" not in change(folder, excluded=[], files=None)
    text = change(folder, excluded=[{"file": "a", "reason": "a text"}], files=counted | {"read": 4898, "left_out": 1})
    assert "| files | 4,900 files: 4,898 read, 1 read for what it says, 1 left out |" in text
    assert "No file was left out" not in text
