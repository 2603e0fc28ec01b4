"""A head alone, trained and asked on features that were computed before: several copies of each picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fer_bench.errors import InputError

from ..networks.build import BlockNetwork
from ..networks.registry import Network
from .batches import head_batches, in_even_batches
from .checkpoint import Checkpoint, TrainingState
from .inputs import softmax
from .settings import Settings
from .stages import Stage
from .train import Monitoring, train

__all__ = ["by_copy", "head_probabilities", "train_head"]


def by_copy(features: NDArray[np.float32], record: Network) -> NDArray[np.float32]:
    """(n, copies * width) to (n, copies, width).

    Raises
    ------
    InputError
        Features that are not of this network.
    """
    if features.ndim != 2 or not features.shape[1] or features.shape[1] % record.width:
        raise InputError(
            f"features: expected what prepare gives, (n, k * {record.width}) for {record.name}, found {features.shape}"
        )
    return features.reshape(len(features), -1, record.width)


def train_head(
    network: BlockNetwork,
    features: NDArray[np.float32],
    labels: NDArray[np.int64],
    held_out: NDArray[np.bool_],
    settings: Settings,
    *,
    eval_features: NDArray[np.float32] | None,
    checkpoint: Checkpoint | None,
    key: str,
) -> TrainingState:
    """Train a head alone on features (n, copies, width), without the rows that are held out for early stopping."""
    device = next(network.parameters()).device
    copies, targets = torch.from_numpy(np.array(features)).to(device), torch.from_numpy(labels).to(device)
    mine, others = (torch.from_numpy(rows).to(device) for rows in (~held_out, held_out))
    batches = head_batches(network, copies[mine], targets[mine], settings)
    monitoring = Monitoring(
        eval_images=None if eval_features is None else torch.from_numpy(np.array(eval_features)).to(device),
        validation=(copies[others], targets[others]) if held_out.any() else None,
        checkpoint=checkpoint,
        key=key,
    )
    stages = [Stage(0, settings.epochs, settings.learning_rate)]
    return train(network, lambda _: batches, settings, stages, monitoring=monitoring)


def head_probabilities(network: Any, features: NDArray[np.float32]) -> NDArray[np.float64]:
    """Probabilities (n, 7) of features (n, copies, width): of the first copy, the picture as it is."""
    head = network.head.eval()
    first: Tensor = torch.from_numpy(features[:, 0].copy()).to(next(head.parameters()).device)
    with torch.inference_mode():
        return softmax(in_even_batches(head, first))
