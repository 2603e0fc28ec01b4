"""Recognising layouts, and each of them from the listing to a run's results."""

import json
import sys
import zipfile

import pandas as pd
import pytest
from layouts import WRITERS, save, square, write_csv, write_folders, write_jaffe

from fer_bench.cli.app import main
from fer_bench.data import LAYOUT_SUMMARIES
from fer_bench.data.layouts.known import LAYOUTS, recognise
from fer_bench.data.sources.base import Source
from fer_bench.data.sources.open_source import open_source

PROTOCOL = {"kdef": "subject-2fold", "jaffe": "subject-2fold", "ckplus": "subject-2fold", "csv": "session-out"}
PROTOCOL |= {"ckplus48": "subject-2fold", "fer2013": "official", "fer2013-csv": "official", "ferplus": "official"}
PROTOCOL |= {"rafdb": "official", "rafdb-folders": "official"}


@pytest.fixture
def here(tmp_path, monkeypatch, capsys):
    """Run the command line in this process, in an empty folder; returns exit code and what was written.

    In this process because there are many small cases, and starting Python is most of what each would take.
    """
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["fer-bench", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        written = capsys.readouterr()
        return end.value.code or 0, written.out, written.err

    return run


def names_only(*files: str) -> Source:
    """A source of which nothing but the names may be used."""

    def refuse(name):
        raise AssertionError(f"{name} was opened to recognise a layout")

    return Source(None, tuple(sorted(files)), refuse)


def test_each_layout_is_listed_once():
    """`fer-bench list datasets` and the recogniser know the same layouts, and each is made by the tests."""
    assert {layout.name: layout.summary for layout in LAYOUTS.values()} == LAYOUT_SUMMARIES
    assert list(LAYOUTS) == list(LAYOUT_SUMMARIES) == list(WRITERS)


@pytest.mark.parametrize("name", WRITERS)
def test_each_layout_is_read_and_run_through_the_command_line(name, tmp_path, here):
    """A small set of each layout is recognised, inspected, and run with one method to results of every fold."""
    (tmp_path / "data").mkdir()
    path = WRITERS[name](tmp_path / "data")
    code, text, _ = here("data", "inspect", path, "--all")
    assert code == 0
    assert f"layout: {name}." in text
    protocol = PROTOCOL.get(name, "random-2fold")
    (supported,) = (line for line in text.splitlines() if line.startswith("protocols that these data support"))
    assert protocol in supported
    code, _, log = here(
        *("run", "--suite", "classical", "--only", "knn-pixels", "--profile", "full", "--workers", "1"),
        *("--protocol", protocol, "--data", path, "--out", "r"),
    )
    assert code == 0, log
    results = pd.read_csv(tmp_path / "r" / "results.csv")
    assert (results["status"] == "ok").all()
    described = json.loads((tmp_path / "r" / "run.json").read_text())["dataset"]
    assert described["n_images"] > 10
    assert described["n_excluded"] == text.count("\n  ")


@pytest.mark.parametrize("name", [name for name in WRITERS if name not in ("csv", "fer2013-csv", "kaggle-kdef")])
def test_a_layout_is_the_same_in_a_zip(name, tmp_path):
    """A folder and its zip are recognised alike."""
    (tmp_path / "data").mkdir()
    path = WRITERS[name](tmp_path / "data")
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        for file in sorted(path.rglob("*")):
            archive.write(file, f"deep/down/{file.relative_to(path)}")
    assert recognise(open_source(tmp_path / "data.zip")).name == name == recognise(open_source(path)).name


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("AF01AFS.JPG", "kdef"),
        ("KDEF_and_AKDEF/KDEF_and_AKDEF/KDEF/AF01/AF01ANHL.JPG", "kdef"),
        ("happy/bm35hafr.png", "kdef"),
        ("x/AF31V.JPG", "kdef"),
        ("KDEF_and_AKDEF/AKDEF/FAFS.JPG", "kdef"),
        ("angry/140_21.jpg", "folders"),
        ("a/ka.fe2.46.TIFF", "jaffe"),
        ("cohn-kanade-images/S010/001/S010_001_00000014.png", "ckplus"),
        ("CK+48/sadness/S010_004_00000017.png", "ckplus48"),
        ("fer/test/happy/PrivateTest_10131222.jpg", "fer2013"),
        ("train/surprise/im0.png", "folders"),
        ("train/surprise/Training_0.png", "folders"),
        ("faces/Sad/00017.jpeg", "folders"),
        ("val/AN/7.png", "folders"),
        ("train/angry/12_3.jpg", "folders"),
    ],
)
def test_a_single_name_is_enough_to_recognise_a_layout(file, name):
    """Names alone decide, in any case and depth; no picture is opened."""
    source = names_only(file, "README.txt", "__MACOSX/._AF01AFS.JPG")
    assert recognise(source).name == name


