"""A linear support vector machine on what a dense layer of ImageNet's AlexNet gives.

Source: Shaees, Naeem, Arslan, Naeem, Ali and Aldabbas, Facial Emotion Recognition Using Transfer Learning, ICCIT 2020.
Known, though not verified in the article itself: AlexNet trained on ImageNet is fine-tuned (here the rows
``alexnet-...``, which keep its convolutions and put one linear layer in the place of all its dense ones), or its 4,096
values of a fully connected layer go into a support vector machine (this row).

Decided here: the layer is fc7 behind its ReLU, without dropout (``layer="fc6"`` takes the one before); values are
standardised; the machine is linear, one against the rest, with C 1 on rows of mean squared length 1, which
``linear_svc-...`` has at 500 training images. Probabilities are a softmax of its decision values, whose
temperature is fitted on a quarter of the training people; the order of the classes is the machine's.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.model_selection import GroupShuffleSplit
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.utils.validation import check_is_fitted
from torch import nn

from fer_bench.errors import InputError, UserError
from fer_bench.labels import N_CLASSES
from fer_bench.methods import check_images, check_labels

from ..networks.architectures import Parts
from ..networks.build import BlockNetwork, pretrained
from ..networks.zoo import find
from ..training.augment import IDENTITY, Normalisation
from ..training.frozen import copy_features
from ..training.inputs import check_shape, file_hash, find_device

__all__ = ["LAYERS", "AlexNetSVC"]

LAYERS = {"fc6": 3, "fc7": 6}
"""Layers of torchvision's ``classifier`` up to and with the ReLU of each."""
_WIDTH = 4096
_ALEXNET = find("alexnet")


