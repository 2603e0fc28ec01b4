"""Mode ``dense``: a head that is trained, and predicts, on what the frozen network gives for copies of each picture."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from fer_bench.errors import UserError
from fer_bench.methods import check_images, check_labels, without_modules
from fer_bench.methods.old_names import takes_old_arguments
from fer_bench.seeds import derive_seed

from .estimator import NetworkEstimator
from .networks.build import BlockNetwork, head_alone
from .networks.registry import Network
from .networks.zoo import find
from .training.augment import Normalisation
from .training.checkpoint import Checkpoint, open_checkpoint
from .training.frozen import copy_features
from .training.heads import by_copy, head_probabilities, train_head
from .training.inputs import check_shape, digest, find_device, held_out_rows
from .training.settings import Settings, normalisation

__all__ = ["DenseMode", "features_key"]


def _is_dense(classifier: Any) -> bool:
    return bool(classifier.mode == "dense")


class DenseMode(NetworkEstimator):
    """What a `fer_bench.deep.classifier.NetworkClassifier` of mode ``dense`` does, by way of features of images."""

    @available_if(_is_dense)
    def prepare_key(self) -> str:
        """Name the features that `prepare` gives, the same for every classifier that shares them."""
        record = find(self.network)
        return features_key(
            record,
            self._settings(),
            normalisation(self.normalisation, record.mean, record.std),
            self._weights_hash(),
            half=self._half(),
            told=f"{self._n_copies()}-copies-augment-{self.augment}-{self.normalisation}",
        )

    @available_if(_is_dense)
    def prepare(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What the frozen network gives for the copies of each image, (n, copies * width): label-free, shared by folds.

        An image's copies depend on its bytes alone, not on ``random_state``.
        """
        images = check_shape(images, find(self.network))
        return self._copy_features(self._network(images.shape[1]), images, self._settings())

    @property
    def prepared_share_of_prediction(self) -> float:
        """Part of the work of `prepare` that a prediction needs: one copy of several."""
        return 1 / max(1, self._n_copies())

    @available_if(_is_dense)
    @takes_old_arguments
    def fit_prepared(
        self,
        features: NDArray[np.float32],
        labels: NDArray[np.int64],
        *,
        groups: NDArray[Any] | None = None,
        eval_images: NDArray[np.float32] | None = None,
        checkpoint: str | Path | Checkpoint | None = None,
        checkpoint_seconds: float = 60.0,
    ) -> Self:
        """`fit` on what `prepare` gave for the images, and for those to predict after each epoch."""
        checkpoint = open_checkpoint(checkpoint, checkpoint_seconds)
        if hasattr(self, "image_shape_"):
            del self.image_shape_  # of an earlier fit on images
        self._fit_head(features, check_labels(labels, len(features)), groups, eval_images, checkpoint)
        return self

    @available_if(_is_dense)
    def predict_proba_prepared(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """`predict_proba` from what `prepare` gave for the images."""
        check_is_fitted(self, "network_")
        return head_probabilities(self.network_, by_copy(features, find(self.network)))

    def _fit_dense(
        self,
        images: NDArray[np.uint8],
        labels: NDArray[np.int64],
        groups: NDArray[Any] | None,
        eval_images: NDArray[np.uint8] | None,
        checkpoint: Checkpoint | None,
    ) -> None:
        """Train a head by way of features, and put it on the network."""
        network = self._network(images.shape[1])
        features = self._copy_features(network, images, self._settings())
        seen = None if eval_images is None else self._copy_features(network, eval_images, self._settings().plain)
        self._fit_head(features, labels, groups, seen, checkpoint)
        network.head = self.network_.head
        self.network_ = network.eval()

    def _fit_head(
        self,
        features: NDArray[np.float32],
        labels: NDArray[np.int64],
        groups: NDArray[Any] | None,
        eval_features: NDArray[np.float32] | None,
        checkpoint: Checkpoint | None,
    ) -> None:
        """Train the head alone, on features of all copies."""
        held_out, record = held_out_rows(groups, labels, self._settings()), find(self.network)
        settings = self._settings_for(int((~held_out).sum()))
        self.weights_hash_ = self._weights_hash()
        seed = derive_seed(settings.seed, "initial values")
        self.network_ = head_alone(self.network, seed=seed, head=self.head).to(find_device(self.device))
        state = train_head(
            self.network_,
            by_copy(features, record),
            labels,
            held_out,
            settings,
            eval_features=None if eval_features is None else by_copy(eval_features, record),
            checkpoint=checkpoint,
            key=self._key(features, labels, groups, eval_features) if checkpoint else "",
        )
        self._finish(state, [])

    def _predict_dense(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """By way of features, as in training; a head that was fitted on features builds the network again."""
        shape = getattr(self, "image_shape_", None)
        images = check_images(images, like=shape) if shape else check_shape(images, find(self.network))
        if not shape and self._weights_hash() != self.weights_hash_:
            raise UserError(
                f"weights of {self.network}: {self._weights_file()} is another file than when the head was fitted; put "
                "the former there again, or fit anew"
            )
        network = self.network_ if shape else self._network(images.shape[1])
        return self.predict_proba_prepared(self._copy_features(network, images, self._settings().plain))

    def _n_copies(self) -> int:
        return self.augmented_copies if self.augment else min(self.augmented_copies, 1)

    def _copy_features(
        self, network: BlockNetwork, images: NDArray[np.uint8], settings: Settings
    ) -> NDArray[np.float32]:
        """Features (n, copies * width), of the first copy alone where ``settings`` do not augment."""
        copies = self._n_copies() if settings.augments else 1
        return copy_features(network, images, self.normalisation_, settings.ranges, copies)


def features_key(
    record: Network, settings: Settings, normalisation: Normalisation, weights_hash: str, *, half: bool, told: str
) -> str:
    """Name the features that a network gives, by all that they depend on.

    Parameters
    ----------
    told : str
        Copies, augmentation and normalisation in words, for people who look at stored files.
    """
    # Names alone do not tell: people change what a record of their own says. Where its functions stand is no matter,
    # nor are what it costs and where its weights come from, whose content is named.
    plain = replace(record, weights=None, work=None)
    exactly = {
        "record": repr(without_modules(asdict(plain))),
        "normalisation": repr(normalisation),
        "ranges": repr(settings.ranges),
        "torch": torch.__version__,
    }
    precision = "bfloat16" if half else "float32"
    parts = [f"dense-{record.name}", told, weights_hash[:16] or "none", precision, digest(exactly)[:12]]
    return "-".join(parts).replace(":", ".").lower() + "-v2"
