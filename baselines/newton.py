"""Newton steps by preconditioned conjugate gradients, for linear models whose Hessian is a weighted scatter matrix.

The Hessian of such a model is a ridge plus F' W F, with features F and weights W >= 0 of the rows. Its inverse is well
approximated by that of a ridge plus a multiple of F' F, which is factored once and serves every Newton step and every
class: on pixels of faces, whose spectrum falls steeply, it saves nine of ten passes over the features.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

__all__ = ["Array", "Solve", "conjugate_gradients", "gram_matrix", "preconditioner", "with_constant"]

Array = NDArray[np.float32]
Solve = Callable[[Array], Array]

_MAX_ITERATIONS = 200


def with_constant(X: Array) -> Array:
    """Return (n, d + 1): the features and a column of ones, whose weight is the bias."""
    return np.concatenate([X, np.ones((len(X), 1), X.dtype)], axis=1)


def gram_matrix(features: Array) -> Array | None:
    """Return F' F (d, d), or None where there are so few rows that factoring it would cost more than it saves."""
    n, d = features.shape
    return features.T @ features if 2 * n >= d else None


def preconditioner(gram: Array | None, weight: float, ridge: float) -> Solve:
    """Return the product with (ridge I + weight F' F)^-1; without a Gram matrix, the identity.

    Parameters
    ----------
    gram : (d, d) float32 or None
        F' F; it is not changed.
    weight, ridge : float
        ``ridge > 0``.
    """
    if gram is None:
        return np.copy
    matrix = gram * np.asarray(weight, gram.dtype)
    matrix.flat[:: len(matrix) + 1] += ridge
    factor = cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False)
    return lambda right: np.asarray(cho_solve(factor, right, check_finite=False))


def conjugate_gradients(
    product: Callable[[Array], tuple[Array, Array]],
    gradient: Array,
    target: NDArray[np.float64],
    live: NDArray[np.bool_],
    solve: Solve,
) -> tuple[Array, Array]:
    """Solve Hessian @ step = -gradient, each column until the norm of its residual is at most its target.

    Parameters
    ----------
    product : callable
        Directions (d, k) to the Hessian's product (d, k) and to F @ direction (n, k).
    gradient : (d, k) float32
    target : (k,) float64
    live : (k,) bool
        Columns to solve; the others get a step of zero.
    solve : callable
        The preconditioner.

    Returns
    -------
    step : (d, k) float32
    along : (n, k) float32
        F @ step.
    """
    tiny = np.finfo(gradient.dtype).tiny
    residual = -gradient
    direction = solve(residual)
    size = (residual * direction).sum(axis=0)
    todo = live.copy()
    step = np.zeros_like(gradient)
    along: Array = np.zeros((1, 1), gradient.dtype)
    for _ in range(_MAX_ITERATIONS):
        curved, moved = product(direction)
        rate: Array = np.where(todo, size / np.maximum((direction * curved).sum(axis=0), tiny), 0)
        step += rate * direction
        along = np.add(along, rate * moved, dtype=gradient.dtype)
        residual -= rate * curved
        todo &= np.linalg.norm(residual, axis=0) > target
        if not todo.any():
            break
        ahead = solve(residual)
        size, before = (residual * ahead).sum(axis=0), size
        direction = ahead + size / np.maximum(before, tiny) * direction
    return step, along
