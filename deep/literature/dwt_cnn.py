"""Equalised faces, their wavelet sub-bands, and a convolutional network on these.

Source: Bendjillali, Beladgham, Merit and Taleb-Ahmed, Improved Facial Expression Recognition Based on DWT Feature for
Deep CNN, Electronics 8(3):324, 2019, doi 10.3390/electronics8030324. Known: faces found by Viola and Jones, contrast
limited adaptive histogram equalisation (CLAHE), discrete wavelet transform, deep CNN; 98.43 % on JAFFE and 96.46 % on
CK+ by its abstract.

Decided here, since parameters and the CNN's table were not to be had: faces are cut as for every other method; CLAHE
with a clip limit of 2 on 8 x 8 tiles (OpenCV's usual ones); one level of Haar's transform, whose four sub-bands are the
four input maps of the CNN; three blocks of two 3 x 3 convolutions with batch normalisation and a pooling, 32, 64 and
128 maps; a dense layer of 256 with dropout 0.5.
"""

from __future__ import annotations

from typing import Any, Self

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn
from torch.nn import functional

from fer_bench.methods import check_images
from fer_bench.methods.old_names import takes_old_arguments

from ..classifier import NetworkClassifier
from .cnn18 import blocks

__all__ = ["EqualisedClassifier", "Haar", "dwt_cnn", "equalise"]

_CLIP, _TILES = 2.0, 8
_BLOCKS = ((2, 32), (2, 64), (2, 128))
_DENSE = 256


class Haar(nn.Module):
    """One level of the orthonormal Haar transform: (n, c, h, w) to (n, 4 c, h / 2, w / 2), without parameters.

    Of each map LL, LH, HL and HH, where the first letter is the pass downwards, as in `pywt.dwt2` cA, cV, cH and cD.
    A last odd row or column is repeated.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Sums and differences of the four pixels of each square, halved."""
        height, width = x.shape[-2:]
        x = functional.pad(x, (0, width % 2, 0, height % 2), mode="replicate")
        top, bottom = x[..., ::2, :], x[..., 1::2, :]
        bands = []
        for rows in (top + bottom, top - bottom):
            left, right = rows[..., ::2], rows[..., 1::2]
            bands += [(left + right) / 2, (left - right) / 2]
        return torch.stack(bands, 2).flatten(1, 2)


def dwt_cnn(_: str, size: int) -> nn.Sequential:
    """The network for square grey images of ``size`` pixels: the transform with the first block, two blocks, dense."""
    first, *others = blocks(4, _BLOCKS)
    inputs = _BLOCKS[-1][1] * ((size + 1) // 2 // 2 ** len(_BLOCKS)) ** 2
    dense = nn.Sequential(nn.Flatten(), nn.Linear(inputs, _DENSE), nn.ReLU(inplace=True), nn.Dropout(0.5))
    return nn.Sequential(nn.Sequential(Haar(), first), *others, dense)


def equalise(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """CLAHE of each grey image (n, h, w) by itself."""
    clahe = cv2.createCLAHE(_CLIP, (_TILES, _TILES))
    return np.stack([clahe.apply(np.ascontiguousarray(image)) for image in images])


class EqualisedClassifier(NetworkClassifier):
    """A `NetworkClassifier` of grey images that equalises every image first, in training and in prediction."""

    @takes_old_arguments
    def fit(
        self,
        images: NDArray[np.uint8],
        labels: NDArray[np.int64],
        *,
        groups: NDArray[Any] | None = None,
        eval_images: NDArray[np.uint8] | None = None,
        checkpoint: Any = None,
        checkpoint_seconds: float = 60.0,
    ) -> Self:
        """`NetworkClassifier.fit` on equalised images."""
        images = equalise(check_images(images, channels=1))
        if eval_images is not None:
            eval_images = equalise(check_images(eval_images, like=images.shape[1:]))
        more = {"checkpoint": checkpoint, "checkpoint_seconds": checkpoint_seconds}
        return super().fit(images, labels, groups=groups, eval_images=eval_images, **more)

    def predict_proba(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """`NetworkClassifier.predict_proba` of equalised images."""
        check_is_fitted(self, "network_")
        return super().predict_proba(equalise(check_images(images, like=self.image_shape_)))
