"""Terminals and pipes as they come: closed, of another encoding, gone before the answer is read."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

PLUGINS = Path(__file__).parents[1] / "plugins"
MAIN = shlex.join([sys.executable, "-P", "-c", "from fer_bench.cli.app import main; main()"])
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
"""A system whose file names Python takes for ASCII."""


@pytest.fixture
def shell(tmp_path):
    """Give a function that hands a line to bash, with ``fer-bench`` in it."""

    def run(line: str, expect: int | None = 0, **environment: str) -> subprocess.CompletedProcess:
        done = subprocess.run(
            ["bash", "-c", f'set -o pipefail; fer-bench() {{ {MAIN} "$@"; }}; {line}'],
            capture_output=True,
            text=True,
            errors="surrogateescape",
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(PLUGINS), **environment},
            timeout=300,
            check=False,
        )
        assert expect is None or done.returncode == expect, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    return run


@pytest.fixture
def small_run(tmp_path, kdef_folder) -> str:
    """A run of two trials, as words of a shell; what comes behind them is up to the test."""
    (tmp_path / "s.toml").write_text('[[job]]\nmethods = ["hostile-chat"]\nprotocols = ["subject-2fold"]\n')
    return f"fer-bench run --suite s.toml --data {kdef_folder} --out"


@pytest.mark.parametrize(
    "closed", [*(pytest.param(one, marks=pytest.mark.slow) for one in ("<&-", ">&-", "2>&-")), "<&- >&- 2>&-"]
)
def test_a_run_goes_well_whatever_is_closed(shell, small_run, tmp_path, closed):
    """A standard file that is closed takes nothing from a run: all trials end well, and logs hold what they print."""
    shell(f"{small_run} r {closed}")
    assert list(pd.read_csv(tmp_path / "r" / "trials.csv")["state"]) == ["ok", "ok"]
    assert [log.read_text() for log in (tmp_path / "r" / "logs").iterdir()] == ["good morning\n"] * 2
    shell(f"fer-bench report r {closed}")
    shell(f"fer-bench list methods {closed}")


def test_a_mistake_is_told_by_the_exit_code_where_nobody_can_read(shell):
    """Without standard error there is the exit code."""
    shell("fer-bench list methods nonsense 2>&-", expect=2)
    shell("fer-bench report nowhere >&- 2>&-", expect=2)


def test_names_in_other_letters_are_shown_on_any_terminal(shell, kdef_folder, tmp_path):
    """What an encoding lacks is written as escapes; an answer is never broken off."""
    home = tmp_path / "élève"
    shutil.copytree(kdef_folder / "KDEF" / "AF01", home / "AF01")
    told = shell("fer-bench data inspect élève --all", PYTHONIOENCODING="ascii").stdout
    assert "people: 1" in told
    assert told.startswith(r"\xe9l\xe8ve: 35 usable images")


def test_a_run_in_a_folder_of_another_encoding_is_written_and_read_again(shell, small_run, tmp_path):
    """Where Python cannot read a folder's name as text the run ends well, and the same command goes on with it."""
    for words in ("0 done before, 2 to run", "2 done before, 0 to run"):
        assert words in shell(f"{small_run} 'lat é'", **ASCII).stderr
    assert (tmp_path / "lat é" / "report.html").exists()
    assert "2 of 2" in shell("fer-bench status 'lat é'", **ASCII).stdout


@pytest.mark.parametrize("what", ["list methods", "--help", "run --help", "plan --suite all"])
def test_a_reader_that_has_seen_enough_is_no_error(shell, what):
    """A pipe that nobody reads ends no command in words, nor with another exit code."""
    ended = shell(f"fer-bench {what} | true; exit ${{PIPESTATUS[0]}}")
    assert ended.stderr == ""


def test_a_verdict_outlives_a_reader_that_has_seen_enough(shell):
    """What a command does after its answer, and the code that it ends with, are the same where nobody reads."""
    code = "import sys, time; time.sleep(0.3); from fer_bench.cli.tables import answer; answer('x' * 99); sys.exit(3)"
    assert shell(f'{sys.executable} -c "{code}" | true; exit ${{PIPESTATUS[0]}}', expect=3).stderr == ""
