"""Parameters that a suite gives its methods in place of their own: its ``set`` tables."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from fer_bench.errors import UserError
from fer_bench.methods import MethodSpec, load_object

from .suites import Suite

__all__ = ["settings_notes", "with_settings"]

SIZE = "size"
"""Side of the images in pixels; every other name is a parameter of the method."""


def with_settings(specs: Mapping[str, MethodSpec], suite: Suite) -> dict[str, MethodSpec]:
    """Give methods what the suite sets; tables are applied in the suite's order, later ones win.

    What is set becomes part of a trial's identity, as every parameter is.

    Raises
    ------
    UserError
        A table sets what a method that it names does not have, or a size that is none or belongs to another row.
    """
    found = dict(specs)
    for pattern, values in suite.set.items():
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
    params = {name: value for name, value in values.items() if name != SIZE}
    unknown = [name for name in params if name not in spec.params]
    if unknown:  # only then is the method's own module imported
        known = set(inspect.signature(load_object(spec.factory)).parameters) - set(spec.wants)
        unknown = [name for name in unknown if name not in known]
        if unknown:
            raise UserError(f"{where} {spec.name} has no {', '.join(unknown)}; choose from {', '.join(sorted(known))}")
    size = values.get(SIZE, spec.image.size)
    if isinstance(size, bool) or not isinstance(size, int) or not 8 <= size <= 1024:
        raise UserError(f"{where} size: expected a side of 8 to 1024 pixels, found {size!r}")
    if size != spec.image.size and spec.name.endswith(f"-{spec.image.size}"):
        raise UserError(f"{where} size: {spec.name} is named for its size; choose the row of the size you want")
    return replace(spec, params={**spec.params, **params}, image=replace(spec.image, size=size))
