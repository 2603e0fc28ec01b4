"""Linear support vector machine solved by matrix products, and the projection that shortens wide data exactly."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import qr
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning

__all__ = ["LinearSVM", "RowSpace"]


class RowSpace(TransformerMixin, BaseEstimator):
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

    weights: NDArray[np.float32]
    decisions: NDArray[np.float32]
    objective: NDArray[np.float64]


class LinearSVM(ClassifierMixin, BaseEstimator):
    """Linear support vector machine: squared hinge loss, squared penalty, one class against the rest.

    The optimum is that of ``sklearn.svm.LinearSVC`` with the same ``C``: the bias is a weight of a constant
    feature 1 and is penalised like the others. All classes are solved together by Newton steps with conjugate
    gradients (Keerthi and DeCoste, JMLR 6, 2005; Chapelle, Neural Computation 19(5), 2007,
    doi 10.1162/neco.2007.19.5.1155), whose whole work is products with the feature matrix. On dense features
    that is about ten times faster than liblinear's pass over single rows. Nothing is drawn.

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

    def __init__(self, C: float = 1.0, tol: float = 1e-4, max_iter: int = 100) -> None:
        self.C = C
        self.tol = tol
        self.max_iter = max_iter

    def fit(self, X: NDArray[np.float32], y: NDArray[np.int64]) -> Self:
        """Learn from features (n, d) and labels (n,); warns where ``max_iter`` was not enough."""
        self.classes_ = np.unique(y)
        features = np.concatenate([X, np.ones((len(X), 1), X.dtype)], axis=1)
        signs = np.where(y[:, None] == self.classes_, 1, -1).astype(X.dtype)
        state = self._start(features, signs)
        first: NDArray[np.float64] | None = None
        for iteration in range(self.max_iter + 1):
            self.n_iter_ = iteration
            gradient = self._gradient(features, signs, state)
            norms = np.linalg.norm(gradient.astype(np.float64), axis=0)
            first = norms if first is None else first
            live = norms > self.tol * first
            if not live.any():
                break
            if iteration == self.max_iter:
                warnings.warn(f"LinearSVM: {self.max_iter} Newton steps did not reach tol {self.tol}; "
                              "raise max_iter or lower C", ConvergenceWarning, stacklevel=2)  # fmt: skip
                break
            forcing = np.minimum(0.1, np.sqrt(norms / np.maximum(first, np.finfo(np.float64).tiny)))
            step, along = self._newton_step(features, signs, state, gradient, forcing * norms, live)
            state = self._line_search(signs, state, gradient, step, along, live)
        self.coef_, self.intercept_ = state.weights[:-1].T.copy(), state.weights[-1].copy()
        return self

    def decision_function(self, X: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return (n, k) signed distances in units of the margin, also for two classes."""
        return X @ self.coef_.T + self.intercept_

    def predict(self, X: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return (n,) classes of the largest decision value."""
        return self.classes_[np.argmax(self.decision_function(X), axis=1)]

    def _start(self, features: NDArray[np.float32], signs: NDArray[np.float32]) -> _State:
        n, k = signs.shape
        weights = np.zeros((features.shape[1], k), features.dtype)
        return _State(weights, np.zeros_like(signs), np.full(k, float(self.C) * n))

    def _objective(
        self, signs: NDArray[np.float32], weights: NDArray[np.float32], decisions: NDArray[np.float32]
    ) -> NDArray[np.float64]:
        slack = np.maximum(0, 1 - signs * decisions)
        penalty = np.square(weights).sum(axis=0, dtype=np.float64) / 2
        return penalty + self.C * np.square(slack).sum(axis=0, dtype=np.float64)

    def _gradient(
        self, features: NDArray[np.float32], signs: NDArray[np.float32], state: _State
    ) -> NDArray[np.float32]:
        residual = np.where(signs * state.decisions < 1, state.decisions - signs, 0)
        return state.weights + np.asarray(2 * self.C, features.dtype) * (features.T @ residual)

    def _newton_step(
        self,
        features: NDArray[np.float32],
        signs: NDArray[np.float32],
        state: _State,
        gradient: NDArray[np.float32],
        target: NDArray[np.float64],
        live: NDArray[np.bool_],
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Solve Hessian @ step = -gradient for all classes at once, each until its residual is under its target."""
        active = (signs * state.decisions < 1).astype(features.dtype)
        step, along = np.zeros_like(gradient), np.zeros_like(signs)
        residual = -gradient
        direction = residual.copy()
        size = np.square(residual).sum(axis=0)
        todo = live.copy()
        twice = np.asarray(2 * self.C, features.dtype)
        tiny = np.finfo(features.dtype).tiny
        for _ in range(_MAX_CG):
            moved = features @ direction
            curved = direction + twice * (features.T @ (active * moved))
            rate = np.where(todo, size / np.maximum((direction * curved).sum(axis=0), tiny), 0)
            step += rate * direction
            along += rate * moved
            residual -= rate * curved
            size, before = np.square(residual).sum(axis=0), size
            todo &= size > target**2
            if not todo.any():
                break
            direction = residual + size / np.maximum(before, tiny) * direction
        return step, along

    def _line_search(
        self,
        signs: NDArray[np.float32],
        state: _State,
        gradient: NDArray[np.float32],
        step: NDArray[np.float32],
        along: NDArray[np.float32],
        live: NDArray[np.bool_],
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


_MAX_CG = 200
_MAX_HALVINGS = 20
