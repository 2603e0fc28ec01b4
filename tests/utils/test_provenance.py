"""What a run says of its code and machine: enough to judge its figures, nothing that is nobody's business."""

import json
import os
import re
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from fer_bench.methods import load_methods
from fer_bench.runner.describe import _shortened
from fer_bench.runner.resume import earlier_seconds
from fer_bench.utils import provenance


def everything():
    told = {
        "packages": provenance.packages(),
        "libraries": provenance.libraries(),
        "machine": provenance.machine(),
        "environment": provenance.environment(),
        "code": provenance.code(),
    }
    return json.loads(json.dumps(told))


def test_what_figures_hang_on_is_told():
    """Packages, linear algebra, processor, cores, memory, system, Python, version and commit are there."""
    told = everything()
    assert {"numpy", "scipy", "scikit-learn", "torch", "opencv-python-headless"} <= told["packages"].keys()
    assert told["libraries"]
    assert all({"internal_api", "version"} <= library.keys() for library in told["libraries"])
    machine = told["machine"]
    assert machine["cpu"]
    assert machine["cores"] >= 1
    assert machine["memory_gb"] > 0
    assert re.fullmatch(r"3\.\d+\.\d+.*", machine["python"])
    assert {"gpu", "gpu_driver", "platform"} <= machine.keys()
    assert {"version", "commit", "dirty"} == told["code"].keys()


def test_the_environment_is_a_list_of_names_and_holds_no_secret(monkeypatch):
    """Variables that change figures are told; others never, whatever they are called; folders are cut from values."""
    for name, value in {
        "OMP_NUM_THREADS": "3",
        "CUDA_VISIBLE_DEVICES": "1",
        "LD_PRELOAD": "/home/somebody/lib/libjemalloc.so:/opt/x/libtcmalloc.so.4",
        "OMP_SECRET_TOKEN": "hunter2",
        "TORCH_PASSWORD": "hunter2",
        "FER_BENCH_CACHE": "/home/somebody/cache",
        "AWS_SECRET_ACCESS_KEY": "hunter2",
    }.items():
        monkeypatch.setenv(name, value)
    told = provenance.environment()
    assert told["OMP_NUM_THREADS"] == "3"
    assert told["CUDA_VISIBLE_DEVICES"] == "1"
    assert told["LD_PRELOAD"] == "libjemalloc.so:libtcmalloc.so.4"
    text = json.dumps(everything())
    assert "hunter2" not in text
    assert "somebody" not in text


def test_neither_folder_nor_host_is_told():
    """No absolute path, no home, no host name in what is published."""
    text = json.dumps(everything())
    assert not re.search(r'"[^"]*(?<![\w.])/(home|root|usr|tmp|opt|var|work|Users)\b', text)
    assert str(Path.home()) == "/" or str(Path.home()) not in text
    host = socket.gethostname()
    assert len(host) < 5 or host not in text
    assert os.getcwd() not in text


def test_it_is_read_once_a_run_and_not_once_a_trial(cli, kdef_folder, tmp_path):
    """run.json has the machine, its trials have its name; the forecast stands beside, and nothing names a folder."""
    cli("run", "--suite", "classical", "--only", "knn-pixels", "--data", kdef_folder, "--out", tmp_path / "r")
    info = json.loads((tmp_path / "r" / "run.json").read_text())
    records = [json.loads(file.read_text()) for file in (tmp_path / "r" / "trials").glob("*/trial.json")]
    for part in ("machine", "packages", "libraries", "environment"):
        assert info[part] is not None
        assert not any(part in record for record in records)
    # By these alone a later call tells what was computed elsewhere or by other code.
    assert {record["code"] for record in records} == {provenance.code_name()}
    assert {record["cpu"] for record in records} == {info["machine"]["cpu"]}
    assert info["forecast"]["wall_seconds"] > 0
    assert sum(info["forecast"]["sources"].values()) == len(info["plan"]) == 4
    assert all(row["predicted_seconds"] > 0 for row in info["plan"])
    published = json.dumps({k: v for k, v in info.items() if k != "command"})
    assert str(tmp_path) not in published
    assert str(kdef_folder) not in published
    events = (tmp_path / "r" / "events.jsonl").read_text()
    assert str(tmp_path) not in events
    assert os.environ["FER_BENCH_CACHE"] not in published + events


@pytest.mark.parametrize(
    ("value", "short"),
    [
        ("2", "2"),
        (":4096:8", ":4096:8"),
        ("/a/b/c.so", "c.so"),
        ("/a/b.so:/c/d.so e/f.so", "b.so:d.so f.so"),
        ("C:\\x\\y.dll", "C:y.dll"),
        ("granularity=fine,compact,1,0", "granularity=fine,compact,1,0"),
    ],
)
def test_values_keep_their_last_parts(value, short):
    """Paths in a variable are reduced to their last parts; other values stay as they are."""
    assert provenance._without_folders(value) == short


@pytest.mark.parametrize(
    ("finished", "last", "seconds"),
    [
        (None, [], (50.0 + 9.0, 7.0)),
        ("2026-01-01", [], (50.0, 0.0)),
        (None, [{"time": 109.0, "event": "run_ended", "why": ""}], (50.0, 0.0)),
    ],
    ids=["killed", "killed after it had told its time", "ended"],
)
def test_the_time_of_a_call_counts_once(tmp_path, finished, last, seconds):
    """A call that was killed is told by its events, unless run.json has its time by then."""
    (tmp_path / "run.json").write_text(json.dumps({"elapsed_seconds": 50.0, "finished": finished}))
    events = [
        {"time": 100.0, "event": "run_started", "todo": 2},
        {"time": 102.0, "event": "trial_started", "id": "a"},
        {"time": 109.0, "event": "trial_ended", "id": "a", "state": "ok"},
        *last,
    ]
    (tmp_path / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    assert earlier_seconds(tmp_path) == pytest.approx(seconds)


def test_only_what_is_less_than_in_full_is_called_short():
    """Fewer epochs or another network are; more epochs, or larger pictures, are not."""
    full = load_methods()["cnn18"].resolve("full", "default")
    quick = load_methods()["cnn18"].resolve("quick", "default")
    assert _shortened(full, "default") == {}
    assert _shortened(quick, "default")["shortened"].keys() == {"network", "epochs"} | (
        {"size"} if quick.image.size < full.image.size else set()
    )
    more = replace(full, params={**full.params, "epochs": 999}, image=replace(full.image, size=999))
    assert _shortened(more, "default") == {}
