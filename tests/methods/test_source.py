"""The hash of a method's source changes exactly with the code of the packages that it is made of."""

import shutil
import sys

import pytest

from fer_bench.methods import ImageSpec, MethodSpec, source_hashes


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package that cannot be imported, beside a module; both are read all the same."""
    home = tmp_path / "one"
    (home / "hashed_kit" / "sub").mkdir(parents=True)
    for name in ("__init__", "pipeline", "sub/__init__", "sub/feature"):
        (home / "hashed_kit" / f"{name}.py").write_text(f"raise RuntimeError('imported {name}')\n")
    (home / "hashed_module.py").write_text("raise RuntimeError\n")
    monkeypatch.syspath_prepend(str(home))
    return home


def hash_of(factory="hashed_kit.pipeline:Make", **params):
    spec = MethodSpec("m", "classical", factory, ImageSpec(32), params=params)
    return source_hashes([spec])["m"]


@pytest.mark.parametrize("name", ["__init__", "pipeline", "sub/feature"])
def test_any_module_of_the_package_counts(package, name):
    """What the factory calls is its source, too: another text anywhere in its package is another hash."""
    before, file = hash_of(), package / "hashed_kit" / f"{name}.py"
    text = file.read_text()
    file.write_text(text + "x = 1\n")
    assert hash_of() != before
    file.write_text(text)
    assert hash_of() == before


def test_a_module_that_is_added_moved_or_removed_counts(package):
    """The same texts under other names are other code."""
    before = hash_of()
    (package / "hashed_kit" / "more.py").write_text("")
    added = hash_of()
    (package / "hashed_kit" / "more.py").rename(package / "hashed_kit" / "less.py")
    assert len({before, added, hash_of()}) == 3


def test_packages_that_parameters_name_count(package):
    """A classifier of another package is part of the method; a text that only looks like a path is none."""
    before, plain = hash_of(rule="hashed_module:rule"), hash_of(rule="C:/weights.pth")
    (package / "hashed_module.py").write_text("x = 1\n")
    assert hash_of(rule="hashed_module:rule") != before
    assert hash_of(rule="C:/weights.pth") == plain == hash_of()


def test_place_line_ends_and_neighbours_do_not_count(package, tmp_path, monkeypatch):
    """The same package elsewhere, with other line ends, beside other modules and data, has the same hash."""
    before = hash_of()
    (package / "hashed_module.py").write_text("x = 1\n")
    (package / "hashed_kit" / "data.txt").write_text("x")
    shutil.copytree(package, tmp_path / "two")
    for file in (tmp_path / "two").rglob("*.py"):
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    shutil.rmtree(package)
    monkeypatch.setattr(sys, "path", [str(tmp_path / "two"), *sys.path])
    sys.path_importer_cache.clear()
    assert hash_of() == before


def test_of_fer_bench_the_part_that_holds_methods_counts():
    """Methods of one part have one hash, those of another part another, and torch is not imported to find out."""
    specs = [
        MethodSpec(name, "classical", factory, ImageSpec(32))
        for name, factory in {
            "pipeline": "fer_bench.baselines.pipeline:FacePipeline",
            "tuning": "fer_bench.baselines.tuning:search",
            "network": "fer_bench.deep.classifier:NetworkClassifier",
            "nobody": "no_such_package_anywhere:Make",
        }.items()
    ]
    found = source_hashes(specs)
    assert found["pipeline"] == found["tuning"]
    assert len(set(found.values())) == 3
