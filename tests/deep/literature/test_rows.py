"""Networks of other authors that the article names: each is what its name says."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import pywt
import torch
from torch import nn

from fer_bench.deep.classifier import NetworkClassifier
from fer_bench.deep.literature.dwt_cnn import EqualisedClassifier, Haar, equalise
from fer_bench.deep.literature.expnet import regress
from fer_bench.deep.networks.architectures import torchvision_network
from fer_bench.deep.networks.build import BlockNetwork, build
from fer_bench.deep.training.augment import IDENTITY, MILD, Normalisation
from fer_bench.deep.training.batches import Data
from fer_bench.deep.training.inputs import as_pictures
from fer_bench.deep.training.settings import Settings
from fer_bench.errors import InputError, UserError

Toy = Callable[..., tuple[np.ndarray, np.ndarray]]


def layers(network: nn.Module, kind: type) -> list:
    return [module for module in network.modules() if isinstance(module, kind)]


@pytest.mark.parametrize(("name", "widths"), [("cnn18", (64, 128, 256, 512)), ("cnn18_narrow", (8, 16, 32, 64))])
def test_cnn18_is_eighteen_convolutions_and_four_poolings(name: str, widths: tuple[int, ...]) -> None:
    """Convolutions of 3 x 3 in stages of 4, 4, 5 and 5, a pooling behind each, and dropout in the dense part."""
    network = build(name, seed=0, size=64)
    convolutions, poolings = layers(network, nn.Conv2d), layers(network, nn.MaxPool2d)
    assert len(convolutions) == 18
    assert len(poolings) == 4
    assert {c.kernel_size for c in convolutions} == {(3, 3)}
    stages = zip((4, 4, 5, 5), widths, strict=True)
    assert [c.out_channels for c in convolutions] == [width for depth, width in stages for _ in range(depth)]
    order = [type(m) for m in network.modules() if isinstance(m, (nn.Conv2d, nn.MaxPool2d))]
    assert [i for i, kind in enumerate(order) if kind is nn.MaxPool2d] == [4, 9, 15, 21]
    assert [d.p for d in layers(network, nn.Dropout)] == [0.5]


def test_zfnet_has_the_maps_of_its_figure() -> None:
    """From 224 pixels: 96 maps of 55, 256 of 13, 384 and 384 of 13, 256 of 6, and two dense layers of 4,096."""
    network = build("zfnet", seed=0, size=224).eval()
    x, shapes = torch.zeros(1, 3, 224, 224), []
    with torch.inference_mode():
        assert network.trunk[0][0](x).shape == (1, 96, 110, 110)
        assert network.trunk[1][0](torch.zeros(1, 96, 55, 55)).shape == (1, 256, 26, 26)
        for block in [*network.trunk, network.block]:
            x = block(x)
            shapes.append(tuple(x.shape[1:]))
    assert shapes == [(96, 55, 55), (256, 13, 13), (384, 13, 13), (384, 13, 13), (256, 6, 6), (4096,)]
    assert [c.kernel_size[0] for c in layers(network, nn.Conv2d)] == [7, 5, 3, 3, 3]
    assert [(d.in_features, d.out_features) for d in layers(network, nn.Linear)] == [
        (9216, 4096),
        (4096, 4096),
        (4096, 7),
    ]
    assert [d.p for d in layers(network, nn.Dropout)] == [0.5, 0.5]


@pytest.mark.parametrize("side", [16, 15])
def test_haar_sub_bands_are_those_of_pywavelets_and_give_the_image_back(side: int) -> None:
    """The four bands are PyWavelets' and its inverse of them is the image: nothing is lost."""
    images = np.random.default_rng(0).random((3, side, side))
    bands = Haar()(torch.from_numpy(images)[:, None]).numpy()
    low, (horizontal, vertical, diagonal) = pywt.dwt2(images, "haar", mode="symmetric", axes=(-2, -1))
    np.testing.assert_allclose(bands, np.stack([low, vertical, horizontal, diagonal], axis=1), atol=1e-12)
    again = pywt.idwt2((bands[:, 0], (bands[:, 2], bands[:, 1], bands[:, 3])), "haar", axes=(-2, -1))
    np.testing.assert_allclose(again[:, :side, :side], images, atol=1e-12)
    network = build("dwt_cnn", seed=0, size=64)
    assert isinstance(network.trunk[0][0], Haar)
    assert layers(network, nn.Conv2d)[0].in_channels == 4


