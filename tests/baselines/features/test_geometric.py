"""Distances and angles between landmarks."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from fer_bench.baselines.features.geometric import GEOMETRIC, geometric
from fer_bench.errors import InputError

N_DISTANCES = 68 * 67 // 2


@pytest.fixture
def faces():
    return np.random.default_rng(0).uniform(20, 108, (9, 68, 2)).astype(np.float32)


def test_moving_scaling_turning_and_mirroring_change_nothing(faces):
    """The same shape anywhere in the picture, of any size and roll, mirrored or not, has the same features."""
    angle = 0.4
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    others = [faces + np.array([31, -7]), faces * 0.37, faces @ turn, faces * [-1, 1], (faces @ turn) * 2.5 + 12]
    for other in others:
        np.testing.assert_allclose(geometric(other.astype(np.float32)), geometric(faces), atol=2e-4)


def test_another_shape_has_other_features(faces):
    """What does change the face changes them: a stretch of one direction, one point that moves."""
    assert np.abs(geometric((faces * [1, 1.2]).astype(np.float32)) - geometric(faces)).max(axis=1).min() > 0.05
    moved = faces.copy()
    moved[:, 48, 0] += 5
    assert ((geometric(moved) != geometric(faces)).sum(axis=1) >= 67).all()


def test_distances_are_those_of_scipy(faces):
    """All pairs in scipy's order, divided by the root mean square distance from the middle."""
    for face, row in zip(faces.astype(float), geometric(faces), strict=True):
        size = np.sqrt(((face - face.mean(axis=0)) ** 2).sum(axis=1).mean())
        np.testing.assert_allclose(row[:N_DISTANCES], pdist(face) / size, rtol=1e-5)


def test_angles_are_those_along_the_lines_of_the_face(faces):
    """58 angles: first the jaw's, last that of the inner lips at its last point; a straight line has pi."""
    rows = geometric(faces)
    assert rows.shape == (9, GEOMETRIC.length)
    assert GEOMETRIC.length == N_DISTANCES + 58

    def angle(face, before, at, after):
        a, b = face[before] - face[at], face[after] - face[at]
        return np.arccos(a @ b / np.linalg.norm(a) / np.linalg.norm(b))

    for face, row in zip(faces.astype(float), rows, strict=True):
        assert row[N_DISTANCES] == pytest.approx(angle(face, 0, 1, 2), abs=1e-4)
        assert row[-1] == pytest.approx(angle(face, 66, 67, 60), abs=1e-4)
        assert row[-8] == pytest.approx(angle(face, 67, 60, 61), abs=1e-4)
    straight = faces.copy()
    straight[:, 0:3] = [[20, 20], [30, 30], [50, 50]]
    np.testing.assert_allclose(geometric(straight)[:, N_DISTANCES], np.pi, atol=1e-3)


def test_points_in_one_place_are_no_error(faces):
    """A degenerate face gives finite features; points that are no numbers are refused in words."""
    assert np.isfinite(geometric(np.full_like(faces, 3))).all()
    with pytest.raises(InputError, match="expected finite coordinates, found others on 1 of 9 faces"):
        geometric(np.where(np.arange(9)[:, None, None] == 4, np.nan, faces).astype(np.float32))
