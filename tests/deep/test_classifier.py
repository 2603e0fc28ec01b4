"""`NetworkClassifier`: the contract of a method, training that repeats to the bit, errors that are clear."""

import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

from fer_bench.deep import FineTuned
from fer_bench.deep.classifier import NetworkClassifier
from fer_bench.deep.training import batches
from fer_bench.deep.training import train as training
from fer_bench.deep.training.optimisers import rate
from fer_bench.errors import FerBenchError, InputError, UserError
from fer_bench.methods import load_methods

Toy = Callable[..., tuple[np.ndarray, np.ndarray]]
CPU: dict[str, Any] = {"device": "cpu", "epochs": 2, "batch_size": 16}


def _squeezenet(weights: Callable[[str], Path], mode: str, **params: Any) -> NetworkClassifier:
    return NetworkClassifier("squeezenet1_0", mode, weights=weights("squeezenet1_0"), **{**CPU, **params})


def test_probabilities_have_seven_columns_that_sum_to_one(toy: Toy) -> None:
    """Seven probabilities an image, also where the training labels lack classes."""
    images, labels = toy(n=30)
    method = NetworkClassifier("cnn2", **CPU).fit(images, labels % 2 * 5)
    probabilities = method.predict_proba(images)
    assert probabilities.shape == (30, 7)
    assert probabilities.dtype == np.float64
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-12)
    assert method.classes_.tolist() == list(range(7))
    assert (method.predict(images) == probabilities.argmax(1)).all()


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize(
    ("network", "params"),
    [
        ("cnn2", {"mode": "scratch"}),
        ("squeezenet1_0", {"mode": "dense", "augmented_copies": 2}),
        ("squeezenet1_0", {"mode": "last_block", "augmented_copies": 2}),
        ("mobilenet_v2", {"mode": "entire"}),
    ],
)
def test_a_prediction_hangs_on_its_picture_alone(
    toy: Toy, random_weights: Callable[[str], Path], network: str, params: dict[str, Any], precision: str
) -> None:
    """However many are predicted and whatever is beside it, a picture gets the same probabilities, to the bit."""
    images, labels = toy(n=280, side=32, channels=1 if network == "cnn2" else 3)
    weights = None if network == "cnn2" else random_weights(network)
    method = NetworkClassifier(network, **params, **{**CPU, "epochs": 1}, weights=weights, precision=precision)
    method.fit(images[:14], labels[:14])
    whole = method.predict_proba(images)
    order = np.random.default_rng(0).permutation(280)
    assert np.array_equal(method.predict_proba(images[order]), whole[order])
    for n in (1, 2, 31, 32, 33):
        assert np.array_equal(method.predict_proba(images[:n]), whole[:n]), n
    if params["mode"] == "dense":
        features = method.set_params(augmented_copies=1).prepare(images)
        for n in (1, 2, 31, 32, 33, 280):
            assert np.array_equal(method.predict_proba_prepared(features[:n]), whole[:n]), n


def test_evaluated_pictures_do_not_hang_on_their_number(toy: Toy, random_weights: Callable[[str], Path]) -> None:
    """Pictures that are predicted after each epoch, also from behind frozen parts, get the same bits in any company."""
    images, labels = toy(n=50, side=32, channels=3)
    for params in ({"mode": "last_block", "augmented_copies": 2}, {"mode": "entire"}):
        one, all_ = (
            _squeezenet(random_weights, **params, precision="float32").fit(
                images[:14], labels[:14], eval_images=images[:n]
            )
            for n in (2, 50)
        )
        assert np.array_equal(one.eval_proba_, all_.eval_proba_[:, :2])


@pytest.mark.slow
def test_predictions_have_one_shape(toy: Toy) -> None:
    """34 images for training and 280 to predict at 128 pixels in bfloat16: no last batch of 24 rows in any layer.

    Rows x inputs of 24 x 65,536 end a process on processors with AMX (oneDNN 3.13).
    """
    images, labels = toy(n=280, side=128)
    method = NetworkClassifier("cnn2", **{**CPU, "epochs": 1}, precision="bfloat16").fit(images[:34], labels[:34])
    seen = set()
    for layer in method.network_.modules():
        if isinstance(layer, torch.nn.Linear):
            layer.register_forward_pre_hook(lambda layer, inputs: seen.add((len(inputs[0]), layer.in_features)))
    probabilities = np.concatenate([method.predict_proba(images[:2]), method.predict_proba(images)])
    assert np.isfinite(probabilities).all()
    assert (32, 65_536) in seen
    assert {rows for rows, _ in seen} == {32}
    assert all(rows * inputs != 1_572_864 for rows, inputs in seen)


