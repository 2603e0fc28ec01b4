"""Files with checksums: whatever bit changes is found, and so is a checksum that is none."""

import os

import pytest

from fer_bench.utils.json_files import find_sealed, sealed_text
from fer_bench.utils.sealed import fault_of, sealed_write


@pytest.fixture
def file(tmp_path):
    with sealed_write(tmp_path / "a.npy") as handle:
        handle.write(b"some")
        handle.write(bytes(range(40)))
    return tmp_path / "a.npy"


def flips(path):
    """Change one bit of each byte in turn."""
    data = path.read_bytes()
    for place in range(len(data)):
        path.write_bytes(data[:place] + bytes([data[place] ^ 1 << place % 8]) + data[place + 1 :])
        yield place
    path.write_bytes(data)


def test_every_bit_counts(file):
    """Of the file and of its checksum."""
    assert file.read_bytes() == b"some" + bytes(range(40))
    assert fault_of(file) == ""
    for path in (file, file.with_name("a.npy.sum")):
        assert [place for place in flips(path) if not fault_of(file)] == []
    assert fault_of(file) == ""


def test_what_is_wrong_is_told(file):
    """Cut, longer, no regular file, no checksum."""
    data = file.read_bytes()
    for other in (data[:-1], data + b"x", b""):
        file.write_bytes(other)
        assert fault_of(file) == f"it has {len(other)} bytes, 44 were written"
    file.unlink()
    assert fault_of(file) == "No such file or directory"
    os.mkfifo(file)
    assert fault_of(file) == "it is a pipe or a device"
    file.unlink()
    file.mkdir()
    assert "irectory" in fault_of(file)
    file.rmdir()
    file.write_bytes(data)
    assert fault_of(file) == ""
    file.with_name("a.npy.sum").unlink()
    assert "no checksum" in fault_of(file)


def test_a_write_that_fails_leaves_nothing(tmp_path):
    """Neither a file nor a checksum of one."""
    with pytest.raises(TypeError), sealed_write(tmp_path / "a") as handle:
        handle.write(None)
    assert not list(tmp_path.iterdir())


def test_sealed_json_is_read_as_it_was_written_or_not_at_all(tmp_path):
    """Every changed bit makes it nothing; so do another shape and plain JSON, as earlier versions wrote it."""
    file, value = tmp_path / "a.json", {"é": 1.5, "b": 2.0}
    file.write_text(sealed_text(value))
    assert find_sealed(file, dict[str, float]) == value
    assert find_sealed(file, dict[str, str]) is None
    assert [place for place in flips(file) if find_sealed(file, dict[str, float])] == []
    for text in ("", "{}", '{"b": 2.0}', '{"sha256": "", "value": {}}\n'):
        file.write_text(text)
        assert find_sealed(file, dict[str, float]) is None
