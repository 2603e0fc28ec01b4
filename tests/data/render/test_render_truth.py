"""What the truth table says has to be what the picture shows."""

import numpy as np
import pytest

from fer_bench.data.render import render_portrait, render_truth
from fer_bench.labels import EMOTIONS, VIEWS

PEOPLE = ["F01", "M01", "F02", "M02", "F03"]


def mean_unit(emotion, unit):
    return np.mean([render_truth(f"A{p}{emotion}S").action_units[unit] for p in PEOPLE])


@pytest.mark.parametrize(
    ("emotion", "unit"), [("HA", 12), ("SA", 15), ("SU", 26), ("AN", 4), ("DI", 9), ("AF", 5), ("AF", 20)]
)
def test_expressions_use_their_units(emotion, unit):
    """Each expression's leading action unit is stronger than in neutral faces."""
    assert mean_unit(emotion, unit) > mean_unit("NE", unit) + 0.25


@pytest.mark.parametrize("person", PEOPLE)
def test_anger_is_told_from_rest(person):
    """In every person's anger the brows come down to the eyes' corners and together by three millimetres or more."""
    rest, anger = (render_truth(f"A{person}{e}S").landmarks for e in ("NE", "AN"))

    def brow(points):
        eyes = points[[36, 39, 42, 45], 1].mean()
        return eyes - points[[20, 21, 22, 23], 1].mean(), points[22, 0] - points[21, 0]

    # 17.9 pixels a centimetre
    height, gap = np.subtract(brow(rest), brow(anger)) / 1.79
    assert height > 3
    assert gap > 3


def test_poses_follow_views():
    """Yaw grows from full left to full right through zero, within a pose error of ten degrees."""
    for person in PEOPLE:
        yaw = [render_truth(f"A{person}NE{v}").yaw for v in VIEWS]
        assert yaw == sorted(yaw)
        np.testing.assert_allclose(yaw, [-88, -45, 0, 45, 88], atol=10)


@pytest.mark.parametrize(
    ("view", "box"),
    [
        ("S", (0.135, 0.291, 0.726, 0.535)),
        ("HL", (0.039, 0.337, 0.575, 0.424)),
        ("HR", (0.363, 0.333, 0.594, 0.438)),
        ("FL", (0.0, 0.30, 0.70, 0.50)),
        ("FR", (0.30, 0.30, 0.70, 0.50)),
    ],
)
def test_faces_lie_in_the_boxes_of_their_views(view, box):
    """Brows, eyes, nose, mouth and chin fall inside KDEF's fixed crop of the view, for every person and expression."""
    x, y, w, h = box
    for person in PEOPLE:
        for emotion in EMOTIONS:
            points = render_truth(f"A{person}{emotion}{view}").landmarks[17:] / (562, 762)
            assert (points >= (x, y)).all()
            assert (points <= (x + w, y + h)).all()
            chin = render_truth(f"A{person}{emotion}{view}").landmarks[8] / (562, 762)
            # KDEF's boxes of the half views are the lowest: a dropped jaw may leave them
            assert chin[1] <= y + h + (0.03 if view in ("HL", "HR") else 0)


def test_landmarks_scale_with_the_picture():
    """Landmarks are in pixels of the size asked for."""
    full, half = (render_truth("AF01HAHL", size=s).landmarks for s in ((562, 762), (281, 381)))
    np.testing.assert_allclose(full / 2, half, atol=1e-6)
    assert full.shape == (68, 2)


def test_landmarks_lie_on_the_features():
    """The lips' middle is redder than the cheek, and there are dark lashes at the upper lid's line."""
    for person in ("F01", "M02"):
        picture = render_portrait(f"A{person}NES").astype(float)
        points = render_truth(f"A{person}NES").landmarks

        def colour(at, picture=picture):
            x, y = np.round(at).astype(int)
            return picture[y - 2 : y + 3, x - 2 : x + 3].mean(axis=(0, 1))

        lip, cheek = colour((points[57] + points[66]) / 2), colour((points[31] + points[3]) / 2)
        assert lip[0] / lip[1] > cheek[0] / cheek[1]
        forehead = colour((points[21] + points[22]) / 2 + (0, -60))
        x, y = np.round(points[37:39].mean(axis=0)).astype(int)
        assert picture[y - 5 : y + 6, x - 5 : x + 6].mean(axis=2).min() < forehead.mean() - 60


def test_open_mouths_are_open():
    """The gap between the inner lips grows with the jaw's drop."""
    gaps, drops = [], []
    for person in PEOPLE:
        for emotion in ("NE", "SU"):
            truth = render_truth(f"A{person}{emotion}S")
            gaps.append(np.linalg.norm(truth.landmarks[66] - truth.landmarks[62]))
            drops.append(sum(truth.action_units[26]) + 2 * sum(truth.action_units[27]))
    assert np.corrcoef(gaps, drops)[0, 1] > 0.8
