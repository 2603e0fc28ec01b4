"""Histograms of oriented gradients are scikit-image's, and OpenCV's."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skimage.feature import hog as reference

from fer_bench.baselines.features.hog import hog, hog_cv


def each(images):
    return np.stack([reference(image, 9, (8, 8), (2, 2), "L2-Hys") for image in images])


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


@pytest.mark.parametrize("shape", [(40, 64, 64), (3, 128, 128), (5, 37, 58), (2, 16, 16), (2, 23, 16)])
def test_hog_equals_scikit_image(shape):
    """Within 1e-5 of scikit-image's, also where sides are no multiples of a cell."""
    np.testing.assert_allclose(hog(noise(*shape)), each(noise(*shape)), atol=1e-5)


@given(hnp.arrays(np.uint8, (2, 17, 24), elements=st.sampled_from([0, 1, 2, 254, 255])))
@settings(max_examples=40, deadline=None)
def test_hog_equals_scikit_image_on_flat_and_harsh_images(images):
    """Faint gradients and full contrast, many of them at the edges between orientations, are counted alike."""
    np.testing.assert_allclose(hog(images), each(images), atol=1e-5)


def test_every_pair_of_differences_goes_where_scikit_image_puts_it():
    """A cell with one gradient of each kind has its orientation and strength, for a grid over all 511 x 511 pairs."""
    images = []
    for down in range(-255, 256, 15):
        for right in range(-255, 256, 17):
            image = np.zeros((16, 16), dtype=np.uint8)
            image[5, 4], image[3, 4] = max(down, 0), max(-down, 0)
            image[4, 5], image[4, 3] = max(right, 0), max(-right, 0)
            images.append(image)
    images = np.stack(images)
    np.testing.assert_allclose(hog(images), each(images), atol=1e-5)


@pytest.mark.parametrize("shape", [(20, 64, 64), (3, 128, 128), (2, 16, 32), (2, 37, 58)])
def test_hog_cv_equals_opencv(shape):
    """Image by image what OpenCV's descriptor computes for the largest window of whole cells."""
    images = noise(*shape)
    h, w = shape[1] // 8 * 8, shape[2] // 8 * 8
    plain = cv2.HOGDescriptor((w, h), (16, 16), (8, 8), (8, 8), 9, 1, -1, 0, 0.2, True, 64, False)
    expected = [plain.compute(np.ascontiguousarray(image[:h, :w])).ravel() for image in images]
    np.testing.assert_array_equal(hog_cv(images), expected)


def test_the_two_definitions_differ():
    """They are two features: as long as each other, and far from equal."""
    images = noise(2, 64, 64)
    assert hog(images).shape == hog_cv(images).shape
    assert np.abs(hog(images) - hog_cv(images)).max() > 0.1
