"""Weights files: read strictly, without running code, with one clear sentence where something is wrong."""

import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from fer_bench.deep.networks.build import empty_network
from fer_bench.deep.networks.weights import load_state, url
from fer_bench.deep.networks.zoo import IMAGENET
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


def _checkpoint(state: dict[str, torch.Tensor]) -> dict[str, object]:
    return {"epoch": 3, "state_dict": {f"module.{k}": v for k, v in state.items()}, "best_acc": 0.8, "optimizer": {}}


@pytest.mark.parametrize(
    "saved",
    [
        _checkpoint,
        lambda state: {"model_state_dict": state},
        lambda state: {f"module.{k}": v for k, v in state.items()},
        lambda state: {"state_dict": {f"model.backbone.{k}": v for k, v in state.items()}, "hyper_parameters": {}},
    ],
    ids=["checkpoint", "one level down", "DataParallel", "Lightning"],
)
def test_what_training_scripts_save_is_read(
    random_weights: Callable[[str], Path], tmp_path: Path, saved: Callable[..., object]
) -> None:
    """A state dictionary inside a checkpoint, or below a module, arrives under the network's own names."""
    state = torch.load(random_weights("squeezenet1_0"), weights_only=True)
    torch.save(saved(state), tmp_path / "squeezenet1_0.pth.tar")
    found = _load(tmp_path / "squeezenet1_0.pth.tar")
    assert all(torch.equal(found[name], state[name]) for name in state)


def test_two_sets_of_tensors_are_not_guessed_between(random_weights: Callable[[str], Path], tmp_path: Path) -> None:
    """A checkpoint with averaged weights beside the plain ones says which it holds, and is refused."""
    state = torch.load(random_weights("squeezenet1_0"), weights_only=True)
    torch.save({"model": state, "model_ema": state}, tmp_path / "both.pth")
    with pytest.raises(UserError, match=r"both\.pth holds 2 sets of tensors \('model', 'model_ema'\)"):
        _load(tmp_path / "both.pth")


def test_a_backbone_may_lack_its_head_and_nothing_else(random_weights: Callable[[str], Path], tmp_path: Path) -> None:
    """The head that is cut off anyway need not be there; a head of other classes, or another layer, is refused."""
    state = torch.load(random_weights("resnet18"), weights_only=True)
    like, file = empty_network("resnet18").state_dict(), tmp_path / "resnet18.pth"
    torch.save({k: v for k, v in state.items() if not k.startswith("fc.")}, file)
    found = load_state(file, "resnet18", like, headless=True)
    assert torch.equal(found["conv1.weight"], state["conv1.weight"])
    with pytest.raises(UserError, match=r"2 missing \(such as fc\.weight\)"):
        load_state(file, "resnet18", like)
    torch.save(state | {"fc.weight": torch.zeros(7, 512), "fc.bias": torch.zeros(7)}, file)
    with pytest.raises(UserError, match=r"fc\.weight, expected 1000 x 512, found 7 x 512.*without its head"):
        load_state(file, "resnet18", like, headless=True)
    torch.save({k: v for k, v in state.items() if not k.startswith("layer4.1.conv2")}, file)
    with pytest.raises(UserError, match=r"1 missing \(such as layer4\.1\.conv2\.weight\)"):
        load_state(file, "resnet18", like, headless=True)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "is empty"),
        (b"\n<!DOCTYPE html><html>Virus scan warning</html>", "is a web page"),
        (b"\x89HDF\r\n\x1a\n" + bytes(100), "is an HDF5 file"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "is a pointer of Git LFS"),
    ],
)
def test_what_is_no_weights_file_is_told_with_a_remedy_that_heals(tmp_path: Path, content: bytes, kind: str) -> None:
    """The file would be found before one that is fetched: it has to go first."""
    (tmp_path / "squeezenet1_0.pth").write_bytes(content)
    with pytest.raises(UserError, match=rf"squeezenet1_0\.pth {kind}.*; move it away, then `fer-bench weights fetch"):
        _load(tmp_path / "squeezenet1_0.pth")


