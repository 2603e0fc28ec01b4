"""A network, declared: this module imports no torch, what it names does (`tiny`)."""

from __future__ import annotations

from fer_bench.deep.catalogue import rows
from fer_bench.deep.networks.registry import Network

TINY = Network(
    name="tiny",
    build="fer_example.tiny:build",
    cut="fer_example.tiny:cut",
    blocks=("edges", "parts"),
    width=16,
    size=48,
    smallest=16,
    quick=32,
    channels=1,
    mean=(0.5,),
    std=(0.25,),
)
METHODS = rows(TINY, path="fer_example.networks:TINY", reference="the example of fer-bench")
