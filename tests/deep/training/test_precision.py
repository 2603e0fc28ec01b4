"""bfloat16 is taken where it is right and quicker, and nowhere else."""

import time
from collections.abc import Iterator

import pytest
import torch

from fer_bench.deep.networks.zoo import NETWORKS
from fer_bench.deep.training import precision
from fer_bench.deep.training.precision import computes_half, cpu_gains

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _asked_anew() -> Iterator[None]:
    cpu_gains.cache_clear()
    yield
    cpu_gains.cache_clear()


def test_without_units_there_is_no_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    """A processor that does not name units for it is not even measured."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True})
    monkeypatch.setattr(precision, "_right_and_quicker", lambda *_: pytest.fail("measured"))
    assert not computes_half("auto", CPU, gains=True)


@pytest.mark.parametrize(("right", "pause", "expected"), [(True, 0.0, True), (True, 0.02, False), (False, 0.0, False)])
def test_units_must_be_right_and_quicker(right: bool, pause: float, expected: bool) -> None:
    """Units that are slower than float32, or wrong, are not used."""
    left, other = torch.randn(512, 512), torch.randn(512, 512)
    answer = (left @ other).bfloat16()

    def product(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        end = time.process_time() + pause
        while time.process_time() < end:
            pass
        return answer if right else -answer

    assert precision._right_and_quicker(left, other, product) == expected


def test_networks_that_lose_stay_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """Depthwise networks keep to float32 on a processor; what is asked for by name is done."""
    monkeypatch.setattr(precision, "cpu_gains", lambda: True)
    losing = {name for name, network in NETWORKS.items() if not network.bf16_on_cpu}
    assert losing == {"mobilenet_v2", "mobilenet_v3_small", "efficientnet_b0"}
    assert computes_half("auto", CPU, gains=True)
    assert not computes_half("auto", CPU, gains=False)
    assert computes_half("bfloat16", CPU, gains=False)
    assert not computes_half("float32", CPU, gains=True)


def test_after_a_crash_nothing_but_what_was_asked_for_is_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the harness tries again after a crash, "auto" is float32 on a processor; the stopwatch is not asked."""
    monkeypatch.setattr(precision, "cpu_gains", lambda: True)
    monkeypatch.setenv("FER_BENCH_CAUTIOUS", "1")
    assert not computes_half("auto", CPU, gains=True)
    assert computes_half("bfloat16", CPU, gains=True)