@pytest.mark.parametrize("kept", [0, 100, 0.5, 0.99])
def test_a_truncated_file_is_refused(random_weights: Callable[[str], Path], tmp_path: Path, kept: float) -> None:
    """However much is missing, one sentence names the file and what to do."""
    whole = random_weights("squeezenet1_0").read_bytes()
    part = tmp_path / "part.pth"
    part.write_bytes(whole[: int(kept * len(whole)) if kept < 1 else int(kept)])
    with pytest.raises(UserError, match=r"weights of squeezenet1_0: .*part\.pth .*fer-bench weights fetch"):
        _load(part)


def _safetensors(state: dict[str, torch.Tensor], path: Path, **entry: object) -> None:
    """Write the format by its description; ``entry`` replaces parts of the first tensor's entry."""
    names = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64", torch.uint8: "U8"}
    table: dict[str, object] = {"__metadata__": {"format": "pt"}}
    body = b""
    for name, value in state.items():
        raw = value.contiguous().view(torch.uint8).numpy().tobytes() if value.dim() else value.numpy().tobytes()
        offsets = [len(body), len(body) + len(raw)]
        table[name] = {"dtype": names[value.dtype], "shape": list(value.shape), "data_offsets": offsets}
        if len(body) == 0:
            table[name] = {**table[name], **entry}  # type: ignore[dict-item]
        body += raw
    head = json.dumps(table).encode()
    path.write_bytes(len(head).to_bytes(8, "little") + head + body)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_safetensors_are_read(random_weights: Callable[[str], Path], tmp_path: Path, dtype: torch.dtype) -> None:
    """A .safetensors file gives the tensors of the .pth file that it was made from, in any precision."""
    state = torch.load(random_weights("mobilenet_v3_small"), weights_only=True)
    stored = {name: value.to(dtype) if value.is_floating_point() else value for name, value in state.items()}
    _safetensors(stored, tmp_path / "weights.safetensors")
    found = _load(tmp_path / "weights.safetensors", "mobilenet_v3_small")
    assert {name: value.dtype for name, value in found.items()} == {name: v.dtype for name, v in state.items()}
    assert all(torch.equal(found[name], stored[name].to(value.dtype)) for name, value in found.items())


@pytest.mark.parametrize("kept", [0, 7, 9, 100, 0.5, 0.999])
def test_a_truncated_safetensors_file_is_refused(
    random_weights: Callable[[str], Path], tmp_path: Path, kept: float
) -> None:
    """However much is missing, one sentence names the file and what to do."""
    _safetensors(torch.load(random_weights("squeezenet1_0"), weights_only=True), tmp_path / "whole.safetensors")
    whole = (tmp_path / "whole.safetensors").read_bytes()
    part = tmp_path / "part.safetensors"
    part.write_bytes(whole[: int(kept * len(whole)) if isinstance(kept, float) else kept])
    with pytest.raises(
        UserError, match=r"weights of squeezenet1_0: .*part\.safetensors (cannot be read|is empty).*weights fetch"
    ):
        _load(part)


@pytest.mark.parametrize(
    "entry",
    [
        {"data_offsets": [0, 10**12]},
        {"data_offsets": [-4, 0]},
        {"data_offsets": [64, 0]},
        {"data_offsets": "all"},
        {"shape": [10**9, 10**9]},
        {"shape": [-1, -24]},
        {"dtype": "PICKLE"},
    ],
)
def test_a_safetensors_file_whose_table_lies_is_refused(tmp_path: Path, entry: dict[str, object]) -> None:
    """Places outside the file, shapes that do not fit them and types that there are none of give the same sentence."""
    _safetensors({"features.0.weight": torch.zeros(4, 6)}, tmp_path / "lie.safetensors", **entry)
    with pytest.raises(UserError, match=r"lie\.safetensors cannot be read, it is truncated or damaged"):
        _load(tmp_path / "lie.safetensors")


