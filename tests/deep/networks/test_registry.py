"""A network of one's own: one record, and everything works with it."""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from fer_bench.deep.catalogue import rows
from fer_bench.deep.classifier import NetworkClassifier
from fer_bench.deep.networks.registry import MODES, Network
from fer_bench.deep.networks.zoo import find
from fer_bench.errors import InputError, UserError

_CODE = """
from fer_bench.deep.networks.registry import Network
from fer_bench.methods import WeightsSpec

MINE = Network(
    name="mine", build="my_nets:build", cut="my_nets:cut", blocks=("stem", "body", "top"), width=6, size=24,
    smallest=8, quick=16, weights=WeightsSpec("mine", "mine.pth", 0.1, "trained by me on my pictures, MIT", ""),
)
SCRATCH = Network(name="bare", build="my_nets:build", cut="my_nets:cut", blocks=("stem", "body", "top"), width=6)
GREY = Network(name="grey", build="my_nets:build", cut="my_nets:cut", blocks=("stem",), width=6, quick=40, channels=1)
WRONG = Network(name="wrong", build="my_nets:build", cut="my_nets:cut", blocks=("stem", "top"), width=6)

def build(name, size):
    from torch import nn
    pair = lambda a, b: nn.Sequential(nn.Conv2d(a, b, 3, padding=1), nn.BatchNorm2d(b), nn.ReLU())
    return nn.Sequential(pair(3, 4), pair(4, 5), pair(5, 6), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 10))

def cut(net, network, size):
    from fer_bench.deep.networks.architectures import Parts
    return Parts(tuple(net[:3]))
"""


@pytest.fixture
def my_nets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A module of somebody's, importable, and weights for its network."""
    (tmp_path / "my_nets.py").write_text(_CODE)
    monkeypatch.syspath_prepend(tmp_path)
    import my_nets  # type: ignore[import-not-found]

    torch.manual_seed(0)
    torch.save(my_nets.build("mine", 24).state_dict(), tmp_path / "mine.pth")
    yield tmp_path / "mine.pth"
    del sys.modules["my_nets"]


def test_one_record_gives_rows_that_train(my_nets: Path) -> None:
    """Every mode of a record is a method that trains, predicts and has a cost, out of the catalogue's own function."""
    specs = rows(find("my_nets:MINE"), path="my_nets:MINE", reference="mine")
    assert [spec.name for spec in specs] == [f"mine-{mode}" for mode in MODES]
    rng = np.random.default_rng(0)
    for spec in specs:
        resolved = spec.resolve("quick", "default")
        assert resolved.image.size == 16
        assert resolved.estimate_seconds(100, 10) > 0
        method = resolved.make(random_state=0, device="cpu", weights=my_nets)
        images = rng.integers(0, 256, (14, 16, 16, 3), dtype=np.uint8)
        assert method.fit(images, np.arange(14) % 7).predict_proba(images).shape == (14, 7)


def test_a_grey_network_has_a_quick_profile_of_its_own(my_nets: Path) -> None:
    """One channel does not make a network one of the shipped shallow ones, whose quick epochs hang on their sizes."""
    (spec,) = rows(find("my_nets:GREY"), path="my_nets:GREY")
    resolved = spec.resolve("quick", "default")
    assert (resolved.image.size, resolved.image.channels) == (40, 1)


def test_the_path_of_a_record_stands_for_a_name(my_nets: Path) -> None:
    """A classifier takes the path; without published weights the record knows the mode ``scratch`` alone."""
    images = np.random.default_rng(0).integers(0, 256, (8, 32, 32, 3), dtype=np.uint8)
    labels = np.arange(8) % 7
    NetworkClassifier("my_nets:SCRATCH", epochs=1, device="cpu").fit(images, labels)
    with pytest.raises(UserError, match="mode of bare: expected one of scratch, found 'entire'"):
        NetworkClassifier("my_nets:SCRATCH", "entire", epochs=1, device="cpu").fit(images, labels)
    with pytest.raises(InputError, match="its record names 2 blocks, my_nets:cut gives 3"):
        NetworkClassifier("my_nets:WRONG", epochs=1, device="cpu").fit(images, labels)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("no_such_module:X", "cannot be imported: No module named 'no_such_module'"),
        ("fer_bench.deep.networks.zoo:NONE", "cannot be imported"),
        ("fer_bench.deep.networks.zoo:CNN", "expected a fer_bench.deep.networks.registry.Network, found tuple"),
        ("resnet19", "expected one of cnn2, .*resnet18.* or module:object of a record, found 'resnet19'"),
    ],
)
def test_paths_that_lead_nowhere_are_told(path: str, message: str) -> None:
    """One sentence says what is wrong with the name of a network."""
    with pytest.raises(UserError, match=message):
        find(path)


def test_shipped_records_are_found_by_name() -> None:
    """A name gives its record."""
    assert isinstance(find("vit_b_16"), Network)
    assert find("cnn3").channels == 1
