"""Every pipeline of the catalogue answers as the plain scikit-learn pipeline with the same parameters and folds."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
import pywt
from skimage.feature import hog, local_binary_pattern

from fer_bench.baselines.catalogue import METHODS as CATALOGUE

ROOT = Path(__file__).parents[2]
METHODS = [spec for spec in CATALOGUE if ":" not in spec.params["features"]]
EXACT = ("knn", "knn_chi2", "lda", "gnb", "tree", "forest", "hist_gb", "majority")
"""All answers the same; the others may differ where a solver's tolerance or single precision decides: 99.5 %."""


def load_plain():
    """The reference that the speed table is measured against, from the benchmarks."""
    location = importlib.util.spec_from_file_location("plain_classical", ROOT / "benchmarks" / "plain_classical.py")
    module = importlib.util.module_from_spec(location)
    sys.modules[location.name] = module
    location.loader.exec_module(module)
    return module


plain_pipeline = load_plain().plain_pipeline


def lbp_rows(image):
    codes = local_binary_pattern(image, 8, 1, "nri_uniform").astype(int)
    cell = (np.arange(128) // 16)[:, None] * 8 + np.arange(128) // 16
    return np.bincount((cell * 59 + codes).ravel(), minlength=3776) / 256


LIBRARY = {
    "pixels": lambda image: image.ravel() / 255,
    "dwt": lambda image: pywt.dwt2(image / 255, "db2")[0].ravel(),
    "lbp": lbp_rows,
    "hog": lambda image: hog(image, 9, (8, 8), (2, 2), block_norm="L2-Hys"),
}
"""Features as scikit-image and PyWavelets give them, image by image; the other features' tests are their own."""


@pytest.fixture(scope="module")
def faces():
    """Twelve people, two folds: shaded squares with a bar whose angle is the class, in noise that makes it hard."""
    rng = np.random.default_rng(1)
    y, x = np.mgrid[:128, :128] / 128 - 0.5
    images, labels, people = [], [], []
    for person in range(12):
        shade = 20 * rng.normal(size=(4, 4)).repeat(32, 0).repeat(32, 1)
        for label in range(14):
            angle, shift = np.pi * (label % 7) / 7, rng.uniform(-0.15, 0.15)
            bar = np.abs(x * np.sin(angle) - y * np.cos(angle) + shift) < 0.06
            face = 90 + shade + rng.uniform(20, 60) * bar + rng.normal(0, 25, (128, 128))
            images.append(np.clip(face, 0, 255).astype(np.uint8))
            labels.append(label % 7)
            people.append(person)
    images = np.stack(images)
    small = images.reshape(-1, 64, 2, 64, 2).mean(axis=(2, 4)).astype(np.uint8)
    return {128: images, 64: small}, np.array(labels), np.array(people)


@pytest.fixture(scope="module")
def rows(faces):
    """Features of both sides, made once each."""
    made = {}

    def get(spec, method):
        name = spec.params["features"]
        if name not in made:
            images = faces[0][spec.image.size]
            ours = method.prepare(images)
            plain = np.stack([LIBRARY[name](image) for image in images]) if name in LIBRARY else ours
            made[name] = ours, plain.astype(np.float32)
        return made[name]

    return get


@pytest.mark.parametrize("spec", METHODS, ids=lambda spec: spec.name)
def test_answers_are_those_of_the_plain_pipeline(spec, faces, rows):
    """Two folds by person: nearest neighbours, LDA, naive Bayes and trees to the last answer, solvers to 99.5 %."""
    _, labels, people = faces
    method = spec.make(random_state=0)
    ours, plain = rows(spec, method)
    if spec.params["classifier"] == "lda":  # whose plain form takes a minute and more on all values
        ours, plain = ours[:, ::4].copy(), plain[:, ::4].copy()
    same = []
    for test in (people < 6, people >= 6):
        train = ~test
        found = method.fit_prepared(ours[train], labels[train], groups=people[train]).predict_proba_prepared(ours[test])
        classifier, features = spec.params["classifier"], spec.params["features"]
        reference = plain_pipeline(classifier, features, int(train.sum()), plain.shape[1]).fit(
            plain[train], labels[train]
        )
        same.append(method.classes_[found.argmax(axis=1)] == reference.predict(plain[test]))
    share = np.concatenate(same).mean()
    assert share == 1 if spec.params["classifier"] in EXACT else share >= 0.994, share
