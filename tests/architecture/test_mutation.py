"""The small changes that `tox -e mutation` makes are changes, and it knows where a module's tests are."""

import ast
import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = '''"""A text of the module."""
import math
__all__ = ["area"]

def area(side: float = 1.5, *, checked: bool = False) -> "float | None":
    """Of a square."""
    if checked and side <= 0:
        raise ValueError(f"{side + 1} is {not side}")
    for one in zip([1], [2], strict=True):
        math.sqrt(2)
    return side ** 2 if side else -1
'''


@pytest.fixture(scope="module")
def mutants():
    spec = importlib.util.spec_from_file_location("mutants", ROOT / "benchmarks" / "mutants.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["mutants"] = module  # where its dataclasses look themselves up
    spec.loader.exec_module(module)
    yield module
    del sys.modules["mutants"]


def test_every_mutant_is_another_module(mutants):
    """Each compiles, is not the source, and no two changes of a place are the same."""
    plain = ast.unparse(ast.parse(SOURCE))
    found = mutants.of(SOURCE)
    texts = [ast.unparse(one.tree) for one in found]
    assert all(compile(one.tree, "m", "exec") for one in found)
    assert plain not in texts
    assert len({one.words for one in found}) == len(found)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("side <= 0", "side < 0"),
        ("checked and side <= 0", "checked or side <= 0"),
        ("False", "True"),
        ("1.5", "3.0"),
        ("side ** 2", "side * 2"),
        ("-1", "+1"),
        ("side ** 2 if side else -1", "side ** 2 if not side else -1"),
        ("return side ** 2 if side else -1", "return None"),
        ("for one in zip([1], [2], strict=True): math.sqrt(2)", "for one in zip([1], [2], strict=True): pass"),
    ],
)
def test_slips_of_people_are_made(mutants, before, after):
    """Comparisons, operators, numbers, defaults, conditions and statements are all tried."""
    assert (before, after) in {(one.before, one.after) for one in mutants.of(SOURCE)}


def test_what_changes_no_result_is_left_alone(mutants):
    """Annotations, texts, messages, imports and ``strict`` stay as they are in every mutant."""
    for one in mutants.of(SOURCE):
        text = ast.unparse(one.tree)
        for kept in ('"""Of a square."""', "import math", "__all__ = ['area']", "strict=True", "'float | None'"):
            assert kept in text
        assert "raise ValueError" not in text or "{side + 1} is {not side}" in text


def test_every_package_has_its_tests():
    """What mutation.py says of tests is there."""
    tree = ast.parse((ROOT / "benchmarks" / "mutation.py").read_text())
    (told,) = (n.value for n in tree.body if isinstance(n, ast.Assign) and n.targets[0].id == "TESTS")
    for owner, tests in ast.literal_eval(told).items():
        assert all((ROOT / place).exists() for place in (owner, *tests.split())), owner
