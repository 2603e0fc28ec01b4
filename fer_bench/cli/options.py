"""The options that several commands have in common."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_type_hints

import typer

from fer_bench.utils.paths import given_path, given_place

Options = TypeVar("Options")


def path_of(name: str) -> Callable[[str], Path]:
    """Return what reads the path of an option or argument of this name: never empty, ``~`` is home."""

    def path(text: str) -> Path:
        return given_path(text, name)

    return path


def place_of(name: str) -> Callable[[str], str]:
    """As `path_of`, for what may also be a name: it stays a text."""

    def place(text: str) -> str:
        return given_place(text, name)

    return place


class Device(StrEnum):
    """Where networks run."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


class Executor(StrEnum):
    """Where trials run."""

    local = "local"
    in_process = "in-process"
    dask = "dask"


SuiteOption = Annotated[
    str,
    typer.Option(
        help="One of `fer-bench list suites` (all, classical, deep, akhand2021 ...), or a suite file ending in .toml.",
        metavar="NAME|FILE",
        parser=place_of("--suite"),
    ),
]
DataOption = Annotated[
    str,
    typer.Option(
        help="'synthetic' (rendered faces), or a folder, archive or table.",
        metavar="NAME|PATH",
        parser=place_of("--data"),
    ),
]
ProtocolOption = Annotated[
    list[str] | None,
    typer.Option(help="Use this protocol instead of the suite's; may be given several times.", metavar="NAME"),
]
ProfileOption = Annotated[
    str, typer.Option(help="quick (7 people, 2 folds, ten minutes) or full.", metavar="quick|full")
]
PresetOption = Annotated[
    str, typer.Option(help="default, as-printed (as the article prints it), original, or authors-code.", metavar="NAME")
]
OnlyOption = Annotated[
    list[str] | None,
    typer.Option(help="Only methods whose name fits, such as '*-lbp'; may be given several times.", metavar="GLOB"),
]
OutOption = Annotated[
    Path | None,
    typer.Option(
        help="The run's folder. Default: runs/<suite>-<profile>-<data>.", metavar="DIR", parser=path_of("--out")
    ),
]
ReplaceOption = Annotated[
    bool, typer.Option("--replace", help="Remove another run that is in the folder: its own files, nothing else.")
]
FreshOption = Annotated[
    bool,
    typer.Option("--fresh", help="Compute every trial anew, also those whose results are there."),
]
WorkersOption = Annotated[int, typer.Option(min=0, help="Worker processes; 0: one a core, at most 8.", metavar="N")]
DeviceOption = Annotated[Device, typer.Option(help="Where networks run.")]
WeightsOption = Annotated[
    Path | None,
    typer.Option(
        help="Folder of pretrained weights (<network>*.pth, .ckpt, .safetensors ...).",
        envvar="FER_BENCH_WEIGHTS",
        metavar="DIR",
        parser=path_of("--weights-dir"),
    ),
]
OfflineOption = Annotated[bool, typer.Option("--offline", help="Download nothing.")]
SeedOption = Annotated[
    int, typer.Option(min=0, max=2**63 - 1, help="The run's seed; all others are derived from it.", metavar="N")
]
CropOption = Annotated[
    str,
    typer.Option(
        help="How faces are cut out: fixed (KDEF's boxes), detect, or none. Default: what suits the data.",
        metavar="fixed|detect|none",
    ),
]
ViewsOption = Annotated[str, typer.Option(help="Keep only these views, such as S,HL,HR.", metavar="VIEW,...")]
StrictOption = Annotated[
    bool,
    typer.Option(
        "--strict",
        help="Refuse names in several spellings and words such as 'unknown', which are otherwise told; of KDEF, leave "
        "out the pictures that a stricter clean-up dropped, too.",
    ),
]
FoldsOption = Annotated[
    Path | None,
    typer.Option(
        help="Folds from a file, in place of a protocol; proven anew against the data.",
        metavar="FILE",
        parser=path_of("--folds"),
    ),
]
TestDataOption = Annotated[
    str | None,
    typer.Option(
        help="Train on all of --data, test on all of this (cross-dataset).",
        metavar="PATH",
        parser=place_of("--test-data"),
    ),
]
AllowOutsideOption = Annotated[
    bool,
    typer.Option("--allow-outside", help="Read pictures that a table names outside its folder or behind links, too."),
]
TuneOption = Annotated[
    bool,
    typer.Option("--tune", help="Choose parameters from the suite's grids, by people inside each training fold."),
]
ExecutorOption = Annotated[
    Executor,
    typer.Option(
        help="Where trials run: worker processes of this machine, this process (for debuggers: no limits hold), or a "
        "cluster."
    ),
]
SchedulerOption = Annotated[
    str, typer.Option(help="Of --executor dask: address (tcp://host:8786) or scheduler file.", metavar="ADDRESS|FILE")
]
PerGpuOption = Annotated[
    int,
    typer.Option(
        min=1, max=16, help="Trials that share a GPU; --workers must be at least so many. Small networks gain by it."
    ),
]
MemoryLimitOption = Annotated[
    float,
    typer.Option(
        min=0,
        help="Memory that one trial may take, with all processes that it starts; it is stopped above. Default: nine "
        "tenths of the memory that is free at the start, divided by the number of workers.",
        metavar="GB",
    ),
]
TimeLimitOption = Annotated[
    float,
    typer.Option(
        min=0,
        help="Wall-clock time that one trial may take; it is stopped after. Default: the profile's (quick: 120 s, "
        "full: 6 h), or 8 (full: 50) times the trial's estimate where that is more.",
        metavar="SECONDS",
    ),
]
MaxFailuresOption = Annotated[
    str,
    typer.Option(
        help="Start no more trials when so many have failed: a number, or a share of those planned such as 10%.",
        metavar="N|P%",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
NoProgressOption = Annotated[bool, typer.Option("--no-progress", help="Show no progress.")]


@dataclass(frozen=True, kw_only=True)
class SuiteOptions:
    """What ``run`` and ``plan`` are both asked: which methods on which data, under which folds."""

    suite: SuiteOption = "all"
    data: DataOption = "synthetic"
    protocol: ProtocolOption = None
    profile: ProfileOption = "quick"
    preset: PresetOption = "default"
    only: OnlyOption = None
    out: OutOption = None
    replace: ReplaceOption = False
    workers: WorkersOption = 0
    device: DeviceOption = Device.auto
    weights_dir: WeightsOption = None
    offline: OfflineOption = False
    seed: SeedOption = 0
    crop: CropOption = ""
    views: ViewsOption = ""
    strict: StrictOption = False
    folds: FoldsOption = None
    test_data: TestDataOption = None
    allow_outside: AllowOutsideOption = False
    tune: TuneOption = False


@dataclass(frozen=True, kw_only=True)
class RunOptions(SuiteOptions):
    """What ``run`` is asked: the same, and where and within which limits trials run."""

    executor: ExecutorOption = Executor.local
    scheduler: SchedulerOption = ""
    per_gpu: PerGpuOption = 1
    memory_limit: MemoryLimitOption = 0.0
    time_limit: TimeLimitOption = 0.0
    max_failures: MaxFailuresOption = ""
    fresh: FreshOption = False
    no_progress: NoProgressOption = False


@dataclass(frozen=True, kw_only=True)
class PlanOptions(SuiteOptions):
    """What ``plan`` is asked: the same, and how to answer."""

    as_json: JsonOption = False


def with_options(kind: type[Options]) -> Callable[[Callable[[Options], None]], Callable[..., None]]:
    """Turn a command that takes options as one object into one that takes each by its name, as Typer reads them.

    Parameters
    ----------
    kind : type
        A dataclass; the annotation and the default of each field are those of an option, in the order of ``--help``.
    """
    hints = get_type_hints(kind, include_extras=True)
    options = [
        inspect.Parameter(one.name, inspect.Parameter.KEYWORD_ONLY, default=one.default, annotation=hints[one.name])
        for one in fields(kind)  # type: ignore[arg-type]  # a dataclass, as said
    ]

    def take(command: Callable[[Options], None]) -> Callable[..., None]:
        @functools.wraps(command)
        def called(**given: Any) -> None:
            command(kind(**given))

        called.__annotations__ = hints
        called.__signature__ = inspect.Signature(options)  # type: ignore[attr-defined]
        return called

    return take


def split_views(text: str) -> tuple[str, ...]:
    """What ``--views`` names."""
    return tuple(filter(None, (view.strip() for view in text.split(","))))