@pytest.mark.parametrize("dtype", ["C64", "F4", "F8_E8M0"])
def test_types_that_no_network_has_are_refused(tmp_path: Path, dtype: str) -> None:
    """Types that the format has and a network's values have not give a sentence, whether torch knows them or not."""
    size = {"C64": 8, "F4": 0.5, "F8_E8M0": 1}[dtype] * 24
    _safetensors(
        {"a": torch.zeros(int(size), dtype=torch.uint8)}, tmp_path / "odd.safetensors", dtype=dtype, shape=[4, 6]
    )
    with pytest.raises(UserError, match=r"odd\.safetensors (cannot be read|holds 1 entries that are no named tensors)"):
        load_state(tmp_path / "odd.safetensors", "squeezenet1_0", {"a": torch.zeros(4, 6)})


@pytest.mark.parametrize("tensor", [True, False])
def test_a_file_that_memory_has_no_room_for_is_refused(tmp_path: Path, tensor: bool) -> None:
    """Terabytes that a table promises, or a table of terabytes, in a file that is as long: the same sentence."""
    size = 2**42
    entry = {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}
    head = json.dumps({"features.0.weight": entry}).encode()
    file = tmp_path / "huge.safetensors"
    file.write_bytes((len(head) if tensor else size).to_bytes(8, "little") + head)
    try:
        os.truncate(file, 8 + len(head) + size)
    except OSError as error:
        pytest.skip(f"the disk takes no such file: {error}")
    with pytest.raises(UserError, match=r"huge\.safetensors cannot be read"):
        _load(file)


def test_a_table_that_is_none_is_refused(tmp_path: Path) -> None:
    """A list where the table should be, and bytes that are no text, give the same sentence."""
    for head in (b"[]", b'{"a": 3}', b"\xff\xfe", b"{" * 5000):
        (tmp_path / "odd.safetensors").write_bytes(len(head).to_bytes(8, "little") + head)
        with pytest.raises(UserError, match=r"odd\.safetensors cannot be read"):
            _load(tmp_path / "odd.safetensors")


@pytest.mark.parametrize("table", [b"null", b"3", b'"x"', b"true", b"[]"])
def test_a_table_that_is_no_table_is_refused(tmp_path: Path, table: bytes) -> None:
    """Whatever JSON stands where the table should: one sentence."""
    file = tmp_path / "squeezenet1_0.safetensors"
    file.write_bytes(len(table).to_bytes(8, "little") + table)
    with pytest.raises(UserError, match="truncated or damaged"):
        load_state(file, "squeezenet1_0", {})


@pytest.mark.parametrize("kind", ["number", "sparse", "complex", "meta", "quantised"])
def test_entries_that_are_no_plain_tensors_are_refused(tmp_path: Path, kind: str) -> None:
    """Names that are numbers, and tensors that are sparse, complex, without content or quantised, start no network."""
    one = torch.ones(2, 2)
    odd: dict[str, tuple[object, torch.Tensor]] = {
        "number": (1, one),
        "sparse": ("a", one.to_sparse()),
        "complex": ("a", one.to(torch.complex64)),
        "meta": ("a", one.to("meta")),
        "quantised": ("a", torch.quantize_per_tensor(one, 0.1, 0, torch.qint8)),
    }
    file = tmp_path / "squeezenet1_0.pth"
    torch.save(dict([odd[kind]]), file)
    with pytest.raises(UserError, match=r"holds 1 entries that are no named tensors|cannot be read|not loaded"):
        load_state(file, "squeezenet1_0", {"a": one})


def test_a_missing_file_and_a_text_file_are_refused(tmp_path: Path) -> None:
    """No file, and a file that is none of torch's, are told apart."""
    with pytest.raises(UserError, match="there is no file"):
        _load(tmp_path / "none.pth")
    (tmp_path / "page.pth").write_text("<html>not found</html>")
    with pytest.raises(UserError, match=r"page\.pth is a web page"):
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
    with pytest.raises(UserError, match=r"1 of another shape \(such as classifier\.1\.bias, expected 1000, found 7\)"):
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
    folder = Path(os.environ.get("FER_BENCH_WEIGHTS", Path(__file__).parents[3].parent / "shared" / "weights"))
    path = folder / f"{name}-imagenet.pth"
    if not path.exists():
        pytest.skip(f"no {path.name} in FER_BENCH_WEIGHTS")
    assert len(_load(path, name)) == len(empty_network(name).state_dict())