def test_same_seed_same_bits_and_no_global_state(toy: Toy, random_weights: Callable[[str], Path]) -> None:
    """A fit repeats to the bit, another seed differs, and numpy's and torch's global generators are untouched."""
    images, labels = toy(n=20, side=32, channels=3)
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    one, again, other = (
        _squeezenet(random_weights, "last_block", random_state=seed).fit(images, labels).predict_proba(images)
        for seed in (3, 3, 4)
    )
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
    assert torch.equal(before[0], torch.get_rng_state())
    assert np.array_equal(before[1], np.random.get_state()[1])


@pytest.mark.parametrize(
    "params",
    [{"mode": "last_block", "augmented_copies": 2}, {"mode": "dense", "augmented_copies": 3}, {"mode": "entire"}],
)
def test_evaluation_holds_what_shorter_trainings_predict(
    toy: Toy, random_weights: Callable[[str], Path], params: dict[str, Any]
) -> None:
    """Row k of ``eval_proba_`` is what a training of k + 1 epochs predicts; evaluating changes nothing."""
    images, labels = toy(n=21, side=32, channels=3)
    others, _ = toy(n=9, side=32, channels=3, seed=1)
    long = _squeezenet(random_weights, **params, epochs=3).fit(images, labels, eval_images=others)
    assert long.eval_proba_.shape == (3, 9, 7)
    assert long.eval_proba_.dtype == np.float32
    for epochs in (1, 3):
        short = _squeezenet(random_weights, **params, epochs=epochs).fit(images, labels)
        assert not hasattr(short, "eval_proba_")
        # Pictures for `last_block` wait as maps in bfloat16, whose last bit depends on the processor's rounding.
        rounding = 2e-3 if params["mode"] == "last_block" else 1e-5
        np.testing.assert_allclose(long.eval_proba_[epochs - 1], short.predict_proba(others), atol=rounding)
    assert [len(values) for values in long.history_.values()] == [3, 3]


def test_cached_and_plain_training_agree_without_augmentation(toy: Toy, random_weights: Callable[[str], Path]) -> None:
    """With nothing to augment, the last block trained on cached activations is the one trained the plain way."""
    images, labels = toy(n=20, side=32, channels=3)
    plain, cached = (
        _squeezenet(random_weights, "last_block", augment=False, augmented_copies=copies, learning_rate=1e-4).fit(
            images, labels
        )
        for copies in (0, 1)
    )
    np.testing.assert_allclose(plain.history_["loss"], cached.history_["loss"], rtol=1e-3)
    np.testing.assert_allclose(plain.predict_proba(images), cached.predict_proba(images), atol=1e-3)


def test_augmentation_reaches_the_training(toy: Toy, random_weights: Callable[[str], Path]) -> None:
    """Copies differ from one another, the first is the picture itself, and without augmentation there is one."""
    images, _ = toy(n=8, side=32, channels=3)
    three = _squeezenet(random_weights, "dense", augmented_copies=3).prepare(images).reshape(8, 3, -1)
    one = _squeezenet(random_weights, "dense", augmented_copies=3, augment=False).prepare(images)
    assert one.shape == (8, 512)
    np.testing.assert_array_equal(three[:, 0], one)
    assert not np.allclose(three[:, 1], three[:, 2], rtol=1e-3)


def test_bfloat16_trains_to_about_the_same(toy: Toy, random_weights: Callable[[str], Path]) -> None:
    """In bfloat16 (emulated where there are no units) losses and probabilities stay near those of float32."""
    images, labels = toy(n=20, side=32, channels=3)
    grey, _ = toy(n=20)
    found: dict[str, list[np.ndarray]] = {}
    for precision in ("float32", "bfloat16"):
        found[precision] = []
        for method in (
            NetworkClassifier("cnn2", **CPU, precision=precision),
            _squeezenet(random_weights, "dense", augmented_copies=2, precision=precision),
            _squeezenet(random_weights, "entire", learning_rate=1e-4, precision=precision),
        ):
            pictures = grey if method.network == "cnn2" else images
            method.fit(pictures, labels, eval_images=pictures)
            assert method.precision_ == precision
            found[precision] += [np.array(method.history_["loss"]), method.predict_proba(pictures), method.eval_proba_]
    for plain, fast in zip(found["float32"], found["bfloat16"], strict=True):
        assert not np.array_equal(plain, fast)
        np.testing.assert_allclose(plain, fast, atol=0.05)


