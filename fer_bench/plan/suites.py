"""Suites: TOML files that name methods and protocols, checked at the boundary.

A suite is a summary and a list of jobs; a job names methods (globs) or a family, and protocols. Its ``quick`` part
replaces protocols and watching in quick runs. Earlier jobs keep a method that later ones would add again. A family's
variants stay out of it, unless they are named. Its ``tune`` tables give the grids for ``--tune``, its ``set`` tables
parameters and image sizes in place of the methods' own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

from fer_bench.errors import UserError
from fer_bench.utils import renamed
from fer_bench.utils.json_files import parse_toml, read_text
from fer_bench.utils.near import did_you_mean
from fer_bench.utils.paths import given_path
from fer_bench.utils.plugins import SUITES_GROUP, no_exit, points, registered_by
from fer_bench.utils.shapes import LARGEST, Rule

if TYPE_CHECKING:
    from fer_bench.methods import MethodSpec

__all__ = ["Suite", "SuiteEntry", "expand", "known_suites", "load_suite"]


@dataclass(frozen=True)
class SuiteEntry:
    """One method under one protocol; ``watch``: predict the test images after every epoch, too."""

    method: str
    protocol: str
    watch: bool


@dataclass(frozen=True)
class Suite:
    """A checked suite: name, summary, jobs as plain dicts, grids by method or its first part, settings by glob."""

    name: str
    summary: str
    jobs: tuple[dict[str, Any], ...]
    tune: dict[str, dict[str, list[Any]]] = field(default_factory=dict)
    set: dict[str, dict[str, Any]] = field(default_factory=dict)


def _plain(value: Any) -> bool:
    """Whether a value of TOML is one of JSON, too: no date, no NaN, no infinity."""
    if isinstance(value, dict | list):
        return all(map(_plain, value.values() if isinstance(value, dict) else value))
    return isinstance(value, bool | str) or (isinstance(value, int | float) and abs(value) <= LARGEST)


_Names = Annotated[list[str], Rule("a list of names")]
_SomeNames = Annotated[list[str], Rule("a list of one name or more", bool)]
_Value = Annotated[Any, Rule("text, a number, true or false, a list or a table", _plain)]
_Single = Annotated[bool | int | float | str, Rule("text, a number, true or false")]
_Grid = Annotated[list[_Single], Rule("a list of one value or more", bool)]


class _Quick(TypedDict, total=False):
    protocols: _Names
    watch: bool


class _JobNeeds(TypedDict):
    protocols: _SomeNames


class _Job(_JobNeeds, total=False):
    methods: _Names
    family: str
    watch: bool
    quick: Annotated[_Quick, Rule("a table")]


class _DocumentNeeds(TypedDict):
    job: Annotated[list[Annotated[_Job, Rule("a table")]], Rule("one [[job]] or more", bool)]


class _Document(_DocumentNeeds, total=False):
    summary: str
    tune: Annotated[dict[str, Annotated[dict[str, _Grid], Rule("a table")]], Rule("a table")]
    set: Annotated[dict[str, Annotated[dict[str, _Value], Rule("a table with a value or more", bool)]], Rule("a table")]


_ABSENT: dict[str, Any] = {"methods": None, "family": None, "watch": False}
_ABSENT_QUICK: dict[str, Any] = {"protocols": None, "watch": None}


def known_suites() -> dict[str, str]:
    """Return name and summary of every suite that ships with fer-bench, then of those of other packages."""
    # Whether its jobs are sound is asked when it is loaded: a list must not fail over one of them.
    found = {name: parse_toml(text, dict[str, Any], f"suite {name}") for name, text in _texts().items()}
    return {name: str(content.get("summary", "")) for name, content in found.items()}


def _texts() -> dict[str, str]:
    """Text of every suite that has a name.

    Raises
    ------
    UserError
        A package registers a suite that it does not hold, or that has the name of another one.
    """
    shipped = (file for file in files(__package__).joinpath("suite_files").iterdir() if file.name.endswith(".toml"))
    texts = dict(sorted((file.name.removesuffix(".toml"), file.read_text("utf-8")) for file in shipped))
    for point in points(SUITES_GROUP):
        if point.name in texts:
            raise UserError(
                f"the suite {registered_by(point)}: there is one named {point.name!r} already; rename it, or uninstall "
                "the package that registers it"
            )
        try:
            with no_exit():
                texts[point.name] = (files(point.value) / f"{point.name}.toml").read_text("utf-8-sig")
        except (ImportError, OSError, TypeError, UnicodeDecodeError) as error:
            raise UserError(
                f"the suite {registered_by(point)}: expected {point.name}.toml in that package: {error}; mend or "
                "uninstall the package that registers it"
            ) from error
    return texts


def load_suite(name: str) -> Suite:
    """Load a suite by name, or a suite file by its path.

    Raises
    ------
    UserError
        No such suite, no file that can be read, not TOML, or fields that a suite does not have; the faults with their
        places.
    """
    if name.lower().endswith(".toml"):
        path = given_path(name, "`suite`")
        return _parse(path.stem, read_text(path, f"`suite` {name}"), name)
    known = _texts()
    name = name if name in known else renamed.current("suite", name, renamed.SUITES)
    if name not in known:
        raise UserError(
            f"`suite` {name}: no such suite; choose from {', '.join(known)}, or give a .toml file"
            f"{did_you_mean(name, known)}"
        )
    return _parse(name, known[name], name)


def _parse(name: str, text: str, where: str) -> Suite:
    document = parse_toml(text, _Document, f"suite {where}")
    for place, job in enumerate(document["job"], start=1):
        if ("methods" in job) == ("family" in job):
            found = "both" if "family" in job else "neither"
            raise UserError(f"suite {where}: job {place}: expected either methods or family, found {found}")
    jobs = tuple(_ABSENT | job | {"quick": _ABSENT_QUICK | job.get("quick", {})} for job in document["job"])
    return Suite(name, document.get("summary", ""), jobs, document.get("tune", {}), document.get("set", {}))


def expand(suite: Suite, methods: Iterable[MethodSpec], profile: str) -> list[SuiteEntry]:
    """List the methods and protocols of a suite in its order, each pair once.

    Raises
    ------
    UserError
        A job names a method or family that is not installed.
    """
    entries: dict[tuple[str, str], SuiteEntry] = {}
    specs = list(methods)
    for job in suite.jobs:
        quick = job["quick"] if profile == "quick" else {"protocols": None, "watch": None}
        protocols = quick["protocols"] or job["protocols"]
        watch = job["watch"] if quick["watch"] is None else quick["watch"]
        for spec in _matching(suite, job, specs):
            for protocol in protocols:
                entry = SuiteEntry(spec.name, protocol, watch and spec.watches)
                entries.setdefault((spec.name, protocol), entry)
    return list(entries.values())


def _matching(suite: Suite, job: dict[str, Any], specs: list[MethodSpec]) -> list[MethodSpec]:
    if job["family"] is not None:
        family = renamed.current("family", job["family"], renamed.FAMILIES)
        found = [spec for spec in specs if spec.family == family and not spec.variant]
        if not found:
            families = {spec.family for spec in specs}
            raise UserError(
                f"suite {suite.name}: no installed method is of the family {family!r}{did_you_mean(family, families)}"
            )
        return found
    chosen: dict[str, MethodSpec] = {}
    for pattern in job["methods"]:
        found = [spec for spec in specs if fnmatchcase(spec.name, pattern)]
        if not found:
            near = did_you_mean(pattern.strip("*?"), [spec.name for spec in specs])
            raise UserError(
                f"suite {suite.name}: no method is named {pattern!r}; `fer-bench list methods` shows all{near}"
            )
        chosen.update((spec.name, spec) for spec in found)
    return list(chosen.values())
