"""The parts of a recipe: rates of steps and blocks, decay, clipping, averages, erased rectangles, enough steps."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fer_bench.deep.classifier import NetworkClassifier
from fer_bench.deep.networks.build import build, learn
from fer_bench.deep.training.augment import erase
from fer_bench.deep.training.batches import n_steps, shuffled
from fer_bench.deep.training.optimisers import learning_groups, make_optimizer, rate
from fer_bench.deep.training.settings import Settings
from fer_bench.deep.training.stages import whole_epochs
from fer_bench.errors import InputError

Toy = Callable[..., tuple[np.ndarray, np.ndarray]]
CPU = {"device": "cpu", "epochs": 3, "batch_size": 16, "augment": False, "precision": "float32"}


def settings(**given: object) -> Settings:
    return NetworkClassifier("cnn2", **{**CPU, **given})._settings()


@given(
    warmup=st.floats(0, 0.9),
    epochs=st.integers(1, 50),
    steps=st.integers(1, 60),
    schedule=st.sampled_from(["constant", "cosine"]),
)
def test_the_rate_rises_once_and_then_never(warmup, epochs, steps, schedule):
    """Over a stage's steps the rate goes up in the warm-up, is never above one, and then only down."""
    chosen = settings(warmup=warmup, schedule=schedule)
    rates = [rate(chosen, epoch + step / steps, epochs, 1 / steps) for epoch in range(epochs) for step in range(steps)]
    assert 0 < min(rates) <= max(rates) <= 1
    top = int(np.argmax(rates))
    assert (np.diff(rates[: top + 1]) >= 0).all()
    assert (np.diff(rates[top:]) <= 0).all()
    assert top <= warmup * epochs * steps + 1


def test_blocks_before_the_head_learn_more_slowly_and_vectors_do_not_decay(random_weights):
    """Every parameter that learns is in one group, with the rate of its depth; biases and scales of norms keep all."""
    network = learn(build("squeezenet1_0", mode="entire", seed=0, weights=random_weights("squeezenet1_0")), 3)
    chosen = settings(depth_decay=0.5, weight_decay=0.01)
    groups = learning_groups(network, chosen)
    found = [id(p) for group in groups for p in group["params"]]
    assert sorted(found) == sorted(id(p) for p in network.parameters() if p.requires_grad)
    scale = {id(p): group["scale"] for group in groups for p in group["params"]}
    assert {scale[id(p)] for p in network.head.parameters()} == {1.0}
    assert {scale[id(p)] for p in network.block.parameters()} == {0.5}
    assert {scale[id(p)] for p in network.trunk[-1].parameters()} == {0.25}
    decays = {p.ndim > 1: group["weight_decay"] for group in groups for p in group["params"]}
    assert decays == {True: 0.01, False: 0.0}


def test_a_step_is_as_long_as_the_clipped_gradient():
    """Of a gradient of norm 100 plain SGD takes a step of rate times ``clip_norm``; of a short one, the whole."""
    parameter = torch.nn.Parameter(torch.zeros(4))
    optimizer = make_optimizer([parameter], settings(optimizer="sgd", momentum=0.0, clip_norm=1.0), 0.1)
    for gradient, length in ((50.0, 0.1), (0.1, 0.02)):
        parameter.data.zero_()
        parameter.grad = torch.full((4,), gradient)
        optimizer.step()
        assert float(parameter.detach().norm()) == pytest.approx(length, rel=1e-4)


