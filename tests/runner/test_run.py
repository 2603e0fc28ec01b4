"""Runs from end to end, in processes of their own, on small faces in KDEF's layout."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from fer_bench.labels import EMOTIONS
from fer_bench.results.table import RESULT_COLUMNS

PLUGINS = Path(__file__).parents[1] / "plugins"

ONLY = ["run", "--suite", "classical", "--only", "[lg][dn][ab]-*"]  # lda and gnb on three features


def trial_times(out):
    return {p.parent.name: p.stat().st_mtime_ns for p in out.glob("trials/*/trial.json")}


@pytest.fixture(scope="module")
def finished(kdef_folder, tmp_path_factory):
    """One finished run of six methods under two protocols, which several tests look at."""
    out = tmp_path_factory.mktemp("run") / "r"
    command = [sys.executable, "-P", "-c", "from fer_bench.cli.app import main; main()", *ONLY]
    done = subprocess.run(
        [*command, "--data", str(kdef_folder), "--out", str(out)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return out


def test_a_run_leaves_everything_that_a_sceptic_needs(finished):
    """Plan, folds, manifest, per-image probabilities, results and both reports are in the run's folder."""
    names = {p.name for p in finished.iterdir()}
    assert {
        "run.json", "trials.csv", "manifest.csv", "folds", "predictions.parquet", "results.csv", "report.html",
        "report.md",
    } <= names  # fmt: skip
    info = json.loads((finished / "run.json").read_text())
    assert info["protocols"]["subject-2fold"]["people_disjoint"] is True
    assert info["protocols"]["random-2fold"]["people_disjoint"] is False
    apart, random = (info["protocols"][name] for name in ("subject-2fold", "random-2fold"))
    assert (apart["n_people_tested"], apart["n_people_also_trained"]) == (info["dataset"]["n_people"], 0)
    assert random["n_people_also_trained"] == random["n_people_tested"] == info["dataset"]["n_people"]
    assert apart["nearest"]["tests"] == random["nearest"]["tests"] == 280
    assert apart["nearest"]["person"] == 0 < random["nearest"]["person"]
    assert random["known_person"]["in_proportion"] < apart["known_person"]["in_proportion"] == pytest.approx(1 / 7)
    assert info["dataset"]["genders"] == {"F01": "F", "F02": "F", "M01": "M", "M02": "M"}
    assert (info["dataset"]["rendered"], info["dataset"]["drawn_by"]) == (False, [])
    assert info["dataset"]["n_images"] == 280
    assert sum(info["dataset"]["expressions"].values()) == 280
    assert info["finished"]


def test_predictions_name_every_image_once(finished):
    """Each method and protocol has one row of probabilities for each of the 280 images."""
    table = pd.read_parquet(finished / "predictions.parquet")
    columns = [f"p_{code}" for code in EMOTIONS]
    assert list(table.columns) == [
        "method", "protocol", "fold", "seed", "image", "subject", "view", "session", "label", "predicted", *columns,
    ]  # fmt: skip
    assert table.groupby(["method", "protocol"])["image"].nunique().eq(280).all()
    assert len(table) == 12 * 280
    assert table[columns].sum(axis=1).between(0.999, 1.001).all()


def test_results_follow_from_predictions(finished):
    """Accuracies in results.csv are the shares of right predictions, with intervals around them."""
    results = pd.read_csv(finished / "results.csv")
    assert list(results.columns[: len(RESULT_COLUMNS)]) == list(RESULT_COLUMNS)
    table = pd.read_parquet(finished / "predictions.parquet")
    share = (table["label"] == table["predicted"]).groupby([table["method"], table["protocol"]]).mean()
    for row in results.itertuples():
        assert row.accuracy == pytest.approx(share[row.method, row.protocol], abs=1e-6)
        assert row.accuracy_low <= row.accuracy <= row.accuracy_high
        assert row.status == "ok"
    # The drawn faces carry their label: a pipeline that learnt nothing would sit at 1/7.
    assert results["accuracy"].max() > 0.5


def test_given_again_nothing_is_computed(finished, kdef_folder, cli):
    """The same command on a finished run leaves every trial as it is."""
    before = trial_times(finished)
    done = cli(*ONLY, "--data", kdef_folder, "--out", finished)
    assert "24 done before, 0 to run" in done.stderr
    assert trial_times(finished) == before


