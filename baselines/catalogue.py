"""Classical methods that the harness can find; imports no scikit-learn."""

from fer_bench.methods import MethodSpec

__all__ = ["METHODS"]

METHODS: tuple[MethodSpec, ...] = ()
