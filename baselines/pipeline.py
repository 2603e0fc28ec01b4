"""A classical method: images, features, scaling, classifier, probabilities."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from fer_bench.errors import InputError
from fer_bench.labels import EMOTION_NAMES, N_CLASSES
from fer_bench.methods import check_images, check_labels, check_landmarks

from .classifiers.registry import make_classifier, prepared_feature
from .classifiers.temperature import decision_matrix, fit_with_temperature, tempered
from .tuning import search

__all__ = ["FacePipeline"]


class FacePipeline(ClassifierMixin, BaseEstimator):
    """Classify grey face images by a hand-made feature and a shallow classifier.

    A scikit-learn classifier over images (n, h, w) uint8, or over landmarks (n, 68, 2) float32 where the feature is
    made from these; see `fer_bench.methods.Method` for the contract.

    Parameters
    ----------
    features : str
        A name in `fer_bench.baselines.features.registry.FEATURES`, several joined by "+", ``"2dlda"``, or
        ``"module:object"`` for a `Feature` of another package.
    classifier : str
        A name in `fer_bench.baselines.classifiers.registry.CLASSIFIERS`, or ``"module:function"`` of another package.
    classifier_params : dict, optional
        Parameters of the final estimator that replace the documented defaults, such as ``{"C": 10.0}``.
    grid : dict of lists, optional
        Values of the final estimator's parameters to choose from by inner cross-validation over people, such as
        ``{"C": [1.0, 10.0]}``; see `fer_bench.baselines.tuning`. Without it nothing is searched for.
    random_state : int
        Seed of everything that draws.

    Attributes
    ----------
    classes_ : (7,) int64
        0..6 always; a class missing from training gets probability zero.
    estimator_ : sklearn.pipeline.Pipeline
        Scaling, projection and classifier, fitted.
    temperature_ : float
        Divides the decision values of classifiers without probabilities; 1.0 for the others.
    warnings_ : list of str
        What fitting complained about, such as a solver that did not converge, a class without training images or
        features that never vary.
    tuned_ : dict
        What was chosen from the grid and how; empty without one.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> images = rng.integers(0, 256, (28, 16, 16), dtype=np.uint8)
    >>> labels = np.arange(28) % 7
    >>> FacePipeline("pixels", "knn").fit(images, labels).predict_proba(images).shape
    (28, 7)
    """

    def __init__(
        self,
        features: str = "lbp",
        classifier: str = "linear_svc",
        classifier_params: dict[str, Any] | None = None,
        grid: Mapping[str, Sequence[Any]] | None = None,
        random_state: int = 0,
    ) -> None:
        self.features = features
        self.classifier = classifier
        self.classifier_params = classifier_params
        self.grid = grid
        self.random_state = random_state

    def prepare_key(self) -> str:
        """Name the label-free computation, the same for every classifier on these features."""
        return prepared_feature(self.features).key

    def prepare(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return (n, d) float32 features; row i depends on image i alone.

        Raises
        ------
        InputError
            The images are not grey uint8 (n, h, w), or too small for the feature.
        """
        return prepared_feature(self.features).extract(self._checked(images))

    def _checked(self, images: NDArray[Any], like: tuple[int, ...] | None = None) -> NDArray[Any]:
        if prepared_feature(self.features).landmarks:
            return check_landmarks(images)
        return check_images(images, channels=1, like=like)

    def fit(self, images: NDArray[np.uint8], labels: NDArray[np.int64], *, groups: NDArray[Any] | None = None) -> Self:
        """Learn from grey images.

        Parameters
        ----------
        images : (n, h, w) uint8
        labels : (n,) int
            0..6, at least two classes among them.
        groups : (n,) array, optional
            Who is on each image. Used to fit the temperature on people held out; without it, on images held out.

        Raises
        ------
        InputError
            What was expected and what was found.
        """
        images = self._checked(images)
        check_labels(labels, len(images))
        self.fit_prepared(self.prepare(images), labels, groups=groups)
        self.image_shape_ = images.shape[1:]
        return self

    def predict_proba(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Return (n, 7) probabilities of grey images (n, h, w) like those fitted on.

        Raises
        ------
        InputError
            The images have another shape or type than those that ``fit`` saw.
        """
        check_is_fitted(self, "estimator_")
        images = self._checked(images, like=getattr(self, "image_shape_", None))
        return self.predict_proba_prepared(self.prepare(images))

    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Return (n,) labels: the class of the highest probability, the first of equals."""
        return self.classes_[np.argmax(self.predict_proba(images), axis=1)]

    def fit_prepared(
        self, features: NDArray[np.float32], labels: NDArray[np.int64], *, groups: NDArray[Any] | None = None
    ) -> Self:
        """Learn from what ``prepare`` returned; equal to ``fit`` on the images themselves.

        Raises
        ------
        InputError
            Features, labels and groups do not fit together, or all rows are the same.
        """
        features = _check_features(features)
        y = check_labels(labels, len(features))
        people = None if groups is None else np.asarray(groups)
        if people is not None and people.shape != y.shape:
            raise InputError(f"groups: expected {len(y)} names, one an image, found shape {people.shape}")
        if (features == features[0]).all():
            raise InputError(f"features: expected training images that differ, found {len(y)} images all alike")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            notes = [*_remarks(features, y), *self._tune_and_fit(features, y, people)]
        self.warnings_ = list(dict.fromkeys([*notes, *(str(warning.message).split("\n")[0] for warning in caught)]))
        self.classes_ = np.arange(N_CLASSES)
        self.n_features_in_ = features.shape[1]
        if hasattr(self, "image_shape_"):  # of an earlier fit
            del self.image_shape_
        return self

    def _tune_and_fit(
        self, features: NDArray[np.float32], y: NDArray[np.int64], people: NDArray[Any] | None
    ) -> list[str]:
        """Choose parameters where there is a grid, and fit with them."""
        build = partial(make_classifier, self.classifier, self.features, random_state=self.random_state)
        params, notes = dict(self.classifier_params or {}), []
        self.tuned_: dict[str, Any] = {}
        if self.grid:
            found = search(partial(build, params), self.grid, features, y, people, self.random_state)
            params |= found.params
            self.tuned_, notes = found.record(), list(found.notes)
        return notes + self._fit(build(params, n_train=len(y)), features, y, people)

    def _fit(
        self, pipeline: Any, features: NDArray[np.float32], y: NDArray[np.int64], people: NDArray[Any] | None
    ) -> list[str]:
        """Fit the steps before the classifier, the classifier, and the temperature where one is needed.

        The temperature's split comes after the steps that know no labels, which are then fitted once; a step that is
        learnt from labels is learnt anew without the people held out.
        """
        self.estimator_, self.temperature_ = pipeline, 1.0
        if hasattr(pipeline[-1], "predict_proba"):
            pipeline.fit(features, y)
            return []
        label_free = 0 if "learn" in pipeline.named_steps else len(pipeline) - 1
        X = pipeline[:label_free].fit_transform(features, y) if label_free else features
        head = pipeline[-1] if label_free else pipeline
        self.temperature_, note = fit_with_temperature(head, X, y, people, self.random_state)
        return [note] if note else []

    def predict_proba_prepared(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return (n, 7) probabilities from what ``prepare`` returned.

        Raises
        ------
        InputError
            The number of features is not that of training.
        """
        check_is_fitted(self, "estimator_")
        features = _check_features(features)
        if features.shape[1] != self.n_features_in_:
            raise InputError(f"features: expected {self.n_features_in_} columns, found {features.shape[1]}")
        if hasattr(self.estimator_[-1], "predict_proba"):
            known = np.asarray(self.estimator_.predict_proba(features), dtype=np.float64)
        else:
            known = tempered(decision_matrix(self.estimator_, features), self.temperature_)
        probabilities = np.zeros((len(features), N_CLASSES))
        probabilities[:, self.estimator_[-1].classes_] = known / known.sum(axis=1, keepdims=True)
        return probabilities


def _check_features(features: Any) -> NDArray[np.float32]:
    array = np.asarray(features)
    if array.ndim != 2 or array.dtype != np.float32 or len(array) == 0:
        raise InputError(f"features: expected float32 of shape (n, d), found {array.dtype} of shape {array.shape}")
    return array


def _remarks(features: NDArray[np.float32], y: NDArray[np.int64]) -> list[str]:
    """What a reader of the trial's record should know about its training images."""
    counts = np.bincount(y, minlength=N_CLASSES)
    notes = []
    for n, told in ((0, "no training image of {}: never predicted"), (1, "only one training image of {}")):
        names = [emotion for emotion, count in zip(EMOTION_NAMES, counts, strict=True) if count == n]
        notes += [told.format(", ".join(names))] if names else []
    constant = int((features.max(axis=0) == features.min(axis=0)).sum())
    if constant:
        notes.append(f"{constant} of {features.shape[1]} features are the same in all training images and tell nothing")
    return notes
