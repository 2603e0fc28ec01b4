"""Whatever stands in the files that a run is read from: a sentence, or it goes on; never another exception."""

import json
import math
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from simulate import PERSON, Simulation, write_run

from fer_bench.errors import UserError
from fer_bench.gate.check import check_gate
from fer_bench.gate.expected import write_expected
from fer_bench.gate.packing import pack, unpack
from fer_bench.plan.request import Request
from fer_bench.plan.suites import expand, load_suite
from fer_bench.report import write_report
from fer_bench.results.compare import compare_runs
from fer_bench.results.info import check_written, find_info
from fer_bench.results.load import load_run
from fer_bench.results.records import finished, read_record
from fer_bench.runner.monitor.status import read_status, status_lines
from fer_bench.runner.resume import earlier_seconds, predicted_before
from fer_bench.runner.run import run
from fer_bench.runner.run_dir import Stopwatch

METHODS = ("linear_svc-lbp", "cnn2-48")
ODD: list[Any] = [
    *(None, True, -1, 0, 7, 2**70, 1e99, 1e300, 10**400, math.nan, math.inf, "", "soon", "a\nb\x1b[2J", "half \ud800"),
    *([], {}, [[]], [None], {"a": 1}, [{"a": None}], ["x"], [1, 2], {"": ""}),
]
BYTES = [
    *(b"", b"{", b"[]", b"null", b"3", b'"text"', b"\xff\xfe\x00", b"\x00" * 100, b'{"schema": 1}', b'{"schema": 1,}'),
    *(b"[" * 100_000, b'{"a":' * 100_000, b"[" * 60 + b"]" * 60, b'{"schema": ' + b"9" * 5000 + b"}"),
]


def every(examples: int) -> Callable[[Any], Any]:
    """Settings of a property; its files are put back after each example, so that they can be shared."""
    return settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container with every key in it."""
    for key, inner in list(value.items() if isinstance(value, dict) else enumerate(value)):
        yield value, key
        if isinstance(inner, dict | list):
            yield from places(inner)


@st.composite
def damage(draw: st.DrawFn, sound: bytes) -> bytes | str:
    """Draw what may stand in a file's place: its bytes cut or changed, an odd value somewhere, or no file at all."""
    kind = draw(st.sampled_from(["odd", "odd", "odd", "odd", "lost", "cut", "mark", "bytes", "folder", "pipe", "gone"]))
    if kind == "cut":
        return sound[: draw(st.integers(0, len(sound) - 1))]
    if kind == "mark":
        return b"\xef\xbb\xbf" + sound
    if kind == "bytes":
        return draw(st.sampled_from(BYTES))
    if kind not in ("odd", "lost"):
        return kind
    value = json.loads(sound)
    for _ in range(draw(st.integers(1, 2))):
        holder, key = draw(st.sampled_from(list(places(value))))
        if kind == "lost":
            holder.pop(key)
            break
        holder[key] = deepcopy(draw(st.sampled_from(ODD)))
    return json.dumps(value).encode()


@contextmanager
def put(file: Path, found: bytes | str) -> Iterator[None]:
    """Let something else stand in a file's place for a while."""
    before = file.read_bytes()
    file.unlink()
    if found == "folder":
        file.mkdir()
    elif found == "pipe":
        os.mkfifo(file)
    elif isinstance(found, bytes):
        file.write_bytes(found)
    try:
        yield
    finally:
        shutil.rmtree(file) if file.is_dir() else file.unlink(missing_ok=True)
        file.write_bytes(before)


