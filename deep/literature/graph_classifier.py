"""The directed graph network as a scikit-learn classifier over landmarks."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from fer_bench.errors import InputError
from fer_bench.labels import N_CLASSES
from fer_bench.methods import LANDMARKS, check_labels, check_landmarks
from fer_bench.methods.old_names import OldName, takes_old_arguments
from fer_bench.seeds import derive_seed

from ..networks.architectures import Parts
from ..networks.build import BlockNetwork, learn
from ..training.batches import head_batches, predict
from ..training.checkpoint import Checkpoint, open_checkpoint
from ..training.inputs import digest, find_device, softmax
from ..training.settings import AUGMENTATIONS, SCHEDULES, Settings
from ..training.stages import plan_stages
from ..training.train import Monitoring, train
from .graph import GraphNetwork, directed_edges, standard_shape

__all__ = ["GraphClassifier"]


class GraphClassifier(ClassifierMixin, BaseEstimator):
    """`GraphNetwork` trained on landmarks (n, 68, 2) float32; a `fer_bench.methods.Method`.

    The graph is made from the mean of the training faces; no label has a part in it.

    Parameters
    ----------
    widths : sequence of int
        Channels of each block.
    dropout : float
        Before the last layer.
    epochs, batch_size : int
        Passes over the training faces, and faces a step (at least 2).
    learning_rate, weight_decay, schedule
        As `fer_bench.deep.classifier.NetworkClassifier` has them; Adam.
    random_state : int
        Same seed and threads, same bits on a CPU.
    device : str
        ``"cpu"``, ``"cuda"`` or ``"auto"``.

    Attributes
    ----------
    classes_ : ndarray
        0 to 6, whatever labels were seen.
    edges_ : (m, 2) int64
        From and to.
    history_ : dict of str to list of float
        ``loss`` and ``train_accuracy`` of each epoch.
    eval_proba_ : ndarray
        (epochs, n, 7) float32, where ``fit`` was given ``eval_images``.

    Examples
    --------
    >>> import numpy as np
    >>> points = np.random.default_rng(0).uniform(0, 128, (14, 68, 2)).astype(np.float32)
    >>> labels = np.repeat(np.arange(7), 2)
    >>> GraphClassifier((8, 8), epochs=1, device="cpu").fit(points, labels).predict_proba(points).shape
    (14, 7)
    """

    takes_checkpoint = True
    """The harness may give ``fit`` a folder as ``checkpoint``."""

    watch_proba_ = OldName()

    def __init__(
        self,
        widths: Sequence[int] = (64, 64, 64, 128, 128, 128, 256, 256),
        *,
        dropout: float = 0.5,
        epochs: int = 50,
        batch_size: int = 32,
        learning_rate: float = 1e-3,
        weight_decay: float = 0.0,
        schedule: str = "cosine",
        random_state: int = 0,
        device: str = "auto",
    ) -> None:
        self.widths = widths
        self.dropout = dropout
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.schedule = schedule
        self.random_state = random_state
        self.device = device

    @takes_old_arguments
    def fit(
        self,
        images: NDArray[np.float32],
        labels: NDArray[np.int64],
        *,
        groups: NDArray[Any] | None = None,
        eval_images: NDArray[np.float32] | None = None,
        checkpoint: str | Path | Checkpoint | None = None,
    ) -> Self:
        """Learn from landmarks.

        Parameters
        ----------
        images : (n, 68, 2) float32
        labels : (n,) int
            0 to 6.
        groups : (n,) array, optional
            Of no use here.
        eval_images : (k, 68, 2) float32, optional
            Faces to predict after each epoch. The old name, ``watch``, is taken, too.
        checkpoint : path or Checkpoint, optional
            As in `fer_bench.deep.classifier.NetworkClassifier.fit`.

        Raises
        ------
        InputError
            Landmarks, labels or parameters that are not what is described here.
        FerBenchError
            The loss is no longer a finite number.
        """
        points = check_landmarks(images)
        labels = check_labels(labels, len(points))
        seen = None if eval_images is None else check_landmarks(eval_images)
        settings, device = self._settings(), find_device(self.device)
        checkpoint = open_checkpoint(checkpoint, 60.0)
        shapes = standard_shape(points)
        self.edges_ = directed_edges(standard_shape(shapes.mean(axis=0, keepdims=True))[0])
        network = self._network(settings).to(device)
        batches = head_batches(network, _one_copy(shapes).to(device), torch.from_numpy(labels).to(device), settings)
        params = {k: v for k, v in self.get_params().items() if k != "device"}
        state = train(
            network,
            lambda _: batches,
            settings,
            plan_stages("dense", 1, self.epochs, self.learning_rate, None),
            monitoring=Monitoring(
                eval_images=None if seen is None else _one_copy(standard_shape(seen)).to(device),
                checkpoint=checkpoint,
                key=digest(params, points, labels, seen) if checkpoint else "",
            ),
        )
        self.network_ = network.eval()
        self.classes_ = np.arange(N_CLASSES)
        self.history_ = state.history
        self.precision_ = "float32"
        if state.eval_logits:
            self.eval_proba_ = np.stack([softmax(logits) for logits in state.eval_logits]).astype(np.float32)
        return self

    def predict_proba(self, images: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return (n, 7) probabilities, rows summing to one.

        Raises
        ------
        InputError
            No landmarks (n, 68, 2) float32.
        """
        check_is_fitted(self, "network_")
        shapes = torch.from_numpy(standard_shape(check_landmarks(images)))
        device = next(self.network_.parameters()).device
        return softmax(predict(self.network_, self.network_.head, shapes.to(device)))

    def predict(self, images: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return the most probable label of each face."""
        return self.predict_proba(images).argmax(1)

    def _network(self, settings: Settings) -> BlockNetwork:
        """The graph network in the place of a head, which is what learns; nothing stands before it."""
        with torch.random.fork_rng(devices=[]):
            torch.random.default_generator.manual_seed(derive_seed(settings.seed, "initial values"))
            graph = GraphNetwork(self.edges_, LANDMARKS[0], tuple(self.widths), self.dropout)
        return learn(BlockNetwork(Parts((nn.Identity(),), pool=nn.Identity()), graph), 0)

    def _settings(self) -> Settings:
        """Check the parameters and gather them."""
        for name, least in {"epochs": 1, "batch_size": 2}.items():
            if getattr(self, name) < least:
                raise InputError(f"{name}: expected at least {least}, found {getattr(self, name)}")
        if not self.widths or min(self.widths) < 1:
            raise InputError(f"widths: expected the channels of one block or more, found {self.widths}")
        if not 0 <= self.dropout < 1:
            raise InputError(f"dropout: expected a share from 0 to below 1, found {self.dropout}")
        if self.schedule not in SCHEDULES:
            raise InputError(f"schedule: expected one of {', '.join(SCHEDULES)}, found {self.schedule!r}")
        return Settings(
            epochs=self.epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            betas=(0.9, 0.999),
            weight_decay=self.weight_decay,
            schedule=self.schedule,
            label_smoothing=0.0,
            ranges=AUGMENTATIONS[False],
            seed=int(self.random_state),
        )

    def __getstate__(self) -> dict[str, Any]:
        """Move the network to the CPU, so that what was trained on a GPU is read anywhere."""
        state = dict(super().__getstate__())
        if "network_" in state and next(state["network_"].parameters()).device.type != "cpu":
            state["network_"] = copy.deepcopy(state["network_"]).cpu()
        return state


def _one_copy(shapes: NDArray[np.float32]) -> Tensor:
    return torch.from_numpy(shapes).unsqueeze(1)
