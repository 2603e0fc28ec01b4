"""bfloat16 where it pays: on GPUs with units for it, and on processors whose units were found right and quicker."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor

__all__ = ["PRECISIONS", "autocast", "computes_half"]

PRECISIONS = ("auto", "float32", "bfloat16")

_SIDE = 512
_GAIN = 1.2  # products in bfloat16 must be so much quicker: units give 2 to 4, emulation less than 0.5
_ERROR = 0.02  # largest relative deviation of such a product (norm); bfloat16 keeps 8 bits


def computes_half(precision: str, device: torch.device, *, gains: bool) -> bool:
    """Whether a network computes in bfloat16.

    Parameters
    ----------
    precision : str
        One of `PRECISIONS`; ``"auto"``: where the device has units for it and the network gains by them, but on a
        processor not where the harness sets ``FER_BENCH_CAUTIOUS``: a process that computed the same has crashed.
    gains : bool
        Of the network's record: depthwise convolutions lose by bfloat16 on processors.
    """
    if precision != "auto":
        return precision == "bfloat16"
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return gains and not os.environ.get("FER_BENCH_CAUTIOUS") and cpu_gains()


@cache
def cpu_gains() -> bool:
    """Whether this processor has units for bfloat16 whose products are right, and quicker than float32; asked once."""
    capabilities: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    if not (capabilities.get("amx_bf16") or capabilities.get("avx512_bf16")):
        return False
    draw = torch.Generator().manual_seed(0)
    left, right = (torch.randn(_SIDE, _SIDE, generator=draw) for _ in range(2))
    return _right_and_quicker(left, right, lambda a, b: a @ b)


def _right_and_quicker(left: Tensor, right: Tensor, product: Callable[[Tensor, Tensor], Tensor]) -> bool:
    half = left.bfloat16(), right.bfloat16()
    exact = left @ right
    wrong = float((product(*half).float() - exact).norm() / exact.norm())
    return wrong < _ERROR and _seconds(product, *half) * _GAIN < _seconds(torch.matmul, left, right)


def _seconds(product: Callable[[Tensor, Tensor], Tensor], left: Tensor, right: Tensor) -> float:
    """Least processor time of several runs: what other processes take does not count."""
    taken = []
    for _ in range(7):
        start = time.process_time()
        product(left, right)
        taken.append(time.process_time() - start)
    return min(taken)


def autocast(device: torch.device, half: bool) -> torch.autocast:
    """The context in which a network computes."""
    return torch.autocast(device.type, torch.bfloat16, enabled=half)
