"""Faces cut out of pictures: fixed boxes, detected ones, whole pictures; always square, never stretched."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_bench.data.images.crop import BOXES, MARGIN, Box, crop_identity, cut, cut_box, face_box, locate, to_spec
from fer_bench.data.images.detect import Detector, Face
from fer_bench.data.layouts.kdef import read_kdef
from fer_bench.errors import InputError
from fer_bench.labels import VIEWS
from fer_bench.methods import ImageSpec

sides = st.integers(32, 2000)


def detector(face: Face | None) -> Detector:
    return Detector("probe", "0" * 64, lambda _: face)


def picture(width: int, height: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@given(st.sampled_from([*VIEWS, ""]), sides, sides)
def test_the_face_box_is_a_square_inside_the_picture(view, width, height):
    """Whatever the picture's size, the box is square, not empty, and does not leave the picture."""
    left, top, side = face_box(view, width, height)
    assert side >= 1
    assert left >= 0
    assert top >= 0
    assert left + side <= width
    assert top + side <= height


def test_kdef_boxes_are_those_of_the_views():
    """At KDEF's own size the straight box is 408 pixels wide and the half profiles look to opposite sides."""
    assert face_box("S", 562, 762) == (76, 222, 408)
    assert face_box("HL", 562, 762)[0] < face_box("HR", 562, 762)[0]
    assert set(BOXES) == set(VIEWS)


@pytest.mark.parametrize("size", [(224, 224), (48, 48), (640, 490)])
def test_cropped_copies_and_other_data_are_left_alone(size):
    """A picture that has not KDEF's shape is used from edge to edge of its shorter side."""
    left, top, side = face_box("FL", *size)
    assert side == min(size)
    assert (left, top) == ((size[0] - side) // 2, (size[1] - side) // 2)


def test_a_picture_without_a_view_is_not_cut_by_anybodys_box():
    """Where no view is given there is no fixed box, even at KDEF's shape."""
    assert face_box("", 562, 762) == (0, 100, 562)


@given(sides, sides)
@settings(max_examples=30, deadline=None)
def test_the_whole_picture_is_kept_with_its_proportions(width, height):
    """``none`` keeps every pixel where it was in a square whose rest repeats the edge."""
    width, height = width // 8, height // 8
    whole = picture(width, height)
    square = cut(whole, "S", "none")
    side = max(width, height)
    assert square.shape == (side, side, 3)
    top, left = (side - height) // 2 + (side - height) % 2, (side - width) // 2 + (side - width) % 2
    np.testing.assert_array_equal(square[top : top + height, left : left + width], whole)
    assert (square[:top] == square[top]).all()
    assert (square[:, :left] == square[:, left : left + 1]).all()


@given(
    sides, sides, st.floats(-100, 2100), st.floats(-100, 2100), st.floats(0, 2500), st.floats(0, 2500),
)  # fmt: skip
def test_a_detected_face_is_cut_square_inside_the_picture(width, height, x, y, w, h):
    """Whatever a detector says, the square stays inside; where it fits, it is centred on the face with the margin."""
    box = locate(np.zeros((height, width, 3), np.uint8), "S", "detect", detector(Face(x, y, w, h, "probe")))
    assert box.by == "probe"
    assert 1 <= box.side <= min(width, height)
    assert 0 <= box.left <= width - box.side
    assert 0 <= box.top <= height - box.side
    side = MARGIN * max(w, h)
    if 1 < side < min(width, height) and side < 2 * min(x + w / 2, y + h / 2, width - x - w / 2, height - y - h / 2):
        assert abs(box.side - side) <= 0.5
        assert abs(box.left + box.side / 2 - x - w / 2) <= 1
        assert abs(box.top + box.side / 2 - y - h / 2) <= 1


@pytest.mark.parametrize(("size", "view"), [((562, 762), "HL"), ((562, 762), ""), ((640, 490), "S")])
def test_where_no_face_is_found_the_fixed_box_is_taken_and_says_so(size, view):
    """The fallback is what ``fixed`` would have cut, marked as a fallback."""
    box = locate(picture(*size), view, "detect", detector(None))
    assert box == Box(*face_box(view, *size), "fallback")


def test_detection_without_a_detector_and_unknown_crops_are_refused():
    """A crop that cannot be done is never another one in silence."""
    for crop in ("detect", "wide", ""):
        with pytest.raises(InputError, match="crop"):
            cut(picture(60, 60), "S", crop)


@given(st.integers(1, 80), st.integers(1, 80))
@settings(deadline=None)
def test_resizing_keeps_a_plain_picture_plain(side, size):
    """No choice of sizes makes an edge where there is none, or changes the size that was asked for."""
    plain = np.full((side, side, 3), 137, np.uint8)
    for spec in (ImageSpec(size), ImageSpec(size, 3), ImageSpec(size, 3, "grey256")):
        shaped = to_spec(plain, spec)
        assert shaped.shape == ((size, size) if spec.channels == 1 else (size, size, 3))
        assert (shaped == 137).all()


@pytest.mark.parametrize(("side", "size"), [(408, 224), (408, 64), (300, 299), (48, 48), (224, 112), (562, 224)])
def test_resizing_down_averages_areas(side, size):
    """A shrunk photograph is its pixels' average over areas: within three grey levels on a blurred picture, exactly so
    where whole blocks fit, and free of aliasing on a fine chessboard."""
    smooth = cv2.GaussianBlur(picture(side, side), (0, 0), 3)
    area = cv2.resize(smooth, (size, size), interpolation=cv2.INTER_AREA).astype(int)
    shaped = to_spec(smooth, ImageSpec(size, 3))
    assert np.abs(shaped - area).max() <= (0 if side % size == 0 else 3)
    board = np.indices((side, side)).sum(0) % 2 * 255
    if side >= 2 * size:
        shrunk = to_spec(np.repeat(board[..., None], 3, 2).astype(np.uint8), ImageSpec(size))
        assert np.abs(shrunk.astype(int) - 127).max() <= 32


def test_a_box_is_cut_to_the_pixel():
    """What is cut out are the pixels of the box, in order."""
    whole = picture(50, 40)
    np.testing.assert_array_equal(cut_box(whole, Box(7, 3, 20, "fixed")), whole[3:23, 7:27])


def test_the_identity_names_the_crop_and_its_detector(kdef_folder, tmp_path, monkeypatch):
    """Another choice, or another detector, is another identity; a fixed crop asks for no detector."""
    monkeypatch.setenv("FER_BENCH_CACHE", str(tmp_path))
    dataset = read_kdef(kdef_folder, 2)
    identities = {crop: crop_identity(replace(dataset, crop=crop)) for crop in ("fixed", "detect", "none")}
    assert len(set(identities.values())) == 3
    assert "haar sha256:" in identities["detect"]
    assert "sha256" not in identities["fixed"]
