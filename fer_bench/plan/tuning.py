"""Which methods a run tunes, and over which grids: ``--tune`` and the suite's ``tune`` tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fer_bench.errors import UserError
from fer_bench.methods import MethodSpec

from .suites import Suite

__all__ = ["grid_of", "with_grids"]


def grid_of(name: str, suite: Suite) -> dict[str, list[Any]] | None:
    """Return the grid for a method: that of its own name, else that of the first part, the classifier."""
    return suite.tune.get(name, suite.tune.get(name.partition("-")[0]))


def with_grids(specs: Mapping[str, MethodSpec], suite: Suite) -> dict[str, MethodSpec]:
    """Return the methods with the suite's grids; those without a grid keep their default parameters.

    A grid for a classifier is for those of its methods that can be tuned: a network whose features end in a linear
    machine is named after it, too.

    Raises
    ------
    UserError
        The suite gives no grid for any of them, or one for a method that cannot be tuned.
    """
    grids = {
        name: grid
        for name, spec in specs.items()
        if (grid := grid_of(name, suite)) is not None and (spec.grid or name in suite.tune)
    }
    if not grids:
        raise UserError(
            f"--tune: suite {suite.name} gives no grid for {', '.join(sorted(specs)[:3])}"
            f"{' and the others' if len(specs) > 3 else ''}; write a table such as [tune.linear_svc] into a suite file"
        )
    fixed = sorted(name for name in grids if not specs[name].grid)
    if fixed:
        raise UserError(f"--tune: suite {suite.name} gives a grid for {', '.join(fixed)}, which cannot be tuned")
    return {name: spec.tuned(grids[name]) if name in grids else spec for name, spec in specs.items()}
