"""Networks as scikit-learn classifiers over arrays of images."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from fer_bench.errors import InputError, UserError
from fer_bench.labels import N_CLASSES
from fer_bench.methods import check_images, check_labels, load_object
from fer_bench.seeds import derive_seed

from .networks.build import StagedNetwork, build, head_alone
from .networks.zoo import find
from .training.augment import normalise
from .training.batches import Data, head_feed, in_even_batches, predict
from .training.checkpoint import Checkpoint, Course, open_checkpoint
from .training.frozen import Feeds, view_features
from .training.inputs import as_pictures, check_shape, digest, file_hash, find_device, held_out_rows, softmax
from .training.precision import computes_half
from .training.settings import Settings, gather_settings, normalisation
from .training.stages import plan_stages
from .training.train import Aside, train

__all__ = ["NetworkClassifier"]

_CHUNK = 256  # images copied out of a memory map at a time


def _is_dense(classifier: Any) -> bool:
    return bool(classifier.mode == "dense")


class NetworkClassifier(ClassifierMixin, BaseEstimator):
    """A network trained, or fine-tuned, on labelled images; a `fer_bench.methods.Method`.

    Parameters
    ----------
    network : str
        A name of `fer_bench.deep.networks.zoo` (``"cnn2"``, ``"cnn3"``: grey images; others: RGB), or
        ``"module:object"`` of a `fer_bench.deep.networks.registry.Network`.
    mode : str
        ``"dense"``, ``"last_block"``, ``"entire"``, ``"scratch"`` or ``"gradual"``, see
        `fer_bench.deep.networks.build`.
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
        Of ``gradual``, see `fer_bench.deep.training.stages.plan_stages`.
    augment : bool or str
        True: rotate up to 10 degrees, scale 0.9 to 1.1, shift up to 4 %, mirror; drawn for each image anew.
        ``"flip"``: mirror alone; ``"paper"``: rotate up to 10 degrees, scale 1 to 1.1, mirror.
    normalisation : str
        ``"network"``: what the weights were trained with; ``"half"``: mean and deviation 0.5; ``"unit"``: 0 to 1.
    views : int
        With a number, frozen parts see that many views of each image (the first as it is), run once over them, and the
        rest trains on their output; ``dense`` needs it. With 0, every epoch augments afresh, as do ``entire``,
        ``scratch`` and the last stage of ``gradual`` always.
    patience : int
        0: the last epoch is the result. With a number, a tenth of the people in ``groups`` is held out of the training,
        a stage ends after so many epochs without a lower loss on them, and its best epoch is kept.
    random_state : int
        Of initial values, shuffles and augmentation. Same seed and threads, same bits on a CPU.
    device : str
        ``"cpu"``, ``"cuda"`` or ``"auto"`` (cuda where there is one).
    weights : path, optional
        torchvision's state dictionary (.pth or .safetensors); all modes but ``scratch`` refuse to work without.
    precision : str
        ``"float32"``, ``"bfloat16"`` (mixed), or ``"auto"``: bfloat16 where the device has units for it that were found
        right and quick, and the network gains by them.
    pretraining : mapping, optional
        Of mode ``scratch``: what the network learns without labels before it is trained on them. ``"function"`` is the
        ``"module:object"`` of what does it, such as `fer_bench.deep.literature.dbn.stack`; it is called as
        ``function(network, data, settings, weights, **others)`` with the rest of the mapping, changes the network and
        returns an error for each of its epochs.

    Attributes
    ----------
    classes_ : ndarray
        0 to 6, whatever labels were seen.
    network_ : StagedNetwork
    history_ : dict of str to list of float
        ``loss`` and ``train_accuracy`` of each epoch, over its augmented batches; with several stages
        ``learning_blocks``; with patience ``validation_loss`` and ``validation_accuracy``.
    weights_hash_ : str
        sha256 of the weights' file, of a head that was fitted on what `prepare` gave: it reads by no other.
    watch_proba_ : ndarray
        (epochs, n, 7) float32, where ``fit`` was given ``watch``.
    precision_ : str
        What it was trained in.
    pretraining_ : list of float
        What the pretraining returned; empty without one, and where a checkpoint of what came after it was gone on from.
    peak_gpu_mb_ : float
        Most memory that the training held on a GPU, where it had one.
    warnings_ : list of str
        Where memory ran short: frozen parts that ran in every epoch, batches that took several parts.

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

    network_: StagedNetwork

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
        precision: str = "auto",
        pretraining: Mapping[str, Any] | None = None,
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
        self.precision = precision
        self.pretraining = pretraining

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
        images = check_shape(images, find(self.network))
        labels = check_labels(labels, len(images))
        settings = self._settings()
        watched = None if watch is None else check_images(watch, like=images.shape[1:])
        held_out = held_out_rows(groups, labels, settings)
        self.image_shape_ = images.shape[1:]
        keeper = open_checkpoint(checkpoint, checkpoint_seconds)
        if find_device(self.device).type == "cuda":
            torch.cuda.reset_peak_memory_stats()
        network = self._network(images.shape[1])
        if self.mode == "dense":
            features = self._view_features(network, images, settings)
            aside = None if watched is None else self._view_features(network, watched, settings.plain)
            self._fit_head(features, labels, groups, aside, keeper)
            network.head = self.network_.head
            self.network_ = network.eval()
            return self
        key = self._key(images, labels, groups, watched) if keeper else ""
        self.network_ = network
        device = find_device(self.device)
        stages = plan_stages(self.mode, self.network_.n_blocks, self.epochs, self.learning_rate, self.stages)
        judged = self._data(images, labels, held_out, device) if held_out.any() else None
        data = self._data(images, labels, ~held_out, device)
        begun = keeper is not None and keeper.path.exists()
        self.pretraining_ = [] if begun else self._pretrain(data, settings)
        feeds = Feeds(self.network_, data, settings, self.views, stages)
        course = train(
            self.network_,
            feeds,
            settings,
            stages,
            aside=Aside(
                watch=None if watched is None else as_pictures(watched).to(device),
                validation=None if judged is None else (judged.pictures, judged.labels),
                checkpoint=keeper,
                key=key,
            ),
        )
        self._finish(course, feeds.notes)
        return self

    @available_if(_is_dense)
    def prepare_key(self) -> str:
        """Name the features that `prepare` gives, the same for every classifier that shares them."""
        settings, record = self._settings(), find(self.network)
        # Names alone do not tell: people change what a record of their own says.
        exactly = {
            "record": repr(record),
            "normalisation": repr(normalisation(self.normalisation, record.mean, record.std)),
            "ranges": repr(settings.ranges),
            "torch": torch.__version__,
        }
        parts = [
            f"dense-{record.name}",
            f"{self._n_views()}-views-augment-{self.augment}-{self.normalisation}",
            self._weights_hash()[:16] or "none",
            "bfloat16" if self._half() else "float32",
            digest(exactly)[:12],
        ]
        return "-".join(parts).replace(":", ".").lower() + "-v2"

    @available_if(_is_dense)
    def prepare(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What the frozen network gives for every view of each image, (n, views * width): label-free, shared by folds.

        An image's views depend on its bytes alone, not on ``random_state``.
        """
        images = check_shape(images, find(self.network))
        return self._view_features(self._network(images.shape[1]), images, self._settings())

    @property
    def prepared_share_of_prediction(self) -> float:
        """Part of the work of `prepare` that a prediction needs: one view of several."""
        return 1 / max(1, self._n_views())

    @available_if(_is_dense)
    def fit_prepared(
        self,
        features: NDArray[np.float32],
        labels: NDArray[np.int64],
        *,
        groups: NDArray[Any] | None = None,
        watch: NDArray[np.float32] | None = None,
        checkpoint: str | Path | Checkpoint | None = None,
        checkpoint_seconds: float = 60.0,
    ) -> Self:
        """`fit` on what `prepare` gave for the images, and for those to be watched."""
        keeper = open_checkpoint(checkpoint, checkpoint_seconds)
        if hasattr(self, "image_shape_"):
            del self.image_shape_  # of an earlier fit on images
        self._fit_head(features, check_labels(labels, len(features)), groups, watch, keeper)
        return self

    @available_if(_is_dense)
    def predict_proba_prepared(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """`predict_proba` from what `prepare` gave for the images."""
        check_is_fitted(self, "network_")
        head = self.network_.head.eval()
        device = next(head.parameters()).device
        with torch.inference_mode():
            return softmax(in_even_batches(head, torch.from_numpy(self._by_view(features)[:, 0].copy()).to(device)))

    def _fit_head(
        self,
        features: NDArray[np.float32],
        labels: NDArray[np.int64],
        groups: NDArray[Any] | None,
        watch: NDArray[np.float32] | None,
        keeper: Checkpoint | None,
    ) -> None:
        """Train the head alone, on features of all views."""
        settings, device = self._settings(), find_device(self.device)
        self.weights_hash_ = self._weights_hash()
        held_out = held_out_rows(groups, labels, settings)
        key = self._key(features, labels, groups, watch) if keeper else ""
        seed = derive_seed(settings.seed, "initial values")
        self.network_ = head_alone(self.network, seed=seed, head=self.head).to(device)
        views = torch.from_numpy(np.array(self._by_view(features))).to(device)
        targets = torch.from_numpy(labels).to(device)
        mine, others = (torch.from_numpy(rows).to(device) for rows in (~held_out, held_out))
        feed = head_feed(self.network_, views[mine], targets[mine], settings)
        course = train(
            self.network_,
            lambda _: feed,
            settings,
            plan_stages(self.mode, 1, self.epochs, self.learning_rate, None),
            aside=Aside(
                watch=None if watch is None else torch.from_numpy(np.array(self._by_view(watch))).to(device),
                validation=(views[others], targets[others]) if held_out.any() else None,
                checkpoint=keeper,
                key=key,
            ),
        )
        self._finish(course, [])

    def _pretrain(self, data: Data, settings: Settings) -> list[float]:
        """Let the network learn from pictures alone, where that is asked for."""
        if not self.pretraining:
            return []
        others = {name: value for name, value in self.pretraining.items() if name != "function"}
        unlabelled = replace(data, labels=data.labels[:0])
        pretrain = load_object(self.pretraining["function"])
        return list(pretrain(self.network_, unlabelled, settings, self._weights_file(), **others))

    def _finish(self, course: Course, notes: Sequence[str]) -> None:
        """Take over what a training gave."""
        self.classes_ = np.arange(N_CLASSES)
        self.history_ = course.history
        self.warnings_ = list(notes)
        half = self._half() if self.mode == "dense" else self.network_.half
        self.precision_ = "bfloat16" if half else "float32"
        if course.parts > 1:
            self.warnings_.append(
                f"memory: each step took its batch of {self.batch_size} in {course.parts} parts, for want of memory; "
                "BatchNorm saw the parts"
            )
        if find_device(self.device).type == "cuda":
            self.peak_gpu_mb_ = torch.cuda.max_memory_allocated() / 1e6
        if course.watched:
            self.watch_proba_ = np.stack([softmax(logits) for logits in course.watched]).astype(np.float32)
        self.network_.eval()

    def _network(self, size: int) -> StagedNetwork:
        """Build the network for images of ``size`` pixels, on the device."""
        record = find(self.network)
        self.normalisation_ = normalisation(self.normalisation, record.mean, record.std)
        network: StagedNetwork = build(
            self.network,
            mode=self.mode,
            seed=derive_seed(int(self.random_state), "initial values"),
            size=size,
            weights=self._weights_file(),
            head=self.head,
        ).to(find_device(self.device), memory_format=torch.channels_last)  # type: ignore[call-overload]
        network.half = self._half()
        return network

    def _half(self) -> bool:
        return computes_half(self.precision, find_device(self.device), gains=find(self.network).bf16_on_cpu)

    def _n_views(self) -> int:
        return self.views if self.augment else min(self.views, 1)

    def _by_view(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, views * width) to (n, views, width)."""
        width = find(self.network).width
        if features.ndim != 2 or not features.shape[1] or features.shape[1] % width:
            raise InputError(
                f"features: expected what prepare gives, (n, k * {width}) for {self.network}, found {features.shape}"
            )
        return features.reshape(len(features), -1, width)

    def _view_features(
        self, network: StagedNetwork, images: NDArray[np.uint8], settings: Settings
    ) -> NDArray[np.float32]:
        """Features (n, views * width), of the first view alone where ``settings`` do not augment."""
        views = self._n_views() if settings.augments else 1
        parts = [
            view_features(network, as_pictures(images[at : at + _CHUNK]), self.normalisation_, settings.ranges, views)
            for at in range(0, len(images), _CHUNK)
        ]
        return np.concatenate(parts)

    def _data(
        self, images: NDArray[np.uint8], labels: NDArray[np.int64], rows: NDArray[np.bool_], device: torch.device
    ) -> Data:
        chosen = images if rows.all() else images[rows]
        return Data(as_pictures(chosen).to(device), torch.from_numpy(labels[rows]).to(device), self.normalisation_)

    def _key(self, *arrays: NDArray[Any] | None) -> str:
        """Name parameters, what the weights' file holds and data, for a checkpoint; where they lie is no matter."""
        known = {k: v for k, v in self.get_params().items() if k not in ("device", "weights")}
        return digest(known | {"weights": self._weights_hash()}, *arrays)

    def _weights_file(self) -> str | Path | None:
        """Where the training starts from; None: from chance."""
        return self.weights

    def _weights_hash(self) -> str:
        file = self._weights_file()
        if not file:
            return ""
        if not Path(file).is_file():
            raise UserError(f"weights of {self.network}: there is no file {file}")
        return file_hash(str(file), Path(file).stat().st_mtime_ns)

    def predict_proba(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Return (n, 7) probabilities, rows summing to one.

        Raises
        ------
        InputError
            The images have another shape or type than those of ``fit``.
        """
        check_is_fitted(self, "network_")
        if self.mode == "dense":
            return self._predict_dense(images)
        images = check_images(images, like=self.image_shape_)
        return np.concatenate(
            [self._probabilities(as_pictures(images[at : at + _CHUNK])) for at in range(0, len(images), _CHUNK)]
        )

    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Return the most probable label of each image."""
        return self.predict_proba(images).argmax(1)

    def _predict_dense(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """By way of features, as in training; a head that was fitted on features builds the network again."""
        shape = getattr(self, "image_shape_", None)
        images = check_images(images, like=shape) if shape else check_shape(images, find(self.network))
        if not shape and self._weights_hash() != self.weights_hash_:
            raise UserError(
                f"weights of {self.network}: {self._weights_file()} is another file than when the head was fitted; put "
                "the former there again, or fit anew"
            )
        network = self.network_ if shape else self._network(images.shape[1])
        return self.predict_proba_prepared(self._view_features(network, images, self._settings().plain))

    def _probabilities(self, pictures: Tensor) -> NDArray[np.float64]:
        network = self.network_
        pictures = pictures.to(next(network.parameters()).device)
        return softmax(predict(network, lambda x: network(normalise(x, self.normalisation_)), pictures))

    def _settings(self) -> Settings:
        return gather_settings(self)

    def __getstate__(self) -> dict[str, Any]:
        """Move the network to the CPU, so that what was trained on a GPU is read anywhere."""
        state = dict(super().__getstate__())
        if "network_" in state and next(state["network_"].parameters()).device.type != "cpu":
            state["network_"] = copy.deepcopy(state["network_"]).cpu()
            state["network_"].half = computes_half(
                self.precision, torch.device("cpu"), gains=find(self.network).bf16_on_cpu
            )
        return state
