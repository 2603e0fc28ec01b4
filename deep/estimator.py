"""What the parameters of a network classifier say: its network, its settings, the names of its results."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from fer_bench.errors import UserError
from fer_bench.labels import N_CLASSES
from fer_bench.methods import without_modules
from fer_bench.methods.old_names import OldName, current_parameters, takes_old_parameters
from fer_bench.seeds import derive_seed

from .networks.build import BlockNetwork, build
from .networks.zoo import find
from .training.checkpoint import TrainingState
from .training.inputs import digest, file_hash, find_device, softmax
from .training.precision import computes_half
from .training.settings import Settings, gather_settings, normalisation
from .training.stages import whole_epochs

__all__ = ["NetworkEstimator"]


class NetworkEstimator(BaseEstimator):
    """The parameters that `fer_bench.deep.classifier.NetworkClassifier` documents, and what is made of them."""

    network_: BlockNetwork
    views = OldName()
    watch_proba_ = OldName()

    @takes_old_parameters
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
        augmented_copies: int = 0,
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
        warmup: float = 0.0,
        depth_decay: float = 1.0,
        clip_norm: float = 0.0,
        ema: float = 0.0,
        min_steps: int = 0,
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
        self.augmented_copies = augmented_copies
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
        self.warmup, self.depth_decay = warmup, depth_decay
        self.clip_norm, self.ema = clip_norm, ema
        self.min_steps = min_steps

    def set_params(self, **params: Any) -> Self:
        """Set parameters, as scikit-learn has it; by their old names, too."""
        super().set_params(**current_parameters(params, self._get_param_names()))
        return self

    def _settings(self) -> Settings:
        return gather_settings(self)

    def _settings_for(self, n: int) -> Settings:
        """Return the settings of a training of n images: ``min_steps`` may want more epochs."""
        settings = self._settings()
        return replace(settings, epochs=whole_epochs(self.epochs, self.min_steps, n, self.batch_size))

    def _network(self, size: int) -> BlockNetwork:
        """Build the network for images of ``size`` pixels, on the device."""
        record = find(self.network)
        self.normalisation_ = normalisation(self.normalisation, record.mean, record.std)
        network: BlockNetwork = build(
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

    def _key(self, *arrays: NDArray[Any] | None) -> str:
        """Name parameters, what the weights' file holds and data, for a checkpoint; where they lie is no matter."""
        known = {k: without_modules(v) for k, v in self.get_params().items() if k not in ("device", "weights")}
        return digest(known | {"weights": self._weights_hash()}, *arrays)

    def _finish(self, state: TrainingState, notes: Sequence[str]) -> None:
        """Take over what a training gave."""
        self.classes_ = np.arange(N_CLASSES)
        self.history_ = state.history
        self.warnings_ = list(notes)
        half = self._half() if self.mode == "dense" else self.network_.half
        self.precision_ = "bfloat16" if half else "float32"
        if state.parts > 1:
            self.warnings_.append(
                f"memory: each step took its batch of {self.batch_size} in {state.parts} parts, for want of memory; "
                "BatchNorm saw the parts"
            )
        if find_device(self.device).type == "cuda":
            self.peak_gpu_mb_ = torch.cuda.max_memory_allocated() / 1e6
        if state.eval_logits:
            self.eval_proba_ = np.stack([softmax(logits) for logits in state.eval_logits]).astype(np.float32)
        self.network_.eval()

    def __getstate__(self) -> dict[str, Any]:
        """Move the network to the CPU, so that what was trained on a GPU is read anywhere."""
        state = dict(super().__getstate__())
        if "network_" in state and next(state["network_"].parameters()).device.type != "cpu":
            state["network_"] = copy.deepcopy(state["network_"]).cpu()
            state["network_"].half = computes_half(
                self.precision, torch.device("cpu"), gains=find(self.network).bf16_on_cpu
            )
        return state
