"""The command line: thin commands over the harness, and the one place where errors become exit codes.

Typer is imported here and nothing heavier; each command imports what it needs when it is called, so that ``--help``
and ``list`` answer at once.
"""

from __future__ import annotations

import faulthandler
import functools
import json
import shlex
import sys
from contextlib import suppress
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fer_bench.errors import FerBenchError, UserError
from fer_bench.utils.progress import say, worded
from fer_bench.utils.reasons import plain_reason
from fer_bench.utils.standard_streams import ready_streams
from fer_bench.utils.texts import writable

from .data import data_app
from .folds import folds_app
from .option_names import as_options
from .options import (
    JsonOption,
    OnlyOption,
    PlanOptions,
    RunOptions,
    SuiteOptions,
    path_of,
    place_of,
    split_views,
    with_options,
)
from .tables import answer, answer_json
from .unexpected import UNEXPECTED, unexpected
from .usage import Commands
from .weights import pretrain, weights_app

if TYPE_CHECKING:
    from fer_bench.plan.request import Request

__all__ = ["app", "main"]


class _Commands(Commands):
    """The commands; nothing that they call ends the program past them."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except SystemExit as error:  # commands end by typer.Exit; this came from a plug-in
            raise RuntimeError(f"sys.exit({error.code!r}) was called") from error


app = typer.Typer(
    name="fer-bench",
    cls=_Commands,
    help="Facial expression recognition: classical pipelines and networks on the same folds, in one report.",
    epilog="Exit code 0: all is well. 1: what was asked is answered with no, or a trial failed. 2: a mistake in the "
    "command. 70: a mistake of fer-bench itself or of a plug-in; a file that is named has the details. "
    "130: interrupted.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(data_app, name="data")
app.add_typer(folds_app, name="folds")
app.add_typer(weights_app, name="weights")
app.command()(pretrain)


class What(StrEnum):
    """What ``fer-bench list`` can list."""

    methods = "methods"
    suites = "suites"
    datasets = "datasets"
    protocols = "protocols"


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False) -> None:
    if version:
        from fer_bench.utils.version import __version__

        answer(f"fer-bench {__version__}")
        raise typer.Exit


@app.command()
@with_options(RunOptions)
def run(options: RunOptions) -> None:
    """Run a suite and write its report.

    Given again, it does only what is missing.

    Ctrl-C once finishes what runs, twice stops it; both write the report of what is there.

    Exit code 0: every trial is ok or skipped with a reason. 1: some trial failed or has no result (the report is
    written all the same). 2: a mistake in the command; nothing was started. 70: a mistake of fer-bench itself or of a
    plug-in. 130: interrupted.
    """
    from fer_bench.runner.run import run as run_
    from fer_bench.utils.progress import hide_progress

    request = replace(
        _request(options),
        executor=options.executor.value,
        scheduler=options.scheduler,
        per_gpu=options.per_gpu,
        memory_limit=options.memory_limit,
        time_limit=options.time_limit,
        max_failures=options.max_failures,
        fresh=options.fresh,
    )
    hide_progress(options.no_progress)
    raise typer.Exit(run_(request))


@app.command()
@with_options(PlanOptions)
def plan(options: PlanOptions) -> None:
    """Show what `run` would do.

    Trials, what is done, what is skipped and why; time, memory, disk and downloads, with where each figure is from:
    this machine's own history first, else shipped estimates, scaled to it. Runs nothing.
    """
    from fer_bench.plan.plan import make_plan
    from fer_bench.results.records import finished
    from fer_bench.runner.place import check_folder, check_same
    from fer_bench.runner.run import default_out

    from .planned import planned, planned_json, planned_lines

    request = _request(options)
    folder = request.out or default_out(request)
    check_folder(folder, request)
    done = functools.cache(lambda trial_id: finished(folder, trial_id))
    asked = make_plan(request, fetch=False, done=done)
    check_same(folder, asked)
    found = planned(asked, done)
    if options.as_json:
        answer_json(json.dumps(planned_json(found), indent=1))
    else:
        answer(*planned_lines(found))


@app.command()
def status(
    run_folder: Annotated[
        Path | None,
        typer.Argument(
            help="Folder of a run. Default: the newest below runs/.",
            metavar="RUN",
            show_default=False,
            parser=path_of("RUN"),
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Say how a run is doing: one that runs elsewhere, has ended, or was killed.

    Done, failed and left; what runs now, time left, failures with their reasons, and how to go on. Changes nothing.
    """
    from fer_bench.runner.monitor.status import newest_run, read_status, status_lines

    found = read_status(run_folder or newest_run())
    found = replace(found, why=as_options(found.why))  # an error that ended it is written down as it was raised
    if as_json:
        answer_json(json.dumps(found.as_json(), indent=1))
    else:
        answer(*status_lines(found))


