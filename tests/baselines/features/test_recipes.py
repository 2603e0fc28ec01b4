"""Recipes of single articles, held against scikit-image and PyWavelets on their own windows."""

import numpy as np
import pytest
import pywt
from skimage.feature import local_binary_pattern

from fer_bench.baselines.catalogue import METHODS
from fer_bench.baselines.classifiers.discriminant2d import TwoDimensionalLDA
from fer_bench.baselines.features.ldp import ldp_codes
from fer_bench.baselines.features.recipes import dwt_shih, lbp_shan, ldp_jabid
from fer_bench.errors import InputError

SPECS = {spec.name: spec for spec in METHODS}


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (2, 150, 150), dtype=np.uint8)


def windows(codes, n_bins):
    """Histograms of the 42 windows of 18 x 21 on a code image of 110 x 150, one pixel from its upper left corner."""
    assert codes.shape == (150, 110)
    found = []
    for row in range(7):
        for column in range(6):
            window = codes[1 + 21 * row : 22 + 21 * row, 1 + 18 * column : 19 + 18 * column]
            assert window.shape == (21, 18)
            found.append(np.bincount(window.astype(int).ravel(), minlength=n_bins) / window.size)
    return np.concatenate(found)


def test_shans_histograms_are_those_of_scikit_image(images):
    """LBP(8, 2) with 59 bins on the middle 110 columns, 42 windows of 18 x 21: 2,478 values."""
    expected = [windows(local_binary_pattern(image, 8, 2, "nri_uniform")[:, 20:130], 59) for image in images]
    np.testing.assert_allclose(lbp_shan(images), expected, atol=1e-6)
    assert lbp_shan(images).shape == (2, 2478)


def test_jabids_histograms_are_on_the_same_windows(images):
    """Local directional patterns with 56 bins in 42 windows: 2,352 values."""
    expected = [windows(codes, 56) for codes in ldp_codes(images)[:, :, 20:130]]
    np.testing.assert_allclose(ldp_jabid(images), expected, atol=1e-6)


def test_shihs_band_is_that_of_pywavelets():
    """Two steps of db2 on 256 pixels leave 66 x 66, which two-dimensional discriminants are learnt on in each fold."""
    image = np.random.default_rng(1).integers(0, 256, (1, 256, 256), dtype=np.uint8)
    expected = pywt.dwt2(pywt.dwt2(image[0] / 255, "db2", "symmetric")[0], "db2", "symmetric")[0]
    np.testing.assert_allclose(dwt_shih(image)[0], expected.ravel(), rtol=1e-4)
    images = np.random.default_rng(2).integers(0, 256, (14, 256, 256), dtype=np.uint8)
    method = SPECS["linear_svc-2dlda_shih"].make(random_state=0).fit(images, np.arange(14) % 7)
    learnt = method.estimator_.named_steps["learn"]
    assert isinstance(learnt, TwoDimensionalLDA)
    assert learnt.left_.shape == (66, 12)


@pytest.mark.parametrize("extract", [lbp_shan, ldp_jabid])
def test_another_size_is_refused(extract):
    """The windows are of the article's pixels: other pictures are refused with both sizes."""
    with pytest.raises(InputError, match=r"expects squares of 150 pixels, found \(160, 150\)"):
        extract(np.zeros((1, 160, 150), np.uint8))
    with pytest.raises(InputError, match="expects at least 150 x 150 pixels, found 64 x 64"):
        extract(np.zeros((1, 64, 64), np.uint8))