class AlexNetSVC(ClassifierMixin, BaseEstimator):
    """A linear support vector machine on a dense layer of AlexNet; a `fer_bench.methods.Method`.

    Parameters
    ----------
    layer : str
        ``"fc6"`` or ``"fc7"``.
    C : float
        Of the machine, for rows of mean squared length 1.
    random_state : int
        Of the machine's solver, and of the choice of people for the temperature.
    device : str
        Where AlexNet runs: ``"cpu"``, ``"cuda"`` or ``"auto"``.
    weights : path
        torchvision's state dictionary of AlexNet with its 1000 outputs; there is no way to go without.

    Attributes
    ----------
    estimator_ : Pipeline
        Scaler and machine.
    temperature_ : float
        What decision values are divided by.
    classes_ : ndarray
        0 to 6, whatever labels were seen.
    """

    def __init__(
        self,
        layer: str = "fc7",
        C: float = 1.0,
        *,
        random_state: int = 0,
        device: str = "auto",
        weights: str | Path | None = None,
    ) -> None:
        self.layer = layer
        self.C = C
        self.random_state = random_state
        self.device = device
        self.weights = weights

    def prepare_key(self) -> str:
        """Name the features that `prepare` gives."""
        path = self._checked_weights()
        return f"alexnet-{self.layer}-{file_hash(str(path), path.stat().st_mtime_ns)[:16]}-v1"

    def prepare(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Activations (n, 4096) of the layer for RGB images (n, side, side, 3), each by itself.

        Raises
        ------
        UserError
            Weights are missing or do not fit.
        """
        images = check_shape(images, _ALEXNET)
        network = self._network().to(find_device(self.device))
        scale = Normalisation(_ALEXNET.mean, _ALEXNET.std)
        return copy_features(network, images, scale, IDENTITY, 1)

    def fit(self, images: NDArray[np.uint8], labels: NDArray[np.int64], *, groups: NDArray[Any] | None = None) -> Self:
        """Learn from RGB images (n, side, side, 3), labels (n,) and, for the temperature, people (n,)."""
        images = check_shape(images, _ALEXNET)
        labels = check_labels(labels, len(images))
        self.fit_prepared(self.prepare(images), labels, groups=groups)
        self.image_shape_ = images.shape[1:]
        return self

    def fit_prepared(
        self, features: NDArray[np.float32], labels: NDArray[np.int64], *, groups: NDArray[Any] | None = None
    ) -> Self:
        """`fit` on what `prepare` gave for the images."""
        if features.ndim != 2 or features.shape[1] != _WIDTH:
            raise InputError(f"features: expected what prepare gives, (n, {_WIDTH}), found {features.shape}")
        y = check_labels(labels, len(features))
        if hasattr(self, "image_shape_"):
            del self.image_shape_  # of an earlier fit on images
        machine = LinearSVC(C=self.C / _WIDTH, random_state=int(self.random_state) % 2**32)
        model = make_pipeline(StandardScaler(), machine)
        people = np.arange(len(y)) if groups is None else np.asarray(groups)
        self.temperature_ = _temperature(model, features, y, people, int(self.random_state) % 2**32)
        self.estimator_: Pipeline = model.fit(features, y)
        self.classes_ = np.arange(N_CLASSES)
        return self

    def predict_proba(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Return (n, 7) probabilities, rows summing to one."""
        check_is_fitted(self, "estimator_")
        images = check_images(images, channels=3, like=getattr(self, "image_shape_", None))
        return self.predict_proba_prepared(self.prepare(images))

    def predict_proba_prepared(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """`predict_proba` from what `prepare` gave for the images."""
        check_is_fitted(self, "estimator_")
        found = np.zeros((len(features), N_CLASSES))
        found[:, self.estimator_.classes_] = softmax(_decisions(self.estimator_, features) / self.temperature_, axis=1)
        return found

    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Return the most probable label of each image."""
        return self.predict_proba(images).argmax(1)

    def _network(self) -> BlockNetwork:
        """AlexNet up to the layer, as what enters a head that is not there."""
        if self.layer not in LAYERS:
            raise InputError(f"layer: expected one of {', '.join(LAYERS)}, found {self.layer!r}")
        net: Any = pretrained(_ALEXNET, "dense", self._checked_weights())
        dense = nn.Sequential(net.avgpool, nn.Flatten(), net.classifier[: LAYERS[self.layer]])
        return BlockNetwork(Parts((net.features,), pool=dense), nn.Identity()).eval()

    def _checked_weights(self) -> Path:
        if self.weights is None:
            raise UserError(
                "linear_svc-alexnet takes its features from pretrained weights and got none; give weights=<file> "
                "(`fer-bench weights fetch alexnet`)"
            )
        return Path(self.weights)


def _decisions(model: Any, features: NDArray[np.float32]) -> NDArray[np.float64]:
    """Decision values (n, classes), also for two classes, where scikit-learn gives one column."""
    values = np.asarray(model.decision_function(features), dtype=np.float64)
    return np.column_stack([-values, values]) if values.ndim == 1 else values


def _temperature(
    model: Any, features: NDArray[np.float32], y: NDArray[np.int64], people: NDArray[Any], seed: int
) -> float:
    """What to divide decision values by: least log-loss on a quarter of the people, whom a copy was fitted without.

    1 where too few people or classes are left for that. Source: Guo et al. 2017, arXiv:1706.04599.
    """
    if len(np.unique(people)) < 2:
        return 1.0
    inner, held = next(GroupShuffleSplit(1, test_size=0.25, random_state=seed).split(features, y, people))
    held = held[np.isin(y[held], y[inner])]
    if len(held) == 0 or len(np.unique(y[inner])) < 2:
        return 1.0
    copy = clone(model).fit(features[inner], y[inner])
    values, right = _decisions(copy, features[held]), np.searchsorted(copy.classes_, y[held])

    def loss(log_temperature: float) -> float:
        return -float(log_softmax(values / np.exp(log_temperature), axis=1)[np.arange(len(right)), right].mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-5.0, 5.0), method="bounded").x))