@pytest.mark.parametrize("n", [17, 33, 48])
def test_no_batch_holds_one_picture(n: int) -> None:
    """Every picture is in one batch of an epoch, and none is alone in its batch; epochs differ in order."""
    settings = NetworkClassifier("cnn2", **CPU)._settings()
    epochs = [batches.shuffled(n, settings, epoch, torch.device("cpu")) for epoch in (0, 1)]
    for epoch in epochs:
        assert sorted(torch.cat(epoch).tolist()) == list(range(n))
        assert min(len(batch) for batch in epoch) > 1
    assert torch.cat(epochs[0]).tolist() != torch.cat(epochs[1]).tolist()


def test_batch_norm_survives_a_leftover_picture(toy: Toy) -> None:
    """Seventeen pictures in batches of sixteen train a network whose last maps are one pixel wide."""
    images, labels = toy(n=17, side=32, channels=3)
    method = NetworkClassifier("mobilenet_v2", "scratch", **{**CPU, "epochs": 1}).fit(images, labels)
    assert np.isfinite(method.predict_proba(images)).all()


def test_clone_and_pickle(toy: Toy) -> None:
    """A clone has the parameters and nothing learnt; a pickle predicts the same."""
    images, labels = toy(n=20)
    method = NetworkClassifier("cnn2", **CPU, betas=(0.8, 0.9), random_state=5).fit(images, labels)
    copy = clone(method)
    assert copy.get_params() == method.get_params()
    assert not hasattr(copy, "network_")
    again = pickle.loads(pickle.dumps(method))
    assert np.array_equal(again.predict_proba(images), method.predict_proba(images))


def test_scikit_learn_cross_validates_it(toy: Toy) -> None:
    """``cross_val_score`` works on arrays of images."""
    scores = cross_val_score(NetworkClassifier("cnn2", **CPU), *toy(n=42), cv=3)
    assert scores.shape == (3,)
    assert np.isfinite(scores).all()


def test_read_only_memory_maps_train(toy: Toy, tmp_path: Path) -> None:
    """Images may lie in a read-only memory map; predictions equal those from memory."""
    images, labels = toy(n=20)
    np.save(tmp_path / "images.npy", images)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    one, two = (NetworkClassifier("cnn2", **CPU).fit(x, labels).predict_proba(x) for x in (images, mapped))
    assert np.array_equal(one, two)


def test_a_loss_that_is_no_number_stops_the_training(toy: Toy) -> None:
    """Training that diverges is an error that names the epoch and the learning rate, not a result."""
    with pytest.raises(FerBenchError, match=r"loss of epoch \d+ of 9 is (nan|inf).*lower learning_rate"):
        NetworkClassifier("cnn2", **{**CPU, "epochs": 9}, learning_rate=1e20).fit(*toy(n=30))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"epochs": 0}, "epochs: expected at least 1"),
        ({"batch_size": 1}, "batch_size: expected at least 2"),
        ({"augmented_copies": 2}, "augmented_copies: mode scratch has no frozen part"),
        ({"schedule": "steps"}, "schedule: expected one of constant, cosine, step"),
        ({"betas": (0.9, 1.0)}, "betas: expected two numbers"),
        ({"optimizer": "lion"}, "optimizer: expected one of adam, sgd"),
        ({"augment": "mixup"}, "augment: expected one of False, True, flip, paper"),
        ({"normalisation": "z"}, "normalisation: expected one of network, half, unit"),
        ({"precision": "float16"}, "precision: expected one of auto, float32, bfloat16"),
        ({"head": "deep"}, "head: expected one of linear, hidden, factored"),
        ({"stages": [["dense", 1, 1]]}, "stages: mode scratch has one stage"),
        ({"patience": -1}, "patience: expected at least 0"),
        ({"network": "lenet"}, "network: expected one of cnn2"),
        ({"device": "tpu"}, "device: expected cpu, cuda or auto"),
    ],
)
def test_wrong_parameters_are_named(toy: Toy, params: dict[str, Any], message: str) -> None:
    """A parameter out of range gives one sentence with what was expected."""
    images, labels = toy(n=14) if params.get("network") is None else toy(n=14, side=32, channels=3)
    with pytest.raises(FerBenchError, match=message):
        NetworkClassifier(**{**CPU, **params}).fit(images, labels)


