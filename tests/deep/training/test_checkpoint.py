"""A training that is killed and goes on gives the bits of one that was not."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from fer_bench.deep import estimator
from fer_bench.deep.classifier import NetworkClassifier
from fer_bench.deep.training import train as training
from fer_bench.deep.training.checkpoint import Checkpoint
from fer_bench.errors import UserError

Toy = Callable[..., tuple[np.ndarray, np.ndarray]]
STAGES = [["dense", 2, 1.0], ["last_block", 1, 0.5], ["entire", 3, 0.1]]
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "scratch": ("cnn3", {"mode": "scratch"}),
    "sgd": ("cnn2", {"mode": "scratch", "optimizer": "sgd", "schedule": "step", "step_size": 2}),
    "dense": ("mobilenet_v2", {"mode": "dense", "augmented_copies": 2}),
    "last_block": ("mobilenet_v2", {"mode": "last_block"}),
    "gradual": ("mobilenet_v2", {"mode": "gradual", "stages": STAGES, "augmented_copies": 2}),
    "early stopping": ("cnn2", {"mode": "scratch", "patience": 2, "learning_rate": 5e-3}),
    "stopped stages": ("mobilenet_v2", {"mode": "gradual", "stages": STAGES, "patience": 2}),
    "stochastic depth": ("efficientnet_b0", {"mode": "scratch"}),
}
QUICK = (("scratch", 4), ("sgd", 1), ("gradual", 4), ("early stopping", 1))


class Killed(BaseException):
    """Stands in for the end of the process."""


@pytest.mark.parametrize(
    ("case", "at"),
    [pytest.param(case, at, marks=[] if (case, at) in QUICK else pytest.mark.slow) for case in CASES for at in (1, 4)],
)
def test_interrupted_and_undisturbed_trainings_agree(
    case: str, at: int, toy: Toy, random_weights: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed in an epoch and begun anew, a fit gives the same probabilities after each epoch, to the bit."""
    name, params = CASES[case]
    images, labels = toy(n=14, side=32, channels=1 if name.startswith("cnn") else 3)
    people = np.arange(14) // 7
    weights = None if params["mode"] == "scratch" else random_weights(name)

    def fit(checkpoint: Checkpoint | None) -> NetworkClassifier:
        method = NetworkClassifier(name, **params, epochs=6, batch_size=4, weights=weights, device="cpu")
        return method.fit(images, labels, groups=people, eval_images=images[:3], checkpoint=checkpoint)

    file = tmp_path / "training.pt"
    whole = fit(None)
    original, epochs = training.run_epoch, []

    def dying(*args: Any) -> tuple[float, float]:
        epochs.append(1)
        if len(epochs) == at + 1:
            raise Killed
        return original(*args)

    with monkeypatch.context() as patch:
        patch.setattr(training, "run_epoch", dying)
        if at < len(whole.history_["loss"]):
            with pytest.raises(Killed):
                fit(Checkpoint(file, every_seconds=0))
        assert file.exists()
        epochs.clear()
        patch.setattr(training, "run_epoch", lambda *args: (epochs.append(1), original(*args))[1])
        again = fit(Checkpoint(file, every_seconds=0))
    assert len(epochs) == len(whole.history_["loss"]) - at
    assert again.history_ == whole.history_
    assert np.array_equal(again.eval_proba_, whole.eval_proba_)
    assert np.array_equal(again.predict_proba(images), whole.predict_proba(images))