def test_workers_do_not_change_the_figures(finished, kdef_folder, cli, tmp_path):
    """One worker gives the predictions that two give, to the bit."""
    cli(*ONLY, "--data", kdef_folder, "--out", tmp_path / "one", "--workers", 1)
    pd.testing.assert_frame_equal(
        pd.read_parquet(finished / "predictions.parquet"), pd.read_parquet(tmp_path / "one" / "predictions.parquet")
    )


def test_killed_and_started_again_only_the_missing_is_computed(finished, kdef_folder, cli, tmp_path):
    """SIGKILL in the middle, the same command again: finished trials stay, the result is the undisturbed one."""
    out = tmp_path / "killed"
    command = [sys.executable, "-P", "-c", "from fer_bench.cli.app import main; main()", *ONLY, "--workers", "1"]
    process = subprocess.Popen(
        [*command, "--data", str(kdef_folder), "--out", str(out)],
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while len(trial_times(out)) < 5 and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    before = trial_times(out)
    assert 5 <= len(before) < 24
    done = cli(*ONLY, "--data", kdef_folder, "--out", out)
    assert f"{len(before)} done before, {24 - len(before)} to run" in done.stderr
    assert before.items() <= trial_times(out).items()
    pd.testing.assert_frame_equal(
        pd.read_parquet(finished / "predictions.parquet"), pd.read_parquet(out / "predictions.parquet")
    )
    assert not list(out.rglob(".tmp-*"))
    # What the killed call took is in the time of all; the report is written after that is told.
    events = [json.loads(line) for line in (out / "events.jsonl").read_text().splitlines()]
    events = [event for event in events if event["event"] != "run_ended"]
    starts = [place for place, event in enumerate(events) if event["event"] == "run_started"]
    spans = [part[-1]["time"] - part[0]["time"] for part in (events[: starts[1]], events[starts[1] :])]
    info = json.loads((out / "run.json").read_text())
    assert spans[0] > 0
    assert info["elapsed_seconds"] > sum(spans) - 0.5
    trials = [e["time"] for e in events[: starts[1]] if e["event"].startswith("trial_")]
    assert info["phase_seconds"]["trials"] > trials[-1] - trials[0]


def test_a_run_cleans_up_after_itself_alone(cli, kdef_folder, tmp_path):
    """What killed calls of this run have left goes; other people's files and other runs' below --out stay."""
    given = ["run", "--suite", "classical", "--only", "majority", "--data", kdef_folder, "--out", tmp_path / "home"]
    cli(*given)
    home = tmp_path / "home"
    trial = next(home.glob("trials/*"))
    theirs = [home / "notes/.tmp-draft", home / ".tmp-draft", home / "other/trials/x/.tmp-99-predictions.npz"]
    ours = [
        home / ".tmp-99-run.json",
        trial / ".tmp-99-trial.json",
        home / "folds/.tmp-7-a.csv",
        home / f".tmp-{'a' * 32}",
    ]
    for file in (*theirs, *ours):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("half")
    cli(*given)
    assert all(file.exists() for file in theirs)
    assert not any(file.exists() for file in ours)


def test_a_run_of_several_versions_or_machines_says_so(cli, kdef_folder, tmp_path):
    """Trials that other code or another processor computed are counted in the notes of the run and of its report."""
    given = ["run", "--suite", "classical", "--only", "majority", "--data", kdef_folder, "--out", tmp_path / "r"]
    cli(*given)
    assert "computed" not in str(json.loads((tmp_path / "r" / "run.json").read_text())["notes"])
    changes = [{"code": "fer-bench 0.0.1, commit abc"}, {"cpu": "Another CPU"}]
    for file, change in zip((tmp_path / "r").glob("trials/*/trial.json"), changes, strict=False):
        file.write_text(json.dumps(json.loads(file.read_text()) | change))
    cli(*given)
    notes = json.loads((tmp_path / "r" / "run.json").read_text())["notes"]
    assert any(note.startswith("1 trials were computed by fer-bench 0.0.1, commit abc, not by what") for note in notes)
    assert any(note.startswith("1 trials were computed on another processor, Another CPU; this") for note in notes)
    assert "Another CPU" in (tmp_path / "r" / "report.md").read_text()


def test_a_damaged_record_is_computed_anew(finished, kdef_folder, cli, tmp_path):
    """A half-written record or lost predictions do not pass for a result."""
    out = tmp_path / "copy"
    shutil.copytree(finished, out)
    first, second, third = sorted((out / "trials").iterdir())[:3]
    (first / "trial.json").write_text('{"id": "')
    (second / "predictions.npz").unlink()
    os.truncate(third / "predictions.npz", 100)
    done = cli(*ONLY, "--data", kdef_folder, "--out", out)
    assert "21 done before, 3 to run" in done.stderr


def test_failed_trials_are_reported_and_exit_with_1(cli, kdef_folder, tmp_path):
    """Methods that fail leave the others alone; the report names them and the run exits with 1."""
    suite = tmp_path / "probe.toml"
    suite.write_text(
        '[[job]]\nmethods = ["probe-learn", "probe-raise", "probe-exit", "probe-memory", "probe-nan"]\n'
        'protocols = ["subject-2fold"]\n'
    )
    done = cli("run", "--suite", suite, "--data", kdef_folder, "--out", tmp_path / "r", expect=1)
    assert "probe-raise, subject-2fold fold 0: ZeroDivisionError: planted" in done.stderr
    trials = pd.read_csv(tmp_path / "r" / "trials.csv")
    states = trials.groupby("method")["state"].unique().map(list).to_dict()
    assert states == {
        "probe-learn": ["ok"],
        "probe-raise": ["failed"],
        "probe-exit": ["failed"],
        "probe-memory": ["oom"],
        "probe-nan": ["failed"],
    }
    text = (tmp_path / "r" / "report.md").read_text()
    assert "ZeroDivisionError" in text
    assert "probe-exit" in text


@pytest.mark.parametrize("executor", ["local", "in-process"])
def test_what_methods_say_spoils_no_report(cli, kdef_folder, tmp_path, monkeypatch, executor):
    """Texts that UTF-8 cannot hold, that terminals obey, or that are endless; an exit with 0: all end in the report."""
    monkeypatch.setenv("PYTHONPATH", str(PLUGINS))
    suite, out = tmp_path / "suite.toml", tmp_path / "r"
    suite.write_text(
        '[[job]]\nmethods = ["hostile-learn", "hostile-mumble", "hostile-curse", "hostile-leave"]\n'
        'protocols = ["subject-2fold"]\n'
    )
    given = ["run", "--suite", suite, "--data", kdef_folder, "--out", out, "--executor", executor]
    done = cli(*given, expect=1)
    assert "\x1b[2J" not in done.stderr
    assert max(map(len, done.stderr.splitlines())) < 3000
    trials = pd.read_csv(out / "trials.csv", keep_default_na=False).drop_duplicates("method").set_index("method")
    assert trials["state"].to_dict() == {
        "hostile-learn": "ok",
        "hostile-mumble": "ok",
        "hostile-curse": "failed",
        "hostile-leave": "failed",
    }
    assert trials.loc["hostile-leave", "reason"] == "SystemExit: 0"
    assert trials.loc["hostile-curse", "reason"].startswith("ValueError: /data/caf\\udce9.jpg \\x1b[2Jxxx")
    assert trials.loc["hostile-curse", "reason"].endswith("(10,000,031 characters)")
    assert "caf\\udce9" in trials.loc["hostile-mumble", "warnings"]
    assert trials.loc["hostile-mumble", "warnings"].endswith("and 10 other warnings")
    records = [json.loads(file.read_text()) for file in out.glob("trials/*/trial.json")]
    assert [r["tuned"] for r in records if r["method"] == "hostile-mumble"] == [{"C": 0.5, "depth": 3}] * 2
    assert sum(f.stat().st_size for f in out.rglob("*") if f.is_file()) < 2e6
    assert "4 done before" in cli(*given, expect=1).stderr


def test_a_folder_that_an_earlier_version_spoilt_is_mended(cli, kdef_folder, tmp_path):
    """Records that hold what UTF-8 cannot are read, and the report is written."""
    given = ["run", "--suite", "classical", "--only", "majority", "--data", kdef_folder, "--out", tmp_path / "r"]
    cli(*given)
    for file in (tmp_path / "r").glob("trials/*/trial.json"):
        file.write_text(json.dumps(json.loads(file.read_text()) | {"warnings": ["caf\udce9"]}))
    cli(*given)
    assert "caf\\udce9" in (tmp_path / "r" / "trials.csv").read_text()


def test_two_runs_into_one_folder_do_not_mix(cli, kdef_folder, tmp_path):
    """A second run into a folder that is being written says so and stops."""
    from fer_bench.utils.files import locked

    out = tmp_path / "r"
    with locked(out / "run.lock", wait=False):
        done = cli(*ONLY, "--data", kdef_folder, "--out", out, expect=2)
    assert "another run is writing there" in done.stderr


def test_interrupted_runs_report_what_is_there(kdef_folder, tmp_path):
    """Ctrl-C once: what runs is finished, the report is written, and the exit code says interrupted."""
    out = tmp_path / "r"
    command = [sys.executable, "-P", "-c", "from fer_bench.cli.app import main; main()"]
    command += ["run", "--suite", "classical", "--data", str(kdef_folder), "--out", str(out), "--workers", "1"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while len(trial_times(out)) < 3 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=120)
    assert process.returncode == 130, error
    assert "run the same command again" in error
    states = set(pd.read_csv(out / "trials.csv")["state"])
    assert states == {"ok", "missing"}
    assert (out / "report.html").exists()


def test_workers_end_with_their_driver(kdef_folder, tmp_path):
    """SIGKILL of the driver alone: no worker, nor what its trial has started, stays to do what the next run does."""
    import psutil

    suite = tmp_path / "probe.toml"
    suite.write_text('[[job]]\nmethods = ["hostile-orphans-and-hang"]\nprotocols = ["subject-2fold"]\n')
    command = [sys.executable, "-P", "-c", "from fer_bench.cli.app import main; main()", "run", "--suite", str(suite)]
    process = subprocess.Popen(
        [*command, "--data", str(kdef_folder), "--out", str(tmp_path / "r")],
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(PLUGINS)},
    )
    deadline = time.monotonic() + 120
    children = []
    while len(children) < 2 * 3 and time.monotonic() < deadline:  # two workers, each with two that sleep
        time.sleep(0.05)
        children = [p for p in psutil.Process(process.pid).children(recursive=True) if p.status() != "zombie"]
    assert len(children) >= 6
    process.kill()
    process.wait()
    _, alive = psutil.wait_procs(children, timeout=30)
    assert not alive


