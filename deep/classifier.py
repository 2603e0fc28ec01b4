"""Networks as scikit-learn classifiers over arrays of images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from fer_bench.methods import check_images, check_labels, load_object
from fer_bench.methods.old_names import takes_old_arguments

from .dense import DenseMode
from .networks.zoo import find
from .training.batches import Data
from .training.checkpoint import Checkpoint, open_checkpoint
from .training.frozen import FrozenFeatures
from .training.inputs import as_data, as_pictures, check_shape, find_device, held_out_rows, probabilities
from .training.settings import Settings
from .training.stages import plan_stages
from .training.train import Monitoring, train

__all__ = ["NetworkClassifier"]


class NetworkClassifier(ClassifierMixin, DenseMode):
    """A network trained, or fine-tuned, on labelled images; a `fer_bench.methods.Method`.

    Parameters
    ----------
    network : str
        A name of `fer_bench.deep.networks.zoo` (``"cnn2"``, ``"cnn3"``: grey images; others: RGB), or
        ``"module:object"`` of a `fer_bench.deep.networks.registry.Network`.
    mode : str
        ``"dense"``, ``"last_block"``, ``"entire"``, ``"scratch"`` or ``"gradual"``, see
        `fer_bench.deep.networks.build`.
    epochs, batch_size : int
        Passes over the training images, and images a step (at least 2).
    min_steps : int
        Where ``epochs`` are fewer steps than these, there are more epochs: small sets need more passes.
    learning_rate, betas, weight_decay
        Adam's (Kingma & Ba 2015); decay is decoupled, and leaves out biases and the scales of norms.
    warmup : float
        Share of a stage in which the rate rises from zero, on a straight line.
    depth_decay : float
        Rate of a block over that of the one behind it, the head being the last; 1: one rate for all.
    clip_norm : float
        Longest gradient of a step, over all parameters together; 0: as long as it is.
    ema : float
        Decay of a running average of the weights, which is evaluated and kept in their place; 0: none.
    optimizer, momentum
        ``"adam"``, or ``"sgd"`` with momentum (and decay in the gradient).
    schedule, step_size, gamma
        ``"constant"``; ``"cosine"`` (falling to zero over the steps of a stage); ``"step"``: times ``gamma`` after
        every ``step_size`` epochs.
    label_smoothing : float
        Share of the target spread over all classes.
    head : str
        ``"linear"``, ``"hidden"`` (512 units with ReLU before it) or ``"factored"`` (512 without activation).
    stages : list of [what, part, factor], optional
        Of ``gradual`` and ``entire``, see `fer_bench.deep.training.stages.plan_stages`.
    augment : bool or str
        True: rotate up to 10 degrees, scale 0.9 to 1.1, shift up to 4 %, mirror; drawn for each image anew.
        ``"flip"``: mirror alone; ``"paper"``: rotate up to 10 degrees, scale 1 to 1.1, mirror; ``"erasing"``: as True,
        and a quarter of the images that are drawn anew in an epoch lose a rectangle.
    normalisation : str
        ``"network"``: what the weights were trained with; ``"half"``: mean and deviation 0.5; ``"unit"``: 0 to 1.
    augmented_copies : int
        With a number, frozen parts see that many copies of each image (the first as it is), run once over them, and the
        rest trains on their output; ``dense`` needs it. With 0, every epoch augments afresh, as do ``entire``,
        ``scratch`` and the last stage of ``gradual`` always. The old name, ``views``, is taken, too.
    patience : int
        0: the last epoch is the result. With a number, a tenth of the people in ``groups`` is held out of the training,
        a stage ends after so many epochs without a lower loss on them, and its best epoch is kept.
    random_state : int
        Of initial values, shuffles and augmentation. Same seed and threads, same bits on a CPU.
    device : str
        ``"cpu"``, ``"cuda"`` or ``"auto"`` (cuda where there is one).
    weights : path, optional
        torchvision's state dictionary (.pth or .safetensors); all modes but ``scratch`` refuse to work without.
    precision : str
        ``"float32"``, ``"bfloat16"`` (mixed), or ``"auto"``: bfloat16 where the device has units for it that were found
        right and quick, and the network gains by them.
    pretraining : mapping, optional
        Of mode ``scratch``: what the network learns without labels before it is trained on them. ``"function"`` is the
        ``"module:object"`` of what does it, such as `fer_bench.deep.literature.dbn.stack`; it is called as
        ``function(network, data, settings, weights, **others)`` with the rest of the mapping, changes the network and
        returns an error for each of its epochs.

    Attributes
    ----------
    classes_ : ndarray
        0 to 6, whatever labels were seen.
    network_ : BlockNetwork
    history_ : dict of str to list of float
        ``loss`` and ``train_accuracy`` of each epoch, over its augmented batches; with several stages
        ``learning_blocks``; with patience ``validation_loss`` and ``validation_accuracy``.
    weights_hash_ : str
        sha256 of the weights' file, of a head that was fitted on what `prepare` gave: it reads by no other.
    eval_proba_ : ndarray
        (epochs, n, 7) float32, where ``fit`` was given ``eval_images``.
    precision_ : str
        What it was trained in.
    pretraining_ : list of float
        What the pretraining returned; empty without one, and where a checkpoint of what came after it was gone on from.
    peak_gpu_mb_ : float
        Most memory that the training held on a GPU, where it had one.
    warnings_ : list of str
        Where memory ran short: frozen parts that ran in every epoch, batches that took several parts.

    Examples
    --------
    >>> import numpy as np
    >>> images = np.random.default_rng(0).integers(0, 256, (14, 16, 16), dtype=np.uint8)
    >>> labels = np.repeat(np.arange(7), 2)
    >>> NetworkClassifier("cnn2", epochs=1, device="cpu").fit(images, labels).predict_proba(images).shape
    (14, 7)
    """

    takes_checkpoint = True
    """The harness may give ``fit`` a folder as ``checkpoint``."""

    @takes_old_arguments
    def fit(
        self,
        images: NDArray[np.uint8],
        labels: NDArray[np.int64],
        *,
        groups: NDArray[Any] | None = None,
        eval_images: NDArray[np.uint8] | None = None,
        checkpoint: str | Path | Checkpoint | None = None,
        checkpoint_seconds: float = 60.0,
    ) -> Self:
        """Train on images.

        Parameters
        ----------
        images : ndarray
            uint8, (n, side, side) for grey networks, (n, side, side, 3) RGB for the others; may be memory-mapped.
        labels : ndarray
            (n,) integers from 0 to 6.
        groups : ndarray, optional
            People, (n,); needed with ``patience``, of no use without.
        eval_images : ndarray, optional
            Images to predict after each epoch. The old name, ``watch``, is taken, too.
        checkpoint : path or Checkpoint, optional
            Folder of this training alone, in which it keeps how far it got; where that is there already, the training
            goes on from it. The caller deletes the folder when the result is safe.
        checkpoint_seconds : float
            Least time between two writes; at most so much work, and an epoch, is lost.

        Raises
        ------
        InputError
            Images, labels or parameters that are not what is described here.
        UserError
            Unknown network, mode or device; weights that are missing or do not fit; a checkpoint of another training.
        FerBenchError
            The loss is no longer a finite number.
        """
        images = check_shape(images, find(self.network))
        labels = check_labels(labels, len(images))
        held_out = held_out_rows(groups, labels, self._settings())
        if eval_images is not None:
            eval_images = check_images(eval_images, like=images.shape[1:])
        self.image_shape_ = images.shape[1:]
        checkpoint = open_checkpoint(checkpoint, checkpoint_seconds)
        if find_device(self.device).type == "cuda":
            torch.cuda.reset_peak_memory_stats()
        if self.mode == "dense":
            self._fit_dense(images, labels, groups, eval_images, checkpoint)
        else:
            self._fit_blocks(images, labels, groups, held_out, eval_images, checkpoint)
        return self

    def _fit_blocks(
        self,
        images: NDArray[np.uint8],
        labels: NDArray[np.int64],
        groups: NDArray[Any] | None,
        held_out: NDArray[np.bool_],
        eval_images: NDArray[np.uint8] | None,
        checkpoint: Checkpoint | None,
    ) -> None:
        """Train the head and blocks of the network, stage by stage."""
        settings, device = self._settings_for(int((~held_out).sum())), find_device(self.device)
        key = self._key(images, labels, groups, eval_images) if checkpoint else ""
        self.network_ = self._network(images.shape[1])
        stages = plan_stages(self.mode, self.network_.n_blocks, settings.epochs, self.learning_rate, self.stages)
        others = as_data(images, labels, held_out, self.normalisation_, device) if held_out.any() else None
        data = as_data(images, labels, ~held_out, self.normalisation_, device)
        begun = checkpoint is not None and checkpoint.path.exists()
        self.pretraining_ = [] if begun else self._pretrain(data, settings)
        batches = FrozenFeatures(self.network_, data, settings, self.augmented_copies, stages)
        monitoring = Monitoring(
            eval_images=None if eval_images is None else as_pictures(eval_images).to(device),
            validation=None if others is None else (others.pictures, others.labels),
            checkpoint=checkpoint,
            key=key,
        )
        self._finish(train(self.network_, batches, settings, stages, monitoring=monitoring), batches.notes)

    def _pretrain(self, data: Data, settings: Settings) -> list[float]:
        """Let the network learn from pictures alone, where that is asked for."""
        if not self.pretraining:
            return []
        others = {name: value for name, value in self.pretraining.items() if name != "function"}
        unlabelled = replace(data, labels=data.labels[:0])
        pretrain = load_object(self.pretraining["function"])
        return list(pretrain(self.network_, unlabelled, settings, self._weights_file(), **others))

    def predict_proba(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Return (n, 7) probabilities, rows summing to one.

        Raises
        ------
        InputError
            The images have another shape or type than those of ``fit``.
        """
        check_is_fitted(self, "network_")
        if self.mode == "dense":
            return self._predict_dense(images)
        images = check_images(images, like=self.image_shape_)
        return probabilities(self.network_, images, self.normalisation_)

    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Return the most probable label of each image."""
        return self.predict_proba(images).argmax(1)
