"""Multinomial logistic regression by Newton steps with preconditioned conjugate gradients."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, softmax
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.exceptions import ConvergenceWarning

from .newton import Array, Spectrum, back, conjugate_gradients, leading_spectrum, preconditioner, with_constant

__all__ = ["MultinomialRegression"]


class MultinomialRegression(ClassifierMixin, BaseEstimator):
    """Multinomial logistic regression with a squared penalty on all weights but the biases.

    The optimum is that of ``sklearn.linear_model.LogisticRegression`` with the same ``C``. L-BFGS needs hundreds of
    passes over the features to come as near to it; Newton steps (Lin, Weng and Keerthi, JMLR 9, 2008), preconditioned
    as told in `fer_bench.baselines.classifiers.newton`, need some dozens.

    Parameters
    ----------
    C : float
        Weight of the losses against the penalty.
    tol : float
        Solved when no component of the gradient of the mean loss, with the penalty over ``C n``, exceeds it.
    max_iter : int
        Bound on Newton steps; fewer than ten are usual.

    Attributes
    ----------
    classes_ : (k,) int
    coef_ : (k, d) float32
    intercept_ : (k,) float32
    n_iter_ : int
        Newton steps taken.
    """

    def __init__(self, C: float = 10.0, tol: float = 1e-5, max_iter: int = 50) -> None:
        self.C = C
        self.tol = tol
        self.max_iter = max_iter

    def fit(self, X: Array, y: NDArray[np.int64]) -> Self:
        """Learn from features (n, d) and labels (n,); warns where ``max_iter`` was not enough."""
        features = with_constant(X)
        return self._solve(features, y, leading_spectrum(features))

    def fit_path(
        self, X: Array, y: NDArray[np.int64], settings: Sequence[Mapping[str, Any]]
    ) -> list[MultinomialRegression]:
        """Fit a clone for each setting, in rising order of C, each started from the one before."""
        features = with_constant(X)
        spectrum = leading_spectrum(features)
        models = [clone(self).set_params(**setting) for setting in settings]
        before: MultinomialRegression | None = None
        for model in sorted(models, key=lambda m: m.C):
            before = model._solve(features, y, spectrum, start=before)
        return models

    def decision_function(self, X: Array) -> Array:
        """Return (n, k) logits, also for two classes."""
        return X @ self.coef_.T + self.intercept_

    def predict_proba(self, X: Array) -> NDArray[np.float64]:
        """Return (n, k) probabilities."""
        return np.asarray(softmax(self.decision_function(X).astype(np.float64), axis=1))

    def predict(self, X: Array) -> NDArray[np.int64]:
        """Return (n,) classes of the highest probability."""
        return self.classes_[np.argmax(self.decision_function(X), axis=1)]

    def _solve(
        self, features: Array, y: NDArray[np.int64], spectrum: Spectrum, start: MultinomialRegression | None = None
    ) -> Self:
        """Minimise the mean loss plus |w|^2 / (2 C n), features with their constant column."""
        self.classes_: NDArray[np.int64]
        self.classes_, column = np.unique(y, return_inverse=True)
        n, k = len(features), len(self.classes_)
        truth = np.zeros((n, k), features.dtype)
        truth[np.arange(n), column] = 1
        ridge = np.full((features.shape[1], 1), 1 / (self.C * n), features.dtype)
        ridge[-1] = 0  # the biases
        weights = np.zeros((features.shape[1], k), features.dtype)
        if start is not None and np.array_equal(start.classes_, self.classes_):
            weights = np.concatenate([start.coef_.T, start.intercept_[None, :]])
        # p (1 - p) at equal probabilities, the largest mean curvature that will be met
        solve = preconditioner(spectrum, (k - 1) / k**2 / n, 1 / (self.C * n))
        logits = features @ weights
        for iteration in range(self.max_iter + 1):
            self.n_iter_ = iteration
            proba = np.asarray(softmax(logits, axis=1), dtype=features.dtype)
            gradient = back(features, (proba - truth) / np.float32(n)) + ridge * weights
            largest = float(np.abs(gradient).max())
            if largest <= self.tol:
                break
            if iteration == self.max_iter:
                warnings.warn(f"logistic regression: {self.max_iter} Newton steps did not converge to tol {self.tol}; "
                              "raise max_iter or lower C", ConvergenceWarning, stacklevel=2)  # fmt: skip
                break
            step, along = self._newton_step(features, proba, gradient, ridge, solve)
            weights, logits = _line_search(weights, logits, step, along, truth, ridge, gradient)
        self.coef_: Array = weights[:-1].T.copy()
        self.intercept_: Array = weights[-1].copy()
        return self

    def _newton_step(
        self, features: Array, proba: Array, gradient: Array, ridge: Array, solve: Any
    ) -> tuple[Array, Array]:
        n = np.float32(len(features))

        def product(direction: Array) -> tuple[Array, Array]:
            moved: Array = (features @ direction).reshape(len(features), -1)
            weighted: Array = proba * moved / n
            weighted -= proba * weighted.sum(axis=1, keepdims=True)
            return (back(features, weighted) + ridge * direction).reshape(-1, 1), moved.reshape(-1, 1)

        # The classes are coupled, so all weights are one column for the conjugate gradients.
        d, k = gradient.shape
        norm = float(np.linalg.norm(gradient))
        step, along = conjugate_gradients(
            lambda direction: product(direction.reshape(d, k)),
            gradient.reshape(-1, 1),
            np.array([min(0.1, np.sqrt(norm)) * norm]),
            np.array([True]),
            lambda right: solve(right.reshape(d, k)).reshape(-1, 1),
        )
        return step.reshape(d, k), along.reshape(len(features), k)


def _objective(weights: Array, logits: Array, truth: Array, ridge: Array) -> float:
    loss = -float((truth * log_softmax(logits, axis=1)).sum(dtype=np.float64)) / len(truth)
    return loss + float((ridge * np.square(weights)).sum(dtype=np.float64)) / 2


def _line_search(
    weights: Array, logits: Array, step: Array, along: Array, truth: Array, ridge: Array, gradient: Array
) -> tuple[Array, Array]:
    """Halve the step until the objective falls enough; needs no product with features."""
    slope = float((gradient * step).sum(dtype=np.float64))
    before = _objective(weights, logits, truth, ridge)
    length = np.float32(1)
    for _ in range(_MAX_HALVINGS):
        ahead, there = weights + length * step, logits + length * along
        # the last term: what rounding may add near the optimum
        if _objective(ahead, there, truth, ridge) <= before + 1e-4 * float(length) * slope + 1e-7 * abs(before):
            break
        length /= 2
    return ahead, there


_MAX_HALVINGS = 20
