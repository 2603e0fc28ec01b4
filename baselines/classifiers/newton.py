"""Newton steps by preconditioned conjugate gradients, for linear models whose Hessian is a weighted scatter matrix.

The Hessian of such a model is a ridge plus F' W F, with features F and weights W >= 0 of the rows. Its inverse is well
approximated by that of a ridge plus a multiple of F' F, and of that matrix the leading eigenvectors say nearly all: the
spectrum of faces falls steeply. They are found once by a block power method (Halko, Martinsson and Tropp, SIAM Review
53(2), 2011, doi 10.1137/090771806), and serve every Newton step and every class. On pixels this takes a quarter of the
time of making F' F and factoring it, and hardly more conjugate gradients. A preconditioner says how fast the search
goes, not where it ends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh, qr

__all__ = [
    "Array",
    "Solve",
    "Spectrum",
    "back",
    "conjugate_gradients",
    "leading_spectrum",
    "preconditioner",
    "with_constant",
]

Array = NDArray[np.float32]
Solve = Callable[[Array], Array]

_MAX_ITERATIONS = 200
_RANK = 128
"""Eigenvectors kept. 64 take more iterations than they save, 256 the other way round."""


@dataclass(frozen=True)
class Spectrum:
    """The leading eigenvectors of F' F.

    Attributes
    ----------
    vectors : (d, r) float32
        Orthonormal columns.
    values : (r,) float64
        Their eigenvalues.
    rest : float
        What stands for all other eigenvalues.
    """

    vectors: Array
    values: NDArray[np.float64]
    rest: float


def with_constant(X: Array) -> Array:
    """Return (n, d + 1): the features and a column of ones, whose weight is the bias."""
    return np.concatenate([X, np.ones((len(X), 1), X.dtype)], axis=1)


def back(features: Array, values: Array) -> Array:
    """Return features' @ values, (d, k) for k well below d, in the order of factors that is the faster one."""
    return (np.ascontiguousarray(values.T) @ features).T


def leading_spectrum(features: Array) -> Spectrum:
    """Find the leading eigenvectors of F' F, all of them where F (n, d) has few columns.

    One block power step from a fixed start: the same features give the same vectors.
    """
    n, d = features.shape
    if d <= 4 * _RANK:
        values, vectors = eigh(features.T @ features, check_finite=False)
        values = values.astype(np.float64)
        return Spectrum(np.ascontiguousarray(vectors), np.maximum(values, 0), max(float(values[0]), 0.0))
    start = np.random.default_rng(0).standard_normal((min(_RANK, n), n), dtype=np.float32)
    basis = _orthonormal((start @ features).T)
    basis = _orthonormal(back(features, features @ basis))
    inside = features @ basis
    values, turn = eigh(inside.T @ inside, check_finite=False)
    values = np.maximum(values.astype(np.float64), 0)
    return Spectrum(np.ascontiguousarray(basis @ turn), values, float(values[0]))


def _orthonormal(columns: Array) -> Array:
    basis: Array = qr(columns, mode="economic", check_finite=False)[0]
    return basis


def preconditioner(spectrum: Spectrum, weight: float, ridge: float) -> Solve:
    """Return the product with (ridge I + weight F' F)^-1, as far as the spectrum of F' F is known; ``ridge > 0``."""
    vectors, dtype = spectrum.vectors, spectrum.vectors.dtype
    rest = 1 / (ridge + weight * spectrum.rest)
    more = (1 / (ridge + weight * spectrum.values) - rest).astype(dtype)[:, None]
    outside = np.asarray(rest, dtype)
    return lambda right: outside * right + vectors @ (more * back(vectors, right))


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
