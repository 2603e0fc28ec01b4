"""Landmarks: on the face after the crop, in the picture's own pixels, from the renderer or from a model file."""

from dataclasses import replace

import numpy as np
import pytest
from onnx_model import write_linear_model

from fer_bench.data.datasets import load_dataset
from fer_bench.data.images.crop import Box
from fer_bench.data.images.landmarks import NO_MARKER, find_marker
from fer_bench.data.images.store import build_stores, store_path
from fer_bench.data.join import join_datasets
from fer_bench.data.layouts.kdef import read_kdef
from fer_bench.errors import InputError, UserError
from fer_bench.methods import ImageSpec
from fer_bench.plan.plan import make_plan
from fer_bench.plan.request import Request

POINTS, PICTURE = ImageSpec(128, 1, "landmarks"), ImageSpec(128, 1)
EYES = (slice(36, 42), slice(42, 48))


@pytest.fixture(autouse=True)
def _nothing_at_hand(monkeypatch):
    monkeypatch.delenv("FER_BENCH_WEIGHTS", raising=False)


def straight(crop: str):
    """Neutral faces of two rendered people, seen from the front."""
    dataset = load_dataset("synthetic", people=2, workers=1, crop=crop, views=("S",))
    return replace(dataset, manifest=dataset.manifest.where("label", ["NE"]))


@pytest.fixture(scope="module")
def stores() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Points and pictures by crop."""
    found = {}
    for crop in ("fixed", "none"):
        paths = build_stores(straight(crop), [POINTS, PICTURE], 2)
        found[crop] = np.load(paths[POINTS]), np.load(paths[PICTURE])
    return found


def test_eyes_are_where_the_points_say(stores):
    """After the crop, a pupil lies at the middle of each eye's six points, and none on the cheek below."""
    points, pictures = stores["fixed"]
    assert points.shape == (len(pictures), 68, 2)
    assert points.dtype == np.float32
    for face, picture in zip(points, pictures, strict=True):
        for eye in EYES:
            x, y = face[eye].mean(axis=0)
            drop = face[33, 1] - y  # as far below the eye as the base of the nose is
            eye_patch, cheek = _patch(picture, x, y), _patch(picture, x, y + drop)
            assert eye_patch.min() < 0.6 * cheek.mean()
            assert cheek.min() > 0.8 * cheek.mean()


def _patch(picture, x, y):
    """The 5 x 5 pixels around a point."""
    column, row = int(x), int(y)
    return picture[row - 2 : row + 3, column - 2 : column + 3]


def test_points_move_with_the_crop(stores):
    """The fixed box and the whole picture, made square, give the same places of the photograph."""
    fixed, whole = (stores[crop][0].astype(float) / 128 for crop in ("fixed", "none"))
    manifest = straight("fixed").manifest
    known = [load_dataset("synthetic", people=2, workers=1).landmarks(file) for file in manifest.table["file"]]
    side, left, top = 762, (562 - 762) // 2, 0
    np.testing.assert_allclose(whole * side + (left, top), known, atol=0.01)
    scale = (fixed.max(axis=1) - fixed.min(axis=1)) / (whole.max(axis=1) - whole.min(axis=1))
    np.testing.assert_allclose(scale, scale[0, 0], rtol=1e-4)
    assert scale[0, 0] > 1.5, "the box is smaller than the picture, so that the face is larger in it"


def request_for(data, folder, *methods) -> Request:
    """Ask for methods on two folds by person; models lie in the same folder."""
    suite = folder / "suite.toml"
    suite.write_text(f'[[job]]\nmethods = {list(methods)}\nprotocols = ["subject-2fold"]\n')
    return Request(suite=str(suite), data=str(data), workers=1, device="cpu", weights_dir=folder)


def test_nobody_guesses_landmarks(kdef_folder, tmp_path):
    """Pictures of others without a model: no points, and the store refuses in words."""
    dataset = read_kdef(kdef_folder, 1)
    assert find_marker(dataset) is None
    assert find_marker(dataset, tmp_path) is None
    with pytest.raises(InputError, match="nobody can place landmarks"):
        build_stores(dataset, [POINTS], 1)


