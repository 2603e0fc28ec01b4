"""Methods whose trials take as long as a test needs: nothing, so that the harness's own time is left, or a while."""

import time

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from fer_bench import ImageSpec, MethodSpec


class Constant(ClassifierMixin, BaseEstimator):
    """Rests, then says the same of every picture."""

    def __init__(self, rest=0.0, random_state=0):
        self.rest = rest
        self.random_state = random_state

    def fit(self, images, labels, *, groups=None):
        if self.rest:  # even a rest of nothing gives the core away
            time.sleep(self.rest)
        self.classes_ = np.arange(7)
        return self

    def predict_proba(self, images):
        return np.tile(np.arange(1, 8) / 28, (len(images), 1))

    def predict(self, images):
        return np.full(len(images), 6)


def _spec(name, rest):
    return MethodSpec(
        name=name,
        family="classical",
        factory="pace_methods:Constant",
        params={"rest": rest},
        image=ImageSpec(32),
        summary=f"a test method that rests {rest} s and returns constants",
    )


METHODS = (*(_spec(f"slow-{i}", 0.3) for i in range(4)), *(_spec(f"empty-{i:03}", 0.0) for i in range(250)))
