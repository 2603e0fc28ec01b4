"""The image store: right pixels in the right rows, built once, whole or absent."""

import os
from dataclasses import replace

import cv2
import numpy as np
import pytest

from fer_bench.data.images.crop import face_box, to_spec
from fer_bench.data.images.pictures import decode
from fer_bench.data.images.store import build_stores, crop_audit, store_path
from fer_bench.data.layouts.kdef import read_kdef
from fer_bench.errors import UserError
from fer_bench.methods import ImageSpec


def test_the_store_holds_every_picture_cropped_in_order(kdef_folder):
    """Row i of the store is the crop of picture i of the manifest, in grey and in colour."""
    dataset = read_kdef(kdef_folder, 2)
    specs = [ImageSpec(24), ImageSpec(40, 3)]
    stores = build_stores(dataset, specs, 2)
    row = 17
    picture = decode((kdef_folder / dataset.manifest.table["file"][row]).read_bytes())
    left, top, side = face_box(dataset.manifest.table["view"][row], 96, 130)
    face = np.ascontiguousarray(picture[top : top + side, left : left + side])
    grey = np.load(stores[specs[0]])
    colour = np.load(stores[specs[1]])
    assert grey.shape == (280, 24, 24)
    assert colour.shape == (280, 40, 40, 3)
    np.testing.assert_array_equal(grey[row], to_spec(face, specs[0]))
    np.testing.assert_array_equal(colour[row], to_spec(face, specs[1]))
    area = cv2.resize(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY), (24, 24), interpolation=cv2.INTER_AREA)
    assert np.abs(grey.astype(int) - area).mean((1, 2)).argmin() == row


def test_grey_source_gives_three_equal_channels(kdef_folder):
    """The article's grey source, asked for in colour, is one grey picture repeated three times."""
    spec = ImageSpec(32, 3, "grey256")
    images = np.load(build_stores(read_kdef(kdef_folder, 2), [spec], 2)[spec])
    assert (images[..., 0] == images[..., 1]).all()
    assert (images[..., 0] == images[..., 2]).all()
    assert images.std() > 5


def test_a_second_build_reads_nothing(kdef_folder, monkeypatch):
    """A finished store is used as it is: no picture is opened again."""
    dataset = read_kdef(kdef_folder, 2)
    first = build_stores(dataset, [ImageSpec(20)], 2)

    def refuse(*_):
        raise AssertionError("a picture was opened although the store is there")

    object.__setattr__(dataset, "pictures", refuse)
    assert build_stores(dataset, [ImageSpec(20)], 2) == first


@pytest.mark.parametrize("crop", ["fixed", "detect", "none"])
def test_threads_do_not_change_a_store(kdef_folder, crop, monkeypatch, tmp_path):
    """One thread or four, with pictures from files or from elsewhere, a store is the same to the byte."""
    dataset = replace(read_kdef(kdef_folder, 2).keep(["F01"]), crop=crop)
    stores = []
    for workers, pictures in ((1, dataset.pictures), (4, dataset.pictures), (2, lambda *a: dataset.pictures(*a))):
        monkeypatch.setenv("FER_BENCH_CACHE", str(tmp_path / str(len(stores))))
        built = build_stores(replace(dataset, pictures=pictures), [ImageSpec(24, 3)], workers)
        stores.append(built[ImageSpec(24, 3)].read_bytes())
    assert stores[0] == stores[1] == stores[2]


def test_a_file_that_is_gone_in_the_middle_is_named(write_faces, tmp_path):
    """A picture that vanishes between the check and the store stops the build by its name and leaves no store."""
    dataset = read_kdef(write_faces(tmp_path, people=2), 2)
    file = dataset.manifest.table["file"][50]
    (tmp_path / file).unlink()
    with pytest.raises(UserError, match=file):
        build_stores(dataset, [ImageSpec(24)], 2)
    path = store_path(dataset, ImageSpec(24))
    assert not path.exists()
    assert not list(path.parent.glob(f".tmp-*{path.name}"))


