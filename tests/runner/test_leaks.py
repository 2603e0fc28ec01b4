"""A leak from test to training turns red: what reaches a method is looked at, picture by picture, on every path."""

import json
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fer_bench.methods import ImageSpec, MethodSpec
from fer_bench.plan.plan import make_plan
from fer_bench.plan.request import Request
from fer_bench.results.records import read_predictions
from fer_bench.runner import run as runner
from fer_bench.runner.consolidate import consolidate
from fer_bench.runner.executors import get_executor

PLUGINS = Path(__file__).parents[1] / "plugins"
WAYS = {
    "images": ("leak_probe:Images", False),
    "images-watched": ("leak_probe:Images", True),
    "prepared": ("leak_probe:Prepared", False),
    "prepared-watched": ("leak_probe:Prepared", True),
}
PROTOCOLS = ("subject-2fold", "random-2fold", "session-out")


@pytest.fixture(scope="module")
def digests():
    sys.path.insert(0, str(PLUGINS))
    from leak_probe import digests

    yield digests
    sys.path.remove(str(PLUGINS))


@pytest.fixture(scope="module")
def plan(kdef_folder):
    """A real plan of the cheapest method, whose trials are given to others."""
    return make_plan(
        Request("classical", str(kdef_folder), PROTOCOLS, only=("majority",), device="cpu", offline=True), fetch=False
    )


@pytest.fixture
def run_probes(plan, tmp_path, monkeypatch):
    """Run probes in place of the plan's method, as a run does; gives the plan that was run."""
    monkeypatch.setenv("PYTHONPATH", str(PLUGINS))
    monkeypatch.syspath_prepend(str(PLUGINS))

    def run(specs, executor):
        trials = [
            replace(trial, spec=spec, id=f"{spec.name}-{trial.protocol}-{trial.fold}", watch=spec.watches)
            for spec in specs
            for trial in plan.trials
        ]
        trials = [
            replace(t, spec=replace(t.spec, params=named(t.spec.params, {"place": str(tmp_path), "name": t.id})))
            for t in trials
        ]
        probed = replace(plan, trials=tuple(trials))
        tasks = runner._tasks(probed, tmp_path, {t.id for t in trials}, {spec.name: "" for spec in specs})
        records = []
        # One worker: what stays in a process from one fold could reach the next.
        get_executor(executor)(tasks, workers=1, logs=tmp_path / "logs", on_done=records.append)
        assert [r["reason"] for r in records] == [""] * len(trials)
        return probed

    return run


def named(params, told):
    """Tell a probe, or the classifier inside it, where to write."""
    return {**params, "classifier_params": told} if "classifier" in params else {**params, **told}


def sides(plan, trial, digests):
    """Hash, label and person of each image that a trial may learn from and that it is tested on, from the folds."""
    manifest, request = plan.dataset.manifest, trial.spec.image
    pictures = digests(plan.dataset.images(request.size, request.channels, request.source))
    rows = list(zip(pictures, manifest.labels.tolist(), manifest.groups.tolist(), strict=True))
    assert len(set(pictures)) == len(rows)
    names = plan.folds[trial.protocol].table
    names = names[names["fold"] == trial.fold]
    place = {name: row for row, name in enumerate(manifest.table["image"])}
    return [sorted(rows[place[i]] for i in names.loc[names["role"] == r, "image"]) for r in ("train", "test")]


def told(folder, trial):
    return [json.loads(line) for line in (folder / trial.id).read_text().splitlines()]


@pytest.mark.parametrize("executor", ["local", "in-process"])
def test_a_method_learns_from_the_training_rows_of_its_fold_and_no_other(run_probes, tmp_path, digests, executor):
    """Pictures, labels and people of every fit are those of the folds' table, to the row; what is watched are the test
    pictures; and who knows only the training pictures by heart recognises none of those that it is tested on."""
    specs = [
        MethodSpec(name, "classical", factory, ImageSpec(32), watches=watched)
        for name, (factory, watched) in WAYS.items()
    ]
    probed = run_probes(specs, executor)
    for trial in probed.trials:
        train, test = sides(probed, trial, digests)
        (fit,) = told(tmp_path, trial)
        assert [tuple(row) for row in fit["rows"]] == train, trial.id
        assert (fit["asked"] is None) != trial.watch
        if trial.watch:
            assert sorted(fit["asked"]) == sorted(picture for picture, *_ in test)
        proba = read_predictions(tmp_path, trial.id)["proba"]
        assert len(proba) == len(test)
        np.testing.assert_allclose(proba, 1 / 7, atol=1e-6, err_msg=trial.id)


