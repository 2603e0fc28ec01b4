"""What pyproject.toml makes people install is what the product imports: no more, and no less."""

import ast
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from fer_bench.utils import provenance

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
BY_WAY_OF = {"pyarrow": "parquet"}
"""Used by way of another package, and the word in our code that does so: pandas reads and writes Parquet with it."""


def plain(requirement: str) -> str:
    """The name of a distribution, spelled as installers compare names."""
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", requirement)[0]).lower()


REQUIRED = {plain(requirement) for requirement in PROJECT["dependencies"]}
OPTIONAL = {plain(one) for extra in PROJECT["optional-dependencies"].values() for one in extra}


@cache
def sources() -> str:
    files = [file for room in ("fer_bench", "baselines", "deep") for file in sorted((ROOT / room).rglob("*.py"))]
    return "\n".join(
        file.read_text(encoding="utf-8").replace("from __future__ import annotations", "") for file in files
    )


@cache
def imported() -> frozenset[str]:
    """Distributions of every module that the product imports by name, wherever in a file."""
    owners, found = packages_distributions(), set()
    for node in ast.walk(ast.parse(sources())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [str(node.module)]
        for top in {name.split(".")[0] for name in names} - set(sys.stdlib_module_names) - {"fer_bench"}:
            found |= {plain(owner) for owner in owners.get(top, [f"nobody's {top}"])}
    return frozenset(found)


@pytest.mark.parametrize("name", sorted(REQUIRED))
def test_every_dependency_is_imported(name):
    """Each entry of [project].dependencies is imported by fer_bench, baselines or deep, or used by way of another."""
    assert name in imported() or BY_WAY_OF.get(name, "\0") in sources(), f"{name} is installed for nothing"


def test_every_import_is_a_dependency():
    """What the product imports is declared, be it an extra: nothing is there by luck of another's dependencies."""
    assert imported() - REQUIRED - OPTIONAL == set()


def test_packages_of_a_run_are_dependencies():
    """run.json tells versions of packages that people have to install, and of no others."""
    assert {plain(name) for name in provenance.packages()} <= REQUIRED
