"""The command line as people use it: what it answers, where its errors go, how it exits."""

import re

import cv2
import numpy as np
import pytest

from fer_bench.methods import load_methods


def test_help_names_every_command(cli):
    """`fer-bench --help` lists the commands; each has a help of its own."""
    text = cli("--help").stdout
    for command in ("run", "plan", "status", "report", "gate", "list", "data", "folds", "weights"):
        assert f"\n  {command}" in text
    assert "--suite" in cli("run", "--help").stdout


def test_list_methods_names_every_installed_method(cli):
    """Each method stands in the list once, third-party ones too."""
    names = [line.split()[0] for line in cli("list", "methods").stdout.splitlines()[1:]]
    assert len(names) == len(set(names))
    assert set(load_methods()) <= set(names)
    assert "probe-learn" in names


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "--suite", "nonsense"], "no such suite"),
        (["run", "--only", "nonsense"], "names none of the"),
        (["run", "--protocol", "nonsense"], "no such protocol"),
        (["run", "--data", "nowhere"], "no such file or folder"),
        (["run", "--device", "cuda"], "no GPU"),
        (["run", "--weights-dir", "nowhere"], "no such folder"),
        (["report", "nowhere"], "nowhere"),
        (["folds", "check", "nowhere.csv"], "nowhere.csv"),
        (["folds", "make", "f.csv", "--protocol", "official"], "without a split of their own"),
        (["run", "--folds", "nowhere.csv"], "nowhere.csv"),
        (["run", "--test-data", "nowhere"], "--test-data nowhere: no such file or folder"),
        (["run", "--views", "UP"], "shows view UP"),
        (["run", "--crop", "round"], "--crop round"),
        (["gate", "nowhere", "--expected", "x.json"], "nowhere"),
        (["weights", "fetch", "nonsense"], "no installed method needs them"),
        (["data", "render", "out", "--size", "12"], "WIDTHxHEIGHT"),
        (["folds", "make", "/proc/nothing/folds.csv"], "/proc/nothing"),
        (["run", "--suite", "classical", "--only", "knn-dwt", "--out", "/proc/nothing"], "/proc/nothing"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(cli, tmp_path, arguments, message):
    """A user's mistake is told on standard error in one line, nothing is started, and the exit code is 2."""
    done = cli(*arguments, expect=2, CUDA_VISIBLE_DEVICES="", PATH="/usr/bin")
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""
    assert not (tmp_path / "runs").exists()


def test_a_folder_without_usable_pictures_exits_with_2(cli, tmp_path):
    """A folder of other files is refused with what was expected there."""
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "cat.jpg").write_text("meow")
    done = cli("run", "--data", tmp_path / "pictures", expect=2)
    assert "no usable image" in done.stderr
    assert "cat.jpg" in done.stderr


def test_plan_shows_costs_and_skips_and_runs_nothing(cli, kdef_folder, tmp_path):
    """`plan` lists every row with its cost, says why rows are skipped, and leaves no run behind."""
    done = cli("plan", "--suite", "all", "--data", kdef_folder, "--offline", "--device", "cpu")
    assert "linear_svc-lbp" in done.stdout
    assert re.search(r"time: about [\d.]+ \w+.* with \d workers? ", done.stdout)
    assert re.search(r"want weights .*: fer-bench weights fetch .*\bvgg16\b", done.stdout)
    assert not (tmp_path / "runs").exists()


def test_inspect_says_what_a_folder_holds(cli, kdef_folder):
    """People, expressions and possible protocols are counted."""
    text = cli("data", "inspect", kdef_folder).stdout
    assert "280 usable images" in text
    assert "people: 4, with 70 to 70 images each" in text
    (supported,) = (line for line in text.splitlines() if line.startswith("protocols that these data support"))
    assert "subject-2fold" in supported
    assert "subject-10fold" not in supported
    assert "not supported, subject-10fold: it needs at least 10 people" in text


def test_folds_made_by_person_are_proven_and_by_image_refused(cli, kdef_folder, tmp_path):
    """`folds check` proves a split by person; a split by image may not claim to be one."""
    for protocol in ("subject-2fold", "random-2fold"):
        cli("folds", "make", tmp_path / f"{protocol}.csv", "--protocol", protocol, "--data", kdef_folder)
    assert "proven" in cli("folds", "check", tmp_path / "subject-2fold.csv").stdout
    assert "may be called subject-independent" in cli("folds", "check", tmp_path / "random-2fold.csv").stdout
    done = cli("folds", "check", tmp_path / "random-2fold.csv", "--claim", "person", expect=1)
    assert "REFUSED" in done.stdout
    known = cli("folds", "check", tmp_path / "subject-2fold.csv", "--data", kdef_folder).stdout
    assert "exact duplicates: none on both sides" in known
    assert "near-duplicates: none found" in known


def test_every_protocol_is_explained_in_a_sentence(cli):
    """`list protocols` has one line for each, with what it splits by."""
    from fer_bench.folds.protocols import PROTOCOLS

    lines = cli("list", "protocols").stdout.splitlines()[1:]
    assert [line.split()[0] for line in lines] == list(PROTOCOLS)
    assert all(line.endswith(rule.summary) for line, rule in zip(lines, PROTOCOLS.values(), strict=True))


def test_weights_list_shows_local_files(cli, tmp_path):
    """A local file is found by the network's name and shown with its hash; the others are said to be missing."""
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "squeezenet1_0-mine.pth").write_bytes(b"abc")
    rows = {
        line.split()[0]: line for line in cli("weights", "list", "--weights-dir", tmp_path / "w").stdout.splitlines()
    }
    assert "squeezenet1_0-mine.pth (sha256 ba7816bf8f01)" in rows["squeezenet1_0"]
    assert rows["vgg16"].endswith("not here")


def test_version_is_the_installed_one(cli):
    """`--version` prints what the package's metadata say."""
    from importlib.metadata import version

    assert cli("--version").stdout.strip() == f"fer-bench {version('fer-bench')}"


def test_folds_of_two_datasets_do_not_ask_how_faces_are_cut_out(cli, kdef_folder, tmp_path):
    """`folds make --test-data` joins data of two layouts, whose crops differ, as folds hang on neither."""
    rng = np.random.default_rng(0)
    for label in ("happy", "sad"):
        (tmp_path / "mine" / label).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / "mine" / label / "1.png"), rng.integers(0, 255, (48, 48, 3), dtype=np.uint8))
    command = ["folds", "make", tmp_path / "f.csv", "--protocol", "cross-dataset", "--data", kdef_folder]
    assert "cross-dataset, 1 folds" in cli(*command, "--test-data", tmp_path / "mine").stdout


def test_rendering_writes_kdef_layout(cli, tmp_path):
    """`data render` writes a folder that `data inspect` reads whole."""
    cli("data", "render", tmp_path / "out", "--people", "1", "--size", "96x130")
    text = cli("data", "inspect", tmp_path / "out").stdout
    assert "70 usable images, 2 files left out" in text
