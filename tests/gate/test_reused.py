"""Trials that other code computed are nobody's evidence for the code that is there now."""

import json

import pandas as pd
import pytest

from fer_bench.errors import UserError
from fer_bench.gate.check import check_gate
from fer_bench.gate.expected import write_expected

OLD, NEW = "a" * 64, "b" * 64


def record(case, hashes, *, now=NEW) -> None:
    """Write a record beside each trial, with the hash that its method has in ``hashes``; None: without one."""
    trials = pd.read_csv(case.run / "trials.csv")
    for trial in trials.itertuples():
        folder = case.run / "trials" / trial.id
        folder.mkdir(parents=True, exist_ok=True)
        told = {"id": trial.id, "state": "ok"}
        found = hashes.get((trial.method, trial.protocol, trial.fold), hashes.get(trial.method))
        if found is not None:
            told["source_hash"] = found
        (folder / "trial.json").write_text(json.dumps(told))
    case.edit(lambda info: [one.update(source_hash=now) for one in info["methods"].values() if now], run=True)


def test_trials_of_the_code_that_is_there_pass_without_a_word(case):
    """With the same hash in every record and in run.json there is neither fault nor note."""
    record(case, dict.fromkeys(("knn-lbp", "lda-dwt", "cnn2-48"), NEW))
    found = case.check()
    assert found.exit_code == 0
    assert not any("source_hash" in note for note in found.notes)


def test_a_trial_of_other_code_is_a_fault_with_its_remedy(case):
    """One reused trial of a row, whose answers are as expected, leaves the row unjudged; other rows are judged."""
    same = dict.fromkeys(("knn-lbp", "lda-dwt", "cnn2-48"), NEW)
    record(case, same | {("knn-lbp", "subject-10fold", 1): OLD})
    found = case.check()
    assert found.exit_code == 2
    (fault,) = found.faults
    assert fault.startswith("knn-lbp under subject-10fold: 1 of 2 trials are another code's")
    assert "expected source_hash bbbbbbbbbbbb" in fault
    assert "found aaaaaaaaaaaa" in fault
    assert "`fer-bench run --fresh ...`" in fault
    assert len(found.rows) == 5


def test_nothing_is_expected_of_reused_trials(case, tmp_path):
    """--update does not take over what other code has computed."""
    record(case, {"knn-lbp": NEW, "lda-dwt": OLD, "cnn2-48": NEW})
    with pytest.raises(UserError, match=r"lda-dwt under .* 2 of 2 trials .*--fresh"):
        write_expected(case.run, tmp_path / "new.json", few_seeds=True)
    assert not (tmp_path / "new.json").exists()


@pytest.mark.parametrize("lacking", ["records", "hashes", "run.json"])
def test_what_says_nothing_of_its_code_passes_with_a_note(case, lacking):
    """Runs of an earlier fer-bench are judged, and it is told of how many trials nothing is known."""
    if lacking != "records":
        hashes = {} if lacking == "hashes" else dict.fromkeys(("knn-lbp", "lda-dwt", "cnn2-48"), OLD)
        record(case, hashes, now=NEW if lacking == "hashes" else "")
    found = case.check()
    assert found.exit_code == 0
    assert "of 12 of 12 trials it is not known whose code computed them" in found.notes[-1]


def test_the_remedy_is_told_on_the_command_line(case, cli):
    """`fer-bench gate` ends with 2 and says how to compute the trials anew."""
    record(case, {"knn-lbp": OLD, "lda-dwt": NEW, "cnn2-48": NEW})
    done = cli("gate", case.run, "--expected", case.file, "--few-seeds", expect=2)
    assert "SET UP WRONGLY: knn-lbp under subject-10fold: 2 of 2 trials" in done.stdout
    assert "`fer-bench run --fresh ...`" in done.stdout
    assert check_gate(case.run, case.file, few_seeds=True, only=("lda-*", "cnn2-*")).exit_code == 0
