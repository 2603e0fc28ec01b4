"""Two-dimensional LDA maximises what it says, and is a scikit-learn transformer."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from fer_bench.baselines.classifiers.discriminant2d import TwoDimensionalLDA
from fer_bench.errors import InputError


def matrices(n=60, h=6, w=5, k=4, seed=0):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % k
    images = rng.normal(size=(k, h, w))[y] + 1.5 * rng.normal(size=(n, h, w)) * rng.uniform(0.3, 2, (h, w))
    return images.reshape(n, -1), y


def scatters(X, y, shape, transposed):
    """Between and within, by the definition: one outer product an image."""
    images = X.reshape(-1, *shape)
    images = images.transpose(0, 2, 1) if transposed else images
    between = within = 0
    for c in np.unique(y):
        mine = images[y == c]
        off = mine.mean(axis=0) - images.mean(axis=0)
        between = between + len(mine) * off.T @ off
        for image in mine:
            within = within + (image - mine.mean(axis=0)).T @ (image - mine.mean(axis=0))
    return between, within


@pytest.mark.parametrize("side", ["left_", "right_"])
def test_directions_are_those_of_the_definition(side):
    """Each direction solves between v = ratio within v, the ratios being the largest there are, in falling order."""
    X, y = matrices()
    model = TwoDimensionalLDA(3, 3, shape=(6, 5)).fit(X, y)
    between, within = scatters(X, y, (6, 5), transposed=side == "left_")
    directions, ratios = getattr(model, side), getattr(model, f"{side}ratios_")
    expected = np.sort(np.linalg.eigvals(np.linalg.solve(within, between)).real)[::-1][:3]
    np.testing.assert_allclose(ratios, expected, rtol=1e-4)
    np.testing.assert_allclose(between @ directions, within @ directions * ratios, rtol=1e-3, atol=1e-3)


@given(st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_no_direction_separates_better_than_the_first(seed):
    """The first direction's ratio of scatters is at least that of any other, and equals what is stated."""
    X, y = matrices()
    model = TwoDimensionalLDA(1, 1, shape=(6, 5)).fit(X, y)
    other = np.random.default_rng(seed)
    for found, stated, transposed in (
        (model.left_, model.left_ratios_, True),
        (model.right_, model.right_ratios_, False),
    ):
        between, within = scatters(X, y, (6, 5), transposed)
        first = found[:, 0]
        best = (first @ between @ first) / (first @ within @ first)
        np.testing.assert_allclose(best, stated[0], rtol=1e-4)
        any_other = other.normal(size=len(first))
        assert (any_other @ between @ any_other) / (any_other @ within @ any_other) <= best * (1 + 1e-5)


def test_projections_are_orthonormal_in_the_scatter_within():
    """L' within L / (n w) and R' within R / (n h) are the identity."""
    X, y = matrices()
    model = TwoDimensionalLDA(6, 5, shape=(6, 5)).fit(X, y)
    for found, transposed, count in ((model.left_, True, 60 * 5), (model.right_, False, 60 * 6)):
        within = scatters(X, y, (6, 5), transposed)[1] / count
        np.testing.assert_allclose(found.T @ within @ found, np.eye(len(found)), atol=1e-4)


def test_output_is_left_times_image_times_right():
    """A row is L' A R, row by row, in the type of the input; one image alone gives the same."""
    X, y = matrices()
    model = TwoDimensionalLDA(2, 3, shape=(6, 5)).fit(X, y)
    expected = [model.left_.T @ row.reshape(6, 5) @ model.right_ for row in X]
    np.testing.assert_allclose(model.transform(X), np.reshape(expected, (60, 6)))
    rows = X.astype(np.float32)
    assert model.transform(rows).dtype == np.float32
    np.testing.assert_array_equal(model.transform(rows[7:8])[0], model.transform(rows)[7])


def test_only_labels_and_images_given_to_fit_matter():
    """What is transformed later changes nothing; another order of the images changes nothing but rounding."""
    X, y = matrices()
    model = TwoDimensionalLDA(2, 2, shape=(6, 5)).fit(X[:40], y[:40])
    before = model.right_.copy()
    model.transform(X[40:] * 100)
    np.testing.assert_array_equal(model.right_, before)
    order = np.random.default_rng(0).permutation(40)
    again = TwoDimensionalLDA(2, 2, shape=(6, 5)).fit(X[order], y[order])
    np.testing.assert_allclose(np.abs(again.right_), np.abs(before), rtol=1e-6)


def test_places_that_never_vary_do_no_harm():
    """Columns that are black in every image leave the scatter invertible."""
    X, y = matrices()
    X = X.reshape(-1, 6, 5).copy()
    X[:, :, :2], X[:, 5] = 0, 0
    model = TwoDimensionalLDA(2, 2, shape=(6, 5)).fit(X.reshape(60, -1), y)
    assert np.isfinite(model.transform(X.reshape(60, -1))).all()
    flat = TwoDimensionalLDA(2, 2, shape=(6, 5)).fit(np.ones((4, 30)), np.arange(4) % 2)
    assert np.isfinite(flat.transform(np.ones((4, 30)))).all()


def test_one_image_a_class_is_enough():
    """With no scatter within classes there is still a finite projection."""
    X, _ = matrices(7)
    assert np.isfinite(TwoDimensionalLDA(2, 2, shape=(6, 5)).fit_transform(X, np.arange(7))).all()


def test_it_works_in_a_pipeline():
    """Square images need no shape; clone keeps the parameters; what it gives can be learnt from."""
    X, y = matrices(n=160, h=12, w=12)
    pipeline = clone(make_pipeline(TwoDimensionalLDA(4, 4), LinearSVC()))
    assert pipeline.fit(X[:80], y[:80]).score(X[80:], y[80:]) > 0.6
    assert TwoDimensionalLDA().fit_transform(X, y).shape == (160, 144)


@pytest.mark.parametrize(
    ("parameters", "rows", "labels", "text"),
    [
        ({}, (8, 30), 2, "expects square images, found rows of 30; give their shape"),
        ({"shape": (6, 4)}, (8, 30), 2, r"images of 6 x 4 = 24 values, found rows of 30"),
        ({"shape": (6, 5)}, (8, 30), 2, "rows: .* expects 1 to 6 directions, found 12"),
        ({"rows": 2, "columns": 6, "shape": (6, 5)}, (8, 30), 2, "columns: .* 1 to 5 directions, found 6"),
        ({"rows": 2, "columns": 2, "shape": (6, 5)}, (8, 30), 1, "at least two classes, found 8 of 1"),
        ({}, (8, 6, 5), 2, "flattened images"),
    ],
)
def test_mistakes_are_refused_in_words(parameters, rows, labels, text):
    """Shapes, numbers of directions and labels that do not fit are told with what is expected."""
    with pytest.raises(InputError, match=text):
        TwoDimensionalLDA(**parameters).fit(np.ones(rows), np.arange(8) % labels)


def test_rows_of_another_length_are_refused():
    """Transform expects what fit saw."""
    X, y = matrices()
    with pytest.raises(InputError, match=r"expects \(n, 30\) as in training, found \(60, 29\)"):
        TwoDimensionalLDA(2, 2, shape=(6, 5)).fit(X, y).transform(X[:, 1:])
