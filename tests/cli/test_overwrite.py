"""No command writes over a file that is not its own, whatever it is called and however it is linked."""

import json
import os
import struct
from pathlib import Path

import pytest

import fer_bench as fb
from fer_bench.data.render import write_kdef
from fer_bench.errors import UserError
from fer_bench.gate.expected import write_expected
from fer_bench.methods import load_methods
from fer_bench.methods.weights import fetch_weights
from fer_bench.report import write_report
from fer_bench.runner.pretrain import pretrain

MINE = "path,label\nme.jpg,happy\n"
NETWORK = "squeezenet1_1-rendered"


@pytest.fixture(scope="module")
def runs(kdef_folder, tmp_path_factory):
    """Two small runs."""
    home = tmp_path_factory.mktemp("runs")
    given = {"data": kdef_folder, "protocols": "subject-2fold", "device": "cpu", "progress": False}
    for name in ("majority", "gnb-pixels"):
        fb.run("classical", only=name, out=home / name, executor="in-process", **given)
    return home


@pytest.fixture
def folds(kdef_folder):
    """Folds in hand."""
    return fb.make_folds(fb.load_dataset(kdef_folder), "subject-2fold")


@pytest.fixture
def write(runs, folds, tmp_path, monkeypatch):
    """Give a function that lets a command write, by its name, and say which file of a user's it would meet."""
    monkeypatch.setenv("FER_BENCH_CACHE", str(tmp_path / "cache"))
    fetched = next(s.weights for s in load_methods().values() if s.weights and s.weights.name == "resnet18")
    made_here = next(s for s in load_methods().values() if s.network == NETWORK)
    ways = {
        "folds": ("mine.csv", folds.write),
        "gate": ("mine.csv", lambda file: write_expected(runs / "majority", file)),
        "gate, of a run": ("run.json", lambda file: write_expected(runs / "majority", file)),
        "report": ("out/results.csv", lambda file: write_report(runs / "majority", file.parent)),
        "report, a table": ("out/tables/answers.csv", lambda file: write_report(runs / "majority", file.parents[1])),
        "report, its data": ("out/tables/report.json", lambda file: write_report(runs / "majority", file.parents[1])),
        "pretrain": ("mine.safetensors", lambda file: pretrain(made_here, file, people=20, epochs=1)),
        "fetch": (f"cache/weights/{fetched.filename}", lambda _: fetch_weights(fetched)),
        "render": ("set/KDEF/AF01/AF01AFS.JPG", lambda f: write_kdef(f.parents[2], n_people=1, size=(32, 44))),
        "render, its table": ("set/truth.csv", lambda file: write_kdef(file.parent, n_people=1, size=(32, 44))),
        "render, its note": ("set/README.txt", lambda file: write_kdef(file.parent, n_people=1, size=(32, 44))),
    }

    def by_name(way: str):
        name, call = ways[way]
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        return file, lambda: call(file)

    return by_name


WAYS = [
    *("folds", "gate", "gate, of a run", "report", "report, a table", "report, its data", "pretrain", "fetch"),
    *("render", "render, its table", "render, its note"),
]


@pytest.mark.parametrize("kind", ["file", "link", "hard link", "folder", "link to nothing"])
@pytest.mark.parametrize("way", WAYS)
def test_what_is_not_its_own_stays(write, tmp_path, way, kind):
    """Refused in a sentence with the file's name, and all files are as they were."""
    file, call = write(way)
    real = tmp_path / "precious"
    if kind != "link to nothing":
        real.write_text(MINE)
    {
        "file": lambda: os.replace(real, file),
        "link": lambda: file.symlink_to(real),
        "hard link": lambda: file.hardlink_to(real),
        "folder": file.mkdir,
        "link to nothing": lambda: file.symlink_to(real),
    }[kind]()
    before = sorted(map(str, tmp_path.rglob("*")))
    with pytest.raises(UserError, match="which would be lost") as caught:
        call()
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert sorted(map(str, tmp_path.rglob("*"))) == before
    if kind in ("file", "link", "hard link"):
        assert file.read_text() == MINE


