"""Mistakes that published code makes with these networks; each test fails if its mistake comes back."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image
from torch import nn
from torchvision.transforms._presets import ImageClassification

from fer_bench.deep import classifier
from fer_bench.deep.classifier import NetworkClassifier
from fer_bench.deep.networks.build import BlockNetwork, build, learn
from fer_bench.deep.training import batches, inputs
from fer_bench.deep.training.stages import plan_stages

Toy = Callable[..., tuple[np.ndarray, np.ndarray]]
Weights = Callable[[str], Path]


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_frozen_batch_norm_judges_a_picture_alone(depth: int, random_weights: Weights) -> None:
    """In training, what the frozen blocks give for a picture does not depend on its batch; a freed block's does.

    Source of the pitfall: a frozen trunk in training mode normalises by the batch and drags its statistics along; a
    ResNet-50 so frozen stayed at 9 to 16 %.
    """
    network = build("resnet18", mode="gradual", seed=0, weights=random_weights("resnet18"))
    learn(network, depth)
    x = torch.rand(4, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        for block in [*network.trunk, network.block]:
            alone, batch = block(x[:2]), block(x)
            same = torch.allclose(alone, batch[:2], rtol=1e-3, atol=1e-4)
            assert same == (not block.training)
            x = batch
    assert [block.training for block in [*network.trunk, network.block]] == [False] * (5 - depth) + [True] * depth


def test_frozen_blocks_keep_every_bit_through_a_gradual_fit(toy: Toy, random_weights: Weights) -> None:
    """Where the stages end with the last block, parameters and BatchNorm statistics below are the pretrained."""
    images, labels = toy(n=12, side=32, channels=3)
    weights = random_weights("mobilenet_v2")
    stages = [["dense", 1, 1.0], ["last_block", 1, 1.0]]
    fitted = NetworkClassifier(
        "mobilenet_v2",
        "gradual",
        stages=stages,
        epochs=2,
        batch_size=4,
        augmented_copies=2,
        weights=weights,
        device="cpu",
    ).fit(images, labels, eval_images=images[:3])
    before = build("mobilenet_v2", mode="dense", seed=0, weights=weights)
    kept = before.trunk.state_dict()
    assert all(torch.equal(value, kept[name]) for name, value in fitted.network_.trunk.state_dict().items())
    assert not torch.equal(fitted.network_.block[1][1].running_mean, before.block[1][1].running_mean)


def _by_torchvision(images: np.ndarray, weights: Path, head: nn.Module) -> np.ndarray:
    """Probabilities by way of pillow, torchvision's published preprocessing and its network, and our head."""
    net: Any = torchvision.models.squeezenet1_0()
    net.load_state_dict(torch.load(weights, weights_only=True))
    side = images.shape[1]
    preset = ImageClassification(crop_size=side, resize_size=side)
    batch = torch.stack([preset(Image.fromarray(image, mode=None)) for image in images])
    with torch.inference_mode():
        return torch.softmax(head(net.eval().features(batch).mean((2, 3))), 1).numpy()


def test_pictures_reach_the_network_as_its_weights_expect_them(toy: Toy, random_weights: Weights) -> None:
    """RGB, not BGR, normalised as torchvision does it: from arrays to probabilities, as by way of torchvision.

    Each channel has a tint of its own, so that an exchange of two, or another normalisation, changes the result.
    """
    images, labels = toy(n=14, side=64, channels=3)
    images = (images * np.array([1.0, 0.6, 0.2])).astype(np.uint8)
    weights = random_weights("squeezenet1_0")
    method = NetworkClassifier(
        "squeezenet1_0",
        "dense",
        epochs=30,
        augmented_copies=1,
        learning_rate=0.1,
        weights=weights,
        device="cpu",
        precision="float32",
    ).fit(images, labels, eval_images=images)
    expected = _by_torchvision(images, weights, method.network_.head)
    np.testing.assert_allclose(method.predict_proba(images), expected, atol=1e-3)
    np.testing.assert_allclose(method.eval_proba_[-1], expected, atol=1e-3)
    swapped = _by_torchvision(images[..., ::-1].copy(), weights, method.network_.head)
    assert np.abs(swapped - expected).max() > 0.01


