"""What an earlier call has computed by other code is told, and can be computed anew."""

import json
from dataclasses import replace

import pytest

from fer_bench.plan.request import Request
from fer_bench.runner import run as module
from fer_bench.runner.run import run

METHOD = '''
import numpy as np

from fer_bench import ImageSpec, MethodSpec


class Guess:
    """Writes down how often it learns, in a file beside this one."""

    def __init__(self, random_state=0):
        self.random_state = random_state

    def prepare_key(self):
        return "counted-v1"

    def prepare(self, images):
        with open(__file__ + ".prepared", "a") as log:
            log.write(f"{len(images)} ")
        return images.reshape(len(images), -1).astype(np.float32)

    def fit_prepared(self, features, labels, *, groups=None):
        with open(__file__ + ".fitted", "a") as log:
            log.write("x")
        return self

    def predict_proba_prepared(self, features):
        return np.full((len(features), 7), 1 / 7)


METHODS = [MethodSpec(name="reused", family="classical", factory="reused_method:Guess", image=ImageSpec(32))]
'''


@pytest.fixture
def file(tmp_path, monkeypatch):
    """An installed package of one method."""
    home = tmp_path / "package"
    (home / "reused-0.1.dist-info").mkdir(parents=True)
    (home / "reused-0.1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: reused\nVersion: 0.1\n")
    points = "[fer_bench.methods]\nreused = reused_method:METHODS\n"
    (home / "reused-0.1.dist-info" / "entry_points.txt").write_text(points)
    (home / "reused_method.py").write_text(METHOD)
    monkeypatch.syspath_prepend(str(home))
    monkeypatch.setenv("FER_BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(module, "_report", lambda plan, out, table, why: 0)  # half of the time of such a run
    return home / "reused_method.py"


def test_trials_of_other_code_are_told_and_computed_anew_on_request(file, kdef_folder, tmp_path, capsys):
    """After a change of a method's code its finished trials stay what they are: one line says how many and whose, their
    records and run.json have different hashes. ``fresh`` computes all of them and their features anew, under the same
    ids; a record of an earlier version, without a hash, is not known to differ."""
    out = tmp_path / "r"
    ask = Request(
        "classical", str(kdef_folder), ("subject-2fold",), only=("reused",), device="cpu", offline=True,
        executor="in-process", out=out,
    )  # fmt: skip

    def called(**changes):
        run(replace(ask, **changes))
        said = [line for line in capsys.readouterr().err.splitlines() if "other code" in line]
        records = {p.parent.name: json.loads(p.read_text()) for p in sorted(out.glob("trials/*/trial.json"))}
        info = json.loads((out / "run.json").read_text())
        now = info["methods"]["reused"]["source_hash"]
        fitted = len((file.parent / f"{file.name}.fitted").read_text())
        prepared = (file.parent / f"{file.name}.prepared").read_text().split().count("280")
        return said, {i: r["source_hash"] == now for i, r in records.items()}, (fitted, prepared), info

    said, same, counts, _ = called()
    assert (said, counts) == ([], (2, 1))
    assert list(same.values()) == [True, True]
    assert called()[:3] == (said, same, counts)

    file.write_text(METHOD + "\n# changed\n")
    said, stale, counts, info = called()
    (line,) = said
    assert line.startswith("2 trials were computed by other code of their methods than there is now (reused)")
    assert "fresh" in line
    assert line in info["notes"]
    assert stale == dict.fromkeys(same, False)
    assert counts == (2, 1)

    said, anew, counts, _ = called(fresh=True)
    assert (said, anew, counts) == ([], same, (4, 2))
    assert called()[2] == (4, 2)

    for record in out.glob("trials/*/trial.json"):
        known = json.loads(record.read_text())
        del known["source_hash"]
        record.write_text(json.dumps(known))
    run(ask)
    assert "other code" not in capsys.readouterr().err


def test_a_fresh_run_is_told_to_go_on_without_the_option(cli, kdef_folder, tmp_path):
    """The command that a run notes for going on does not begin anew."""
    suite = tmp_path / "s.toml"
    suite.write_text('[[job]]\nmethods = ["hostile-learn"]\nprotocols = ["subject-2fold"]\n')
    given = ["--suite", suite, "--data", kdef_folder, "--out", "r", "--workers", "1"]
    cli("run", *given)
    said = cli("run", *given, "--fresh").stderr
    assert "0 done before, 2 to run" in said
    command = json.loads((tmp_path / "r" / "run.json").read_text())["command"]
    assert "--fresh" not in command
    assert "--workers" in command
