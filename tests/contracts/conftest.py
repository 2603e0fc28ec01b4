"""Which methods the contract is held against, tiny faces to do it with, and each method fitted once."""

from __future__ import annotations

import gc
import random
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from fer_bench.labels import N_CLASSES
from fer_bench.methods import LANDMARKS, MethodSpec, load_methods

# By default one mode of one network a family, all modes among them; the rest is slow. Methods of a torch package that
# is not listed here are not slow. Variants of features are.
NETWORKS = {
    "vgg": "vgg16-scratch",
    "resnet": "resnet18-last_block",
    "inception": "inception_v3-dense",
    "densenet": "densenet161-entire",
    "squeezenet": "squeezenet1_0-last_block",
    "mobilenet": "mobilenet_v3_small-gradual",
    "alexnet": "",
    "efficientnet": "",
    "convnext": "",
    "vit": "",
    "cnn": "cnn2-48",
}


@dataclass(frozen=True)
class Faces:
    """Made-up faces: images, labels and people."""

    images: np.ndarray
    labels: np.ndarray
    people: np.ndarray


@dataclass(frozen=True)
class Subject:
    """A method under test, with parameters that make it quick, and what the harness would supply."""

    spec: MethodSpec
    supplied: dict[str, Any]

    def make(self, random_state: int = 0) -> Any:
        """Build the method anew, unfitted."""
        method = self.spec.make(**{**self.supplied, "random_state": random_state})
        known = method.get_params()
        quick = {"epochs": 1, "batch_size": 7, "augmented_copies": min(1, known.get("augmented_copies", 0))}
        return method.set_params(**{name: value for name, value in quick.items() if name in known})

    def faces(self, people: int = 2, first: int = 0, each: int = 1) -> Faces:
        """Draw faces of the size and channels that the method wants, or points where it wants these."""
        if self.spec.image.source == "landmarks":
            return draw_points(self.spec.image.size, people, first, each)
        return draw_faces(self.spec.image.size, self.spec.image.channels, people, first, each)


def draw_faces(size: int, channels: int, people: int, first: int = 0, each: int = 1) -> Faces:
    """Draw squares (n, size, size[, 3]) whose class is the angle of a bar and whose person is the shade around it.

    Every person shows every class ``each`` times, never twice the same: the bar shifts and there is noise.
    """
    rng = np.random.default_rng([size, channels, first])
    y, x = np.mgrid[:size, :size] / size - 0.5
    images, labels, names = [], [], []
    for person in range(first, first + people):
        for label in range(N_CLASSES):
            for _ in range(each):
                angle, shift = np.pi * label / N_CLASSES, rng.uniform(-0.1, 0.1)
                bar = np.abs(x * np.sin(angle) - y * np.cos(angle) + shift) < 0.08
                face = 60 + 12 * (person % 6) + 110 * bar + rng.normal(0, 30, (size, size))
                images.append(np.clip(face, 0, 255).astype(np.uint8))
                labels.append(label)
                names.append(f"P{person:02d}")
    stack = np.stack(images)
    stack = stack if channels == 1 else np.repeat(stack[..., None], 3, axis=-1)
    return Faces(stack, np.array(labels, dtype=np.int64), np.array(names))


def draw_points(size: int, people: int, first: int = 0, each: int = 1) -> Faces:
    """Draw landmarks (n, 68, 2) whose class is the points that are shifted and whose person is the size of the face.

    The rest is as in `draw_faces`.
    """
    rng = np.random.default_rng([size, first])
    face = np.random.default_rng(0).uniform(0.2 * size, 0.8 * size, LANDMARKS)
    points, labels, names = [], [], []
    for person in range(first, first + people):
        for label in range(N_CLASSES):
            for _ in range(each):
                moved = face * (0.9 + 0.04 * (person % 6)) + rng.normal(0, 0.005 * size, face.shape)
                moved[9 * label : 9 * label + 9, 1] += 0.05 * size
                points.append(moved.astype(np.float32))
                labels.append(label)
                names.append(f"P{person:02d}")
    return Faces(np.stack(points), np.array(labels, dtype=np.int64), np.array(names))


def _is_slow(spec: MethodSpec) -> bool:
    family = re.match("[a-z]*", spec.network).group()  # type: ignore[union-attr]
    one_of_many = spec.uses_torch and spec.family != "literature" and family in NETWORKS
    half_a_gigabyte = spec.family == "literature" and spec.weights is not None and spec.weights.megabytes > 500
    return spec.variant or half_a_gigabyte or (one_of_many and spec.name != NETWORKS[family])


METHODS = [
    pytest.param(spec, id=spec.name, marks=[pytest.mark.slow] if _is_slow(spec) else [])
    for spec in load_methods().values()
]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what asks for ``spec`` on every method; indirect fixtures see the same object, so modules group by it."""
    if "spec" in metafunc.fixturenames:
        metafunc.parametrize("spec", METHODS, scope="module")


@pytest.fixture(scope="module")
def weights(spec: MethodSpec, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Give a local file of random weights in place of the published one, to the methods that want one."""
    if "weights" not in spec.wants:
        yield None
        return
    from fer_bench.deep.networks.build import write_random_weights

    assert spec.weights is not None
    path = tmp_path_factory.mktemp("weights") / f"{spec.weights.name}.pth"
    write_random_weights(spec.weights.name, path)
    yield path
    path.unlink()  # up to half a gigabyte


@pytest.fixture(scope="module")
def subject(spec: MethodSpec, weights: Any) -> Subject:
    """Resolve the method for quick runs and supply what it wants."""
    return Subject(spec.resolve("quick", "default"), {"random_state": 0, "device": "cpu", "weights": weights})


@dataclass(frozen=True)
class Fitted:
    """A method fitted on ``faces``, with copies from before, and its probabilities for others."""

    method: Any
    faces: Faces
    before: Faces
    others: Faces
    probabilities: np.ndarray


@pytest.fixture(scope="module")
def fitted(subject: Subject) -> Fitted:
    """Fit the method once for all tests that only look."""
    faces = subject.faces(people=4 if not subject.spec.uses_torch else 2)
    before = Faces(faces.images.copy(), faces.labels.copy(), faces.people.copy())
    others = subject.faces(people=1, first=8)
    more = {"eval_images": others.images} if subject.spec.watches else {}
    method = subject.make().fit(faces.images, faces.labels, groups=faces.people, **more)
    return Fitted(method, faces, before, others, method.predict_proba(others.images))


@dataclass(frozen=True)
class Again:
    """What a second fit, since let go, gave: the probabilities for others, and the bytes of tensors that it left."""

    probabilities: np.ndarray
    bytes_left: int


@pytest.fixture(scope="module")
def again(subject: Subject, fitted: Fitted) -> Again:
    """Fit the method once more, with other states of the global generators."""
    random.seed()
    np.random.seed()
    if subject.spec.uses_torch:
        import torch

        torch.seed()
    before = _bytes_of_tensors() if subject.spec.uses_torch else 0
    method = subject.make().fit(fitted.faces.images, fitted.faces.labels, groups=fitted.faces.people)
    probabilities = method.predict_proba(fitted.others.images)
    del method
    return Again(probabilities, _bytes_of_tensors() - before if subject.spec.uses_torch else 0)


def _bytes_of_tensors() -> int:
    import torch

    gc.collect()
    return sum(found.nbytes for found in gc.get_objects() if issubclass(type(found), torch.Tensor))
