"""Want of memory: batches go through in parts, planned or found out, and that is told."""

import gc
import os
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fer_bench.deep.classifier import NetworkClassifier
from fer_bench.deep.networks.build import BlockNetwork
from fer_bench.deep.training import steps
from fer_bench.deep.training.memory import ActivationCache, device_room, held_bytes, parts_for
from fer_bench.errors import FerBenchError

Toy = Callable[..., tuple[np.ndarray, np.ndarray]]
ERRORS = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB"),
    RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: you tried to allocate"),
    MemoryError(),
]


def _fit(toy: Toy, network: str = "cnn2", **params: Any) -> NetworkClassifier:
    images, labels = toy(n=41, side=32, channels=1 if network == "cnn2" else 3)
    params = {"epochs": 2, "batch_size": 16, "device": "cpu", "precision": "float32", **params}
    return NetworkClassifier(network, "scratch", **params).fit(images, labels)


def _limit(monkeypatch: pytest.MonkeyPatch, most: int, error: BaseException, after: int = 0) -> list[int]:
    """Let memory end at so many pictures a forward pass in training, from a step on; notes those that passed."""
    passed: list[int] = []
    original = BlockNetwork.onward

    def limited(self: BlockNetwork, x: torch.Tensor, depth: int) -> Any:
        if self.training:
            done = original(self, x, depth)  # statistics move before memory ends
            if len(x) > most and len(passed) >= after:
                raise error
            passed.append(len(x))
            return done
        return original(self, x, depth)

    monkeypatch.setattr(BlockNetwork, "onward", limited)
    return passed


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_out_of_memory_halves_the_batch(toy: Toy, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Steps go on in smaller parts that add up to the same gradients, and the classifier says so."""
    whole = _fit(toy)
    assert whole.warnings_ == []
    passed = _limit(monkeypatch, 5, error)
    parted = _fit(toy)
    assert max(passed) <= 5
    assert parted.warnings_ == [
        "memory: each step took its batch of 16 in 4 parts, for want of memory; BatchNorm saw the parts"
    ]
    np.testing.assert_allclose(parted.history_["loss"], whole.history_["loss"], atol=1e-4)
    assert parted.history_["train_accuracy"] == whole.history_["train_accuracy"]


def test_a_step_that_failed_leaves_no_trace_in_batch_norm(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Statistics that a failed pass moved are put back: running out once equals having planned the parts."""
    with monkeypatch.context() as patch:
        patch.setattr(steps, "parts_for", lambda *_: 2)
        planned = _fit(toy, "mobilenet_v2")
    _limit(monkeypatch, 8, ERRORS[0])
    failed = _fit(toy, "mobilenet_v2")
    assert failed.warnings_ == planned.warnings_
    assert failed.history_ == planned.history_
    for name, value in planned.network_.state_dict().items():
        if "num_batches" not in name:
            assert torch.equal(value, failed.network_.state_dict()[name]), name


def test_other_errors_and_no_room_for_two_are_raised(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no want of memory is not tried again; nor is a part of two pictures, which is the least there is."""
    for most, error in ((5, RuntimeError("shapes do not fit")), (1, ERRORS[0])):
        with monkeypatch.context() as patch:
            passed = _limit(patch, most, error)
            with pytest.raises(type(error), match=r"shapes|out of memory"):
                _fit(toy)
        assert len(passed) <= 2  # the passes that measure


def test_batches_are_planned_from_free_memory(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    """With little memory free the first step already takes parts, without running out first."""
    monkeypatch.setattr(steps, "free_memory", lambda _: 400_000)
    assert "in 8 parts" in _fit(toy).warnings_[0]
    monkeypatch.setattr(steps, "free_memory", lambda _: 10**12)
    assert _fit(toy).warnings_ == []


@given(st.floats(1, 1e9), st.integers(2, 300), st.integers(1, 2**40))
def test_parts_fit_or_are_the_smallest(each: float, batch: int, free: int) -> None:
    """Parts are a power of two, of two pictures at least, and no more of them than needed."""
    parts = parts_for(each, batch, free)
    assert parts & (parts - 1) == 0
    assert batch // parts >= 2 or parts == 1

    def fits(parts: int) -> bool:
        return 2 * each * -(-batch // parts) <= 0.8 * free

    assert fits(parts) or parts * 4 > batch
    assert parts == 1 or not fits(parts // 2)


def test_what_backward_needs_is_counted_once() -> None:
    """A tensor that two layers keep counts once."""
    layer = torch.nn.Linear(8, 8)
    x = torch.randn(10, 8)
    assert held_bytes(lambda: (layer(x), layer(x))) == x.nbytes


def test_what_was_counted_is_let_go() -> None:
    """Layers whose backward pass keeps their own output are freed after the count."""

    def count() -> weakref.ref[torch.Tensor]:
        layers = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.Softmax(dim=1))
        assert held_bytes(lambda: layers(torch.randn(10, 8))) > 0
        return weakref.ref(layers[0].weight)

    kept = count()
    gc.collect()
    assert kept() is None


def test_parts_survive_a_checkpoint(toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A training that goes on keeps to the parts it had found out."""
    images, labels = toy(n=41, side=32)
    with monkeypatch.context() as patch:
        _limit(patch, 8, ERRORS[0])
        NetworkClassifier("cnn2", epochs=2, batch_size=16, device="cpu").fit(
            images, labels, checkpoint=tmp_path, checkpoint_seconds=0
        )
    again = NetworkClassifier("cnn2", epochs=2, batch_size=16, device="cpu")
    assert "in 2 parts" in again.fit(images, labels, checkpoint=tmp_path).warnings_[0]


def test_a_shared_gpu_is_planned_by_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Alone a process plans with all that is free; one of four with a quarter of the device less what it holds."""
    monkeypatch.delenv("FER_BENCH_PER_GPU", raising=False)
    assert device_room(free=70, total=80, reserved=5) == 70
    monkeypatch.setenv("FER_BENCH_PER_GPU", "4")
    assert device_room(free=70, total=80, reserved=5) == 15
    assert device_room(free=10, total=80, reserved=5) == 10
    assert device_room(free=70, total=80, reserved=30) == 0


def test_a_disk_that_takes_a_part_loses_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Short writes go on where they stopped; bytes that are not there are an error, never whatever lay in memory."""
    values = torch.arange(24, dtype=torch.float32).reshape(6, 4)
    whole = os.pwrite
    with open(tmp_path / "cache", "w+b") as file:
        cache = ActivationCache((1, 6, 4), torch.float32, torch.device("cpu"), file=file)
        monkeypatch.setattr(os, "pwrite", lambda handle, data, at: whole(handle, data[:5], at))
        cache.put(0, 0, values)
        rows = torch.arange(6)
        assert torch.equal(cache.take(torch.zeros(6, dtype=torch.int64), rows), values)
        os.ftruncate(file.fileno(), 90)
        with pytest.raises(FerBenchError, match="10 of 16 bytes are there"):
            cache.take(torch.zeros(6, dtype=torch.int64), rows)
