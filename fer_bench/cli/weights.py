"""``fer-bench weights`` and ``fer-bench pretrain``: where pretrained weights are, how they are got or made."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fer_bench.errors import UserError
from fer_bench.utils.near import did_you_mean

from .options import Device, DeviceOption, WeightsOption, path_of
from .tables import answer

__all__ = ["pretrain", "weights_app"]

weights_app = typer.Typer(help="Pretrained weights: what is here, what can be fetched.", no_args_is_help=True)


@weights_app.command("list")
def list_weights(weights_dir: WeightsOption = None) -> None:
    """Show what each network needs."""
    from .tables import weights_lines

    answer(*weights_lines(weights_dir))


@weights_app.command("fetch")
def fetch(
    names: Annotated[
        list[str],
        typer.Argument(help="Networks, 'all', or yunet (finds faces).", metavar="NAME...", show_default=False),
    ],
) -> None:
    """Download pretrained weights.

    Into fer-bench's cache, hash checked.
    """
    from fer_bench.data.images.detect import fetch_yunet, find_yunet
    from fer_bench.errors import WeightsUnavailableError
    from fer_bench.methods.weights import fetch_weights, find_weights

    from .tables import weights_by_name

    known = weights_by_name()
    for name in known if "all" in names else names:
        if name not in known and name != "yunet":
            near = did_you_mean(name, (*known, "yunet", "all"))
            raise UserError(
                f"weights of {name!r}: no installed method needs them; choose from {', '.join(known)}, yunet{near}"
            )
        try:
            if name == "yunet":
                answer(f"{name}: {find_yunet() or fetch_yunet()}")
                continue
            found = find_weights(known[name], None) or fetch_weights(known[name])
        except WeightsUnavailableError as error:
            raise UserError(
                f"{error}; fetch it on a machine with a connection and give its folder with --weights-dir"
            ) from error
        answer(f"{name}: {found.path}")


def pretrain(
    name: Annotated[str, typer.Argument(help="Whose weights to make.", metavar="NETWORK")] = "squeezenet1_1-rendered",
    out: Annotated[
        Path | None,
        typer.Option(
            help="The .safetensors file to write.", show_default="NETWORK", metavar="FILE", parser=path_of("--out")
        ),
    ] = None,
    people: Annotated[int, typer.Option(help="Rendered people, of 35 pictures each.")] = 700,
    epochs: Annotated[int, typer.Option(help="Passes over their pictures.")] = 8,
    seed: Annotated[int, typer.Option(help="Of initial values and order.")] = 0,
    device: DeviceOption = Device.auto,
    workers: Annotated[int, typer.Option(help="Processes that render.")] = 1,
) -> None:
    """Pretrain a network on rendered people.

    No photograph is used. Targets: action units, pose and identity.
    """
    from fer_bench.methods import load_methods
    from fer_bench.runner.pretrain import pretrain as make

    rows = {spec.network: spec for spec in load_methods().values() if spec.weights and spec.weights.make}
    if name not in rows:
        raise UserError(
            f"pretrain {name}: expected one of {', '.join(rows)}; other weights are published, not made here"
            f"{did_you_mean(name, rows)}"
        )
    target = out or Path(f"{name}.safetensors")
    made = make(rows[name], target, people=people, epochs=epochs, seed=seed, device=device.value, workers=workers)
    answer(f"{name}: {made}; use it with --weights-dir {made.resolve().parent}")
