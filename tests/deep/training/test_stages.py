"""What learns when: stages of ``gradual``, and the recipes that presets take."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fer_bench.deep.catalogue import METHODS
from fer_bench.deep.classifier import NetworkClassifier
from fer_bench.deep.training import batches
from fer_bench.deep.training.settings import Settings
from fer_bench.deep.training.stages import GRADUAL, Stage, plan_stages
from fer_bench.errors import InputError

SPECS = {spec.name: spec for spec in METHODS if spec.family != "literature"}


@given(st.integers(1, 60), st.integers(1, 9))
def test_stages_share_out_all_epochs_and_only_ever_free(epochs: int, n_blocks: int) -> None:
    """Epochs sum up to what was asked for, each stage frees more blocks than the one before, the last frees all."""
    stages = plan_stages("gradual", n_blocks, epochs, 1e-3, GRADUAL)
    assert sum(stage.epochs for stage in stages) == epochs
    assert all(stage.epochs > 0 for stage in stages)
    depths = [stage.depth for stage in stages]
    assert depths == sorted(set(depths))
    assert depths[-1] == n_blocks
    if epochs >= 50:
        assert depths == list(range(n_blocks + 1))


@pytest.mark.parametrize(("mode", "depth"), [("dense", 0), ("last_block", 1), ("entire", 5), ("scratch", 5)])
def test_the_other_modes_are_one_stage(mode: str, depth: int) -> None:
    """All epochs at the full rate, with the blocks of the mode."""
    assert plan_stages(mode, 5, 12, 1e-3, None) == [Stage(depth, 12, 1e-3)]


def test_parts_that_sum_up_to_the_epochs_are_epochs() -> None:
    """The stages of the authors' VGG-16 last 15, 50 and 30 epochs, at 5e-5 and twice 1e-5."""
    for name, last in (("vgg16-gradual", 3), ("vgg16-entire", 3), ("vgg16-last_block", 2)):
        params = SPECS[name].resolve("full", "authors-code").params
        stages = plan_stages(params["mode"], 5, params["epochs"], params["learning_rate"], params["stages"])
        assert [(s.depth, s.epochs) for s in stages] == [(0, 15), (1, 50), (5, 30)][:last]
        assert [s.learning_rate for s in stages] == pytest.approx([5e-5, 1e-5, 1e-5][:last])


@pytest.mark.parametrize(
    "stages",
    [
        [["head", 1, 1.0]],
        [["dense", 0, 1.0]],
        [["dense", 1, -1.0]],
        [["dense", 1]],
        [["entire", 1, 1.0], ["dense", 1, 1.0]],
        [["dense", 1, 1.0], ["dense", 1, 1.0]],
    ],
)
def test_wrong_stages_are_told(stages: list[list[object]]) -> None:
    """Unknown names, numbers that are none, and stages that would freeze again are refused in one sentence."""
    with pytest.raises(InputError, match=r"stages: expected .*dense, last_block, blocks, entire.* found"):
        plan_stages("gradual", 5, 10, 1e-3, stages)


def test_stages_that_train_nothing_are_refused() -> None:
    """A network of one block has none between the head and all: a plan of such blocks alone is no training."""
    with pytest.raises(InputError, match="leave nothing to train in a network of 1 blocks"):
        plan_stages("gradual", 1, 5, 1e-3, [["blocks", 1, 1.0]])


def test_presets_are_what_their_sources_say() -> None:
    """Betas, rates, schedules and augmentation of each preset, on the networks that the sources have."""

    def params(name: str, preset: str) -> dict:
        return dict(SPECS[name].resolve("full", preset).params)

    for name in SPECS:
        assert params(name, "as-printed")["betas"] == [0.9, 0.009]
        assert params(name, "original")["betas"] == [0.9, 0.999]
        assert params(name, "original")["augment"] == "paper"
        assert SPECS[name].resolve("full", "original").image.source == "photo"
    torch_code = {"optimizer": "sgd", "momentum": 0.9, "schedule": "step", "step_size": 6, "gamma": 0.1, "epochs": 20}
    for name, rate, batch in (
        ("resnet18-entire", 1e-3, 32),
        ("resnet50-entire", 5e-4, 32),
        ("resnet152-entire", 1e-3, 16),
        ("inception_v3-entire", 1e-3, 32),
        ("densenet161-entire", 5e-4, 16),
        ("vgg19_bn-entire", 5e-4, 32),
    ):
        found = params(name, "authors-code")
        assert torch_code.items() <= found.items()
        assert (found["learning_rate"], found["batch_size"], found["augment"]) == (rate, batch, "flip")
        assert found["normalisation"] == "half"
    cnn = params("cnn3-128", "authors-code")
    assert (cnn["learning_rate"], cnn["epochs"], cnn["batch_size"]) == (5e-5, 50, 32)
    assert (cnn["augment"], cnn["normalisation"], cnn["betas"]) == (False, "unit", [0.9, 0.999])


def test_the_parameters_of_presets_reach_the_training() -> None:
    """A method made from the catalogue trains with SGD, a falling rate and flips where its preset says so."""
    method = SPECS["resnet18-entire"].resolve("full", "authors-code").make(random_state=0, device="cpu", weights="w")
    assert isinstance(method, NetworkClassifier)
    settings = method._settings()
    assert (settings.optimizer, settings.schedule) == ("sgd", "step")
    assert (settings.ranges.flip, settings.ranges.degrees) == (0.5, 0.0)


def test_epochs_are_numbered_through_all_stages(
    monkeypatch: pytest.MonkeyPatch, random_weights: Callable[[str], Path]
) -> None:
    """A later stage does not see the shuffles and the augmentation of an earlier one again."""
    seen: list[int] = []
    original = batches.shuffled

    def spy(n: int, settings: Settings, epoch: int, device: torch.device) -> list[torch.Tensor]:
        seen.append(epoch)
        return original(n, settings, epoch, device)

    monkeypatch.setattr(batches, "shuffled", spy)
    images = np.random.default_rng(0).integers(0, 256, (7, 32, 32, 3), dtype=np.uint8)
    weights = random_weights("squeezenet1_0")
    stages = [["dense", 2, 1.0], ["last_block", 1, 1.0], ["entire", 2, 1.0]]
    params = {"stages": stages, "epochs": 5, "augmented_copies": 1, "weights": weights, "device": "cpu"}
    method = NetworkClassifier("squeezenet1_0", "gradual", **params)  # type: ignore[arg-type]
    method.fit(images, np.arange(7))
    assert seen == [0, 1, 2, 3, 4]
    assert method.history_["learning_blocks"] == [0, 0, 1, 4, 4]
