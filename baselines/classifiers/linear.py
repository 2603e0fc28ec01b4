"""Linear support vector machine solved by matrix products, and the projection that shortens wide data exactly."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import qr
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin, clone
from sklearn.exceptions import ConvergenceWarning

from .newton import Array, Solve, back, conjugate_gradients, leading_spectrum, preconditioner, with_constant

__all__ = ["LinearSVM", "OrthonormalBasis"]


class OrthonormalBasis(TransformerMixin, BaseEstimator):
    """Coordinates in the space spanned by the training rows, where there are far fewer rows than features.

    An isometry for training rows. The weights of a linear model with a squared penalty lie in that space
    (representer theorem), so its decision values are unchanged; those of a kernel or a distance are not. With more
    than an eighth as many rows as features, finding the space costs more than it saves, and features are passed on
    as they are.

    Attributes
    ----------
    basis_ : (d, r) float32 or None
        Orthonormal columns; None where features are passed on.
    """

    def fit(self, X: NDArray[np.float32], y: Any = None) -> Self:
        """Find an orthonormal basis of the rows of X (n, d)."""
        n, d = X.shape
        self.basis_ = qr(X.T, mode="economic", check_finite=False)[0] if 8 * n <= d else None
        return self

    def transform(self, X: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return (n, r) coordinates, or X itself."""
        return X if self.basis_ is None else X @ self.basis_


@dataclass
class _State:
    """Weights (d + 1, k), their decision values (n, k) and objectives (k,)."""

    weights: Array
    decisions: Array
    objective: NDArray[np.float64]