def test_inner_folds_stay_inside_the_training_fold(run_probes, tmp_path, digests):
    """Where parameters are chosen, every inner fit learns from training rows of the outer fold, and is asked about
    others of them, of other people; the last learns from all of them."""
    params = {"features": "leak_probe_tuned:RAW", "classifier": "leak_probe_tuned:memory", "grid": {"skill": [1, 2]}}
    spec = MethodSpec("tuned", "classical", "fer_bench.baselines.pipeline:FacePipeline", ImageSpec(32), params=params)
    probed = run_probes([spec], "in-process")
    for trial in probed.trials:
        train, test = sides(probed, trial, digests)
        person = {picture: who for picture, _, who in train}
        label = {(picture, shown) for picture, shown, _ in train}
        lines = told(tmp_path, trial)
        *inner, last = [{tuple(row) for row in line["learnt"]} for line in lines if "learnt" in line]
        asked = [set(line["asked"]) for line in lines if "asked" in line]
        assert last == label
        assert len(inner) == len(asked) >= 4
        for learnt, held in zip(inner, asked, strict=True):
            pictures = {picture for picture, _ in learnt}
            assert learnt < label
            assert held | pictures == set(person)
            assert not {person[p] for p in held} & {person[p] for p in pictures}
        assert not Counter(p for p, *_ in test) & Counter(person)


def test_no_label_of_a_test_image_is_in_a_methods_process(run_probes, tmp_path, plan):
    """Frames and all that Python keeps hold no labels but those of training: neither of all images nor of the tested,
    in the order of their rows or in that in which they are asked about."""
    spec = MethodSpec("searching", "classical", "leak_probe:Searching", ImageSpec(32))
    probed = run_probes([spec], "local")
    labels = plan.dataset.manifest.labels
    for trial in probed.trials:
        # Under the others both sides show the same expressions in the same order. And a process that has run a fold
        # may remember what that was trained on, which the other fold is tested on: nothing hides this from it.
        if (trial.protocol, trial.fold) != ("random-2fold", 0):
            continue
        train, test = plan.folds[trial.protocol].indices(plan.dataset, trial.fold)
        with np.load(tmp_path / f"{trial.id}.npz") as found:
            arrays = [found[name] for name in found.files]
        assert any(np.array_equal(a, labels[train]) for a in arrays), "it does not look well enough"
        order = next(a for a in arrays if len(a) == len(test) and set(a) == set(range(len(test))))
        for secret in (labels, labels[test], labels[test][order]):
            assert not any(np.array_equal(array, secret) for array in arrays), trial.id


def test_watched_epochs_are_scored_where_the_labels_are(run_probes, tmp_path, plan):
    """The best epoch on the test images is found from the probabilities that the trial left, as its curve tells."""
    specs = [MethodSpec("watched", "classical", "leak_probe:Images", ImageSpec(32), watches=True)]
    probed = run_probes(specs, "in-process")
    labels = plan.dataset.manifest.labels
    rng = np.random.default_rng(0)
    for trial in probed.trials:
        file = tmp_path / "trials" / trial.id / "predictions.npz"
        with np.load(file) as arrays:
            kept = dict(arrays)
        assert not {"watched_accuracy", "watched_proba", "watched_epoch"} & set(kept)
        kept["eval_proba"] = rng.dirichlet(np.ones(7), (5, len(kept["index"]))).astype(np.float32)
        np.savez(file, **kept)
    consolidate(tmp_path, probed, (), "")
    curves, best = pd.read_csv(tmp_path / "curves.csv"), pd.read_parquet(tmp_path / "watched.parquet")
    for trial in probed.trials:
        arrays = read_predictions(tmp_path, trial.id)
        scores = [(p.argmax(axis=1) == labels[arrays["index"]]).mean() for p in arrays["eval_proba"]]
        mine = (curves["protocol"] == trial.protocol) & (curves["fold"] == trial.fold)
        assert curves.loc[mine, "test_accuracy"].tolist() == pytest.approx(scores, abs=1e-5)
        rows = best[(best["protocol"] == trial.protocol) & (best["fold"] == trial.fold)]
        assert (rows["predicted"] == rows["label"]).mean() == pytest.approx(max(scores))
