"""A network that keeps its checkpoint after every epoch and takes its time, so that tests can kill it in between."""

import os
import signal
import time
from pathlib import Path

from fer_bench.deep.classifier import NetworkClassifier
from fer_bench.deep.training import checkpoint, precision


class Keeping(NetworkClassifier):
    """A network that writes a line to ``<place>/epochs`` when an epoch is kept; without a place it is plain."""

    def __init__(self, network="cnn2", *, epochs=1, batch_size=7, place="", random_state=0, device="cpu"):
        super().__init__(network, epochs=epochs, batch_size=batch_size, random_state=random_state, device=device)
        self.place = place

    def _key(self, *arrays):
        """Name the training alike wherever it notes its epochs."""
        place, self.place = self.place, ""
        try:
            return super()._key(*arrays)
        finally:
            self.place = place

    def fit(self, images, labels, *, groups=None, eval_images=None, checkpoint=None):
        if not self.place:
            return super().fit(images, labels, groups=groups, eval_images=eval_images)
        keeper = Noting(Path(checkpoint) / "training.pt", Path(self.place) / "epochs")
        return super().fit(images, labels, groups=groups, eval_images=eval_images, checkpoint=keeper)


class CrashingInHalf(Keeping):
    """Takes any processor's bfloat16, and crashes when it has trained in it and shall predict."""

    def fit(self, images, labels, **more):
        precision.cpu_gains = lambda: True
        return super().fit(images, labels, **more)

    def predict_proba(self, images):
        if self.precision_ == "bfloat16":
            os.kill(os.getpid(), signal.SIGFPE)
        return super().predict_proba(images)


class Noting(checkpoint.Checkpoint):
    """A checkpoint without a pause between writes."""

    def __init__(self, path, notes):
        super().__init__(path, every_seconds=0.0)
        self._notes = notes

    def save(self, *state):
        super().save(*state)
        with self._notes.open("a") as handle:
            handle.write("epoch\n")
        time.sleep(0.02)
