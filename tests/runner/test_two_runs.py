"""Two runs at once: into one folder the second says so and stops; with one cache both end right."""

import os
import signal
import sys

import pandas as pd
import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="stops and kills as POSIX does")


def test_a_second_run_into_one_folder_stops_at_once(call, slow_run, wait_for, records, kdef_folder, tmp_path):
    """While a run is suspended in the middle, a second one into its folder is refused before it does anything; the lock
    of a killed one stays behind and stops nobody."""
    out = tmp_path / "r"
    command = [*slow_run, "--data", kdef_folder, "--out", out]
    first = call(*command)
    wait_for(lambda: len(records(out)) > 1)
    os.kill(first.process.pid, signal.SIGSTOP)
    before = {path: path.stat().st_mtime_ns for path in out.glob("*.*")}
    assert f"{out}: another run is writing there; wait for it, or give another" in call(*command).refused()
    assert {path: path.stat().st_mtime_ns for path in out.glob("*.*")} == before
    first.process.kill()
    first.process.communicate()
    assert (out / "run.lock").exists()
    done = records(out)
    assert 1 < len(done) < 16
    call(*command).end(0)
    assert done.items() <= records(out).items()
    assert pd.read_csv(out / "trials.csv")["state"].tolist() == ["ok"] * 16
    assert len(pd.read_parquet(out / "predictions.parquet")) == 8 * 280


@pytest.mark.slow
def test_two_starts_at_the_same_moment_have_one_winner(call, slow_run, kdef_folder, tmp_path):
    """Of two runs that start together into a folder that is not there yet, one runs to its end, the other is told."""
    command = [*slow_run, "--data", kdef_folder, "--out", tmp_path / "r"]
    pair = [call(*command), call(*command)]
    said = [one.process.communicate(timeout=200)[1] for one in pair]
    assert sorted(one.process.returncode for one in pair) == [0, 2], said
    assert sum("another run is writing there" in text for text in said) == 1
    assert pd.read_csv(tmp_path / "r" / "trials.csv")["state"].tolist() == ["ok"] * 16


@pytest.mark.slow
def test_two_runs_share_a_cache(call, kdef_folder, tmp_path):
    """Two runs that start together with one empty cache make its stores and features once, and end with the same
    predictions to the bit, and no leftovers."""
    command = ["run", "--suite", "classical", "--only", "[lg][dn][ab]-*", "--workers", "1", "--data", kdef_folder]
    pair = [call(*command, "--out", tmp_path / name) for name in "ab"]
    for one in pair:
        one.end(0)
    left, right = ((tmp_path / name / "predictions.parquet").read_bytes() for name in "ab")
    assert left == right
    assert len(list((tmp_path / "cache" / "features").glob("*.npy"))) == 3
    assert not list(tmp_path.rglob(".tmp-*"))
