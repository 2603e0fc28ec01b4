"""A dataset's arrays: the images as methods see them, labels and people, one row an image."""

import numpy as np
import pytest

import fer_bench as fb
from fer_bench.data.images.store import build_stores
from fer_bench.data.layouts.known import read_dataset


@pytest.fixture(scope="module")
def dataset(kdef_folder):
    return fb.load_dataset(kdef_folder)


@pytest.mark.parametrize(("size", "channels", "source"), [(48, 1, "photo"), (64, 3, "photo"), (32, 3, "grey256")])
def test_images_are_what_methods_see_to_the_bit(dataset, size, channels, source):
    """`images` gives the image store's pixels of the form that is asked for, in the order of the table."""
    images = dataset.images(size, channels, source)
    assert images.shape == (280, size, size, 3)[: 3 if channels == 1 else 4]
    assert images.dtype == np.uint8
    spec = fb.ImageSpec(size, channels, source)
    assert np.array_equal(images, np.load(build_stores(dataset, [spec], 1)[spec]))
    assert len({image.tobytes() for image in images}) == 280, "no two pictures are one"


def test_images_cannot_be_changed_for_others(dataset):
    """The arrays are mapped from the store, which no notebook can write to; what is indexed is a copy."""
    images = dataset.images(48, 1)
    with pytest.raises(ValueError, match="read-only"):
        images[0] = 0
    some = images[[0, 1]]
    some[0] = 0
    assert dataset.images(48, 1)[0].any()


def test_rows_are_images(dataset):
    """Images, labels, people and the table have one row an image, in one order."""
    assert len(dataset) == len(dataset.table) == len(dataset.labels) == len(dataset.groups) == 280
    assert [fb.EMOTIONS[label] for label in dataset.labels] == list(dataset.table["label"])
    assert list(dataset.groups) == list(dataset.table["subject"])
    assert repr(dataset).startswith("<Dataset ")
    assert "280 images, 4 people, crop fixed>" in repr(dataset)


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"size": 4}, "size of 8 to 2048 pixels, found 4"),
        ({"channels": 2}, r"channels of 1 \(grey\) or 3 \(RGB\), found 2"),
        ({"source": "raw"}, "source of photo, grey256, landmarks, found 'raw'"),
    ],
)
def test_a_form_that_there_is_not_is_one_sentence(dataset, form, message):
    """A size, a number of channels or a source that no method could ask for is refused with what is expected."""
    with pytest.raises(fb.UserError, match=message):
        dataset.images(**form)


def test_one_view_and_few_people_are_chosen_by_name(kdef_folder):
    """`views` takes one name or several; `people` keeps so many."""
    one = fb.load_dataset(kdef_folder, views="S", people=2)
    assert set(one.table["view"]) == {"S"}
    assert len(one.manifest.people) == 2
    assert one.manifest.hash == fb.load_dataset(str(kdef_folder), views=["S"], people=2).manifest.hash


def test_test_data_are_joined_and_told(kdef_folder, write_faces, tmp_path):
    """With `test_data` two datasets are one, for cross-dataset, images included; what was left out is in `notes`."""
    other = write_faces(tmp_path, people=6, views=("S",))
    both = fb.load_dataset(kdef_folder, test_data=other)
    assert set(both.table["split"]) == {"train data", "test data"}
    assert any("of 6 people" in note for note in both.notes)
    assert len(both.images(32, 1)) == len(both)
    ((train, test),) = fb.make_folds(both, "cross-dataset").split(both)
    assert set(both.table["split"].to_numpy()[test]) == {"test data"}
    assert len(train) + len(test) == len(both)


def test_what_no_face_opened_has_no_images(kdef_folder):
    """A dataset that a reader gave by itself says that it cannot tell where images are."""
    with pytest.raises(fb.UserError, match=r"not opened by fer_bench\.load_dataset"):
        read_dataset(str(kdef_folder), 1, strict=False).images()
