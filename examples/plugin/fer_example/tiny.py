"""The network itself: two convolutions, cut where training modes freeze and train."""

from __future__ import annotations

from torch import nn

from fer_bench.deep.networks.architectures import Parts
from fer_bench.deep.networks.registry import Network


def build(name: str, size: int) -> nn.Module:
    """Return the whole module with the values that a training from scratch starts from."""
    edges = nn.Sequential(nn.Conv2d(1, 8, 3, stride=2, padding=1), nn.BatchNorm2d(8), nn.ReLU())
    parts = nn.Sequential(nn.Conv2d(8, 16, 3, stride=2, padding=1), nn.BatchNorm2d(16), nn.ReLU())
    return nn.Sequential(edges, parts)


def cut(net: nn.Sequential, network: Network, size: int) -> Parts:
    """Return the blocks that the record names, from input to output; pool and head are added to them."""
    return Parts((net[0], net[1]))
