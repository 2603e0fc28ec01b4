"""Parameters, arguments and attributes that have other names now: the old ones keep working and say the new ones."""

import pickle
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone

from fer_bench.deep.classifier import NetworkClassifier
from fer_bench.deep.literature.dwt_cnn import EqualisedClassifier
from fer_bench.deep.literature.graph_classifier import GraphClassifier
from fer_bench.errors import InputError
from fer_bench.utils import renamed

Toy = Callable[..., tuple[np.ndarray, np.ndarray]]
CPU: dict[str, Any] = {"device": "cpu", "epochs": 2, "batch_size": 16}


@pytest.fixture(autouse=True)
def _untold() -> Iterator[None]:
    """Let every test be the first of its process to use an old name."""
    renamed._tell.cache_clear()
    yield
    renamed._tell.cache_clear()


def test_a_parameter_is_taken_by_its_old_name(capsys: pytest.CaptureFixture[str]) -> None:
    """``views=`` sets ``augmented_copies``, in the call and in ``set_params``, and is told once."""
    method: Any = NetworkClassifier("squeezenet1_0", "dense", views=4)  # type: ignore[call-arg]
    assert method.augmented_copies == method.views == 4
    assert method.set_params(views=2).augmented_copies == 2
    told = "parameter views is called augmented_copies now"
    assert capsys.readouterr().err.count(told) == 1


def test_scikit_learn_sees_the_new_name_alone() -> None:
    """Parameters, clones and copies of a classifier made by the old name are those of one made by the new name."""
    old: Any = NetworkClassifier("squeezenet1_0", "dense", views=4)  # type: ignore[call-arg]
    new = NetworkClassifier("squeezenet1_0", "dense", augmented_copies=4)
    assert old.get_params() == new.get_params()
    assert "views" not in new.get_params()
    assert clone(old).get_params() == pickle.loads(pickle.dumps(old)).get_params() == new.get_params()
    with pytest.raises(ValueError, match="Invalid parameter 'view'"):
        new.set_params(view=3)


def test_a_subclass_with_the_old_parameter_is_cloned_and_set() -> None:
    """A class of another package that hands on ``views`` as its own parameter keeps it in both directions."""

    class Mine(NetworkClassifier):
        def __init__(self, network: str = "squeezenet1_0", views: int = 3) -> None:
            super().__init__(network, "dense", views=views)  # type: ignore[call-arg]

    mine = clone(Mine(views=5))
    assert mine.get_params() == {"network": "squeezenet1_0", "views": 5}
    assert mine.augmented_copies == 5
    assert mine.set_params(views=2).augmented_copies == 2


def test_one_parameter_by_both_names_is_refused() -> None:
    """Which of two numbers counts is nobody's guess."""
    with pytest.raises(InputError, match="augmented_copies: given twice, the second time by its old name, views"):
        NetworkClassifier("squeezenet1_0", "dense", views=4, augmented_copies=2)  # type: ignore[call-arg]


@pytest.mark.parametrize("kind", [NetworkClassifier, EqualisedClassifier, GraphClassifier])
def test_fit_takes_its_old_argument(kind: type, toy: Toy) -> None:
    """``watch`` gives what ``eval_images`` gives, read by the old name and the new; without either there is nothing."""
    images: Any
    images, labels = toy(n=14)
    if kind is GraphClassifier:
        images = np.random.default_rng(0).uniform(0, 99, (14, 68, 2)).astype(np.float32)
    params = {"widths": (8,)} if kind is GraphClassifier else {"network": "cnn2"}
    make = lambda: kind(**params, **CPU)  # noqa: E731
    new, old = make().fit(images, labels, eval_images=images[:3]), make().fit(images, labels, watch=images[:3])
    assert old.eval_proba_.shape == (2, 3, 7)
    np.testing.assert_array_equal(old.watch_proba_, new.eval_proba_)
    assert not hasattr(make().fit(images, labels), "watch_proba_")
    with pytest.raises(TypeError, match="watched"):
        make().fit(images, labels, watched=images)


def test_new_names_say_nothing(toy: Toy, capsys: pytest.CaptureFixture[str]) -> None:
    """Who uses the names of now, and scikit-learn's own ways, is told nothing."""
    images, labels = toy(n=14)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        method = clone(NetworkClassifier("cnn2", **CPU)).fit(images, labels, eval_images=images)
        clone(method).set_params(augmented_copies=0).get_params()
        repr(method)
    assert "now; the old name" not in capsys.readouterr().err
