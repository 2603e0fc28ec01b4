"""The example workflow for users: its shell steps run as they stand."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOW = ROOT / "docs" / "workflow.yml"
JOB = yaml.safe_load(WORKFLOW.read_text())["jobs"]["gate"]
STEPS = {step["name"]: step for step in JOB["steps"] if "run" in step}


@pytest.fixture
def project(tmp_path):
    """A folder whose programs are the installed fer-bench and a pip that installs nothing."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, text in {
        "fer-bench": f'exec {sys.executable} -P -c "from fer_bench.cli.app import main; main()" "$@"',
        "python": 'test "$1 $2 $3" = "-m pip install" || exit 99',
    }.items():
        (programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (programs / name).chmod(0o755)
    (tmp_path / "expected").mkdir()
    return tmp_path


def step(project, name, command="", **environment):
    """Run a step as GitHub does: `bash -e`, the job's environment, the folder of the checkout."""
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", command or STEPS[name]["run"]],
        cwd=project,
        env={**os.environ, **JOB["env"], "PATH": f"{project / 'bin'}:{os.environ['PATH']}", **environment},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )


def test_workflow_steps_run_and_gate(project, kdef_folder):
    """Install, run and gate as the example writes them: passes on what it expects, annotates what got worse, and all
    files that it keeps are there."""
    data = {"DATA": str(kdef_folder), "GITHUB_STEP_SUMMARY": str(project / "summary.md")}
    for name in ("Install", "Run"):
        done = step(project, name, **data)
        assert done.returncode == 0, done.stdout + done.stderr
    update = STEPS["Gate"]["run"].replace("--github", "--update")
    assert step(project, "Gate", update, **data).returncode == 0
    done = step(project, "Gate", **data)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "### fer-bench gate" in (project / "summary.md").read_text()
    kept = next(s for s in JOB["steps"] if s.get("name") == "Keep the report")
    assert all((project / path).is_file() for path in kept["with"]["path"].split())
    file = project / "runs" / "ci" / "trials.csv"
    file.write_text(file.read_text().replace(",ok,", ",failed,", 1))
    done = step(project, "Gate", **data)
    assert done.returncode == 2
    assert "::error" in done.stdout


@pytest.mark.parametrize("page", ["ci.md", "workflow.yml"])
def test_exit_codes_are_told_where_ci_is_set_up(page):
    """The page on CI and the example workflow say what 1, 2 and 70 mean, in the same order of words as `--help`."""
    text = " ".join((ROOT / "docs" / page).read_text().replace("#", " ").replace("|", " ").split())
    for code, words in ((1, "got worse"), (2, "set ?up"), (70, "crash")):
        assert re.search(rf"\b{code}:? [^0-9]*{words}", text), f"{page}: {code} is not told"
