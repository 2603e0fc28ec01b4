"""Weights files: read strictly, without running code, with one clear sentence where something is wrong."""

import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from fer_bench.deep.networks import empty_network
from fer_bench.deep.weights import load_state, url
from fer_bench.deep.zoo import IMAGENET
from fer_bench.errors import UserError


def _load(path: Path, name: str = "squeezenet1_0") -> dict[str, torch.Tensor]:
    return load_state(path, name, empty_network(name).state_dict())


def test_a_good_file_is_read_whole(random_weights: Callable[[str], Path]) -> None:
    """Every tensor of the file arrives under its name."""
    path = random_weights("squeezenet1_0")
    expected = torch.load(path, weights_only=True)
    found = _load(path)
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in found)


def test_half_precision_is_read_as_float32(random_weights: Callable[[str], Path], tmp_path: Path) -> None:
    """A file in half precision gives float32 tensors."""
    state = torch.load(random_weights("squeezenet1_0"), weights_only=True)
    torch.save({name: value.half() for name, value in state.items()}, tmp_path / "half.pth")
    assert {value.dtype for value in _load(tmp_path / "half.pth").values()} == {torch.float32}


def test_old_names_of_densenet_are_read(random_weights: Callable[[str], Path], tmp_path: Path) -> None:
    """The published DenseNet file says "norm.1" for "norm1" and has no batch counters."""
    state = torch.load(random_weights("densenet161"), weights_only=True)
    old = {}
    for name, value in state.items():
        for layer in ("norm", "conv"):
            for digit in "12":
                if "denselayer" in name:
                    name = name.replace(f".{layer}{digit}.", f".{layer}.{digit}.")
        if "num_batches" not in name:
            old[name] = value
    assert "features.denseblock1.denselayer1.norm.1.weight" in old
    torch.save(old, tmp_path / "old.pth")
    found = _load(tmp_path / "old.pth", "densenet161")
    assert all(torch.equal(found[name], state[name]) for name in state)


@pytest.mark.parametrize("kept", [0, 100, 0.5, 0.99])
def test_a_truncated_file_is_refused(random_weights: Callable[[str], Path], tmp_path: Path, kept: float) -> None:
    """However much is missing, one sentence names the file and what to do."""
    whole = random_weights("squeezenet1_0").read_bytes()
    part = tmp_path / "part.pth"
    part.write_bytes(whole[: int(kept * len(whole)) if kept < 1 else int(kept)])
    with pytest.raises(UserError, match=r"weights of squeezenet1_0: .*part\.pth .*fer-bench weights fetch"):
        _load(part)


def test_a_missing_file_and_a_text_file_are_refused(tmp_path: Path) -> None:
    """No file, and a file that is none of torch's, are told apart."""
    with pytest.raises(UserError, match="there is no file"):
        _load(tmp_path / "none.pth")
    (tmp_path / "page.pth").write_text("<html>not found</html>")
    with pytest.raises(UserError, match=r"was not loaded|cannot be read"):
        _load(tmp_path / "page.pth")


def test_code_in_a_file_does_not_run(tmp_path: Path) -> None:
    """A pickle that would create a folder is refused and creates none."""
    target = tmp_path / "created by the file"

    class Malicious:
        def __reduce__(self) -> tuple[Callable[..., None], tuple[str]]:
            return os.mkdir, (str(target),)

    (tmp_path / "plain.pth").write_bytes(pickle.dumps({"features.0.weight": Malicious()}, protocol=2))
    torch.save({"features.0.weight": Malicious()}, tmp_path / "zip.pth")
    for name in ("plain.pth", "zip.pth"):
        with pytest.raises(UserError, match="was not loaded"):
            _load(tmp_path / name)
    assert not target.exists()


def test_the_weights_of_another_network_are_refused(random_weights: Callable[[str], Path], tmp_path: Path) -> None:
    """The error counts what is missing, unknown or of another shape, and names an example."""
    with pytest.raises(UserError, match=r"does not fit.* missing \(such as features\.0\.weight\).* unknown"):
        _load(random_weights("resnet18"))
    state = torch.load(random_weights("squeezenet1_0"), weights_only=True)
    torch.save({**state, "classifier.1.bias": torch.zeros(7)}, tmp_path / "seven.pth")
    with pytest.raises(UserError, match=r"1 of another shape \(such as classifier\.1\.bias\)"):
        _load(tmp_path / "seven.pth")


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    """A tensor, or a checkpoint with other things beside the tensors, is no state dictionary."""
    for content in (torch.zeros(3), {"epoch": 3, "state_dict": {}}):
        torch.save(content, tmp_path / "other.pth")
        with pytest.raises(UserError, match="not names and tensors"):
            _load(tmp_path / "other.pth")


@pytest.mark.parametrize("name", [network.name for network in IMAGENET])
def test_addresses_come_from_torchvision(name: str) -> None:
    """Each network's address is that of torchvision's IMAGENET1K_V1 weights."""
    assert url(name).startswith("https://")
    assert url(name).rsplit("/", 1)[1].startswith(name.split("_", 1)[0])


@pytest.mark.parametrize("name", ["mobilenet_v2", "squeezenet1_0"])
def test_real_imagenet_weights_load(name: str) -> None:
    """The small real weights files fit strictly."""
    folder = Path(os.environ.get("FER_BENCH_WEIGHTS", Path(__file__).parents[2].parent / "shared" / "weights"))
    path = folder / f"{name}-imagenet.pth"
    if not path.exists():
        pytest.skip(f"no {path.name} in FER_BENCH_WEIGHTS")
    assert len(_load(path, name)) == len(empty_network(name).state_dict())
