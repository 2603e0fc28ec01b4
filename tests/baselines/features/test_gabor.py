"""Gabor magnitudes are those of a plain convolution with the wavelets as printed."""

import numpy as np
import pytest
from scipy.signal import fftconvolve

from fer_bench.baselines.features.gabor import gabor, gabor_waves


def plain(image):
    found = []
    for down, right, deviation, reach in gabor_waves():
        t = np.arange(-reach, reach + 1)
        y, x = t[:, None], t[None, :]
        wavelet = np.exp(-(y**2 + x**2) / (2 * deviation**2)) * np.exp(1j * (down * y + right * x)) / deviation**2
        mirrored = np.pad(image / 255, reach, mode="symmetric")
        kept = np.abs(fftconvolve(mirrored, wavelet, mode="valid"))[4::8, 4::8]
        found.append(kept[: image.shape[0] // 8, : image.shape[1] // 8].ravel())
    return np.concatenate(found)


@pytest.mark.parametrize("shape", [(64, 64), (24, 32), (19, 23), (8, 8)])
def test_gabor_equals_a_plain_convolution(shape):
    """Every eighth magnitude of SciPy's convolution of the mirrored image within 1e-5, however far wavelets reach."""
    images = np.random.default_rng(0).integers(0, 256, (2, *shape)).astype(np.uint8)
    np.testing.assert_allclose(gabor(images), [plain(image) for image in images], atol=1e-5)


def test_waves_are_five_octave_halves_in_eight_directions():
    """Frequencies fall from pi/2 by the root of two; Gaussians are 4 to 16 pixels wide."""
    waves = np.array(gabor_waves())
    frequency = np.hypot(waves[:, 0], waves[:, 1]).reshape(5, 8)
    np.testing.assert_allclose(frequency, np.repeat(np.pi / 2 / np.sqrt(2) ** np.arange(5), 8).reshape(5, 8))
    np.testing.assert_allclose(waves[:, 2] * frequency.ravel(), 2 * np.pi)
    np.testing.assert_allclose(np.arctan2(waves[:8, 0], waves[:8, 1]), np.pi * np.arange(8) / 8, atol=1e-12)


def test_stripes_answer_in_their_own_direction():
    """Of a wave's forty magnitudes in the middle the largest is that of the wavelet with its frequency."""
    y, x = np.mgrid[:64, :64]
    for scale, orientation in [(0, 0), (0, 2), (1, 4), (2, 7), (3, 1)]:
        down, right, _, _ = gabor_waves()[8 * scale + orientation]
        wave = np.round(127.5 + 127 * np.cos(down * y + right * x)).astype(np.uint8)
        middle = gabor(wave[None]).reshape(40, 8, 8)[:, 3:5, 3:5].mean(axis=(1, 2))
        assert middle.argmax() == 8 * scale + orientation


def test_brightness_alone_gives_no_answer():
    """Flat images give next to nothing, and adding a constant to an image changes next to nothing."""
    assert gabor(np.full((1, 64, 64), 255, dtype=np.uint8)).max() < 1e-3
    images = np.random.default_rng(0).integers(0, 200, (2, 64, 64)).astype(np.uint8)
    np.testing.assert_allclose(gabor(images + np.uint8(50)), gabor(images), atol=1e-3)
