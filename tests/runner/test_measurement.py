"""What a trial's record says of time and memory is what the method took, no more and no less."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fer_bench.methods import ImageSpec, MethodSpec
from fer_bench.runner.task import Task
from fer_bench.runner.trial import run_task

PLUGINS = Path(__file__).parents[1] / "plugins"
MADE_ONCE = "28\n16\n"
"""Features of all images, and of a few once more: whether they are those of the image alone."""


@pytest.fixture
def measure(tmp_path, monkeypatch):
    """Run a trial of 28 images in this process and return its record: ``measure("Known", sleeps=0.2)``."""
    monkeypatch.syspath_prepend(str(PLUGINS))
    monkeypatch.setenv("FER_BENCH_CACHE", str(tmp_path / "cache"))
    np.save(tmp_path / "images.npy", np.zeros((28, 32, 32), dtype=np.uint8))
    task = Task(
        id="t",
        spec=MethodSpec("known", "classical", "measured_methods:Known", ImageSpec(32)),
        protocol="subject-2fold",
        fold=0,
        seed=0,
        random_state=1,
        device="cpu",
        weights=None,
        watch=False,
        images=tmp_path / "images.npy",
        train=np.arange(14),
        test=np.arange(14, 28),
        labels=np.tile(np.arange(7), 2),
        groups=np.repeat("F01", 14),
        folder=tmp_path / "trials" / "t",
        estimate_seconds=0.1,
        timeout_seconds=60.0,
    )

    def run(method, *, fold=0, device="cpu", **params):
        spec = replace(task.spec, factory=f"measured_methods:{method}", params=params)
        name = f"t{fold}-{len(list((tmp_path / 'trials').glob('*')))}"
        train, test = (task.train, task.test) if fold == 0 else (task.test[:7], task.train)
        folder = tmp_path / "trials" / name
        known = {"labels": task.labels[: len(train)], "groups": task.groups[: len(train)]}
        side = {"fold": fold, "train": train, "test": test, **known}
        record = run_task(replace(task, id=name, spec=spec, folder=folder, device=device, **side))
        assert record["state"] == "ok", record["reason"]
        return record

    return run


def test_fitting_and_predicting_are_timed_apart_after_a_warm_up(measure):
    """What starts lazily in the first prediction is in neither figure; waiting is no processor time."""
    record = measure("Known", sleeps=0.3, starts=1.5, predicts=0.1)
    assert 0.3 <= record["fit_seconds"] < 1.5
    assert 0.1 <= record["predict_seconds"] < 1.5
    assert record["prepare_seconds"] == 0
    assert record["cpu_seconds"] < 0.2


def test_processor_seconds_are_those_of_fitting(measure):
    """A method that computes for half a second has half a second, whatever else the machine does."""
    record = measure("Known", computes=0.5)
    assert 0.5 <= record["cpu_seconds"] < 0.9
    assert record["fit_seconds"] >= 0.45


@pytest.mark.skipif(sys.platform != "linux", reason="the peak can be counted anew on Linux alone")
def test_the_peak_of_memory_is_the_trials_own(measure):
    """In one process the second trial's peak is not the first one's: 400 MB held and given back are seen once."""
    measure("Known")
    large, small = measure("Known", megabytes=400), measure("Known")
    assert large["peak_rss_mb"] - small["peak_rss_mb"] > 300


def test_memory_of_a_gpu_is_recorded_where_a_method_tells_it(measure):
    """`peak_gpu_mb_` goes into the record; methods without it have no such entry."""
    assert measure("Known", gpu=123.5)["peak_gpu_mb"] == 123.5
    assert "peak_gpu_mb" not in measure("Known")


def test_shared_work_is_done_once_and_counted_apart(measure, tmp_path):
    """Features are made once for all folds; each trial's share of their time is named, and is in fit and predict."""
    records = [measure("Shared", fold=fold, seconds=0.7, place=str(tmp_path)) for fold in (0, 1)]
    assert (tmp_path / "prepared").read_text() == MADE_ONCE
    each = 0.7 / 28
    for record, (n_train, n_test) in zip(records, ((14, 14), (7, 14)), strict=True):
        assert record["prepare_seconds"] == pytest.approx(each * (n_train + n_test), rel=0.6)
        own = record["fit_seconds"] + record["predict_seconds"] - record["prepare_seconds"]
        assert 0 <= own < 0.6
    share = [r["prepare_seconds"] / n for r, n in zip(records, (28, 21), strict=True)]
    assert share[0] == pytest.approx(share[1])


def test_features_of_a_gpu_are_not_those_of_the_cpu(measure, tmp_path):
    """They differ in the last digits and in their speed: each device makes its own."""
    for device in ("cpu", "cuda", "cpu", "cuda"):
        measure("Shared", device=device, seconds=0.0, place=str(tmp_path))
    assert (tmp_path / "prepared").read_text() == 2 * MADE_ONCE


@pytest.mark.parametrize("damage", [b"", b"[" * 100_000, b'{"seconds_per_image": NaN}', b'{"seconds_per_image": "1"}'])
def test_features_whose_time_is_lost_are_made_anew(measure, tmp_path, damage):
    """A timing file that cannot be read costs the work again, and no trial."""
    for _ in range(2):
        measure("Shared", seconds=0.0, place=str(tmp_path))
        (timing,) = (tmp_path / "cache" / "features").glob("*.json")
        timing.write_bytes(damage)
    assert (tmp_path / "prepared").read_text() == 2 * MADE_ONCE


def _flip(path):
    data = path.read_bytes()
    path.write_bytes(data[:-3] + bytes([data[-3] ^ 1]) + data[-2:])


@pytest.mark.parametrize(
    ("name", "harm"),
    [
        *[(name, _flip) for name in ("*.npy", "*.json", "*.npy.sum")],
        *[(name, lambda path: path.write_bytes(b"")) for name in ("*.npy", "*.json", "*.npy.sum")],
        *[(name, lambda path: path.write_bytes(path.read_bytes()[:50])) for name in ("*.npy", "*.npy.sum")],
        *[(name, Path.unlink) for name in ("*.json", "*.npy.sum")],
    ],
)
def test_damaged_features_are_made_anew_and_told(measure, tmp_path, name, harm):
    """A bit, a half or all of features, of their time or of their checksum: computed again, and the record tells it."""
    first = measure("Shared", seconds=0.0, place=str(tmp_path))
    assert "rebuilt" not in first
    (file,) = (tmp_path / "cache" / "features").glob(name)
    harm(file)
    second = measure("Shared", seconds=0.0, place=str(tmp_path))
    assert (tmp_path / "prepared").read_text() == 2 * MADE_ONCE
    (told,) = second["rebuilt"]
    assert file.name.removesuffix(".sum") in told
    assert "computed anew" in told
    assert "rebuilt" not in measure("Shared", seconds=0.0, place=str(tmp_path))
    assert (tmp_path / "prepared").read_text() == 2 * MADE_ONCE