def write_nothing(folder):
    return folder


def write_other_pictures(folder):
    save(square("AF01AFS", 48), folder / "holiday.png")
    return folder


def write_one_class(folder):
    for i in (1, 2):
        save(square(f"AF0{i}HAS", 48), folder / "happy" / f"{i}.png")
    return folder


def write_no_labels(folder):
    save(square("AF01AFS", 48), folder / "S010" / "001" / "S010_001_00000001.png")
    return folder


def write_two_sets(folder):
    write_jaffe(folder / "jaffe")
    save(square("AF01AFS", 48), folder / "kdef" / "AF01AFS.png")
    return folder


def write_other_zip(folder):
    path = folder / "papers.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("paper.txt", "hello")
    return path


def write_table(text):
    def write(folder):
        path = write_csv(folder)
        path.write_text(text)
        return path

    return write


def write_two_spellings(folder):
    """The table of one's own with one row that spells its person otherwise."""
    path = write_csv(folder)
    path.write_text(path.read_text().replace(",p1,A,", ",P1,A,", 1))
    return path


UNUSABLE = {
    "an empty folder": (write_nothing, [], "found no files"),
    "pictures of something else": (write_other_pictures, [], "found holiday.png"),
    "a single class": (write_one_class, [], "all 2 usable images show HA; expected several expressions"),
    "no labels": (write_no_labels, [], "CK+'s pictures without their labels"),
    "two sets in one folder": (write_two_sets, [], "files of 2 layouts stand together"),
    "a zip of something else": (write_other_zip, [], "found paper.txt"),
    "a table without the columns": (write_table("file,emotion\na.png,sad\n"), [], "found file, emotion"),
    "an empty table": (write_table(""), [], "found no header"),
    "a table of the header alone": (write_table("path,label\n"), [], "has a header and no rows"),
    "an unknown label": (write_table("path,label\na.png,happy\nb.png,glum\n"), [], "line 3: unknown label 'glum'"),
    "a person missing": (
        write_table("path,label,subject\na.png,happy,1\nb.png,sad,\n"), [],
        "the column subject is filled in 1 rows and empty in 1, the first in line 3",
    ),
    "a row too short": (write_table("path,label\na.png\n"), [], "line 2: expected 2 cells as in the header, found 1"),
    "a label missing": (write_table("path,label\na.png,\n"), [], "line 2: the column label is empty"),
    "pictures that are not there": (write_table("path,label\na.png,sad\n"), [], "no such file: line 2 of table.csv"),
    "Kaggle's groups taken for people": (
        WRITERS["kaggle-kdef"], ["--protocol", "subject-10fold"], "one person in one session",
    ),
    "class folders under a protocol by person": (
        write_folders, ["--protocol", "subject-2fold"], "do not tell who is on which picture",
    ),
    "views of data without views": (write_jaffe, ["--views", "S,HL"], "nothing tells the view"),
    "two spellings where strict": (write_two_spellings, ["--strict"], "1 person stands under 2 spellings"),
    "boxes of other data": (write_jaffe, ["--crop", "fixed"], "use --crop detect or none"),
}  # fmt: skip


@pytest.mark.parametrize("case", UNUSABLE)
def test_an_unusable_case_is_one_sentence_and_exit_code_2(case, tmp_path, here):
    """What cannot be used is told in one line that names the path or option, and nothing is started."""
    write, options, message = UNUSABLE[case]
    (tmp_path / "data").mkdir()
    path = write(tmp_path / "data")
    code, answer, error = here("run", "--suite", "classical", "--only", "knn-pixels", "--data", path, *options)
    assert message in error
    assert (code, answer, len(error.strip().splitlines())) == (2, "", 1)
    assert not (tmp_path / "runs").exists()