def test_wrong_images_are_refused(toy: Toy, random_weights: Callable[[str], Path]) -> None:
    """Colour for cnn2, grey or too small pictures for others, and another size at prediction are refused."""
    images, labels = toy(n=14)
    colour, _ = toy(n=14, side=32, channels=3)
    with pytest.raises(InputError, match=r"expected uint8 of shape \(n, h, w\)"):
        NetworkClassifier("cnn2", **CPU).fit(colour, labels)
    with pytest.raises(InputError, match=r"expected uint8 of shape \(n, h, w, 3\)"):
        _squeezenet(random_weights, "entire").fit(images, labels)
    with pytest.raises(InputError, match="at least 32 pixels, found 16 x 16"):
        _squeezenet(random_weights, "entire").fit(colour[:, :16, :16], labels)
    with pytest.raises(InputError, match="squares"):
        NetworkClassifier("cnn2", **CPU).fit(images[:, :12], labels)
    method = NetworkClassifier("cnn2", **CPU).fit(images, labels)
    with pytest.raises(InputError, match="fitted on images of shape"):
        method.predict_proba(images[:, :8, :8])


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is at hand")
def test_cuda_without_a_gpu_is_refused(toy: Toy) -> None:
    """Asking for a GPU that is not there is the user's error; auto takes the CPU."""
    with pytest.raises(UserError, match="finds none here"):
        NetworkClassifier("cnn2", **{**CPU, "device": "cuda"}).fit(*toy(n=14))
    NetworkClassifier("cnn2", **{**CPU, "device": "auto", "epochs": 1}).fit(*toy(n=14))


