"""Local directional patterns are those of a plain loop over pixels and masks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fer_bench.baselines.features.ldp import N_BINS, ldp_codes, ldp_histograms

# Kirsch's masks as printed, from east counter-clockwise
EAST = np.array([[-3, -3, 5], [-3, 0, 5], [-3, -3, 5]])
RING = [(1, 2), (0, 2), (0, 1), (0, 0), (1, 0), (2, 0), (2, 1), (2, 2)]


def masks():
    around = [EAST[place] for place in RING]
    found = []
    for turn in range(8):
        mask = np.zeros((3, 3), dtype=int)
        for index, place in enumerate(RING):
            mask[place] = around[index - turn]
        found.append(mask)
    return found


def slow_codes(image):
    bins = {}
    for number in range(256):
        if number.bit_count() == 3:
            bins[number] = len(bins)
    padded = np.pad(image, 1, mode="edge").astype(int)
    codes = np.zeros(image.shape, dtype=int)
    for r, c in np.ndindex(image.shape):
        responses = [abs((padded[r : r + 3, c : c + 3] * mask).sum()) for mask in masks()]
        strongest = sorted(range(8), key=lambda i: (-responses[i], i))[:3]
        codes[r, c] = bins[sum(1 << i for i in strongest)]
    return codes


def test_the_masks_turn_as_printed():
    """The north-east mask has its fives in that corner, the north mask in the upper row."""
    np.testing.assert_array_equal(masks()[1], [[-3, 5, 5], [-3, 0, 5], [-3, -3, -3]])
    np.testing.assert_array_equal(masks()[2], [[5, 5, 5], [-3, 0, -3], [-3, -3, -3]])


@given(
    hnp.arrays(
        np.uint8,
        hnp.array_shapes(min_dims=3, max_dims=3, max_side=7),
        elements=st.one_of(st.integers(0, 255), st.sampled_from([0, 255])),
    )
)
@settings(max_examples=60, deadline=None)
def test_codes_equal_a_plain_loop(images):
    """The three strongest responses, lower directions first among equals, on anything from flat to full contrast."""
    np.testing.assert_array_equal(ldp_codes(images), [slow_codes(image) for image in images])


def test_codes_equal_a_plain_loop_on_noise():
    """The same on larger images, more of them than go into one chunk."""
    images = np.random.default_rng(0).integers(0, 256, (9, 30, 20)).astype(np.uint8)
    images = np.concatenate([images, np.zeros((60, 30, 20), dtype=np.uint8)])
    codes = ldp_codes(images)
    np.testing.assert_array_equal(codes[:9], [slow_codes(image) for image in images[:9]])
    assert set(np.unique(ldp_codes(np.random.default_rng(0).integers(0, 256, (5, 99, 99)).astype(np.uint8)))) == set(
        range(N_BINS)
    )


@pytest.mark.parametrize("shape", [(3, 128, 128), (2, 7, 6)])
def test_histograms_count_the_codes_of_each_cell(shape):
    """7 rows of 6 cells: cell by cell the histogram of the codes inside, divided by their number."""
    images = np.random.default_rng(1).integers(0, 256, shape).astype(np.uint8)
    (_, h, w), codes = shape, ldp_codes(images)
    cells = ldp_histograms(images).reshape(shape[0], 7, 6, N_BINS)
    for r, c in [(0, 0), (6, 5), (2, 4)]:
        inside = codes[1][np.ix_(np.arange(h) * 7 // h == r, np.arange(w) * 6 // w == c)]
        np.testing.assert_allclose(
            cells[1, r, c], np.bincount(inside.ravel(), minlength=N_BINS) / inside.size, rtol=1e-6
        )
