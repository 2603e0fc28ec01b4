"""Names of files and folders reach no terminal raw, and mistakes in a command are told in words that help."""

import io
import json
import shutil
import sys
import unicodedata
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from fer_bench.cli.app import main
from fer_bench.cli.gate import github_lines, github_summary
from fer_bench.cli.tables import answer, answer_json, columns
from fer_bench.gate.check import nothing_compared
from fer_bench.utils.progress import say
from fer_bench.utils.texts import escaped

FORGED = "a\nACCEPTED: nobody is in train and test\r\x1b[2J\u202egnp\x9b"
NAMES = st.text(
    st.sampled_from("\x1b\r\n\t\x07\x9b\u202e\u2066\u2028é =") | st.characters(codec="utf-8"), min_size=1, max_size=12
).map(lambda name: name.replace("/", "").replace("\0", "").strip(".") or "x")
SMALL = settings(deadline=None, suppress_health_check=list(HealthCheck))


def raw(text):
    """Signs that a terminal obeys, and lines that pretend to be ours."""
    strange = {c for c in text if not c.isprintable() and c != "\n" and unicodedata.category(c) != "Zs"}
    return strange | {line for line in text.splitlines() if line.startswith("ACCEPTED") and "test" in line[-5:]}


def told(*arguments):
    """Standard output and error of a command in this process."""
    out, err, before, code = io.StringIO(), io.StringIO(), sys.argv, None
    sys.argv = ["fer-bench", *map(str, arguments)]
    try:
        with redirect_stdout(out), redirect_stderr(err):
            main()
    except SystemExit as end:
        code = end.code
    finally:
        sys.argv = before
    assert code in (0, 1, 2), err.getvalue()
    return out.getvalue() + err.getvalue()


@pytest.fixture
def home(tmp_path_factory):
    """A folder that is made anew for each example."""
    place = tmp_path_factory.mktemp("home")

    def empty():
        shutil.rmtree(place)
        place.mkdir()
        return place

    return empty


def write_classes(folder: Path, name: str) -> None:
    """Two pictures in each of four folders and one file that is none, named with ``name``."""
    rng = np.random.default_rng(0)
    for word in ("angry", "happy", "sad", name):
        (folder / word).mkdir(parents=True, exist_ok=True)
        for ending in (".png", "2.png"):
            Image.fromarray(rng.integers(0, 255, (64, 64, 3), dtype=np.uint8)).save(folder / word / f"{name}{ending}")
    (folder / "happy" / f"{name}.jpg").write_text("no picture")


@settings(SMALL, max_examples=25)
@given(NAMES)
@example(FORGED)
def test_no_name_of_a_file_reaches_the_terminal_raw(home, name):
    """Whatever files and folders are called, `data inspect` escapes what a terminal obeys and forges no line."""
    folder = home() / f"d{name}"
    write_classes(folder, name)
    text = told("data", "inspect", folder, "--all")
    assert "left out, 1 file" in text
    assert raw(text) == set()


@settings(SMALL, max_examples=6)
@given(NAMES)
@example(FORGED)
def test_plans_and_checks_of_folds_tell_no_name_raw(home, name):
    """The same of `plan`, `folds make` and `folds check`, of what they answer and of what they refuse."""
    folder = home() / f"d{name}"
    write_classes(folder / "data", name)
    rows = "".join(f'"{name}{i}",{"train" if i % 2 else "test"},"p{name}"\n' for i in range(4))
    (folder / "f.csv").write_text("image,split,subject\n" + rows, encoding="utf-8", newline="")
    text = told("plan", "--suite", "classical", "--only", "knn-pixels", "--data", folder / "data")
    assert "left out: " in text
    text += told("folds", "make", folder / "made.csv", "--protocol", "random-2fold", "--data", folder / "data")
    text += told("folds", "check", folder / "f.csv")
    text += told("folds", "check", folder / "made.csv", "--data", folder / "data")
    text += told("folds", "check", folder / "f.csv", "--data", folder / "data")
    text += told("plan", "--data", folder / "data" / name)
    assert raw(text) == set()


def test_a_run_and_its_status_tell_no_name_raw(cli, tmp_path):
    """A run over such files says what it leaves out in plain signs, and so do all that read it."""
    write_classes(tmp_path / FORGED, FORGED)
    chosen = ["--suite", "classical", "--only", "gnb-lbp", "--protocol", "random-2fold", "--no-progress"]
    text = cli("run", *chosen, "--data", tmp_path / FORGED, "--out", "r").stderr
    assert "left out: " in text
    text += cli("status", "r").stdout + cli("compare", "r", "r", expect=2).stderr
    text += cli("gate", "r", "--expected", FORGED, expect=2).stderr
    assert raw(text) == set()


@SMALL
@given(st.text())
@example(FORGED)
def test_every_way_to_a_terminal_escapes(text):
    """Answers, tables, lines for people and JSON hold nothing that a terminal obeys; JSON stays what it was."""
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        answer(text, *columns([("a", text), (text, "b")]))
        say(text)
    assert raw(out.getvalue() + err.getvalue()) == set()
    assert [out.getvalue().count("\n"), err.getvalue().count("\n")] == [3, 1]
    with redirect_stdout(io.StringIO()) as out:
        answer_json(json.dumps({text: [text]}, ensure_ascii=False, indent=1))
    assert json.loads(out.getvalue()) == {text: [text]}
    assert raw(out.getvalue()) == set()


@given(st.text(st.characters(codec="utf-8")))
def test_plain_signs_stay(text):
    """What is printable stays as it is, blanks of every script too."""
    plain = "".join(c for c in text if c.isprintable() or unicodedata.category(c) == "Zs")
    assert escaped(plain) == plain


def test_github_is_told_no_name_raw():
    """A name forges no second annotation and no row of a table, and ends no line of a summary."""
    found = nothing_compared("x\n::error::forged\r\x1b[1m 5 % | y")
    lines = list(github_lines(found))
    assert [line for line in lines if line.startswith("::")] == lines[:1]
    assert lines[0].endswith("::x\\n::error::forged\\r\\x1b[1m 5 %25 | y")
    assert raw("\n".join(lines) + github_summary(found)) == set()
    assert not any(line.startswith("::") for line in github_summary(found).splitlines())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("run --workers x", "'--workers': expected a whole number, found 'x'"),
        ("run --workers -1", "'--workers': expected 0 or more, found"),
        ("compare a b --margin 101", "'--margin': expected 100 or less, found"),
        ("run --memory-limit much", "'--memory-limit': expected a number, found 'much'"),
        ("run --device cdua", "'--device': expected one of auto, cpu, cuda, found 'cdua'; did you mean cuda?"),
        ("list metods", "did you mean methods?"),
        ("run --suit x", "No such option: --suit; did you mean --suite?"),
        ("run a\x1b[2J", "a\\x1b[2J"),
    ],
)
def test_what_is_typed_wrongly_is_told_in_plain_words(arguments, message):
    """No words of the library that checks values: what was expected, what was found, what may have been meant."""
    text = told(*arguments.split())
    assert message in text
    assert not any(word in text for word in ("Value error", "Input should", "unable to parse"))
    assert raw(text) == set()