def test_a_build_that_fails_leaves_no_store(kdef_folder):
    """An error half way leaves neither a store nor a temporary file."""
    dataset = read_kdef(kdef_folder, 2)

    def break_off(manifest, workers):
        yield np.zeros((130, 96, 3), np.uint8)
        raise OSError("the disk is gone")

    object.__setattr__(dataset, "pictures", break_off)
    spec = ImageSpec(21)
    with pytest.raises(OSError, match="gone"):
        build_stores(dataset, [spec], 1)
    path = store_path(dataset, spec)
    assert not path.exists()
    assert not list(path.parent.glob(f".tmp-*{path.name}"))


def test_different_people_have_different_stores(kdef_folder):
    """The store's name covers the manifest: a subset of people never reads the whole set's rows."""
    dataset = read_kdef(kdef_folder, 2)
    assert store_path(dataset, ImageSpec(24)) != store_path(dataset.keep(["F01", "M01"]), ImageSpec(24))


def flipped(data: bytes, place: int) -> bytes:
    """Change one bit."""
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


DAMAGE = {
    "a bit of its start": lambda data: flipped(data, 20),
    "a bit of its middle": lambda data: flipped(data, len(data) // 2),
    "truncated": lambda data: data[: len(data) // 2],
    "emptied": lambda data: b"",
    "longer": lambda data: data + b"\0",
    "lost": None,
}


@pytest.mark.parametrize("crop", ["fixed", "detect"])
def test_what_was_damaged_is_made_anew_and_told(kdef_folder, tmp_path, monkeypatch, capsys, crop):
    """Whatever happened to a store, its checksum or the faces' places: the same bytes as before, and a sentence."""
    monkeypatch.setenv("FER_BENCH_CACHE", str(tmp_path))
    dataset, specs = replace(read_kdef(kdef_folder, 2).keep(["F01"]), crop=crop), [ImageSpec(16), ImageSpec(20, 3)]
    audit = crop_audit(dataset) if build_stores(dataset, specs, 2) else {}
    files = [path for path in (tmp_path / "store").iterdir() if path.suffix != ".lock"]
    before = {path: path.read_bytes() for path in files}
    assert len(files) == (4 if crop == "fixed" else 5)
    capsys.readouterr()
    for path in files if crop == "fixed" else [p for p in files if p.suffix == ".json"]:
        for name, harm in DAMAGE.items():
            path.unlink() if harm is None else path.write_bytes(harm(before[path]))
            build_stores(dataset, specs, 2)
            assert {path: path.read_bytes() for path in files} == before, (path.name, name)
            told = capsys.readouterr().err
            assert ("these faces are cropped anew" in told) == (path.suffix != ".npy" or name != "lost"), (path, name)
            assert crop_audit(dataset) == audit
    build_stores(dataset, specs, 2)
    assert not capsys.readouterr().err


def test_a_store_of_an_earlier_version_is_made_anew(kdef_folder, tmp_path, monkeypatch, capsys):
    """One without a checksum cannot be held against it: it may have been damaged like any other."""
    monkeypatch.setenv("FER_BENCH_CACHE", str(tmp_path))
    dataset, spec = read_kdef(kdef_folder, 2).keep(["F01"]), ImageSpec(16)
    path = build_stores(dataset, [spec], 1)[spec]
    right = path.read_bytes()
    path.with_name(f"{path.name}.sum").unlink()
    path.write_bytes(right[:-1] + bytes([right[-1] ^ 1]))
    build_stores(dataset, [spec], 1)
    assert path.read_bytes() == right
    assert "no checksum" in capsys.readouterr().err


def test_what_stands_in_a_stores_place_is_no_store(kdef_folder, tmp_path, monkeypatch):
    """A pipe or a link to nothing is replaced; a folder is named, as it may hold something."""
    monkeypatch.setenv("FER_BENCH_CACHE", str(tmp_path))
    dataset, spec = read_kdef(kdef_folder, 2).keep(["F01"]), ImageSpec(16)
    path = build_stores(dataset, [spec], 1)[spec]
    right = path.read_bytes()
    for put in (os.mkfifo, lambda path: path.symlink_to(path), lambda path: path.symlink_to("/dev/zero")):
        path.unlink()
        put(path)
        build_stores(dataset, [spec], 1)
        assert path.read_bytes() == right
    path.unlink()
    path.mkdir()
    with pytest.raises(UserError, match=f"{path.name}: expected a file, found a folder; move it away"):
        build_stores(dataset, [spec], 1)