@app.command()
def report(
    runs: Annotated[
        list[Path],
        typer.Argument(help="Folders of runs.", metavar="RUN...", show_default=False, parser=path_of("RUN")),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for the report; needed for several runs, default for one: the run's own.",
            metavar="DIR",
            parser=path_of("--out"),
        ),
    ] = None,
    gallery: Annotated[
        bool,
        typer.Option(
            "--gallery",
            help="Also write each run's gallery.html, the images that all methods misclassify: for your eyes, not to "
            "be published.",
        ),
    ] = False,
    data: Annotated[
        str | None,
        typer.Option(
            help="Where the gallery's pictures are. Default: where the run's command says.",
            metavar="PATH",
            parser=place_of("--data"),
        ),
    ] = None,
) -> None:
    """Write a report, also of several runs."""
    from fer_bench.report import write_gallery, write_report

    if data and not gallery:
        raise UserError("--data tells where the pictures of --gallery are; give both, or neither")
    answer(str(write_report(runs, out)))
    for folder in runs if gallery else ():
        answer(str(write_gallery(folder, data or "")))


@app.command()
def compare(
    run_a: Annotated[Path, typer.Argument(help="Folder of a run.", metavar="RUN_A", parser=path_of("RUN_A"))],
    run_b: Annotated[
        Path, typer.Argument(help="Folder of another run, or the same.", metavar="RUN_B", parser=path_of("RUN_B"))
    ],
    method: Annotated[str | None, typer.Option(help="Only this method, in both runs.", metavar="NAME")] = None,
    method_a: Annotated[str | None, typer.Option(help="This method of run A ...", metavar="NAME")] = None,
    method_b: Annotated[str | None, typer.Option(help="... against this one of run B.", metavar="NAME")] = None,
    protocol: Annotated[
        str | None, typer.Option(help="Only this protocol. Default: all common.", metavar="NAME")
    ] = None,
    margin: Annotated[float, typer.Option(min=0, max=100, help="Points that count as no difference.")] = 1.0,
    as_json: Annotated[bool, typer.Option("--json", help="Everything as JSON.")] = False,
) -> None:
    """Print the paired difference of two runs.

    Two commits of one method, or two methods, on the same images, person by person: difference with its interval,
    sign-flip test (Holm over all that is compared), smallest difference such data would show. Says what else differs.
    """
    from fer_bench.results.compare import compare_runs

    from .compare import compare_json, compare_lines

    if method is not None and (method_a is not None or method_b is not None):
        raise UserError("--method: not beside --method-a and --method-b; give one or the other")
    pair = (method_a, method_b) if method is None else (method, method)
    if (pair[0] is None) != (pair[1] is None):
        raise UserError("--method-a and --method-b: give both, or --method for the same one in both runs")
    found = compare_runs(run_a, run_b, method_a=pair[0], method_b=pair[1], protocol=protocol, margin=margin / 100)
    if as_json:
        answer_json(compare_json(found))
    else:
        answer(*compare_lines(found))


