"""Errors name parameters of the library; whoever types a command reads of its options."""

import json
from contextlib import suppress

import pytest

from fer_bench.cli.option_names import OPTIONS, as_options
from fer_bench.runner.monitor.events import EventLog


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("`test_data` /x: no such file", "--test-data /x: no such file"),
        ("`protocols` and `test_data` exclude each other", "--protocol and --test-data exclude each other"),
        ("take it with `few_seeds=True`", "take it with --few-seeds"),
        ("(`profile` full)", "(--profile full)"),
        ("write it anew with `write_expected`", "write it anew with --update"),
    ],
)
def test_parameters_become_options(text, told):
    """A parameter in backticks is told as its option, with the value that follows it as it is."""
    assert as_options(text) == told


@pytest.mark.parametrize(
    "text",
    [
        "see `fer-bench list datasets`, or `fer-bench report a b --out DIR`",
        "start one with `dask worker --resources GPU=1`",
        "`nothing_of_that_name`: expected `True`",
        "the data and the folds of test_data",
        "/home/`data`/x and my`data`: no such file",
        "`data=False`",
        "``",
    ],
)
def test_all_else_stays(text):
    """Commands, other words in backticks, words without them and names of files are left alone."""
    assert as_options(text) == text


def test_a_text_in_options_has_no_parameter_left():
    """What was translated once is not translated again: options hold no backticks."""
    text = ", ".join(f"`{name}` x" for name in OPTIONS)
    assert "`" not in as_options(text)
    assert as_options(as_options(text)) == as_options(text)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run", "--suite", "nonsense"], "--suite nonsense: no such suite; choose from"),
        (["run", "--profile", "nonsense"], "--profile nonsense: no such profile; choose from"),
        (["run", "--only", "nonsense"], "--only 'nonsense' names none of the"),
        (["run", "--weights-dir", "nowhere"], "--weights-dir nowhere: no such folder"),
        (["run", "--folds", "f.csv", "--protocol", "official"], "--folds and --protocol exclude each other"),
        (["plan", "--data", "two", "--crop", "none"], "--data two: expected one table with the columns path and label"),
        (["plan", "--data", "two", "--crop", "none"], "a.csv, b.csv; give the table itself to --data"),
        (["plan", "--test-data", "two"], "--test-data two: expected one table with the columns path and label"),
        (["plan", "--test-data", "two"], "a.csv, b.csv; give the table itself to --test-data"),
        (["folds", "check", "a.csv", "--data", "x", "--manifest", "y"], "--data and --manifest exclude each other"),
        (["folds", "make", "f.csv", "--protocol", "cross-dataset"], "it needs --test-data PATH"),
        (["run", "--executor", "dask"], "--executor dask: give the scheduler's address or file with --scheduler"),
        (["run", "--max-failures", "none"], "--max-failures none: expected a number of trials"),
        (["compare", "a", "b", "--method-a", "x"], "--method-a and --method-b: give both, or --method for the same"),
        (["report", "a", "b"], "say where to write it with --out"),
        (["pretrain", "--people", "1"], "--people: expected 20 or more, found 1"),
        (["gate", "two", "--expected", "no.json", "--update"], "two is not a run directory"),
    ],
)
def test_the_terminal_tells_options(cli, tmp_path, arguments, told):
    """What stands on standard error are options that can be typed, also of the second of two datasets."""
    (tmp_path / "two").mkdir()
    for name in ("a.csv", "b.csv"):
        (tmp_path / "two" / name).write_text("path,label\nx.png,happy\n")
    done = cli(*arguments, expect=2)
    assert told in done.stderr
    assert not any(f"`{name}`" in done.stderr for name in OPTIONS)


def test_what_a_run_says_tells_options(cli, kdef_folder, tmp_path):
    """Notes on what is skipped, which the library words for Python, too, name options in a terminal."""
    suite = tmp_path / "s.toml"
    suite.write_text('summary = "x"\n[[job]]\nmethods = ["majority"]\nprotocols = ["random-2fold", "cross-dataset"]\n')
    told = cli("run", "--suite", suite, "--data", kdef_folder, "--out", "r").stderr
    assert "it needs --test-data" in told
    assert "`test_data`" not in told


def test_what_answers_on_standard_output_tells_options(cli, kdef_folder, tmp_path):
    """The gate's faults, as JSON and for GitHub, and the error that a run wrote down as it was raised name options."""
    cli("run", "--suite", "classical", "--only", "majority", "--data", kdef_folder, "--out", "r")
    told = json.loads(cli("gate", "r", "--expected", "no.json", "--json", expect=2).stdout)["faults"][0]
    assert told.startswith("--expected no.json cannot be read:")
    assert told.endswith("; --update writes one from a run")
    assert "--update writes one" in cli("gate", "r", "--expected", "no.json", "--github", expect=2).stdout
    with suppress(OSError), EventLog(tmp_path / "r") as log:
        log.write("run_started", executor="local", todo=1, done_before=0, skipped=0, workers=1)
        raise OSError("the disk is full; give a folder on a larger disk with `out`")
    assert "with --out" in json.loads(cli("status", "r", "--json").stdout)["why"]
