"""Architectures: cut where they should be, frozen as the mode says."""

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from torch import nn
from torchvision.models.convnext import CNBlockConfig
from torchvision.models.vision_transformer import interpolate_embeddings
from torchvision.transforms._presets import ImageClassification

from fer_bench.deep.classifier import NetworkClassifier
from fer_bench.deep.networks.architectures import Patches
from fer_bench.deep.networks.build import BlockNetwork, build, smallest_side, write_random_weights
from fer_bench.deep.networks.registry import MODES, Network
from fer_bench.deep.networks.zoo import IMAGENET as RECORDS
from fer_bench.deep.networks.zoo import find
from fer_bench.deep.training.augment import Normalisation, normalise
from fer_bench.deep.training.batches import Data
from fer_bench.deep.training.frozen import FrozenFeatures
from fer_bench.deep.training.stages import Stage, plan_stages
from fer_bench.deep.training.train import train
from fer_bench.errors import FerBenchError, UserError
from fer_bench.methods import load_object
from fer_bench.seeds import derive_seed

IMAGENET = Normalisation(find("resnet18").mean, find("resnet18").std)
LIGHT = ("resnet18", "densenet161", "mobilenet_v2", "squeezenet1_0", "inception_v3")
HEAVY = (
    *("vgg16", "vgg19", "vgg19_bn", "alexnet", "resnet34", "resnet50", "resnet152", "squeezenet1_1"),
    *("mobilenet_v3_small", "efficientnet_b0", "convnext_tiny", "vit_b_16"),
)
SLOW = ("densenet161", *HEAVY)
INCEPTION = ("entire",)  # the other modes of Inception are slow
FAMILIES = [pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in (*LIGHT, *HEAVY)]


def _is_slow(name: str, mode: str) -> bool:
    if name == "inception_v3":
        return mode not in INCEPTION
    return name in SLOW


# All modes of the quick families; of Inception the one with its auxiliary head.
CASES = [
    pytest.param(name, mode, marks=[pytest.mark.slow] if _is_slow(name, mode) else [])
    for name in (*LIGHT, *HEAVY)
    for mode in MODES
]
GRADUAL = [
    pytest.param(name, marks=[] if name in ("mobilenet_v2", "squeezenet1_0", "inception_v3") else pytest.mark.slow)
    for name in (*LIGHT, *HEAVY)
]
STEPS = [["dense", 1, 1.0], ["last_block", 1, 1.0], ["blocks", 1, 1.0], ["entire", 1, 1.0]]
ALL = {"trunk", "block", "head", "auxiliary"}
TRAINED = {"dense": {"head"}, "last_block": {"block", "head"}, "entire": ALL, "scratch": ALL, "gradual": ALL}


def _features(network: BlockNetwork, images: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        return network.eval().pool(network.block(network.trunk(images)))


def _torchvision_features(name: str, weights: Path, images: torch.Tensor) -> torch.Tensor:
    """What torchvision's own network holds before its last layer, averaged over the image."""
    options = {"transform_input": True, "init_weights": False} if name == "inception_v3" else {}
    net: Any = torchvision.models.get_model(name, weights=None, **options)
    net.load_state_dict(torch.load(weights, weights_only=True))
    net.eval()
    with torch.inference_mode():
        if name.startswith(("vgg", "squeezenet", "alexnet", "mobilenet")):
            return net.features(images).mean((2, 3))
        if name == "convnext_tiny":
            net.classifier[2] = nn.Identity()
            return net(images)
        setattr(net, next(n for n in ("fc", "classifier", "heads") if hasattr(net, n)), nn.Identity())
        return net(images)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_cut_network_is_torchvisions(name: str, random_weights: Callable[[str], Path]) -> None:
    """Pictures through our normalisation and stages give the features of torchvision's transforms and network."""
    side = 224 if name == "vit_b_16" else max(64, smallest_side(name))
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
    epochs = 3 if mode == "gradual" else 1  # the head, then blocks, then all
    for copies in {1 if mode == "dense" else 0, cached}:
        method = NetworkClassifier(
            name, mode, epochs=epochs, batch_size=4, augmented_copies=copies, weights=weights, device="cpu"
        )
        method.fit(images, labels)
        before = build(name, mode=mode, seed=derive_seed(0, "initial values"), size=images.shape[1], weights=weights)
        for (stage, old), new in zip(before.named_children(), method.network_.children(), strict=True):
            assert _moved(old.named_parameters(), new) == _expected(old.parameters(), stage in TRAINED[mode])
            statistics = [(n, b) for n, b in old.named_buffers() if "running_mean" in n]
            assert _moved(statistics, new) == _expected(statistics, stage in TRAINED[mode])


@pytest.mark.parametrize("name", GRADUAL)
def test_gradual_frees_block_by_block(
    name: str, random_weights: Callable[[str], Path], toy: Callable[..., tuple[np.ndarray, np.ndarray]]
) -> None:
    """In the stage of depth d the last d blocks and the head move, weights and BatchNorm; all else keeps every bit."""
    images, labels = toy(n=4, side=max(32, smallest_side(name)), channels=3)
    network = build(name, mode="gradual", seed=0, size=images.shape[1], weights=random_weights(name))
    data = Data(torch.from_numpy(images).permute(0, 3, 1, 2), torch.from_numpy(labels), IMAGENET)
    settings = NetworkClassifier(name, "gradual", epochs=9, batch_size=4, learning_rate=1e-3)._settings()
    stages = plan_stages("gradual", network.n_blocks, 1 + network.n_blocks, 1e-3, STEPS)
    assert [stage.depth for stage in stages] == list(range(network.n_blocks + 1))
    for stage in stages if name in ("squeezenet1_0", "mobilenet_v2") else (stages[0], stages[2], stages[-1]):
        before = {key: value.clone() for key, value in network.state_dict().items()}
        one = [Stage(stage.depth, 1, stage.learning_rate)]
        train(network, FrozenFeatures(network, data, settings, 0, one), settings, one)
        prefixes = [*(f"trunk.{i}." for i in range(network.n_blocks - 1)), "block."]
        learning = (*prefixes[network.n_blocks - stage.depth :], "head.", *(["auxiliary."] if stage.depth >= 2 else []))
        state = network.state_dict()
        for prefix in (*prefixes, "head.", "auxiliary."):
            for kind in ("running_mean", "weight"):
                keys = [key for key in state if key.startswith(prefix) and key.endswith(kind)]
                if keys:
                    still = all(torch.equal(before[key], state[key]) for key in keys)
                    assert still == (prefix not in learning), (stage, prefix, kind)


def _moved(old: Any, new: nn.Module) -> str:
    state = new.state_dict()
    same = [torch.equal(value, state[name]) for name, value in old]
    return "absent" if not same else "still" if all(same) else "moved"


def _expected(values: Any, trained: bool) -> str:
    return "absent" if not list(values) else "moved" if trained else "still"


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name)
def test_records_hold(record: Network) -> None:
    """Blocks are as many as named, hold every weighted layer but the classifier, and give ``width`` numbers.

    On shapes alone, at the sizes of full and of quick runs and at the smallest; one pixel less is too small.
    """
    for side in {record.size, record.quick, record.smallest}:
        with torch.device("meta"):
            whole = load_object(record.build)(record.name, side if record.name == "vit_b_16" else 0)
            network = BlockNetwork(load_object(record.cut)(whole, record, side), nn.Linear(record.width, 7)).eval()
            assert network(torch.empty(2, 3, side, side)).shape == (2, 7)
    assert network.n_blocks == len(record.blocks)
    kinds = (nn.Conv2d, nn.BatchNorm2d, nn.LayerNorm)
    layers = [sum(isinstance(m, kinds) for m in block.modules()) for block in (*network.trunk, network.block)]
    assert 0 < layers[-1] < sum(layers[:-1])
    monitoring = 4 if record.name == "inception_v3" else 1 if record.name.startswith("squeezenet") else 0
    assert sum(layers) == sum(isinstance(m, kinds) for m in whole.modules()) - monitoring


