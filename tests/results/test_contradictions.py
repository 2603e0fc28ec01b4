"""Tables that were edited raise doubts in the report, and no gate judges them."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from simulate import PERSON, Simulation, write_run

from fer_bench.errors import UserError
from fer_bench.gate.check import check_gate
from fer_bench.gate.expected import write_expected
from fer_bench.labels import EMOTIONS
from fer_bench.report import write_report
from fer_bench.results.checks import find_doubts
from fer_bench.results.compare import compare_runs
from fer_bench.results.load import load_run
from fer_bench.results.run_data import RunData

METHODS = ("linear_svc-lbp", "cnn2-48")
P = [f"p_{code}" for code in EMOTIONS]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A simulated run with a manifest beside it, as real ones have."""
    out = write_run(tmp_path / "r", Simulation(people=4, sessions=1, folds=2, methods=METHODS, protocols=(PERSON,)))
    table = pd.read_parquet(out / "predictions.parquet").drop_duplicates("image")
    table[["image", "label", "subject"]].assign(sha256="", gender="").to_csv(out / "manifest.csv", index=False)
    write_expected(out, out / "expected.json", few_seeds=True)
    return out


def edit(folder: Path, file: str, change: Callable[[pd.DataFrame], None]) -> None:
    parquet = file.endswith("parquet")
    table = pd.read_parquet(folder / file) if parquet else pd.read_csv(folder / file)
    change(table)
    (table.to_parquet if parquet else table.to_csv)(folder / file, index=False)


def other_class(t: pd.DataFrame) -> None:
    wrong = t.index[(t["predicted"] != t["label"]) & (t["method"] == METHODS[0])][:5]
    t.loc[wrong, "predicted"] = t.loc[wrong, "label"]


def shrunk(t: pd.DataFrame) -> None:
    t.loc[:6, P] *= 0.9


def beyond(t: pd.DataFrame) -> None:
    t.loc[3, P] = [1.5, -0.5, 0, 0, 0, 0, 0]
    t.loc[3, "predicted"] = EMOTIONS[0]


def other_label(t: pd.DataFrame) -> None:
    wrong = t.index[t["predicted"] != t["label"]][:4]
    t.loc[wrong, "label"] = t.loc[wrong, "predicted"]


def other_person(t: pd.DataFrame) -> None:
    t.loc[t["subject"] == "F01", "subject"] = "F0l"


def other_image(t: pd.DataFrame) -> None:
    t.loc[2, "image"] = "nobody.jpg"


def same_image(t: pd.DataFrame) -> None:
    t.loc[2, ["image", "label", "subject"]] = t.loc[1, ["image", "label", "subject"]]


def same_trial(t: pd.DataFrame) -> None:
    t.loc[len(t)] = t.loc[0]


def accuracy(t: pd.DataFrame) -> None:
    t["accuracy"] = np.where(t["method"] == METHODS[1], 0.999, np.nan)


PREDICTED, WATCHED, TRIALS = "predictions.parquet", "watched.parquet", "trials.csv"
EDITS = [
    (PREDICTED, other_class, "5 of 280 rows predict another expression than that of their highest probability, of lin"),
    (PREDICTED, shrunk, "7 of 280 rows hold probabilities that do not sum to 1"),
    (PREDICTED, beyond, "1 of 280 rows hold probabilities below 0 or above 1"),
    (PREDICTED, other_label, "4 of 280 rows have another label than manifest.csv"),
    (PREDICTED, other_person, "70 of 280 rows name another person than manifest.csv"),
    (PREDICTED, other_image, "1 of 280 rows are of images that manifest.csv does not name"),
    (PREDICTED, same_image, "1 of 280 rows are of an image that the same trial has before"),
    (WATCHED, other_label, "4 of 140 rows have another label than manifest.csv"),
    (TRIALS, same_trial, "1 of 5 rows are of a method, protocol, fold and seed that come before"),
    (TRIALS, accuracy, "2 of 4 rows tell another accuracy than predictions.parquet gives, of cnn2-48"),
]


def test_a_sound_run_contradicts_itself_nowhere(folder: Path) -> None:
    """With a manifest and without; equal probabilities may be predicted either way."""
    assert load_run(folder).contradictions == ()
    edit(folder, PREDICTED, lambda t: t.loc.__setitem__((0, P), [0.25, 0.25, 0.5, 0, 0, 0, 0]))
    edit(folder, PREDICTED, lambda t: t.loc.__setitem__((0, "predicted"), "DI"))
    edit(folder, PREDICTED, lambda t: t.loc.__setitem__((0, P), [0.25, 0.25, 0.25, 0.25, 0, 0, 0]))
    assert load_run(folder).contradictions == ()
    (folder / "manifest.csv").unlink()
    assert load_run(folder).contradictions == ()


@pytest.mark.parametrize(("file", "change", "words"), EDITS)
def test_what_was_edited_is_doubted_and_not_judged(folder: Path, file: str, change: Callable, words: str) -> None:
    """The report opens with it, compare cautions, the gate ends with 2, and nothing is expected of it."""
    edit(folder, file, change)
    (told,) = load_run(folder).contradictions
    assert told.startswith(f"{file}: {words}"), told
    assert told in find_doubts(load_run(folder))
    verdict = check_gate(folder, folder / "expected.json", few_seeds=True)
    assert (verdict.exit_code, verdict.rows) == (2, ())
    assert told in verdict.faults[0]
    with pytest.raises(UserError, match="rows"):
        write_expected(folder, folder / "other.json", few_seeds=True)
    if file == PREDICTED and change in (other_class, other_label):
        assert any(
            told in text for text in compare_runs(folder, folder, method_a=METHODS[0], method_b=METHODS[1]).cautions
        )
        write_report([folder])
        assert words in (folder / "report.md").read_text().split("## Leaderboard")[0]


def test_a_manifest_that_cannot_be_read_is_a_doubt(folder: Path) -> None:
    """And no traceback, whatever asks for it."""
    (folder / "manifest.csv").write_text("image,label,subject\n")
    assert load_run(folder).contradictions[0] == "manifest.csv is empty, and predictions.parquet is not."
    for data in (b"", b"\xff\xfe\x00", b"a,b\n1,2\n", b'"' * 9):
        (folder / "manifest.csv").write_bytes(data)
        (told,) = load_run(folder).contradictions
        assert "manifest.csv" in told
        assert "could not be held against it" in told
    info = json.loads((folder / "run.json").read_text())
    del info["dataset"]["genders"]
    (folder / "run.json").write_text(json.dumps(info))
    assert load_run(folder).genders == {}


def test_an_apostrophe_that_guards_a_formula_is_no_other_name(folder: Path) -> None:
    """Spreadsheets are kept from running a name; the predictions have it as it is."""
    edit(folder, PREDICTED, lambda t: t.__setitem__("image", "=" + t["image"]))
    edit(folder, WATCHED, lambda t: t.__setitem__("image", "=" + t["image"]))
    edit(folder, "manifest.csv", lambda t: t.__setitem__("image", "'=" + t["image"]))
    assert load_run(folder).contradictions == ()


def test_predictions_of_no_finished_trial_are_told(folder: Path) -> None:
    """They are left out of every figure, and a reader is told so."""
    edit(folder, TRIALS, lambda t: t.loc.__setitem__((t["method"] == METHODS[1], "state"), "failed"))
    run: RunData = load_run(folder)
    assert set(run.predictions["method"]) == {METHODS[0]}
    assert run.strangers == {METHODS[1]: 280}
    assert any(text.startswith("280 rows of predictions are of trials that") for text in find_doubts(run))
