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


def shade_atlas(albedo: _F, normal: _F, gloss: _F, occlusion: _F, light: Light, turn: NDArray[np.float64]) -> _F:
    """Light every texel.

    Parameters
    ----------
    albedo, normal : (h, w, 3) float32
        Normals in the head's frame, of unit length.
    gloss, occlusion : (h, w) float32
    light : Light
    turn : (3, 3) float64
        Head's frame to camera's; the lamps are turned the other way instead of the head.

    Returns
    -------
    (h, w, 3) float32
        Linear light.
    """
    n = [np.ascontiguousarray(normal[:, :, i]) for i in range(3)]
    up, eye = turn[1].astype(np.float32), turn[2].astype(np.float32)
    tilt = 0.5 + 0.5 * (n[0] * up[0] + n[1] * up[1] + n[2] * up[2])
    lit = [(light.ground[k] + (light.sky[k] - light.ground[k]) * tilt).astype(np.float32) * occlusion for k in range(3)]
    soft = 0.35 + 0.65 * occlusion
    shine = np.zeros_like(gloss)
    for direction, colour in zip(light.directions, light.colours, strict=True):
        lamp = (turn * direction[:, None]).sum(axis=0).astype(np.float32)
        cosine = n[0] * lamp[0] + n[1] * lamp[1] + n[2] * lamp[2]
        for k in range(3):
            lit[k] += np.float32(colour[k]) * soft * np.maximum((cosine + _WRAP[k]) / (1 + _WRAP[k]), 0)
        half = lamp + eye
        half /= np.sqrt((half * half).sum())
        glance = np.maximum(n[0] * half[0] + n[1] * half[1] + n[2] * half[2], 0)
        glance = glance**2
        glance = glance**2
        glance = glance**2
        shine += np.float32(colour.mean()) * (0.10 * glance**2 + 0.5 * (gloss > 1.5) * glance**16)
    shine *= gloss * occlusion
    return np.stack([albedo[:, :, k] * lit[k] + shine for k in range(3)], axis=2)


def backdrop(shot: Shot, size: tuple[int, int]) -> _F:
    """Plain wall, a little brighter behind the head: (h, w, 3) linear light."""
    y, x = np.mgrid[0 : size[1], 0 : size[0]].astype(np.float32)
    far = ((x / size[0] - 0.5) ** 2 + (y / size[1] - 0.45) ** 2)[:, :, None]
    return shot.camera.backdrop.astype(np.float32) * (1.04 - 0.28 * far)


def develop(linear: _F, shot: Shot, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Expose, blur, add sensor noise, quantise: (h, w, 3) uint8 sRGB-like."""
    camera = shot.camera
    image = linear * (camera.exposure * camera.balance).astype(np.float32)
    sigma = camera.blur * size[1] / 762
    if sigma > 0.3:
        image = cv2.GaussianBlur(image, (0, 0), sigma)
    # a shoulder instead of clipping, then a display's curve
    image = np.maximum(image, 0)
    image = image * (1 + 0.10 * image) / (1 + 0.42 * image) * 1.22
    image = image ** np.float32(1 / 2.2)
    image = 0.5 + (image - 0.5) * np.float32(camera.contrast)
    rng = np.random.default_rng(shot.seed)
    grain = rng.standard_normal((size[1], size[0], 1), dtype=np.float32)
    # pixels of a small picture average more of the sensor's
    grain *= np.float32(camera.noise * min(1.0, (size[1] / 762) ** 0.5))
    return np.clip(image * 255 + grain + 0.5, 0, 255).astype(np.uint8)
