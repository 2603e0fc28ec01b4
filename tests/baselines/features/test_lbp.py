"""Local binary patterns are scikit-image's on the circle, and those of a plain loop on the square."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skimage.feature import local_binary_pattern

from fer_bench.baselines.features.lbp import N_BINS, lbp_codes, lbp_histograms, square_lbp_codes, square_lbp_histograms
from fer_bench.errors import InputError

images_of_any_kind = hnp.arrays(
    np.uint8, hnp.array_shapes(min_dims=3, max_dims=3, max_side=12), elements=st.integers(0, 255)
)


def reference_codes(images, radius=1):
    return np.stack([local_binary_pattern(image, 8, radius, "nri_uniform") for image in images])


def noise(n, h, w, levels=256, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.integers(0, levels, (n, h, w)) * (255 // (levels - 1))).astype(np.uint8)


@pytest.mark.parametrize("radius", [1, 2])
@pytest.mark.parametrize("levels", [2, 3, 256])
@pytest.mark.parametrize("shape", [(3, 128, 128), (20, 33, 50), (1, 1, 1), (2, 1, 9), (2, 2, 2)])
def test_codes_equal_scikit_image(levels, shape, radius):
    """Codes are scikit-image's to the bit, also with many equal neighbours and at the borders."""
    images = noise(*shape, levels=levels)
    np.testing.assert_array_equal(lbp_codes(images, radius), reference_codes(images, radius))


@given(images_of_any_kind, st.sampled_from([1, 2]))
@settings(max_examples=100, deadline=None)
def test_codes_equal_scikit_image_on_anything(images, radius):
    """No small image, flat ones included, gives another code than scikit-image does."""
    np.testing.assert_array_equal(lbp_codes(images, radius), reference_codes(images, radius))


@pytest.mark.parametrize("radius", [1, 2])
def test_codes_equal_scikit_image_on_flat_and_smooth(radius):
    """Ties of flat regions, gentle ramps and smooth noise, where only rounding decides, fall as in scikit-image."""
    images = np.zeros((12, 150, 150), dtype=np.uint8)
    images[1], images[2], images[3] = 200, np.arange(150), np.arange(150)[:, None]
    images[4] = (np.arange(150) + np.arange(150)[:, None]) // 2
    coarse = noise(7, 5, 5)
    images[5:] = np.stack([cv2.resize(image, (150, 150), interpolation=cv2.INTER_CUBIC) for image in coarse])
    np.testing.assert_array_equal(lbp_codes(images, radius), reference_codes(images, radius))


@pytest.mark.slow
@pytest.mark.parametrize("radius", [1, 2])
def test_codes_equal_scikit_image_for_every_grey_value_everywhere(radius):
    """A flat image of each grey value at 300 pixels, so that every place's rounding decides every tie."""
    images = np.repeat(np.arange(256, dtype=np.uint8), 300 * 300).reshape(256, 300, 300)
    np.testing.assert_array_equal(lbp_codes(images, radius), reference_codes(images, radius))


def slow_square(image):
    padded = np.pad(image, 1).astype(int)
    codes = np.zeros(image.shape, dtype=int)
    around = [(0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1), (1, 0), (1, 1)]
    for r, c in np.ndindex(image.shape):
        bits = [padded[r + 1 + y, c + 1 + x] >= padded[r + 1, c + 1] for y, x in around]
        changes = sum(bits[i] != bits[i - 1] for i in range(8))
        ones = sum(bits)
        if changes > 2:
            codes[r, c] = 58
        elif ones in (0, 8):
            codes[r, c] = 57 if ones else 0
        else:
            first = next(i for i in range(8) if bits[i] and not bits[i - 1])
            codes[r, c] = 1 + (ones - 1) * 8 + -first % 8
    return codes


@given(images_of_any_kind)
@settings(max_examples=60, deadline=None)
def test_square_codes_equal_a_plain_loop(images):
    """On the square a bit is set where the neighbour is at least the centre, and outside is black."""
    np.testing.assert_array_equal(square_lbp_codes(images), [slow_square(image) for image in images])


def test_square_and_circle_have_the_same_bins():
    """Where samples fall on pixels' own values (a bright dot) both kinds number patterns alike."""
    image = np.zeros((1, 9, 9), dtype=np.uint8)
    image[0, 4] = 255  # a line: all patterns around it are symmetrical
    np.testing.assert_array_equal(square_lbp_codes(image)[0, 4, 1:-1], lbp_codes(image)[0, 4, 1:-1])


@pytest.mark.parametrize("shape", [(20, 128, 128), (3, 50, 61), (2, 8, 8)])
@pytest.mark.parametrize("grid", [(8, 8), (7, 6)])
def test_histograms_count_the_codes_of_each_cell(shape, grid):
    """Cell by cell the histogram is that of the codes inside, divided by their number; cells may be one pixel."""
    images = noise(*shape)
    (rows, columns), (_, h, w) = grid, shape
    for histograms, codes in (
        (lbp_histograms(images, grid), lbp_codes(images)),
        (lbp_histograms(images, grid, radius=2), lbp_codes(images, 2)),
        (square_lbp_histograms(images, grid), square_lbp_codes(images)),
    ):
        cells = histograms.reshape(len(images), rows, columns, N_BINS)
        for i, r, c in [(0, 0, 0), (1, 3, 5), (len(images) - 1, rows - 1, columns - 1)]:
            inside = codes[i][np.ix_(np.arange(h) * rows // h == r, np.arange(w) * columns // w == c)]
            expected = np.bincount(inside.ravel(), minlength=N_BINS) / inside.size
            np.testing.assert_allclose(cells[i, r, c], expected, rtol=1e-6)
        np.testing.assert_allclose(cells.sum(axis=-1), 1, rtol=1e-5)


def test_images_smaller_than_the_grid_are_refused():
    """An image with fewer pixels than cells is refused, not described by empty cells."""
    with pytest.raises(InputError, match=r"8 x 8 cells expects at least 8 x 8 pixels, found 7 x 20"):
        lbp_histograms(np.zeros((1, 7, 20), dtype=np.uint8))


def test_other_radii_are_refused():
    """Only the two radii that were checked against scikit-image are there."""
    with pytest.raises(InputError, match="expects 1 or 2 pixels, found 3"):
        lbp_codes(np.zeros((1, 20, 20), dtype=np.uint8), 3)
