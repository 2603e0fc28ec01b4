"""Files and functions that can be read at one go."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("fer_bench", "baselines", "deep", "tests", "benchmarks", "docs", "examples")
MOST_LINES_A_FILE = 400
MOST_LINES_A_FUNCTION = 60


def sources() -> dict[str, str]:
    found = [file for folder in FOLDERS for file in sorted((ROOT / folder).rglob("*.py"))]
    assert len(found) > 300
    return {str(file.relative_to(ROOT)): file.read_text(encoding="utf-8") for file in found}


def test_no_file_is_long():
    """No source file has more than 400 lines."""
    lengths = {name: text.count("\n") for name, text in sources().items()}
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES_A_FILE} == {}


def test_no_function_is_long():
    """No function has more than 60 lines, its docstring among them."""
    long = {
        f"{name}: {node.name}": lines
        for name, text in sources().items()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or 0) - node.lineno + 1) > MOST_LINES_A_FUNCTION
    }
    assert long == {}
