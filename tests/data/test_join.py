"""Two datasets joined: one trains, the other is tested, and who and what is in both is found and said."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from fer_bench.data.datasets import load_dataset
from fer_bench.data.join import join_datasets
from fer_bench.data.manifest import Excluded, FileCount, Manifest
from fer_bench.errors import UserError
from fer_bench.folds.check import check_made
from fer_bench.folds.protocols import PROTOCOLS, unsupported
from fer_bench.folds.splitters import make_folds
from fer_bench.plan.request import Request, open_data

TAKEN = "taken to be different"


@pytest.fixture(scope="module")
def pair(kdef_folder, write_faces, tmp_path_factory):
    """Four people of five views, and two other people, F11 and M11, whose pictures are like nobody else's."""
    other = write_faces(tmp_path_factory.mktemp("other"), people=2, views=("HL", "S"))
    rng = np.random.default_rng(0)
    for file in sorted(other.rglob("*.JPG")):
        patches = rng.integers(0, 255, (12, 12, 3), dtype=np.uint8)
        cv2.imwrite(str(file), cv2.resize(patches, (96, 130), interpolation=cv2.INTER_NEAREST))
        file.rename(file.with_name(file.name.replace("01", "11")))
    return (
        load_dataset(str(kdef_folder), people=None, workers=1),
        load_dataset(str(other), people=None, workers=1),
    )


@pytest.fixture(scope="module")
def small(kdef_folder, tmp_path_factory):
    """The four people's same pictures, smaller and in another format."""
    folder = tmp_path_factory.mktemp("small")
    for file in kdef_folder.rglob("*.JPG"):
        cv2.imwrite(str(folder / f"{file.stem}.png"), cv2.resize(cv2.imread(str(file)), (64, 87)))
    return load_dataset(str(folder), people=None, workers=1)


def changed(dataset, **columns):
    """The dataset with other values in some columns of its manifest."""
    return replace(dataset, manifest=Manifest(dataset.manifest.table.assign(**columns), dataset.manifest.excluded))


def some(dataset, **values):
    """The dataset's images with these values in the columns."""
    manifest = dataset.manifest
    for column, chosen in values.items():
        manifest = manifest.where(column, chosen)
    return replace(dataset, manifest=manifest)


def test_one_fold_trains_on_all_of_one_and_tests_all_of_the_other(pair):
    """The only protocol that fits has one fold with one dataset a side; people are taken for different."""
    train, test = pair
    joined, notes = join_datasets(train, test)
    assert [TAKEN in note for note in notes] == [True]
    manifest = joined.manifest
    assert set(PROTOCOLS) - set(unsupported(manifest)) == {"cross-dataset"}
    folds = make_folds(manifest, "cross-dataset", 0)
    assert folds.numbers == [0]
    assert all(image.startswith("train/") for image in folds.images(0, "train"))
    assert all(image.startswith("test/") for image in folds.images(0, "test"))
    assert len(folds.images(0, "train")) == 280
    assert len(folds.images(0, "test")) == 56
    assert check_made(folds, manifest).people_apart == "proven"
    assert len(manifest.people) == 6
    assert "two datasets are given" in unsupported(manifest)["subject-10fold"]


def test_pictures_come_in_the_joined_order(pair):
    """Each row of the joined manifest gets the picture of its own file, from its own dataset."""
    train, test = pair
    joined, _ = join_datasets(train, test)
    pictures = list(joined.pictures(joined.manifest, 1))
    assert len(pictures) == len(joined.manifest) == 336
    own = {
        f"{prefix}{image}": picture
        for prefix, part in (("train/", train), ("test/", test))
        for image, picture in zip(part.manifest.table["image"], part.pictures(part.manifest, 1), strict=True)
    }
    for image, picture in zip(joined.manifest.table["image"], pictures, strict=True):
        np.testing.assert_array_equal(picture, own[image])


def test_an_expression_that_training_lacks_is_left_out_and_said(pair):
    """What nobody can have learnt is no fair test: those images are left out by name."""
    train, test = pair
    happy = train.manifest.table["label"].ne("SA")
    train = replace(train, manifest=Manifest(train.manifest.table[happy].reset_index(drop=True)))
    joined, notes = join_datasets(train, test)
    assert any("8 test images show SA" in note for note in notes)
    assert sum("shows SA" in e.reason for e in joined.manifest.excluded) == 8
    assert "SA" not in set(joined.manifest.table["label"])


