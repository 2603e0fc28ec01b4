"""`import fer_bench as fb`: quick, light, and complete."""

import ast
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import fer_bench as fb

ROOT = Path(__file__).parents[2]
HEAVY = (
    "numpy",
    "pandas",
    "scipy",
    "sklearn",
    "torch",
    "cv2",
    "PIL",
    "pydantic",
    "typer",
    "rich",
    "importlib.metadata",
)


def test_importing_it_takes_no_time_and_loads_nothing_heavy():
    """`import fer_bench` stays under 0.1 s and loads none of the packages that it works with."""
    code = (
        "import sys, time\nbefore = set(sys.modules)\nbegun = time.perf_counter()\nimport fer_bench\n"
        "print(time.perf_counter() - begun)\n"
        f"print([name for name in {HEAVY!r} if name in set(sys.modules) - before])"
    )
    seconds = []
    for _ in range(3):
        done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
        took, heavy = done.stdout.splitlines()
        assert heavy == "[]"
        seconds.append(float(took))
    assert min(seconds) < 0.1


def test_all_names_are_shown_and_there():
    """`dir(fb)` lists every public name, and every one of them can be had."""
    assert set(fb.__all__) <= set(dir(fb))
    assert set(fb.__all__) == set(fb._HOME)
    for name in fb.__all__:
        assert getattr(fb, name) is not None, name
    with pytest.raises(AttributeError, match="no attribute 'load_dataset_'"):
        _ = fb.load_dataset_


def test_type_checkers_see_what_is_there():
    """What is imported for type checkers alone is what a name gives at run time, for every name."""
    (block,) = [node for node in ast.parse(inspect.getsource(fb)).body if isinstance(node, ast.If)]
    seen = {}
    for node in block.body:
        for alias in node.names:
            seen[alias.asname or alias.name] = getattr(importlib.import_module(node.module), alias.name)
    assert seen.keys() == set(fb.__all__)
    for name, found in seen.items():
        assert getattr(fb, name) is found, name


def test_every_name_is_documented():
    """Functions and classes of the face have a docstring, which tells of each parameter of a function."""
    for name in fb.__all__:
        found = getattr(fb, name)
        if not callable(found):
            continue
        text = inspect.getdoc(found)
        assert text, name
        text += inspect.getdoc(fb.RunOptions) if "RunOptions" in text else ""
        for parameter in inspect.signature(found).parameters if inspect.isfunction(found) else ():
            assert parameter in text, f"{name}: {parameter} is not in its docstring"


def test_the_page_shows_every_function():
    """docs/python.md uses each function of the face, under the name fb."""
    page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    for name in fb.__all__:
        assert not inspect.isfunction(getattr(fb, name)) or f"fb.{name}" in page, name
