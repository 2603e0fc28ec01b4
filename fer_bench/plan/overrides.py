"""What a suite gives its methods in place of their own: parameters (``set`` tables), and grids for ``--tune``."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from fer_bench.errors import InputError, UserError
from fer_bench.methods import MethodSpec, load_methods, load_object
from fer_bench.utils import renamed
from fer_bench.utils.near import did_you_mean

from .suites import Suite

__all__ = ["grid_of", "settings_notes", "with_grids", "with_settings"]

SIZE = "size"
"""Side of the images in pixels; every other name is a parameter of the method."""


def with_settings(specs: Mapping[str, MethodSpec], suite: Suite) -> dict[str, MethodSpec]:
    """Give methods what the suite sets; tables are applied in the suite's order, later ones win.

    What is set becomes part of a trial's identity, as every parameter is.

    Raises
    ------
    UserError
        A table names no installed method, or sets what a method that it names does not have, or a size that is none
        or belongs to another row.
    """
    found = dict(specs)
    installed = load_methods() if suite.set else {}
    for pattern, values in suite.set.items():
        if not any(fnmatchcase(name, pattern) for name in (*installed, *found)):
            near = did_you_mean(pattern.strip("*?"), installed)
            raise UserError(f"suite {suite.name}: [set.{pattern!r}] names no installed method{near}")
        for name in (name for name in found if fnmatchcase(name, pattern)):
            found[name] = _set(found[name], values, f"suite {suite.name}: [set.{pattern!r}]")
    return found


def settings_notes(specs: Mapping[str, MethodSpec], suite: Suite) -> list[str]:
    """What a suite sets, for the report: one sentence for each table that names a method of the run."""
    return [
        f"suite {suite.name} sets {', '.join(f'{name} = {value}' for name, value in values.items())} for {pattern}"
        for pattern, values in suite.set.items()
        if any(fnmatchcase(name, pattern) for name in specs)
    ]


def _set(spec: MethodSpec, values: Mapping[str, Any], where: str) -> MethodSpec:
    params = _known(spec, {name: value for name, value in values.items() if name != SIZE}, where)
    size = values.get(SIZE, spec.image.size)
    if isinstance(size, bool) or not isinstance(size, int) or not 8 <= size <= 1024:
        raise UserError(f"{where} size: expected a side of 8 to 1024 pixels, found {size!r}")
    if size != spec.image.size and spec.name.endswith(f"-{spec.image.size}"):
        raise UserError(f"{where} size: {spec.name} is named for its size; choose the row of the size you want")
    return replace(spec, params={**spec.params, **params}, image=replace(spec.image, size=size))


def _known(spec: MethodSpec, params: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Parameters that the method has, each by its name of now."""
    if params.keys() <= spec.params.keys():
        return dict(params)
    # only now is the method's own module imported
    known = set(inspect.signature(load_object(spec.factory)).parameters) - set(spec.wants)
    known_or_old = known | {old for old, new in renamed.PARAMETERS.items() if new in known}
    if unknown := [name for name in params if name not in spec.params.keys() | known_or_old]:
        choice = f"choose from {', '.join(sorted(known))}{did_you_mean(unknown[0], known)}"
        raise UserError(f"{where} {spec.name} has no {', '.join(unknown)}; {choice}")
    old = {name: new for name, new in renamed.PARAMETERS.items() if name not in known and new in known}
    try:
        found = renamed.current_keywords("parameter", params, old)
    except InputError as error:
        raise UserError(f"{where} {error}") from error
    # a row of another package may still hold it by its old name
    held = {new: name for name, new in old.items() if name in spec.params and new not in spec.params}
    return {held.get(name, name): value for name, value in found.items()}


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
    known = {part for name in (*load_methods(), *specs) for part in (name, name.partition("-")[0])}
    for name in suite.tune:
        if name not in known:
            near = did_you_mean(name, known)
            raise UserError(f"`tune`: suite {suite.name}: [tune.{name!r}] is for no installed method{near}")
    grids = {
        name: grid
        for name, spec in specs.items()
        if (grid := grid_of(name, suite)) is not None and (spec.grid or name in suite.tune)
    }
    if not grids:
        raise UserError(
            f"`tune`: suite {suite.name} gives no grid for {', '.join(sorted(specs)[:3])}"
            f"{' and the others' if len(specs) > 3 else ''}; write a table such as [tune.linear_svc] into a suite file"
        )
    fixed = sorted(name for name in grids if not specs[name].grid)
    if fixed:
        raise UserError(f"`tune`: suite {suite.name} gives a grid for {', '.join(fixed)}, which cannot be tuned")
    return {name: spec.tuned(grids[name]) if name in grids else spec for name, spec in specs.items()}
