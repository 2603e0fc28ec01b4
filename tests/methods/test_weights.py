"""Weights are found by name, checked by hash, and fetched whole or not at all."""

import functools
import hashlib
import http.server
import threading
from pathlib import Path

import pytest

from fer_bench.errors import UserError, WeightsUnavailableError
from fer_bench.methods import WeightsSpec
from fer_bench.methods.weights import fetch_weights, find_weights, misplaced_weights, nameless_weights
from fer_bench.utils.files import cache_dir

CONTENT = b"not really weights, but whole"
FILENAME = f"vgg19-{hashlib.sha256(CONTENT).hexdigest()[:8]}.pth"
PLUGINS = Path(__file__).parents[1] / "plugins"


@pytest.fixture
def spec(monkeypatch, tmp_path):
    monkeypatch.setenv("FER_BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.syspath_prepend(str(PLUGINS))
    return WeightsSpec("vgg19", FILENAME, 0.001, "nobody's", "probe_methods:url")


@pytest.fixture
def serve(tmp_path, monkeypatch):
    """Serve a folder on loopback, and let the probe's ``url`` point there."""
    folder = tmp_path / "served"
    folder.mkdir()
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    handler.log_message = lambda *_: None
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("PROBE_URL", f"http://127.0.0.1:{server.server_port}/{FILENAME}")
        yield folder / FILENAME
        server.shutdown()


@pytest.mark.parametrize(
    "name",
    ["vgg19.pth", "vgg19-mine.pth", "VGG19.imagenet.pt", "vgg19_faces.pth", "vgg19.pth.tar", "vgg19.ckpt", FILENAME],
)
def test_a_local_file_is_found_by_the_networks_name(spec, tmp_path, name):
    """Any file that is called after the network is taken, and identified by its hash."""
    (tmp_path / name).write_bytes(CONTENT)
    found = find_weights(spec, tmp_path)
    assert found.path.name == name
    assert found.sha256 == hashlib.sha256(CONTENT).hexdigest()


@pytest.mark.parametrize("name", ["vgg19_bn.pth", "vgg19_bn-c79401a0.pth", "my-vgg19.pth", "vgg19.onnx"])
def test_another_networks_file_is_not_taken(spec, tmp_path, name):
    """VGG-19's weights are never read from VGG-19-BN's file, nor from another kind of file."""
    (tmp_path / name).write_bytes(CONTENT)
    assert find_weights(spec, tmp_path) is None


def test_of_several_files_none_is_guessed(spec, tmp_path):
    """Two files that may both be meant are refused by name; one under the network's bare name is the one."""
    for name in ("vgg19_faces.pth", "vgg19_imagenet.pth"):
        (tmp_path / name).write_bytes(CONTENT)
    with pytest.raises(UserError, match=r"2 files in .* \(vgg19_faces\.pth, vgg19_imagenet\.pth\).*call it vgg19\.pth"):
        find_weights(spec, tmp_path)
    (tmp_path / "vgg19.ckpt").write_bytes(CONTENT)
    assert find_weights(spec, tmp_path).path.name == "vgg19.ckpt"
    (tmp_path / "vgg19.pt").write_bytes(CONTENT)
    with pytest.raises(UserError, match=r"2 files in .* \(vgg19\.ckpt, vgg19\.pt\)"):
        find_weights(spec, tmp_path)


@pytest.mark.parametrize("name", ["vgg19.h5", "vgg19.onnx", "inside/vgg19.pth", "inside/vgg19_faces.ckpt"])
def test_a_file_that_is_meant_and_not_read_is_told(spec, tmp_path, name):
    """Weights under another ending or one folder too deep are named, with the name under which they would be found."""
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(CONTENT)
    assert find_weights(spec, tmp_path) is None
    said = misplaced_weights(spec, tmp_path)
    assert name in said
    assert str(tmp_path / "vgg19.pth") in said


def test_files_of_no_network_are_told(spec, tmp_path):
    """A file of tensors that is called after no network is named; a detector's model is no matter."""
    for name in ("pytorch_model.bin", "face_detection_yunet_2023mar.onnx", "vgg19_bn.pth"):
        (tmp_path / name).write_bytes(CONTENT)
    assert misplaced_weights(spec, tmp_path) == ""
    assert "pytorch_model.bin is called after no network" in nameless_weights(tmp_path)[0]
    assert "yunet" not in nameless_weights(tmp_path)[0]


def test_a_published_name_with_other_content_is_refused(spec, tmp_path):
    """A file under torchvision's name whose hash is not the one in its name is damaged; both hashes are told."""
    (tmp_path / FILENAME).write_bytes(CONTENT[:-1])
    with pytest.raises(UserError, match=r"expected a sha256 that starts with .*, found"):
        find_weights(spec, tmp_path)


def test_any_hash_in_a_name_is_checked(spec, tmp_path):
    """Another published file of the network (such as torchvision's second version) has to be what its name says."""
    (tmp_path / "vgg19-11ad3fa6.pth").write_bytes(CONTENT)
    with pytest.raises(UserError, match="11ad3fa6"):
        find_weights(spec, tmp_path)


def test_a_local_file_is_not_called_published(spec, tmp_path):
    """Only the published content is called so, whatever the file's name; caches are searched for that one alone."""
    (tmp_path / "vgg19.pth").write_bytes(b"something else")
    assert not find_weights(spec, tmp_path).published
    (tmp_path / "vgg19.pth").write_bytes(CONTENT)
    assert find_weights(spec, tmp_path).published
    hub = tmp_path / "torch" / "hub" / "checkpoints"
    hub.mkdir(parents=True)
    (hub / "vgg19-mine.pth").write_bytes(CONTENT)
    assert find_weights(spec, None) is None


def test_a_download_arrives_whole_and_is_found_again(spec, serve):
    """What is fetched lies in the cache under its published name, and the next look finds it there."""
    serve.write_bytes(CONTENT)
    assert fetch_weights(spec).path.read_bytes() == CONTENT
    assert find_weights(spec, None).path == cache_dir() / "weights" / FILENAME


def test_a_damaged_download_leaves_nothing(spec, serve):
    """Content that is not the published one is told and not kept."""
    serve.write_bytes(CONTENT + b"!")
    with pytest.raises(WeightsUnavailableError, match="damaged"):
        fetch_weights(spec)
    assert list((cache_dir() / "weights").iterdir()) == []


def test_no_connection_is_told_in_words(spec, monkeypatch):
    """Without a server the reason names the file and what went wrong."""
    monkeypatch.setenv("PROBE_URL", "http://127.0.0.1:9/nothing.pth")
    with pytest.raises(WeightsUnavailableError, match=f"the download of {FILENAME} failed: Connection refused"):
        fetch_weights(spec)