def test_a_file_in_both_is_not_trained_on(pair):
    """Exact copies of test pictures are left out of training, by name; the same data twice is refused."""
    train, test = pair
    copy = changed(test, sha256=list(train.manifest.table["sha256"][: len(test.manifest)]))
    joined, notes = join_datasets(train, copy)
    assert any(note.startswith("56 images") and note.endswith("not trained on") for note in notes)
    assert sum(e.file.startswith("train/") for e in joined.manifest.excluded) == 56
    with pytest.raises(UserError, match="holds every picture"):
        join_datasets(train, train)


def test_people_of_one_name_are_one_person(pair):
    """One session trained, the other tested: the same four people, who are counted once and not called apart."""
    dataset, _ = pair
    dataset = changed(dataset, phash="")
    joined, notes = join_datasets(some(dataset, session=["A"]), some(dataset, session=["B"]))
    assert joined.manifest.people == ["both/F01", "both/F02", "both/M01", "both/M02"]
    assert len(joined.manifest) == 280
    assert any("4 of 4 people" in note and "such as F01: people are not kept apart" in note for note in notes)
    folds = make_folds(joined.manifest, "cross-dataset", 0)
    found = check_made(folds, joined.manifest)
    assert [(leak.groups, leak.sources) for leak in found.people.leaks] == [(4, ("data", "names"))]
    assert found.refused


@pytest.mark.parametrize(
    ("here", "there", "who"),
    [
        ({"F01": "1", "F02": "2", "M01": "3", "M02": "4"}, {"F01": "01", "F02": "2.0", "M01": "03", "M02": "04"}, 4),
        ({"F01": "Anna", "F02": "b", "M01": "c", "M02": "d"}, {"F01": "ANNA ", "F02": "B", "M01": "C", "M02": "x"}, 3),
        ({"F01": "1", "F02": "2", "M01": "3", "M02": "4"}, {"F01": "01", "F02": "p2", "M01": "p3", "M02": "p4"}, 0),
    ],
)
def test_people_under_two_spellings_are_one_person(pair, here, there, who):
    """What another dataset writes as 01 is the first one's 1 where all are numbers; names in any case and blanks."""
    dataset = changed(pair[0], phash="")
    train, test = (
        changed(some(dataset, session=[session]), subject=some(dataset, session=[session]).table["subject"].map(names))
        for session, names in (("A", here), ("B", there))
    )
    joined, notes = join_datasets(train, test)
    assert sum(name.startswith("both/") for name in joined.manifest.people) == who
    assert any(f"{who} of 4 people" in note if who else TAKEN in note for note in notes)


def test_drawn_people_are_nobody_elses(pair):
    """Rendered faces in KDEF's grammar share names with its people, and are none of them."""
    dataset = changed(pair[0], phash="")
    drawn = replace(some(dataset, session=["A"]), rendered=True)
    joined, notes = join_datasets(drawn, some(dataset, session=["B"]))
    assert len(joined.manifest.people) == 8
    assert any(TAKEN in note for note in notes)
    found = check_made(make_folds(joined.manifest, "cross-dataset", 0), joined.manifest)
    assert (found.accepted, found.people_apart) == (True, "proven")


def test_the_same_pictures_in_another_format_are_no_other_data(pair, small):
    """Smaller copies under the same names are refused as the same pictures; a part of them is not trained on."""
    train, _ = pair
    with pytest.raises(UserError, match=f"it holds every picture of {train.name}"):
        join_datasets(train, small)
    joined, notes = join_datasets(train, some(small, view=["S"], subject=["F01"]))
    kept = joined.manifest.table.query("split == 'train data'")
    assert not set(kept["image"]) & {
        f"train/{image}" for image in small.manifest.table.query("view == 'S' and subject == 'F01'")["image"]
    }
    assert any("a picture of this name is in the test data, not trained on" in note for note in notes)
    assert "both/F01" in joined.manifest.people
    assert len(joined.manifest.people) == 4


def test_people_under_other_names_are_found_by_their_pictures(pair):
    """Copies in another layout under other names are not trained on, and their people are those of training."""
    _, train = pair
    table = train.manifest.table
    there = table[table["view"].eq("S") & table["session"].eq("A")].reset_index(drop=True)
    there = there.assign(image="x" + there["image"], subject="p" + there["subject"], sha256="", file="x")
    test = replace(train, name="mine", layout="csv", manifest=Manifest(there))
    joined, notes = join_datasets(train, test)
    assert any("14 images" in note and "looks the same" in note for note in notes)
    assert joined.manifest.people == ["both/F11", "both/M11"]
    assert any("such as pF11 (there F11)" in note for note in notes)


