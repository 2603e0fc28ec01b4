"""Frozen parts that run once: the same training, wherever their output found room."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from fer_bench.deep.classifier import NetworkClassifier
from fer_bench.deep.networks.build import BlockNetwork
from fer_bench.deep.training import memory
from fer_bench.deep.training.stages import plan_stages
from fer_bench.errors import InputError

Toy = Callable[..., tuple[np.ndarray, np.ndarray]]
Weights = Callable[[str], Path]
STAGES = [["dense", 2, 1.0], ["blocks", 1, 1.0], ["entire", 1, 1.0]]
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "last_block": ("squeezenet1_0", {"mode": "last_block"}),
    "gradual": ("squeezenet1_0", {"mode": "gradual", "stages": STAGES, "epochs": 5}),
    # Small steps: over maps of few pixels BatchNorm makes much of a last bit of bfloat16.
    "BatchNorm": ("mobilenet_v2", {"mode": "gradual", "stages": STAGES, "epochs": 8, "learning_rate": 1e-6}),
    "tokens": ("vit_b_16", {"mode": "last_block"}),
}


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Say how many bytes are free."""

    def free(in_memory: float = 1e12, on_disk: float = 1e12) -> None:
        monkeypatch.setattr(memory, "free_memory", lambda _: in_memory)
        monkeypatch.setattr(memory, "free_disk", lambda: on_disk)

    return free


@pytest.mark.parametrize("case", [*list(CASES)[:2], *(pytest.param(c, marks=pytest.mark.slow) for c in [*CASES][2:])])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_cached_training_is_the_plain_loop_over_the_same_views(
    case: str, precision: str, toy: Toy, random_weights: Weights, room: Callable[..., None]
) -> None:
    """In memory, on disk, or run anew in every epoch: same losses and probabilities; what found no room is told."""
    name, params = CASES[case]
    images, labels = toy(n=20, side=96 if case == "BatchNorm" else 32, channels=3)

    def fit() -> NetworkClassifier:
        method = NetworkClassifier(
            name,
            **{"epochs": 2, "learning_rate": 1e-4, **params},
            batch_size=8,
            augmented_copies=3,
            weights=random_weights(name),
            device="cpu",
            precision=precision,
        )
        return method.fit(images, labels, eval_images=images[:5])

    room()
    kept = fit()
    room(in_memory=0)
    filed = fit()
    room(in_memory=0, on_disk=0)
    plain = fit()
    assert kept.warnings_ == filed.warnings_ == []
    assert plain.warnings_[0].startswith("copies: what enters the last")
    assert filed.history_ == kept.history_
    assert np.array_equal(filed.eval_proba_, kept.eval_proba_)
    atol = 5e-3 if precision == "float32" else 2e-2
    np.testing.assert_allclose(plain.history_["loss"], kept.history_["loss"], atol=atol)
    np.testing.assert_allclose(plain.eval_proba_, kept.eval_proba_, atol=atol)


def test_each_view_of_each_picture_passes_frozen_parts_once(
    toy: Toy, random_weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All frozen stages of ``gradual`` live on one pass; the first block sees K copies and, in the end, the epochs."""
    images, labels = toy(n=14, side=32, channels=3)
    seen = 0
    original = BlockNetwork.boundaries

    def spy(self: BlockNetwork, inputs: torch.Tensor, depths: Any) -> Any:
        nonlocal seen
        seen += len(inputs)
        return original(self, inputs, depths)

    monkeypatch.setattr(BlockNetwork, "boundaries", spy)
    weights = random_weights("squeezenet1_0")
    params: dict[str, Any] = {"stages": STAGES, "epochs": 12, "batch_size": 7, "device": "cpu", "weights": weights}
    method = NetworkClassifier("squeezenet1_0", "gradual", augmented_copies=3, **params).fit(images, labels)
    frozen = [stage for stage in plan_stages("gradual", 4, 12, 1.0, STAGES) if stage.depth < 4]
    assert len(frozen) == 4
    assert sum(stage.epochs for stage in frozen) > 3
    assert seen == 1 + 3 * 14  # one picture to learn the shapes
    assert set(method.history_["learning_blocks"]) == {0, 1, 2, 3, 4}


def test_room_is_given_out_once() -> None:
    """Two caches that fit one by one do not both get the same room: the second goes to disk, the third nowhere."""
    example = torch.zeros(1, 4, 2, 2, dtype=torch.bfloat16)
    size = 3 * 10 * 16 * 2
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory, "free_memory", lambda _: 8 * size)
        patch.setattr(memory, "free_disk", lambda: 4 * size)
        first, second, third = memory.allocate(3, 10, {0: example, 1: example, 2: example}).values()
    assert first is not None
    assert first.tensor is not None
    assert second is not None
    assert second.file is not None
    assert third is None


@pytest.mark.parametrize("shape", [(5,), (4, 2, 3), (6, 3)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_caches_give_back_what_was_put(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    """Rows come back to the bit from memory and from disk, maps with channels last, in any order."""
    values = torch.randn(2, 9, *shape, generator=torch.Generator().manual_seed(0)).to(dtype)
    copies, rows = torch.tensor([1, 0, 1, 1]), torch.tensor([8, 2, 2, 0])
    for free in (1e9, 0):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(memory, "free_memory", lambda _, free=free: free)
            cache = memory.allocate(2, 9, {0: values[0, :1]})[0]
        assert cache is not None
        assert (cache.file is None) == bool(free)
        for copy in (0, 1):
            for start in (0, 4, 8):
                cache.put(copy, start, values[copy, start : start + 4])
        found = cache.take(copies, rows)
        assert torch.equal(found, values[copies, rows])
        assert len(shape) != 3 or found.is_contiguous(memory_format=torch.channels_last)


def test_features_of_a_head_are_shared_by_folds(toy: Toy, random_weights: Weights) -> None:
    """Fitting on prepared features, watching and early stopping included, is fitting on the images, to the bit."""
    images, labels = toy(n=28, side=32, channels=3)
    people = np.array([f"P{i // 4}" for i in range(28)])
    weights = random_weights("squeezenet1_0")

    def make(seed: int = 3) -> NetworkClassifier:
        params: dict[str, Any] = {"epochs": 4, "patience": 2, "weights": weights, "device": "cpu"}
        return NetworkClassifier("squeezenet1_0", "dense", augmented_copies=3, random_state=seed, **params)

    features = make(seed=8).prepare(images)
    assert features.shape == (28, 3 * 512)
    ours = make().fit(images[:21], labels[:21], groups=people[:21], eval_images=images[21:])
    shared = make().fit_prepared(features[:21], labels[:21], groups=people[:21], eval_images=features[21:])
    assert np.array_equal(shared.eval_proba_, ours.eval_proba_)
    expected = ours.predict_proba(images[21:])
    assert np.array_equal(shared.predict_proba_prepared(features[21:]), expected)
    assert np.array_equal(shared.predict_proba(images[21:]), expected)
    assert make().prepared_share_of_prediction == pytest.approx(1 / 3)
    keys = {make().prepare_key(), make(seed=8).prepare_key(), make().set_params(augmented_copies=2).prepare_key()}
    assert len(keys) == 2
    assert not hasattr(NetworkClassifier("squeezenet1_0", "entire"), "prepare")
    with pytest.raises(InputError, match=r"features: expected what prepare gives, \(n, k \* 512\)"):
        make().set_params(patience=0).fit_prepared(features[:, :700], labels)
