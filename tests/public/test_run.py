"""`fb.run` and what it gives: from a script, a notebook, a thread; the same run as the command line's."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from sklearn.model_selection import cross_val_predict, cross_val_score
from threadpoolctl import threadpool_limits

import fer_bench as fb
from fer_bench.report.gallery import _data_of
from fer_bench.report.model.paths import published_command
from fer_bench.seeds import derive_seed
from fer_bench.utils.commands import call_arguments, call_text

PLUGINS = Path(__file__).parents[1] / "plugins"
METHODS = ["knn-pixels", "linear_svc-lbp"]


@pytest.fixture(scope="module")
def done(kdef_folder, tmp_path_factory):
    """A run of two methods under one protocol on small faces, in this process."""
    return fb.run(
        "classical",
        data=kdef_folder,
        only=METHODS,
        protocols="subject-2fold",
        profile="full",
        executor="in-process",
        out=tmp_path_factory.mktemp("runs") / "one",
        progress=False,
    )


def test_a_run_tells_where_it_is_and_how_it_ended(done):
    """The result stands for its folder, has the report's page, and is ok where every trial is."""
    assert done.ok
    assert done.exit_code == 0
    assert done.report.is_file()
    assert Path(done) == done.path
    assert list(done.trials["state"]) == ["ok"] * 4
    assert len(done.predictions) == 2 * 280
    assert done.watched is None
    assert done.info["suite"] == "classical"
    assert repr(done).endswith("one: exit code 0>")


def test_results_are_those_of_the_file(done):
    """`results` has the rows, columns and figures of results.csv."""
    written = pd.read_csv(done.path / "results.csv", keep_default_na=False)
    assert_frame_equal(done.results, written, check_dtype=False)


def test_a_run_read_back_is_the_same(done):
    """`load_run` gives what `run` gave: the same kind of object with the same tables."""
    again = fb.load_run(str(done.path))
    assert type(again) is type(done)
    assert (again.path, again.exit_code) == (done.path, done.exit_code)
    assert_frame_equal(again.predictions, done.predictions)
    with pytest.raises(fb.UserError, match="not a run directory"):
        fb.load_run(done.path.parent)


@pytest.fixture(scope="module")
def material(kdef_folder):
    """The same data and folds, by the face."""
    dataset = fb.load_dataset(kdef_folder)
    return dataset, fb.make_folds(dataset, "subject-2fold")


def of_method(done, dataset, name):
    """A method's specification, the images that it asks for, and its stored predictions in the dataset's order."""
    spec = fb.load_methods()[name].resolve("full", "default")
    rows = done.predictions[done.predictions["method"] == name].set_index("image").loc[dataset.table["image"]]
    return spec, dataset.images(spec.image.size, spec.image.channels, spec.image.source), rows


@pytest.mark.parametrize("name", METHODS)
def test_cross_validation_gives_the_products_figures(done, material, name):
    """scikit-learn's `cross_val_score` on our arrays and folds gives, fold by fold, the accuracies of the run."""
    dataset, folds = material
    spec, images, rows = of_method(done, dataset, name)
    right = rows["label"].astype(str) == rows["predicted"].astype(str)
    with threadpool_limits(1):  # as in a trial
        model, who = spec.make(random_state=0), {"groups": dataset.groups}
        scores = cross_val_score(model, images, dataset.labels, cv=folds, params=who)
        found = cross_val_predict(model, images, dataset.labels, cv=folds, params=who)
    assert np.array_equal(scores, right.groupby(rows["fold"]).mean())
    assert [fb.EMOTIONS[label] for label in found] == list(rows["predicted"])
    assert done.results.set_index("method").loc[name, "accuracy"] == pytest.approx(right.mean(), abs=1e-12)


@pytest.mark.parametrize("name", METHODS)
def test_a_loop_over_the_split_gives_the_products_probabilities(done, material, name):
    """Fitted on `folds.split` with people and a trial's own seed, a method gives the run's probabilities.

    But for last digits: a run asks in an order of its own, and products of matrices round by where a row stands.
    """
    dataset, folds = material
    spec, images, rows = of_method(done, dataset, name)
    proba = np.zeros((len(dataset), len(fb.EMOTIONS)), dtype=np.float32)
    with threadpool_limits(1):
        for fold, (train, test) in enumerate(folds.split(dataset)):
            model = spec.make(random_state=derive_seed(0, name, "subject-2fold", fold))
            model.fit(images[train], dataset.labels[train], groups=dataset.groups[train])
            proba[test] = model.predict_proba(images[test])
    assert np.allclose(proba, rows[[f"p_{code}" for code in fb.EMOTIONS]].to_numpy(), rtol=0, atol=1e-5)


def test_two_methods_are_compared_and_reported(done, tmp_path):
    """`compare` and `write_report` take what `run` gave, or its folder; the comparison is a table, too."""
    found = fb.compare(done, done.path, method_a=METHODS[0], method_b=METHODS[1])
    (row,) = found.table.to_dict("records")
    assert (row["method_a"], row["method_b"], row["n"]) == (*METHODS, 280)
    by_method = done.results.set_index("method")["accuracy"]
    assert row["difference"] == pytest.approx(by_method[METHODS[0]] - by_method[METHODS[1]])
    for one in (done, done.path, [str(done.path)]):
        assert fb.write_report(one, tmp_path / "report").is_file()


