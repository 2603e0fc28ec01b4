"""Names that have changed keep working under their old name, and say the new one."""

from dataclasses import replace
from pathlib import Path

import pytest

from fer_bench.methods import ImageSpec, MethodSpec, Override
from fer_bench.plan.profiles import PRESETS as ALL_PRESETS
from fer_bench.plan.request import Request
from fer_bench.plan.suites import expand, known_suites, load_suite
from fer_bench.runner.run import default_out
from fer_bench.utils import renamed


@pytest.fixture(autouse=True)
def _said_anew():
    renamed._tell.cache_clear()


@pytest.mark.parametrize("old", renamed.SUITES)
def test_a_suite_of_an_old_name_is_the_new_one(old, capfd):
    """An old name of a suite loads the suite, asks for the same run, and is said to be old."""
    new = renamed.SUITES[old]
    assert old not in known_suites()
    assert load_suite(old) == load_suite(new)
    assert Request(suite=old) == Request(suite=new)
    assert capfd.readouterr().err == f"suite {old} is called {new} now; the old name keeps working\n"


@pytest.mark.parametrize("old", renamed.PRESETS)
def test_a_preset_of_an_old_name_is_the_new_one(old, capfd):
    """An old name of a preset asks for the same run, and gives methods of other packages what they say for it."""
    new = renamed.PRESETS[old]
    assert new in ALL_PRESETS
    assert Request(preset=old) == Request(preset=new)
    spec = MethodSpec("mine", "classical", "a:b", ImageSpec(8), presets={old: Override({"epochs": 3})})
    assert spec.resolve("full", new).params == spec.resolve("full", old).params == {"epochs": 3}
    assert f"preset {old} is called {new} now" in capfd.readouterr().err


def test_a_family_of_an_old_name_is_the_new_one(tmp_path, capfd):
    """A package or a suite file that says family named means the family literature."""
    spec = MethodSpec("mine", "named", "a:b", ImageSpec(8))
    assert spec.family == "literature"
    file = tmp_path / "mine.toml"
    file.write_text('[[job]]\nfamily = "named"\nprotocols = ["subject-2fold"]\n')
    assert [entry.method for entry in expand(load_suite(str(file)), [spec], "full")] == ["mine"]
    assert "family named is called literature now" in capfd.readouterr().err


def test_a_run_that_was_begun_under_an_old_name_goes_on_in_its_folder(tmp_path, monkeypatch):
    """Where only the folder of the old name is there, it is the run's; else the new name decides."""
    monkeypatch.chdir(tmp_path)
    request = Request(suite="akhand2021", preset="as-printed", profile="full")
    new = default_out(request)
    assert new.name.startswith("akhand2021-full-synthetic-")
    plain = default_out(Request(suite="akhand2021", profile="full"))
    Path("runs/paper-full-synthetic").mkdir(parents=True)
    assert default_out(Request(suite="paper", profile="full")) == Path("runs/paper-full-synthetic")
    assert default_out(replace(request)) == new
    plain.mkdir()
    assert default_out(Request(suite="paper", profile="full")) == plain
