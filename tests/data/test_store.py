"""The image store and the fixed crop."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_bench.data.crop import face_box
from fer_bench.data.kdef import read_kdef
from fer_bench.data.pictures import decode
from fer_bench.data.store import build_stores, store_path
from fer_bench.labels import VIEWS
from fer_bench.methods import ImageSpec


@given(st.sampled_from(VIEWS), st.integers(32, 2000), st.integers(32, 2000))
def test_the_face_box_is_a_square_inside_the_picture(view, width, height):
    """Whatever the picture's size, the box is square, not empty, and does not leave the picture."""
    left, top, side = face_box(view, width, height)
    assert side >= 1
    assert left >= 0
    assert top >= 0
    assert left + side <= width
    assert top + side <= height


def test_kdef_boxes_are_those_of_the_views():
    """At KDEF's own size the straight box is 408 pixels wide and the half profiles look to opposite sides."""
    assert face_box("S", 562, 762) == (76, 222, 408)
    assert face_box("HL", 562, 762)[0] < face_box("HR", 562, 762)[0]


def test_cropped_copies_are_left_alone():
    """A square picture is an already cropped face: it is used whole."""
    assert face_box("FL", 224, 224) == (0, 0, 224)


def test_the_store_holds_every_picture_cropped_in_order(kdef_folder):
    """Row i of the store is the crop of picture i of the manifest, in grey and in colour."""
    dataset = read_kdef(kdef_folder, 2)
    specs = [ImageSpec(24), ImageSpec(40, 3)]
    stores = build_stores(dataset, specs, 2)
    row = 17
    picture = decode((kdef_folder / dataset.manifest.table["file"][row]).read_bytes())
    left, top, side = face_box(dataset.manifest.table["view"][row], 96, 130)
    face = np.ascontiguousarray(picture[top : top + side, left : left + side])
    grey = np.load(stores[specs[0]])
    colour = np.load(stores[specs[1]])
    assert grey.shape == (280, 24, 24)
    assert colour.shape == (280, 40, 40, 3)
    expected = cv2.resize(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY), (24, 24), interpolation=cv2.INTER_AREA)
    np.testing.assert_array_equal(grey[row], expected)
    np.testing.assert_array_equal(colour[row], cv2.resize(face, (40, 40), interpolation=cv2.INTER_AREA))


def test_grey_source_gives_three_equal_channels(kdef_folder):
    """The article's grey source, asked for in colour, is one grey picture repeated three times."""
    spec = ImageSpec(32, 3, "grey256")
    images = np.load(build_stores(read_kdef(kdef_folder, 2), [spec], 2)[spec])
    assert (images[..., 0] == images[..., 1]).all()
    assert (images[..., 0] == images[..., 2]).all()
    assert images.std() > 5


def test_a_second_build_reads_nothing(kdef_folder, monkeypatch):
    """A finished store is used as it is: no picture is opened again."""
    dataset = read_kdef(kdef_folder, 2)
    first = build_stores(dataset, [ImageSpec(20)], 2)

    def refuse(*_):
        raise AssertionError("a picture was opened although the store is there")

    object.__setattr__(dataset, "pictures", refuse)
    assert build_stores(dataset, [ImageSpec(20)], 2) == first


def test_a_build_that_fails_leaves_no_store(kdef_folder):
    """An error half way leaves neither a store nor a temporary file."""
    dataset = read_kdef(kdef_folder, 2)

    def break_off(manifest, workers):
        yield np.zeros((130, 96, 3), np.uint8)
        raise OSError("the disk is gone")

    object.__setattr__(dataset, "pictures", break_off)
    spec = ImageSpec(21)
    with pytest.raises(OSError, match="gone"):
        build_stores(dataset, [spec], 1)
    path = store_path(dataset, spec)
    assert not path.exists()
    assert not list(path.parent.glob(f".tmp-*{path.name}"))


def test_different_people_have_different_stores(kdef_folder):
    """The store's name covers the manifest: a subset of people never reads the whole set's rows."""
    dataset = read_kdef(kdef_folder, 2)
    assert store_path(dataset, ImageSpec(24)) != store_path(dataset.keep(["F01", "M01"]), ImageSpec(24))
