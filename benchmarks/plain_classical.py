"""The classical pipelines as anyone would write them with scikit-learn: the reference for parity and for speed.

Each takes its parameters from our pipeline and nothing else: scikit-learn's own scalers, projections and classifiers,
one fit a fold, no sharing. Two-dimensional LDA, which no library has, is ours on both sides.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin, clone
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics.pairwise import additive_chi2_kernel, rbf_kernel
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC, LinearSVC

from fer_bench.baselines.classifiers.registry import make_classifier, prepared_feature

__all__ = ["PLAIN_TOLERANCES", "plain_pipeline"]

CENTRED = ("linear_svc", "rbf_svc", "logreg")
"""Classifiers whose roots of frequencies are taken about the mean."""
PLAIN_TOLERANCES = "LinearSVC tol 1e-5, LogisticRegression tol 1e-5"


def _divide(X: NDArray[Any], by: float) -> NDArray[Any]:
    return X / np.float32(by)


def _root(X: NDArray[Any], cells: float) -> NDArray[Any]:
    return np.sqrt(X) / np.float32(np.sqrt(cells))


class _UnitVariance(TransformerMixin, BaseEstimator):
    """Rows about their mean, divided by the root of the number of parts and of their own total variance."""

    def __init__(self, parts: int = 1) -> None:
        self.parts = parts

    def fit(self, X: NDArray[Any], y: Any = None) -> Self:
        self.centre_ = StandardScaler(with_std=False).fit(X)
        self.length_ = np.sqrt(X.var(axis=0, dtype=np.float64).sum() * self.parts)
        return self

    def transform(self, X: NDArray[Any]) -> NDArray[Any]:
        return self.centre_.transform(X) / np.float32(self.length_)


def _scaler(length: int, histogram: bool, cells: float, centred: bool, parts: int = 1) -> Any:
    """Standardised values, or roots of frequencies, over the root of their number."""
    if histogram and centred:
        return make_pipeline(FunctionTransformer(np.sqrt), _UnitVariance(parts))
    if histogram:
        return FunctionTransformer(_root, kw_args={"cells": cells * parts})
    return make_pipeline(StandardScaler(), FunctionTransformer(_divide, kw_args={"by": np.sqrt(length * parts)}))


def _cells(length: int) -> int:
    """Histograms in a row: LBP has 59 bins, LDP 56."""
    return length // (59 if length % 59 == 0 else 56)


def _scaling(features: str, d: int, centred: bool) -> Any:
    feature = prepared_feature(features)
    if not feature.parts:
        return _scaler(d, feature.histogram, _cells(d), centred)
    ends = np.cumsum([part.length for part in feature.parts])
    blocks = [
        (
            part.name,
            _scaler(part.length, part.histogram, _cells(part.length), True, len(ends)),
            slice(end - part.length, end),
        )
        for end, part in zip(ends.tolist(), feature.parts, strict=True)
    ]
    return ColumnTransformer(blocks)


class PlainChiSquare(ClassifierMixin, BaseEstimator):
    """Nearest neighbours on scikit-learn's chi-square distances."""

    def __init__(self, n_neighbors: int = 5) -> None:
        self.n_neighbors = n_neighbors

    def fit(self, X: NDArray[Any], y: NDArray[Any]) -> Self:
        self.rows_ = X.astype(np.float64)
        near = KNeighborsClassifier(min(self.n_neighbors, len(X)), weights="distance", metric="precomputed")
        self.near_ = near.fit(np.zeros((len(X), len(X))), y)
        return self

    def predict(self, X: NDArray[Any]) -> NDArray[Any]:
        return self.near_.predict(-additive_chi2_kernel(X.astype(np.float64), self.rows_))


class PlainRBFNetwork(ClassifierMixin, BaseEstimator):
    """k-means, Gaussian kernel to the centres, ridge regression on the classes."""

    def __init__(self, n_centres: int, spread: float, alpha: float, random_state: int) -> None:
        self.n_centres, self.spread, self.alpha, self.random_state = n_centres, spread, alpha, random_state

    def fit(self, X: NDArray[Any], y: NDArray[Any]) -> Self:
        m = min(self.n_centres, len(X) // 5)
        self.centres_ = KMeans(m, n_init=1, random_state=self.random_state).fit(X).cluster_centers_.astype(np.float64)
        apart = np.linalg.norm(self.centres_[:, None] - self.centres_, axis=2) + np.diag(np.full(m, np.inf))
        self.gamma_ = 1 / (2 * (self.spread * apart.min(axis=1).mean()) ** 2)
        self.classes_ = np.unique(y)
        self.ridge_ = Ridge(alpha=self.alpha).fit(self._units(X), y[:, None] == self.classes_)
        return self

    def _units(self, X: NDArray[Any]) -> NDArray[Any]:
        return rbf_kernel(X.astype(np.float64), self.centres_, self.gamma_)

    def predict(self, X: NDArray[Any]) -> NDArray[Any]:
        return self.classes_[self.ridge_.predict(self._units(X)).argmax(axis=1)]


class PlainFisher(ClassifierMixin, BaseEstimator):
    """Projection by discriminant analysis, then the nearest mean."""

    def fit(self, X: NDArray[Any], y: NDArray[Any]) -> Self:
        X = X.astype(np.float64)
        self.project_ = LinearDiscriminantAnalysis(solver="eigen").fit(X, y)
        self.near_ = NearestCentroid().fit(self._projected(X), y)
        return self

    def _projected(self, X: NDArray[Any]) -> NDArray[Any]:
        return self.project_.transform(X)[:, : len(self.project_.classes_) - 1]

    def predict(self, X: NDArray[Any]) -> NDArray[Any]:
        return self.near_.predict(self._projected(X.astype(np.float64)))


def plain_pipeline(classifier: str, features: str, n_train: int, d: int, random_state: int = 0) -> Pipeline:
    """Build the unfitted pipeline over rows of features (n, d), with our parameters.

    Parameters
    ----------
    classifier, features : str
        As in `fer_bench.baselines.pipeline.FacePipeline`.
    n_train, d : int
        Training rows and features, which bound projections.
    """
    ours = make_classifier(classifier, features, None, random_state=random_state, n_train=n_train)
    last = ours[-1]
    heads = {
        "linear_svc": lambda: LinearSVC(C=last.C, dual=True, tol=1e-5, max_iter=100_000, random_state=random_state),
        "rbf_svc": lambda: SVC(C=last.C, gamma=last.gamma, break_ties=True),
        "lda": lambda: LinearDiscriminantAnalysis(solver="lsqr", shrinkage=last.shrinkage),
        "logreg": lambda: LogisticRegression(C=last.C, tol=1e-5, max_iter=10_000),
        "fisher": PlainFisher,
        "knn_chi2": lambda: PlainChiSquare(last.n_neighbors),
        "rbf_network": lambda: PlainRBFNetwork(last.n_centres, last.spread, last.alpha, random_state),
    }
    steps: list[tuple[str, Any]] = []
    for name, step in ours.steps[:-1]:
        if name == "scale":
            learnt = "learn" in ours.named_steps
            size = ours["learn"].rows * ours["learn"].columns if learnt else d
            steps.append(
                (name, _scaler(size, False, 1, False) if learnt else _scaling(features, d, classifier in CENTRED))
            )
        elif name != "reduce":
            steps.append((name, clone(step)))
    return Pipeline([*steps, ("classify", heads.get(classifier, lambda: clone(last))())])
