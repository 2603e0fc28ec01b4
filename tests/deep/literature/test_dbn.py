"""Restricted Boltzmann machines, and the network that starts from them."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from fer_bench.deep.classifier import NetworkClassifier
from fer_bench.deep.literature import dbn
from fer_bench.deep.literature.rbm import Machine, _divergence, free_energy, train_machine
from fer_bench.deep.training.batches import Data

Toy = Callable[..., tuple[np.ndarray, np.ndarray]]


def vectors(toy: Toy, seed: int = 0) -> torch.Tensor:
    images, _ = toy(n=140, side=12, seed=seed)
    return torch.from_numpy(images).float().flatten(1) / 255


def trained(v: torch.Tensor, epochs: int, seed: int = 0, gaussian: bool = False) -> Machine:
    rate = 0.005 if gaussian else 0.1
    return train_machine(v, 30, epochs=epochs, batch_size=10, learning_rate=rate, seed=seed, gaussian=gaussian)


def test_free_energy_is_minus_the_logarithm_of_the_summed_probabilities() -> None:
    """On machines of 3 visible and 4 hidden units it equals the sum over all hidden states, by brute force."""
    draw = torch.Generator().manual_seed(0)
    weight, visible, hidden = (torch.randn(*shape, generator=draw) for shape in ((4, 3), (3,), (4,)))
    v = torch.tensor([[0.0, 1.0, 1.0], [1.0, 0.0, 0.3]])
    states = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * 4)
    for gaussian, alone in ((False, v @ visible), (True, -((v - visible) ** 2).sum(1) / 2)):
        minus_energy = alone[:, None] + (states @ hidden)[None] + v @ weight.T @ states.T
        found = free_energy(Machine(weight, visible, hidden, gaussian), v)
        torch.testing.assert_close(found, -torch.logsumexp(minus_energy, 1))


@pytest.mark.parametrize("gaussian", [False, True])
def test_free_energy_of_data_falls_below_that_of_noise(toy: Toy, gaussian: bool) -> None:
    """New pictures come to lie below noise whose every pixel is as bright as theirs; without training they do not."""
    seen, new = vectors(toy), vectors(toy, seed=1)
    if gaussian:
        mean, deviation = seen.mean(0), seen.std(0)
        seen, new = (seen - mean) / deviation, (new - mean) / deviation
    rng = np.random.default_rng(0)
    noise = torch.from_numpy(rng.permuted(new.numpy(), axis=0))  # each pixel from another picture

    def gap(machine: Machine) -> float:
        return float((free_energy(machine, noise) - free_energy(machine, new)).mean())

    assert abs(gap(trained(seen, epochs=0, gaussian=gaussian))) < 0.05
    machine = trained(seen, epochs=30, gaussian=gaussian)
    assert gap(machine) > 1
    assert machine.errors[-1] < 0.8 * machine.errors[0]
    apart = free_energy(machine, new)[:, None] < free_energy(machine, noise)[None]
    assert apart.float().mean() > 0.8


@pytest.mark.parametrize("gaussian", [False, True])
def test_a_step_of_contrastive_divergence_is_the_formula(gaussian: bool) -> None:
    """Weights: covariance of data minus that of their reconstruction; biases: differences of means, less what follows.

    The reconstruction comes from hidden states drawn of the data, and its own hidden units from it (Hinton 2002; the
    centring is Cho, Raiko and Ilin's, equations 13 to 15 in sums instead of expectations).
    """
    make = torch.Generator().manual_seed(1)
    weight, visible, hidden = (torch.randn(*shape, generator=make) for shape in ((4, 3), (3,), (4,)))
    machine = Machine(weight, visible, hidden, gaussian)
    v = torch.rand(50, 3, generator=make)
    (d_weight, d_visible, d_hidden), error = _divergence(machine, v, torch.Generator().manual_seed(7))
    h = torch.sigmoid(v @ weight.T + hidden)
    drawn = (h > torch.rand(50, 4, generator=torch.Generator().manual_seed(7))).float()
    again = drawn @ weight + visible
    again = again if gaussian else torch.sigmoid(again)
    h_again = torch.sigmoid(again @ weight.T + hidden)

    def covariance(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return (a - a.mean(0)).T @ (b - b.mean(0)) / len(a)

    expected = covariance(h, v) - covariance(h_again, again)
    torch.testing.assert_close(d_weight, expected)
    v_mean, h_mean = (v.mean(0) + again.mean(0)) / 2, (h.mean(0) + h_again.mean(0)) / 2
    torch.testing.assert_close(d_visible, v.mean(0) - again.mean(0) - h_mean @ expected)
    torch.testing.assert_close(d_hidden, h.mean(0) - h_again.mean(0) - expected @ v_mean)
    torch.testing.assert_close(error, ((v - again) ** 2).sum())


def test_chance_is_the_seeds(toy: Toy) -> None:
    """Same seed, same bits, whatever the global generator holds; another seed, another machine."""
    v = vectors(toy)
    one = trained(v, epochs=2)
    torch.manual_seed(99)
    assert torch.equal(one.weight, trained(v, epochs=2).weight)
    assert not torch.equal(one.weight, trained(v, epochs=2, seed=1).weight)


def test_the_network_starts_from_machines_that_saw_the_training_pictures_alone(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three machines, each on what the one before gives for the pictures of fit, no labels; then every layer learns."""
    inputs: list[torch.Tensor] = []
    machines: list[Machine] = []
    labels_seen: list[int] = []

    def spy(v: torch.Tensor, n_hidden: int, **more: object) -> Machine:
        inputs.append(v)
        machines.append(train_machine(v, n_hidden, **more))  # type: ignore[arg-type]
        return machines[-1]

    stack = dbn.stack

    def spy_stack(network: object, data: Data, *rest: object, **more: object) -> list[float]:
        labels_seen.append(len(data.labels))
        errors = stack(network, data, *rest, **more)  # type: ignore[arg-type]
        x, v = data.pictures.float() / 255, inputs[0]
        for block, machine in zip([*network.trunk, network.block], machines, strict=True):  # type: ignore[attr-defined]
            x, v = block(x), machine.up(v)
            torch.testing.assert_close(x, v, atol=1e-4, rtol=1e-4)
        return errors

    monkeypatch.setattr(dbn, "train_machine", spy)
    monkeypatch.setattr(dbn, "stack", spy_stack)
    images, labels = toy(n=28)
    stage = {"function": "fer_bench.deep.literature.dbn:stack", "epochs": 2, "rates": [0.002, 0.05]}
    method = NetworkClassifier("dbn", epochs=1, augment=False, device="cpu", pretraining=stage)
    method.fit(images, labels, eval_images=toy(seed=1)[0])
    assert labels_seen == [0]
    assert [tuple(machine.weight.shape) for machine in machines] == [(500, 256), (500, 500), (2000, 500)]
    pixels = images.reshape(28, -1) / 255
    np.testing.assert_allclose(inputs[0].numpy(), (pixels - pixels.mean(0)) / pixels.std(0, ddof=1), atol=1e-3)
    assert [machine.gaussian for machine in machines] == [True, False, False]
    torch.testing.assert_close(inputs[2], machines[1].up(machines[0].up(inputs[0])))
    assert len(method.pretraining_) == 6
    weights = [m.weight for m in method.network_.modules() if isinstance(m, torch.nn.Linear)]
    assert not any(torch.equal(w, m.weight) for w, m in zip(weights, machines, strict=False))


def test_dbn_learns_a_toy_task(toy: Toy) -> None:
    """The place of a bright square is learnt and recognised in unseen noise."""
    stage = {"function": "fer_bench.deep.literature.dbn:stack", "epochs": 15, "rates": [0.005, 0.1]}
    method = NetworkClassifier("dbn", epochs=3, batch_size=16, augment=False, device="cpu", pretraining=stage)
    method.fit(*toy(n=140))
    assert method.score(*toy(seed=1)) > 0.8
