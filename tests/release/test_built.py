"""What is given to users: the wheel and the source distribution, built from a copy of the tree without a connection."""

import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).parents[2]
NOT_SOURCE = (".git", ".tox", ".venv", "build", "dist", "runs", "*.egg-info", "__pycache__", ".*_cache", ".hypothesis")
BUILD = "import sys; from setuptools import build_meta as b; print(getattr(b, 'build_' + sys.argv[1])(sys.argv[2]))"
pytestmark = pytest.mark.slow


def build(tree: Path, kind: str, out: Path) -> Path:
    """Call the build backend as an installer does; returns the file that it made."""
    out.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-c", BUILD, kind, out], cwd=tree, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return out / done.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> tuple[Path, Path]:
    """Wheel and source distribution of a copy of this tree."""
    folder = tmp_path_factory.mktemp("built")
    tree = folder / "tree"
    shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(*NOT_SOURCE))
    return build(tree, "wheel", folder), build(tree, "sdist", folder)


def rooms() -> dict[str, str]:
    """Every file of the three packages, in the tree and where it has to be in a wheel."""
    homes = {"fer_bench": "fer_bench", "baselines": "fer_bench/baselines", "deep": "fer_bench/deep"}
    return {
        file.relative_to(ROOT).as_posix(): f"{home}/{file.relative_to(ROOT / room).as_posix()}"
        for room, home in homes.items()
        for file in (ROOT / room).rglob("*")
        if file.is_file() and file.suffix != ".pyc"
    }


def test_the_wheel_holds_the_package_and_its_data_and_nothing_else(built):
    """Modules, marker of types, suites, the report's parts, backbone, hash list, licence, entry points; no tests."""
    with zipfile.ZipFile(built[0]) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
        info = [name for name in wheel.namelist() if name.endswith(("licenses/LICENSE", "entry_points.txt"))]
    assert names == set(rooms().values())
    endings = {PurePosixPath(name).suffix for name in names}
    assert endings == {".py", ".typed", ".toml", ".css", ".js", ".j2", ".safetensors", ".txt"}
    assert len(info) == 2


def test_the_source_distribution_makes_the_same_wheel(built, tmp_path):
    """No tests nor measurements in it, and what an installer builds of it has the same files as the wheel."""
    with tarfile.open(built[1]) as sdist:
        names = {"/".join(PurePosixPath(name).parts[1:]) for name in sdist.getnames()}
        safe = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}  # Python 3.11.4 and later
        sdist.extractall(tmp_path / "s", **safe)
    assert {"LICENSE", "README.md", "CITATION.cff", "pyproject.toml"} <= names
    assert set(rooms()) <= names
    assert not {PurePosixPath(name).parts[0] for name in names if name} & {"tests", "benchmarks", "reports", ".ci"}
    again = build(next((tmp_path / "s").iterdir()), "wheel", tmp_path / "w")
    with zipfile.ZipFile(again) as one, zipfile.ZipFile(built[0]) as other:
        assert sorted(one.namelist()) == sorted(other.namelist())
