"""Networks that find their weights themselves: for notebooks and scripts; the harness gives its trials a file."""

from __future__ import annotations

from pathlib import Path

from fer_bench.errors import UserError
from fer_bench.methods.weights import find_weights

from .classifier import NetworkClassifier
from .networks.zoo import find

__all__ = ["FineTuned"]


class FineTuned(NetworkClassifier):
    """A `fer_bench.deep.classifier.NetworkClassifier` that looks for the weights that its mode starts from.

    Where ``weights`` names no file: in the folders of ``FER_BENCH_WEIGHTS``, fer-bench's cache (``fer-bench weights
    fetch``), torch hub's, and what ships with the package. Nothing is downloaded, and random weights never stand in.

    Examples
    --------
    >>> import numpy as np
    >>> images = np.random.default_rng(0).integers(0, 256, (14, 64, 64, 3), dtype=np.uint8)
    >>> labels = np.repeat(np.arange(7), 2)
    >>> model = FineTuned("squeezenet1_1-rendered", mode="last_block", epochs=1, device="cpu").fit(images, labels)
    >>> model.predict_proba(images).shape
    (14, 7)
    """

    def _weights_file(self) -> str | Path | None:
        """Return the given file, or the one that is found.

        Raises
        ------
        UserError
            There is none.
        """
        spec = find(self.network).weights
        if self.weights or self.mode == "scratch" or spec is None:
            return self.weights
        found = find_weights(spec, None)
        if found is None:
            raise UserError(
                f"weights of {self.network}: none are found; `fer-bench weights fetch {spec.name}` gets them, or name "
                "their folder in FER_BENCH_WEIGHTS, or their file with weights="
            )
        return found.path