def test_the_command_makes_the_run_again(done):
    """run.json holds a call that, given again, finds every trial done; it has no word of this process's own command."""
    command = done.info["command"]
    assert command.startswith("fer_bench.run(suite='classical', data='")
    before = {file: file.stat().st_mtime_ns for file in done.path.glob("trials/*/trial.json")}
    again = eval(command, {"fer_bench": fb})
    assert again.path == done.path
    assert again.info["command"] == command
    assert {file: file.stat().st_mtime_ns for file in done.path.glob("trials/*/trial.json")} == before


def test_a_published_call_names_no_folder_of_the_machine(done, kdef_folder):
    """The report shows the call with the last parts of its paths; the gallery finds the data by the whole ones."""
    command = done.info["command"]
    assert _data_of(command) == str(kdef_folder)
    shown = call_arguments(published_command(command))
    assert shown == call_arguments(command) | {"data": kdef_folder.name, "out": "one"}
    text = done.report.read_text(encoding="utf-8")
    assert str(kdef_folder) not in text
    assert "fer_bench.run(suite=" in text
    assert _data_of(call_text({"suite": "all"})) == "synthetic"
    assert published_command(call_text({"data": "kdef:/home/me/faces", "only": ["~/x/y"]})) == call_text(
        {"data": "kdef:faces", "only": ["y"]}
    )


def test_no_other_command_is_taken_for_a_call():
    """A shell's command, and a call that holds anything but literals, have no arguments to be read."""
    for command in (
        "fer-bench run --data x",
        "fer_bench.run(data=open('x'))",
        "fer_bench.run('all')",
        "fer_bench.run(",
    ):
        assert call_arguments(command) is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"workers": -1}, "workers: expected 0 to inf, found -1"),
        ({"seed": -1}, "seed: expected 0"),
        ({"per_gpu": 0}, "per_gpu: expected 1 to 16, found 0"),
        ({"suite": "none"}, "no such suite"),
        ({"protocols": ["none"]}, "no such protocol"),
        ({"device": "tpu"}, "expected auto, cpu or cuda"),
        ({"executor": "cloud"}, "no such executor"),
    ],
)
def test_a_mistake_is_one_sentence_and_starts_nothing(given, message, tmp_path):
    """What is asked for wrongly raises a UserError, and no folder is made."""
    with pytest.raises(fb.UserError, match=message):
        fb.run(**{"suite": "classical", "data": "synthetic", "out": tmp_path / "r"} | given)
    assert not (tmp_path / "r").exists()


def test_a_thread_may_run_with_worker_processes(kdef_folder, tmp_path):
    """In a thread of its own, where no signal can be caught, a run with workers comes to its end."""
    found = []

    def work():
        found.append(
            fb.run(
                "classical",
                data=kdef_folder,
                only="knn-pixels",
                protocols=["subject-2fold"],
                profile="full",
                workers=1,
                out=tmp_path / "r",
            )
        )

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(200)
    assert [result.ok for result in found] == [True]


CALL = (
    "import fer_bench as fb\n"
    "print('begun')\n"
    "result = fb.run('classical', data={data!r}, only={only!r}, protocols='subject-2fold', profile='full', workers=2, "
    "out='r', progress=False)\n"
    "print(result.ok, fb.load_run('r').exit_code, len(result.trials))\n"
)


def python(folder, *arguments, **how):
    environment = {**os.environ, "PYTHONPATH": str(PLUGINS)}
    return subprocess.run(
        [sys.executable, "-P", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        **how,
    )


@pytest.mark.parametrize("how", ["script", "notebook"])
def test_a_script_needs_no_guard(how, kdef_folder, tmp_path):
    """A script that calls `run` at its top level is run once, workers and all; so is a notebook, which has no file."""
    text = CALL.format(data=str(kdef_folder), only="knn-pixels")
    if how == "script":
        (tmp_path / "mine.py").write_text(text)
        done = python(tmp_path, "mine.py")
    else:
        done = python(tmp_path, "-", input=text)
    assert done.stdout.splitlines() == ["begun", "True 0 2"], done.stderr


def test_failed_trials_are_told_and_raise_nothing(kdef_folder, tmp_path):
    """Where a method fails the result is not ok, at once and read back, and its trials tell why."""
    text = CALL.format(data=str(kdef_folder), only="probe-raise")
    done = python(tmp_path, "-", input=text.replace("'classical'", "'mine.toml'"))
    assert done.returncode == 1
    (tmp_path / "mine.toml").write_text("[[job]]\nmethods = ['probe-raise']\nprotocols = ['subject-2fold']\n")
    done = python(tmp_path, "-", input=text.replace("'classical'", "'mine.toml'"))
    assert done.stdout.splitlines() == ["begun", "False 1 2"], done.stderr


def test_a_process_of_somebody_else_does_not_run_the_script_anew(tmp_path):
    """Where another library's process imports an unguarded script, the call in it is refused in one sentence."""
    (tmp_path / "mine.py").write_text(
        "import multiprocessing, fer_bench as fb\n"
        "if __name__ == '__mp_main__':\n"
        "    fb.run('classical', out='r')\n"
        "elif __name__ == '__main__':\n"
        "    multiprocessing.get_context('spawn').Process(target=print).start()\n"
    )
    done = python(tmp_path, "mine.py")
    assert 'put what the script does below `if __name__ == "__main__":`' in done.stderr
    assert not (tmp_path / "r").exists()
