"""Suites: TOML files that name methods and protocols, checked at the boundary.

A suite is a summary and a list of jobs; a job names methods (globs) or a family, and protocols. Its ``quick`` part
replaces protocols and watching in quick runs. Earlier jobs keep a method that later ones would add again. A family's
variants stay out of it, unless they are named. Its ``tune`` tables give the grids for ``--tune``, its ``set`` tables
parameters and image sizes in place of the methods' own.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from fer_bench.errors import UserError
from fer_bench.utils import renamed
from fer_bench.utils.plugins import SUITES_GROUP, points, registered_by

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


def known_suites() -> dict[str, str]:
    """Return name and summary of every suite that ships with fer-bench, then of those of other packages."""
    return {name: str(_read(text, name).get("summary", "")) for name, text in _texts().items()}


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
            texts[point.name] = (files(point.value) / f"{point.name}.toml").read_text("utf-8")
        except (ImportError, OSError, TypeError, UnicodeDecodeError) as error:
            raise UserError(
                f"the suite {registered_by(point)}: expected {point.name}.toml in that package: {error}; mend or "
                "uninstall the package that registers it"
            ) from error
    return texts


def _read(text: str, where: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"suite {where}: not valid TOML: {error}") from error


def load_suite(name: str) -> Suite:
    """Load a suite by name, or a suite file by its path.

    Raises
    ------
    UserError
        No such suite, not TOML, or fields that a suite does not have; all faults at once, with their places.
    """
    if name.endswith(".toml"):
        path = Path(name)
        try:
            text = path.read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"`suite` {name}: cannot be read: {error}") from error
        return _parse(path.stem, text, name)
    known = _texts()
    name = name if name in known else renamed.current("suite", name, renamed.SUITES)
    if name not in known:
        raise UserError(f"`suite` {name}: no such suite; choose from {', '.join(known)}, or give a .toml file")
    return _parse(name, known[name], name)


def _parse(name: str, text: str, where: str) -> Suite:
    from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

    Value = bool | int | float | str | list[Any] | dict[str, Any]

    class Quick(BaseModel):
        model_config = ConfigDict(extra="forbid")
        protocols: list[str] | None = None
        watch: bool | None = None

    class Job(BaseModel):
        model_config = ConfigDict(extra="forbid")
        methods: list[str] | None = None
        family: str | None = None
        protocols: list[str] = Field(min_length=1)
        watch: bool = False
        quick: Quick = Field(default_factory=Quick)

        @model_validator(mode="after")
        def _one_of_two(self) -> Job:
            if (self.methods is None) == (self.family is None):
                raise ValueError("give either methods or family")
            return self

    class Document(BaseModel):
        model_config = ConfigDict(extra="forbid")
        summary: str = ""
        job: list[Job] = Field(min_length=1)
        tune: dict[str, dict[str, Annotated[list[bool | int | float | str], Field(min_length=1)]]] = Field(
            default_factory=dict
        )
        set: dict[str, Annotated[dict[str, Value], Field(min_length=1)]] = Field(default_factory=dict)

    Document.model_rebuild(
        _types_namespace={"Job": Job, "Quick": Quick, "Value": Value, "Annotated": Annotated, "Field": Field}
    )
    try:
        document = Document.model_validate(_read(text, where))
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'job'}: {e['msg']}" for e in error.errors())
        raise UserError(f"suite {where}: {faults}") from error
    return Suite(name, document.summary, tuple(job.model_dump() for job in document.job), document.tune, document.set)


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
            raise UserError(f"suite {suite.name}: no installed method is of the family {job['family']!r}")
        return found
    chosen: dict[str, MethodSpec] = {}
    for pattern in job["methods"]:
        found = [spec for spec in specs if fnmatchcase(spec.name, pattern)]
        if not found:
            raise UserError(f"suite {suite.name}: no method is named {pattern!r}; `fer-bench list methods` shows all")
        chosen.update((spec.name, spec) for spec in found)
    return list(chosen.values())
