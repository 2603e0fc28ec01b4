"""``fer-bench data``: look at data, or render the built-in faces."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from fer_bench.errors import UserError

from .options import AllowOutsideOption, SeedOption, StrictOption, path_of, place_of
from .tables import answer

__all__ = ["data_app"]

data_app = typer.Typer(help="Look at data, or render the built-in faces.", no_args_is_help=True)


@data_app.command("inspect")
def inspect_data(
    path: Annotated[
        str,
        typer.Argument(
            help="Folder, archive or table, LAYOUT:PATH, or 'synthetic'.", metavar="PATH", parser=place_of("PATH")
        ),
    ],
    strict: StrictOption = False,
    allow_outside: AllowOutsideOption = False,
    everything: Annotated[bool, typer.Option("--all", help="Name every file that is left out.")] = False,
) -> None:
    """Say what a dataset holds.

    Names the layout; counts people, sessions, views and expressions; lists the files that are left out, by reason;
    says which protocols the data can support, and why not the others.
    """
    from fer_bench.data.datasets import load_dataset

    from .inspect import inspect_lines

    dataset = load_dataset(path, people=None, workers=os.cpu_count() or 1, strict=strict, allow_outside=allow_outside)
    answer(*inspect_lines(dataset, everything=everything))


@data_app.command("render")
def render_data(
    out: Annotated[Path, typer.Argument(help="Folder to write into.", metavar="OUT", parser=path_of("OUT"))],
    people: Annotated[int, typer.Option(min=1, max=70, help="Number of people.", metavar="N")] = 70,
    size: Annotated[str, typer.Option(help="Width and height in pixels.", metavar="WxH")] = "562x762",
    seed: SeedOption = 0,
) -> None:
    """Write the built-in rendered faces as JPEGs.

    In KDEF's folders and names, so that any other tool can read them.
    """
    from fer_bench.data.render import write_kdef
    from fer_bench.utils.progress import progress

    width, _, height = size.partition("x")
    if not (width.isdigit() and height.isdigit() and 32 <= int(width) <= 4096 and 32 <= int(height) <= 4096):
        raise UserError(f"--size {size}: expected WIDTHxHEIGHT with sides from 32 to 4096, such as 562x762")
    with progress("Rendering faces", people * 70) as done:
        folder = write_kdef(
            out,
            n_people=people,
            size=(int(width), int(height)),
            seed=seed,
            workers=os.cpu_count() or 1,
            progress=lambda n, total: done(n),
        )
    answer(str(folder))
