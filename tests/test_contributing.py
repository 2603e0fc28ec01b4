"""What the documents show works as it stands there."""

import re
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[1]


def block(text: str, language: str, start: str) -> str:
    """The fenced block of a language that begins with ``start``."""
    return next(b for b in re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL) if b.startswith(start))


def install(folder: Path, module: str, code: str, point: str) -> None:
    """Write a package of one module with one entry point, as an installer leaves it."""
    info = folder / f"{module}-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / f"{module}.py").write_text(code)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[fer_bench.methods]\n{point}\n")


@pytest.mark.parametrize(("module", "name"), [("my_features", "centroid-contrast"), ("my_methods", "centroid-pixels")])
def test_the_guides_methods_run_as_a_third_partys_package(cli, kdef_folder, tmp_path, module, name):
    """What CONTRIBUTING shows, installed through its entry point, is listed and runs on everybody's folds."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    group, point = re.search(
        r'\[project\.entry-points\."(.*?)"\]\n(.*)', block(text, "toml", "# pyproject.toml")
    ).groups()
    assert group == "fer_bench.methods"
    package = tmp_path / "package"
    install(
        package, module, block(text, "python", f"# {module}.py"), point.replace("my_features", module).replace('"', "")
    )
    assert name in cli("list", "methods", PYTHONPATH=str(package)).stdout
    arguments = ["--suite", "classical", "--only", name, "--data", kdef_folder, "--out", tmp_path / "r"]
    cli("run", *arguments, PYTHONPATH=str(package))
    results = pd.read_csv(tmp_path / "r" / "results.csv")
    assert (results["status"] == "ok").all()
    assert len(results) == 2


def test_a_feature_and_a_classifier_take_fewer_than_forty_lines():
    """The guide's feature with classifier, its registration included, is short enough to be copied."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    lines = block(text, "python", "# my_features.py") + block(text, "toml", "# pyproject.toml")
    assert len([line for line in lines.splitlines() if line.strip()]) < 40


def test_the_readmes_commands_exist(cli):
    """Every `fer-bench` command that README and CONTRIBUTING name is known, with its options."""
    text = (ROOT / "README.md").read_text() + (ROOT / "CONTRIBUTING.md").read_text()
    calls = set(re.findall(r"fer-bench ((?:run|plan|report|gate|list|data|folds|weights)(?: [a-z]+)?)", text))
    groups = {"data", "folds", "weights"}
    for call in sorted(calls):
        words = call.split() if call.split()[0] in groups else call.split()[:1]
        cli(*words, "--help")
    helps = cli("run", "--help").stdout
    for option in set(re.findall(r"fer-bench run.*?(--[a-z-]+)", text)):
        assert option in helps
