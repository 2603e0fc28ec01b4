"""What nobody has foreseen: one sentence, a file with the rest, and an exit code of its own."""

import re
from pathlib import Path

import pytest

LAYOUT = """
import sys
from fer_bench.data.layouts.contract import Layout
def claims(source):
    {}
MINE = Layout("mine", "s", "e", claims, None, {{}}, "n")
"""


@pytest.fixture
def broken_layout(tmp_path):
    """Give a function that installs a layout which does as told when it is asked about data; returns its folder."""

    def install(does: str) -> Path:
        site = tmp_path / "site"
        info = site / "mine-1.0.dist-info"
        info.mkdir(parents=True)
        (site / "my_layout.py").write_text(LAYOUT.format(does))
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[fer_bench.layouts]\nmine = my_layout:MINE\n")
        return site

    return install


@pytest.mark.parametrize(
    ("does", "said"),
    [
        ("raise ZeroDivisionError('planted \\x1b[2J')", "ZeroDivisionError: planted \\x1b[2J"),
        ("sys.exit(0)", "sys.exit(0) was called"),
        ("raise MemoryError", "MemoryError"),
    ],
)
@pytest.mark.parametrize("command", [["data", "inspect"], ["plan", "--data"]])
def test_an_unforeseen_error_is_one_sentence_a_file_and_exit_code_70(
    cli, broken_layout, kdef_folder, tmp_path, command, does, said
):
    """Neither a traceback nor an exit code that means something else; the file has all of it."""
    site = broken_layout(does)
    done = cli(*command, kdef_folder, expect=70, PYTHONPATH=str(site), FER_BENCH_CACHE=str(tmp_path / "cache"))
    (line,) = done.stderr.splitlines()
    assert said in line
    (name,) = re.findall(r"; (\S+\.log) has the details", line)
    assert Path(name).parent == tmp_path / "cache" / "logs"
    text = Path(name).read_text()
    assert "my_layout.py" in text
    assert f"{command[0]} {command[1]} {kdef_folder}" in text


def test_the_file_is_elsewhere_where_the_cache_takes_none(cli, broken_layout, kdef_folder, tmp_path):
    """A cache that cannot be written to does not hide the error."""
    (tmp_path / "cache").write_text("")
    (tmp_path / "tmp").mkdir()
    site = broken_layout("1 / 0")
    places = {"FER_BENCH_CACHE": str(tmp_path / "cache"), "TMPDIR": str(tmp_path / "tmp")}
    cli("data", "inspect", kdef_folder, expect=70, PYTHONPATH=str(site), **places)
    (file,) = (tmp_path / "tmp").glob("fer-bench-error-*.log")
    assert "ZeroDivisionError" in file.read_text()


def test_exit_codes_are_told_where_people_look(cli):
    """`--help` names them all."""
    told = " ".join(cli("--help").stdout.split())
    for code in ("0", "1", "2", "70", "130"):
        assert f" {code}: " in told
