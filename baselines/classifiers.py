"""Classifiers over features, each a scikit-learn pipeline with stated parameters.

Parameters are fixed, not tuned; the reason stands beside each. To add one: a function here that returns the
pipeline's last step or steps, and a line in `CLASSIFIERS`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC, LinearSVC

from fer_bench.errors import InputError

from .features import find_feature
from .scaling import SquareRoot, UnitScaler

__all__ = ["CLASSIFIERS", "make_classifier"]

Steps = list[tuple[str, Any]]


def _scaled(features: str) -> Steps:
    """Rows of mean squared length one: standardised values, or square roots of frequencies."""
    return [("scale", SquareRoot() if find_feature(features).histogram else UnitScaler())]


def linear_svc(features: str, random_state: int, n: int) -> Steps:
    """Linear support vector machine, squared hinge loss, one against the rest."""
    return [*_scaled(features), ("classify", LinearSVC(C=1.0, dual=True, random_state=random_state, max_iter=2000))]


def rbf_svc(features: str, random_state: int, n: int) -> Steps:
    """Support vector machine with a Gaussian kernel; gamma 1 is ``"scale"`` on rows of unit length."""
    return [*_scaled(features), ("classify", SVC(C=10.0, gamma=1.0, break_ties=True))]


def knn(features: str, random_state: int, n: int) -> Steps:
    """Five nearest neighbours, weighted by inverse distance."""
    return [*_scaled(features), ("classify", KNeighborsClassifier(5, weights="distance", algorithm="brute"))]


CLASSIFIERS: dict[str, Callable[[str, int, int], Steps]] = {
    "linear_svc": linear_svc,
    "rbf_svc": rbf_svc,
    "knn": knn,
}


def make_classifier(
    name: str, features: str, params: dict[str, Any] | None, random_state: int, n_train: int
) -> Pipeline:
    """Build the unfitted pipeline of scaling, projection and classifier.

    Parameters
    ----------
    name : str
        A name in `CLASSIFIERS`.
    features : str
        A name in `fer_bench.baselines.features.FEATURES`; decides the scaling.
    params : dict or None
        Parameters of the last step that replace its defaults.
    random_state : int
        Seed of every step that draws.
    n_train : int
        Number of training rows, which bounds projections.

    Raises
    ------
    InputError
        No such classifier, features or parameter.
    """
    if name not in CLASSIFIERS:
        raise InputError(f"classifier: expected one of {', '.join(CLASSIFIERS)}, found {name!r}")
    steps = CLASSIFIERS[name](features, random_state, n_train)
    last = steps[-1][1]
    unknown = sorted(set(params or {}) - set(last.get_params()))
    if unknown:
        known = ", ".join(sorted(last.get_params()))
        raise InputError(f"classifier_params: {name} takes {known}, found {', '.join(unknown)}")
    last.set_params(**(params or {}))
    return Pipeline(steps)
