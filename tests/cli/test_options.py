"""The options that `run` and `plan` share stand in one list, and none of them is lost on its way."""

import inspect
from dataclasses import asdict, fields

import pytest
from typer.testing import CliRunner

from fer_bench.cli import app as commands
from fer_bench.cli.options import PlanOptions, RunOptions, SuiteOptions
from fer_bench.plan.request import Request

OTHER_VALUES = [
    *("--suite", "named", "--data", "faces", "--protocol", "subject-loso", "--profile", "full"),
    *("--preset", "paper", "--only", "knn-*", "--out", "here", "--workers", "3", "--device", "cpu"),
    *("--weights-dir", "weights", "--offline", "--seed", "7", "--crop", "none", "--views", "S, HL", "--strict"),
    *("--folds", "folds.csv", "--test-data", "others", "--allow-outside", "--tune", "--replace"),
]
OTHER_LIMITS = [
    *("--executor", "dask", "--scheduler", "tcp://host:8786", "--per-gpu", "2", "--memory-limit", "4"),
    *("--time-limit", "60", "--max-failures", "10%", "--no-progress", "--fresh"),
]


def asked(monkeypatch, target: str, arguments: list[str]) -> Request:
    """The request that a command hands to what it calls."""
    seen = []

    def stop(request, **_):
        seen.append(request)
        raise KeyboardInterrupt

    monkeypatch.setattr(target, stop)
    CliRunner().invoke(commands.app, arguments)
    assert seen, f"{arguments[0]} was not reached"
    return seen[0]


def test_every_option_of_run_reaches_the_request(monkeypatch):
    """With another value for each option, no field of the request is left at its default."""
    request = asdict(asked(monkeypatch, "fer_bench.runner.run.run", ["run", *OTHER_VALUES, *OTHER_LIMITS]))
    default = asdict(Request())
    assert [name for name in request if request[name] == default[name]] == []
    assert request["views"] == ("S", "HL")
    assert request["protocols"] == ("subject-loso",)


def test_plan_asks_for_the_same_as_run(monkeypatch):
    """`plan` with the options of `run` plans the request of that run, limits aside."""
    ran = asked(monkeypatch, "fer_bench.runner.run.run", ["run", *OTHER_VALUES])
    planned = asked(monkeypatch, "fer_bench.plan.plan.make_plan", ["plan", *OTHER_VALUES])
    assert planned == ran


@pytest.mark.parametrize(("command", "kind"), [(commands.run, RunOptions), (commands.plan, PlanOptions)])
def test_a_command_shows_the_shared_options_first(command, kind):
    """The signature that Typer reads is the list of options, the shared ones first and in one order."""
    names = list(inspect.signature(command).parameters)
    shared = [one.name for one in fields(SuiteOptions)]
    assert names == [one.name for one in fields(kind)]
    assert names[: len(shared)] == shared
