"""Full disks and forbidden folders: one sentence before work is lost, and the same command goes on later."""

import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="mounts small disks as Linux does")

TRIALS = 16
MEGABYTE = 10**6


def mount(folder: Path, options: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0:
        pytest.skip("only root mounts a small disk")
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")


@pytest.fixture
def disk(tmp_path):
    """Mount disks of so many megabytes."""
    mounted = []

    def make(megabytes: int) -> Path:
        folder = tmp_path / f"disk-{len(mounted)}"
        mount(folder, f"size={megabytes * MEGABYTE}")
        mounted.append(folder)
        return folder

    yield make
    for folder in mounted:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def read_only(tmp_path):
    """Make empty folders that nobody can write to: by permissions, for root by a read-only file system."""
    mounted, closed = [], []

    def make(name: str) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        folder.chmod(0o555)
        closed.append(folder)
        if os.access(folder, os.W_OK):  # root's permissions are not asked
            mount(folder, "ro")
            mounted.append(folder)
        return folder

    yield make
    for folder in mounted:
        subprocess.run(["umount", "-l", str(folder)], check=True)
    for folder in closed:
        folder.chmod(0o755)


def fill(folder: Path, leave: float) -> Path:
    """Fill a disk but for so many bytes."""
    ballast = folder / "ballast"
    left = shutil.disk_usage(folder).free - leave
    with suppress(OSError), open(ballast, "wb", buffering=0) as handle:  # the run beside it may be the faster one
        while left > 0:
            left -= handle.write(bytes(min(MEGABYTE, int(left) + 1)))
    return ballast


@pytest.mark.parametrize("leave", [pytest.param(5 * MEGABYTE, id="nearly full"), pytest.param(0, id="full")])
@pytest.mark.slow
def test_a_disk_that_fills_while_a_run_works(leave, disk, call, slow_run, wait_for, records, kdef_folder, tmp_path):
    """The run stops with one sentence and exit code 2; no method is blamed, what was finished stays, and after room is
    made the same command does the rest alone."""
    home = disk(250)
    out = home / "r"
    command = [*slow_run, "--data", kdef_folder, "--out", out]
    first = call(*command)
    wait_for(lambda: len(records(out)) > 2)
    ballast = fill(home, leave)
    said = first.refused()
    assert "make room" in said
    assert str(out) in said
    before = records(out)
    assert 2 < len(before) < TRIALS
    ballast.unlink()
    again = call(*command).end(0)
    assert f"{len(before)} done before, {TRIALS - len(before)} to run" in again
    assert before.items() <= records(out).items()
    assert pd.read_csv(out / "trials.csv")["state"].tolist() == ["ok"] * TRIALS
    assert not list(out.rglob(".tmp-*"))


def test_a_disk_too_small_for_the_run_is_refused_first(disk, call, slow_run, kdef_folder, tmp_path):
    """Less room than the run and a reserve need: refused before any work."""
    home = disk(100)
    said = call(*slow_run, "--data", kdef_folder, "--out", home / "r").refused()
    assert f"{home / 'r'}: this run needs" in said
    assert "100 MB are free" in said or "99 MB are free" in said
    assert not list(home.rglob("trial.json"))
    assert not list((tmp_path / "cache").rglob("*.npy"))


def test_a_cache_too_small_for_the_pictures_is_refused_first(disk, call, slow_run, kdef_folder, tmp_path):
    """The store of pictures would not fit into the cache: refused before a picture is cropped or a trial is run."""
    home = disk(100)
    said = call(*slow_run, "--data", kdef_folder, "--out", tmp_path / "r", cache=home).refused()
    assert f"{home / 'store'}: the image store needs" in said
    assert "FER_BENCH_CACHE" in said
    assert not list(tmp_path.rglob("trial.json"))
    assert not list(home.rglob("*.npy"))


def test_a_cache_that_fills_up_takes_no_trial_with_it(disk, call, wait_for, kdef_folder, tmp_path):
    """Features that no longer fit stop the run, not the methods that need them; with room the command goes on."""
    home = disk(260)
    command = ["run", "--suite", "classical", "--workers", "1", "--data", kdef_folder, "--out", tmp_path / "r"]
    first = call(*command, "--only", "lda-lbp", cache=home)
    # The worker that will compute features has yet to start, which takes longer than this.
    wait_for(lambda: [p for p in home.glob("store/*.npy") if not p.name.startswith(".")])
    ballast = fill(home, 10 * MEGABYTE)
    assert f"{home / 'features'}: the cache of features needs" in first.refused()
    ballast.unlink()
    call(*command, "--only", "lda-lbp", cache=home).end(0)
    assert pd.read_csv(tmp_path / "r" / "trials.csv")["state"].tolist() == ["ok"] * 4


def test_a_limit_on_the_size_of_files_is_told(call, slow_run, kdef_folder, tmp_path):
    """What a quota or `ulimit -f` refuses is one sentence, too."""

    def limit() -> None:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))

    said = call(*slow_run, "--data", kdef_folder, "--out", tmp_path / "r", preexec_fn=limit).refused()
    assert "a limit on the size of files is reached" in said
    assert not list(tmp_path.rglob(".tmp-*"))


@pytest.mark.parametrize("where", ["the folder", "the folder above it", "the cache", "a file in its place"])
def test_what_cannot_be_written_to_is_refused_before_any_work(where, read_only, call, slow_run, kdef_folder, tmp_path):
    """A forbidden output folder or cache is one sentence that names it, before a picture is even read."""
    out, cache = tmp_path / "r", tmp_path / "cache"
    if where == "the folder":
        out = read_only("r")
    elif where == "the folder above it":
        out = read_only("above") / "r" / "s"
    elif where == "the cache":
        cache = read_only("cache")
    else:
        out.write_text("a letter")
    said = call(*slow_run, "--data", kdef_folder, "--out", out, cache=cache).refused()
    named, remedy = (cache, "FER_BENCH_CACHE") if where == "the cache" else (out, "--out")
    assert f"{named}: cannot be written to" in said
    assert remedy in said
    assert not list(tmp_path.rglob("*.npy"))
    assert not list(tmp_path.rglob("audit*"))
