"""Networks trained as anyone would: a Dataset of pictures, torchvision's transforms one by one, a DataLoader, a loop.

The reference for speed. Pictures are decoded already. The architectures are ours (VGG without its dense layers), so
that both sides do the same work; layout, precision and optimiser are torch's defaults.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from fer_bench.deep.networks.build import build
from fer_bench.deep.networks.zoo import find

__all__ = ["PlainFaces", "faces_for", "plain_epoch", "plain_network"]


class PlainFaces(Dataset):  # type: ignore[type-arg]
    """Pictures in memory, moved and normalised when they are asked for."""

    def __init__(self, images: np.ndarray, labels: Sequence[int], mean: Sequence[float], std: Sequence[float]) -> None:
        self.images, self.labels = [Image.fromarray(image) for image in images], labels
        self.transform = transforms.Compose(
            [
                transforms.RandomHorizontalFlip(),
                transforms.RandomAffine(10, (0.04, 0.04), (0.9, 1.1), interpolation=Image.Resampling.BILINEAR),
                transforms.ToTensor(),
                transforms.Normalize(mean, std),
            ]
        )

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, row: int) -> tuple[Tensor, int]:
        """A picture as a tensor, and its label."""
        return self.transform(self.images[row]), int(self.labels[row])


def plain_network(name: str, size: int, mode: str = "scratch", weights: Any = None) -> nn.Module:
    """The network in torch's default layout; ``cnn2`` as a tutorial writes it, with ReLU before pooling."""
    if name != "cnn2":
        return build(name, mode=mode, seed=0, size=size, weights=weights)
    return nn.Sequential(
        *(nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(64 * (size // 4) ** 2, 128), nn.ReLU(), nn.Linear(128, 7)),
    )


def plain_epoch(
    network: nn.Module, faces: PlainFaces, optimizer: torch.optim.Optimizer, batch: int, device: str, workers: int = 0
) -> float:
    """One epoch; the mean loss, read after every step, as tutorials do."""
    loader = DataLoader(faces, batch, shuffle=True, num_workers=workers, pin_memory=device == "cuda")
    loss_of, total = nn.CrossEntropyLoss(), 0.0
    network.train()
    for x, y in loader:
        x, y = x.to(device), y.to(device)
        optimizer.zero_grad()
        loss = loss_of(network(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(y)
    return total / len(faces)


def faces_for(name: str, size: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Noise of the network's shape, smooth enough to be moved, with labels."""
    channels = find(name).channels
    shape = (n, size, size) if channels == 1 else (n, size, size, channels)
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8), np.arange(n) % 7
