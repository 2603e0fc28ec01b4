"""Pretraining on rendered faces: what is learnt, what is written, and that nothing else goes by its name."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from fer_bench.deep.classifier import NetworkClassifier
from fer_bench.deep.networks.build import build
from fer_bench.deep.networks.zoo import RENDERED, find
from fer_bench.deep.pretrain import _targets, features_alone, pretrain
from fer_bench.methods import load_methods
from fer_bench.methods.weights import find_weights
from fer_bench.runner.pretrain import RenderedPool, render_pool

NAME = RENDERED[0].name


def drawn_pool(people: int = 40, each: int = 12, side: int = 32) -> RenderedPool:
    """Squares whose brightness in the left and right half is what the two units say, and whose tint is the person's."""
    rng = np.random.default_rng(0)
    n = people * each
    units = rng.random((n, 2, 3), dtype=np.float32)
    who = np.repeat(np.arange(people), each)
    pictures = np.zeros((n, side, side, 3))
    pictures[:, :, : side // 2] += units[:, 0, 0, None, None, None]
    pictures[:, :, side // 2 :] += units[:, 1, 0, None, None, None]
    pictures[..., 2] *= 0.5 + 0.5 * rng.random(people)[who][:, None, None]
    units[:, :, 1:] = units[:, :, :1]
    pose = np.stack([40 * (units[:, 1, 0] - units[:, 0, 0]), rng.normal(0, 1, n)], axis=1).astype(np.float32)
    return RenderedPool((200 * pictures).astype(np.uint8), units, pose, who)


def trained(pool: RenderedPool, epochs: int, seed: int = 0, network: str = NAME) -> tuple[bytes, list[str]]:
    handle, lines = io.BytesIO(), []
    torch.set_num_threads(1)
    pretrain(network, pool, handle, epochs=epochs, seed=seed, device="cpu", told={"by": "a test"}, tell=lines.append)
    return handle.getvalue(), lines


def metadata(content: bytes) -> dict[str, str]:
    """What a file tells of itself."""
    told: dict[str, str] = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"]
    return told


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """A network of two convolutions, which learns in seconds."""
    (tmp_path / "tiny_nets.py").write_text(
        "from torch import nn\n"
        "from fer_bench.deep.networks.architectures import Parts\n"
        "from fer_bench.deep.networks.registry import Network\n"
        "def build(name, size):\n"
        "    pair = lambda a, b: nn.Sequential(nn.Conv2d(a, b, 3, 2, 1), nn.ReLU())\n"
        "    return nn.Sequential(pair(3, 16), pair(16, 16), nn.AdaptiveAvgPool2d(2), nn.Flatten())\n"
        "def cut(net, network, size):\n"
        "    return Parts((net[0], net[1]), pool=net[2:])\n"
        "TINY = Network('tiny', ('a', 'b'), 64, build='tiny_nets:build', cut='tiny_nets:cut', size=32)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    return "tiny_nets:TINY"


def test_what_is_on_people_outside_the_training_is_learnt(tiny):
    """Units that show in the pictures are read on held-out people; a mirror image does not confuse the halves."""
    content, lines = trained(drawn_pool(), 40, network=tiny)
    about = json.loads(metadata(content)["fer-bench"])
    assert float(about["action units, variance explained"].split()[0]) > 0.6
    assert len(lines) == 41


def test_the_same_seed_writes_the_same_bytes(tiny):
    """One thread, one seed, one file; another seed, another."""
    pool = drawn_pool(people=20, each=4)
    assert trained(pool, 1, network=tiny)[0] == trained(pool, 1, network=tiny)[0]
    assert trained(pool, 1, network=tiny)[0] != trained(pool, 1, seed=1, network=tiny)[0]


def test_targets_of_a_mirror_image_are_those_of_the_mirrored_face():
    """Halves change places and yaw its sign, for the rows that are mirrored and no others; twice is as before."""
    targets, _ = _targets(drawn_pool(people=20, each=2), torch.device("cpu"))
    rows = torch.arange(40)
    none, all_of_them = torch.zeros(40, dtype=torch.bool), torch.ones(40, dtype=torch.bool)
    assert torch.equal(targets.mirrored(rows, none), targets.values)
    turned = targets.mirrored(rows, all_of_them)
    assert torch.equal(turned[:, :3], targets.values[:, 3:6])
    assert torch.equal(turned[:, 6], -targets.values[:, 6])
    assert torch.equal(turned[:, 7], targets.values[:, 7])


def test_the_file_starts_every_pretrained_mode(tmp_path):
    """What is written in half precision loads into the network that it is for, value by value, within its rounding."""
    content, _ = trained(drawn_pool(people=20, each=2, side=64), 1)
    path = tmp_path / f"{NAME}.safetensors"
    path.write_bytes(content)
    state = load_file(path)
    assert set(state) == set(features_alone(NAME, 64).state_dict())
    for mode in ("dense", "last_block", "entire", "gradual"):
        network = build(NAME, mode=mode, seed=0, size=64, weights=path)
        assert torch.equal(network.trunk[0][0].weight, state["features.0.weight"].float())
    images = np.random.default_rng(0).integers(0, 256, (14, 64, 64, 3), dtype=np.uint8)
    method = NetworkClassifier(NAME, "dense", epochs=1, augmented_copies=1, augment=False, device="cpu", weights=path)
    assert method.fit(images, np.repeat(np.arange(7), 2)).predict_proba(images).shape == (14, 7)


def test_the_shipped_file_is_the_one_its_name_promises(tmp_path, monkeypatch):
    """It comes with the package, is small, and says how it was made; no folder of the user's is needed."""
    monkeypatch.setenv("FER_BENCH_CACHE", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.delenv("FER_BENCH_WEIGHTS", raising=False)
    spec = find(NAME).weights
    found = find_weights(spec, None)
    assert found is not None
    assert found.published
    assert found.path.stat().st_size < 3e6
    about = metadata(found.path.read_bytes())
    assert about["command"].startswith(f"fer-bench pretrain {NAME} --people ")
    assert about["licence"] == "MIT"


def test_rendered_weights_never_pass_for_imagenets(tmp_path):
    """A folder with the rendered backbone gives nothing to rows that start from ImageNet."""
    (tmp_path / f"{NAME}.safetensors").write_bytes(b"anything")
    assert find_weights(find("squeezenet1_1").weights, tmp_path) is None
    assert find_weights(find(NAME).weights, tmp_path) is not None


def test_rows_of_rendered_weights_are_a_family_of_their_own():
    """They are named for what they are, and no row from scratch goes by their name."""
    rows = [spec for spec in load_methods().values() if spec.network == NAME]
    assert [spec.mode for spec in rows] == ["dense", "last_block", "entire", "gradual"]
    assert {spec.family for spec in rows} == {"rendered"}
    assert all("rendered faces" in spec.summary for spec in rows)


def test_people_of_the_pool_are_not_those_of_the_embedded_set():
    """No set of the renderer that the pool draws from is the built-in one, and processes change no pixel."""
    from fer_bench.runner import pretrain

    seeds = {seed for _, _, seed, _ in pretrain._tasks(300, 32)}
    assert min(seeds) >= 1000
    assert len({task[:3] for task in pretrain._tasks(300, 32)}) == 300
    one, two = render_pool(2, 24), render_pool(2, 24, workers=2)
    assert np.array_equal(one.pictures, two.pictures)
    assert np.array_equal(one.units, two.units)
    assert one.pictures.shape == (70, 24, 24, 3)
    assert one.pictures.std() > 20


def test_mistakes_are_told_before_anything_is_rendered(tmp_path):
    """A network whose weights are published, another ending, too few people: one sentence each."""
    from fer_bench.errors import UserError
    from fer_bench.runner.pretrain import pretrain as make

    rows = load_methods()
    with pytest.raises(UserError, match="not made here"):
        make(rows["resnet18-entire"], tmp_path / "x.safetensors", people=100, epochs=1)
    with pytest.raises(UserError, match=r"ends in \.safetensors"):
        make(rows[f"{NAME}-entire"], Path("x.pth"), people=100, epochs=1)
    with pytest.raises(UserError, match="20 or more"):
        make(rows[f"{NAME}-entire"], tmp_path / "x.safetensors", people=3, epochs=1)
