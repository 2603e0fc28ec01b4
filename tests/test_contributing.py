"""What the documents show works as it stands there."""

import re
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).parents[1]


def block(text: str, language: str, start: str) -> str:
    """The fenced block of a language that begins with ``start``."""
    return next(b for b in re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL) if b.startswith(start))


def test_the_guides_method_runs_as_a_third_partys_package(cli, kdef_folder, tmp_path):
    """The method of CONTRIBUTING, installed through its entry point, is listed and runs on everybody's folds."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    package = tmp_path / "package"
    info = package / "mine-1.0.dist-info"
    info.mkdir(parents=True)
    (package / "my_methods.py").write_text(block(text, "python", "# my_methods.py"))
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    point = re.search(r'\[project\.entry-points\."(.*?)"\]\n(\w+) = "(.*?)"', block(text, "toml", "# pyproject.toml"))
    (info / "entry_points.txt").write_text(f"[{point[1]}]\n{point[2]} = {point[3]}\n")
    assert "centroid-pixels" in cli("list", "methods", PYTHONPATH=str(package)).stdout
    arguments = ["--suite", "classical", "--only", "centroid-*", "--data", kdef_folder, "--out", tmp_path / "r"]
    cli("run", *arguments, PYTHONPATH=str(package))
    results = pd.read_csv(tmp_path / "r" / "results.csv")
    assert (results["status"] == "ok").all()
    assert len(results) == 2


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