class LinearSVM(ClassifierMixin, BaseEstimator):
    """Linear support vector machine: squared hinge loss, squared penalty, one class against the rest.

    The optimum is that of ``sklearn.svm.LinearSVC`` with the same ``C``: the bias is a weight of a constant
    feature 1 and is penalised like the others. All classes are solved together by Newton steps with conjugate
    gradients (Keerthi and DeCoste, JMLR 6, 2005; Chapelle, Neural Computation 19(5), 2007,
    doi 10.1162/neco.2007.19.5.1155), whose whole work is products with the feature matrix, preconditioned as told in
    `fer_bench.baselines.classifiers.newton`. Nothing is drawn.

    Parameters
    ----------
    C : float
        Weight of the losses against the penalty.
    tol : float
        A class is solved when the norm of its gradient has fallen to ``tol`` times that at zero weights.
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

    def __init__(self, C: float = 1.0, tol: float = 1e-5, max_iter: int = 100) -> None:
        self.C = C
        self.tol = tol
        self.max_iter = max_iter

    def fit(self, X: Array, y: NDArray[np.int64]) -> Self:
        """Learn from features (n, d) and labels (n,); warns where ``max_iter`` was not enough."""
        features = with_constant(X)
        return self._solve(features, y, preconditioner(leading_spectrum(features), 2 * self.C, 1.0))

    def fit_holding_out(
        self, X: Array, y: NDArray[np.int64], inner: NDArray[np.intp], held: NDArray[np.intp]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Fit on all rows, and tell what a model that knows ``inner`` alone decides on ``held``.

        The inner model comes first. It is a start for the whole one, and so is its preconditioner, with its weight
        raised by the share of rows: both say where the search begins and how fast it goes, not where it ends.

        Returns
        -------
        (k,) int64, (len(held), k) float64
            The inner model's classes and decision values.
        """
        features = with_constant(X)
        part = features[inner]
        solve = preconditioner(leading_spectrum(part), 2 * self.C * len(X) / len(inner), 1.0)
        model = clone(self)._solve(part, y[inner], solve)
        self._solve(features, y, solve, start=model)
        decided = model.decision_function(X[held]).astype(np.float64)
        return model.classes_, decided

    def fit_path(self, X: Array, y: NDArray[np.int64], settings: Sequence[Mapping[str, Any]]) -> list[LinearSVM]:
        """Fit a clone for each setting, in rising order of C, each started from the one before."""
        features = with_constant(X)
        spectrum = leading_spectrum(features)
        models = [clone(self).set_params(**setting) for setting in settings]
        before: LinearSVM | None = None
        for model in sorted(models, key=lambda m: m.C):
            before = model._solve(features, y, preconditioner(spectrum, 2 * model.C, 1.0), start=before)
        return models

    def decision_function(self, X: Array) -> Array:
        """Return (n, k) signed distances in units of the margin, also for two classes."""
        return X @ self.coef_.T + self.intercept_

    def predict(self, X: Array) -> NDArray[np.int64]:
        """Return (n,) classes of the largest decision value."""
        return self.classes_[np.argmax(self.decision_function(X), axis=1)]

    def _solve(self, features: Array, y: NDArray[np.int64], solve: Solve, start: LinearSVM | None = None) -> Self:
        """Learn from features with their constant column, wherever the search starts."""
        self.classes_ = np.unique(y)
        signs = np.where(y[:, None] == self.classes_, 1, -1).astype(features.dtype)
        # The gradient at zero weights, which convergence is measured by.
        first = np.linalg.norm((2 * self.C * back(features, signs)).astype(np.float64), axis=0)
        state = self._start(features, signs, start)
        for iteration in range(self.max_iter + 1):
            self.n_iter_ = iteration
            gradient = self._gradient(features, signs, state)
            norms = np.linalg.norm(gradient.astype(np.float64), axis=0)
            live = norms > self.tol * first
            if not live.any():
                break
            if iteration == self.max_iter:
                warnings.warn(f"LinearSVM: {self.max_iter} Newton steps did not reach tol {self.tol}; "
                              "raise max_iter or lower C", ConvergenceWarning, stacklevel=2)  # fmt: skip
                break
            forcing = np.minimum(0.1, np.sqrt(norms / np.maximum(first, np.finfo(np.float64).tiny)))
            step, along = self._newton_step(features, signs, state, gradient, forcing * norms, live, solve)
            state = self._line_search(signs, state, gradient, step, along, live)
        self.coef_, self.intercept_ = state.weights[:-1].T.copy(), state.weights[-1].copy()
        return self

    def _start(self, features: Array, signs: Array, start: LinearSVM | None) -> _State:
        n, k = signs.shape
        if start is None or not np.array_equal(start.classes_, self.classes_):
            weights = np.zeros((features.shape[1], k), features.dtype)
            return _State(weights, np.zeros_like(signs), np.full(k, float(self.C) * n))
        weights = np.concatenate([start.coef_.T, start.intercept_[None, :]])
        decisions = features @ weights
        return _State(weights, decisions, self._objective(signs, weights, decisions))

    def _objective(self, signs: Array, weights: Array, decisions: Array) -> NDArray[np.float64]:
        slack = np.maximum(0, 1 - signs * decisions)
        penalty = np.square(weights).sum(axis=0, dtype=np.float64) / 2
        return penalty + self.C * np.square(slack).sum(axis=0, dtype=np.float64)

    def _gradient(self, features: Array, signs: Array, state: _State) -> Array:
        residual = np.where(signs * state.decisions < 1, state.decisions - signs, 0)
        return state.weights + np.asarray(2 * self.C, features.dtype) * back(features, residual)

    def _newton_step(
        self,
        features: Array,
        signs: Array,
        state: _State,
        gradient: Array,
        target: NDArray[np.float64],
        live: NDArray[np.bool_],
        solve: Solve,
    ) -> tuple[Array, Array]:
        """Solve Hessian @ step = -gradient for all classes at once, each until its residual is under its target."""
        active = (signs * state.decisions < 1).astype(features.dtype)
        twice = np.asarray(2 * self.C, features.dtype)

        def product(direction: Array) -> tuple[Array, Array]:
            moved = features @ direction
            return direction + twice * back(features, active * moved), moved

        return conjugate_gradients(product, gradient, target, live, solve)

    def _line_search(
        self, signs: Array, state: _State, gradient: Array, step: Array, along: Array, live: NDArray[np.bool_]
    ) -> _State:
        """Halve the steps of the classes whose objective did not fall enough; needs no product with features."""
        slope = (gradient * step).sum(axis=0, dtype=np.float64)
        length = live.astype(step.dtype)
        for _ in range(_MAX_HALVINGS):
            weights, decisions = state.weights + length * step, state.decisions + length * along
            objective = self._objective(signs, weights, decisions)
            # the last term: what rounding may add near the optimum
            limit = state.objective + 1e-4 * length * slope + 1e-6 * np.abs(state.objective)
            high = live & (objective > limit)
            if not high.any():
                break
            length[high] /= 2
        return _State(weights, decisions, objective)


_MAX_HALVINGS = 20
