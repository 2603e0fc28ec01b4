"""A third-party package of methods that misbehave in every way that the harness must survive."""

import os
import time

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from fer_bench import ImageSpec, MethodSpec


class Probe(ClassifierMixin, BaseEstimator):
    """Predicts the most frequent training label, or does what its parameter says."""

    def __init__(self, does="learn", random_state=0):
        self.does = does
        self.random_state = random_state

    def fit(self, images, labels, *, groups=None):
        if self.does == "raise":
            raise ZeroDivisionError("planted")
        if self.does == "exit":
            os._exit(3)
        if self.does == "sleep":
            time.sleep(3600)
        if self.does == "memory":
            raise MemoryError
        if self.does == "print":
            print("x" * 10_000_000)  # noqa: T201
        self.classes_ = np.arange(7)
        self.counts_ = np.bincount(labels, minlength=7) + 1e-3
        return self

    def predict_proba(self, images):
        proba = np.tile(self.counts_ / self.counts_.sum(), (len(images), 1))
        if self.does == "nan":
            proba[0] = np.nan
        if self.does == "wrong-shape":
            proba = proba[:, :5]
        return proba

    def predict(self, images):
        return self.predict_proba(images).argmax(axis=1)


def url(name):
    """Tell where the weights of a network would be fetched from."""
    return os.environ["PROBE_URL"]


METHODS = tuple(
    MethodSpec(
        name=f"probe-{does}",
        family="classical",
        factory="probe_methods:Probe",
        params={"does": does},
        image=ImageSpec(32),
        summary=f"a test method that does: {does}",
    )
    for does in ("learn", "raise", "exit", "sleep", "memory", "print", "nan", "wrong-shape")
)
