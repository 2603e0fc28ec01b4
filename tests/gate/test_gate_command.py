"""`fer-bench gate` on a real run: what passes, what fails, what could not be judged, and how it is told."""

import json
import shutil

import pytest

from fer_bench.errors import UserError
from fer_bench.gate.check import check_gate
from fer_bench.gate.expected import read_expected, write_expected
from fer_bench.plan.request import Request
from fer_bench.runner.run import run

METHODS = "knn-*"


def make_run(kdef_folder, out, seed=0):
    assert run(Request(suite="classical", only=(METHODS,), data=str(kdef_folder), out=out, seed=seed, workers=1)) == 0
    return out


@pytest.fixture(scope="module")
def made(kdef_folder, tmp_path_factory):
    """A run of three methods under two protocols, and the expectation written from it."""
    folder = tmp_path_factory.mktemp("gate")
    make_run(kdef_folder, folder / "r")
    write_expected(folder / "r", folder / "e.json")
    return folder


@pytest.fixture
def copied(made, tmp_path):
    """A copy to be spoilt."""
    for name in ("run.json", "trials.csv", "predictions.parquet"):
        shutil.copy(made / "r" / name, tmp_path / name)
    return tmp_path


def spoil(copied, change):
    file = copied / "run.json"
    info = json.loads(file.read_text())
    change(info)
    file.write_text(json.dumps(info))


def as_if_trained_at_random(copied):
    """The run with one method of another family, and the expectation with that one under the rule of people."""
    spoil(copied, lambda info: info["methods"]["knn-pixels"].update(family="cnn"))
    write_expected(copied, copied / "random.json", few_seeds=True)
    return copied / "random.json"


def spoil_predictions(copied, method):
    """Let one method answer wrongly throughout."""
    import pandas as pd

    table = pd.read_parquet(copied / "predictions.parquet")
    table["predicted"] = table["predicted"].astype(str)
    rows = table["method"] == method
    table.loc[rows, "predicted"] = ["AF" if str(label) != "AF" else "AN" for label in table.loc[rows, "label"]]
    for name in (name for name in table if name.startswith("p_")):
        table.loc[rows, name] = (table.loc[rows, "predicted"] == name.removeprefix("p_")).astype("float32")
    table.to_parquet(copied / "predictions.parquet")


def test_a_run_passes_the_expectation_made_from_it(made):
    """Nothing changed, nothing is at fault, and every row tells what it would catch."""
    found = check_gate(made / "r", made / "e.json")
    assert found.exit_code == 0
    assert len(found.rows) == 6
    assert all(row.changed == 0 and 0 < row.caught < 0.01 for row in found.rows)


def test_expectation_says_what_made_it(made):
    """Command, seed, code, hashes of data and folds stand in the file, and no probability."""
    expected = read_expected(made / "e.json")
    info = json.loads((made / "r" / "run.json").read_text())
    assert expected.manifest_hash == info["dataset"]["manifest_hash"]
    assert expected.made_by[0]["command"] == info["command"]
    assert expected.made_by[0]["code"] == info["code"]
    assert {row.folds[0] for row in expected.rows.values()} == {p["folds_hash"] for p in info["protocols"].values()}
    assert (made / "e.json").stat().st_size < 20_000


