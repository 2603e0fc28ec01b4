"""Classical methods on as few training images as there can be, and on ones between which nothing varies."""

import numpy as np
import pytest

from fer_bench.labels import N_CLASSES


def first_person(faces):
    """One image of each class."""
    return np.flatnonzero(faces.people == faces.people[0])


CHOICES = {
    "one image of each class": first_person,
    "one class of one image": lambda faces: np.flatnonzero((faces.labels != 2) | (faces.people == faces.people[0])),
    "its person shows nothing else": lambda f: np.flatnonzero((f.labels != 2) != (f.people == f.people[0])),
    "all classes but one of one image": lambda f: np.flatnonzero((f.labels == 2) | (f.people == f.people[0])),
    "two images": lambda faces: first_person(faces)[:2],
}


@pytest.mark.parametrize("varied", [True, False], ids=["", "alike within classes"])
def test_few_images_give_probabilities(spec, request, varied):
    """Wherever two images of two classes differ a method gives probabilities, none to a class without an image."""
    if spec.family != "classical":
        pytest.skip("a network has no scatter that could be nothing, and takes longer")
    subject = request.getfixturevalue("subject")
    faces, others = subject.faces(people=3), subject.faces(people=1, first=8)
    for name, choose in CHOICES.items():
        rows = choose(faces)
        labels = faces.labels[rows]
        # Alike: everybody shows a class as the first person does.
        images = faces.images[rows if varied else first_person(faces)[labels]]
        found = subject.make().fit(images, labels, groups=faces.people[rows]).predict_proba(others.images)
        assert np.isfinite(found).all(), name
        np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5, err_msg=name)
        absent = np.setdiff1d(np.arange(N_CLASSES), labels)
        assert (found[:, absent] == 0).all(), name
