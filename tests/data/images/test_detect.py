"""Face detectors: found on real portraits and on rendered ones, the same every time, and known by their files."""

from dataclasses import replace

import numpy as np
import pytest

from fer_bench.data.images import detect
from fer_bench.data.images.crop import crop_identity, locate
from fer_bench.data.images.detect import YUNET_FILE, fetch_yunet, find_detector, find_yunet
from fer_bench.data.images.pictures import decode
from fer_bench.data.images.store import build_stores, crop_audit, store_path
from fer_bench.data.layouts.kdef import read_kdef
from fer_bench.data.render import portrait_names, render_many
from fer_bench.errors import UserError, WeightsUnavailableError
from fer_bench.methods import ImageSpec


@pytest.fixture(autouse=True)
def _nothing_at_hand(tmp_path, monkeypatch):
    """No model file but the one that a test names."""
    monkeypatch.setenv("FER_BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("FER_BENCH_WEIGHTS", raising=False)


@pytest.fixture(scope="session")
def portraits(shared) -> list[np.ndarray]:
    return [decode(path.read_bytes()) for path in sorted((shared / "photos").glob("*.jpg"))]


@pytest.fixture(scope="session")
def rendered() -> list[tuple[str, np.ndarray]]:
    """Four people in five views with a neutral face: 20 pictures."""
    names = [n for n in portrait_names(4) if n[0] == "A" and n[4:6] == "NE"]
    return [(name[6:], p) for name, p in render_many(names, size=(281, 381), workers=1)]


def test_yunet_finds_the_face_in_every_portrait(shared, portraits):
    """On 24 photographs there is one square a picture around the middle of the face, never a fallback."""
    detector = find_detector(shared / "weights")
    assert detector.name == "yunet"
    boxes = [locate(p, "", "detect", detector) for p in portraits]
    assert [box.by for box in boxes] == ["yunet"] * len(portraits)
    for box, portrait in zip(boxes, portraits, strict=True):
        width = portrait.shape[1]
        assert abs(box.left + box.side / 2 - width / 2) < 0.05 * width
        assert 0.35 * width < box.side < 0.65 * width


def test_the_cascades_find_the_face_in_every_portrait(portraits):
    """Without YuNet the cascades find the same faces: centres within a tenth of the picture."""
    detector = find_detector()
    assert detector.name == "haar"
    for portrait in portraits:
        box = locate(portrait, "", "detect", detector)
        assert box.by == "haar-frontal"
        assert abs(box.left + box.side / 2 - portrait.shape[1] / 2) < 0.1 * portrait.shape[1]


def test_the_cascades_find_straight_and_half_turned_rendered_faces(rendered):
    """Straight faces by the frontal cascade, half-turned ones by the profile cascade or its mirror image."""
    detector = find_detector()
    found = {}
    for view, picture in rendered:
        found.setdefault(view, []).append(locate(picture, view, "detect", detector).by)
    assert set(found["S"]) == {"haar-frontal"}
    assert "fallback" not in found["HL"] + found["HR"]
    assert "haar-profile" in found["HL"]
    assert "haar-profile-mirrored" in found["HR"]


def test_a_mirrored_picture_has_its_face_mirrored(rendered):
    """What the profile cascade finds in a picture is found in its mirror image at the mirrored place."""
    detector = find_detector()
    compared = 0
    for _, picture in rendered:
        box = locate(picture, "", "detect", detector)
        other = locate(np.ascontiguousarray(picture[:, ::-1]), "", "detect", detector)
        if {box.by, other.by} == {"haar-profile", "haar-profile-mirrored"}:
            assert box.side == other.side
            assert box.top == other.top
            assert abs(box.left - (picture.shape[1] - other.left - other.side)) <= 1
            compared += 1
    assert compared >= 4


@pytest.mark.parametrize("name", ["yunet", "haar"])
def test_the_same_picture_has_the_same_box(name, rendered, request):
    """Twice by one detector and once by a fresh one, the box is the same to the pixel."""
    folder = request.getfixturevalue("shared") / "weights" if name == "yunet" else None
    first, fresh = find_detector(folder), find_detector(folder)
    assert first.name == name
    for view, picture in rendered[::3]:
        boxes = [locate(picture, view, "detect", d) for d in (first, first, fresh)]
        assert len(set(boxes)) == 1


def test_a_plain_picture_has_no_face(shared):
    """Neither detector sees a face in an empty studio; the fixed box is taken."""
    wall = np.full((762, 562, 3), 128, np.uint8)
    for detector in (find_detector(), find_detector(shared / "weights")):
        assert locate(wall, "S", "detect", detector).by == "fallback"


def test_a_model_file_of_another_content_is_refused(tmp_path):
    """A damaged model is one sentence with its path and both hashes, never the other detector in silence."""
    assert find_yunet(tmp_path) is None
    (tmp_path / YUNET_FILE).write_bytes(b"not a model")
    with pytest.raises(UserError, match=f"{YUNET_FILE}.*expected a sha256.*found"):
        find_detector(tmp_path)


def test_the_model_is_found_where_users_put_it(shared, monkeypatch, tmp_path):
    """By folder, by environment variable, and in fer-bench's cache."""
    assert find_yunet(shared / "weights") == shared / "weights" / YUNET_FILE
    monkeypatch.setenv("FER_BENCH_WEIGHTS", str(shared / "weights"))
    assert find_yunet() == shared / "weights" / YUNET_FILE
    monkeypatch.delenv("FER_BENCH_WEIGHTS")
    home = tmp_path / "cache" / "weights"
    home.mkdir(parents=True)
    (home / YUNET_FILE).write_bytes((shared / "weights" / YUNET_FILE).read_bytes())
    assert find_yunet() == home / YUNET_FILE


def test_the_model_is_fetched_whole_or_not_at_all(shared, tmp_path, monkeypatch):
    """A download with the right hash is found from then on; another content, or none, leaves nothing."""
    served = tmp_path / "served.onnx"
    monkeypatch.setattr(detect, "YUNET_URL", served.as_uri())
    for content in (None, b"an error page"):
        if content:
            served.write_bytes(content)
        with pytest.raises(WeightsUnavailableError, match=YUNET_FILE):
            fetch_yunet()
        assert find_yunet() is None
    served.write_bytes((shared / "weights" / YUNET_FILE).read_bytes())
    assert fetch_yunet() == find_yunet()


def test_another_detector_is_another_store(kdef_folder, shared):
    """Faces found by YuNet are never read as faces found by the cascades."""
    dataset = replace(read_kdef(kdef_folder, 2), crop="detect")
    assert crop_identity(dataset) != crop_identity(dataset, shared / "weights")
    assert store_path(dataset, ImageSpec(24)) != store_path(dataset, ImageSpec(24), shared / "weights")


def test_what_was_not_found_is_counted_and_named(kdef_folder):
    """The audit of a detected crop adds up, by detector and by view, names every fallback, and survives a restart;
    a second form of the same faces has the same boxes without another search."""
    dataset = replace(read_kdef(kdef_folder, 2), crop="detect")
    dataset = dataset.keep(["F01"])
    assert crop_audit(dataset) == {}
    build_stores(dataset, [ImageSpec(24)], 2)
    told = crop_audit(dataset)
    assert told["found"] + told["fallback"] == len(dataset.manifest) == sum(told["by"].values())
    assert told["fallback"] == len(told["names"]) > 0
    assert sum(fallback for _, fallback in told["views"].values()) == told["fallback"]
    assert set(told["names"]) <= set(dataset.manifest.table["file"])
    assert told["detector"].startswith("haar sha256:")
    build_stores(dataset, [ImageSpec(32)], 2)
    assert crop_audit(dataset) == told
    assert crop_audit(replace(dataset, crop="fixed")) == {}