def test_an_average_is_kept_evaluated_and_survives_an_interruption(toy: Toy, tmp_path):
    """The values that are kept are those whose predictions the last epoch's evaluation holds, and not the last step's;
    a training that was interrupted gives the same bits."""
    images, labels = toy(n=70)
    given = {**CPU, "ema": 0.9}
    whole = NetworkClassifier("cnn2", **given).fit(images, labels, eval_images=images)
    np.testing.assert_allclose(whole.predict_proba(images), whole.eval_proba_[-1], atol=1e-6)
    plain = NetworkClassifier("cnn2", **CPU).fit(images, labels)
    assert np.abs(plain.predict_proba(images) - whole.predict_proba(images)).max() > 1e-3

    class StopError(Exception):
        pass

    from fer_bench.deep.training import checkpoint as kept

    calls = []

    class Interrupted(kept.Checkpoint):
        def save(self, *given: object) -> None:
            super().save(*given)
            calls.append(1)
            if len(calls) == 2:
                raise StopError

    place = kept.open_checkpoint(tmp_path, 0.0)
    place.__class__ = Interrupted
    with pytest.raises(StopError):
        NetworkClassifier("cnn2", **given).fit(images, labels, checkpoint=place)
    again = NetworkClassifier("cnn2", **given).fit(images, labels, checkpoint=kept.open_checkpoint(tmp_path, 0.0))
    np.testing.assert_array_equal(again.predict_proba(images), whole.predict_proba(images))


@given(n=st.integers(1, 12), share=st.sampled_from([0.0, 0.5, 1.0]), side=st.integers(8, 40), seed=st.integers(0, 99))
def test_what_is_erased_is_one_rectangle(n, share, side, seed):
    """Of each picture that is chosen a rectangle of a fifth at most becomes zero in all channels, the rest stays."""
    pictures = erase(torch.ones(n, 3, side, side), share, torch.Generator().manual_seed(seed))
    for picture in pictures:
        gone = picture == 0
        assert (gone == gone[:1]).all()
        rows, columns = gone[0].any(1), gone[0].any(0)
        assert gone[0].sum() == rows.sum() * columns.sum()
        assert gone[0].float().mean() < 0.3
        assert share > 0 or not gone.any()


@given(n=st.integers(2, 200), batch=st.integers(2, 40), least=st.integers(0, 500), epochs=st.integers(1, 9))
def test_steps_are_as_many_as_batches_and_enough(n, batch, least, epochs):
    """An epoch has as many steps as batches are drawn; there are never fewer epochs than asked for."""
    chosen = settings(batch_size=batch)
    assert n_steps(n, chosen) == len(shuffled(n, chosen, 0, torch.device("cpu")))
    found = whole_epochs(epochs, least, n, batch)
    assert found >= epochs
    assert found == epochs or found * max(1, round(n / batch)) >= least


def test_small_sets_get_the_steps_that_are_asked_for(toy: Toy):
    """With ``min_steps`` a training of 28 pictures goes through more epochs than asked for."""
    images, labels = toy(n=28)
    method = NetworkClassifier("cnn2", **{**CPU, "epochs": 2, "min_steps": 10, "batch_size": 14}).fit(images, labels)
    assert len(method.history_["loss"]) == 5


def test_everything_may_learn_behind_a_head_that_has_learnt(toy: Toy, random_weights):
    """Mode entire with stages trains the head first, then all; what ends otherwise is refused."""
    images, labels = toy(n=28, side=32, channels=3)
    given = {**CPU, "epochs": 3, "weights": random_weights("squeezenet1_0")}
    stages = [["dense", 1, 1.0], ["entire", 2, 0.1]]
    method = NetworkClassifier("squeezenet1_0", "entire", **given, stages=stages).fit(images, labels)
    assert method.history_["learning_blocks"][0] == 0
    assert method.history_["learning_blocks"][1:] == [method.network_.n_blocks] * 2
    with pytest.raises(InputError, match='the last is "entire"'):
        NetworkClassifier("squeezenet1_0", "entire", **given, stages=stages[:1]).fit(images, labels)


@pytest.mark.parametrize(
    ("name", "value"), [("warmup", 1.0), ("depth_decay", 0.0), ("clip_norm", -1.0), ("ema", 1.0), ("min_steps", -1)]
)
def test_what_is_out_of_range_is_refused(name, value, toy: Toy):
    """Each part of a recipe has a range, which the refusal names."""
    with pytest.raises(InputError, match=f"{name}: expected"):
        NetworkClassifier("cnn2", **{**CPU, name: value}).fit(*toy(n=14))
