"""Methods of this package that read landmarks in place of pictures. Imports no torch."""

from __future__ import annotations

from fer_bench.methods import ImageSpec, MethodSpec, Override

__all__ = ["DGNN", "cost"]

_START = 0.5
_TOKENS = 68 + 187  # points, and edges of a triangulation of them
_RATE = 1.2e10  # multiply-adds a second, one thread, forward and backward


def cost(spec: MethodSpec, n_train: int, n_test: int) -> float:
    """Nominal seconds on one core of a laptop."""
    widths = spec.params["widths"]
    pairs = zip((2, *widths), widths, strict=False)
    work = sum(_TOKENS * 3 * a * b + 4 * 68 * (_TOKENS - 68) * a for a, b in pairs) / _RATE
    return _START + work * (3 * int(spec.params["epochs"]) * n_train + n_test)


DGNN = MethodSpec(
    name="dgnn",
    family="literature",
    factory="fer_bench.deep.literature.graph_classifier:GraphClassifier",
    image=ImageSpec(128, 1, "landmarks"),
    params={"widths": [64, 64, 64, 128, 128, 128, 256, 256], "epochs": 50, "batch_size": 32, "learning_rate": 1e-3},
    wants=("random_state", "device"),
    network="dgnn",
    mode="scratch",
    profiles={"quick": Override({"widths": [32, 32, 64], "epochs": 8, "batch_size": 16, "learning_rate": 3e-3})},
    cost="fer_bench.deep.literature.landmarks:cost",
    uses_torch=True,
    watches=True,
    summary="directed graph network on 68 landmarks, edges by Delaunay's triangulation",
    reference="Ngoc, Lee and Song 2020, Electronics 9(5):764, doi 10.3390/electronics9050764",
    version=2,  # predictions in batches of one size
)
