"""A network on a directed graph of landmarks: points carry places, edges carry steps from point to point.

After Ngoc, Lee and Song 2020, "Facial landmark-based emotion recognition via directed graph neural network",
Electronics 9(5):764, doi 10.3390/electronics9050764, in the form for stills (their temporal block is left out); the
blocks are those of Shi, Zhang, Cheng and Lu 2019, "Skeleton-based action recognition with directed graph neural
networks", CVPR. Decided here, because it is not known to us: edges are those of Delaunay's triangulation of the mean
shape of the training faces, the same for all faces; each leads away from the nose's tip, from the nearer point to the
farther; eight blocks of 64 to 256 channels.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import Delaunay
from torch import Tensor, nn
from torch.nn import functional

from fer_bench.labels import N_CLASSES

__all__ = ["GraphBlock", "GraphNetwork", "directed_edges", "standard_shape"]

NOSE_TIP = 30
"""Of the 68 points of iBUG's 300-W, counted from 0."""


def standard_shape(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Move faces (n, 68, 2) to their middle and scale them to a root mean square distance of 1 from it."""
    centred = points - points.mean(axis=1, keepdims=True)
    size = np.sqrt(np.square(centred).sum(axis=2).mean(axis=1))
    return centred / np.maximum(size, np.finfo(np.float32).tiny)[:, None, None]


def directed_edges(shape: NDArray[np.floating]) -> NDArray[np.int64]:
    """Return the edges (m, 2), from and to, of Delaunay's triangulation of one face (68, 2).

    Each edge of the triangulation once, from the point nearer to the nose's tip to the farther (of equally near ones
    from the one that is counted first), so that the graph has no circles. Points that the triangulation leaves out,
    because they coincide with others, get an edge from the point that they coincide with.
    """
    mesh = Delaunay(shape)
    sides = np.sort(mesh.simplices[:, [[0, 1], [1, 2], [0, 2]]].reshape(-1, 2), axis=1)
    joined = np.unique(np.concatenate([sides, np.sort(mesh.coplanar[:, [0, 2]], axis=1)]), axis=0)
    far = np.linalg.norm(shape - shape[NOSE_TIP], axis=1)
    turned = far[joined[:, 0]] > far[joined[:, 1]]
    joined[turned] = joined[turned][:, ::-1]
    return joined.astype(np.int64)


class GraphBlock(nn.Module):
    """One round of messages: points hear from the edges that enter and leave them, edges from their two ends.

    Parameters
    ----------
    inputs, outputs : int
        Channels of points and of edges, before and after; where they are equal, the input is added.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.points, self.edges = nn.Linear(3 * inputs, outputs), nn.Linear(3 * inputs, outputs)
        self.point_norm, self.edge_norm = nn.BatchNorm1d(outputs), nn.BatchNorm1d(outputs)

    def forward(self, points: Tensor, edges: Tensor, start: Tensor, end: Tensor) -> tuple[Tensor, Tensor]:
        """(n, 68, inputs) and (n, m, inputs) to the same with ``outputs``; ``start``, ``end`` (m, 68) mark the ends."""
        entering = (end / end.sum(0).clamp(min=1)).T @ edges
        leaving = (start / start.sum(0).clamp(min=1)).T @ edges
        heard = self.point_norm(self.points(torch.cat([points, entering, leaving], 2)).transpose(1, 2))
        told = self.edge_norm(self.edges(torch.cat([edges, start @ points, end @ points], 2)).transpose(1, 2))
        new_points, new_edges = heard.transpose(1, 2), told.transpose(1, 2)
        if points.shape[2] == new_points.shape[2]:
            new_points, new_edges = new_points + points, new_edges + edges
        return functional.relu(new_points), functional.relu(new_edges)


class GraphNetwork(nn.Module):
    """Each coordinate normalised over faces, blocks, mean over points and over edges, dropout, seven logits.

    Parameters
    ----------
    edges : (m, 2) int64
        From and to.
    n_points : int
    widths : sequence of int
        Channels of each block.
    dropout : float
    """

    start: Tensor
    end: Tensor

    def __init__(self, edges: NDArray[np.int64], n_points: int, widths: tuple[int, ...], dropout: float) -> None:
        super().__init__()
        ends = functional.one_hot(torch.from_numpy(edges), n_points).float()
        self.register_buffer("start", ends[:, 0])
        self.register_buffer("end", ends[:, 1])
        self.point_norm, self.edge_norm = nn.BatchNorm1d(2 * n_points), nn.BatchNorm1d(2 * len(edges))
        self.blocks = nn.ModuleList(GraphBlock(a, b) for a, b in zip((2, *widths), widths, strict=False))
        self.dropout = nn.Dropout(dropout)
        self.classify = nn.Linear(2 * widths[-1], N_CLASSES)

    def forward(self, points: Tensor) -> Tensor:
        """Logits (n, 7) of standard shapes (n, 68, 2)."""
        edges = self.end @ points - self.start @ points
        points = self.point_norm(points.flatten(1)).view_as(points)
        edges = self.edge_norm(edges.flatten(1)).view_as(edges)
        for block in self.blocks:
            points, edges = block(points, edges, self.start, self.end)
        return self.classify(self.dropout(torch.cat([points.mean(1), edges.mean(1)], 1)))
