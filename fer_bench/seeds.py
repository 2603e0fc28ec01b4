"""Seeds derived by hashing, so that no trial depends on what ran before it."""

import hashlib

__all__ = ["derive_seed"]


def derive_seed(base: int, *axes: str | int) -> int:
    """Hash a base seed and the axes of a draw to a 32-bit seed.

    Parameters
    ----------
    base : int
        The run's seed.
    *axes : str or int
        What the draw belongs to, such as ``("folds", "subject-10fold")``. Another axis, another stream.

    Returns
    -------
    int
        In ``[0, 2**32)``: fits ``numpy.random.default_rng``, scikit-learn and torch.
    """
    text = "\x1f".join([str(base), *map(str, axes)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
