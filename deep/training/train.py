"""The training loop: stage by stage, epoch by epoch; early stopping, watching and checkpoints are what follows one."""

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

from ..networks.build import StagedNetwork, learn
from .batches import Feed, predict
from .checkpoint import Checkpoint, Course
from .settings import Settings, make_optimizer, rate
from .stages import Stage
from .steps import run_epoch

__all__ = ["Aside", "train"]


@dataclass(frozen=True)
class Aside:
    """What a training looks at beside its own pictures.

    Attributes
    ----------
    watch : Tensor or None
        Pictures to predict after every epoch, or features where the feed takes these.
    validation : (Tensor, Tensor) or None
        The same and labels, of people that the training does without, for early stopping.
    checkpoint : Checkpoint or None
        Where to keep how far it got.
    key : str
        What the checkpoint belongs to.
    """

    watch: Tensor | None = None
    validation: tuple[Tensor, Tensor] | None = None
    checkpoint: Checkpoint | None = None
    key: str = ""


def train(
    network: StagedNetwork,
    feed_of: Callable[[int], Feed],
    settings: Settings,
    stages: Sequence[Stage],
    *,
    aside: Aside = Aside(),
) -> Course:
    """Train a network through its stages.

    Parameters
    ----------
    feed_of : callable
        Of the number of a stage: what it is fed; called when the stage's blocks have been told to learn.

    Returns
    -------
    Course
        With ``loss`` and ``train_accuracy`` of every epoch, over its augmented batches; ``learning_blocks`` where
        there are several stages; ``validation_loss`` and ``validation_accuracy`` where there is early stopping.
    """
    course, state = Course(), None
    if aside.checkpoint is not None and (state := aside.checkpoint.load(aside.key, next(network.parameters()).device)):
        course = Course(**{f.name: state[f.name] for f in fields(Course)})
        network.load_state_dict(state["network"])
        # What "auto" chooses hangs on a stopwatch: a training goes on as it began.
        network.half = state.get("half", network.half)
    while course.stage < len(stages):
        stage = stages[course.stage]
        learn(network, stage.depth)
        feed = feed_of(course.stage)
        optimizer = make_optimizer(network.parameters(), settings, stage.learning_rate)
        if state is not None and course.epoch:
            optimizer.load_state_dict(state["optimizer"])
        state = None
        _run_stage(network, feed, optimizer, settings, stage, course, aside, several=len(stages) > 1)
        if course.best:
            network.load_state_dict(course.best)
        course.next_stage()
    return course


def _run_stage(
    network: StagedNetwork,
    feed: Feed,
    optimizer: torch.optim.Optimizer,
    settings: Settings,
    stage: Stage,
    course: Course,
    aside: Aside,
    *,
    several: bool,
) -> None:
    """Go through the epochs of a stage that are left."""
    watch = None if aside.watch is None else feed.prepare(aside.watch)
    held_out = None if aside.validation is None else feed.prepare(aside.validation[0])
    while course.epoch < stage.epochs and not _stopped(settings, course):
        epoch = len(course.history.get("loss", []))
        network.train()
        for group in optimizer.param_groups:
            group["lr"] = stage.learning_rate * rate(settings, course.epoch, stage.epochs)
        with _seeded(derive_seed(settings.seed, "layers", epoch), next(network.parameters()).device):
            loss, accuracy = run_epoch(network, feed, feed.batches(epoch), optimizer, settings.label_smoothing, course)
        _check(loss, epoch, settings)
        course.note(loss=loss, train_accuracy=accuracy, **({"learning_blocks": float(stage.depth)} if several else {}))
        if watch is not None:
            course.watched.append(predict(network, feed.logits, watch))
        course.epoch += 1
        if held_out is not None and aside.validation is not None:
            _validate(network, predict(network, feed.logits, held_out), aside.validation[1], course)
        if aside.checkpoint is not None:
            aside.checkpoint.save(aside.key, network, optimizer, course)


def _stopped(settings: Settings, course: Course) -> bool:
    return bool(settings.patience) and course.epoch - course.best_epoch >= settings.patience


def _validate(network: StagedNetwork, logits: Tensor, labels: Tensor, course: Course) -> None:
    """Note how people outside the training fare, and keep the values of the best epoch so far."""
    loss = float(functional.cross_entropy(logits, labels))
    course.note(validation_loss=loss, validation_accuracy=float((logits.argmax(1) == labels).float().mean()))
    if loss < course.best_loss:
        course.best_loss, course.best_epoch = loss, course.epoch
        course.best = {name: value.detach().clone() for name, value in network.state_dict().items()}


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
