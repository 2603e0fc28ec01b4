"""The choice of parameters inside a training fold."""

from typing import ClassVar

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.pipeline import Pipeline

from fer_bench.baselines.classifiers.discriminant import ShrinkageLDA
from fer_bench.baselines.classifiers.kernel import GaussianSVM
from fer_bench.baselines.classifiers.linear import LinearSVM
from fer_bench.baselines.classifiers.logistic import MultinomialRegression
from fer_bench.baselines.pipeline import FacePipeline
from fer_bench.baselines.tuning import search, settings
from fer_bench.errors import InputError


class Spy(ClassifierMixin, BaseEstimator):
    """Remembers the rows it learnt from and was asked about; right on a share of rows that its parameter is."""

    seen: ClassVar[list[tuple[np.ndarray, np.ndarray]]] = []

    def __init__(self, skill=0):
        self.skill = skill

    def fit(self, X, y):
        self.learnt_ = X[:, 0].astype(int)
        return self

    def predict(self, X):
        asked = X[:, 0].astype(int)
        Spy.seen.append((self.learnt_, asked))
        return np.where(np.arange(len(X)) % 10 < self.skill, X[:, 1].astype(int), -1)


def spied(people=9, each=14):
    """Rows (number of the image, label), labels and people; images of the test fold are numbered from 1,000."""
    labels = np.tile(np.arange(7), people * each // 7)
    rows = np.column_stack([np.arange(len(labels)), labels]).astype(np.float32)
    return rows, labels, np.repeat(np.arange(people), each)


def test_inner_folds_never_split_a_person_nor_see_an_image_twice():
    """Whoever is asked about was not learnt from, every training image is asked about once, and no other image is."""
    Spy.seen.clear()
    X, y, people = spied()
    search(lambda n_train: Pipeline([("classify", Spy())]), {"skill": [3]}, X, y, people, 0)
    assert len(Spy.seen) == 3
    for learnt, asked in Spy.seen:
        assert not set(people[learnt]) & set(people[asked])
        assert len(learnt) + len(asked) == len(y)
    assert sorted(np.concatenate([asked for _, asked in Spy.seen])) == list(range(len(y)))


def test_the_search_inside_a_method_sees_training_images_alone(monkeypatch):
    """A spy in place of the search's own eyes: the rows it gets are those of fit, none of those predicted."""
    from fer_bench.baselines import pipeline as module

    got = []

    def watching(build, grid, X, y, groups, random_state):
        got.append((X.copy(), groups.copy()))
        return search(build, grid, X, y, groups, random_state)

    monkeypatch.setattr(module, "search", watching)
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 255, (84, 16, 16), dtype=np.uint8), np.arange(84) % 7
    people = np.arange(84) // 7
    method = FacePipeline("pixels", "linear_svc", grid={"C": [0.1, 1.0]})
    method.fit(images[:70], labels[:70], groups=people[:70]).predict_proba(images[70:])
    ((rows, names),) = got
    np.testing.assert_array_equal(rows, method.prepare(images[:70]))
    np.testing.assert_array_equal(names, people[:70])


def test_the_best_setting_is_chosen_and_everything_tried_is_told():
    """The highest share of right answers wins, the first of equals, and the record holds all of them."""
    X, y, people = spied()
    found = search(lambda n_train: Pipeline([("classify", Spy())]), {"skill": [2, 7, 7.0, 4]}, X, y, people, 0)
    assert found.params == {"skill": 7}
    assert isinstance(found.params["skill"], int)
    record = found.record()
    assert [entry["params"]["skill"] for entry in record["tried"]] == [2, 7, 7.0, 4]
    assert record["inner_folds"] == 3
    assert record["tried"][0]["accuracy"] < record["tried"][3]["accuracy"] < record["tried"][1]["accuracy"]


