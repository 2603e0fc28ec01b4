"""Packages that add to fer-bench: entry points, read without importing what they name until it is asked for.

Imports the standard library only: ``fer-bench list`` comes by here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from fer_bench.errors import FerBenchError, UserError

__all__ = [
    "LAYOUTS_GROUP",
    "METHODS_GROUP",
    "SUITES_GROUP",
    "load_points",
    "no_exit",
    "plugin_packages",
    "points",
    "registered_by",
]

METHODS_GROUP = "fer_bench.methods"
"""``"module:object"`` of a sequence of `fer_bench.MethodSpec`."""
LAYOUTS_GROUP = "fer_bench.layouts"
"""``"module:object"`` of a `fer_bench.data.layouts.contract.Layout`, or of a sequence of them."""
SUITES_GROUP = "fer_bench.suites"
"""The entry point's name is the suite's, its value the package that holds ``<name>.toml``."""


def points(group: str) -> list[EntryPoint]:
    """Return the entry points of a group, in the order of their names."""
    return sorted(entry_points(group=group), key=lambda point: (point.name, point.value))


def registered_by(point: EntryPoint) -> str:
    """Say which entry point it is, and whose."""
    package = f" of {point.dist.name}" if point.dist is not None else ""
    return f"{point.value!r} (entry point {point.name!r}{package})"


def load_points(group: str, what: str) -> Iterator[tuple[EntryPoint, Any]]:
    """Import what the entry points of a group name.

    Parameters
    ----------
    group : str
    what : str
        What it should be, for the message, such as "the catalogue of methods".

    Raises
    ------
    UserError
        One of them cannot be imported.
    """
    for point in points(group):
        try:
            with no_exit():
                loaded = point.load()
        except Exception as error:
            name = (
                "" if isinstance(error, (ImportError, AttributeError, FerBenchError)) else f"{type(error).__name__}: "
            )
            raise UserError(
                f"{what} {registered_by(point)} cannot be loaded: {name}{error}; mend or uninstall the package that "
                "registers it"
            ) from error
        yield point, loaded


@contextmanager
def no_exit() -> Iterator[None]:
    """Turn what would end the process, such as ``sys.exit()`` in a package's module, into an error like any other.

    Raises
    ------
    ImportError
        Inside, something was raised that is neither an error nor Ctrl-C.
    """
    try:
        yield
    except (Exception, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise ImportError(f"{type(error).__name__}: {error}") from error


def plugin_packages(*groups: str) -> dict[str, str]:
    """Return name and version of every package but fer-bench that registers something in these groups, or in any."""
    wanted = groups or (METHODS_GROUP, LAYOUTS_GROUP, SUITES_GROUP)
    found = {p.dist.name: p.dist.version for group in wanted for p in points(group) if p.dist is not None}
    return {name: version for name, version in sorted(found.items()) if name != "fer-bench"}