@pytest.mark.parametrize("way", ["folds", "gate", "report", "render"])
def test_its_own_is_written_again_and_so_is_what_holds_nothing(write, tmp_path, way):
    """The second time as the first, also where a file was made beforehand; the other end of a link stays."""
    file, call = write(way)
    file.write_bytes(b"")
    call()
    first = file.read_bytes()
    assert first
    call()
    (tmp_path / "kept").write_bytes(first)
    for link in (file.symlink_to, file.hardlink_to):
        file.unlink()
        link(tmp_path / "kept")
        call()
        assert not file.is_symlink()
        assert file.stat().st_nlink == 1
        assert (tmp_path / "kept").read_bytes() == first


def test_a_damaged_expectation_is_written_anew(runs, tmp_path):
    """Cut short, or laid out by another program, it is still an expectation."""
    file = tmp_path / "e.json"
    write_expected(runs / "majority", file)
    whole = file.read_text()
    for text in (whole[:200], json.dumps(json.loads(whole), sort_keys=True)):
        file.write_text(text)
        write_expected(runs / "majority", file)
        assert file.read_text() == whole


def test_weights_that_were_made_here_are_made_anew(tmp_path):
    """The head of a file of weights tells who made it; only such a file may be replaced."""
    from fer_bench.runner.pretrain import _made_here

    about = {"command": f"fer-bench pretrain {NETWORK} --people 700"}
    for told, ours in (({"fer-bench": json.dumps(about)}, True), ({"format": "pt"}, False), ("x", False)):
        head = json.dumps({"__metadata__": told}).encode()
        (tmp_path / "w").write_bytes(struct.pack("<Q", len(head)) + head + b"\0" * 100)
        assert _made_here(tmp_path / "w") is ours
    for junk in (b"", b"PK\x03\x04", b"\xff" * 64, struct.pack("<Q", 2**40) + b"{"):
        (tmp_path / "w").write_bytes(junk)
        assert _made_here(tmp_path / "w") is False


def test_a_report_takes_no_other_runs_place(runs, tmp_path):
    """The folder of another run holds that run's report; one's own, and a folder of reports, will do."""
    page = runs / "gnb-pixels" / "report.html"
    before = page.read_bytes()
    for given in ([runs / "majority"], [runs / "majority", runs / "gnb-pixels"]):
        with pytest.raises(UserError, match="holds a run, whose own report would be lost"):
            write_report(given, runs / "gnb-pixels")
    assert page.read_bytes() == before
    write_report(runs / "gnb-pixels", runs / "gnb-pixels")
    assert page.read_bytes() == before
    for given in (runs / "majority", [runs / "majority", runs / "gnb-pixels"]):
        assert write_report(given, tmp_path / "reports").is_file()


def test_a_report_that_was_broken_off_is_written_anew(runs, tmp_path, monkeypatch):
    """What tells whose folder it is comes first."""
    from fer_bench.report import write

    real, n = write.atomic_write, []

    def breaks(path: Path, mode: str):
        n.append(path)
        if len(n) == 5:
            raise KeyboardInterrupt
        return real(path, mode)

    monkeypatch.setattr(write, "atomic_write", breaks)
    with pytest.raises(KeyboardInterrupt):
        write_report(runs / "majority", tmp_path / "out")
    assert len(list((tmp_path / "out").rglob("*.*"))) == 4
    assert write_report(runs / "majority", tmp_path / "out").is_file()


def test_the_command_line_destroys_nothing_either(cli, kdef_folder, runs, tmp_path):
    """Exit code 2 and one sentence, for what people have typed."""
    pictures, photographs = tmp_path / "pictures.csv", tmp_path / "KDEF" / "AF01" / "AF01AFS.JPG"
    pictures.write_text(MINE)
    photographs.parent.mkdir(parents=True)
    photographs.write_text(MINE)
    commands = [
        ["folds", "make", "pictures.csv", "--data", kdef_folder, "--protocol", "subject-2fold"],
        ["gate", runs / "majority", "--expected", "pictures.csv", "--update"],
        ["data", "render", ".", "--people", "1", "--size", "32x44"],
        ["run", "--suite", "classical", "--data", kdef_folder, "--out", "."],
    ]
    for command in commands:
        said = cli(*command, expect=2).stderr.splitlines()
        assert len(said) == 1
        assert "would be lost" in said[0] or "expected a new or empty folder" in said[0]
    assert pictures.read_text() == photographs.read_text() == MINE
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["KDEF", "pictures.csv"]
