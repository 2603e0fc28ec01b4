"""FER2013: its table and its class folders, its parts, and the copies that leak between them."""

import os
import subprocess
import sys
import tarfile
import zipfile
from itertools import pairwise

import numpy as np
import pytest
from layouts import WRITERS, fer_rows, write_fer2013, write_fer2013_csv

from fer_bench.data.datasets import load_dataset
from fer_bench.data.layouts.csv_tables import source_of_table
from fer_bench.data.layouts.fer2013 import COUNTS, FER2013, FER2013_CSV
from fer_bench.data.layouts.known import recognise
from fer_bench.data.sources.base import Source
from fer_bench.errors import UserError
from fer_bench.labels import EMOTION_NAMES, EMOTIONS


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return load_dataset(WRITERS["fer2013-csv"](tmp_path_factory.mktemp("fer")), people=None, workers=2)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return load_dataset(str(write_fer2013(tmp_path_factory.mktemp("fer"))), people=None, workers=2)


def test_pictures_of_the_table_are_its_numbers(table):
    """Each picture has exactly the grey levels of its row, and each row its label and part."""
    expected = {f"row-{i:05d}": row for i, row in enumerate(fer_rows(), start=1)}
    parts = {"Training": "train"}
    rows = table.manifest.table
    for row, picture in zip(rows.itertuples(), table.pictures(table.manifest, 2), strict=True):
        label, pixels, part = expected[row.image]
        assert (row.label, row.split) == (label, parts.get(part, part))
        np.testing.assert_array_equal(picture, np.repeat(pixels[..., None], 3, axis=2))


def test_copies_and_contradictions_are_reported(table):
    """A test picture's copy is taken from training; a picture under two labels is taken from everywhere."""
    reasons = {e.file: e.reason for e in table.manifest.excluded}
    assert reasons["row-00043"] == "a copy of a picture in another part of the split: row-00006"
    for row in ("row-00007", "row-00044"):
        assert reasons[row].startswith("contradictory labels")
    kept = set(table.manifest.table["image"])
    assert "row-00006" in kept
    assert not kept & {"row-00007", "row-00043", "row-00044"}


def test_broken_rows_are_named_with_their_line(table):
    """A blank picture, a code beyond six, a pixel too many and an unknown part are each left out by name."""
    reasons = {e.file: e.reason for e in table.manifest.excluded}
    assert reasons["row-00045"].startswith("blank frame")
    assert reasons["row-00046"] == "no emotion code from 0 to 6: line 47 has '7'"
    assert reasons["row-00047"] == "not 48x48 grey levels from 0 to 255: line 48"
    assert reasons["row-00048"] == "no part of FER2013: line 49 has 'Practice'"
    assert len(table.manifest) + len(table.manifest.excluded) == 48


@pytest.mark.parametrize("pixels", ["1 2 3", "", "a b", " ".join(["256"] * 2304), " ".join(["-1"] * 2304)])
def test_cells_that_are_no_picture_are_left_out(tmp_path, pixels):
    """Too few, no, wrong or impossible grey levels never become a picture."""
    path = write_fer2013_csv(tmp_path)
    with open(path, "a") as handle:
        handle.write(f"0,{pixels},Training\n")
    manifest = load_dataset(f"fer2013-csv:{path}", people=None, workers=1).manifest
    assert "row-00049" not in set(manifest.table["image"])
    assert any(e.file == "row-00049" and "not 48x48" in e.reason for e in manifest.excluded)


def test_headings_may_stand_in_another_order(tmp_path):
    """The table that the challenge gave out later has blanks in its headings and another order of columns."""
    path = write_fer2013_csv(tmp_path)
    lines = [line.split(",") for line in path.read_text().splitlines()]
    lines = [["emotion", " Usage", " pixels"], *([e, u, p] for e, p, u in lines[1:])]
    path.write_text("\n".join(",".join(line) for line in lines))
    assert len(load_dataset(f"fer2013-csv:{path}", people=None, workers=1).manifest) == 41


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_the_table_is_found_in_an_archive(tmp_path, table, kind):
    """The archives that the challenge and Kaggle give out hold the same data as the table in them."""
    path = write_fer2013_csv(tmp_path)
    packed = tmp_path / f"fer.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(path, "fer2013/fer2013.csv")
    else:
        with tarfile.open(packed, "w:gz") as archive:
            archive.add(path, "fer2013/fer2013.csv")
    assert load_dataset(f"fer2013-csv:{packed}", people=None, workers=2).manifest.hash == table.manifest.hash


