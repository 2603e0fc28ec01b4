"""Several processes on the same uncached data: one builds, one is killed, and what is left is whole."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from fer_bench.data.images.audit import audit
from fer_bench.data.images.store import build_stores
from fer_bench.data.layouts.kdef import read_kdef
from fer_bench.data.sources.open_source import open_source
from fer_bench.methods import ImageSpec

SPECS = (ImageSpec(32), ImageSpec(48, 3))

SLOWED = """
import sys, time
from fer_bench.data.images import store
from fer_bench.data.images.crop import to_spec
def slow(face, spec, pause=float(sys.argv.pop(1))):
    time.sleep(pause)
    return to_spec(face, spec)
store.to_spec = slow
"""

BUILD = (
    SLOWED
    + """
from pathlib import Path
from fer_bench.data.layouts.kdef import read_kdef
from fer_bench.methods import ImageSpec
paths = store.build_stores(read_kdef(Path(sys.argv[1]), 1), [ImageSpec(32), ImageSpec(48, 3)], 1)
print(*paths.values())
"""
)

RUN = (
    SLOWED
    + """
from fer_bench.cli.app import main
main()
"""
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kills as POSIX does")


def start(cache: Path, pause: float, *arguments: object, code: str = BUILD) -> subprocess.Popen:
    """Start a process that builds stores, resting before each picture so that it can be met half way."""
    command = [sys.executable, "-P", "-c", code, str(pause), *map(str, arguments)]
    environment = {**os.environ, "FER_BENCH_CACHE": str(cache)}
    return subprocess.Popen(
        command, env=environment, cwd=cache.parent, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def wait_for(found, what: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < end, f"no {what} within {seconds} s"
        time.sleep(0.02)


def building(cache: Path):
    """Tell whether a store is being written."""
    return lambda: any(path.stat().st_size > 0 for path in cache.glob("store/.tmp-*.npy"))


def finish(process: subprocess.Popen) -> list[Path]:
    out, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    assert "Traceback" not in said
    return [Path(name) for name in out.split()]


@pytest.fixture(scope="module")
def undisturbed(kdef_folder, tmp_path_factory) -> dict[str, bytes]:
    """The stores' files by name, as one process makes them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FER_BENCH_CACHE", str(tmp_path_factory.mktemp("calm")))
        paths = build_stores(read_kdef(kdef_folder, 1), SPECS, 2).values()
        return {path.name: path.read_bytes() for path in paths}


def stores(cache: Path) -> dict[str, bytes]:
    """The finished stores in a cache, by name."""
    return {path.name: path.read_bytes() for path in cache.glob("store/*.npy") if not path.name.startswith(".tmp-")}


def assert_sound(cache: Path, undisturbed: dict[str, bytes]) -> None:
    """The cache holds the undisturbed stores to the byte, and nothing half-made."""
    assert stores(cache) == undisturbed
    assert not list(cache.rglob(".tmp-*"))


def test_two_builders_end_with_one_good_store(kdef_folder, tmp_path, undisturbed):
    """Two processes that start at once both end well, with the same files, equal to one process's work."""
    pair = [start(tmp_path, 0.001, kdef_folder) for _ in range(2)]
    assert finish(pair[0]) == finish(pair[1])
    assert_sound(tmp_path, undisturbed)


def test_one_killed_while_building_leaves_the_other_to_finish(kdef_folder, tmp_path, undisturbed):
    """The second waits for the first; when that one is killed half way, it builds the stores itself and cleans up."""
    first = start(tmp_path, 0.05, kdef_folder)
    wait_for(building(tmp_path), "half-written store")
    second = start(tmp_path, 0, kdef_folder)
    assert second.stderr is not None
    line = second.stderr.readline()
    assert "waiting" in line, line
    assert building(tmp_path)()
    assert not stores(tmp_path)
    first.send_signal(signal.SIGKILL)
    finish(second)
    first.communicate(timeout=30)
    assert_sound(tmp_path, undisturbed)


def test_a_killed_builders_leftovers_are_neither_read_nor_kept(kdef_folder, tmp_path, undisturbed):
    """After a kill there is no store, only a temporary file; the next build makes the store anew and removes it."""
    process = start(tmp_path, 0.05, kdef_folder)
    wait_for(building(tmp_path), "half-written store")
    process.kill()
    process.communicate(timeout=30)
    assert not stores(tmp_path)
    assert list(tmp_path.glob("store/.tmp-*"))
    finish(start(tmp_path, 0, kdef_folder))
    assert_sound(tmp_path, undisturbed)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_two_runs_of_the_command_line_one_killed(kdef_folder, tmp_path, cli):
    """Two runs on the same uncached data: one is killed while its store is built; the other one's results are those of
    a run that was alone, and the cache holds one whole store and no leftovers."""
    arguments = ["run", "--data", kdef_folder, "--suite", "classical", "--only", "knn-pixels", "--workers", "1"]
    arguments += ["--protocol", "subject-10fold", "--out"]
    cache = tmp_path / "cache"
    first = start(cache, 0.2, *arguments, tmp_path / "first", code=RUN)
    wait_for(building(cache), "half-written store")
    second = start(cache, 0, *arguments, tmp_path / "second", code=RUN)
    assert second.stderr is not None
    while "waiting" not in (line := second.stderr.readline()):
        assert line, "the second run never met the first"
    first.kill()
    finish(second)
    first.communicate(timeout=30)
    cli(*arguments, tmp_path / "alone", FER_BENCH_CACHE=str(tmp_path / "other"))
    assert stores(cache) == stores(tmp_path / "other")
    assert len(stores(cache)) == 1
    assert not list(cache.rglob(".tmp-*"))
    proba = [[np.load(f)["proba"] for f in sorted((tmp_path / run).rglob("*.npz"))] for run in ("second", "alone")]
    assert len(proba[0]) == len(proba[1]) > 0
    for a, b in zip(*proba, strict=True):
        np.testing.assert_array_equal(a, b)


def test_an_audit_killed_while_it_writes_leaves_the_cache_as_it_was(kdef_folder, tmp_path, monkeypatch):
    """A leftover of a killed audit is removed by the next one that writes, and is never read."""
    monkeypatch.setenv("FER_BENCH_CACHE", str(tmp_path))
    source = open_source(kdef_folder)
    first = audit(source.files[:10], source, 1)
    (cache,) = tmp_path.glob("audit-*.json")
    (tmp_path / f".tmp-999999-{cache.name}").write_text('{"half')
    assert audit(source.files, source, 1)[:10] == first
    assert not list(tmp_path.rglob(".tmp-*"))
