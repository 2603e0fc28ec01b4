"""A run directory of another fer-bench is told from a broken one, by whatever command meets it."""

import json

import pytest

from fer_bench.cli.app import plan
from fer_bench.errors import UserError
from fer_bench.gate.check import check_gate
from fer_bench.gate.expected import write_expected
from fer_bench.plan.request import Request
from fer_bench.report import write_gallery, write_report
from fer_bench.results import compare
from fer_bench.results.schema import OLDEST_SCHEMA, SCHEMA
from fer_bench.runner.monitor import status
from fer_bench.runner.run import run

COMMANDS = {
    "report": lambda folder: write_report([folder]),
    "status": status.read_status,
    "gate": lambda folder: check_gate(folder, folder / "expected.json"),
    "compare": lambda folder: compare.compare_runs(folder, folder),
    "gate --update": lambda folder: write_expected([folder], folder / "expected.json"),
    "report --gallery": lambda folder: write_gallery(folder, ""),
    "plan": lambda folder: plan(suite="classical", only=("knn-pixels",), out=folder),
    "run": lambda folder: run(Request(suite="classical", only=("knn-pixels",), out=folder)),
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("schema", "words"),
    [
        (SCHEMA + 1, f"expected schema {SCHEMA} or older, found {SCHEMA + 1}, written by fer-bench 9.9"),
        (OLDEST_SCHEMA - 1, f"expected schema {OLDEST_SCHEMA} or newer, found {OLDEST_SCHEMA - 1}"),
        (None, "found none"),
        ("two", "found none"),
    ],
)
def test_another_schema_is_one_sentence(command, schema, words, tmp_path):
    """Newer, older or no schema: every command that reads a run directory says which was expected and found, names the
    file, and touches nothing."""
    file = tmp_path / "run.json"
    text = json.dumps({"schema": schema, "code": {"version": "9.9"}} if schema is not None else {})
    file.write_text(text)
    with pytest.raises(UserError, match=str(file)) as caught:
        COMMANDS[command](tmp_path)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]
    assert file.read_text() == text
