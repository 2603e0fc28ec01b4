"""The table of `tox -e bench`: CPU seconds of each job, its ratio to the plain way, and both beside the committed ones.

    tox -e bench                                  # a few minutes; prints, never fails for time
    tox -e bench -- --write-speed                 # writes benchmarks/results/speed.json, too
    tox -e bench -- -k classifiers                # some rows

CPU seconds of this process on one thread, since shared machines are busy; the two sides take turns, and the ratio is
the median of the turns' ratios. Ratios hardly depend on the machine, seconds do.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy is imported

import pytest

RESULT = Path(__file__).parent / "results" / "speed.json"
ROWS = pytest.StashKey[dict[str, dict[str, float | None]]]()
Work = Callable[[], Any]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that writes the table."""
    parser.addoption("--write-speed", action="store_true", help=f"write {RESULT.name}, whole or the rows that ran")


def pytest_configure(config: pytest.Config) -> None:
    """Begin with no rows."""
    config.stash[ROWS] = {}


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing is read from or left in the user's cache."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("FER_BENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def beside(benchmark: Any, request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Measure ``beside(name, ours, plain=None, *, rounds=5, share=1.0)``; returns what ours returned.

    ``share``: how much of our work the plain side does, where all of it would take too long.
    """

    def measure(name: str, ours: Work, plain: Work | None = None, *, rounds: int = 5, share: float = 1.0) -> Any:
        taken: dict[str, list[float]] = {"ours": [], "plain": []}

        def timed(side: str, work: Work) -> Any:
            start = time.process_time()
            result = work()
            taken[side].append(time.process_time() - start)
            return result

        def before_each() -> None:
            if plain is not None:
                timed("plain", plain)

        result = benchmark.pedantic(lambda: timed("ours", ours), setup=before_each, rounds=rounds, warmup_rounds=1)
        ratio = None
        if plain is not None:
            pairs = list(zip(taken["plain"], taken["ours"], strict=True))[1:]  # the first warms up
            ratio = statistics.median(there / share / here for there, here in pairs)
        row = {"seconds": statistics.median(taken["ours"][1:]), "ratio": ratio}
        benchmark.extra_info.update(row)
        request.config.stash[ROWS][name] = row
        return result

    return measure


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the table, and write it where that was asked for."""
    rows = config.stash[ROWS]
    if not rows:
        return
    before = json.loads(RESULT.read_text("utf-8")) if RESULT.exists() else {"rows": {}, "machine": "none"}
    terminalreporter.section("speed: CPU seconds, and how many times the plain way's")
    terminalreporter.write_line(f"committed: {before['machine']}; here: {machine()}; a ratio below 1 is slower")
    for line in table(rows, before["rows"]):
        terminalreporter.write_line(line)
    if config.getoption("--write-speed"):
        command = "tox -e bench -- --write-speed"
        value = {"made_by": command, "machine": machine(), "rows": {**before["rows"], **rounded(rows)}}
        RESULT.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


def table(rows: dict[str, Any], before: dict[str, Any]) -> Iterator[str]:
    """Rows as they ran, each beside the committed one; committed rows that did not run are not shown."""
    yield f"{'WHAT':44} {'SECONDS':>10} {'COMMITTED':>10} {'RATIO':>8} {'COMMITTED':>10}"
    for name, row in rows.items():
        old = before.get(name, {})
        cells = [row["seconds"], old.get("seconds"), row["ratio"], old.get("ratio")]
        shown = ["" if cell is None else f"{cell:.3g}" for cell in cells]
        yield f"{name:44} {shown[0]:>10} {shown[1]:>10} {shown[2]:>8} {shown[3]:>10}"


def rounded(rows: dict[str, Any]) -> dict[str, Any]:
    """Three digits: more would say nothing."""
    return {name: {key: value and float(f"{value:.3g}") for key, value in row.items()} for name, row in rows.items()}


def machine() -> str:
    """What seconds depend on."""
    from fer_bench.utils.provenance import cpu

    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scikit-learn", "torch"))
    return f"{cpu()['cpu']}, Python {platform.python_version()}, {packages}"
