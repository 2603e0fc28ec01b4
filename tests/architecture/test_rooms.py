"""Who may import whom."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTRACTS = {
    *("fer_bench.errors", "fer_bench.labels", "fer_bench.methods", "fer_bench.seeds", "fer_bench"),
    "fer_bench.methods.weights",  # where files of weights are
}


def imports(file: Path) -> set[str]:
    """Every absolute module name that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module)
    return found


def files(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


@pytest.mark.parametrize("file", files("fer_bench"), ids=lambda f: str(f.relative_to(ROOT)))
def test_the_harness_imports_no_room_and_no_torch(file):
    """fer_bench knows neither baselines nor deep, and never torch."""
    for name in imports(file):
        assert name.split(".")[0] not in ("torch", "torchvision", "baselines", "deep")
        assert not name.startswith(("fer_bench.baselines", "fer_bench.deep"))


@pytest.mark.parametrize("file", [*files("baselines"), *files("deep")], ids=lambda f: str(f.relative_to(ROOT)))
def test_rooms_know_the_harness_by_its_contracts_alone(file):
    """A room imports the public contracts of fer_bench; baselines never imports torch, nor one room the other."""
    for name in imports(file):
        if name.split(".")[0] == "fer_bench":
            assert name in CONTRACTS, f"{file.name} imports {name}"
        if file.is_relative_to(ROOT / "baselines"):
            assert name.split(".")[0] not in ("torch", "torchvision")


@pytest.mark.parametrize("file", files("fer_bench/data/render"), ids=lambda f: f.name)
def test_the_renderer_stands_alone(file):
    """The renderer of the embedded faces imports no other room of the harness but labels and seeds."""
    for name in imports(file):
        if name.startswith("fer_bench") and not name.startswith("fer_bench.data.render"):
            assert name in {"fer_bench.labels", "fer_bench.seeds", "fer_bench.errors"}


@pytest.mark.parametrize("command", [["--help"], ["list", "methods"], ["list", "suites"], ["list", "protocols"]])
def test_help_and_lists_load_nothing_heavy(command):
    """`--help` and `list` import neither torch nor scikit-learn, nor pandas: that is why they answer at once."""
    heavy = ["torch", "torchvision", "sklearn", "pandas", "scipy", "skimage", "matplotlib", "cv2"]
    code = (
        "import sys\nfrom fer_bench.cli.app import app\n"
        f"sys.argv[1:] = {command!r}\n"
        "try:\n    app()\nexcept SystemExit as end:\n    assert not end.code\n"
        f"print([m for m in {heavy!r} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert len(done.stdout.splitlines()) > 3
