"""Where a training stands, kept in a file after epochs, so that one that was killed goes on where it stood.

On a CPU a training that was interrupted and goes on gives the bits of one that was not: all chance is seeded by epoch,
so that values, the optimiser's state and the place in the training are all there is to keep.
"""

from __future__ import annotations

import os
import pickle
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from fer_bench.errors import UserError

from ..networks.weights import DAMAGED

__all__ = ["Checkpoint", "TrainingState", "open_checkpoint"]

_FILE = "training.pt"


@dataclass
class TrainingState:
    """Where a training stands; grows with every epoch.

    Attributes
    ----------
    history : dict of str to list of float
        One number an epoch.
    eval_logits : list of Tensor
        Logits (n, 7) of the pictures to evaluate, one an epoch.
    stage, epoch : int
        The next epoch to train: place in the list of stages, and epoch within that stage.
    parts : int
        In how many parts a batch goes through a step; 0 before that is planned.
    best_loss, best_epoch, best : float, int, dict
        Of the stage, by validation loss, where early stopping is on; ``best`` holds the network's values.
    averaged, averaged_steps : dict, int
        Of the stage: the running average of the network's values, and over how many steps it goes.
    """

    history: dict[str, list[float]] = field(default_factory=dict)
    eval_logits: list[Tensor] = field(default_factory=list)
    stage: int = 0
    epoch: int = 0
    parts: int = 0
    best_loss: float = float("inf")
    best_epoch: int = 0
    best: dict[str, Tensor] = field(default_factory=dict)
    averaged: dict[str, Tensor] = field(default_factory=dict)
    averaged_steps: int = 0

    def note(self, **numbers: float) -> None:
        """Append an epoch's numbers to the history."""
        for name, value in numbers.items():
            self.history.setdefault(name, []).append(value)

    def next_stage(self) -> None:
        """Begin the next stage."""
        self.stage, self.epoch = self.stage + 1, 0
        self.parts = 0 if self.parts == 1 else self.parts
        self.best_loss, self.best_epoch, self.best = float("inf"), 0, {}
        self.averaged, self.averaged_steps = {}, 0


def open_checkpoint(place: str | Path | Checkpoint | None, every_seconds: float) -> Checkpoint | None:
    """The checkpoint in a folder, which is made where there is none; unfinished writes of killed processes go.

    Raises
    ------
    UserError
        The folder cannot be made.
    """
    if place is None or isinstance(place, Checkpoint):
        return place
    folder = Path(place)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob(f"{_FILE}.*.part"):
            left.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"checkpoint {folder}: expected a folder that can be written to: {error}") from error
    return Checkpoint(folder / _FILE, every_seconds)


class Checkpoint:
    """A file that a training writes to, and goes on from where there is one.

    Parameters
    ----------
    path : path
        Written under a temporary name and renamed, so that it is whole at any moment. The caller deletes it when the
        result is safe.
    every_seconds : float
        Least time between two writes; at most so much work is lost.
    """

    def __init__(self, path: str | Path, every_seconds: float = 30.0) -> None:
        self.path = Path(path)
        self.every_seconds = every_seconds
        self._written = time.monotonic()

    def save(self, key: str, network: nn.Module, optimizer: torch.optim.Optimizer, state: TrainingState) -> None:
        """Write, where the last write is long enough ago."""
        if time.monotonic() - self._written < self.every_seconds:
            return
        values = {"network": network.state_dict(), "optimizer": optimizer.state_dict(), "half": bool(network.half)}
        content = {"key": key, **values, **asdict(state)}
        part = self.path.with_name(f"{self.path.name}.{os.getpid()}.part")
        with part.open("wb") as handle:
            torch.save(content, handle)
            handle.flush()
            os.fsync(handle.fileno())
        part.replace(self.path)
        self._written = time.monotonic()

    def load(self, key: str, device: torch.device) -> dict[str, Any] | None:
        """Read what was kept; None where there is no file.

        Raises
        ------
        UserError
            The file is damaged, or of another training.
        """
        if not self.path.exists():
            return None
        try:
            state = torch.load(self.path, map_location=device, weights_only=True)
            found = state["key"]
        except (pickle.UnpicklingError, *DAMAGED) as error:
            raise UserError(f"checkpoint {self.path}: it cannot be read; delete it to start anew") from error
        if found != key:
            raise UserError(
                f"checkpoint {self.path}: it is of another training (other parameters or images); delete it to start "
                "anew, or give another path"
            )
        return dict(state)