def test_what_is_chosen_is_what_is_fitted():
    """The parameters in tuned_ are those of the fitted classifier, and reach it beside fixed ones."""
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 255, (84, 16, 16), dtype=np.uint8), np.arange(84) % 7
    method = FacePipeline("pixels", "knn", {"weights": "uniform"}, grid={"n_neighbors": [1, 9]})
    method.fit(images, labels, groups=np.arange(84) // 7)
    assert method.tuned_["params"]["n_neighbors"] == method.estimator_[-1].n_neighbors
    assert method.estimator_[-1].weights == "uniform"
    assert FacePipeline("pixels", "knn").fit(images, labels).tuned_ == {}


def test_where_nothing_can_be_tried_the_defaults_are_used_and_it_is_said():
    """One person leaves no inner fold; images alone are drawn with a remark."""
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 255, (28, 16, 16), dtype=np.uint8), np.arange(28) % 7
    alone = FacePipeline("pixels", "knn", grid={"n_neighbors": [1, 3]}).fit(images, labels, groups=np.zeros(28))
    assert alone.tuned_["params"] == {}
    assert any("too few for inner folds" in text for text in alone.warnings_)
    nameless = FacePipeline("pixels", "knn", grid={"n_neighbors": [1, 3]}).fit(images, labels)
    assert any("images were drawn" in text for text in nameless.warnings_)


def test_flawed_grids_are_refused_in_words():
    """A parameter that is none, and values that are no list, are told with what is expected."""
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 255, (28, 16, 16), dtype=np.uint8), np.arange(28) % 7
    for grid, text in (
        ({"k": [1]}, "n_neighbors.*found k"),
        ({"n_neighbors": 3}, "list of values"),
        ({"n_neighbors": []}, "list"),
    ):
        with pytest.raises(InputError, match=text):
            FacePipeline("pixels", "knn", grid=grid).fit(images, labels, groups=np.arange(28) // 7)


def test_settings_are_every_combination():
    """Two by three values give six settings, in the grid's order."""
    found = settings({"C": [1, 2], "gamma": [0.1, 0.2, 0.3]})
    assert len(found) == 6
    assert found[0] == {"C": 1, "gamma": 0.1}
    assert found[-1] == {"C": 2, "gamma": 0.3}


@pytest.mark.parametrize(
    ("model", "grid"),
    [
        (LinearSVM(tol=1e-6), {"C": [10.0, 0.1, 1.0]}),
        (MultinomialRegression(), {"C": [100.0, 1.0]}),
        (GaussianSVM(), {"C": [1.0, 10.0], "gamma": [0.3, 1.0]}),
        (ShrinkageLDA(), {"shrinkage": [0.1, 0.6]}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_work_shared_by_settings_changes_no_answer(blobs, model, grid):
    """fit_path decides as a fit of each setting alone, in the order of the settings."""
    X, y = blobs(350, 60, spread=5)
    Z, _ = blobs(400, 60, spread=5, seed=1)
    tries = settings(grid)
    for fitted, params in zip(model.fit_path(X, y, tries), tries, strict=True):
        assert params.items() <= fitted.get_params().items()
        alone = clone(model).set_params(**params).fit(X, y)
        expected = alone.decision_function(Z)
        np.testing.assert_allclose(fitted.decision_function(Z), expected, atol=2e-3 * np.abs(expected).max())


@pytest.mark.parametrize(
    "model", [LinearSVM(tol=1e-6), GaussianSVM(), ShrinkageLDA(0.3)], ids=lambda m: type(m).__name__
)
@pytest.mark.parametrize("d", [30, 500])
def test_work_shared_with_the_inner_fit_changes_no_answer(blobs, model, d):
    """fit_holding_out gives the model that fit gives, and decisions of a model that knows the inner rows alone."""
    X, y = blobs(300, d, spread=4)
    Z, _ = blobs(200, d, spread=4, seed=1)
    inner, held = np.arange(0, 210), np.arange(210, 300)
    expected = clone(model).fit(X, y).decision_function(Z)
    part = clone(model).fit(X[inner], y[inner]).decision_function(X[held])
    shared = clone(model)
    classes, decided = shared.fit_holding_out(X, y, inner, held)
    np.testing.assert_array_equal(classes, np.arange(7))
    np.testing.assert_allclose(shared.decision_function(Z), expected, atol=2e-3 * np.abs(expected).max())
    np.testing.assert_allclose(decided, part, atol=2e-3 * np.abs(part).max())
