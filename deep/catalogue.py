"""Networks that the harness can find; imports no torch."""

from fer_bench.methods import MethodSpec

__all__ = ["METHODS"]

METHODS: tuple[MethodSpec, ...] = ()
