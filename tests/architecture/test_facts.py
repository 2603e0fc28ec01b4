"""What is kept in one place, and stays there."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
READERS = {
    "fer_bench/utils/json_files.py",
    "fer_bench/runner/trial.py",  # a text that it has just made itself
    "fer_bench/report/sections/published.py",  # a table of the package, no file of others
    "deep/networks/safetensors.py",  # the head of a binary file; deep knows the harness by its contracts alone
}
SCHEMA = {"fer_bench/results/schema.py"}


def nodes(kind: type[ast.AST]) -> Iterator[tuple[str, ast.AST]]:
    """Every node of a kind in the product's code, with its file."""
    for room in ("fer_bench", "baselines", "deep"):
        for file in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, kind):
                    yield file.relative_to(ROOT).as_posix(), node


def parses(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and node.attr in ("load", "loads")
        and isinstance(node.value, ast.Name)
        and node.value.id in ("json", "tomllib")
    )


def text(wanted: str) -> Callable[[ast.AST], bool]:
    return lambda node: isinstance(node, ast.Constant) and node.value == wanted


def states(node: ast.AST) -> bool:
    told = {each.value for each in getattr(node, "elts", ()) if isinstance(each, ast.Constant)}
    return {"failed", "oom"} <= told


@pytest.mark.parametrize(
    ("kind", "fact", "where"),
    [
        (ast.Attribute, parses, READERS),
        (ast.Constant, text("run.json"), SCHEMA),
        (ast.Constant, text("last_epoch"), SCHEMA),
        (ast.Constant, text("best_test_epoch"), SCHEMA),
        (ast.Tuple | ast.Set | ast.List, states, SCHEMA),
    ],
    ids=["JSON and TOML", "run.json", "last_epoch", "best_test_epoch", "failed states"],
)
def test_a_fact_stands_in_one_place(kind, fact, where):
    """JSON and TOML are read by one reader, and the names of a run's files, selections and failed states are one's."""
    assert {file for file, node in nodes(kind) if fact(node)} <= where
