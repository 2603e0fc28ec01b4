"""Methods of other packages that were written for the old name of an argument of ``fit``."""

import json

import numpy as np
import pandas as pd
import pytest

METHODS = '''
import numpy as np
from fer_bench import ImageSpec, MethodSpec


class Guess:
    """Leaves one epoch's probabilities, by the name that it is told."""

    def __init__(self, argument="watch"):
        self.argument = argument

    def _learn(self, images, labels, seen):
        self.shares_ = np.bincount(labels, minlength=7) / len(labels)
        if seen is not None:
            name = "watch_proba_" if self.argument == "watch" else "eval_proba_"
            setattr(self, name, self.guess(seen)[None])
        return self

    def guess(self, images):
        return np.tile(self.shares_, (len(images), 1))


class Old(Guess):
    def fit(self, images, labels, *, groups=None, watch=None):
        return self._learn(images, labels, watch)

    predict_proba = Guess.guess


class OldPrepared(Guess):
    def prepare_key(self):
        return "grey-v1"

    def prepare(self, images):
        return images.reshape(len(images), -1)[:, :4].astype(np.float32)

    def fit_prepared(self, features, labels, *, groups=None, watch=None):
        return self._learn(features, labels, watch)

    def fit(self, images, labels, *, groups=None, watch=None):
        return self.fit_prepared(self.prepare(images), labels, watch=watch)

    predict_proba = predict_proba_prepared = Guess.guess


class New(Guess):
    def fit(self, images, labels, *, groups=None, eval_images=None):
        return self._learn(images, labels, eval_images)

    predict_proba = Guess.guess


def row(name, kind, **params):
    return MethodSpec(
        name=name, family="classical", factory=f"old_methods:{kind}", image=ImageSpec(32), wants=(), watches=True,
        params=params,
    )


METHODS = [row("old", "Old"), row("prepared", "OldPrepared"), row("new", "New", argument="eval_images")]
'''
SUITE = """
summary = "three"
[[job]]
methods = ["old", "prepared", "new"]
protocols = ["subject-2fold"]
watch = true
"""


@pytest.fixture
def package(tmp_path):
    """A package of methods with an entry point."""
    home = tmp_path / "package"
    home.mkdir()
    (home / "old_methods.py").write_text(METHODS)
    info = home / "old-0.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: old\nVersion: 0.1\n")
    (info / "entry_points.txt").write_text("[fer_bench.methods]\nold = old_methods:METHODS\n")
    return home


def test_a_method_that_takes_watch_is_evaluated_and_told_the_new_name(cli, kdef_folder, package, tmp_path):
    """``fit(watch=...)`` with ``watch_proba_`` gives the figures of ``eval_images``; a note in the record says so."""
    suite = tmp_path / "three.toml"
    suite.write_text(SUITE)
    out = tmp_path / "run"
    cli("run", "--suite", suite, "--data", kdef_folder, "--out", out, PYTHONPATH=str(package))
    watched = pd.read_parquet(out / "watched.parquet")
    assert set(watched["method"]) == {"old", "prepared", "new"}
    probabilities = {
        name: watched[watched["method"] == name].filter(like="p_").to_numpy() for name in ("old", "prepared", "new")
    }
    np.testing.assert_array_equal(probabilities["old"], probabilities["new"])
    np.testing.assert_array_equal(probabilities["prepared"], probabilities["new"])
    for record in (json.loads(file.read_text()) for file in out.glob("trials/*/trial.json")):
        told = [text for text in record["warnings"] if "takes watch, which is called eval_images now" in text]
        assert len(told) == (record["method"] != "new"), record["warnings"]
