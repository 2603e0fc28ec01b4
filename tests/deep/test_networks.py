"""Architectures: cut where they should be, frozen as the mode says."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from torch import nn
from torchvision.transforms._presets import ImageClassification

from fer_bench.deep.architectures import ARCHITECTURES
from fer_bench.deep.augment import normalise
from fer_bench.deep.classifier import IMAGENET, NetworkClassifier
from fer_bench.deep.networks import MODES, StagedNetwork, build, smallest_side, write_random_weights
from fer_bench.errors import FerBenchError, UserError
from fer_bench.seeds import derive_seed

LIGHT = ("resnet18", "densenet161", "mobilenet_v2", "squeezenet1_0", "inception_v3")
HEAVY = ("vgg16", "vgg19_bn")  # half a gigabyte of weights each
SLOW = ("densenet161", *HEAVY)
ALWAYS = (("densenet161", "last_block"),)
FAMILIES = (*LIGHT, *(pytest.param(name, marks=pytest.mark.slow) for name in HEAVY))
# All modes of the quick families, and of a slow one the mode that needs the whole pattern (frozen, trained, BatchNorm).
CASES = [
    pytest.param(name, mode, marks=[pytest.mark.slow] if name in SLOW and (name, mode) not in ALWAYS else [])
    for name in (*LIGHT, *HEAVY)
    for mode in MODES
]
TRAINED = {
    "dense": {"head"},
    "last_block": {"block", "head"},
    "entire": {"trunk", "block", "head", "auxiliary"},
    "scratch": {"trunk", "block", "head", "auxiliary"},
}


def _features(network: StagedNetwork, images: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        return network.eval().pool(network.block(network.trunk(images)))


def _torchvision_features(name: str, weights: Path, images: torch.Tensor) -> torch.Tensor:
    """What torchvision's own network holds before its last layer, averaged over the image."""
    options = {"transform_input": True, "init_weights": False} if name == "inception_v3" else {}
    net: Any = torchvision.models.get_model(name, weights=None, **options)
    net.load_state_dict(torch.load(weights, weights_only=True))
    net.eval()
    with torch.inference_mode():
        if name.startswith(("vgg", "squeezenet")):
            return net.features(images).mean((2, 3))
        setattr(net, "fc" if hasattr(net, "fc") else "classifier", nn.Identity())
        return net(images)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_cut_network_is_torchvisions(name: str, random_weights: Callable[[str], Path]) -> None:
    """Pictures through our normalisation and stages give the features of torchvision's transforms and network."""
    side = max(64, smallest_side(name))
    pictures = torch.randint(0, 256, (2, 3, side, side), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    theirs = ImageClassification(crop_size=side, resize_size=side)(pictures)
    expected = _torchvision_features(name, random_weights(name), theirs)
    network = build(name, mode="dense", seed=0, weights=random_weights(name))
    found = _features(network, normalise(pictures, IMAGENET))
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4 * float(expected.abs().max()))
    swapped = _features(network, normalise(pictures.flip(1), IMAGENET))
    assert not torch.allclose(swapped, expected, rtol=1e-2, atol=0)


@pytest.mark.parametrize(("name", "mode"), CASES)
def test_a_mode_trains_its_stages_and_nothing_else(
    name: str, mode: str, random_weights: Callable[[str], Path], toy: Callable[..., tuple[np.ndarray, np.ndarray]]
) -> None:
    """Frozen stages keep every bit of parameters and BatchNorm statistics; each trained stage moves both."""
    images, labels = toy(n=8, side=max(32, smallest_side(name)), channels=3)
    weights = None if mode == "scratch" else random_weights(name)
    cached = 2 if mode in ("dense", "last_block") else 0
    for views in {1 if mode == "dense" else 0, cached}:
        method = NetworkClassifier(name, mode, epochs=1, batch_size=4, views=views, weights=weights, device="cpu")
        method.fit(images, labels)
        before = build(name, mode=mode, seed=derive_seed(0, "initial values"), weights=weights)
        for (stage, old), new in zip(before.named_children(), method.network_.children(), strict=True):
            assert _moved(old.named_parameters(), new) == _expected(old.parameters(), stage in TRAINED[mode])
            statistics = [(n, b) for n, b in old.named_buffers() if "running_mean" in n]
            assert _moved(statistics, new) == _expected(statistics, stage in TRAINED[mode])


