"""The contract of `fer_bench.methods.Method`, held against every method that is installed."""

import json
import pickle

import numpy as np
import pytest
from sklearn.base import clone

from fer_bench.errors import InputError
from fer_bench.labels import N_CLASSES


def test_probabilities(fitted):
    """Seven finite columns, none negative, rows summing to one; predict takes the highest of them."""
    probabilities = fitted.probabilities
    assert probabilities.shape == (len(fitted.others.labels), N_CLASSES)
    assert np.isfinite(probabilities).all()
    assert (probabilities >= 0).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(fitted.method.predict(fitted.others.images), probabilities.argmax(axis=1))
    np.testing.assert_array_equal(fitted.method.classes_, np.arange(N_CLASSES))


def test_epochs_are_evaluated(subject, fitted):
    """Images given to evaluate have probabilities of every epoch; those of the last are what is predicted."""
    if not subject.spec.watches:
        pytest.skip("the method has no epochs")
    found = fitted.method.eval_proba_
    epochs = len(fitted.method.history_["loss"])
    assert found.shape == (epochs, len(fitted.others.labels), N_CLASSES)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[-1], fitted.probabilities, atol=2e-3)


def test_same_seed_same_result(fitted, again):
    """A second fit with the same seed gives the same bits, without images to evaluate and with other global states."""
    np.testing.assert_array_equal(again.probabilities, fitted.probabilities)


def test_a_method_let_go_leaves_no_tensors(again):
    """A worker that fits one method after the other does not fill its memory."""
    assert again.bytes_left <= 1_000_000


def test_nothing_of_the_callers_is_changed(fitted):
    """Images, labels and people are after fitting and predicting what they were before."""
    for name in ("images", "labels", "people"):
        np.testing.assert_array_equal(getattr(fitted.faces, name), getattr(fitted.before, name))


def test_an_image_is_judged_alone(fitted):
    """The probabilities of an image do not depend on the images beside it."""
    some = fitted.method.predict_proba(fitted.others.images[[4, 1]])
    np.testing.assert_allclose(some, fitted.probabilities[[4, 1]], atol=2e-3)


def test_pickled_and_read_again_it_predicts_the_same(fitted):
    """A fitted method survives pickling; only rounding may differ, as arrays come back in another memory order."""
    copy = pickle.loads(pickle.dumps(fitted.method))
    np.testing.assert_allclose(copy.predict_proba(fitted.others.images), fitted.probabilities, atol=1e-5)


def test_clone_and_parameters(subject, fitted):
    """Cloning gives equal parameters and nothing learnt; set_params(get_params) changes nothing."""
    copy = clone(fitted.method)
    assert copy.get_params() == fitted.method.get_params()
    assert not [name for name in vars(copy) if name.endswith("_") and not name.startswith("_")]
    assert copy.set_params(**fitted.method.get_params()).get_params() == fitted.method.get_params()
    params = subject.spec.params
    built = subject.spec.make(**subject.supplied).get_params()
    assert {name: built[name] for name in params} == dict(params)


def flawed(faces):
    """Inputs with one flaw each: images, labels."""
    images, labels = faces.images, faces.labels
    grey = images.ndim == 3
    return {
        "images of another type": (images.astype(float), labels),
        "one image without its axis": (images[0], labels),
        "other channels": (np.repeat(images[..., None], 3, axis=-1) if grey else images[..., 0], labels),
        "no images": (images[:0], labels[:0]),
        "a label too few": (images, labels[:-1]),
        "label 7": (images, np.where(labels == 6, 7, labels)),
        "label -1": (images, labels - 1),
        "labels as floats": (images, labels.astype(float)),
        "one class": (images, np.zeros_like(labels)),
    }


def test_flawed_input_is_refused_in_words(subject, fitted):
    """Images and labels that break the contract raise InputError, which says what was expected and what found."""
    for flaw, (images, labels) in flawed(fitted.faces).items():
        with pytest.raises(InputError, match=r"(?s)expected.*found") as caught:
            subject.make().fit(images, labels)
        assert len(str(caught.value)) < 400, flaw


