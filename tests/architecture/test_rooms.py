"""Who may import whom: between the three top folders, between the packages of fer_bench, and never in a circle."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOPS = {"fer_bench": "fer_bench", "fer_bench.baselines": "baselines", "fer_bench.deep": "deep"}
FOR_ALL = {"errors", "labels", "seeds"}
"""Modules of fer_bench that every one of its packages may import; they import nothing of it but each other."""

MAY_IMPORT = {
    "utils": set(),
    "methods": {"utils"},
    "data": {"methods", "utils"},
    "folds": {"data", "utils"},
    "stats": set(),
    "results": {"stats", "utils"},
    "gate": {"results", "stats", "utils"},
    "report": {"results", "stats", "methods", "data", "utils"},
    "plan": {"folds", "data", "methods", "utils"},
    "runner": {"plan", "folds", "data", "methods", "results", "report", "utils"},
    "cli": {"utils", "methods", "data", "folds", "stats", "results", "gate", "report", "plan", "runner"},
}
"""The packages of fer_bench from the ground up, each with those that it may import."""

CONTRACTS = {
    *("fer_bench", "fer_bench.errors", "fer_bench.labels", "fer_bench.seeds", "fer_bench.methods"),
    "fer_bench.methods.weights",  # where files of weights are
    "fer_bench.methods.old_names",  # what parameters and arguments were called
}
"""What baselines and deep may import of fer_bench."""

LOOSE_FILES = 7


def module_name(file: Path) -> str:
    """Name under which a file is imported; the folders at the top are packages of fer_bench once installed."""
    parts = list(file.relative_to(ROOT).with_suffix("").parts)
    parts = parts if parts[0] == "fer_bench" else ["fer_bench", *parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


@cache
def modules() -> dict[str, Path]:
    return {module_name(file): file for folder in TOPS.values() for file in files(folder)}


def statements(tree: ast.AST, *, everywhere: bool) -> Iterator[ast.stmt]:
    """Import statements: those that run when the module is imported, or all, also in functions and for type checks."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif everywhere or not (
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            or (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test))
        ):
            yield from statements(node, everywhere=everywhere)


def imports(file: Path, *, everywhere: bool = True) -> set[str]:
    """Absolute names of the modules that a file imports; a name that is itself a module counts as that module."""
    found = set()
    package = module_name(file).split(".")
    package = package if file.name == "__init__.py" else package[:-1]
    for node in statements(ast.parse(file.read_text(encoding="utf-8")), everywhere=everywhere):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
            continue
        base = package[: len(package) - node.level + 1] if node.level else []
        origin = ".".join([*base, *([node.module] if node.module else [])])
        for alias in node.names:
            found.add(f"{origin}.{alias.name}" if f"{origin}.{alias.name}" in modules() else origin)
    return found


def packages_of(file: Path) -> set[str]:
    """The parts of fer_bench, one below its root, that a file imports; the root itself is ``""``."""
    ours = {name for name in imports(file) if name == "fer_bench" or name.startswith("fer_bench.")}
    return {name.split(".")[1] if "." in name else "" for name in ours}


@pytest.mark.parametrize("file", files("fer_bench"), ids=lambda f: str(f.relative_to(ROOT)))
def test_the_harness_imports_no_methods_and_no_torch(file):
    """fer_bench knows neither baselines nor deep, and never torch."""
    for name in imports(file):
        assert name.split(".")[0] not in ("torch", "torchvision", "baselines", "deep")
        assert not name.startswith(("fer_bench.baselines", "fer_bench.deep"))


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_packages_import_what_the_table_allows_alone(package):
    """A package of fer_bench imports those below it in the table, and what all may import; nothing imports the root."""
    allowed = MAY_IMPORT[package] | FOR_ALL | {package}
    wrong = {
        f"{file.relative_to(ROOT)}: {', '.join(sorted(name or 'fer_bench itself' for name in more))}"
        for file in files(f"fer_bench/{package}")
        if (more := packages_of(file) - allowed)
    }
    assert not wrong


def test_the_table_leads_down_and_names_every_package():
    """Each package of fer_bench has a row, which names rows above it alone: so no import can lead up."""
    there = {file.parent.name for file in (ROOT / "fer_bench").glob("*/__init__.py")}
    assert there == set(MAY_IMPORT)
    rows = list(MAY_IMPORT)
    assert all(set(allowed) <= set(rows[:place]) for place, allowed in enumerate(MAY_IMPORT.values()))


def test_what_all_may_import_imports_nothing():
    """errors, labels and seeds import nothing of fer_bench but each other."""
    for name in FOR_ALL:
        assert packages_of(ROOT / "fer_bench" / f"{name}.py") <= FOR_ALL


def test_few_files_lie_loose():
    """What does not belong to a package of fer_bench is little enough to be seen at a glance."""
    assert len([file for file in (ROOT / "fer_bench").iterdir() if file.is_file()]) <= LOOSE_FILES


def test_no_circle():
    """No module imports, in whatever steps and wherever in it, one that imports it."""
    graph = {name: {to for to in imports(file) if to in modules()} - {name} for name, file in modules().items()}
    ends = set(graph)
    while ends:  # what imports nothing that is left, or is imported by nothing that is left, is in no circle
        imported = set().union(*graph.values())
        ends = {name for name, to in graph.items() if not to & graph.keys() or name not in imported}
        graph = {name: to - ends for name, to in graph.items() if name not in ends}
    assert not graph, f"in circles: {', '.join(sorted(graph))}"


@pytest.mark.parametrize("file", [*files("baselines"), *files("deep")], ids=lambda f: str(f.relative_to(ROOT)))
def test_methods_know_the_harness_by_its_contracts_alone(file):
    """baselines and deep import the public contracts of fer_bench, never one the other; baselines never torch."""
    own = "fer_bench.baselines" if file.is_relative_to(ROOT / "baselines") else "fer_bench.deep"
    for name in imports(file):
        if name.split(".")[0] == "fer_bench" and not name.startswith(own):
            assert name in CONTRACTS, f"{file.name} imports {name}"
        if own == "fer_bench.baselines":
            assert name.split(".")[0] not in ("torch", "torchvision")


@pytest.mark.parametrize("file", files("fer_bench/data/render"), ids=lambda f: f.name)
def test_the_renderer_stands_alone(file):
    """The renderer of the built-in faces imports nothing of the harness but labels, seeds and errors."""
    for name in imports(file):
        if name.startswith("fer_bench") and not name.startswith("fer_bench.data.render"):
            assert name in {"fer_bench.labels", "fer_bench.seeds", "fer_bench.errors"}


@pytest.mark.parametrize("command", [["--help"], ["list", "methods"], ["list", "suites"], ["list", "protocols"]])
def test_help_and_lists_load_nothing_heavy(command):
    """`--help` and `list` import neither torch nor scikit-learn, nor pandas: that is why they answer at once."""
    heavy = ["torch", "torchvision", "sklearn", "pandas", "numpy", "scipy", "skimage", "matplotlib", "cv2"]
    code = (
        "import sys\nfrom fer_bench.cli.app import app\n"
        f"sys.argv[1:] = {command!r}\n"
        "try:\n    app()\nexcept SystemExit as end:\n    assert not end.code\n"
        f"print([m for m in {heavy!r} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert len(done.stdout.splitlines()) > 3


def test_a_worker_starts_without_tables():
    """A worker process imports neither pandas nor what computes statistics or learns: a trial brings its own."""
    heavy = ["torch", "sklearn", "pandas", "scipy", "cv2", "rich", "typer"]
    code = f"import sys, fer_bench.runner.executors.worker\nprint([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