def test_the_article_preset_reaches_adam(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Betas as printed, (0.9, 0.009), reach the optimiser of a method made from the catalogue, as the rate does."""
    seen: list[torch.optim.Adam] = []
    original = training.make_optimizer

    def spy(*args: Any) -> torch.optim.Adam:
        seen.append(original(*args))
        return seen[-1]

    monkeypatch.setattr(training, "make_optimizer", spy)
    for preset, betas in (("as-printed", (0.9, 0.009)), ("default", (0.9, 0.999))):
        spec = load_methods()["cnn2-48"].resolve("full", preset)
        assert spec.params["epochs"] == 50
        method = spec.make(random_state=0, device="cpu")
        method.set_params(epochs=1).fit(*toy(n=14))  # type: ignore[attr-defined]
        assert seen[-1].param_groups[0]["betas"] == betas
        assert seen[-1].param_groups[0]["lr"] == 5e-4
        assert seen[-1].param_groups[0]["weight_decay"] == 0


def test_schedules_fall_as_they_say() -> None:
    """The cosine starts at the full rate and falls in every epoch; steps divide by ten after every six."""
    cosine, step = (NetworkClassifier("cnn2", **CPU, schedule=name)._settings() for name in ("cosine", "step"))
    rates = [rate(cosine, epoch, 5) for epoch in range(5)]
    assert rates[0] == 1
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] > 0
    assert [rate(step, epoch, 20) for epoch in (0, 5, 6, 11, 12)] == pytest.approx([1, 1, 0.1, 0.1, 0.01])


def test_early_stopping_keeps_the_best_epoch_of_people_held_out(toy: Toy) -> None:
    """The training ends ``patience`` epochs after the lowest loss on people held out, and that epoch's values stay."""
    images, labels = toy(n=70)
    noise = np.random.default_rng(0)
    labels = np.where(noise.random(70) < 0.4, noise.permutation(labels), labels)  # something to overfit
    people = np.array([f"P{i // 7}" for i in range(70)])
    params: dict[str, Any] = {**CPU, "learning_rate": 2e-3, "augment": False, "random_state": 1}
    stopped = NetworkClassifier("cnn2", **{**params, "epochs": 60}, patience=3).fit(
        images, labels, groups=people, eval_images=images
    )
    losses = stopped.history_["validation_loss"]
    best = int(np.argmin(losses))
    assert len(losses) == best + 1 + 3 < 60
    assert len(stopped.eval_proba_) == len(losses)
    np.testing.assert_allclose(stopped.predict_proba(images), stopped.eval_proba_[best], atol=1e-6)
    assert np.abs(stopped.eval_proba_[best] - stopped.eval_proba_[-1]).max() > 0.05
    assert "validation_loss" not in NetworkClassifier("cnn2", **params).fit(images, labels, groups=people).history_


@pytest.mark.parametrize("groups", [None, np.array(["P1"] * 14)])
def test_early_stopping_without_people_is_refused(toy: Toy, groups: np.ndarray | None) -> None:
    """Patience needs names of at least two people, and says so."""
    with pytest.raises(InputError, match=r"groups: early stopping .* at least two people, found (none|1)"):
        NetworkClassifier("cnn2", **CPU, patience=2).fit(*toy(n=14), groups=groups)


def test_sgd_and_its_steps_reach_the_optimiser(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    """SGD with momentum is what trains where it is asked for, and its rate falls by epochs."""
    rates: list[float] = []
    original = training.run_epoch

    def spy(network: Any, batches: Any, steps: Any, optimizer: Any, *rest: Any) -> tuple[float, float]:
        assert isinstance(optimizer, torch.optim.SGD)
        assert optimizer.param_groups[0]["momentum"] == 0.9
        done = original(network, batches, steps, optimizer, *rest)
        rates.append(optimizer.param_groups[0]["lr"])
        return done

    monkeypatch.setattr(training, "run_epoch", spy)
    params = {**CPU, "epochs": 5, "optimizer": "sgd", "schedule": "step", "step_size": 2, "learning_rate": 1e-3}
    NetworkClassifier("cnn2", **params).fit(*toy(n=14))
    assert rates == pytest.approx([1e-3, 1e-3, 1e-4, 1e-4, 1e-5])


def test_fine_tuned_finds_its_weights(toy, random_weights, monkeypatch, tmp_path) -> None:
    """`FineTuned("resnet18", mode="last_block").fit(X, y)` takes the file that FER_BENCH_WEIGHTS has, and no other."""
    images, labels = toy(n=14, side=64, channels=3)
    monkeypatch.setenv("FER_BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    method = FineTuned("resnet18", mode="last_block", epochs=1, batch_size=7, device="cpu")
    with pytest.raises(UserError, match="none are found; `fer-bench weights fetch resnet18` gets them"):
        method.fit(images, labels)
    file = random_weights("resnet18")
    monkeypatch.setenv("FER_BENCH_WEIGHTS", str(file.parent))
    same = NetworkClassifier(**method.get_params() | {"weights": file}).fit(images, labels)
    np.testing.assert_array_equal(method.fit(images, labels).predict_proba(images), same.predict_proba(images))


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"epochs": "5"}, "epochs: expected a whole number, found '5'"),
        ({"epochs": 2.5}, "epochs: expected a whole number, found 2.5"),
        ({"batch_size": 4.5}, "batch_size: expected a whole number"),
        ({"augmented_copies": None}, "augmented_copies: expected a whole number"),
        ({"random_state": None}, "random_state: expected a whole number"),
        ({"learning_rate": -1.0}, "learning_rate: expected a number from 0 to below inf, found -1.0"),
        ({"learning_rate": float("nan")}, "learning_rate: expected a number"),
        ({"weight_decay": -1}, "weight_decay: expected"),
        ({"momentum": 1.0}, "momentum: expected a number from 0 to below 1"),
        ({"gamma": -1}, "gamma: expected"),
        ({"label_smoothing": 2}, "label_smoothing: expected"),
        ({"betas": 0.9}, "betas: expected two numbers"),
        ({"betas": ("a", "b")}, "betas: expected two numbers"),
        ({"augment": ["flip"]}, "augment: expected one of"),
        ({"mode": "gradual", "stages": [1]}, "stages: expected"),
        ({"mode": "gradual", "stages": [["dense", float("inf"), 1.0]]}, "stages: expected"),
    ],
)
def test_what_is_no_parameter_is_told_in_a_sentence(toy, params, words) -> None:
    """Wrong types and numbers out of range are refused by name, with what was found."""
    images, labels = toy(n=14)
    with pytest.raises(InputError, match=re.escape(words)):
        NetworkClassifier("cnn2", **{"epochs": 1, "device": "cpu", **params}).fit(images, labels)