def test_images_of_another_shape_than_training_are_refused(fitted):
    """Prediction names the shape of training and the shape that came; the fitted method still works."""
    wrong = np.pad(fitted.others.images, [(0, 0), (0, 0), (0, 8), (0, 0)][: fitted.others.images.ndim])
    with pytest.raises(InputError) as caught:
        fitted.method.predict_proba(wrong)
    for shape in (fitted.faces.images.shape[1:], wrong.shape[1:]):
        assert str(shape) in str(caught.value)
    with pytest.raises(InputError, match=r"expected.*found float64"):
        fitted.method.predict_proba(fitted.others.images.astype(float))
    np.testing.assert_array_equal(fitted.method.predict_proba(fitted.others.images), fitted.probabilities)


def test_true_labels_beat_chance_and_shuffled_ones_do_not(subject):
    """On new people a method that learnt from true labels beats chance, from shuffled labels it does not."""
    enough = {"cnn2": {"epochs": 8}, "dbn": {"epochs": 40}}  # more than a quick run trains, of what is small
    if subject.spec.uses_torch and (subject.spec.network not in enough or subject.spec.image.size > 64):
        pytest.skip("needs more training of a network than a test has time for")
    if subject.spec.name == "majority":
        pytest.skip("the floor looks at no image")
    epochs = enough[subject.spec.network] if subject.spec.uses_torch else {}
    seen, new = subject.faces(people=6, each=3), subject.faces(people=6, first=20, each=2)

    def score(labels):
        method = subject.make().set_params(**epochs)
        return (method.fit(seen.images, labels, groups=seen.people).predict(new.images) == new.labels).mean()

    assert score(seen.labels) > 0.3
    rng = np.random.default_rng(0)
    shuffled = [score(rng.permutation(seen.labels)) for _ in range(1 if epochs else 3)]
    assert np.mean(shuffled) < 0.3


def test_prepared_features_give_what_images_give(subject, fitted):
    """fit equals fit_prepared after prepare, and so do the probabilities."""
    prepare = _prepare(fitted.method)
    fresh = subject.make().fit_prepared(prepare(fitted.faces.images), fitted.faces.labels, groups=fitted.faces.people)
    found = fresh.predict_proba_prepared(prepare(fitted.others.images))
    np.testing.assert_array_equal(found, fitted.probabilities)


def test_preparation_looks_at_one_image_at_a_time(subject, fitted):
    """Rows are float32, follow their images under any order and any subset, and need no fit."""
    prepare = _prepare(subject.make())
    images = fitted.faces.images
    rows = prepare(images)
    assert rows.dtype == np.float32
    assert rows.shape[0] == len(images)
    assert rows.ndim == 2
    order = np.random.default_rng(0).permutation(len(images))
    np.testing.assert_array_equal(prepare(images[order]), rows[order])
    np.testing.assert_array_equal(prepare(images[3:4]), rows[3:4])
    np.testing.assert_array_equal(prepare(images[::3]), rows[::3])


def test_the_key_of_preparation_is_stable(subject, fitted):
    """The key is a plain name, the same before and after fitting and whatever the seed."""
    _prepare(fitted.method)
    key = fitted.method.prepare_key()
    assert key == subject.make(random_state=5).prepare_key()
    assert key
    assert "/" not in key


def _prepare(method):
    if not hasattr(method, "prepare"):
        pytest.skip("the method offers no shared preparation")
    return method.prepare


@pytest.mark.parametrize("profile", ["quick", "full"])
@pytest.mark.parametrize("preset", ["default", "as-printed"])
def test_specs_resolve_to_what_can_be_written_down(spec, profile, preset):
    """In every profile and preset parameters survive JSON, the image is sensible and the cost a positive number."""
    resolved = spec.resolve(profile, preset)
    assert json.loads(json.dumps(resolved.params)) == resolved.params
    assert resolved.image.channels in (1, 3)
    assert resolved.image.source in ("photo", "grey256", "landmarks")
    assert resolved.image.size >= 8
    assert 0 < resolved.estimate_seconds(441, 49) <= resolved.estimate_seconds(4410, 490) < float("inf")
    assert set(resolved.wants) <= {"random_state", "device", "weights"}
    assert (resolved.weights is not None) == ("weights" in resolved.wants)