@pytest.mark.parametrize("change", [lambda p: p[:, ::-1], lambda p: turned(p, 6)], ids=["mirrored", "turned"])
def test_a_changed_copy_of_a_test_picture_is_not_trained_on(pair, kdef_folder, tmp_path, change):
    """Nor are mirrored and turned copies under other names."""
    train, _ = pair
    chosen = sorted(kdef_folder.rglob("AF01??S.JPG"))
    for i, file in enumerate(chosen):
        (tmp_path / ("happy" if i % 2 else "sad")).mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / ("happy" if i % 2 else "sad") / f"{i}.png"), change(cv2.imread(str(file))))
    joined, _ = join_datasets(train, replace(load_dataset(str(tmp_path), workers=1), crop=train.crop))
    seen = [e.file for e in joined.manifest.excluded if "a picture that looks the same is in the test data" in e.reason]
    left_out = {file.rpartition("/")[2] for file in seen}
    assert {file.name for file in chosen} <= left_out
    assert all(name[1:4] == "F01" for name in left_out)


def turned(picture, degrees):
    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    return cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)


def test_names_of_two_layouts_are_two_peoples(pair):
    """A person 1 of one table is not the person 1 of another layout, unless the pictures' names say who it is."""
    train, test = pair
    test = replace(changed(test, image=[f"p{i:03d}" for i in range(56)], subject="F01"), layout="csv")
    joined, notes = join_datasets(train, test)
    assert any(TAKEN in note for note in notes)
    assert joined.manifest.people == ["test/F01", "train/F01", "train/F02", "train/M01", "train/M02"]


def test_people_are_groups_where_one_side_does_not_tell_them(pair):
    """When one dataset names nobody, nobody is called a person; the other's people go on as groups of pictures."""
    train, test = pair
    joined, _ = join_datasets(train, changed(test, subject=""))
    assert joined.manifest.people == []
    assert joined.manifest.unit == "sequence"
    groups = set(joined.manifest.groups)
    assert {"train/F01", "train/M02"} <= groups
    assert len(groups) == 4 + 56


def test_faces_cut_out_in_two_ways_are_refused(pair):
    """A figure between two datasets must not hang on two ways of cutting."""
    train, test = pair
    with pytest.raises(UserError, match="give `crop` detect or `crop` none for both"):
        join_datasets(train, replace(test, crop="none"))


def test_views_choose_what_tells_them(kdef_folder, tmp_path):
    """--views filters both datasets; one that does not give views is tested whole, and that is said."""
    rng = np.random.default_rng(0)
    for label in ("happy", "sad"):
        (tmp_path / label).mkdir()
        cv2.imwrite(str(tmp_path / label / "1.png"), rng.integers(0, 255, (48, 48, 3), dtype=np.uint8))
    request = Request(data=str(kdef_folder), test_data=str(tmp_path), views=("S",), crop="none", workers=1)
    joined, notes = open_data(request, None)
    assert notes == [f"--views: {tmp_path.name} does not give the view of its pictures; all are tested"]
    assert len(joined.manifest) == 56 + 2
    both, notes = open_data(replace(request, test_data="synthetic", views=("S", "HL")), 2)
    assert any(TAKEN in note for note in notes)
    assert set(both.manifest.table["view"]) == {"S", "HL"}


def test_what_each_side_left_out_is_kept(pair):
    """Files that were left out of either dataset are listed with the side that they are of."""
    train, test = pair
    bad = replace(test, manifest=Manifest(test.manifest.table, (Excluded("cat.jpg", "no face"),)))
    joined, _ = join_datasets(train, bad)
    assert [e.file for e in joined.manifest.excluded] == ["test/cat.jpg"]


def test_the_files_of_both_are_counted(pair):
    """The sum of files of a joined dataset is that of both; what joining left out is no longer read."""
    train, test = pair
    here, there = FileCount(len(train) + 3, len(train), 1, 2), FileCount(len(test) + 1, len(test), 0, 1, 4)
    copy = changed(test, sha256=list(train.manifest.table["sha256"][: len(test)]))
    sides = [replace(one, manifest=replace(one.manifest, count=count)) for one, count in ((train, here), (copy, there))]
    joined, _ = join_datasets(*sides)
    n = len(train) + len(test)
    assert joined.manifest.count == FileCount(n + 4, n - 56, 1, 3 + 56, 4)
    assert joined.manifest.count.read == len(joined)
    assert joined.manifest.count.whole
    uncounted = replace(train, manifest=replace(train.manifest, count=None))
    assert join_datasets(uncounted, sides[1])[0].manifest.count is None
