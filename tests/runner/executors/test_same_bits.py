"""The same trials, wherever and beside whatever they run: the same predictions to the bit."""

import numpy as np
import pytest

from fer_bench.methods import ImageSpec, MethodSpec, load_methods
from fer_bench.results.records import PREDICTIONS

IMAGES = ImageSpec(32)


def specs():
    """Two classical pipelines, and a small network."""
    methods = load_methods()
    network = methods["cnn2-48"].resolve("quick", "default")
    params = {**network.params, "epochs": 2}
    return [
        methods["lda-pixels"].resolve("quick", "default"),
        methods["linear_svc-lbp"].resolve("quick", "default"),
        MethodSpec("cnn", "cnn", network.factory, IMAGES, params=params, wants=network.wants, uses_torch=True),
    ]


@pytest.fixture
def predictions(make_task, run_all):
    """Give a function that runs the trials in some way and returns their probabilities by name."""

    def run(way, executor, workers):
        tasks = [
            make_task(f"{spec.name}", i, spec=spec, folder=way)
            for spec in specs()
            for i in (0, 1)
            if not (spec.uses_torch and i)
        ]
        pids = set()
        note = lambda event, **facts: pids.add(facts["pid"])  # noqa: E731
        records, _ = run_all(tasks, executor, workers=workers, on_event=note)
        assert len(pids) <= workers, "real methods leave nothing behind for which a worker would be replaced"
        assert {r["state"] for r in records.values()} == {"ok"}, records
        return {t.id: np.load(t.folder / PREDICTIONS)["proba"] for t in tasks}

    return run


def same(predictions, *ways):
    first, *others = (predictions(*way) for way in ways)
    for way, found in zip(ways[1:], others, strict=True):
        assert found.keys() == first.keys()
        for name, proba in found.items():
            np.testing.assert_array_equal(proba, first[name], err_msg=f"{name}, {way}")


def test_workers_and_executors_do_not_change_a_bit(predictions):
    """One worker, three and this very process give the same probabilities, a network's among them."""
    same(predictions, ("one", "local", 1), ("three", "local", 3), ("here", "in-process", 1))


@pytest.mark.slow
def test_two_workers_do_not_change_a_bit(predictions):
    """Nor do two workers."""
    same(predictions, ("one", "local", 1), ("two", "local", 2))
