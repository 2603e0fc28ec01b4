"""JAFFE: names, people, palettes."""

from collections import Counter

import pytest
from layouts import WOMEN, write_jaffe

from fer_bench.data.datasets import load_dataset
from fer_bench.data.layouts.jaffe import JAFFE
from fer_bench.data.sources.base import Source
from fer_bench.labels import EMOTIONS


def listing(*files):
    return JAFFE.listing(Source(None, files, bytes))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return load_dataset(str(write_jaffe(tmp_path_factory.mktemp("jaffe"))), people=None, workers=2)


def test_ten_women_are_told_apart(dataset):
    """People are the ten women; there is no session, no view and no split."""
    table = dataset.manifest.table
    assert dataset.manifest.people == sorted(WOMEN)
    assert dataset.manifest.unit == "person"
    assert set(table["gender"]) == {"F"}
    assert table[["session", "view", "split", "sequence"]].eq("").all(axis=None)


def test_the_good_are_used_and_the_bad_are_named(dataset):
    """The file that was cut short and the name of no expression are left out; all 73 others are used."""
    assert len(dataset.manifest) == 73
    reasons = {e.file.rsplit("/", 1)[-1]: e.reason for e in dataset.manifest.excluded}
    assert set(reasons) == {"YM.HA2.999.tiff", "KA.XX1.7.tiff", "README"}
    assert reasons["YM.HA2.999.tiff"].startswith("damaged")


def test_pictures_with_a_palette_are_grey_levels(dataset):
    """A palette is resolved: such a picture is as bright as its neighbour, not a row of indices."""
    table = dataset.manifest.table
    means = {row.image: picture.mean() for row, picture in
             zip(table.itertuples(), dataset.pictures(dataset.manifest, 2), strict=True)}  # fmt: skip
    palettes = [mean for image, mean in means.items() if int(image.rsplit(".", 1)[1]) % 9 == 0]
    others = [mean for image, mean in means.items() if int(image.rsplit(".", 1)[1]) % 9]
    assert len(palettes) == 8
    assert abs(sum(palettes) / len(palettes) - sum(others) / len(others)) < 15


@pytest.mark.parametrize("file", ["KA.AN1.39.tiff", "x/ka.an1.39.TIF", "KA.AN1.39.png"])
def test_case_and_ending_do_not_matter(file):
    """One picture has one name, however the copy is written."""
    (row,) = listing(file).rows
    assert (row["image"], row["label"], row["subject"]) == ("KA.AN1.39", "AN", "KA")


def test_fear_is_afraid():
    """JAFFE's FE is our AF."""
    assert listing("KA.FE1.45.tiff").rows[0]["label"] == "AF"


def test_213_names_are_213_rows():
    """JAFFE's own count: 213 pictures of ten women and seven expressions, three or four of each."""
    codes = ("AN", "DI", "FE", "HA", "NE", "SA", "SU")
    poses = [(w, c, p) for w in WOMEN for c in codes for p in (1, 2, 3)] + [("KA", c, 4) for c in codes[:3]]
    files = [f"jaffe/{woman}.{code}{pose}.{n}.tiff" for n, (woman, code, pose) in enumerate(poses, start=1)]
    found = listing(*files)
    assert len(found.rows) == 213
    assert not found.excluded
    assert set(Counter(row["label"] for row in found.rows)) == set(EMOTIONS)
