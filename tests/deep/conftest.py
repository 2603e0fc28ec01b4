"""Random weights files, written once a session, and a toy task that a small network can learn."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from fer_bench.deep.networks.build import write_random_weights


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Two test processes of one thread beat one of two, and bits repeat."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def random_weights(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Write the random weights of a network on first use."""
    folder = tmp_path_factory.mktemp("weights")

    def path(name: str) -> Path:
        file = folder / f"{name}.pth"
        if not file.exists():
            write_random_weights(name, file)
        return file

    return path


@pytest.fixture(scope="session")
def toy() -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """Noise with a bright square whose place tells the class: (images uint8, labels)."""

    def make(n: int = 70, side: int = 16, channels: int = 1, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(seed)
        images = rng.integers(0, 90, (n, side, side, channels), dtype=np.uint8)
        labels = np.arange(n) % 7
        cell = side // 4
        for image, label in zip(images, labels, strict=True):
            row, column = divmod(int(label), 3)
            image[row * cell : (row + 1) * cell, column * cell : (column + 1) * cell] += 150
        return (images[..., 0] if channels == 1 else images), labels

    return make
