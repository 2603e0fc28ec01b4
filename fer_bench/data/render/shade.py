"""From surfaces and light to a photograph: diffuse and glossy reflection per texel, then the camera."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .scene import Light, Shot

__all__ = ["backdrop", "develop", "shade_atlas"]

_F = NDArray[np.float32]
_WRAP = np.array([0.42, 0.26, 0.20], np.float32)
"""Light that bleeds past the terminator, by colour: skin scatters red the farthest."""


_BLOCK = 16384


def shade_atlas(
    albedo: _F, normal: _F, gloss: _F, occlusion: _F, light: Light, turn: NDArray[np.float64], polished: slice
) -> _F:
    """Light every texel.

    Parameters
    ----------
    albedo, normal : (3, h, w) float32
        Normals in the head's frame, of unit length.
    gloss, occlusion : (h, w) float32
    light : Light
    turn : (3, 3) float64
        Head's frame to camera's; the lamps are turned the other way instead of the head.
    polished : slice
        Flat range of texels that mirror the lamps (eyes).

    Returns
    -------
    (h, w, 3) float32
        Linear light.
    """
    up, eye = turn[1].astype(np.float32), turn[2].astype(np.float32)
    lamps = np.stack([(turn * d[:, None]).sum(axis=0) for d in light.directions]).astype(np.float32)
    halves = lamps + eye
    halves /= np.sqrt((halves * halves).sum(axis=1, keepdims=True))
    planes, shine, dark = albedo.reshape(3, -1), gloss.reshape(-1), occlusion.reshape(-1)
    normals = normal.reshape(3, -1)
    out = np.empty((dark.size, 3), np.float32)
    # blocks that stay in the processor's cache: twice as fast as whole arrays
    for start in range(0, dark.size, _BLOCK):
        at = slice(start, start + _BLOCK)
        n, o = normals[:, at], dark[at]
        mirror = start < polished.stop and at.stop > polished.start
        glance = _glance(n, halves, light, mirror) * shine[at] * o
        soft = 0.35 + 0.65 * o
        tilt = _dot(n, up) * np.float32(0.5) + np.float32(0.5)
        cosines = [_dot(n, lamp) for lamp in lamps]
        for k in range(3):
            lit = np.float32((light.colours[:, k] * _WRAP[k]).sum() / (1 + _WRAP[k])) * np.ones_like(o)
            for cosine, colour in zip(cosines, light.colours[:, k], strict=True):
                lit += np.maximum(cosine, -_WRAP[k]) * np.float32(colour / (1 + _WRAP[k]))
            lit *= soft
            lit += (tilt * np.float32(light.sky[k] - light.ground[k]) + np.float32(light.ground[k])) * o
            lit *= planes[k, at]
            lit += glance
            out[at, k] = lit
    return out.reshape(*occlusion.shape, 3)


def _dot(n: _F, direction: _F) -> _F:
    total: _F = n[0] * direction[0]
    total += n[1] * direction[1]
    total += n[2] * direction[2]
    return total


def _glance(n: _F, halves: _F, light: Light, mirror: bool) -> _F:
    """Highlights of all lamps (Blinn-Phong, exponent 16; 128 besides for polished surfaces)."""
    total: _F = np.zeros_like(n[0])
    for half, colour in zip(halves, light.colours, strict=True):
        wide = np.maximum(_dot(n, half), 0)
        for _ in range(4):
            wide *= wide
        total += np.float32(0.10 * colour.mean()) * wide
        if mirror:
            for _ in range(3):
                wide *= wide
            total += np.float32(0.5 * colour.mean()) * wide
    return total


def backdrop(shot: Shot, size: tuple[int, int]) -> _F:
    """Plain wall, a little brighter behind the head: (h, w, 3) linear light."""
    x = (np.arange(size[0], dtype=np.float32) / size[0] - np.float32(0.5)) ** 2
    y = (np.arange(size[1], dtype=np.float32) / size[1] - np.float32(0.45)) ** 2
    fall = np.float32(1.04) - np.float32(0.28) * (x[None, :] + y[:, None])
    return (fall[:, :, None] * shot.camera.backdrop).astype(np.float32)


def develop(linear: _F, shot: Shot, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Expose, blur, add sensor noise, quantise: (h, w, 3) uint8 with a display's curve."""
    camera = shot.camera
    sigma = camera.blur * size[1] / 762
    if sigma > 0.3:
        linear = cv2.GaussianBlur(linear, (0, 0), sigma)
    gain = (camera.exposure * camera.balance).astype(np.float32) * np.float32((_CURVE_STEPS / _CURVE_END) ** 2)
    curve = _curve(camera.contrast)
    rng = np.random.default_rng(shot.seed)
    grain = rng.standard_normal((size[1], size[0], 1), dtype=np.float32)
    # pixels of a small picture average more of the sensor's
    grain *= np.float32(camera.noise * min(1.0, (size[1] / 762) ** 0.5))
    out = np.empty((size[1], size[0], 3), np.uint8)
    rows = max(1, _BLOCK // size[0])
    for top in range(0, size[1], rows):
        at = slice(top, top + rows)
        root = np.sqrt(linear[at] * gain)
        image = curve[np.minimum(root, _CURVE_STEPS - 1).astype(np.int64)]
        image += grain[at]
        out[at] = np.clip(image, 0, 255)
    return out


_CURVE_STEPS, _CURVE_END = 8192, 2.0


def _curve(contrast: float) -> _F:
    """Grey levels (plus a half, for rounding) over the square root of linear light, 0 to _CURVE_END."""
    linear = (np.arange(_CURVE_STEPS) / _CURVE_STEPS * _CURVE_END) ** 2
    shoulder = linear * (1 + 0.10 * linear) / (1 + 0.42 * linear) * 1.22
    return (255 * (0.5 + (shoulder ** (1 / 2.2) - 0.5) * contrast) + 0.5).astype(np.float32)
