"""The table of features: lengths, keys, independence of rows, joining by name."""

import tracemalloc

import cv2
import numpy as np
import pytest

from fer_bench.baselines.features.registry import FEATURES, Feature, Part, find_feature, pixels
from fer_bench.errors import InputError

NAMES = [*FEATURES, "hog+lbp", "ldp+pixels+gabor"]


def smooth(n, size, seed=0):
    """Faces as far as features care: smooth, with flat parts, black corners and a little noise."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(40, 220, (n, 6, 6)).astype(np.uint8)
    images = np.stack([cv2.resize(image, (size, size), interpolation=cv2.INTER_CUBIC) for image in coarse])
    images[:, size // 2 :] += rng.integers(0, 5, (n, size - size // 2, size)).astype(np.uint8)
    images[:, : size // 5, : size // 5] = 0
    return images


@pytest.mark.parametrize("name", NAMES)
def test_features_have_the_length_that_they_state(name):
    """At the size that a feature is meant for its rows are as long as stated, float32 and finite."""
    feature = find_feature(name)
    rows = feature.extract(smooth(3, feature.size))
    assert rows.shape == (3, feature.length)
    assert rows.dtype == np.float32
    assert np.isfinite(rows).all()
    assert len(np.unique(rows, axis=0)) == 3


LENGTHS = {
    "pixels": 4096,
    "dwt": 1089,
    "dwt_haar": 1024,
    "dwt_l2": 972,
    "lbp": 3776,
    "lbp_r2": 3776,
    "lbp_6x7": 2478,
    "lbp_sq": 3776,
    "ldp": 2352,
    "hog": 1764,
    "hog_cv": 1764,
    "gabor": 2560,
}


def test_lengths_are_those_of_the_literature():
    """The table of lengths, as the sources and the documentation give them."""
    assert {name: feature.length for name, feature in FEATURES.items()} == LENGTHS


@pytest.mark.parametrize("name", NAMES)
def test_a_row_depends_on_its_own_image_alone(name):
    """Bit for bit the same row alone, among others, in another place, and beside very different images."""
    feature = find_feature(name)
    images = smooth(21, feature.size)
    together = feature.extract(images)
    for index in (0, 7, 20):
        np.testing.assert_array_equal(feature.extract(images[index : index + 1])[0], together[index])
    images[:7], images[8:] = 0, 255
    np.testing.assert_array_equal(feature.extract(images[::-1])[13], together[7])


@pytest.mark.parametrize("name", NAMES)
def test_flat_images_give_finite_values(name):
    """Black, grey and white images, where gradients and waves vanish, divide nothing by zero."""
    feature = find_feature(name)
    flat = np.stack([np.full((feature.size, feature.size), grey, dtype=np.uint8) for grey in (0, 128, 255)])
    rows = feature.extract(flat)
    assert np.isfinite(rows).all()
    if feature.histogram:
        np.testing.assert_allclose(rows.sum(axis=1), feature.length / (56 if name == "ldp" else 59), rtol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_images_are_left_as_they_were_and_may_be_read_only(name):
    """A memory-mapped store is not written to, and strided images give what contiguous ones give."""
    feature = find_feature(name)
    images = smooth(4, feature.size)
    wide = np.zeros((4, feature.size, 2 * feature.size), dtype=np.uint8)
    wide[:, :, ::2] = images
    view = wide[:, :, ::2]
    view.flags.writeable = False
    before = images.copy()
    np.testing.assert_array_equal(feature.extract(view), feature.extract(images))
    np.testing.assert_array_equal(images, before)


@pytest.mark.parametrize("name", NAMES)
def test_no_images_give_no_rows(name):
    """An empty batch is not an error."""
    feature = find_feature(name)
    assert feature.extract(smooth(1, feature.size)[:0]).shape == (0, feature.length)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("pixels",)])
def test_images_that_are_too_small_are_refused(name):
    """The error says what is expected, what was found, and what to do."""
    with pytest.raises(InputError, match=r"images: .* expects at least \d+ x \d+ pixels, found 1 x 2; give larger"):
        find_feature(name).extract(np.zeros((1, 1, 2), dtype=np.uint8))


@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_grey_image_is_refused(name):
    """Colour and floating-point images are refused by every feature."""
    for wrong in (np.zeros((2, 128, 128, 3), dtype=np.uint8), np.zeros((2, 128, 128), dtype=np.float32)):
        with pytest.raises(InputError, match="expects grey uint8 images"):
            find_feature(name).extract(wrong)


@pytest.mark.parametrize("name", NAMES)
def test_memory_beside_the_rows_does_not_grow_with_the_images(name):
    """Four times the images need four times the rows, and little else: no second copy of the set is made."""
    feature = find_feature(name)
    beside = []
    for n in (100, 400):
        images = np.repeat(smooth(1, feature.size), n, axis=0)
        tracemalloc.start()
        rows = feature.extract(images)
        beside.append(tracemalloc.get_traced_memory()[1] - rows.nbytes)
        tracemalloc.stop()
    assert beside[1] - beside[0] < 300 * 100


def test_keys_are_unlike_each_other_and_carry_a_version():
    """No two features share a key, by which stored ones are found again."""
    keys = [find_feature(name).key for name in [*NAMES, "lbp+hog"]]
    assert len(set(keys)) == len(keys)
    assert all(key.rpartition("-")[2].startswith("v") for key in keys)


def test_pixels_are_grey_values_from_zero_to_one():
    """Black is 0, white is 1, and the pixels come row by row."""
    images = np.array([[[0, 255], [51, 102]]], dtype=np.uint8)
    np.testing.assert_allclose(pixels(images), [[0, 1, 0.2, 0.4]], rtol=1e-6)


def test_joined_features_stand_side_by_side():
    """hog+lbp is HOG of the images shrunk to 64 pixels, then LBP of the images themselves, and says where each ends."""
    images = smooth(5, 128)
    joined = find_feature("hog+lbp")
    assert (joined.size, joined.length, joined.histogram) == (128, 1764 + 3776, False)
    assert joined.parts == (Part("hog", 1764, False), Part("lbp", 3776, True))
    rows = joined.extract(images)
    halves = images.reshape(5, 64, 2, 64, 2).astype(int).sum(axis=(2, 4))
    shrunk = ((halves + 2) // 4).astype(np.uint8)  # OpenCV rounds halves up here
    np.testing.assert_array_equal(rows[:, :1764], FEATURES["hog"].extract(shrunk))
    np.testing.assert_array_equal(rows[:, 1764:], FEATURES["lbp"].extract(images))


def test_joined_features_of_one_size_are_those_features():
    """Where no part wants smaller images nothing is resized."""
    images = smooth(5, 64)
    joined = find_feature("dwt+hog_cv")
    assert joined.size == 64
    expected = [FEATURES[name].extract(images) for name in ("dwt", "hog_cv")]
    np.testing.assert_array_equal(joined.extract(images), np.concatenate(expected, axis=1))


def test_single_features_have_no_parts():
    """Only joined features are scaled part by part, and joining is done once."""
    assert all(isinstance(feature, Feature) and not feature.parts for feature in FEATURES.values())
    assert find_feature("hog+lbp") is find_feature("hog+lbp")


@pytest.mark.parametrize("name", ["hogg", "", "hog+", "hog+lpb", "hog+hog", "hog + lbp"])
def test_unknown_features_are_refused_by_name(name):
    """The error names what was asked for and what there is."""
    with pytest.raises(InputError, match=r"expected one of pixels, dwt, .*, or several joined by \+, .*found '.*'"):
        find_feature(name)
