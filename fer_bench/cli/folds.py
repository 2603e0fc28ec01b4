"""``fer-bench folds``: make folds, or prove that nobody is in train and test."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fer_bench.errors import UserError

from .options import (
    AllowOutsideOption,
    DataOption,
    SeedOption,
    StrictOption,
    TestDataOption,
    ViewsOption,
    path_of,
    place_of,
    split_views,
)
from .tables import answer

__all__ = ["folds_app"]

folds_app = typer.Typer(help="Make folds, or prove that nobody is in train and test.", no_args_is_help=True)


@folds_app.command("make")
def make_folds_file(
    out: Annotated[
        Path, typer.Argument(help="File to write, such as folds.csv.", metavar="FILE", parser=path_of("FILE"))
    ],
    protocol: Annotated[str, typer.Option(help="Protocol.", metavar="NAME")] = "subject-10fold",
    data: DataOption = "synthetic",
    seed: SeedOption = 0,
    views: ViewsOption = "",
    strict: StrictOption = False,
    test_data: TestDataOption = None,
    allow_outside: AllowOutsideOption = False,
) -> None:
    """Write the folds of a full run, and say how even they are."""
    from fer_bench.folds.balance import balance
    from fer_bench.folds.doubts import examine
    from fer_bench.folds.folds import need_place
    from fer_bench.folds.splitters import make_folds
    from fer_bench.plan.request import Request, open_data

    need_place(out)  # before the data are read, which may take long
    # Folds do not hang on how faces are cut out, so two datasets need not agree on it here.
    request = Request(
        data=data,
        views=split_views(views),
        strict=strict,
        test_data=test_data or "",
        crop="none",
        allow_outside=allow_outside,
    )
    dataset, notes = open_data(request, None)
    folds = make_folds(dataset, protocol, seed)
    examined = examine(dataset.manifest, {protocol: folds})
    if strict and examined.warnings:
        raise UserError(f"`strict`: {examined.warnings[0]}; without `strict` the folds are written and this is told")
    folds.write(out)
    even = balance(folds.table, dataset.manifest).sentence
    made = f"{out}: {protocol}, {len(folds.numbers)} folds, sha256 {folds.hash}"
    answer(*notes, *examined.warnings, made, even)


@folds_app.command("check")
def check_folds_file(
    file: Annotated[
        Path,
        typer.Argument(help="A folds' file, or any CSV of images and folds.", metavar="FILE", parser=path_of("FILE")),
    ],
    claim: Annotated[
        str | None,
        typer.Option(
            help="What to prove: person, sequence, session or image. Default: what the file's protocol promises, "
            "else person.",
            metavar="WHAT",
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            help="The data that the folds are of: tells people and duplicates.",
            metavar="NAME|PATH",
            parser=place_of("--data"),
        ),
    ] = None,
    manifest: Annotated[
        Path | None,
        typer.Option(
            help="manifest.csv of a run, in place of the data. One beside the folds is found.",
            metavar="FILE",
            parser=path_of("--manifest"),
        ),
    ] = None,
    allow_outside: AllowOutsideOption = False,
) -> None:
    """Prove that nobody is in train and test, or refuse.

    Looks for people, films and duplicate pictures on both sides, whatever the file says of itself. A claim that does
    not hold is refused with the pictures that break it (exit code 1).
    """
    from fer_bench.folds.check import check_folds
    from fer_bench.folds.wording import verdict_lines

    verdict = check_folds(file, claim=claim, data=data, manifest=manifest, allow_outside=allow_outside)
    answer(*verdict_lines(verdict))
    raise typer.Exit(0 if verdict.accepted else 1)
