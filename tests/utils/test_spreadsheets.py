"""No text of a table is run as a formula, and every text is read back as it was, whatever it is."""

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fer_bench.data.manifest import COLUMNS, Manifest
from fer_bench.folds.check import read_manifest
from fer_bench.folds.folds import FOLD_COLUMNS, Folds, read_folds
from fer_bench.folds.match import match_images
from fer_bench.utils.spreadsheets import guarded, guarded_csv, unguarded

FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")
TEXTS = st.text(
    st.sampled_from("=+-@'\t\r\n,\"ab ") | st.characters(codec="utf-8", exclude_characters="\0"), max_size=9
)
NAMES = st.lists(TEXTS.filter(bool), min_size=2, max_size=6, unique=True)


@given(TEXTS)
@example("'=1")
def test_every_text_comes_back(text):
    """Guarding is undone by reading, does not begin a formula, and touches nothing else."""
    assert unguarded(guarded(text)) == text
    assert not guarded(text).startswith(FORMULAS)
    assert unguarded(text) == text or text.startswith("'")
    if not text.lstrip("'").startswith((*FORMULAS, "＝", "＋", "－", "＠")):
        assert guarded(text) == text == unguarded(text)


@given(NAMES)
@example(["=cmd|' /C calc'!A0.jpg", "'=1", "a\rb", "a\nb", 'a"b,c'])
def test_a_manifest_is_read_back_as_it_was(tmp_path_factory, names):
    """Whatever images and people are called, manifest.csv gives the same table with the same hash, and no formula."""
    told = {"label": "AF"}
    rows = [dict.fromkeys(COLUMNS, "") | told | dict.fromkeys(("image", "file", "subject"), name) for name in names]
    manifest = Manifest(pd.DataFrame(rows))
    file = tmp_path_factory.mktemp("m") / "manifest.csv"
    file.write_bytes(guarded_csv(manifest.table).encode())
    read = read_manifest(file)
    assert read.table["image"].tolist() == names
    assert read.hash == manifest.hash
    cells = pd.read_csv(file, dtype=str, keep_default_na=False)[["image", "file", "subject"]]
    assert not any(cell.startswith(FORMULAS) for cell in cells.to_numpy().ravel())


@given(NAMES)
@example(["=cmd|' /C calc'!A0.jpg", "'=1", "a\rb", "a\nb", 'a"b,c'])
def test_folds_are_read_back_as_they_were(tmp_path_factory, names):
    """A folds' file gives the same images and people with the same hash, and no formula."""
    rows = [(0, "test" if i else "train", name, name, "AF") for i, name in enumerate(names)]
    folds = Folds("mine", "0" * 64, 0, pd.DataFrame(rows, columns=FOLD_COLUMNS))
    file = tmp_path_factory.mktemp("f") / "folds.csv"
    folds.write(file)
    read = read_folds(file)
    assert read.table.to_dict("list") == folds.table.to_dict("list")
    assert read.hash == folds.hash
    cells = pd.read_csv(file, dtype=str, keep_default_na=False, skiprows=1)[["image", "subject"]]
    assert not any(cell.startswith(FORMULAS) for cell in cells.to_numpy().ravel())


def test_plain_names_are_written_as_ever():
    """A table of plain names is the same to the byte as without any guard."""
    table = pd.DataFrame({"image": ["a-b", "it's", ""], "fold": [0, -1, 2], "x": [-0.5, 1.0, 2.0]})
    assert guarded_csv(table) == table.to_csv(index=False, lineterminator="\n")


@pytest.mark.parametrize("reason", ["=1+1", "-x: no such option", "'=1", "plain"])
def test_reasons_of_trials_are_guarded_and_read_back(tmp_path, reason):
    """A reason that looks like a formula is none in trials.csv, and is told as it was written."""
    from fer_bench.results.load import _read_table
    from fer_bench.runner.consolidate import _write_csv
    from fer_bench.runner.monitor.status import _records

    row = {"id": "x", "method": "m", "fold": 0, "seed": 0, "reason": reason}
    _write_csv(tmp_path / "trials.csv", pd.DataFrame([row]))
    assert not pd.read_csv(tmp_path / "trials.csv")["reason"][0].startswith(FORMULAS)
    assert _read_table(tmp_path / "trials.csv", ("fold", "seed"))["reason"][0] == reason
    assert _records(tmp_path, ["x"])["x"]["reason"] == reason


def test_a_table_of_folds_made_from_a_manifest_finds_its_images():
    """Names that were copied from manifest.csv with their apostrophes mean the images that they are of."""
    row = dict.fromkeys(COLUMNS, "")
    images = ["'-x.jpg", "-1.jpg", "=a.jpg"]
    manifest = Manifest(pd.DataFrame([row | {"image": name, "file": name} for name in images]))
    assert match_images(pd.Series(["'-1.jpg", "=a.jpg", "'-x.jpg"]), manifest, "f").tolist() == [
        *("-1.jpg", "=a.jpg", "'-x.jpg"),
    ]
