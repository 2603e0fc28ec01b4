"""Run directories are read back whole or refused, and results.csv says what the predictions say."""

import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score

from fer_bench.errors import UserError
from fer_bench.results.load import load_run
from fer_bench.results.outcomes import Key, collect_predictions
from fer_bench.results.table import RESULT_COLUMNS, build_results


def load_simulator() -> ModuleType:
    """The simulator beside the report's tests; importlib mode knows no packages among tests."""
    spec = importlib.util.spec_from_file_location("simulate", Path(__file__).parents[1] / "report" / "simulate.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["simulate"] = module
    spec.loader.exec_module(module)
    return module


simulate = load_simulator()
SMALL = simulate.Simulation(
    people=6,
    sessions=1,
    folds=2,
    methods=("linear_svc-lbp", "knn-pixels", "tree-dwt", "gnb-lbp", "cnn2-48", "resnet18-entire", "vgg16-dense"),
    states={"knn-pixels": "partial", "tree-dwt": "failed", "vgg16-dense": "skipped", "gnb-lbp": "missing"},
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulate.write_run(tmp_path_factory.mktemp("run") / "small", SMALL)


def row(results: pd.DataFrame, method: str, protocol: str = "subject-10fold", selection: str = "last_epoch"):
    wanted = (results[["method", "protocol", "selection"]] == [method, protocol, selection]).all(axis=1)
    assert wanted.sum() == 1
    return results[wanted].iloc[0]


def test_columns_and_rows(folder: Path) -> None:
    """The promised columns come first, in order; one row a method and protocol, a second where epochs were watched."""
    results = build_results(load_run(folder))
    assert tuple(results.columns[: len(RESULT_COLUMNS)]) == RESULT_COLUMNS
    watched = results[results["selection"] == "best_test_epoch"]
    assert len(results) - len(watched) == 7 * 2
    assert set(watched["method"]) == {"cnn2-48", "resnet18-entire"}


def test_statuses(folder: Path) -> None:
    """ok, partial, failed and skipped are told apart, and what was never reached is partial."""
    results = build_results(load_run(folder))
    found = {name: row(results, name)["status"] for name in SMALL.methods}
    assert found == {
        **{"linear_svc-lbp": "ok", "cnn2-48": "ok", "resnet18-entire": "ok", "knn-pixels": "partial"},
        **{"tree-dwt": "failed", "vgg16-dense": "skipped", "gnb-lbp": "partial"},
    }
    assert np.isnan(row(results, "tree-dwt")["accuracy"])
    assert row(results, "gnb-lbp")["n_done"] == 0


def test_figures_come_from_the_predictions(folder: Path) -> None:
    """Accuracy, balanced accuracy and macro-F1 are scikit-learn's on the stored predictions, inside the bounds."""
    run = load_run(folder)
    results, stored = build_results(run), pd.read_parquet(folder / "predictions.parquet")
    for name in ("linear_svc-lbp", "cnn2-48"):
        found = row(results, name)
        rows = stored[(stored["method"] == name) & (stored["protocol"] == "subject-10fold")]
        assert found["n_test"] == len(rows) == 6 * 7 * 5
        assert found["accuracy"] == pytest.approx((rows["label"] == rows["predicted"]).mean())
        assert found["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(rows["label"], rows["predicted"]))
        assert found["macro_f1"] == pytest.approx(f1_score(rows["label"], rows["predicted"], average="macro"))
        assert found["accuracy_low"] < found["accuracy"] < found["accuracy_high"]


def test_partial_rows_count_finished_trials_only(folder: Path, tmp_path: Path) -> None:
    """Predictions left behind by a failed trial change nothing."""
    clean = row(build_results(load_run(folder)), "knn-pixels")
    table = pd.read_parquet(folder / "predictions.parquet")
    leftover = table[(table["method"] == "linear_svc-lbp") & (table["fold"] == 0)].assign(method="knn-pixels")
    for name in ("run.json", "trials.csv", "curves.csv"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    pd.concat([table, leftover]).to_parquet(tmp_path / "predictions.parquet")
    again = row(build_results(load_run(tmp_path)), "knn-pixels")
    assert (again["n_done"], again["n_trials"], again["n_test"]) == (1, 2, clean["n_test"])
    assert again["accuracy"] == clean["accuracy"]


def test_times_are_means_of_finished_trials(folder: Path) -> None:
    """fit_seconds is the mean of finished trials, predict_ms_per_image all their seconds over all their images."""
    trials = pd.read_csv(folder / "trials.csv")
    mine = trials[(trials["method"] == "cnn2-48") & (trials["protocol"] == "subject-10fold")]
    found = row(build_results(load_run(folder)), "cnn2-48")
    assert found["fit_seconds"] == pytest.approx(mine["fit_seconds"].mean())
    assert found["predict_ms_per_image"] == pytest.approx(1000 * mine["predict_seconds"].sum() / mine["n_test"].sum())


def test_outcomes_are_aligned(folder: Path) -> None:
    """Two methods' outcomes list the same images in the same order, so that they can be paired."""
    outcomes = collect_predictions(load_run(folder))
    a = outcomes[Key("linear_svc-lbp", "subject-10fold", "last_epoch")]
    b = outcomes[Key("cnn2-48", "random-10fold", "last_epoch")]
    np.testing.assert_array_equal(a.images, b.images)
    np.testing.assert_array_equal(a.labels, b.labels)


def test_chosen_rows_stay_aligned(folder: Path) -> None:
    """Rows chosen by a mask keep label, person and image together."""
    outcome = next(iter(collect_predictions(load_run(folder)).values()))
    mask = outcome.views == "S"
    chosen = outcome.where(mask)
    assert set(chosen.views) == {"S"}
    assert len(chosen.labels) == mask.sum() > 0
    whole = dict(zip(outcome.images, zip(outcome.people, outcome.labels, outcome.correct, strict=True), strict=True))
    for image, person, label, right in zip(chosen.images, chosen.people, chosen.labels, chosen.correct, strict=True):
        assert whole[image] == (person, label, right)


def test_broken_probabilities_leave_a_row(folder: Path) -> None:
    """NaN probabilities: log loss is NaN, accuracy stays what the predictions say."""
    run = load_run(folder)
    broken = run.predictions.assign(p_AF=np.float32("nan"))
    found, was = row(build_results(replace(run, predictions=broken)), "cnn2-48"), row(build_results(run), "cnn2-48")
    assert np.isnan(found["log_loss"])
    assert found["accuracy"] == was["accuracy"]


@pytest.mark.parametrize("change", ["no run.json", "text", "schema", "no trials", "no predictions", "label", "hole"])
def test_what_is_no_run_is_refused_in_one_sentence(folder: Path, tmp_path: Path, change: str) -> None:
    """Each way of not being a whole run directory is a UserError that names the file or directory."""
    for file in folder.iterdir():
        if file.is_file():
            (tmp_path / file.name).write_bytes(file.read_bytes())
    info, table = json.loads((folder / "run.json").read_text()), pd.read_parquet(folder / "predictions.parquet")
    match change:
        case "no run.json":
            (tmp_path / "run.json").unlink()
        case "text":
            (tmp_path / "run.json").write_text("{")
        case "schema":
            (tmp_path / "run.json").write_text(json.dumps(info | {"schema": 99}))
        case "no trials":
            (tmp_path / "trials.csv").unlink()
        case "no predictions":
            (tmp_path / "predictions.parquet").unlink()
        case "label":
            table.assign(label="XX").to_parquet(tmp_path / "predictions.parquet")
        case "hole":
            table[table["fold"] != 0].to_parquet(tmp_path / "predictions.parquet")
    with pytest.raises(UserError, match=str(tmp_path)) as caught:
        load_run(tmp_path)
    assert "\n" not in str(caught.value)