def sentence(call: Callable[[], Any]) -> None:
    """Hold that a call ends well or in one line of words."""
    try:
        call()
    except UserError as error:
        text = str(error)
        assert "\n" not in text, text
        assert len(text) < 1000, text
        assert not any(words in text for words in ("Value error", "Input should", "$.", "Traceback")), text


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated run with what real ones hold besides: records, events, a forecast and crops."""
    small = Simulation(people=3, sessions=1, folds=1, methods=METHODS, protocols=(PERSON,), epochs=2)
    out = write_run(tmp_path_factory.mktemp("damaged") / "r", small)
    info = json.loads((out / "run.json").read_text())
    for row in info["plan"]:
        row |= {"predicted_seconds": 1.5, "predicted_from": "family", "watch": False}
    info["dataset"] |= {
        **{"expressions": {"AF": 3, "HA": 3}, "layout": "kdef", "layout_summary": "as it comes", "people": ["F01"]},
        "options": {"strict": True, "views": ["S"]},
        "crop_audit": {
            **{"detector": "yunet", "found": 3, "fallback": 1, "by": {"yunet": 3}, "views": {"S": [3, 1]}},
            "names": ["AF01SUFR.JPG"],
        },
    }
    info["methods"][METHODS[1]] |= {"shortened": {"size": [48, 96], "epochs": [1, 50]}, "source": "photo"}
    info |= {
        "forecast": {"wall_seconds": 60.0, "sources": {"family": 2}},
        "phase_seconds": {"trials": 50.0, "plan": 0.4},
        "libraries": [{"internal_api": "openblas", "version": "0.3", "architecture": "Haswell"}],
        **{"environment": {"OMP_NUM_THREADS": "1"}, "notes": ["a note"]},
    }
    (out / "run.json").write_text(json.dumps(info))
    for row in info["plan"]:
        (out / "trials" / row["id"]).mkdir(parents=True)
        record = {
            **{name: row[name] for name in ("id", "method", "protocol", "fold", "seed")},
            **{"state": "timeout", "reason": "stopped", "n_train": 9, "n_test": 3, "device": "cpu", "threads": 1},
            **{"fit_seconds": 1.0, "predict_seconds": 0.1, "warnings": ["w"], "history": {"loss": [1.0, None]}},
            **{"versions": {"numpy": "2"}, "code": "c", "cpu": "x", "predictions_sha256": "0"},
        }
        (out / "trials" / row["id"] / "trial.json").write_text(json.dumps(record))
    trial = {"id": info["plan"][0]["id"], "method": METHODS[0], "protocol": PERSON, "fold": 0}
    events = [
        {"time": 10.0, "event": "run_started", "pid": 1, "todo": 2, "done_before": 0, "skipped": 0, "workers": 2},
        {"time": 10.5, "event": "workers", "workers": 3},
        {"time": 11.0, "event": "trial_started", **trial, "worker": "1", "device": "cpu"},
        {"time": 12.0, "event": "trial_ended", **trial, "state": "ok", "seconds": 1.0, "reason": ""},
        {"time": 12.5, "event": "stopping", "why": "failures"},
    ]
    (out / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    write_expected(out, out / "expected.json", few_seeds=True)
    return out


def readers(folder: Path) -> None:
    """All that reads a run's folder and may go on without what is in it."""
    find_info(folder)
    predicted_before(folder)
    earlier_seconds(folder)
    Stopwatch(folder, resumed=True)
    for trial in (folder / "trials").iterdir():
        read_record(folder, trial.name)
        finished(folder, trial.name)


def status(folder: Path) -> None:
    """What `fer-bench status` does, in words and as JSON."""
    found = read_status(folder)
    list(status_lines(found))
    json.dumps(found.as_json(), allow_nan=False)


def test_the_run_is_sound(folder: Path) -> None:
    """Without damage everything reads it, so that what is refused below is refused for its damage."""
    status(folder)
    write_report([folder])
    assert not check_gate(folder, folder / "expected.json", few_seeds=True).faults
    assert len(compare_runs(folder, folder, method_a=METHODS[0], method_b=METHODS[1]).pairs) == 1
    assert len(predicted_before(folder)) == 2
    assert Stopwatch(folder, resumed=True).seconds == {"trials": 50.0, "plan": 0.4}


@every(120)
@given(data=st.data())
def test_a_damaged_run_json_is_a_sentence(folder: Path, data: st.DataObject) -> None:
    """Status, plan, gate, compare and the run's own readers; `load_run` is what report begins with."""
    with put(folder / "run.json", data.draw(damage((folder / "run.json").read_bytes()))):
        readers(folder)
        sentence(lambda: check_written(folder))
        sentence(lambda: status(folder))
        sentence(lambda: load_run(folder))


def report_of_damaged(folder: Path, data: st.DataObject) -> None:
    with put(folder / "run.json", data.draw(damage((folder / "run.json").read_bytes()))):
        sentence(lambda: write_report([folder]))
        sentence(lambda: check_gate(folder, folder / "expected.json", few_seeds=True))
        sentence(lambda: write_expected(folder, folder / "other.json", few_seeds=True))
        sentence(lambda: compare_runs(folder, folder, method_a=METHODS[0], method_b=METHODS[1]))


@every(8)
@given(data=st.data())
def test_a_report_of_a_damaged_run_json_is_a_sentence(folder: Path, data: st.DataObject) -> None:
    """What passes `load_run` is reported, gated and compared, however odd it is."""
    report_of_damaged(folder, data)