def test_a_planted_drop_exits_with_1_and_is_annotated(made, copied, cli):
    """A method that answers wrongly fails the gate, for people, as JSON and for GitHub, whose summary is appended."""
    spoil_predictions(copied, "knn-lbp")
    done = cli("gate", copied, "--expected", made / "e.json", expect=1)
    assert "REGRESSION: knn-lbp under" in done.stdout
    summary = copied / "summary.md"
    done = cli("gate", copied, "--expected", made / "e.json", "--github", expect=1, GITHUB_STEP_SUMMARY=str(summary))
    error = next(line for line in done.stdout.splitlines() if line.startswith("::error"))
    assert "knn-lbp" in error
    assert " % " not in error, "GitHub reads % as an escape"
    assert "| knn-lbp |" in summary.read_text()
    value = json.loads(cli("gate", copied, "--expected", made / "e.json", "--json", expect=1).stdout)
    assert {row["method"] for row in value["rows"] if row["verdict"] == "regression"} == {"knn-lbp"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda info: info["methods"]["knn-lbp"].update(weights="other"), "expected weights none, found other"),
        (lambda info: next(iter(info["protocols"].values())).update(folds_hash="f" * 64), "found ffffffffffff"),
        (lambda info: info.update(seed=7), "need the same seed: expected 0, found 7"),
    ],
)
def test_another_setup_is_a_fault_and_no_regression(made, copied, change, words):
    """Other weights, folds or seed: the row is not judged, the fault says what was expected and found."""
    spoil(copied, change)
    found = check_gate(copied, made / "e.json")
    assert found.exit_code == 2
    assert not found.regressed
    assert words in found.faults[0]


def test_other_data_cannot_be_compared(made, copied):
    """Another manifest is one error for the whole run."""
    spoil(copied, lambda info: info["dataset"].update(manifest_hash="0" * 64))
    with pytest.raises(UserError, match="expected manifest_hash"):
        check_gate(copied, made / "e.json")


def test_missing_and_failed_methods_are_faults_that_win_over_a_regression(made, copied, cli):
    """Exit code 2 says that not everything was judged; what got worse is told all the same."""
    trials = (copied / "trials.csv").read_text()
    kept = [line for line in trials.splitlines() if ",knn-dwt," not in line]
    kept = [line.replace(",ok,,", ",failed,it burns,") if ",knn-pixels," in line else line for line in kept]
    (copied / "trials.csv").write_text("\n".join(kept) + "\n")
    spoil_predictions(copied, "knn-lbp")
    done = cli("gate", copied, "--expected", made / "e.json", expect=2)
    assert "SET UP WRONGLY: knn-dwt under subject-2fold: is not in the run" in done.stdout
    assert "it burns" in done.stdout
    assert "REGRESSION: knn-lbp" in done.stdout


def test_too_few_seeds_are_a_fault_unless_asked_for(copied):
    """A method that is trained at random needs five seeds in the expectation; --few-seeds judges it and says so."""
    file = as_if_trained_at_random(copied)
    found = check_gate(copied, file)
    assert found.exit_code == 2
    assert "1 of 5 seeds" in found.faults[0]
    found = check_gate(copied, file, few_seeds=True)
    assert found.exit_code == 0
    assert any("fewer than 5 seeds" in note for note in found.notes)


def test_update_tells_what_changes(made, copied, cli):
    """A new expectation names the rows that it changes, and afterwards the run passes."""
    shutil.copy(made / "e.json", copied / "e.json")
    spoil_predictions(copied, "knn-lbp")
    text = cli("gate", copied, "--expected", copied / "e.json", "--update").stdout
    assert "changed: knn-lbp under subject-2fold" in text
    assert "2 of 6 rows changed" in text
    cli("gate", copied, "--expected", copied / "e.json")


def test_update_to_other_seeds_and_folds_tells_all_rows(made, kdef_folder, tmp_path, cli):
    """Where the new runs cannot be judged by the old expectation (another seed, other folds), what differs is told."""
    second = make_run(kdef_folder, tmp_path / "second", seed=1)
    shutil.copy(made / "e.json", tmp_path / "e.json")
    text = cli("gate", second, "--expected", tmp_path / "e.json", "--update").stdout
    assert "6 of 6 rows changed" in text
    assert "seeds 0 -> 1, other folds" in text
    text = cli("gate", made / "r", second, "--expected", tmp_path / "e.json", "--update").stdout
    assert "seeds 1 -> 0, 1" in text
    assert "6 of 6 rows changed" in text
    assert (
        "0 of 6 rows changed" in cli("gate", made / "r", second, "--expected", tmp_path / "e.json", "--update").stdout
    )