@app.command()
def gate(
    run_folders: Annotated[
        list[Path],
        typer.Argument(
            help="Folder of a run; with --update also of its other seeds.", metavar="RUN...", parser=path_of("RUN")
        ),
    ],
    expected: Annotated[
        Path, typer.Option(help="File of expected results.", metavar="FILE", parser=path_of("--expected"))
    ],
    update: Annotated[
        bool, typer.Option("--update", help="Write the runs' results as the new expectation, and say what changes.")
    ] = False,
    exact: Annotated[
        bool | None,
        typer.Option(
            "--exact/--no-exact",
            help="Hold all methods to the same predictions, or none. Default: classical ones only.",
            show_default=False,
        ),
    ] = None,
    tolerance: Annotated[
        float,
        typer.Option(
            min=0,
            max=100,
            help="Changes of up to so many percentage points are not asked about (methods trained at random).",
            metavar="POINTS",
        ),
    ] = 2.0,
    few_seeds: Annotated[
        bool, typer.Option("--few-seeds", help="Take methods trained at random with fewer than five seeds.")
    ] = False,
    only: OnlyOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Everything as JSON.")] = False,
    github: Annotated[
        bool, typer.Option("--github", help="Annotations for GitHub, and a summary where it asks for one.")
    ] = False,
) -> None:
    """Hold a run against expected results.

    Classical methods have to answer as before, but for a few images that another processor may turn. Others fail by a
    change beyond the tolerance, which is at least what a new seed may bring, and a sign-flip test over people (Holm).

    Exit code 0: all is as expected. 1: a method got worse. 2: something could not be judged (other data, folds, weights
    or code, a method that is missing or not expected, a trial that failed), or a method changed and did not get worse:
    look why, then --update. 70: a mistake of fer-bench itself.
    """
    from .gate import judge, update_lines

    if not update:
        how = {"tolerance": tolerance / 100, "exact": exact, "few_seeds": few_seeds, "only": tuple(only or ())}
        raise typer.Exit(judge(run_folders, expected, as_json=as_json, github=github, **how))
    if exact is not None or only or as_json or github:
        raise UserError("--update: writes what was predicted; --exact, --no-exact, --only, --json and --github judge")
    answer(*update_lines(run_folders, expected, few_seeds=few_seeds))


@app.command(name="list")
def list_(what: Annotated[What, typer.Argument(show_default=False)]) -> None:
    """List methods, suites, datasets or protocols."""
    from . import tables

    lines = {
        What.methods: tables.method_lines,
        What.suites: tables.suite_lines,
        What.datasets: tables.dataset_lines,
        What.protocols: tables.protocol_lines,
    }
    answer(*lines[what]())


def _request(options: SuiteOptions) -> Request:
    """Build a request from what ``run`` and ``plan`` are both asked, and what was typed."""
    from fer_bench.plan.request import Request

    return Request(
        suite=options.suite,
        data=options.data,
        protocols=tuple(options.protocol or ()),
        profile=options.profile,
        preset=options.preset,
        only=tuple(options.only or ()),
        out=options.out,
        replace=options.replace,
        workers=options.workers,
        device=options.device.value,
        weights_dir=options.weights_dir,
        offline=options.offline,
        seed=options.seed,
        crop=options.crop,
        views=split_views(options.views),
        strict=options.strict,
        folds=options.folds,
        test_data=options.test_data or "",
        allow_outside=options.allow_outside,
        tune=options.tune,
        command=writable(shlex.join(["fer-bench", *(word for word in sys.argv[1:] if word != "--fresh")])),
    )


def main() -> None:
    """Run the command line; a user's mistake is one sentence on standard error and exit code 2."""
    ready_streams()
    with suppress(RuntimeError, OSError):  # standard error cannot take it
        faulthandler.enable()  # a trial that crashes in this process (--executor in-process) says at which line
    try:
        with worded(as_options):
            app()
    except SystemExit as error:
        if isinstance(error.__context__, BrokenPipeError):  # click's answer to `--help | head`
            sys.exit(0)
        raise
    except FerBenchError as error:
        say(f"fer-bench: {as_options(str(error))}")
        sys.exit(2)
    except OSError as error:
        # What the system refuses (a full disk, a folder where a file should be) is told like a user's mistake.
        where = f"{error.filename}: " if error.filename else ""
        say(f"fer-bench: {where}{plain_reason(error)}")
        sys.exit(2)
    except KeyboardInterrupt:
        say("fer-bench: interrupted")
        sys.exit(130)
    except Exception as error:  # noqa: BLE001 - a mistake of ours, or of a plug-in
        say(f"fer-bench: {unexpected(error)}")
        sys.exit(UNEXPECTED)
