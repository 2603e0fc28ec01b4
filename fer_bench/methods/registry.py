"""The catalogues of all installed packages, as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fer_bench.errors import UserError
from fer_bench.utils.plugins import METHODS_GROUP, load_points, registered_by

from .spec import MethodSpec

__all__ = ["load_methods"]


def load_methods() -> dict[str, MethodSpec]:
    """Collect the catalogues of all installed packages, in the order of their entry points' names.

    Raises
    ------
    UserError
        A catalogue cannot be imported, or two of them claim one name.
    """
    methods: dict[str, MethodSpec] = {}
    for point, catalogue in load_points(METHODS_GROUP, "the catalogue of methods"):
        for spec in _specs(catalogue, registered_by(point)):
            if spec.name in methods:
                raise UserError(f"two installed catalogues register a method named {spec.name!r}; rename one")
            methods[spec.name] = spec
    return methods


def _specs(catalogue: Any, where: str) -> Sequence[MethodSpec]:
    specs = [catalogue] if isinstance(catalogue, MethodSpec) else catalogue
    if not isinstance(specs, Sequence) or not all(isinstance(spec, MethodSpec) for spec in specs):
        raise UserError(
            f"the catalogue of methods {where}: expected a sequence of fer_bench.MethodSpec, found "
            f"{type(catalogue).__name__}; mend or uninstall the package that registers it"
        )
    return specs
