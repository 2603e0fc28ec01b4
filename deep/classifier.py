"""Networks as scikit-learn classifiers over arrays of images."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from fer_bench.errors import InputError, UserError
from fer_bench.labels import N_CLASSES
from fer_bench.methods import check_images, check_labels
from fer_bench.seeds import derive_seed

from .augment import Normalisation, normalise
from .networks import MODES, build, smallest_side
from .train import Data, Settings, autocast, cached, tail_of, train, train_cached

__all__ = ["GREY", "IMAGENET", "NetworkClassifier"]

IMAGENET = Normalisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""RGB statistics that all of torchvision's weights were trained with."""
GREY = Normalisation((0.5,), (0.25,))
_PREDICT_BATCH = 32
_SCHEDULES = ("constant", "cosine")


class NetworkClassifier(ClassifierMixin, BaseEstimator):
    """A network trained, or fine-tuned, on labelled images; a `fer_bench.methods.Method`.

    Parameters
    ----------
    network : str
        ``"cnn2"`` (grey images) or a torchvision architecture (RGB images), see `fer_bench.deep.architectures`.
    mode : str
        ``"dense"``, ``"last_block"``, ``"entire"`` or ``"scratch"``, see `fer_bench.deep.networks`.
    epochs, batch_size : int
        Passes over the training images, and images a step (at least 2).
    learning_rate, betas, weight_decay
        Adam's (Kingma & Ba 2015); decay is decoupled.
    schedule : str
        ``"constant"`` or ``"cosine"`` (falling to zero over the epochs).
    label_smoothing : float
        Share of the target spread over all classes.
    augment : bool
        Rotate up to 10 degrees, scale 0.9 to 1.1, shift up to 4 %, mirror; drawn for each image anew.
    views : int
        With a number, the frozen parts run once over that many views of each image (the first as it is) and the rest
        trains on their output; ``dense`` needs it. With 0, every epoch augments afresh, as ``entire`` and ``scratch``
        always do.
    random_state : int
        Of initial values, shuffles and augmentation. Same seed and threads, same bits on a CPU.
    device : str
        ``"cpu"``, ``"cuda"`` or ``"auto"`` (cuda where there is one).
    weights : path, optional
        torchvision's state dictionary; all modes but ``scratch`` refuse to work without.

    Attributes
    ----------
    classes_ : ndarray
        0 to 6, whatever labels were seen.
    network_ : StagedNetwork
    history_ : dict of str to list of float
        ``loss`` and ``train_accuracy`` of each epoch, over its augmented batches.
    watch_proba_ : ndarray
        (epochs, n, 7) float32, where ``fit`` was given ``watch``.

    Examples
    --------
    >>> import numpy as np
    >>> images = np.random.default_rng(0).integers(0, 256, (14, 16, 16), dtype=np.uint8)
    >>> labels = np.repeat(np.arange(7), 2)
    >>> NetworkClassifier("cnn2", epochs=1, device="cpu").fit(images, labels).predict_proba(images).shape
    (14, 7)
    """

    def __init__(
        self,
        network: str = "cnn2",
        mode: str = "scratch",
        *,
        epochs: int = 50,
        batch_size: int = 32,
        learning_rate: float = 5e-4,
        betas: tuple[float, float] = (0.9, 0.999),
        weight_decay: float = 0.0,
        schedule: str = "constant",
        label_smoothing: float = 0.0,
        augment: bool = True,
        views: int = 0,
        random_state: int = 0,
        device: str = "auto",
        weights: str | Path | None = None,
    ) -> None:
        self.network = network
        self.mode = mode
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.betas = betas
        self.weight_decay = weight_decay
        self.schedule = schedule
        self.label_smoothing = label_smoothing
        self.augment = augment
        self.views = views
        self.random_state = random_state
        self.device = device
        self.weights = weights

    def fit(
        self,
        images: NDArray[np.uint8],
        labels: NDArray[np.int64],
        *,
        groups: NDArray[Any] | None = None,
        watch: NDArray[np.uint8] | None = None,
    ) -> Self:
        """Train on images.

        Parameters
        ----------
        images : ndarray
            uint8, (n, side, side) for ``cnn2``, (n, side, side, 3) RGB for the others; may be memory-mapped.
        labels : ndarray
            (n,) integers from 0 to 6.
        groups : ndarray, optional
            People; part of the contract, of no use here since nothing is selected inside.
        watch : ndarray, optional
            Images to predict after each epoch.

        Raises
        ------
        InputError
            Images, labels or parameters that are not what is described here.
        UserError
            Unknown network, mode or device; weights that are missing or do not fit.
        FerBenchError
            The loss is no longer a finite number.
        """
        images = self._check(images)
        labels = check_labels(labels, len(images))
        settings = self._settings()
        device = _device(self.device)
        self.classes_ = np.arange(N_CLASSES)
        self.image_shape_ = images.shape[1:]
        self.network_ = build(
            self.network,
            mode=self.mode,
            seed=derive_seed(settings.seed, "initial values"),
            size=images.shape[1],
            weights=self.weights,
        ).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        data = Data(_pictures(images).to(device), torch.from_numpy(labels).to(device), self._normalisation)
        watched = None if watch is None else _pictures(check_images(watch, like=self.image_shape_)).to(device)
        self.history_, probabilities = self._train(data, settings, watched)
        if watched is not None:
            self.watch_proba_ = np.stack(probabilities).astype(np.float32)
        self.network_.eval()
        return self

    def _train(
        self, data: Data, settings: Settings, watched: Tensor | None
    ) -> tuple[dict[str, list[float]], list[NDArray[np.float64]]]:
        """Choose between the plain way and the cached one; gather the predictions for ``watched`` epoch by epoch."""
        network, device = self.network_, data.labels.device
        probabilities: list[NDArray[np.float64]] = []
        start = {"dense": "head", "last_block": "block"}.get(self.mode, "")
        if not (start and self.views):

            def after_epoch(_: int) -> None:
                if watched is not None:
                    probabilities.append(self._probabilities(watched))

            return train(network, data, settings, after_epoch), probabilities

        views = cached(network, start, data, settings, self.views)
        aside = None
        if watched is not None:
            plain = Settings(**{**settings.__dict__, "augment": False})
            none = torch.zeros(len(watched), dtype=torch.int64, device=device)
            aside = cached(network, start, Data(watched, none, data.normalisation), plain, 1)[0]
        tail = tail_of(network, start)

        def after_cached_epoch(_: int) -> None:
            if aside is not None:
                network.eval()
                with torch.inference_mode(), autocast(device):
                    probabilities.append(_softmax(torch.cat([tail(part) for part in aside.split(_PREDICT_BATCH)])))

        return train_cached(network, start, views, data.labels, settings, after_cached_epoch), probabilities

    def predict_proba(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Return (n, 7) probabilities, rows summing to one.

        Raises
        ------
        InputError
            The images have another shape or type than those of ``fit``.
        """
        check_is_fitted(self, "network_")
        images = check_images(images, like=self.image_shape_)
        return np.concatenate(
            [
                self._probabilities(_pictures(images[at : at + _PREDICT_BATCH]))
                for at in range(0, len(images), _PREDICT_BATCH)
            ]
        )

    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Return the most probable label of each image."""
        return self.predict_proba(images).argmax(1)

    def _probabilities(self, pictures: Tensor) -> NDArray[np.float64]:
        device = next(self.network_.parameters()).device
        self.network_.eval()
        with torch.inference_mode(), autocast(device):
            logits = [
                self.network_(normalise(part.to(device), self._normalisation))
                for part in pictures.split(_PREDICT_BATCH)
            ]
        return _softmax(torch.cat(logits))

    @property
    def _normalisation(self) -> Normalisation:
        return GREY if self.network == "cnn2" else IMAGENET

    def _check(self, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Check the images' type and shape against the network."""
        images = check_images(images, channels=1 if self.network == "cnn2" else 3)
        height, width = images.shape[1:3]
        smallest = smallest_side(self.network)
        if height != width or height < smallest:
            raise InputError(
                f"images: {self.network} takes squares of at least {smallest} pixels, found {height} x {width}"
            )
        return images

    def _settings(self) -> Settings:
        """Check the parameters and gather them."""
        for name, least in (("epochs", 1), ("batch_size", 2), ("views", 1 if self.mode == "dense" else 0)):
            if getattr(self, name) < least:
                raise InputError(f"{name}: expected at least {least} in mode {self.mode}, found {getattr(self, name)}")
        if self.views and self.mode in MODES[2:]:
            raise InputError(f"views: mode {self.mode} has no frozen part to run once; expected 0, found {self.views}")
        if self.schedule not in _SCHEDULES:
            raise InputError(f"schedule: expected one of {', '.join(_SCHEDULES)}, found {self.schedule!r}")
        if len(self.betas) != 2 or not all(0 <= beta < 1 for beta in self.betas):
            raise InputError(f"betas: expected two numbers from 0 to below 1, found {self.betas}")
        return Settings(
            epochs=self.epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            betas=(self.betas[0], self.betas[1]),
            weight_decay=self.weight_decay,
            schedule=self.schedule,
            label_smoothing=self.label_smoothing,
            augment=self.augment,
            seed=int(self.random_state),
        )

    def __getstate__(self) -> dict[str, Any]:
        """Move the network to the CPU, so that what was trained on a GPU is read anywhere."""
        state = dict(super().__getstate__())
        if "network_" in state and next(state["network_"].parameters()).device.type != "cpu":
            state["network_"] = copy.deepcopy(state["network_"]).cpu()
        return state


def _device(name: str) -> torch.device:
    if name not in ("cpu", "cuda", "auto"):
        raise UserError(f"device: expected cpu, cuda or auto, found {name!r}")
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError("device: cuda was asked for and torch finds none here; use device 'cpu' or 'auto'")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


def _pictures(images: NDArray[np.uint8]) -> Tensor:
    """Copy images (n, h, w) or (n, h, w, 3), perhaps out of a memory map, to (n, c, h, w) with channels last."""
    array = np.array(images, dtype=np.uint8, order="C")
    tensor = torch.from_numpy(array)
    return tensor.unsqueeze(1) if array.ndim == 3 else tensor.permute(0, 3, 1, 2)


def _softmax(logits: Tensor) -> NDArray[np.float64]:
    return torch.softmax(logits.double(), 1).cpu().numpy()
