"""A method is asked about test images in an order of the trial's own, and features are those of each image alone."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fer_bench.methods import ImageSpec, MethodSpec
from fer_bench.results.records import PREDICTIONS
from fer_bench.runner.order import draw_order
from fer_bench.runner.task import Task
from fer_bench.runner.trial import run_task

PLUGINS = Path(__file__).parents[1] / "plugins"
N_TRAIN, N_TEST = 14, 280


@pytest.fixture
def trial(tmp_path, monkeypatch):
    """Run a probe whose test images come expression by expression, and give its record and its arrays."""
    monkeypatch.syspath_prepend(str(PLUGINS))
    monkeypatch.setenv("FER_BENCH_CACHE", str(tmp_path / "cache"))
    labels = np.arange(N_TRAIN + N_TEST) % 7
    images = np.random.default_rng(0).integers(0, 255, (len(labels), 32, 32), dtype=np.uint8)
    images[:, 0, 0] = labels
    np.save(tmp_path / "images.npy", images)

    def run(probe, *, seed=0, number=0, watch=False, **params):
        task = Task(
            id=f"{probe}-{seed}-{number}",
            spec=MethodSpec("probe", "classical", f"leak_probe:{probe}", ImageSpec(32), params=params),
            protocol="subject-2fold",
            fold=0,
            seed=0,
            random_state=seed,
            device="cpu",
            weights=None,
            watch=watch,
            images=tmp_path / "images.npy",
            train=np.arange(N_TRAIN),
            test=np.arange(N_TRAIN, len(labels)),
            labels=labels[:N_TRAIN],
            groups=np.repeat("F01", N_TRAIN),
            folder=tmp_path / "trials" / f"{probe}-{seed}-{number}",
            estimate_seconds=0.1,
            timeout_seconds=60.0,
        )
        record = run_task(task)
        if record["state"] != "ok":
            return task, record, {}
        with np.load(task.folder / PREDICTIONS) as arrays:
            return task, record, dict(arrays)

    return run


def right(proba, arrays):
    """Share of answers that are the expression shown."""
    return (proba.argmax(axis=-1) == arrays["index"] % 7).mean()


@pytest.mark.parametrize("probe", ["ByPlace", "ImagesByPlace"])
@pytest.mark.parametrize("seed", range(3))
def test_who_answers_by_place_is_right_by_chance(trial, probe, seed):
    """One in seven, from pictures and from features, at the end and after an epoch, whatever the seed."""
    _, record, arrays = trial(probe, seed=seed, watch=True)
    assert record["state"] == "ok", record["reason"]
    assert right(arrays["proba"], arrays) < 0.3
    assert right(arrays["eval_proba"], arrays) < 0.3


@pytest.mark.parametrize("probe", ["BySight", "ImagesBySight"])
def test_answers_go_back_to_their_images(trial, probe):
    """Who answers by the picture is always right: probabilities stand at the image that they are of."""
    task, record, arrays = trial(probe, watch=True)
    assert record["state"] == "ok", record["reason"]
    np.testing.assert_array_equal(arrays["index"], task.test)
    assert right(arrays["proba"], arrays) == 1
    assert right(arrays["eval_proba"], arrays) == 1


def test_the_order_is_the_trials_own(trial):
    """A trial has the same order each time, another seed or trial another one; every image is asked about once."""
    task, *_ = trial("ByPlace")
    order = draw_order(task)
    np.testing.assert_array_equal(order, draw_order(replace(task, fold=0, timeout_seconds=1.0)))
    assert sorted(order) == list(range(N_TEST))
    for other in (replace(task, random_state=1), replace(task, id="another")):
        assert (draw_order(other) != order).mean() > 0.9


@pytest.mark.parametrize("how", ["place", "neighbours", "luck", "fewer rows", "width"])
def test_features_of_more_than_the_image_fail_the_trial(trial, how):
    """Features that tell the place, the others beside it or luck are refused in one sentence that says what they must
    be; nothing of them is kept for others."""
    for number in range(2):
        _, record, _ = trial("Unsteady", number=number, how=how)
        assert record["state"] == "failed"
        assert record["reason"].startswith("prepare: ")
        assert "\n" not in record["reason"]
        assert ("row by row" in record["reason"]) == (how != "fewer rows")


def test_features_that_differ_by_rounding_pass(trial):
    """A last digit that depends on how many images come at once is no fault."""
    _, record, _ = trial("Unsteady", how="rounding")
    assert record["state"] == "ok", record["reason"]