def test_a_layout_can_be_named(tmp_path, here):
    """Where several layouts stand together, the one that is named is read and the other's files are left out."""
    write_two_sets(tmp_path / "data")
    _, text, _ = here("data", "inspect", f"jaffe:{tmp_path / 'data'}", "--all")
    assert "73 usable images" in text
    assert "  kdef/AF01AFS.png" in text


def test_many_files_of_one_reason_are_counted_and_shown_on_demand(tmp_path, here):
    """A long list of left out files is cut with a hint, and whole with --all."""
    write_folders(tmp_path / "data")
    for i in range(40):
        save(square("AF01DIS", 48), tmp_path / "data" / "mine" / "holiday" / f"{i}.png")
    _, short, _ = here("data", "inspect", tmp_path / "data")
    assert "and 30 more; --all shows them" in short
    _, whole, _ = here("data", "inspect", tmp_path / "data", "--all")
    assert whole.count("mine/holiday/") == 40


def test_leave_to_read_outside_is_an_option_of_every_command_that_reads_data(tmp_path, here):
    """run, plan, data inspect, folds make and folds check take --allow-outside; the run says that it was given."""
    lines = ["path,label"]
    for i in range(20):
        save(square(f"AF{i + 1:02d}{'HA' if i % 2 else 'SA'}S", 48), tmp_path / "else" / f"{i}.png")
        lines.append(f"../else/{i}.png,{'HA' if i % 2 else 'SA'}")
    (tmp_path / "t").mkdir()
    table = tmp_path / "t" / "t.csv"
    table.write_text("\n".join(lines))
    asked = ("--suite", "classical", "--only", "knn-pixels", "--protocol", "random-2fold", "--data", table)
    commands = [
        ("data", "inspect", table),
        ("folds", "make", "f.csv", "--protocol", "random-2fold", "--data", table),
        ("folds", "check", "f.csv", "--data", table, "--claim", "image"),
        ("plan", *asked),
        ("run", *asked, "--out", "r", "--workers", 1),
    ]
    for command in commands:
        code, _, error = here(*command)
        assert (code, "give --allow-outside if" in error) == (2, True)
        code, _, error = here(*command, "--allow-outside")
        assert code == 0, error
    assert json.loads((tmp_path / "r" / "run.json").read_text())["dataset"]["options"] == {"allow_outside": True}


@pytest.mark.parametrize(
    ("name", "head", "message"),
    [
        ("faces.rar", b"Rar!\x1a\7\1\0", "found an archive of another kind: unpack it, with 7-Zip (`7z x FILE`)"),
        ("faces.7z", b"7z\xbc\xaf\x27\x1c", "found an archive of another kind: unpack it, with 7-Zip (`7z x FILE`)"),
        ("fer2013.csv.gz", b"\x1f\x8b\x08", "found an archive of another kind: unpack it"),
        ("faces.zip.001", b"PK\3\4", "put all of its parts into one folder"),
        ("faces.7z.002", b"x", "put all of its parts into one folder"),
        ("faces.z01", b"PK\3\4", "put all of its parts into one folder"),
        ("faces.part1.rar", b"Rar!", "put all of its parts into one folder"),
        ("faces.zip", b"PK\3\4", "put all of its parts into one folder"),
        ("face.jpg", b"\xff\xd8\xff\xe0", "found a picture: give the folder that it lies in"),
        ("face.mp4", b"\0\0\0\x18ftypisom", "found a film"),
        ("notes.txt", b"hello", "found a text"),
    ],
)
def test_a_file_that_cannot_be_data_is_called_what_it_is(tmp_path, here, name, head, message):
    """Archives that Python cannot open and parts of split ones say how to unpack them, others what they are."""
    (tmp_path / name).write_bytes(head + bytes(400))
    if name == "faces.zip":
        (tmp_path / "faces.z01").write_bytes(b"PK\3\4")
    code, _, error = here("data", "inspect", tmp_path / name)
    assert (code, len(error.splitlines())) == (2, 1)
    assert message in error