def test_dwt_cnn_sees_equalised_images_in_training_watching_and_prediction(toy: Toy) -> None:
    """It gives what the bare network gives for images that were equalised before; dim images come out with contrast."""
    images, labels = toy(n=21, side=32)
    images = (images // 8 + 100).astype(np.uint8)
    assert equalise(images).std() > 2 * images.std()
    params = {"network": "dwt_cnn", "epochs": 1, "batch_size": 8, "device": "cpu"}
    method = EqualisedClassifier(**params).fit(images, labels, eval_images=images[:5])
    bare = NetworkClassifier(**params).fit(equalise(images), labels, eval_images=equalise(images[:5]))
    np.testing.assert_array_equal(method.predict_proba(images), bare.predict_proba(equalise(images)))
    np.testing.assert_array_equal(method.eval_proba_, bare.eval_proba_)


def settings(**changes: object) -> Settings:
    values = {"epochs": 1, "batch_size": 7, "learning_rate": 1e-3, "betas": (0.9, 0.999), "weight_decay": 0.0}
    more = {"schedule": "constant", "label_smoothing": 0.0, "ranges": MILD, "seed": 0}
    return Settings(**{**values, **more, **changes})  # type: ignore[arg-type]


def test_the_teacher_stays_frozen_to_the_bit_and_is_imitated(toy: Toy, random_weights: Callable[[str], Path]) -> None:
    """Stage 1 changes no value of a teacher with BatchNorm, nor anything behind the maps, and lowers the error."""
    teacher = build("resnet18", mode="dense", seed=0, weights=random_weights("resnet18"))
    student = build("expnet", seed=0, size=32)
    before = {name: value.clone() for name, value in teacher.state_dict().items()}
    behind = {name: value.clone() for name, value in student.state_dict().items() if not name.startswith("trunk")}
    images, _ = toy(n=14, side=32, channels=3)
    scale = Normalisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    data = Data(as_pictures(images), torch.zeros(0, dtype=torch.int64), scale)
    errors = regress(student, teacher, data, settings(ranges=IDENTITY, learning_rate=5e-3), epochs=6)
    assert errors[-1] < 0.9 * errors[0]
    for name, value in teacher.state_dict().items():
        assert torch.equal(value, before[name]), name
    for name, value in behind.items():
        assert torch.equal(student.state_dict()[name], value), name
    assert all(value.grad is None for value in teacher.parameters())


def test_the_student_is_the_published_expression_net() -> None:
    """Five 3 x 3 convolutions of 64 to 512 maps with poolings, a 1 x 1 to 512, dense 256 with dropout; 7 x 7 at 224."""
    network = build("expnet", seed=0, size=224)
    convolutions = layers(network, nn.Conv2d)
    assert [c.out_channels for c in convolutions] == [64, 128, 256, 512, 512, 512]
    assert [c.kernel_size[0] for c in convolutions] == [3, 3, 3, 3, 3, 1]
    assert len(layers(network, nn.MaxPool2d)) == 5
    assert [(d.in_features, d.out_features) for d in layers(network, nn.Linear)] == [(512 * 49, 256), (256, 7)]
    assert [d.p for d in layers(network, nn.Dropout)] == [0.5]


def imitating(teacher: str, weights: Path | None, epochs: int = 1) -> NetworkClassifier:
    stage = {"function": "fer_bench.deep.literature.expnet:imitate", "teacher": teacher, "epochs": 2}
    return NetworkClassifier("expnet", epochs=epochs, batch_size=7, device="cpu", weights=weights, pretraining=stage)


def test_stage_two_trains_convolutions_and_dense_layer_together(
    toy: Toy, random_weights: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Labels never reach stage 1; from its values on, every layer moves."""
    import fer_bench.deep.literature.expnet as expnet

    seen: list[tuple[Data, dict[str, torch.Tensor]]] = []

    def spy(network: BlockNetwork, teacher: BlockNetwork, data: Data, *rest: object) -> list[float]:
        errors = regress(network, teacher, data, *rest)  # type: ignore[arg-type]
        seen.append((data, {name: value.clone() for name, value in network.state_dict().items()}))
        return errors

    monkeypatch.setattr(expnet, "regress", spy)
    images, labels = toy(n=14, side=32, channels=3)
    method = imitating("squeezenet1_0", random_weights("squeezenet1_0")).fit(images, labels)
    ((data, after_stage_one),) = seen
    assert len(data.labels) == 0
    assert len(method.pretraining_) == 2
    for name, value in method.network_.state_dict().items():
        assert not torch.equal(value, after_stage_one[name]), name


def test_a_teacher_without_weights_or_of_another_width_is_refused(
    toy: Toy, random_weights: Callable[[str], Path]
) -> None:
    """No random teacher stands in, and maps that the student can't have are told."""
    images, labels = toy(n=14, side=32, channels=3)
    with pytest.raises(UserError, match=r"squeezenet1_0 .* starts from pretrained weights and got none"):
        imitating("squeezenet1_0", None).fit(images, labels)
    with pytest.raises(UserError, match=r"teacher: expected .* ends in 512 maps.* found .*576"):
        imitating("mobilenet_v3_small", random_weights("mobilenet_v3_small")).fit(images, labels)


def test_pretraining_is_for_networks_from_scratch(toy: Toy) -> None:
    """A mapping without a function, and a pretrained mode, are refused in one sentence."""
    images, labels = toy(n=14, side=32, channels=3)
    for mode, pretraining in (("scratch", {"epochs": 1}), ("entire", {"function": "a:b"})):
        with pytest.raises(InputError, match="pretraining: expected None, or a mapping with a function"):
            NetworkClassifier("squeezenet1_0", mode, pretraining=pretraining, device="cpu").fit(images, labels)


def test_a_killed_training_goes_on_without_pretraining_again(
    toy: Toy, tmp_path: Path, random_weights: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gone on from a checkpoint, the result is that of an undisturbed training to the bit, and stage 1 runs no more."""
    import fer_bench.deep.literature.expnet as expnet

    images, labels = toy(n=14, side=32, channels=3)
    weights = random_weights("squeezenet1_0")
    whole = imitating("squeezenet1_0", weights, epochs=2).fit(images, labels).predict_proba(images)
    first = imitating("squeezenet1_0", weights, epochs=2)
    first.fit(images, labels, checkpoint=tmp_path, checkpoint_seconds=0)
    monkeypatch.setattr(expnet, "regress", lambda *_: pytest.fail("stage 1 ran again"))
    again = imitating("squeezenet1_0", weights, epochs=2).fit(images, labels, checkpoint=tmp_path)
    np.testing.assert_array_equal(again.predict_proba(images), whole)


def alexnet_svc(**params: object) -> object:
    from fer_bench.deep.literature.alexnet_svc import AlexNetSVC

    return AlexNetSVC(device="cpu", **params)  # type: ignore[arg-type]


@pytest.mark.parametrize(("layer", "until"), [("fc6", 3), ("fc7", 6)])
def test_features_are_the_activations_of_the_file_that_was_given(
    random_weights: Callable[[str], Path], layer: str, until: int
) -> None:
    """They equal torchvision's own AlexNet with these weights, run up to that layer in evaluation mode."""
    weights = random_weights("alexnet")
    images = np.random.default_rng(0).integers(0, 256, (3, 96, 96, 3), dtype=np.uint8)
    net = torchvision_network("alexnet").eval()
    net.load_state_dict(torch.load(weights, weights_only=True))
    x = torch.from_numpy(images).permute(0, 3, 1, 2) / 255
    x = (x - torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)) / torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
    with torch.inference_mode():
        expected = net.classifier[:until](net.avgpool(net.features(x)).flatten(1)).numpy()
    found = alexnet_svc(layer=layer, weights=weights).prepare(images)  # type: ignore[attr-defined]
    assert found.shape == (3, 4096)
    assert (found >= 0).all()
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_the_machine_on_alexnet_refuses_to_work_without_weights(toy: Toy) -> None:
    """Nothing random stands in for the published weights; another layer than fc6 and fc7 is told."""
    images, labels = toy(n=14, side=64, channels=3)
    with pytest.raises(UserError, match="takes its features from pretrained weights and got none"):
        alexnet_svc().fit(images, labels)  # type: ignore[attr-defined]
    with pytest.raises(InputError, match="layer: expected one of fc6, fc7, found 'fc8'"):
        alexnet_svc(layer="fc8", weights="some.pth").prepare(images)  # type: ignore[attr-defined]


def test_the_machine_learns_and_its_temperature_keeps_the_order(toy: Toy) -> None:
    """On features that tell the class it is right about new ones as the bare machine is, and sure of it."""
    rng = np.random.default_rng(0)
    labels = np.arange(84) % 7
    features = rng.normal(0, 1, (84, 4096)).astype(np.float32)
    features[np.arange(84)[:, None], labels[:, None] * 40 + np.arange(40)] += 3
    method = alexnet_svc(random_state=0).fit_prepared(features[:56], labels[:56], groups=np.arange(56) // 7)  # type: ignore[attr-defined]
    proba = method.predict_proba_prepared(features[56:])
    assert (proba.argmax(1) == labels[56:]).mean() > 0.9
    np.testing.assert_array_equal(proba.argmax(1), method.estimator_.predict(features[56:]))
    assert method.temperature_ != 1.0
    assert proba.max(1).mean() > 0.5
