"""What Dask workers get, and which of them are refused: nothing sent twice, nobody who cannot do the work."""

import os
import pickle
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dask_cluster import run_all

from fer_bench.errors import UserError
from fer_bench.runner.executors.dask.transfer import pack
from fer_bench.runner.executors.dask.workers import DaskWorkers


def test_data_travel_once_a_worker_and_never_with_a_trial(two, make_task, tmp_path, monkeypatch):
    """Labels, people and folds of 4,900 images are sent once to each worker; a trial's own message stays small."""
    sent = []
    real = DaskWorkers._run

    def spy(self, address, function, *arguments):
        sent.append((address, function.__name__))
        return real(self, address, function, *arguments)

    monkeypatch.setattr(DaskWorkers, "_run", spy)
    rng = np.random.default_rng(1)
    images = tmp_path / "many.npy"
    np.save(images, rng.integers(0, 255, (4900, 8, 8), dtype=np.uint8))
    arrays = {
        "images": images,
        "train": np.arange(4410),
        "test": np.arange(4410, 4900),
        "labels": np.tile(np.arange(7), 630),
        "groups": np.repeat([f"F{n:02d}" for n in range(63)], 70),
    }
    tasks = [replace(make_task(number), **arrays) for number in range(6)]
    messages, payload = pack(tasks)
    assert max(len(pickle.dumps(message)) for message in messages) < 20_000
    assert sum(map(len, payload.values.values())) > 100_000
    records, *_ = run_all(two, tasks, tmp_path)
    assert {record["state"] for record in records.values()} == {"ok"}
    heavy = sorted(address for address, name in sent if name.startswith("receive"))
    assert len(heavy) == len(set(heavy)) == 2
    sent.clear()
    run_all(two, [replace(task, id=f"again-{task.id}", folder=task.folder / "again") for task in tasks], tmp_path)
    assert [name for _, name in sent if name.startswith("receive")] == []


@pytest.fixture
def hide():
    """Give tests what to put before a command so that it sees a folder empty, as another machine would."""
    unshare = shutil.which("unshare")
    flags = ["-m"] if os.geteuid() == 0 else ["-r", "-m"]
    script = 'mount -t tmpfs none "$0" && exec "$@"'
    tried = unshare and subprocess.run(
        [unshare, *flags, "sh", "-c", script, "/mnt", "true"], capture_output=True, check=False
    )
    if not tried or tried.returncode:
        pytest.skip("needs the right to mount in a namespace of its own")
    return lambda folder: (unshare, *flags, "sh", "-c", script, str(folder))


def test_a_worker_that_does_not_see_the_images_gets_them_once(start, make_task, tmp_path, hide):
    """Images and weights on a disk of the driver's own are sent to the worker's cache, checked by content."""
    own = tmp_path / "own"
    own.mkdir()
    images, weights = own / "images.npy", own / "weights.pth"
    np.save(images, np.random.default_rng(0).integers(0, 255, (28, 400, 400, 5), dtype=np.uint8))
    assert images.stat().st_size > 16 << 20  # more than one part
    weights.write_bytes(b"weights")
    tasks = [replace(make_task(n), images=images, weights=str(weights)) for n in range(3)]
    cluster = start()
    cluster.add("far", "--no-nanny", prefix=hide(own))
    records, *_ = run_all(cluster, tasks, tmp_path)
    assert [record["state"] for record in records.values()] == ["ok"] * 3
    kept = Path(os.environ["FER_BENCH_CACHE"]) / "sent"
    copies = [path for path in kept.rglob("*") if path.is_file()]
    assert sorted(path.name for path in copies) == ["images.npy", "weights.pth"]
    same = {path.name: path.read_bytes() == (own / path.name).read_bytes() for path in copies}
    assert same == {"images.npy": True, "weights.pth": True}


def test_a_worker_that_does_not_share_the_run_is_refused(start, make_task, tmp_path, hide):
    """Results would be lost on it: one sentence says so, names the folder, and nothing is started."""
    cluster = start()
    cluster.add("far", "--no-nanny", prefix=hide(tmp_path))
    with pytest.raises(UserError, match=r"cannot use the run's folder .*No such file.*file system that driver and"):
        run_all(cluster, [make_task(0)], tmp_path)
    assert not (tmp_path / "trials").exists()


def test_a_worker_without_a_cache_is_refused_and_the_others_go_on(start, make_task, tmp_path):
    """It would fail every trial, quickly, and so take all of them: it gets none."""
    cluster = start(workers=1)
    cluster.add("sick", "--no-nanny", prefix=("env", "FER_BENCH_CACHE=/proc/nowhere"))
    cluster.wait()
    records, events, outcome = run_all(cluster, [make_task(number) for number in range(8)], tmp_path)
    assert outcome.why == ""
    assert {record["state"] for record in records.values()} == {"ok"}
    assert {facts["worker"] for event, facts in events if event == "trial_started"} == {"w0"}


@pytest.mark.skipif(
    shutil.which("prlimit") is None, reason="needs prlimit (util-linux), for a disk that is full for one"
)
@pytest.mark.slow
def test_a_worker_that_can_store_nothing_gets_no_more(start, make_task, tmp_path, capsys):
    """Its disk is full, the run's is not: its trials are done elsewhere, and after two of them it is left alone."""
    cluster = start(workers=1)
    cluster.add("sick", "--no-nanny", prefix=("prlimit", "--fsize=20000"))
    cluster.wait()
    tested = np.tile(np.arange(14, 28), 400)
    tasks = [replace(make_task(number, seconds=0.3), test=tested) for number in range(12)]
    records, events, outcome = run_all(cluster, tasks, tmp_path)
    assert outcome.why == ""
    assert {record["state"] for record in records.values()} == {"ok"}
    assert len(records) == 12
    assert sum(event == "retry" for event, _ in events) == 2
    assert "is not used any more: it could not store it" in capsys.readouterr().err
    assert [facts["workers"] for event, facts in events if event == "workers"][-1] == 1
