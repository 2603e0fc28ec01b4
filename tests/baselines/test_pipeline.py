"""Methods on whole images: classes, warnings, degenerate data, refusals."""

import numpy as np
import pytest
from sklearn.model_selection import GroupKFold, cross_val_score

from fer_bench.baselines.classifiers import registry
from fer_bench.baselines.classifiers.discriminant2d import TwoDimensionalLDA
from fer_bench.baselines.classifiers.registry import CLASSIFIERS
from fer_bench.baselines.pipeline import FacePipeline
from fer_bench.errors import InputError


def faces(n=84, size=24, seed=0):
    """Noise with a bright band whose place is the class; 14 images a person."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 7
    images = rng.integers(0, 120, (n, size, size))
    for image, label in zip(images, labels, strict=True):
        image[3 * label : 3 * label + 3] += 90
    return images.astype(np.uint8), labels, np.arange(n) // 14


LEARNING = [name for name in CLASSIFIERS if name != "majority"]


def features_for(classifier, features="pixels"):
    """Chi-square distances are of histograms; all others take anything."""
    return "lbp" if classifier == "knn_chi2" else features


@pytest.mark.parametrize("classifier", LEARNING)
def test_a_class_missing_from_training_gets_probability_zero(classifier):
    """Seven columns always; those of unseen classes are zero, the others sum to one."""
    images, labels, people = faces()
    for present in ([0, 2, 5], [1, 6]):
        kept = np.isin(labels, present)
        method = FacePipeline(features_for(classifier), classifier).fit(images[kept], labels[kept], groups=people[kept])
        probabilities = method.predict_proba(images)
        assert not np.delete(probabilities, present, axis=1).any()
        np.testing.assert_allclose(probabilities.sum(axis=1), 1)
        assert set(method.predict(images)) <= set(present)
        np.testing.assert_array_equal(method.classes_, np.arange(7))
        assert (method.predict(images[kept]) == labels[kept]).mean() > 0.6


@pytest.mark.parametrize("classifier", CLASSIFIERS)
def test_one_image_a_class_is_enough(classifier):
    """The smallest training set gives probabilities, and remarks in the record where there are any."""
    images, labels, _ = faces(7)
    method = FacePipeline(features_for(classifier, "dwt"), classifier).fit(images, labels)
    assert np.isfinite(method.predict_proba(images)).all()
    assert isinstance(method.warnings_, list)


@pytest.mark.parametrize("features", ["pixels", "dwt", "lbp"])
@pytest.mark.parametrize("classifier", CLASSIFIERS)
def test_images_that_are_nearly_all_black_do_no_harm(features, classifier):
    """One bright pixel in one image, and otherwise features without any variation, give finite probabilities."""
    images, labels, people = faces()
    black = np.zeros_like(images)
    black[5, 7, 7] = 255
    method = FacePipeline(features_for(classifier, features), classifier).fit(black, labels, groups=people)
    probabilities = method.predict_proba(images)
    assert np.isfinite(probabilities).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)


@pytest.mark.parametrize("features", ["pixels", "dwt", "lbp"])
def test_identical_images_are_refused(features):
    """Where no training image differs from another there is nothing to learn, and fit says so."""
    images, labels, _ = faces()
    with pytest.raises(InputError, match="expected training images that differ"):
        FacePipeline(features, "gnb").fit(np.zeros_like(images), labels)


def test_warnings_are_kept_and_not_shown(recwarn):
    """What a solver complains about is a text in warnings_, once, and nothing reaches the terminal."""
    images, labels, people = faces()
    method = FacePipeline("pixels", "logreg", {"max_iter": 1}).fit(images, labels, groups=people)
    assert sum("converge" in text for text in method.warnings_) == 1
    assert not recwarn.list
    assert FacePipeline("pixels", "logreg").fit(images, labels, groups=people).warnings_ == []


def test_the_record_says_what_the_training_images_lack():
    """Classes without or with one training image, and features that never vary, are remarks, one sentence each."""
    images, labels, people = faces()
    images[:, :5, :5] = 0
    kept = ~np.isin(labels, [1, 6])
    kept[np.flatnonzero(labels == 6)[0]] = True
    method = FacePipeline("pixels", "lda").fit(images[kept], labels[kept], groups=people[kept])
    assert "no training image of angry: never predicted" in method.warnings_
    assert "only one training image of surprised" in method.warnings_
    assert "25 of 576 features are the same in all training images and tell nothing" in method.warnings_
    assert FacePipeline("dwt", "lda").fit(*faces()[:2]).warnings_ == []


def test_the_floor_is_the_frequency_of_the_classes():
    """The majority class is predicted for anybody, with the shares of the training labels."""
    images, _, _ = faces(10)
    method = FacePipeline("pixels", "majority").fit(images, np.array([3, 3, 3, 3, 3, 0, 0, 6, 6, 5]))
    np.testing.assert_allclose(method.predict_proba(images), np.tile([0.2, 0, 0, 0.5, 0, 0.1, 0.2], (10, 1)))
    assert (method.predict(images) == 3).all()


def test_the_two_dimensional_projection_knows_nobody_who_is_held_out():
    """2D-LDA is learnt from labels, so the fit for the temperature learns it anew on its own people."""
    images, labels, people = faces(size=32)
    learnt = []

    class Watching(TwoDimensionalLDA):
        def fit(self, X, y):
            learnt.append(len(X))
            return super().fit(X, y)

    method = FacePipeline("2dlda", "linear_svc").fit(images, labels, groups=people)
    assert method.estimator_["learn"].left_.shape == (17, 12)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "TwoDimensionalLDA", Watching)
        FacePipeline("2dlda", "linear_svc").fit(images, labels, groups=people)
    assert sorted(learnt) == [56, 84]


def test_the_temperature_changes_no_prediction():
    """predict is the argmax of the bare classifier's decision values."""
    images, labels, people = faces()
    for classifier in ("linear_svc", "rbf_svc", "lda", "fisher"):
        method = FacePipeline("dwt", classifier).fit(images, labels, groups=people)
        bare = method.estimator_.decision_function(method.prepare(images))
        np.testing.assert_array_equal(method.predict(images), bare.argmax(axis=1))
        assert method.temperature_ != 1.0