def test_what_judges_a_run_does_not_go_with_update(made, copied, cli):
    """--exact, --no-exact, --json and --github do nothing while an expectation is written, so they are refused."""
    for option in ("--exact", "--no-exact", "--json", "--github"):
        done = cli("gate", copied, "--expected", copied / "e.json", "--update", option, expect=2)
        assert "--update: writes what was predicted" in done.stderr
    assert not (copied / "e.json").exists()


def test_programs_and_github_are_told_what_could_not_be_compared(made, copied, cli):
    """Other data, no expectation, no run: JSON with exit code 2, or an annotation and a summary."""
    spoil(copied, lambda info: info["dataset"].update(manifest_hash="0" * 64))
    for run_, file in ((copied, made / "e.json"), (made / "r", copied / "no.json"), (copied / "no", made / "e.json")):
        found = json.loads(cli("gate", run_, "--expected", file, "--json", expect=2).stdout)
        assert (found["exit_code"], len(found["faults"]), found["rows"]) == (2, 1, [])
        summary = copied / "summary.md"
        done = cli("gate", run_, "--expected", file, "--github", expect=2, GITHUB_STEP_SUMMARY=str(summary))
        assert done.stdout.startswith("::error title=fer-bench gate%3A set up wrongly::")
        assert "set up wrongly" in summary.read_text()


def test_the_rules_can_be_chosen_for_a_call(made, copied, cli):
    """--no-exact asks for people and so for seeds; --exact holds what is trained at random to its predictions."""
    done = cli("gate", made / "r", "--expected", made / "e.json", "--no-exact", expect=2)
    assert "1 of 5 seeds" in done.stdout
    file = as_if_trained_at_random(copied)
    assert check_gate(copied, file, exact=True).exit_code == 0
    spoil_predictions(copied, "knn-pixels")
    cli("gate", copied, "--expected", file, "--exact", expect=1)
    # A drop within the tolerance is not asked about, however surely it is one.
    assert check_gate(copied, made / "e.json", exact=False, few_seeds=True, tolerance=1.0).exit_code == 0


def test_too_few_seeds_are_written_on_demand_alone(copied):
    """What is trained at random is no expectation with one seed, unless --few-seeds takes it."""
    spoil(copied, lambda info: info["methods"]["knn-lbp"].update(family="cnn"))
    with pytest.raises(UserError, match="knn-lbp is trained at random, and 1 of 5 seeds are given"):
        write_expected(copied, copied / "x.json")
    write_expected(copied, copied / "x.json", few_seeds=True)
    assert {row.rule for row in read_expected(copied / "x.json").rows.values() if row.method == "knn-lbp"} == {"people"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"schema": 1}',
        '{"schema": 2, "tested": {}}',
        '{"schema": 2}',
        '{"schema": 2, "manifest_hash": "0", "unit": "person", "made_by": [], "tested": {}, "rows": []}',
    ],
)
def test_a_broken_file_is_one_sentence(made, tmp_path, text):
    """Whatever a file of expected results holds, the error names it and says what to do."""
    (tmp_path / "e.json").write_text(text)
    with pytest.raises(UserError, match=r"`expected` .*`write_expected`"):
        check_gate(made / "r", tmp_path / "e.json")


def test_seeds_of_several_runs_are_one_expectation(made, kdef_folder, tmp_path):
    """Runs of several seeds make one expectation, where each run finds its own seed and folds again."""
    second = make_run(kdef_folder, tmp_path / "second", seed=1)
    write_expected([made / "r", second], tmp_path / "two.json")
    for folder in (made / "r", second):
        found = check_gate(folder, tmp_path / "two.json")
        assert found.exit_code == 0
        assert all(row.changed == 0 for row in found.rows)
    with pytest.raises(UserError, match="comes twice"):
        write_expected([second, second], tmp_path / "twice.json")
