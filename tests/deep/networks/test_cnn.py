"""The shallow network."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from fer_bench.deep.classifier import NetworkClassifier
from fer_bench.deep.networks import cnn
from fer_bench.deep.networks.build import build


def test_cnn2_is_two_convolutions_of_32_and_64_and_a_dense_layer_of_128() -> None:
    """The network has exactly the layers of the article, at every size."""
    for size in (48, 64, 128):
        network = build("cnn2", seed=0, size=size)
        convolutions = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
        dense = [m for m in network.modules() if isinstance(m, nn.Linear)]
        assert [(c.in_channels, c.out_channels, c.kernel_size) for c in convolutions] == [
            (1, 32, (3, 3)),
            (32, 64, (3, 3)),
        ]
        assert [(d.in_features, d.out_features) for d in dense] == [(64 * (size // 4) ** 2, 128), (128, 7)]


@pytest.mark.parametrize(("inputs", "side"), [(1, 12), (3, 13)])
def test_slices_give_what_autograd_gives(monkeypatch: pytest.MonkeyPatch, inputs: int, side: int) -> None:
    """Output and all gradients of the sliced layer equal pooling after ReLU after convolution, by autograd."""
    generator = torch.Generator().manual_seed(0)
    pooling = cnn.ConvPool(inputs, 5).double()
    x = torch.rand(7, inputs, side, side, generator=generator, dtype=torch.float64, requires_grad=True)
    slope = torch.rand(7, 5, side // 2, side // 2, generator=generator, dtype=torch.float64)

    def run(layer: Callable[[torch.Tensor], torch.Tensor]) -> list[torch.Tensor]:
        out = layer(x)
        return [out, *torch.autograd.grad(out, [x, *pooling.parameters()], slope)]

    expected = run(lambda x: functional.max_pool2d(functional.relu(pooling.conv(x)), 2))
    monkeypatch.setattr(cnn, "_LARGE", 0)
    monkeypatch.setattr(cnn, "_SLICE", 2 * 5 * side * side)
    found = run(pooling)
    assert "SlicedConvPool" in type(found[0].grad_fn).__name__
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)


def test_cnn2_learns_a_toy_task(toy: Callable[..., tuple[np.ndarray, np.ndarray]]) -> None:
    """The place of a bright square is learnt and recognised in unseen noise."""
    method = NetworkClassifier("cnn2", epochs=10, batch_size=16, learning_rate=2e-3, augment=False, device="cpu")
    method.fit(*toy(n=140))
    assert method.score(*toy(seed=1)) > 0.9


def test_shuffled_labels_fall_to_chance(toy: Callable[..., tuple[np.ndarray, np.ndarray]]) -> None:
    """With labels shuffled nothing is left to learn: no way leads from a picture's place in the array to its label."""
    images, labels = toy(n=140)
    shuffled = np.random.default_rng(0).permutation(labels)
    method = NetworkClassifier("cnn2", epochs=10, batch_size=16, learning_rate=2e-3, augment=False, device="cpu")
    method.fit(images, shuffled)
    assert method.score(*toy(seed=1)) < 0.4


def test_cnn3_is_three_convolutions_of_32_64_64_and_a_dense_layer_of_128() -> None:
    """The network of the authors' code, which has a third pair."""
    for size in (64, 128):
        network = build("cnn3", seed=0, size=size)
        convolutions = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
        dense = [m for m in network.modules() if isinstance(m, nn.Linear)]
        assert [(c.in_channels, c.out_channels) for c in convolutions] == [(1, 32), (32, 64), (64, 64)]
        assert [(d.in_features, d.out_features) for d in dense] == [(64 * (size // 8) ** 2, 128), (128, 7)]
        assert network(torch.rand(2, 1, size, size)).shape == (2, 7)
