"""Methods that remember every picture they learn from, and write down which: what a leak would show in."""

import gc
import hashlib
import json
import sys
from pathlib import Path

import numpy as np


def digests(pictures):
    """One hash a picture, of its pixels."""
    return [hashlib.sha256(np.ascontiguousarray(picture).tobytes()).hexdigest()[:16] for picture in pictures]


def note(place, name, **facts):
    """Add a line to a file of the test's."""
    with open(Path(place) / name, "a") as handle:
        handle.write(json.dumps(facts) + "\n")


class Images:
    """Learns pictures by heart: certain of those that it knows, and of nothing else."""

    def __init__(self, place="", name="", random_state=0):
        self.place, self.name, self.random_state = place, name, random_state

    def fit(self, images, labels, *, groups=None, eval_images=None):
        seen = digests(images)
        self.known_ = dict(zip(seen, labels.tolist(), strict=True))
        asked = None if eval_images is None else digests(eval_images)
        note(self.place, self.name, rows=sorted(zip(seen, labels.tolist(), groups.tolist(), strict=True)), asked=asked)
        if eval_images is not None:
            self.eval_proba_ = np.stack([self.predict_proba(eval_images)] * 2)
        return self

    def predict_proba(self, images):
        proba = np.full((len(images), 7), 1 / 7)
        for row, digest in enumerate(digests(images)):
            if digest in self.known_:
                proba[row] = np.eye(7)[self.known_[digest]]
        return proba


class Prepared(Images):
    """The same by way of features, which are the pixels."""

    def prepare_key(self):
        return "leak-probe-v1"

    def prepare(self, images):
        return images.reshape(len(images), -1).astype(np.float32)

    def fit_prepared(self, features, labels, *, groups=None, eval_images=None):
        eval_images = None if eval_images is None else eval_images.astype(np.uint8)
        return self.fit(features.astype(np.uint8), labels, groups=groups, eval_images=eval_images)

    def predict_proba_prepared(self, features):
        return self.predict_proba(features.astype(np.uint8))


class ByPlace(Prepared):
    """Answers by place alone: the k-th image shows expression k modulo 7."""

    def prepare_key(self):
        return "by-place-v1"

    def fit(self, images, labels, *, groups=None, eval_images=None):
        if eval_images is not None:
            self.eval_proba_ = self.predict_proba(eval_images)[None]
        return self

    def predict_proba(self, images):
        return np.eye(7)[np.arange(len(images)) % 7]


class BySight(ByPlace):
    """Answers by the picture alone: its first pixel is the expression."""

    def predict_proba(self, images):
        return np.eye(7)[images.reshape(len(images), -1)[:, 0].astype(int)]


class ImagesByPlace(ByPlace):
    """Answers by place, and prepares nothing."""

    prepare = property()


class ImagesBySight(BySight):
    """Answers by the picture, and prepares nothing."""

    prepare = property()


class Searching(Images):
    """Looks through its process for whole numbers: in the frames that called it, and in all that Python keeps."""

    def fit(self, images, labels, *, groups=None, eval_images=None):
        found, frame = [], sys._getframe()
        while frame is not None:
            found += [*frame.f_locals.values(), *frame.f_globals.values()]
            frame = frame.f_back
        found += [to for one in [*found, *gc.get_objects()] for to in gc.get_referents(one)]
        arrays = {id(a): a for a in found if isinstance(a, np.ndarray) and a.ndim == 1 and a.dtype.kind in "iu"}
        np.savez(Path(self.place) / f"{self.name}.npz", *arrays.values())
        self.known_ = {}
        return self


class Unsteady:
    """Features that are not those of an image alone, in the way that its parameter says."""

    def __init__(self, how="", random_state=0):
        self.how, self.random_state = how, random_state

    def prepare_key(self):
        return f"unsteady-{self.how}-v1"

    def prepare(self, images):
        rows = images.reshape(len(images), -1).astype(np.float32)
        if self.how == "place":  # one column of a thousand
            rows[:, -1] = np.arange(len(rows))
        if self.how == "neighbours":
            rows -= rows.mean(axis=0)
        if self.how == "luck":
            rows[:, 0] += np.random.default_rng().random(len(rows), dtype=np.float32)
        if self.how == "fewer rows":
            rows = rows[:-1]
        if self.how == "rounding":
            rows = np.nextafter(rows, rows + len(rows) % 2)
        return rows[:, : len(rows)] if self.how == "width" else rows

    def fit_prepared(self, features, labels, *, groups=None):
        return self

    def predict_proba_prepared(self, features):
        return np.full((len(features), 7), 1 / 7)
