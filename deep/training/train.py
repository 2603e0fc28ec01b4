"""The training loop: stage by stage, epoch by epoch; early stopping, evaluation and checkpoints follow an epoch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields

import torch
from torch import Tensor
from torch.nn import functional

from fer_bench.errors import FerBenchError
from fer_bench.seeds import derive_seed

from ..networks.build import BlockNetwork, learn
from .batches import Batches, predict
from .checkpoint import Checkpoint, TrainingState
from .optimisers import Averaged, learning_groups, make_optimizer, with_rates
from .settings import Settings
from .stages import Stage
from .steps import run_epoch

__all__ = ["Monitoring", "train"]


@dataclass(frozen=True)
class Monitoring:
    """What is done beside a training: pictures to evaluate, people to stop early by, a checkpoint.

    Attributes
    ----------
    eval_images : Tensor or None
        Pictures to predict after every epoch, or features where the batches are of these.
    validation : (Tensor, Tensor) or None
        The same and labels, of people that the training does without, for early stopping.
    checkpoint : Checkpoint or None
        Where to keep how far it got.
    key : str
        What the checkpoint belongs to.
    """

    eval_images: Tensor | None = None
    validation: tuple[Tensor, Tensor] | None = None
    checkpoint: Checkpoint | None = None
    key: str = ""


def train(
    network: BlockNetwork,
    batches_of: Callable[[int], Batches],
    settings: Settings,
    stages: Sequence[Stage],
    *,
    monitoring: Monitoring = Monitoring(),
) -> TrainingState:
    """Train a network through its stages.

    Parameters
    ----------
    batches_of : callable
        Of the number of a stage: its batches; called when the stage's blocks have been told to learn.

    Returns
    -------
    TrainingState
        With ``loss`` and ``train_accuracy`` of every epoch, over its augmented batches; ``learning_blocks`` where
        there are several stages; ``validation_loss`` and ``validation_accuracy`` where there is early stopping.
    """
    state, kept = TrainingState(), None
    checkpoint = monitoring.checkpoint
    if checkpoint is not None and (kept := checkpoint.load(monitoring.key, next(network.parameters()).device)):
        state = TrainingState(**{f.name: kept[f.name] for f in fields(TrainingState)})
        network.load_state_dict(kept["network"])
        # What "auto" chooses hangs on a stopwatch: a training goes on as it began.
        network.half = kept.get("half", network.half)
    while state.stage < len(stages):
        stage = stages[state.stage]
        learn(network, stage.depth)
        batches = batches_of(state.stage)
        optimizer = make_optimizer(learning_groups(network, settings), settings, stage.learning_rate)
        if kept is not None and state.epoch:
            optimizer.load_state_dict(kept["optimizer"])
        kept = None
        _run_stage(network, batches, optimizer, settings, stage, state, monitoring, several=len(stages) > 1)
        if state.best:
            network.load_state_dict(state.best)
        elif state.averaged:
            network.load_state_dict(state.averaged, strict=False)
        state.next_stage()
    return state


def _run_stage(
    network: BlockNetwork,
    batches: Batches,
    optimizer: torch.optim.Optimizer,
    settings: Settings,
    stage: Stage,
    state: TrainingState,
    monitoring: Monitoring,
    *,
    several: bool,
) -> None:
    """Go through the epochs of a stage that are left."""
    eval_images = None if monitoring.eval_images is None else batches.prepare(monitoring.eval_images)
    held_out = None if monitoring.validation is None else batches.prepare(monitoring.validation[0])
    averaged = Averaged(network, optimizer, settings.ema, state) if settings.ema else None
    while state.epoch < stage.epochs and not _stopped(settings, state):
        epoch = len(state.history.get("loss", []))
        network.train()
        place = (state.epoch, stage.epochs)
        steps = with_rates(batches.of_epoch(epoch), batches.steps, optimizer, settings, stage.learning_rate, place)
        with _seeded(derive_seed(settings.seed, "layers", epoch), next(network.parameters()).device):
            loss, accuracy = run_epoch(network, batches, steps, optimizer, settings.label_smoothing, state)
        _check(loss, epoch, settings)
        state.note(loss=loss, train_accuracy=accuracy, **({"learning_blocks": float(stage.depth)} if several else {}))
        state.epoch += 1
        with _averaged(averaged):
            if eval_images is not None:
                state.eval_logits.append(predict(network, batches.logits, eval_images))
            if held_out is not None and monitoring.validation is not None:
                _validate(network, predict(network, batches.logits, held_out), monitoring.validation[1], state)
        if monitoring.checkpoint is not None:
            monitoring.checkpoint.save(monitoring.key, network, optimizer, state)


@contextmanager
def _averaged(averaged: Averaged | None) -> Iterator[None]:
    """With the average in the network's place, where there is one."""
    if averaged is None:
        yield
        return
    averaged.swap()
    yield
    averaged.swap()


def _stopped(settings: Settings, state: TrainingState) -> bool:
    return bool(settings.patience) and state.epoch - state.best_epoch >= settings.patience


def _validate(network: BlockNetwork, logits: Tensor, labels: Tensor, state: TrainingState) -> None:
    """Note how people outside the training fare, and keep the values of the best epoch so far."""
    loss = float(functional.cross_entropy(logits, labels))
    state.note(validation_loss=loss, validation_accuracy=float((logits.argmax(1) == labels).float().mean()))
    if loss < state.best_loss:
        state.best_loss, state.best_epoch = loss, state.epoch
        state.best = {name: value.detach().clone() for name, value in network.state_dict().items()}


def _check(loss: float, epoch: int, settings: Settings) -> None:
    if not math.isfinite(loss):
        raise FerBenchError(
            f"training: the loss of epoch {epoch + 1} of {settings.epochs} is {loss}, not a finite number; "
            f"lower learning_rate ({settings.learning_rate:g}) or change betas ({settings.betas})"
        )


@contextmanager
def _seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch's global generators for layers that draw from them (stochastic depth), and put them back."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.random.default_generator.manual_seed(seed)
        if device.type == "cuda":
            torch.cuda.manual_seed(seed)
        yield