def test_folders_take_the_part_from_the_name(folders):
    """test/ holds both test parts, told apart by the pictures' names; a copy in train/ is taken out."""
    assert folders.manifest.table["split"].value_counts().to_dict() == {"train": 28, "PublicTest": 7, "PrivateTest": 7}
    (copy,) = folders.manifest.excluded
    assert copy.file.startswith("train/")
    assert "another part of the split" in copy.reason


def test_folders_and_table_hold_the_same(folders, table):
    """Label by part, the folders agree with the table but for the picture that the table has under two labels."""
    counts = [d.manifest.table.groupby(["label", "split"]).size() for d in (folders, table)]
    assert (counts[0] - counts[1]).loc[lambda d: d != 0].to_dict() == {("AN", "train"): 1}


def test_nobody_is_told_apart(folders):
    """There are no people, and the dataset says so."""
    assert folders.manifest.people == []
    assert folders.manifest.unit == "image"
    assert "does not tell" in folders.why_no_people


def test_35887_names_are_35887_rows():
    """At FER2013's own size every name is a row of its part."""
    files = [f"train/angry/Training_{i}.jpg" for i in range(28709)]
    files += [f"test/sad/PublicTest_{i}.jpg" for i in range(3589)] + [
        f"test/sad/PrivateTest_{i}.jpg" for i in range(3589)
    ]
    found = FER2013.listing(Source(None, tuple(files), bytes))
    assert len(found.rows) == 35887
    assert not found.excluded
    assert len({row["image"] for row in found.rows}) == 35887


CODES = ("AN", "DI", "AF", "HA", "SA", "SU", "NE")
USAGES = {"train": "Training", "PublicTest": "PublicTest", "PrivateTest": "PrivateTest"}


def write_table(path, counts, codes=CODES, usage=True):
    """Rows without pictures, so many of each part and expression as said."""
    lines = ["emotion,pixels,Usage" if usage else "emotion,pixels"]
    for part, numbers in counts.items():
        for label, n in numbers.items():
            lines += [f"{codes.index(label)},0 0{',' + USAGES[part] if usage else ''}"] * n
    path.write_text("\n".join(lines) + "\n")
    return path


