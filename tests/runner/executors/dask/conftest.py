"""Clusters of real processes and trials for them; lets these tests import `dask_cluster`, which stands beside them."""

import sys
from pathlib import Path

import numpy as np
import pytest

from fer_bench.methods import ImageSpec, MethodSpec
from fer_bench.runner.executors.dask import node
from fer_bench.runner.task import Task

sys.path.insert(0, str(Path(__file__).parent))

from dask_cluster import PLUGINS, Cluster


@pytest.fixture(scope="module", autouse=True)
def _plugins():
    """Have the test methods here where the workers have them."""
    sys.path.insert(0, str(PLUGINS))
    node.facts.cache_clear()
    yield
    sys.path.remove(str(PLUGINS))
    node.facts.cache_clear()


@pytest.fixture
def start(tmp_path_factory):
    """Give tests a function that starts a cluster with so many workers."""
    started = []

    def start(workers: int = 0) -> Cluster:
        cluster = Cluster(tmp_path_factory.mktemp("cluster"))
        started.append(cluster)
        for number in range(workers):
            cluster.add(f"w{number}", "--no-nanny")
        cluster.wait()
        return cluster

    yield start
    for cluster in started:
        cluster.close()


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """A cluster with two workers for the tests that leave them alive."""
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    cluster.add("w0", "--memory-limit", "8GB")
    cluster.add("w1", "--memory-limit", "8GB")
    cluster.wait()
    yield cluster
    cluster.close()


@pytest.fixture
def make_task(tmp_path):
    rng = np.random.default_rng(0)
    np.save(tmp_path / "images.npy", rng.integers(0, 255, (28, 32, 32), dtype=np.uint8))
    labels, groups = np.tile(np.arange(7), 2), np.repeat("F01", 14)

    def make(number, *, factory="cluster_methods:Nap", timeout=60.0, device="cpu", **params):
        return Task(
            id=f"trial-{number}",
            spec=MethodSpec(f"method-{number}", "classical", factory, ImageSpec(32), params=params),
            protocol="subject-2fold",
            fold=0,
            seed=0,
            random_state=number,
            device=device,
            weights=None,
            watch=False,
            images=tmp_path / "images.npy",
            train=np.arange(14),
            test=np.arange(14, 28),
            labels=labels,
            groups=groups,
            folder=tmp_path / "trials" / f"trial-{number}",
            estimate_seconds=0.1,
            timeout_seconds=timeout,
        )

    return make
