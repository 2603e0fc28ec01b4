"""Test methods whose time is known, for trials on a cluster."""

import time

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin


class Nap(ClassifierMixin, BaseEstimator):
    """Sleeps while it should learn; predicts by its seed alone."""

    def __init__(self, seconds=0.0, random_state=0):
        self.seconds = seconds
        self.random_state = random_state

    def fit(self, images, labels, *, groups=None):
        time.sleep(self.seconds)
        self.classes_ = np.arange(7)
        return self

    def predict_proba(self, images):
        proba = np.random.default_rng(self.random_state).random((len(images), 7))
        return proba / proba.sum(axis=1, keepdims=True)

    def predict(self, images):
        return self.predict_proba(images).argmax(axis=1)