def test_fer2013_is_told_by_its_numbers(tmp_path):
    """The whole table, any whole part of it and a clean-up of few rows are FER2013: 28,709, 3,589 and 3,589 rows."""
    assert [sum(numbers.values()) for numbers in COUNTS.values()] == [28709, 3589, 3589]
    cleaned = {part: {label: n - n // 120 for label, n in numbers.items()} for part, numbers in COUNTS.items()}
    for i, counts in enumerate((COUNTS, {"PublicTest": COUNTS["PublicTest"]}, cleaned)):
        assert recognise(source_of_table(write_table(tmp_path / f"{i}.csv", counts))) is FER2013_CSV
    training = write_table(tmp_path / "train.csv", {"train": COUNTS["train"]}, usage=False)
    assert recognise(source_of_table(training)) is FER2013_CSV


@pytest.mark.parametrize("part", COUNTS)
def test_no_other_order_of_codes_has_those_numbers(part):
    """Whatever two expressions of a part change places, one of them is too many or too few by more than is allowed."""
    numbers = sorted(COUNTS[part].values())
    assert all(small < 0.99 * large for small, large in pairwise(numbers))


def test_a_table_with_other_codes_is_never_called_fer2013(tmp_path):
    """Codes up to 7, an order of its own and a part of the rows are each refused, with what tells them apart."""
    swapped = ("NE", "HA", "SU", "SA", "AN", "DI", "AF")
    tables = {
        "code": write_table(tmp_path / "ckextended.csv", {"train": {"AN": 3, "XX": 1}}, (*CODES, "XX")),
        "order": write_table(tmp_path / "ferplus.csv", COUNTS, swapped),
        "few": write_table(tmp_path / "few.csv", {"train": dict.fromkeys(EMOTIONS, 6)}),
    }
    said = {"code": "none of its 0 to 6, such as '7'", "order": "6,198 rows have the code 0", "few": "42 rows, FER2013"}
    for name, path in tables.items():
        with pytest.raises(UserError, match="other sets number expressions in another order") as error:
            recognise(source_of_table(path))
        assert said[name] in str(error.value)
        assert f"fer2013-csv:{path}" in str(error.value)


def test_a_table_named_as_fer2013_says_that_it_is_not(table):
    """Codes are taken in FER2013's order because that was asked for, and the reader is told."""
    (note,) = table.notes
    assert "not FER2013 itself (1 rows have codes that are none of its 0 to 6, such as '7')" in note
    assert "0 angry, 1 disgust" in note


def test_another_layout_beside_such_a_table_is_read(tmp_path):
    """A table that cannot be told to be FER2013's does not stand in the way of the pictures beside it."""
    write_table(tmp_path / "mine.csv", {"train": {"AN": 2}})
    write_fer2013(tmp_path)
    assert load_dataset(str(tmp_path), people=None, workers=1).layout == "fer2013"


def names_of(counts, name):
    return tuple(
        f"{name(part, label, i)}" for part, found in counts.items() for label, n in found.items() for i in range(n)
    )


def test_folders_are_fer2013_by_names_or_numbers():
    """Names of the challenge's parts do, plain names only in FER2013's numbers; anybody's pictures do not."""
    sides = {
        "train": COUNTS["train"],
        "test": {k: n + COUNTS["PrivateTest"][k] for k, n in COUNTS["PublicTest"].items()},
    }
    word = dict(zip(EMOTIONS, EMOTION_NAMES, strict=True))
    plain = names_of(sides, lambda part, label, i: f"{part}/{word[label]}/im{i}.png")
    training = names_of({"train": COUNTS["train"]}, lambda _, label, i: f"{word[label]}/Training_{label}{i}.jpg")
    few = tuple(f"train/happy/Training_{i}.jpg" for i in range(9)), tuple(f"train/happy/im{i}.png" for i in range(9))
    mixed = ("train/happy/PublicTest_1.jpg", "train/sad/anna.jpg")
    many = tuple(f"test/disgust/PublicTest_{i}.jpg" for i in range(57))
    for files, name in [
        (plain, "fer2013"),
        (few[0], "folders"),
        (few[1], "folders"),
        (mixed, "folders"),
        (many, "folders"),
    ]:
        assert recognise(Source(None, files, bytes)).name == name
    training = tuple(f"{file.rsplit('_', 1)[0]}_{i}.jpg" for i, file in enumerate(training))
    assert recognise(Source(None, training, bytes)).name == "fer2013"


@pytest.mark.slow
def test_a_table_of_full_size_stays_under_one_gigabyte(tmp_path):
    """35,887 rows, 300 MB of text, are read without a second copy of it in memory."""
    rng = np.random.default_rng(0)
    pool = [" ".join(map(str, rng.integers(0, 256, 2304))).split(" ", 2)[2] for _ in range(50)]
    with open(tmp_path / "fer2013.csv", "w") as handle:
        handle.write("emotion,pixels,Usage\n")
        for i in range(35887):
            handle.write(f"{i % 7},{i % 256} {i // 256} {pool[i % 50]},{'Training' if i < 28709 else 'PublicTest'}\n")
    code = (
        "import re, sys\nfrom fer_bench.data.datasets import load_dataset\n"
        "d = load_dataset(sys.argv[1], people=None, workers=2).manifest\n"
        # ru_maxrss would count what the process that started this one had in memory.
        "peak = int(re.search(r'VmHWM:\\s+(\\d+) kB', open('/proc/self/status').read())[1])\n"
        "print(len(d) + len(d.excluded), peak // 1000)"
    )
    command = [sys.executable, "-P", "-c", code, f"fer2013-csv:{tmp_path / 'fer2013.csv'}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=dict(os.environ))
    rows, megabytes = map(int, done.stdout.split())
    assert rows == 35887
    assert megabytes < 1000
