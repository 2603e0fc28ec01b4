"""A regression, a mistake in the setup and a crash have exit codes of their own, in whichever form is answered."""

import json
import sys

import pytest

from fer_bench.cli import app
from fer_bench.cli import gate as commands
from fer_bench.cli.option_names import OPTIONS

PERSON = "subject-10fold"
FORMS = ([], ["--json"], ["--github"])


@pytest.fixture
def call(case, monkeypatch, capsys, tmp_path):
    """Run the gate as the terminal does, and return its exit code and what it answered."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))

    def run(*more: str) -> tuple[int, str]:
        arguments = ["gate", str(case.run), "--expected", str(case.file), "--few-seeds", *more]
        monkeypatch.setattr(sys, "argv", ["fer-bench", *arguments])
        with pytest.raises(SystemExit) as ended:
            app.main()
        return int(ended.value.code or 0), capsys.readouterr().out

    return run


def verdicts(text: str) -> dict[tuple[str, str], str]:
    return {(row["method"], row["protocol"]): row["verdict"] for row in json.loads(text)["rows"]}


@pytest.mark.parametrize("form", FORMS, ids=" ".join)
def test_four_ends_have_four_codes(case, call, monkeypatch, tmp_path, form):
    """0 as expected, 1 a regression, 2 a mistake in the setup, 70 a crash."""
    assert call(*form)[0] == 0
    case.turn("knn-lbp", 0.1, right=False)
    assert call(*form)[0] == 1
    case.edit(lambda value: value["rows"].pop(2))
    assert call(*form)[0] == 2

    def crash(*_, **__):
        raise ZeroDivisionError("planted\nhere")

    monkeypatch.setattr(commands, "check_gate", crash)
    code, text = call(*form)
    assert code == 70
    if form == ["--github"]:
        assert text.startswith("::error title=fer-bench gate%3A an error that should not happen::ZeroDivisionError")
        assert len(text.splitlines()) == 1


@pytest.mark.parametrize("method", ["knn-lbp", "cnn2-48"])
@pytest.mark.parametrize("form", FORMS, ids=" ".join)
def test_a_label_leak_does_not_pass(case, call, method, form):
    """A method that got far better ends with 2, by either rule, and is told to be looked at before --update."""
    case.turn(method, 0.95, right=True)
    code, text = call(*form)
    assert code == 2
    if form == ["--json"]:
        assert verdicts(text)[method, PERSON] == "changed"
    else:
        assert ("::error title=fer-bench gate%3A changed::" if form else "CHANGED: ") + f"{method} under" in text
        assert "if it is meant, write the new expectation with --update" in text


def test_a_regression_beside_a_rise_is_told_as_a_regression(case, call, tmp_path):
    """Who asks for 1 hears of every row that got worse where all could be judged."""
    case.turn("knn-lbp", 0.9, right=True)
    case.turn("lda-dwt", 0.5, right=False)
    code, text = call("--github")
    assert code == 1
    assert "1 of 6 rows got worse, 1 changed otherwise" in text
    summary = (tmp_path / "summary.md").read_text()
    assert "- **knn-lbp under subject-10fold changed**: not worse" in summary
    assert text.index("regression::lda-dwt") < text.index("changed::knn-lbp")


@pytest.mark.parametrize("form", FORMS, ids=" ".join)
def test_update_is_how_a_change_is_accepted(case, call, form):
    """After --update the run that changed passes."""
    case.turn("knn-lbp", 0.9, right=True)
    assert call(*form)[0] == 2
    code, text = call("--update")
    assert code == 0
    assert "changed: knn-lbp under subject-10fold" in text
    assert call(*form)[0] == 0


@pytest.mark.parametrize("form", FORMS, ids=" ".join)
def test_a_summary_that_cannot_be_written_changes_no_verdict(case, call, monkeypatch, tmp_path, form):
    """A regression stays one though GITHUB_STEP_SUMMARY names a folder."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    case.turn("knn-lbp", 0.5, right=False)
    assert call(*form)[0] == 1


def test_programs_are_told_whatever_is_wrong_with_the_call(case, call):
    """Two runs, a folder in the file's place: JSON with exit code 2, not a bare sentence."""
    code, text = call(str(case.run), "--json")
    assert (code, len(json.loads(text)["faults"])) == (2, 1)
    case.file.unlink()
    case.file.mkdir()
    code, text = call("--json")
    assert (code, json.loads(text)["exit_code"]) == (2, 2)


def test_only_leaves_out_what_it_does_not_name(case, call):
    """--only judges the rest of a partial run, and is not for --update; its name in errors is the option's."""
    case.edit(lambda info: info["methods"].pop("lda-dwt"), run=True)
    case.turn("knn-lbp", 0.5, right=False)
    code, text = call("--only", "cnn2-*", "--only", "lda-*", "--json")
    assert (code, len(verdicts(text))) == (0, 4)
    assert call("--only", "svm-*")[0] == 2
    assert call("--only", "cnn2-*", "--update")[0] == 2
    assert OPTIONS["only"] == "--only"
