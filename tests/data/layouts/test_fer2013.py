"""FER2013: its table and its class folders, its parts, and the copies that leak between them."""

import os
import subprocess
import sys
import tarfile
import zipfile

import numpy as np
import pytest
from layouts import fer_rows, write_fer2013, write_fer2013_csv

from fer_bench.data.datasets import load_dataset
from fer_bench.data.layouts.fer2013 import FER2013
from fer_bench.data.sources.base import Source


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return load_dataset(str(write_fer2013_csv(tmp_path_factory.mktemp("fer"))), people=None, workers=2)


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
    manifest = load_dataset(str(path), people=None, workers=1).manifest
    assert "row-00049" not in set(manifest.table["image"])
    assert any(e.file == "row-00049" and "not 48x48" in e.reason for e in manifest.excluded)


def test_headings_may_stand_in_another_order(tmp_path):
    """The table that the challenge gave out later has blanks in its headings and another order of columns."""
    path = write_fer2013_csv(tmp_path)
    lines = [line.split(",") for line in path.read_text().splitlines()]
    lines = [["emotion", " Usage", " pixels"], *([e, u, p] for e, p, u in lines[1:])]
    path.write_text("\n".join(",".join(line) for line in lines))
    assert len(load_dataset(str(path), people=None, workers=1).manifest) == 41


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
    assert load_dataset(str(packed), people=None, workers=2).manifest.hash == table.manifest.hash


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
    command = [sys.executable, "-P", "-c", code, str(tmp_path / "fer2013.csv")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=dict(os.environ))
    rows, megabytes = map(int, done.stdout.split())
    assert rows == 35887
    assert megabytes < 1000