def test_scikit_learn_cross_validates_it():
    """cross_val_score takes images and people as they are, and what can be learnt is learnt."""
    images, labels, people = faces()
    scores = cross_val_score(FacePipeline("pixels", "lda"), images, labels, groups=people, cv=GroupKFold(3))
    assert scores.shape == (3,)
    assert scores.mean() > 0.6


def test_what_is_learnt_comes_from_training_images_alone():
    """Scaling after fitting on some images is that of those images, whatever is predicted afterwards."""
    images, labels, people = faces()
    method = FacePipeline("pixels", "linear_svc").fit(images[:42], labels[:42], groups=people[:42])
    method.predict_proba(images[42:])
    expected = method.prepare(images[:42]).mean(axis=0)
    np.testing.assert_allclose(method.estimator_[0].mean_, expected, rtol=1e-5)


def test_parameters_reach_the_classifier():
    """classifier_params replace defaults of the last step and of no other."""
    images, labels, people = faces()
    method = FacePipeline("pixels", "linear_svc", {"C": 0.25}).fit(images, labels, groups=people)
    assert method.estimator_[-1].C == 0.25


def test_mistakes_are_refused_in_words():
    """Unknown names and parameters, and people that do not match images, are told with what is expected."""
    images, labels, people = faces(14)
    for method, groups, text in (
        (FacePipeline("pixels", "svm"), None, "expected one of linear_svc"),
        (FacePipeline("hogg", "knn"), None, "expected one of pixels"),
        (FacePipeline("pixels", "knn", {"k": 3}), None, "n_neighbors.*found k"),
        (FacePipeline("pixels", "knn"), people[:3], "expected 14 names"),
    ):
        with pytest.raises(InputError, match=text):
            method.fit(images, labels, groups=groups)


def test_prepared_features_are_checked():
    """Rows of another width or type than those of training are refused."""
    images, labels, people = faces()
    method = FacePipeline("pixels", "knn").fit(images, labels, groups=people)
    rows = method.prepare(images)
    with pytest.raises(InputError, match="expected 576 columns, found 575"):
        method.predict_proba_prepared(rows[:, 1:])
    with pytest.raises(InputError, match="expected float32"):
        method.predict_proba_prepared(rows.astype(np.float64))
