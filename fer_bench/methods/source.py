"""Whether a method is still the code that it was: a hash of its source beside the version that is raised by hand."""

from __future__ import annotations

from collections.abc import Iterable

from fer_bench.utils.source import code_hash

from .spec import MethodSpec, modules_in

__all__ = ["source_hashes"]


def source_hashes(methods: Iterable[MethodSpec]) -> dict[str, str]:
    """Return a hash of each method's source by its name: 12 hexadecimal digits, read anew by every call.

    A method's source is all of the package that its factory stands in, and of those that its parameters name objects
    of: its own module alone would say nothing of the classifier or the feature that it calls, and what it calls by
    which name no reading of its imports tells for certain. Of fer-bench this is the part that holds methods
    (``fer_bench.baselines``, ``fer_bench.deep``): a change of the report changes no method. So a hash may differ where
    a method does not, after a change of its neighbours; where it is the same, the code is.

    Comments count. Other packages (numpy, scikit-learn, torch) do not: their versions stand in the record.
    """
    known: dict[tuple[str, ...], str] = {}
    found = {}
    for spec in methods:
        packages = tuple(sorted({*map(_package, modules_in([spec.factory, dict(spec.params)]))}))
        if packages not in known:
            known[packages] = code_hash(packages)
        found[spec.name] = known[packages]
    return found


def _package(module: str) -> str:
    parts = module.split(".")
    return ".".join(parts[: 2 if parts[0] == "fer_bench" else 1])
