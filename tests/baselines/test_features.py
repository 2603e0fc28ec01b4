"""Features equal those of the libraries they follow."""

import numpy as np
import pytest
import pywt
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skimage.feature import local_binary_pattern

from fer_bench.baselines.features import FEATURES, dwt, find_feature, lbp, pixels
from fer_bench.baselines.lbp import N_BINS, lbp_codes, lbp_histograms
from fer_bench.errors import InputError


def reference_codes(images):
    return np.stack([local_binary_pattern(image, 8, 1, "nri_uniform") for image in images])


def noise(n, h, w, levels=256, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.integers(0, levels, (n, h, w)) * (255 // (levels - 1))).astype(np.uint8)


@pytest.mark.parametrize("levels", [2, 3, 256])
@pytest.mark.parametrize("shape", [(3, 128, 128), (20, 33, 50), (1, 1, 1), (2, 1, 9)])
def test_lbp_codes_equal_scikit_image(levels, shape):
    """Codes are scikit-image's to the bit, also with many equal neighbours and at the borders."""
    images = noise(*shape, levels=levels)
    np.testing.assert_array_equal(lbp_codes(images), reference_codes(images))


@given(hnp.arrays(np.uint8, hnp.array_shapes(min_dims=3, max_dims=3, max_side=12), elements=st.integers(0, 255)))
@settings(max_examples=60, deadline=None)
def test_lbp_codes_equal_scikit_image_on_anything(images):
    """No small image, flat ones included, gives another code than scikit-image does."""
    np.testing.assert_array_equal(lbp_codes(images), reference_codes(images))


def test_lbp_codes_equal_scikit_image_on_flat_and_ramp():
    """Ties of flat regions and gentle ramps, where only rounding decides, fall as in scikit-image."""
    images = np.zeros((5, 64, 64), dtype=np.uint8)
    images[1], images[2], images[3] = 200, np.arange(64), np.arange(64)[:, None]
    images[4] = (np.arange(64) + np.arange(64)[:, None]) // 2
    np.testing.assert_array_equal(lbp_codes(images), reference_codes(images))


@pytest.mark.parametrize("shape", [(20, 128, 128), (3, 50, 61)])
def test_lbp_histograms_count_the_codes_of_each_cell(shape):
    """Cell by cell the histogram is that of the codes inside, divided by their number."""
    images = noise(*shape)
    histograms = lbp_histograms(images, (8, 8)).reshape(len(images), 8, 8, N_BINS)
    codes = reference_codes(images).astype(int)
    rows = np.arange(shape[1]) * 8 // shape[1]
    columns = np.arange(shape[2]) * 8 // shape[2]
    for i, r, c in [(0, 0, 0), (1, 3, 5), (2, 7, 7)]:
        inside = codes[i][np.ix_(rows == r, columns == c)]
        expected = np.bincount(inside.ravel(), minlength=N_BINS) / inside.size
        np.testing.assert_allclose(histograms[i, r, c], expected, rtol=1e-6)
    np.testing.assert_allclose(histograms.sum(axis=-1), 1, rtol=1e-5)


def test_lbp_refuses_images_smaller_than_its_grid():
    """An image with fewer pixels than cells is refused, not described by empty cells."""
    with pytest.raises(InputError, match=r"8 x 8 cells.*found 7 x 20"):
        lbp(np.zeros((1, 7, 20), dtype=np.uint8))


@pytest.mark.parametrize("shape", [(5, 64, 64), (70, 20, 31)])
def test_dwt_equals_pywavelets_image_by_image(shape):
    """The batched band is that of PyWavelets on each image alone."""
    images = noise(*shape)
    expected = [pywt.dwt2(image / np.float32(255), "db2")[0].ravel() for image in images]
    np.testing.assert_array_equal(dwt(images), np.stack(expected))


def test_pixels_are_grey_values_from_zero_to_one():
    """Black is 0, white is 1, and the pixels come row by row."""
    images = np.array([[[0, 255], [51, 102]]], dtype=np.uint8)
    np.testing.assert_allclose(pixels(images), [[0, 1, 0.2, 0.4]], rtol=1e-6)


@pytest.mark.parametrize(("name", "size", "length"), [("pixels", 64, 4096), ("dwt", 64, 1089), ("lbp", 128, 3776)])
def test_features_have_the_length_that_their_documentation_states(name, size, length):
    """At the catalogue's image sizes the rows are as long as stated, float32."""
    features = FEATURES[name].extract(noise(2, size, size))
    assert features.shape == (2, length)
    assert features.dtype == np.float32


def test_unknown_features_are_refused_by_name():
    """The error names what was asked for and what there is."""
    with pytest.raises(InputError, match=r"expected one of pixels, dwt, lbp, found 'hogg'"):
        find_feature("hogg")
