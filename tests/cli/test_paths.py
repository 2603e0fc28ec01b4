"""Paths on the command line and from Python: an empty one is refused, `~` is home, everywhere."""

import inspect
import os
from itertools import chain
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from typer.models import ArgumentInfo
from typer.testing import CliRunner

import fer_bench as fb
from fer_bench.cli.app import app
from fer_bench.errors import UserError
from fer_bench.utils.files import cache_dir

WORDS = {"DIR", "FILE", "PATH", "NAME|PATH", "NAME|FILE", "RUN", "RUN...", "RUN_A", "RUN_B", "OUT"}


def taken(group=app, words=()):
    """Yield the words of every command, its name of each parameter, and what Typer is told of that."""
    for command in group.registered_commands:
        hints = get_type_hints(command.callback, include_extras=True)
        name = command.name or command.callback.__name__
        for parameter in inspect.signature(command.callback).parameters.values():
            kind = hints[parameter.name]
            told = next((m for m in getattr(kind, "__metadata__", ()) if hasattr(m, "parser")), None)
            yield (*words, name), parameter, kind, told
    for inner in group.registered_groups:
        yield from taken(inner.typer_instance, (*words, inner.name))


def paths():
    """Those parameters that take a path, by their types or by how they are shown."""
    for words, parameter, kind, told in taken():
        if Path in (kind, *kind.__args__, *get_args(kind.__args__[0])) or (told and told.metavar in WORDS):
            yield pytest.param(words, parameter, told, id=" ".join((*words, parameter.name)))


def shown(parameter, told):
    """What a user calls it."""
    return (
        told.metavar.removesuffix("...") if isinstance(told, ArgumentInfo) else f"--{parameter.name}".replace("_", "-")
    )


def test_there_are_paths_to_ask_about():
    """The walk finds them."""
    assert len(list(paths())) > 25


@pytest.mark.parametrize(("words", "parameter", "told"), list(paths()))
def test_every_path_is_read_in_one_way(words, parameter, told):
    """Empty is refused in a sentence that names the option; `~` is home."""
    name = shown(parameter, told)
    given = [] if parameter.default is inspect.Parameter.empty else [[f"{name}="] if name.startswith("--") else [""]]
    for same, other, _, more in taken():
        if same == words and other.default is inspect.Parameter.empty:
            value = "" if other.name == parameter.name else "x"
            given.append([value] if isinstance(more, ArgumentInfo) else [shown(other, more), value])
    done = CliRunner().invoke(app, [*words, *chain(*given)])
    assert isinstance(done.exception, UserError), done.output
    assert str(done.exception).startswith(f"{name}: expected a path, found an empty one")
    assert str(told.parser("~/x")) == os.path.expanduser("~/x")


def test_home_is_home_behind_an_equals_sign(cli, kdef_folder, tmp_path):
    """A shell leaves `--out=~/r` as it is: it does not become a folder named `~` here."""
    (tmp_path / "home").mkdir()
    done = cli("report", "~/nothing", "--out=~/r", expect=2, HOME=str(tmp_path / "home"))
    assert str(tmp_path / "home" / "nothing") in done.stderr
    cli("folds", "make", "~/f.csv", "--data", kdef_folder, "--protocol=subject-2fold", HOME=str(tmp_path / "home"))
    assert (tmp_path / "home" / "f.csv").is_file()
    assert not (tmp_path / "~").exists()


def test_an_unset_variable_is_a_mistake_and_nothing_is_started(cli, kdef_folder, tmp_path):
    """`--out "$UNSET"` writes neither here nor into the default folder."""
    before = set(tmp_path.iterdir())
    for arguments in (["run", "--data", kdef_folder, "--out", ""], ["folds", "make", " "], ["data", "render", ""]):
        done = cli(*arguments, expect=2)
        assert "found an empty one; is a variable in it not set" in done.stderr
    assert set(tmp_path.iterdir()) == before


def test_python_is_told_the_same(tmp_path, monkeypatch):
    """Parameters of the library take `~`, and refuse what is empty by their names."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for name in ("out", "folds", "weights_dir"):
        with pytest.raises(UserError, match=f"`{name}`: expected a path, found an empty one"):
            fb.run("classical", **{name: ""})
    for call in (fb.load_run, fb.read_folds, fb.write_report, fb.check_folds):
        with pytest.raises(UserError, match="expected a path, found an empty one"):
            call("")
    folds = fb.make_folds(fb.load_dataset(people=4, views="S"), "subject-2fold")
    folds.write("~/mine.csv")
    assert fb.read_folds(Path("~/mine.csv")).hash == folds.hash
    assert (tmp_path / "mine.csv").is_file()
    with pytest.raises(UserError, match=f"{tmp_path}/nothing"):
        fb.load_run("~/nothing")


def test_home_is_home_in_variables(tmp_path, monkeypatch):
    """FER_BENCH_CACHE and FER_BENCH_WEIGHTS, from a file that no shell reads, know it, too; empty is not set."""
    from fer_bench.methods.weights import find_weights, load_methods

    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("FER_BENCH_CACHE", "~/cache")
    assert cache_dir() == tmp_path / "cache"
    monkeypatch.setenv("FER_BENCH_CACHE", "")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert cache_dir() == tmp_path / ".cache" / "fer-bench"
    monkeypatch.setenv("FER_BENCH_CACHE", "~/cache")
    monkeypatch.setenv("FER_BENCH_WEIGHTS", "~/weights")
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "squeezenet1_0-mine.pth").write_bytes(b"abc")
    spec = next(s.weights for s in load_methods().values() if s.weights and s.weights.name == "squeezenet1_0")
    assert find_weights(spec, None).path == tmp_path / "weights" / "squeezenet1_0-mine.pth"
