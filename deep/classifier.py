"""Networks as scikit-learn classifiers over arrays of images."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Collection, Sequence
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

from .augment import normalise
from .checkpoint import Checkpoint, open_checkpoint
from .feeds import Data, predict
from .networks import build
from .registry import MODES, Network
from .settings import AUGMENTATIONS, NORMALISATIONS, OPTIMIZERS, SCHEDULES, Settings, normalisation
from .stages import check_stages, plan_stages
from .train import Aside, train
from .zoo import find

__all__ = ["NetworkClassifier"]

_CHUNK = 256  # images copied out of a memory map at a time


class NetworkClassifier(ClassifierMixin, BaseEstimator):
    """A network trained, or fine-tuned, on labelled images; a `fer_bench.methods.Method`.

    Parameters
    ----------
    network : str
        A name of `fer_bench.deep.zoo` (``"cnn2"``, ``"cnn3"``: grey images; others: RGB), or ``"module:object"`` of a
        `fer_bench.deep.registry.Network`.
    mode : str
        ``"dense"``, ``"last_block"``, ``"entire"``, ``"scratch"`` or ``"gradual"``, see `fer_bench.deep.networks`.
    epochs, batch_size : int
        Passes over the training images, and images a step (at least 2).
    learning_rate, betas, weight_decay
        Adam's (Kingma & Ba 2015); decay is decoupled.
    optimizer, momentum
        ``"adam"``, or ``"sgd"`` with momentum (and decay in the gradient).
    schedule, step_size, gamma
        ``"constant"``; ``"cosine"`` (falling to zero over the epochs of a stage); ``"step"``: times ``gamma`` after
        every ``step_size`` epochs.
    label_smoothing : float
        Share of the target spread over all classes.
    head : str
        ``"linear"``, ``"hidden"`` (512 units with ReLU before it) or ``"factored"`` (512 without activation).
    stages : list of [what, part, factor], optional
        Of ``gradual``, see `fer_bench.deep.stages.plan_stages`.
    augment : bool or str
        True: rotate up to 10 degrees, scale 0.9 to 1.1, shift up to 4 %, mirror; drawn for each image anew.
        ``"flip"``: mirror alone; ``"paper"``: rotate up to 10 degrees, scale 1 to 1.1, mirror.
    normalisation : str
        ``"network"``: what the weights were trained with; ``"half"``: mean and deviation 0.5; ``"unit"``: 0 to 1.
    views : int
        With a number, the frozen parts run once over that many views of each image (the first as it is) and the rest
        trains on their output; ``dense`` needs it, in ``gradual`` it is for the head's stage. With 0, every epoch
        augments afresh, as ``entire`` and ``scratch`` always do.
    patience : int
        0: the last epoch is the result. With a number, a tenth of the people in ``groups`` is held out of the training,
        a stage ends after so many epochs without a lower loss on them, and its best epoch is kept.
    random_state : int
        Of initial values, shuffles and augmentation. Same seed and threads, same bits on a CPU.
    device : str
        ``"cpu"``, ``"cuda"`` or ``"auto"`` (cuda where there is one).
    weights : path, optional
        torchvision's state dictionary (.pth or .safetensors); all modes but ``scratch`` refuse to work without.

    Attributes
    ----------
    classes_ : ndarray
        0 to 6, whatever labels were seen.
    network_ : StagedNetwork
    history_ : dict of str to list of float
        ``loss`` and ``train_accuracy`` of each epoch, over its augmented batches; with several stages
        ``learning_blocks``; with patience ``validation_loss`` and ``validation_accuracy``.
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

    takes_checkpoint = True
    """The harness may give ``fit`` a folder as ``checkpoint``."""

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
        augment: bool | str = True,
        views: int = 0,
        optimizer: str = "adam",
        momentum: float = 0.9,
        step_size: int = 6,
        gamma: float = 0.1,
        head: str = "linear",
        stages: Sequence[Sequence[Any]] | None = None,
        normalisation: str = "network",
        patience: int = 0,
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
        self.optimizer = optimizer
        self.momentum = momentum
        self.step_size = step_size
        self.gamma = gamma
        self.head = head
        self.stages = stages
        self.normalisation = normalisation
        self.patience = patience
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
        checkpoint: str | Path | Checkpoint | None = None,
        checkpoint_seconds: float = 60.0,
    ) -> Self:
        """Train on images.

        Parameters
        ----------
        images : ndarray
            uint8, (n, side, side) for grey networks, (n, side, side, 3) RGB for the others; may be memory-mapped.
        labels : ndarray
            (n,) integers from 0 to 6.
        groups : ndarray, optional
            People, (n,); needed with ``patience``, of no use without.
        watch : ndarray, optional
            Images to predict after each epoch.
        checkpoint : path or Checkpoint, optional
            Folder of this training alone, in which it keeps how far it got; where that is there already, the training
            goes on from it. The caller deletes the folder when the result is safe.
        checkpoint_seconds : float
            Least time between two writes; at most so much work, and an epoch, is lost.

        Raises
        ------
        InputError
            Images, labels or parameters that are not what is described here.
        UserError
            Unknown network, mode or device; weights that are missing or do not fit; a checkpoint of another training.
        FerBenchError
            The loss is no longer a finite number.
        """
        record = find(self.network)
        images = _check(images, record)
        labels = check_labels(labels, len(images))
        settings = self._settings()
        device = _device(self.device)
        held_out = _held_out(groups, labels, settings)
        watched = None if watch is None else check_images(watch, like=images.shape[1:])
        keeper = open_checkpoint(checkpoint, checkpoint_seconds)
        key = self._key(images, labels, groups, watched) if keeper else ""
        self.classes_ = np.arange(N_CLASSES)
        self.image_shape_ = images.shape[1:]
        self.normalisation_ = normalisation(self.normalisation, record.mean, record.std)
        self.network_ = build(
            self.network,
            mode=self.mode,
            seed=derive_seed(settings.seed, "initial values"),
            size=images.shape[1],
            weights=self.weights,
            head=self.head,
        ).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        aside = Aside(
            watch=None if watched is None else _pictures(watched).to(device),
            validation=self._data(images, labels, held_out, device) if held_out.any() else None,
            checkpoint=keeper,
            key=key,
        )
        stages = plan_stages(self.mode, self.network_.n_blocks, self.epochs, self.learning_rate, self.stages)
        course = train(
            self.network_,
            self._data(images, labels, ~held_out, device),
            settings,
            stages,
            views=self.views,
            aside=aside,
        )
        self.history_ = course.history
        if watched is not None:
            self.watch_proba_ = np.stack([_softmax(logits) for logits in course.watched]).astype(np.float32)
        self.network_.eval()
        return self

    def _data(
        self, images: NDArray[np.uint8], labels: NDArray[np.int64], rows: NDArray[np.bool_], device: torch.device
    ) -> Data:
        chosen = images if rows.all() else images[rows]
        return Data(_pictures(chosen).to(device), torch.from_numpy(labels[rows]).to(device), self.normalisation_)

    def _key(self, *arrays: NDArray[Any] | None) -> str:
        """Name parameters and data, for a checkpoint; where files and devices are is of no matter."""
        params = {k: v for k, v in self.get_params().items() if k not in ("device", "weights")}
        digest = hashlib.sha256(repr(sorted(params.items())).encode())
        for array in arrays:
            digest.update(repr(None if array is None else (array.shape, str(array.dtype))).encode())
            if array is not None:
                plain = np.asarray(array)
                digest.update(np.ascontiguousarray(plain if plain.dtype.kind != "O" else plain.astype(str)).data)
        return digest.hexdigest()

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
            [self._probabilities(_pictures(images[at : at + _CHUNK])) for at in range(0, len(images), _CHUNK)]
        )

    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Return the most probable label of each image."""
        return self.predict_proba(images).argmax(1)

    def _probabilities(self, pictures: Tensor) -> NDArray[np.float64]:
        network = self.network_
        pictures = pictures.to(next(network.parameters()).device)
        return _softmax(predict(network, lambda x: network(normalise(x, self.normalisation_)), pictures))

    def _settings(self) -> Settings:
        """Check the parameters and gather them."""
        least = {"epochs": 1, "batch_size": 2, "views": 1 if self.mode == "dense" else 0, "patience": 0, "step_size": 1}
        for name, number in least.items():
            if getattr(self, name) < number:
                raise InputError(f"{name}: expected at least {number} in mode {self.mode}, found {getattr(self, name)}")
        known: dict[str, Collection[Any]] = {
            "schedule": SCHEDULES,
            "optimizer": OPTIMIZERS,
            "augment": AUGMENTATIONS,
            "normalisation": NORMALISATIONS,
        }
        for name, choices in known.items():
            if getattr(self, name) not in choices:
                raise InputError(
                    f"{name}: expected one of {', '.join(map(str, choices))}, found {getattr(self, name)!r}"
                )
        if self.views and self.mode in ("entire", "scratch"):
            raise InputError(f"views: mode {self.mode} has no frozen part to run once; expected 0, found {self.views}")
        if self.stages is not None and self.mode in MODES and self.mode != "gradual":
            raise InputError(f"stages: mode {self.mode} has one stage; expected None, found {self.stages}")
        check_stages(self.stages or ())
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
            ranges=AUGMENTATIONS[self.augment],
            seed=int(self.random_state),
            optimizer=self.optimizer,
            momentum=self.momentum,
            step_size=self.step_size,
            gamma=self.gamma,
            patience=self.patience,
        )

    def __getstate__(self) -> dict[str, Any]:
        """Move the network to the CPU, so that what was trained on a GPU is read anywhere."""
        state = dict(super().__getstate__())
        if "network_" in state and next(state["network_"].parameters()).device.type != "cpu":
            state["network_"] = copy.deepcopy(state["network_"]).cpu()
        return state


def _check(images: NDArray[np.uint8], network: Network) -> NDArray[np.uint8]:
    """Check the images' type and shape against the network."""
    images = check_images(images, channels=network.channels)
    height, width = images.shape[1:3]
    if height != width or height < network.smallest:
        raise InputError(
            f"images: {network.name} takes squares of at least {network.smallest} pixels, found {height} x {width}"
        )
    return images


def _held_out(groups: NDArray[Any] | None, labels: NDArray[np.int64], settings: Settings) -> NDArray[np.bool_]:
    """Rows of the people on whom early stopping looks: a tenth of them, at least one; nobody without patience."""
    if not settings.patience:
        return np.zeros(len(labels), dtype=bool)
    people = np.unique(groups) if groups is not None and len(groups) == len(labels) else np.empty(0)
    if len(people) < 2:
        raise InputError(
            f"groups: early stopping (patience {settings.patience}) holds people out of the training; expected "
            f"{len(labels)} names of at least two people, found {'none' if groups is None else f'{len(people)}'}"
        )
    order = np.random.default_rng(derive_seed(settings.seed, "inner split")).permutation(people)
    return np.isin(groups, order[: -(-len(people) // 10)])  # type: ignore[arg-type]


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