def _moved(old: Any, new: nn.Module) -> str:
    state = new.state_dict()
    same = [torch.equal(value, state[name]) for name, value in old]
    return "absent" if not same else "still" if all(same) else "moved"


def _expected(values: Any, trained: bool) -> str:
    return "absent" if not list(values) else "moved" if trained else "still"


@pytest.mark.parametrize("name", LIGHT)
def test_blocks_are_a_part_of_the_network(name: str) -> None:
    """The last block holds some of the convolutions, and never most of the layers."""
    with torch.random.fork_rng(devices=[]):
        network = build(name, mode="scratch", seed=0)
    layers = {
        stage: sum(isinstance(m, nn.Conv2d) for m in getattr(network, stage).modules()) for stage in ("trunk", "block")
    }
    assert 0 < layers["block"] < layers["trunk"]


def test_pretrained_weights_arrive(random_weights: Callable[[str], Path]) -> None:
    """Pretrained modes compute the features of the file given, whatever the seed; scratch computes others."""
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    one, two = (build("resnet18", mode="entire", seed=seed, weights=random_weights("resnet18")) for seed in (1, 2))
    scratch = build("resnet18", mode="scratch", seed=1)
    assert torch.equal(_features(one, images), _features(two, images))
    assert not torch.allclose(_features(one, images), _features(scratch, images), rtol=0.1)
    assert not torch.equal(one.head.weight, two.head.weight)


@pytest.mark.parametrize("mode", ["dense", "last_block", "entire"])
def test_pretrained_modes_refuse_to_work_without_weights(mode: str) -> None:
    """Random weights never stand in for pretrained ones."""
    with pytest.raises(UserError, match="starts from pretrained weights and got none"):
        build("resnet18", mode=mode, seed=0)


def test_unknown_names_are_refused() -> None:
    """A network, or a mode, that is not there is named in the error with those that are."""
    with pytest.raises(UserError, match="resnet18"):
        build("resnet19", seed=0)
    with pytest.raises(UserError, match="last_block"):
        build("resnet18", mode="half", seed=0)
    with pytest.raises(UserError, match="mode of cnn2"):
        build("cnn2", mode="entire", seed=0, size=48)
    with pytest.raises(FerBenchError, match="resnet18"):
        write_random_weights("cnn2", "nowhere.pth")


def test_initial_values_come_from_the_seed_alone() -> None:
    """Same seed same values, another seed others, and torch's global generator is as it was."""
    state = torch.get_rng_state()
    one, again, other = (build("squeezenet1_0", seed=seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(one[name], again[name]) for name in one)
    assert not torch.equal(one["head.weight"], other["head.weight"])
    assert torch.equal(state, torch.get_rng_state())


def test_vgg_from_scratch_starts_as_torchvision_starts_it() -> None:
    """He initialisation of the convolutions (fan out), zero biases: as in torchvision, without its dense layers."""
    network = build("vgg16", mode="scratch", seed=0)
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            assert float(layer.weight.detach().std()) == pytest.approx((2 / (9 * layer.out_channels)) ** 0.5, rel=0.05)
            assert not layer.bias.any()
    assert sum(p.numel() for p in network.parameters()) == 14_714_688 + 512 * 7 + 7


@pytest.mark.slow
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_network_trains_from_scratch(name: str, toy: Callable[..., tuple[np.ndarray, np.ndarray]]) -> None:
    """Each architecture takes a step and predicts seven probabilities."""
    images, labels = toy(n=7, side=smallest_side(name), channels=3)
    method = NetworkClassifier(name, "scratch", epochs=1, batch_size=4, device="cpu").fit(images, labels)
    assert method.predict_proba(images).shape == (7, 7)


def test_inception_trains_its_auxiliary_head_where_the_trunk_learns(random_weights: Callable[[str], Path]) -> None:
    """Two losses in entire and scratch, one in the modes that freeze the trunk; the map may have any size."""
    for size in (75, 299):
        images = torch.rand(2, 3, size, size)
        network = build("inception_v3", mode="entire", seed=0, weights=random_weights("inception_v3"))
        assert [out is not None and out.shape == (2, 7) for out in network.forward_both(images)] == [True, True]
    frozen = build("inception_v3", mode="last_block", seed=0, weights=random_weights("inception_v3"))
    assert frozen.forward_both(images)[1] is None