@pytest.fixture
def model(tmp_path):
    """A model whose every x is a quarter plus the mean of red, and every y a half."""
    weights = np.zeros((3, 64, 136))
    weights[0, :, ::2] = 1 / 64
    bias = np.tile([0.25, 0.5], 68)
    return write_linear_model(tmp_path / "landmarks68-8-mine.onnx", 8, weights.reshape(192, 136), bias)


def test_a_models_convention(kdef_folder, model):
    """RGB from 0 to 1 goes in, shares of the square come out, and the points are pixels of the picture asked for."""
    dataset = read_kdef(kdef_folder, 1)
    marker = find_marker(dataset, model.parent)
    face = np.zeros((40, 40, 3), np.uint8)
    face[..., 0], face[..., 2] = 51, 200
    found = marker.find("any", face, Box(0, 0, 40, "fixed"))
    np.testing.assert_allclose(found, np.tile([0.45, 0.5], (68, 1)), atol=1e-6)
    points = np.load(build_stores(dataset, [POINTS], 1, model.parent)[POINTS])
    np.testing.assert_allclose(points[..., 1], 64, atol=1e-4)
    assert points[..., 0].std() > 0


def test_another_model_is_another_store_and_another_trial(kdef_folder, model, tmp_path):
    """The model's bytes are part of a store's name and of the identity of trials that read points, of no others."""
    (tmp_path / "s.toml").write_text(
        '[[job]]\nmethods = ["svc-geometric", "knn-pixels"]\nprotocols = ["subject-2fold"]\n'
    )
    request = Request(
        suite=str(tmp_path / "s.toml"), data=str(kdef_folder), workers=1, device="cpu", weights_dir=tmp_path
    )
    dataset = read_kdef(kdef_folder, 1)
    before, place = make_plan(request, fetch=False), store_path(dataset, POINTS, tmp_path)
    assert not any(trial.skip for trial in before.trials)
    assert [note for note in before.notes if "a model at 8 px, sha256:" in note]
    write_linear_model(model, 8, np.zeros((192, 136)), np.zeros(136))
    after = make_plan(request, fetch=False)
    assert store_path(dataset, POINTS, tmp_path) != place
    changed = {b.spec.name for b, a in zip(before.trials, after.trials, strict=True) if b.id != a.id}
    assert changed == {"svc-geometric"}


def test_without_landmarks_the_row_is_skipped_with_the_reason(kdef_folder, tmp_path):
    """Methods that read points do not run on others' pictures without a model; all others do."""
    (tmp_path / "s.toml").write_text(
        '[[job]]\nmethods = ["svc-geometric", "dgnn", "knn-pixels"]\nprotocols = ["subject-2fold"]\n'
    )
    plan = make_plan(
        Request(suite=str(tmp_path / "s.toml"), data=str(kdef_folder), workers=1, device="cpu"), fetch=False
    )
    reasons = {trial.spec.name: trial.skip for trial in plan.trials}
    assert reasons == {"svc-geometric": NO_MARKER, "dgnn": NO_MARKER, "knn-pixels": ""}


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"no model", "OpenCV cannot run it"), (None, r"x and y of 68 points, found an output of shape \(1, 4\)")],
)
def test_a_faulty_model_is_refused_with_its_path(kdef_folder, tmp_path, content, message):
    """What is no model, or gives something else, is the user's mistake, in one sentence."""
    path = tmp_path / "landmarks68-8.onnx"
    if content is None:
        write_linear_model(path, 8, np.zeros((192, 4)), np.zeros(4))
    else:
        path.write_bytes(content)
    with pytest.raises(UserError, match=f"landmarks68-8.onnx: expected.*{message}") as caught:
        find_marker(read_kdef(kdef_folder, 1), tmp_path)
    assert "\n" not in str(caught.value)


def test_joined_data_keep_points_that_both_have(kdef_folder):
    """Rendered faces joined with others' pictures have no points of their own: half of them would be made up."""
    rendered = load_dataset("synthetic", people=2, workers=1, crop="none")
    others = load_dataset(str(kdef_folder), people=None, workers=1, crop="none")
    assert join_datasets(rendered, others)[0].landmarks is None
    assert join_datasets(others, rendered)[0].landmarks is None
