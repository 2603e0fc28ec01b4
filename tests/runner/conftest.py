"""What the runner's tests share: real processes of the command line that a test can meet half way."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

MAIN = "from fer_bench.cli.app import main; main()"
PACE = Path(__file__).parent / "plugins"
SLOW = ["run", "--suite", "classical", "--only", "slow-*", "--workers", "1"]
"""Sixteen trials of a third of a second each."""


class Call:
    """A command line in a process of its own, with the methods of `pace_methods` installed."""

    def __init__(self, *arguments: object, cwd: Path, cache: Path, **how: object) -> None:
        path = os.pathsep.join(filter(None, [str(PACE), os.environ.get("PYTHONPATH")]))
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", MAIN, *map(str, arguments)],
            env={**os.environ, "FER_BENCH_CACHE": str(cache), "PYTHONPATH": path},
            cwd=cwd,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            **how,
        )

    def end(self, code: int) -> str:
        """Wait for its end and return what it said; its exit code is as expected, and it shows no traceback."""
        _, said = self.process.communicate(timeout=200)
        assert self.process.returncode == code, said
        assert "Traceback" not in said
        return said

    def refused(self) -> str:
        """Wait for its end; it is exit code 2 and one sentence of the program's own, which is returned."""
        said = self.end(2).splitlines()
        assert [line for line in said if line.startswith("fer-bench: ")] == said[-1:]
        return said[-1]


@pytest.fixture
def call(tmp_path):
    """Start the command line with a cache of the test's own; what is left at the end is killed."""
    calls = []

    def start(*arguments: object, cache: Path | None = None, **how: object) -> Call:
        calls.append(Call(*arguments, cwd=tmp_path, cache=cache or tmp_path / "cache", **how))
        return calls[-1]

    yield start
    for one in calls:
        if one.process.poll() is None:
            one.process.kill()
            one.process.communicate()


@pytest.fixture
def slow_run() -> list[str]:
    """Arguments of a run of sixteen trials that take a third of a second each, to be met half way."""
    return list(SLOW)


def wait_for(found: Callable[[], object], seconds: float = 100) -> None:
    """Wait until ``found`` finds something."""
    end = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < end, f"nothing within {seconds:.0f} s"
        time.sleep(0.02)


@pytest.fixture(name="wait_for")
def _wait_for():
    """Give tests the function ``wait_for(found, seconds=100)``."""
    return wait_for


def records(out: Path) -> dict[str, tuple[int, int]]:
    """Inode and time of every trial's record."""
    return {p.parent.name: (p.stat().st_ino, p.stat().st_mtime_ns) for p in out.glob("trials/*/trial.json")}


@pytest.fixture(name="records")
def _records():
    """Give tests the function ``records(out)``."""
    return records
