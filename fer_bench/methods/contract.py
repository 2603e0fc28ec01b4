"""What every method is: the protocol between the harness and what learns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, Self

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Method"]


class Method(Protocol):
    """Something that learns from labelled images and gives seven probabilities an image.

    A method is a scikit-learn classifier (``get_params``, ``set_params``, ``clone``, ``score``) over arrays of
    images; it never sees a path nor a test label, and images to predict or evaluate come in an order drawn for the
    trial. ``__init__`` only stores; fitted names end in ``_``.

    A method whose `ImageSpec` has the source ``"landmarks"`` gets points (n, 68, 2) float32 wherever this text says
    images, and no picture: see `check_landmarks`.

    Label-free work that all folds share may be offered as three further methods. The harness then calls
    ``prepare`` once for a dataset and caches what it returns under ``prepare_key()``:

    - ``prepare_key() -> str``: names the computation and its parameters, the same for every method that
      shares it (such as ``"lbp-p8-r1-8x8-v1"``);
    - ``prepare(images) -> (n, d) float32``: row i depends on image i alone. It is asked again for a few images in
      another order; where their rows differ by more than rounding the trial fails;
    - ``fit_prepared(features, labels, *, groups=None)`` and ``predict_proba_prepared(features)``: ``fit`` and
      ``predict_proba`` must equal these after ``prepare``. A method that takes ``eval_images`` (below) takes them in
      ``fit_prepared``, too, as features. Where predicting needs but a part of what ``prepare`` does (one view of
      several), ``prepared_share_of_prediction`` says which, for the seconds that a prediction is said to take.

    A method trained in epochs takes ``eval_images``: unlabelled images whose probabilities it returns after each
    epoch in ``eval_proba_`` (epochs, n, 7). The harness scores them afterwards, for the column "best epoch on test".
    It may record ``history_``: a dict of equally long lists such as ``{"loss": [...]}``; a loss that is not finite
    fails the trial.

    A method whose training is long says ``takes_checkpoint = True``. Its ``fit`` then takes ``checkpoint``: a folder of
    this training alone, where it keeps now and then, at most once a minute, how far it got, and from which it goes on
    where there is something, to the same result. The harness removes the folder.
    """

    takes_checkpoint: bool = False

    def fit(
        self,
        images: NDArray[np.uint8],
        labels: NDArray[np.int64],
        *,
        groups: NDArray[Any] | None = None,
        eval_images: NDArray[np.uint8] | None = None,
    ) -> Self:
        """Learn from images (n, h, w) or (n, h, w, 3), labels (n,) in 0..6, groups (n,) naming people."""
        ...

    def predict_proba(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Return (n, 7) probabilities, rows summing to one, columns in the order of ``EMOTIONS``."""
        ...