@pytest.mark.parametrize(("name", "normalisation"), [("squeezenet1_0", "network"), ("squeezenet1_0", "half"),
                                                     ("cnn3", "network"), ("cnn3", "unit")])  # fmt: skip
def test_training_and_prediction_see_the_same_pictures(
    name: str, normalisation: str, toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without augmentation a picture is the same to the bit in training and in prediction, and its scale is as said."""
    images, labels = toy(n=8, side=32, channels=1 if name == "cnn3" else 3)
    seen: list[torch.Tensor] = []
    for module in (batches, inputs):
        original = module.normalise

        def spy(pictures: torch.Tensor, how: Any, original: Any = original) -> torch.Tensor:
            seen.append(original(pictures, how))
            return seen[-1]

        monkeypatch.setattr(module, "normalise", spy)
    method = NetworkClassifier(
        name, "scratch", augment=False, epochs=1, batch_size=8, normalisation=normalisation, device="cpu"
    ).fit(images, labels)
    method.predict_proba(images)
    trained, predicted = seen[0], seen[1][:8]  # the batch was filled up
    assert len(seen) == 2
    assert {tuple(p.flatten().tolist()) for p in trained} == {tuple(p.flatten().tolist()) for p in predicted}
    mean, std = {"half": (0.5, 0.5), "unit": (0.0, 1.0)}.get(normalisation, (0.5, 0.25))
    if name == "cnn3" or normalisation != "network":
        expected = (images.reshape(8, 32, 32, -1).astype(np.float64) / 255 - mean) / std
        found = predicted[:8].permute(0, 2, 3, 1).numpy()  # the batch is filled up
        np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(("mode", "copies"), [("entire", 0), ("dense", 3), ("last_block", 2)])
def test_moved_pictures_are_normalised_as_the_others(
    mode: str, copies: int, toy: Toy, random_weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pictures of one colour, which moving leaves as they are, reach the network as the weights expect that colour."""
    _, labels = toy(n=8, side=32, channels=3)
    colour = np.array([200, 90, 30], dtype=np.uint8)
    images = np.broadcast_to(colour, (8, 32, 32, 3)).copy()
    seen: list[torch.Tensor] = []
    for name in ("boundaries", "forward_both"):
        original = getattr(BlockNetwork, name)

        def spy(self: BlockNetwork, x: torch.Tensor, *rest: Any, original: Any = original) -> Any:
            seen.append(x.detach().clone())
            return original(self, x, *rest)

        monkeypatch.setattr(BlockNetwork, name, spy)
    weights = random_weights("squeezenet1_0")
    params: dict[str, Any] = {
        "epochs": 1,
        "batch_size": 4,
        "augmented_copies": copies,
        "weights": weights,
        "device": "cpu",
    }
    NetworkClassifier("squeezenet1_0", mode, **params).fit(images, labels)
    expected = ImageClassification(crop_size=32, resize_size=32)(Image.fromarray(images[0]))
    assert sum(len(x) for x in seen) >= 8 * max(1, copies)
    for x in seen:
        torch.testing.assert_close(x, expected.expand_as(x), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(("mode", "copies"), [("entire", 0), ("dense", 3), ("last_block", 2), ("gradual", 2)])
def test_labels_do_not_leak_through_augmentation(
    mode: str, copies: int, toy: Toy, random_weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the network is shown, in which order and how moved, is the same whatever the labels are."""
    images, labels = toy(n=14, side=32, channels=3)
    shown: dict[int, list[torch.Tensor]] = {0: [], 1: []}
    told: dict[int, list[torch.Tensor]] = {0: [], 1: []}
    run = 0
    original = batches.Batches.__init__

    def spy(self: Any, batches: Any, *rest: Any) -> None:
        def recorded(epoch: int) -> Any:
            for x, y in batches(epoch):
                shown[run].append(x.clone())
                told[run].append(y.clone())
                yield x, y

        original(self, recorded, *rest)

    monkeypatch.setattr(batches.Batches, "__init__", spy)
    for given in (labels, labels[::-1].copy()):
        NetworkClassifier(
            "squeezenet1_0",
            mode,
            stages=[["dense", 1, 1.0]] if mode == "gradual" else None,
            epochs=2,
            batch_size=4,
            learning_rate=1e-9,
            augmented_copies=copies,
            weights=random_weights("squeezenet1_0"),
            device="cpu",
        ).fit(images, given)
        run += 1
    assert len(shown[0]) == len(shown[1]) == 8
    assert all(torch.equal(a, b) for a, b in zip(shown[0], shown[1], strict=True))
    assert not torch.equal(torch.cat(told[0]), torch.cat(told[1]))


def test_people_held_out_for_early_stopping_are_never_trained_on(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    """No picture of a person on whom the training is judged, as it is or moved, is among those that it learns from."""
    images, labels = toy(n=40)
    people = np.array([f"P{i // 4}" for i in range(40)])
    for i, person in enumerate(np.unique(people)):
        images[people == person, 0, 0] = 10 + i  # a mark in a corner
    trained, judged = set(), set()
    original = classifier.train

    def spy(network: Any, data: Any, *rest: Any, monitoring: Any, **more: Any) -> Any:
        trained.update(data.data.pictures[:, 0, 0, 0].tolist())
        judged.update(monitoring.validation[0][:, 0, 0, 0].tolist())
        return original(network, data, *rest, monitoring=monitoring, **more)

    monkeypatch.setattr(classifier, "train", spy)
    for seed in range(3):
        trained.clear()
        judged.clear()
        NetworkClassifier("cnn2", epochs=1, patience=1, device="cpu", random_state=seed).fit(
            images, labels, groups=people
        )
        assert len(judged) == 1
        assert len(trained) == 9
        assert not trained & judged


def test_shuffled_labels_teach_a_pretrained_network_nothing(toy: Toy, random_weights: Weights) -> None:
    """Where labels are shuffled, new pictures are told no better than by chance; with true ones they are."""
    images, labels = toy(n=140, side=32, channels=3)
    new, truth = toy(n=140, side=32, channels=3, seed=1)
    found = {}
    for name, given in (("true", labels), ("shuffled", np.random.default_rng(0).permutation(labels))):
        method = NetworkClassifier(
            "squeezenet1_0",
            "gradual",
            epochs=5,
            batch_size=16,
            augment=False,
            learning_rate=2e-3,
            weights=random_weights("squeezenet1_0"),
            device="cpu",
        )
        found[name] = method.fit(images, given).score(new, truth)
    assert found["true"] > 0.7
    assert found["shuffled"] < 0.3


def test_inceptions_auxiliary_head_learns_with_its_block_and_never_predicts(toy: Toy, random_weights: Weights) -> None:
    """The auxiliary head learns from the stage on that frees the block under it, and has no part in predictions."""
    images, _ = toy(n=4, side=75, channels=3)
    network = build("inception_v3", mode="entire", seed=0, size=75, weights=random_weights("inception_v3"))
    network.eval()
    x = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
    with torch.inference_mode():
        plain = network(x)
        network.auxiliary.fc.bias += 5  # type: ignore[union-attr]
        assert torch.equal(network(x), plain)
    stages = plan_stages("gradual", network.n_blocks, 50, 1e-3, None)
    for stage in stages:
        learn(network, stage.depth)
        with torch.no_grad():
            assert (network.forward_both(x)[1] is not None) == (stage.depth >= 2)
