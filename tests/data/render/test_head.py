"""The mesh: what action units and identity may and may not do to it."""

import numpy as np
import pytest

from fer_bench.data.render.actions import ACTION_UNITS, Expression
from fer_bench.data.render.grid import COLUMNS, EYE_ROW, MOUTH_ROW, ROWS, skin_grid
from fer_bench.data.render.head import neutral_skin, pose_head
from fer_bench.data.render.landmarks import landmark_points
from fer_bench.data.render.people import SHAPES, sample_person
from fer_bench.data.render.surface import layout, skin_normals

PEOPLE = [("F", 1), ("M", 1), ("F", 17), ("M", 35)]


def wearing(person, **units):
    weights = np.zeros((2, len(ACTION_UNITS)))
    for unit, weight in units.items():
        weights[:, ACTION_UNITS.index(int(unit[2:]))] = weight
    return pose_head(person, neutral_skin(person), Expression(weights, 1.0, (0.0, 0.0)))


@pytest.fixture(scope="module", params=PEOPLE, ids=lambda p: f"{p[0]}{p[1]:02d}")
def person(request):
    return sample_person(0, *request.param)


def points(head):
    return landmark_points(head.skin)


def test_slits_share_their_corners(person):
    """Upper and lower edges of mouth and lids coincide outside the openings, whatever the face does."""
    grid = skin_grid()
    head = wearing(person, au27=1.0, au26=1.0, au12=1.0, au10=1.0, au5=1.0, au15=0.7)
    outside = np.abs(np.arange(COLUMNS) - COLUMNS // 2) >= grid.mouth_column - COLUMNS // 2
    gap = np.linalg.norm(head.skin[MOUTH_ROW] - head.skin[MOUTH_ROW + 1], axis=1)
    assert gap[outside].max() < 1e-3
    assert gap[~outside].max() > 1.0
    inner, outer = grid.eye_columns
    closed = (
        np.abs(np.abs(np.arange(COLUMNS) - COLUMNS // 2) - (inner + outer) / 2 + COLUMNS // 2) >= (outer - inner) / 2
    )
    eye_gap = np.linalg.norm(head.skin[EYE_ROW] - head.skin[EYE_ROW + 1], axis=1)
    assert eye_gap[closed].max() < 1e-3
    assert eye_gap[~closed].max() > 0.5


@pytest.mark.parametrize(
    ("unit", "mark", "axis", "sign"),
    [
        ("au1", 21, 1, 1),  # inner brow up
        ("au2", 18, 1, 1),  # outer brow up
        ("au4", 21, 1, -1),  # brow down
        ("au4", 21, 0, 1),  # brows together
        ("au12", 48, 1, 1),  # corner up
        ("au12", 48, 0, -1),  # corner out
        ("au15", 48, 1, -1),
        ("au20", 48, 0, -1),
        ("au10", 51, 1, 1),  # upper lip up
        ("au16", 57, 1, -1),  # lower lip down
        ("au17", 57, 1, 1),
        ("au24", 51, 1, -1),  # lips pressed: the upper one down
        ("au24", 57, 1, 1),  # the lower one up
        ("au24", 62, 2, -1),  # and in
        ("au26", 8, 1, -1),  # chin down
        ("au27", 8, 1, -1),
        ("au5", 37, 1, 1),  # lid up
        ("au7", 41, 1, 1),
        ("au43", 37, 1, -1),
        ("au9", 31, 1, 1),  # wing of the nose up
    ],
)
def test_units_move_their_landmarks(person, unit, mark, axis, sign):
    """Each action unit moves the landmark that FACS names in the direction that it names."""
    moved = points(wearing(person, **{unit: 1.0}))[mark] - points(wearing(person))[mark]
    assert sign * moved[axis] > 0.05


def test_lips_part_but_skull_stays(person):
    """Opening the jaw moves nothing above the nose's root but cheeks and lips below."""
    rest, open_ = wearing(person), wearing(person, au27=1.0, au25=1.0)
    high = skin_grid().base[:, :, 1] > 1.0
    assert np.abs(open_.skin - rest.skin)[high].max() < 0.02
    assert open_.jaw > rest.jaw + 0.2


def test_normals_point_outwards(person):
    """Normals have unit length, and those of cheeks and forehead look away from the head's middle."""
    skin = wearing(person).skin
    normal = skin_normals(skin)
    np.testing.assert_allclose(np.linalg.norm(normal[1:], axis=2), 1, atol=1e-6)
    for row, column in ((30, 60), (60, 80), (60, 40), (40, 5)):
        assert (normal[row, column] * (skin[row, column] - [0, -1, -1])).sum() > 0


def test_people_differ_more_than_their_pictures(person):
    """Two people's neutral faces differ by millimetres, and all shape parameters are used."""
    other = sample_person(0, "F", 2)
    face = np.abs(skin_grid().base[:, :, 1]) < 10
    assert np.abs(neutral_skin(person) - neutral_skin(other))[face].mean() > 0.05
    assert (person.shape != 0).all()
    assert len(person.shape) == len(SHAPES)


@pytest.mark.parametrize("detail", [1, 2, 4])
@pytest.mark.parametrize("coarse", [True, False])
def test_layout_keeps_texels_apart(detail, coarse):
    """Patches don't overlap in the atlas, and every vertex lies in its own patch."""
    at = layout(detail, coarse)
    owners = np.zeros(at.shape, int)
    for name in at.origin:
        at.view(owners, name)[:] += 1
    assert owners.max() == 1
    u, v = np.round(at.texture).astype(int).T
    assert (owners[v, u] == 1).all()
    assert at.triangles.max() == len(at.texture) - 1
    assert len(at.vertices["skin"][0]) <= ROWS
