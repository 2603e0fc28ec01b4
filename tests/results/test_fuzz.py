"""Damaged run files through status, run, report, gate and compare: a sentence or an answer; no traceback, no hang,
no more than two gigabytes."""

import json
import os
import random
import resource
import shutil
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from fuzz import damage

from fer_bench.errors import UserError
from fer_bench.gate.check import check_gate
from fer_bench.gate.expected import write_expected
from fer_bench.plan.request import Request
from fer_bench.report import write_report
from fer_bench.results.checks import find_doubts
from fer_bench.results.compare import compare_runs
from fer_bench.results.load import load_run
from fer_bench.runner.monitor.status import read_status, status_lines
from fer_bench.runner.run import run

SEED = int(os.environ.get("FER_BENCH_FUZZ_SEED", "20261130"))
SECONDS = 60
MEMORY = 2_000_000_000
METHODS = ("majority", "linear_svc-2dlda")
ASKED: dict[str, Any] = {"protocols": ("subject-2fold",), "only": METHODS, "device": "cpu", "offline": True}


@pytest.fixture(scope="module")
def whole(write_faces: Callable, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A run with all files that one may have, and its data."""
    home = tmp_path_factory.mktemp("fuzz")
    write_faces(home / "faces", people=2)
    out = home / "r"
    assert run(Request("classical", str(home / "faces"), executor="in-process", out=out, **ASKED)) == 0
    table = pd.read_parquet(out / "predictions.parquet")
    table.to_parquet(out / "watched.parquet", index=False)  # as networks leave them
    curves = table.drop_duplicates(["method", "protocol", "fold", "seed"])[["method", "protocol", "fold", "seed"]]
    curves.assign(epoch=1, loss=0.5, train_accuracy=0.5, test_accuracy=0.5).to_csv(out / "curves.csv", index=False)
    info = json.loads((out / "run.json").read_text())
    del info["dataset"]["genders"]
    (out / "run.json").write_text(json.dumps(info, indent=1))
    write_expected(out, out / "expected.json")
    return out, home / "faces"


@contextmanager
def bounded() -> Iterator[None]:
    """End what hangs, and refuse memory beyond the limit."""

    def hang(*_: object) -> None:
        raise AssertionError(f"more than {SECONDS} s")

    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    before = signal.signal(signal.SIGALRM, hang)
    resource.setrlimit(resource.RLIMIT_AS, (held + MEMORY, hard))
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def fault(name: str, call: Callable[[], Any]) -> str:
    """What is wrong with how a call ended; nothing where it answers, or says a sentence."""
    try:
        with bounded(), redirect_stderr(StringIO()):
            call()
    except UserError as error:
        text = str(error)
        return f"{name}: {text[:300]!r}" if "\n" in text or len(text) > 1200 else ""
    except BaseException:  # noqa: BLE001 - all that is no sentence is what is looked for
        return f"{name}: {traceback.format_exc(limit=-4)}"
    return ""


def status(folder: Path) -> None:
    found = read_status(folder)
    list(status_lines(found))
    json.dumps(found.as_json(), allow_nan=False)


def broken(whole: tuple[Path, Path], place: Path, number: int, *, everything: bool) -> list[str]:
    """Damage a copy of the run and ask everything of it; the dear questions in turn, or all of them."""
    sound, data = whole
    out = place / "r"
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(sound, out)
    told = damage(out, random.Random(SEED * 1000 + number))
    ask = Request("classical", str(data), executor="in-process", out=out, **ASKED)
    calls: list[tuple[str, Callable[[], Any]]] = [
        ("status", lambda: status(out)),
        ("doubts", lambda: find_doubts(load_run(out))),
        ("people", lambda: load_run(out).genders),
        ("gate", lambda: check_gate(out, out / "expected.json")),
        ("compare", lambda: compare_runs(out, sound)),
        ("compare two", lambda: compare_runs(out, out, method_a=METHODS[0], method_b=METHODS[1])),
    ]
    calls += [("report", lambda: write_report([out]))] if everything or number % 8 == 0 else []
    calls += [("run", lambda: run(ask))] if everything or number % 8 == 4 else []
    calls += [("status afterwards", lambda: status(out))] if everything else []
    return [f"{number}: {told}: {found}" for name, call in calls if (found := fault(name, call))]


def test_sixty_damaged_runs_end_in_sentences(whole: tuple[Path, Path], tmp_path: Path) -> None:
    """A few of the many below; report and run are asked of every eighth."""
    assert not [found for n in range(60) for found in broken(whole, tmp_path / "x", n, everything=False)]


@pytest.mark.slow
@pytest.mark.parametrize("part", range(10))
def test_three_hundred_damaged_runs_end_in_sentences(whole: tuple[Path, Path], tmp_path: Path, part: int) -> None:
    """Each through all of them; a run afterwards heals what is its own, or names what is in its way."""
    numbers = range(1000 + 30 * part, 1030 + 30 * part)
    assert not [found for n in numbers for found in broken(whole, tmp_path / "x", n, everything=True)]


@pytest.mark.parametrize("put", [os.mkfifo, Path.mkdir, lambda path: path.symlink_to(path.name)])
def test_what_stands_in_a_locks_place_is_named(whole: tuple[Path, Path], tmp_path: Path, put: Callable) -> None:
    """A pipe keeps nobody waiting: a run says what to move away, and status goes on."""
    sound, data = whole
    shutil.copytree(sound, tmp_path / "r")
    lock = tmp_path / "r" / "run.lock"
    lock.unlink()
    put(lock)
    with bounded():
        status(tmp_path / "r")
        ask = Request("classical", str(data), executor="in-process", out=tmp_path / "r", **ASKED)
        with pytest.raises(UserError, match=r"run\.lock: expected a file, found .*; move it away"):
            run(ask)


def test_a_table_without_end_is_no_record(whole: tuple[Path, Path], tmp_path: Path) -> None:
    """Where trials' folders were not kept status reads trials.csv, if that is a file of a size to be read."""
    out = tmp_path / "r"
    shutil.copytree(whole[0], out, ignore=shutil.ignore_patterns("trials"))
    assert read_status(out).done == 4
    os.truncate(out / "trials.csv", 1 << 42)
    with bounded():
        assert read_status(out).done == 0