@pytest.mark.slow
@every(600)
@given(data=st.data())
def test_many_reports_of_damaged_run_json(folder: Path, data: st.DataObject) -> None:
    """The same with six hundred damages."""
    report_of_damaged(folder, data)


@every(80)
@given(data=st.data())
def test_a_damaged_trial_json_is_no_record(folder: Path, data: st.DataObject) -> None:
    """A record that is none counts as no record: its trial is done again."""
    trial = sorted((folder / "trials").iterdir())[0]
    with put(trial / "trial.json", data.draw(damage((trial / "trial.json").read_bytes()))):
        readers(folder)
        status(folder)


@every(80)
@given(data=st.data())
def test_damaged_events_cost_no_status(folder: Path, data: st.DataObject) -> None:
    """Lines that are none are skipped, whatever is in their place."""
    lines = (folder / "events.jsonl").read_bytes().splitlines()
    line = data.draw(st.integers(0, len(lines) - 1))
    found = data.draw(damage(lines[line]))
    if isinstance(found, bytes):
        found = b"\n".join([*lines[:line], found, *lines[line + 1 :]])
    with put(folder / "events.jsonl", found):
        readers(folder)
        status(folder)


@every(30)
@given(data=st.data())
def test_a_damaged_expectation_is_a_sentence(folder: Path, data: st.DataObject) -> None:
    """The gate says what is wrong with its file, and the option that gave it."""
    file = folder / "expected.json"
    with put(file, data.draw(damage(file.read_bytes()))):
        sentence(lambda: check_gate(folder, file, few_seeds=True))


def test_an_expectation_that_unfolds_takes_no_more_memory_than_it_says() -> None:
    """Text that unfolds to far more values than the file says is left folded, and told."""
    with pytest.raises(ValueError, match="expected 3 images, found 4"):
        unpack(pack(np.zeros(10_000_000)), 3, 6)


SUITE = """summary = "s"
[[job]]
methods = ["linear_svc-lbp", "knn-*"]
protocols = ["subject-10fold"]
watch = true
quick = { protocols = ["subject-2fold"], watch = false }
[tune.linear_svc]
C = [0.1, 1.0]
[set."cnn2-*"]
epochs = 20
"""
TOML = ["3", "nan", "true", '"x"', "[]", "{}", "1999-01-01", "[[" * 50_000, "9" * 5000, "[nan]", '["a"]', "{a=1}", ""]


@every(150)
@given(data=st.data())
def test_a_damaged_suite_is_a_sentence(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Cut short, with another value or key in some line, or something else in the file's place."""
    file = tmp_path_factory.getbasetemp() / "mine.toml"
    file.write_text(SUITE)
    lines = SUITE.splitlines()
    line = data.draw(st.integers(0, len(lines) - 1))
    key = lines[line].split(" = ")[0]
    changed = [f"{key} = {value}" for value in TOML] + ["", "x = 1", lines[line] * 2, f"[{key}]", f"[[{key}]]"]
    lines[line] = data.draw(st.sampled_from(changed))
    cut = SUITE[: data.draw(st.integers(0, len(SUITE)))]
    choice = data.draw(st.sampled_from(["\n".join(lines), "\n".join(lines), cut, "\ufeff" + SUITE, "folder", "pipe"]))
    found = choice if choice in ("folder", "pipe") else choice.encode()
    with put(file, found):
        sentence(lambda: expand(load_suite(str(file)), (), "quick"))


def test_a_run_goes_on_from_what_is_damaged(kdef_folder: Path, tmp_path: Path) -> None:
    """A rerun over a folder with other things in its files' places ends well, or says which one is in the way."""
    out = tmp_path / "r"
    kept = {"protocols": ("subject-2fold",), "only": ("majority",), "device": "cpu", "offline": True, "out": out}
    ask = Request("classical", str(kdef_folder), executor="in-process", **kept)
    assert run(ask) == 0
    names = ("run.json", "events.jsonl", "trials/*/trial.json", "trials/*/predictions.npz")
    files = [sorted(out.glob(name))[0] for name in names]
    for found in ("pipe", b"[" * 100_000):
        with ExitStack() as all_of_them:
            for file in files:
                all_of_them.enter_context(put(file, found))
            assert run(ask) == 0
    with put(files[0], "folder"), pytest.raises(UserError, match=r"run\.json: expected a file, found a folder"):
        check_written(out)  # before any work
    with put(files[2], "folder"), pytest.raises(UserError, match=r"trial\.json: expected a file, found a folder"):
        run(ask)