def test_the_cut_of_transformers_and_convnext_is_torchvisions() -> None:
    """Small relatives of the two, of the same classes, give after the cut what torchvision's forward pass gives."""
    torch.manual_seed(0)
    x = torch.rand(2, 3, 64, 64)
    small = torchvision.models.VisionTransformer(64, 16, 12, 2, 8, 16)
    settings = [CNBlockConfig(4, 8, 1), CNBlockConfig(8, 12, 1), CNBlockConfig(12, 16, 2), CNBlockConfig(16, None, 1)]
    convnext = torchvision.models.ConvNeXt(settings)
    nn.init.normal_(small.encoder.pos_embedding)
    for net, name, last in ((small, "vit_b_16", "heads"), (convnext, "convnext_tiny", "classifier")):
        record = find(name)
        network = BlockNetwork(load_object(record.cut)(net, record, 64), nn.Identity()).eval()
        found = _features(network, x)
        if last == "heads":
            net.heads = nn.Identity()
        else:
            net.classifier[2] = nn.Identity()
        with torch.inference_mode():
            torch.testing.assert_close(found, net.eval()(x))


def test_places_of_a_transformer_are_interpolated_as_torchvision_does() -> None:
    """For fewer patches than were trained on, places are those of torchvision's own function."""
    net = torchvision.models.VisionTransformer(96, 16, 1, 2, 8, 16)
    nn.init.normal_(net.encoder.pos_embedding)
    state = OrderedDict({"encoder.pos_embedding": net.encoder.pos_embedding.detach()})
    expected = interpolate_embeddings(64, 16, state)["encoder.pos_embedding"]
    torch.testing.assert_close(Patches(net, 64).places.detach(), expected)
    assert torch.equal(Patches(net, 96).places, net.encoder.pos_embedding)


def test_stochastic_depth_repeats_and_leaves_the_global_generator(
    toy: Callable[..., tuple[np.ndarray, np.ndarray]],
) -> None:
    """Layers that drop paths at random give the same bits for the same seed, whatever torch's generator holds."""
    images, labels = toy(n=8, side=32, channels=3)
    found = []
    for state in (1, 2):
        torch.manual_seed(state)
        before = torch.get_rng_state()
        method = NetworkClassifier("efficientnet_b0", "scratch", epochs=1, batch_size=8, device="cpu")
        found.append(method.fit(images, labels).predict_proba(images))
        assert torch.equal(before, torch.get_rng_state())
    assert np.array_equal(*found)


@pytest.mark.parametrize("head", ["linear", "hidden", "factored"])
def test_heads(head: str) -> None:
    """One layer; or 512 units with ReLU between two; or the two alone, which together are linear."""
    network = build("squeezenet1_0", seed=0, head=head)
    kinds = [type(m).__name__ for m in network.head.modules() if not isinstance(m, nn.Sequential)]
    assert kinds == {"linear": ["Linear"], "hidden": ["Linear", "ReLU", "Linear"]}.get(head, ["Linear", "Linear"])
    x, y = torch.rand(2, 3, 512)
    summed = network.head(x + y) + network.head(torch.zeros(3, 512))
    assert torch.allclose(summed, network.head(x) + network.head(y), atol=1e-5) == (head != "hidden")


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
@pytest.mark.parametrize("name", [record.name for record in RECORDS])
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
