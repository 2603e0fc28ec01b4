"""The catalogue: complete, light to import, true to torchvision's registry."""

import json
import re
import subprocess
import sys
from dataclasses import replace

import pytest
import torchvision

from fer_bench.deep.catalogue import METHODS as ALL
from fer_bench.deep.classifier import NetworkClassifier
from fer_bench.deep.networks.registry import MODES
from fer_bench.deep.networks.weights import url
from fer_bench.deep.networks.zoo import IMAGENET, RENDERED, find
from fer_bench.methods import MethodSpec, load_object

METHODS = tuple(spec for spec in ALL if spec.family != "literature")
# the graph network reads landmarks: tests/deep/literature/test_graph.py
LITERATURE = tuple(spec for spec in ALL if spec.family == "literature" and spec.image.source != "landmarks")
NETWORKS = tuple(network.name for network in IMAGENET)
PRESETS = ("default", "as-printed", "original", "authors-code")


def test_importing_the_catalogue_imports_no_torch() -> None:
    """`fer-bench list` stays light: no torch, torchvision, scikit-learn or pandas in a process that reads the table."""
    code = (
        "import sys, fer_bench.deep.catalogue as c; [s.estimate_seconds(10, 10) for s in c.METHODS]; "
        "print([m for m in ('torch', 'torchvision', 'sklearn', 'pandas', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_network_is_there_in_every_mode() -> None:
    """Sizes of cnn2 and cnn3, five modes of each architecture, four of the rendered backbone, under their names."""
    expected = {f"cnn2-{size}" for size in (48, 64, 128, 224, 360)} | {"cnn3-64", "cnn3-128"}
    expected |= {f"{network}-{mode}" for network in NETWORKS for mode in MODES}
    expected |= {f"{network.name}-{mode}" for network in RENDERED for mode in MODES if mode != "scratch"}
    assert {spec.name for spec in METHODS} == expected
    assert len(METHODS) == len(expected)


@pytest.mark.parametrize("network", NETWORKS)
def test_weights_are_those_of_torchvision(network: str) -> None:
    """File name and size are what torchvision publishes, the address is found by the function that is named."""
    entry = torchvision.models.get_model_weights(network)["IMAGENET1K_V1"]
    for spec in METHODS:
        if spec.network == network and spec.mode != "scratch":
            assert spec.weights is not None
            assert spec.weights.filename == entry.url.rsplit("/", 1)[1]
            assert spec.weights.megabytes == pytest.approx(entry.meta["_file_size"], abs=0.06)
            assert load_object(spec.weights.fetch)(spec.weights.name) == entry.url == url(network)
            assert "weights" in spec.wants
        elif spec.network == network:
            assert spec.weights is None
            assert "weights" not in spec.wants


@pytest.mark.parametrize("spec", METHODS, ids=lambda spec: spec.name)
def test_every_row_can_be_made_in_every_profile(spec: object) -> None:
    """Parameters are JSON-able, accepted by the classifier and valid together; images are large enough."""
    from fer_bench.deep.networks.build import smallest_side

    for profile in ("quick", "full"):
        for preset in PRESETS:
            resolved = spec.resolve(profile, preset)  # type: ignore[attr-defined]
            assert json.loads(json.dumps(dict(resolved.params))) == dict(resolved.params)
            method = resolved.make(random_state=0, device="cpu", weights="some.pth")
            method._settings()
            assert resolved.image.size >= smallest_side(resolved.network)
            assert resolved.image.channels == find(resolved.network).channels
            assert resolved.image.source == ("grey256" if preset == "as-printed" else "photo")
            assert resolved.estimate_seconds(245, 245) > 0


def test_full_is_the_protocol_as_described() -> None:
    """Adam at 5e-4 with betas (0.9, 0.999), 50 epochs of batches of 32, at the sizes of the published weights."""
    for spec in METHODS:
        full = spec.resolve("full", "default")
        assert {k: full.params[k] for k in ("epochs", "batch_size", "learning_rate", "betas")} == {
            "epochs": 50,
            "batch_size": 32,
            "learning_rate": 5e-4,
            "betas": [0.9, 0.999],
        }
        if spec.family == "deep":
            assert full.image.size == find(spec.network).size


def test_costs_order_what_is_plainly_ordered() -> None:
    """More images, more epochs, larger pictures and deeper networks cost more; dense costs less than entire."""
    by_name = {spec.name: spec.resolve("full", "default") for spec in METHODS}

    def cost(name: str, n: int = 400) -> float:
        return by_name[name].estimate_seconds(n, 40)

    assert cost("resnet18-entire") < cost("resnet18-entire", 800)
    assert cost("cnn2-48") < cost("cnn2-64") < cost("cnn2-128") < cost("cnn2-224") < cost("cnn2-360")
    assert cost("resnet18-scratch") < cost("resnet34-scratch") < cost("resnet50-scratch") < cost("resnet152-scratch")
    for network in NETWORKS:
        assert cost(f"{network}-dense") < cost(f"{network}-last_block") < cost(f"{network}-entire")
        assert cost(f"{network}-dense") < cost(f"{network}-gradual") < cost(f"{network}-entire")


def test_a_quick_run_of_every_network_stays_cheap() -> None:
    """No row takes a quick run more than 13 seconds on one core (25 images), nor all of them together 6 minutes."""
    seconds = {spec.name: 2 * spec.resolve("quick", "default").estimate_seconds(25, 25) for spec in METHODS}
    assert max(seconds.values()) < 13
    assert sum(seconds.values()) < 360


def test_every_named_system_is_there() -> None:
    """A row each, with its source; those that start from published weights say whose."""
    assert {spec.name: spec.weights.name if spec.weights else "" for spec in LITERATURE} == {
        "dbn": "",
        "linear_svc-alexnet": "alexnet",
        "cnn18": "",
        "zfnet": "",
        "dwt_cnn": "",
        "facenet2expnet-style": "vgg16",
        "facenet2expnet-style-squeezenet1_0": "squeezenet1_0",
    }
    assert all(re.search(r"\b20[012]\d\b", spec.reference) for spec in LITERATURE)


@pytest.mark.parametrize("spec", LITERATURE, ids=lambda spec: spec.name)
def test_every_named_system_can_be_made_in_every_profile(spec: MethodSpec) -> None:
    """Parameters are JSON-able and accepted, images are what its network takes; presets change nothing."""
    for profile in ("quick", "full"):
        resolved = spec.resolve(profile, "default")
        assert json.loads(json.dumps(dict(resolved.params))) == dict(resolved.params)
        method = resolved.make(random_state=0, device="cpu", weights="some.pth")
        if isinstance(method, NetworkClassifier):
            method._settings()
        network = find(resolved.params.get("network", resolved.network))
        assert resolved.image.size >= network.smallest
        assert resolved.image.channels == network.channels
        assert resolved.estimate_seconds(245, 245) > 0
        assert spec.resolve(profile, "as-printed") == resolved


def test_a_quick_run_of_the_named_systems_stays_cheap() -> None:
    """Two folds of 245 images of each that runs without large downloads: 35 seconds of a slow core for each of two."""
    small = [spec for spec in LITERATURE if spec.weights is None or spec.weights.megabytes < 20]
    assert 5 < sum(2 * spec.resolve("quick", "default").estimate_seconds(245, 245) for spec in small) < 70


def test_pretraining_counts_in_what_a_row_costs() -> None:
    """More epochs without labels, and a larger teacher, cost more."""
    by_name = {spec.name: spec.resolve("full", "default") for spec in LITERATURE}
    for name in ("dbn", "facenet2expnet-style"):
        spec = by_name[name]
        without = replace(spec, params={**spec.params, "pretraining": None})
        assert spec.estimate_seconds(400, 40) > 1.1 * without.estimate_seconds(400, 40)
    costs = [by_name[f"facenet2expnet-style{teacher}"].estimate_seconds(400, 40) for teacher in ("-squeezenet1_0", "")]
    assert costs[0] < costs[1]