def test_a_training_goes_on_in_the_precision_that_it_began_in(
    toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What "auto" chooses hangs on a stopwatch: where it chooses otherwise the second time, the bits are the same."""
    images, labels = toy(n=14, side=32)

    def fit(checkpoint: Checkpoint | None, half: bool) -> NetworkClassifier:
        monkeypatch.setattr(estimator, "computes_half", lambda *_, **__: half)
        method = NetworkClassifier("cnn2", epochs=4, batch_size=4, device="cpu")
        return method.fit(images, labels, checkpoint=checkpoint)

    whole, other = fit(None, True), fit(None, False)
    assert whole.history_ != other.history_
    original, epochs = training.run_epoch, []

    def dying(*args: Any) -> tuple[float, float]:
        epochs.append(1)
        if len(epochs) == 3:
            raise Killed
        return original(*args)

    with monkeypatch.context() as patch:
        patch.setattr(training, "run_epoch", dying)
        with pytest.raises(Killed):
            fit(Checkpoint(tmp_path / "training.pt", every_seconds=0), True)
    again = fit(Checkpoint(tmp_path / "training.pt", every_seconds=0), False)
    assert (again.precision_, again.history_) == ("bfloat16", whole.history_)


_CHILD = """
import sys, numpy as np, torch
torch.set_num_threads(1)
from fer_bench.deep.training.checkpoint import Checkpoint
from fer_bench.deep.classifier import NetworkClassifier
images = np.random.default_rng(0).integers(0, 256, (70, 32, 32), dtype=np.uint8)
method = NetworkClassifier("cnn2", epochs=int(sys.argv[2]), batch_size=4, device="cpu", random_state=3)
checkpoint = Checkpoint(sys.argv[1], every_seconds=0) if sys.argv[1] else None
proba = method.fit(images, np.arange(70) % 7, checkpoint=checkpoint).predict_proba(images)
np.save(sys.argv[3], proba)
"""


@pytest.mark.slow
def test_a_killed_process_goes_on_where_it_stood(tmp_path: Path) -> None:
    """SIGKILL leaves a whole file or none, and a second process ends with the bits of an undisturbed one."""

    def command(file: str, out: str) -> list[str]:
        return [sys.executable, "-P", "-c", _CHILD, file, "40", str(tmp_path / out)]

    file = tmp_path / "training.pt"
    process = subprocess.Popen(command(str(file), "killed.npy"), env={**os.environ, "OMP_NUM_THREADS": "1"})
    deadline = time.monotonic() + 120
    while not file.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (tmp_path / "killed.npy").exists()
    for start, out in ((str(file), "resumed.npy"), ("", "whole.npy")):
        subprocess.run(command(start, out), check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert np.array_equal(np.load(tmp_path / "resumed.npy"), np.load(tmp_path / "whole.npy"))


@pytest.mark.parametrize("change", ["parameters", "images", "labels"])
def test_a_checkpoint_of_another_training_is_refused(change: str, toy: Toy, tmp_path: Path) -> None:
    """Other parameters or data never go on from a checkpoint; the same ones do."""
    images, labels = toy(n=14)
    file = tmp_path / "training.pt"

    def fit(images: np.ndarray, labels: np.ndarray, seed: int = 0) -> None:
        method = NetworkClassifier("cnn2", epochs=2, batch_size=4, device="cpu", random_state=seed)
        method.fit(images, labels, checkpoint=Checkpoint(file, every_seconds=0))

    fit(images, labels)
    fit(images, labels)
    other = {"parameters": (images, labels, 1), "images": (images[::-1], labels), "labels": (images, labels[::-1])}
    with pytest.raises(UserError, match=r"training\.pt: it is of another training .* delete it"):
        fit(*other[change])


def test_weights_are_known_by_what_they_hold(toy: Toy, random_weights: Callable[[str], Path], tmp_path: Path) -> None:
    """A training goes on where the same weights lie elsewhere, and not where other weights lie in their place."""
    images, labels = toy(n=14, side=64, channels=3)
    place = tmp_path / "weights.pth"
    shutil.copy(random_weights("squeezenet1_0"), place)

    def fit(weights: Path) -> None:
        method = NetworkClassifier("squeezenet1_0", "last_block", epochs=1, batch_size=7, device="cpu", weights=weights)
        method.fit(images, labels, checkpoint=Checkpoint(tmp_path / "training.pt", every_seconds=0))

    fit(random_weights("squeezenet1_0"))
    fit(place)
    state = torch.load(place, weights_only=True)
    torch.save({name: 2 * value for name, value in state.items()}, place)
    with pytest.raises(UserError, match="it is of another training"):
        fit(place)


def test_a_damaged_checkpoint_is_told(toy: Toy, tmp_path: Path) -> None:
    """A file that is cut short, or none of torch's, is named with what to do."""
    file = tmp_path / "training.pt"

    def fit() -> None:
        method = NetworkClassifier("cnn2", epochs=2, batch_size=4, device="cpu")
        method.fit(*toy(n=14), checkpoint=Checkpoint(file, every_seconds=0))

    fit()
    whole = file.read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"hello"):
        file.write_bytes(content)
        with pytest.raises(UserError, match=r"training\.pt: it cannot be read; delete it to start anew"):
            fit()


def test_writes_keep_their_distance(toy: Toy, tmp_path: Path) -> None:
    """With a minute between writes a training of a second writes nothing."""
    method = NetworkClassifier("cnn2", epochs=2, batch_size=4, device="cpu")
    method.fit(*toy(n=14), checkpoint=Checkpoint(tmp_path / "training.pt", every_seconds=60))
    assert not (tmp_path / "training.pt").exists()


def test_a_folder_is_all_that_a_caller_needs_to_know(toy: Toy, tmp_path: Path) -> None:
    """Given a folder that is not there, a training keeps itself in it, drops unfinished writes, and goes on from it."""
    images, labels = toy(n=14)
    folder = tmp_path / "trial" / "checkpoint"

    def fit(epochs: int = 2) -> NetworkClassifier:
        method = NetworkClassifier("cnn2", epochs=epochs, batch_size=4, device="cpu")
        return method.fit(images, labels, checkpoint=folder, checkpoint_seconds=0)

    assert NetworkClassifier.takes_checkpoint
    first = fit()
    (folder / "training.pt.1.part").write_bytes(b"half")
    assert np.array_equal(fit().predict_proba(images), first.predict_proba(images))
    assert [path.name for path in folder.iterdir()] == ["training.pt"]
    with pytest.raises(UserError, match="it is of another training"):
        fit(epochs=3)


def test_a_folder_that_cannot_be_is_told(toy: Toy, tmp_path: Path) -> None:
    """A file in the folder's place is named in one sentence."""
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"checkpoint .*file: expected a folder"):
        NetworkClassifier("cnn2", epochs=1, device="cpu").fit(*toy(n=14), checkpoint=tmp_path / "file")