def test_a_narrower_run_has_a_folder_of_its_own(tmp_path):
    """What --only, --protocol, --seed or other data change never replaces the report of the whole suite."""
    from fer_bench.plan.request import Request
    from fer_bench.runner.run import default_out

    requests = [
        Request(),
        Request(only=("knn-*",)),
        Request(seed=1),
        Request(protocols=("subject-10fold",)),
        Request(preset="as-printed"),
        Request(data=str(tmp_path / "a" / "KDEF")),
        Request(data=str(tmp_path / "b" / "KDEF")),
        Request(views=("S",)),
        Request(crop="detect"),
        Request(strict=True),
        Request(folds=tmp_path / "a" / "f.csv"),
        Request(folds=tmp_path / "b" / "f.csv"),
        Request(test_data=str(tmp_path / "a" / "JAFFE")),
        Request(test_data=str(tmp_path / "b" / "JAFFE")),
    ]
    folders = [default_out(request) for request in requests]
    assert str(folders[0]) == "runs/all-quick-synthetic"
    assert len(set(folders)) == len(requests)
    assert default_out(Request(only=("knn-*",))) == folders[1]


@pytest.mark.slow
def test_networks_run_watched_and_unwatched_side_by_side(cli, kdef_folder, tmp_path):
    """A network whose test images are watched after every epoch and one that is not stand in one report.

    The watched one has a second row, flagged as chosen on the test images and never below its last epoch.
    """
    suite = tmp_path / "one.toml"
    suite.write_text(
        '[[job]]\nmethods = ["cnn2-48"]\nprotocols = ["subject-2fold"]\nwatch = true\n'
        '[[job]]\nmethods = ["squeezenet1_0-scratch"]\nprotocols = ["subject-2fold"]\n'
    )
    cli("run", "--suite", suite, "--data", kdef_folder, "--out", tmp_path / "r")
    results = pd.read_csv(tmp_path / "r" / "results.csv").set_index(["method", "selection"])["accuracy"]
    assert results["cnn2-48", "best_test_epoch"] >= results["cnn2-48", "last_epoch"]
    assert ("squeezenet1_0-scratch", "best_test_epoch") not in results.index
    curves = pd.read_csv(tmp_path / "r" / "curves.csv").set_index("method")
    assert curves.loc["cnn2-48", "test_accuracy"].notna().all()
    assert curves.loc["squeezenet1_0-scratch", "test_accuracy"].isna().all()
    # What is less than in a full run is recorded, for whoever reads a low figure.
    methods = json.loads((tmp_path / "r" / "run.json").read_text())["methods"]
    assert methods["cnn2-48"]["shortened"].keys() == {"epochs"}
    assert methods["squeezenet1_0-scratch"]["shortened"]["size"] == [methods["squeezenet1_0-scratch"]["size"], 224]
