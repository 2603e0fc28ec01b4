"""Wavelet bands are PyWavelets' on each image alone."""

import numpy as np
import pytest
import pywt

from fer_bench.baselines.features.registry import dwt, dwt_haar, dwt_l2
from fer_bench.baselines.features.wavelets import BANDS, dwt_bands
from fer_bench.errors import InputError


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)


def each(images, wavelet, level):
    """Low-low, low-high (cV), high-low (cH), high-high of the last level."""
    rows = []
    for image in images:
        low, (horizontal, vertical, diagonal), *_ = pywt.wavedec2(
            image / np.float32(255), wavelet, mode="symmetric", level=level
        )
        rows.append(np.concatenate([band.ravel() for band in (low, vertical, horizontal, diagonal)]))
    return np.stack(rows)


@pytest.mark.parametrize("shape", [(5, 64, 64), (70, 20, 31), (130, 21, 33)])
def test_dwt_equals_pywavelets_to_the_bit(shape):
    """The batched db2 band is that of PyWavelets on each image alone."""
    expected = [pywt.dwt2(image / np.float32(255), "db2")[0].ravel() for image in noise(*shape)]
    np.testing.assert_array_equal(dwt(noise(*shape)), np.stack(expected))


@pytest.mark.parametrize("wavelet", ["haar", "db2", "db4", "sym5"])
@pytest.mark.parametrize("level", [1, 2, 3])
@pytest.mark.parametrize("shape", [(4, 128, 128), (3, 75, 90), (20, 81, 77)])
def test_all_bands_equal_pywavelets(wavelet, level, shape):
    """Every band of every wavelet and level is PyWavelets' within 1e-5, with odd sides too."""
    images = noise(*shape)
    np.testing.assert_allclose(dwt_bands(images, wavelet, level, BANDS), each(images, wavelet, level), atol=1e-5)


@pytest.mark.parametrize("level", [4, 5, 6])
def test_deep_haar_sums_do_not_overflow(level):
    """Sums over 64 x 64 white pixels still fit."""
    images = np.full((2, 64, 64), 255, dtype=np.uint8)
    images[1, :32] = 0
    np.testing.assert_allclose(dwt_bands(images, "haar", level, BANDS), each(images, "haar", level), atol=1e-4)


def test_named_features_are_bands():
    """dwt_haar is Haar's low-low band, dwt_l2 three bands of db2's second level, in the order of their names."""
    images = noise(3, 64, 64)
    np.testing.assert_allclose(dwt_haar(images), each(images, "haar", 1)[:, : 32 * 32], atol=1e-5)
    np.testing.assert_allclose(dwt_l2(images), each(images, "db2", 2)[:, : 3 * 18 * 18], atol=1e-5)


def test_details_see_the_direction_of_edges():
    """High-low answers to stripes that lie, low-high to stripes that stand."""
    lying = np.zeros((1, 64, 64), dtype=np.uint8)
    lying[:, ::2] = 255
    for wavelet in ("haar", "db2"):
        for images, strong, weak in ((lying, "hl", "lh"), (lying.swapaxes(1, 2), "lh", "hl")):
            assert np.abs(dwt_bands(images, wavelet, 1, [strong])).mean() > 0.5
            assert np.abs(dwt_bands(images, wavelet, 1, [weak])).max() < 1e-6


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("daub", 1, ("ll",)), "wavelet: expected a discrete one of PyWavelets .*found 'daub'"),
        (("gaus1", 1, ("ll",)), "wavelet: expected a discrete one of PyWavelets .*found 'gaus1'"),
        (("haar", 0, ("ll",)), "level: expected 1 or more, found 0"),
        (("haar", 1, ("ll", "cA")), "bands: expected names out of ll, lh, hl, hh, found ll, cA"),
        (("haar", 1, ()), "found none"),
        (("db2", 3, ("ll",)), "db2 at level 3 expects at least 16 x 16 pixels, found 15 x 40"),
    ],
)
def test_mistakes_are_refused_in_words(arguments, text):
    """Unknown wavelets, levels and bands, and images too small for the level, are told with what is expected."""
    with pytest.raises(InputError, match=text):
        dwt_bands(noise(1, 15, 40), *arguments)
