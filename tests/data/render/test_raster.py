"""The rasteriser against what geometry says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_bench.data.render.raster import rasterize

SHAPE = (40, 50)


def draw(points, triangles, depth=None, texture=None):
    points = np.asarray(points, float)
    depth = np.full(len(points), 100.0) if depth is None else np.asarray(depth, float)
    texture = points if texture is None else np.asarray(texture, float)
    return rasterize(points, depth, texture, np.asarray(triangles, np.int32), SHAPE)


coordinate = st.floats(-15, 65, allow_nan=False, width=32)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(coordinate, coordinate), min_size=3, max_size=3))
def test_covered_pixels_are_those_whose_centre_lies_inside(points):
    """A clockwise triangle covers exactly the pixel centres strictly inside it (edges may go either way)."""
    p = np.array(points)
    seen = draw(p, [[0, 1, 2]])
    y, x = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]] + 0.5
    edges = [
        (p[j, 0] - p[i, 0]) * (y - p[i, 1]) - (p[j, 1] - p[i, 1]) * (x - p[i, 0]) for i, j in ((0, 1), (1, 2), (2, 0))
    ]
    inside = np.min(edges, axis=0)
    covered = np.zeros(SHAPE, bool)
    covered.reshape(-1)[seen.pixels] = True
    assert not (covered & (inside < -1e-3)).any()
    assert not (~covered & (inside > 1e-3)).any()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_mesh_has_neither_gaps_nor_overlaps(seed):
    """Pixels of a jittered grid of triangles are covered once: as many as the sum over its triangles drawn alone."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:6, 0:6]
    points = np.stack([x * 8 + rng.uniform(-2, 2, x.shape), y * 7 + rng.uniform(-2, 2, x.shape)], axis=2).reshape(-1, 2)
    index = np.arange(36).reshape(6, 6)
    a, b, c, d = index[:-1, :-1].ravel(), index[:-1, 1:].ravel(), index[1:, :-1].ravel(), index[1:, 1:].ravel()
    triangles = np.concatenate([np.column_stack([a, b, c]), np.column_stack([b, d, c])])
    together = draw(points, triangles).pixels
    alone = np.concatenate([draw(points, [t]).pixels for t in triangles])
    assert len(alone) == len(set(alone))
    assert set(alone) == set(together)
    rows, columns = np.divmod(together, SHAPE[1])
    for row in range(4, 31):
        assert (np.diff(np.sort(columns[rows == row])) == 1).all()


@pytest.mark.filterwarnings("error")
def test_a_flat_side_on_a_pixels_line_covers_nothing_more():
    """A bottom side that single precision puts on a row's centre neither warns nor covers that row."""
    bottom = 10.5 + 1e-9
    seen = draw([[10, 2.2], [20, bottom], [5, bottom]], [[0, 1, 2]])
    assert len(seen.pixels) > 30
    assert seen.pixels.max() // SHAPE[1] == 9


def test_the_nearer_triangle_wins():
    """Where triangles overlap, depth decides, whatever their order; crossing triangles share the picture."""
    square = [(5, 5), (45, 5), (5, 35)]
    points = square + square
    depth = [90, 90, 90, 80, 120, 80]
    for order in ([[0, 1, 2], [3, 4, 5]], [[3, 4, 5], [0, 1, 2]]):
        seen = draw(points, order, depth)
        assert seen.depth.max() <= 90.001
        x = seen.pixels % SHAPE[1] + 0.5
        np.testing.assert_allclose(seen.depth, np.minimum(90, 80 + (x - 5)), atol=1e-3)


def test_texture_coordinates_are_interpolated():
    """Texture coordinates that equal the positions come back as the pixels' centres."""
    seen = draw([(1.5, 2), (48, 3), (20, 39)], [[0, 1, 2]])
    np.testing.assert_allclose(seen.u, seen.pixels % SHAPE[1] + 0.5, atol=1e-3)
    np.testing.assert_allclose(seen.v, seen.pixels // SHAPE[1] + 0.5, atol=1e-3)


@pytest.mark.parametrize("triangle", [[0, 2, 1], [0, 0, 1]])
def test_back_faces_and_slivers_are_culled(triangle):
    """Counter-clockwise and degenerate triangles leave no pixel."""
    assert len(draw([(5, 5), (45, 5), (5, 35)], [triangle]).pixels) == 0


def test_outside_the_picture_nothing_is_drawn():
    """A triangle beyond the frame is clipped to nothing, one larger than the frame fills it."""
    assert len(draw([(100, 5), (145, 5), (105, 35)], [[0, 1, 2]]).pixels) == 0
    assert len(draw([(-100, -100), (300, -100), (-100, 300)], [[0, 1, 2]]).pixels) == SHAPE[0] * SHAPE[1]
