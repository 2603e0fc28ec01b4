"""Methods whose times and memory are known, to see whether they are measured right."""

import time
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

UNIFORM = 1 / 7


class Known(ClassifierMixin, BaseEstimator):
    """Sleeps, computes and allocates as its parameters say."""

    def __init__(self, sleeps=0.0, computes=0.0, starts=0.0, predicts=0.0, megabytes=0, gpu=None, random_state=0):
        self.sleeps = sleeps
        self.computes = computes
        self.starts = starts
        self.predicts = predicts
        self.megabytes = megabytes
        self.gpu = gpu
        self.random_state = random_state

    def fit(self, images, labels, *, groups=None):
        self.classes_ = np.arange(7)
        self._first = True
        time.sleep(self.sleeps)
        end = time.process_time() + self.computes
        while time.process_time() < end:
            pass
        held = np.ones(self.megabytes * 125_000)
        del held
        if self.gpu is not None:
            self.peak_gpu_mb_ = self.gpu
        return self

    def predict_proba(self, images):
        time.sleep(self.starts if self._first else self.predicts)
        self._first = False
        return np.full((len(images), 7), UNIFORM)


class Shared(ClassifierMixin, BaseEstimator):
    """Makes features in a known time, and counts how often."""

    def __init__(self, seconds=0.0, place="", random_state=0):
        self.seconds = seconds
        self.place = place
        self.random_state = random_state

    def prepare_key(self):
        return f"known-{self.seconds}-v1"

    def prepare(self, images):
        with open(Path(self.place) / "prepared", "a") as handle:
            handle.write(f"{len(images)}\n")
        time.sleep(self.seconds)
        return np.zeros((len(images), 3), dtype=np.float32)

    def fit(self, images, labels, *, groups=None):
        return self.fit_prepared(self.prepare(images), labels)

    def fit_prepared(self, features, labels, *, groups=None):
        self.classes_ = np.arange(7)
        return self

    def predict_proba(self, images):
        return self.predict_proba_prepared(self.prepare(images))

    def predict_proba_prepared(self, features):
        return np.full((len(features), 7), UNIFORM)
