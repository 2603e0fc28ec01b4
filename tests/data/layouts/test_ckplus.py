"""CK+: sequences, peaks, neutral frames and contempt, in the original tree and in class folders."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from layouts import write_ckplus, write_ckplus48

from fer_bench.data.datasets import load_dataset
from fer_bench.data.layouts.ckplus import CKPLUS, CKPLUS48
from fer_bench.data.sources.base import Source


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    return load_dataset(str(write_ckplus(tmp_path_factory.mktemp("ckplus"))), people=None, workers=2)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return load_dataset(str(write_ckplus48(tmp_path_factory.mktemp("ckplus48"))), people=None, workers=2)


def test_a_sequence_gives_its_first_frame_and_its_last_three(tree):
    """Frame 1 is neutral and frames 4 to 6 carry the label of the sequence; person and sequence are given."""
    rows = tree.manifest.table.set_index("image").loc[lambda t: t["sequence"] == "S010/001"]
    assert rows["label"].to_dict() == {
        "S010_001_00000001": "NE",
        "S010_001_00000004": "AN",
        "S010_001_00000005": "AN",
        "S010_001_00000006": "AN",
    }
    assert tree.manifest.people == ["S010", "S011", "S022", "S130"]
    assert tree.manifest.unit == "person"


@pytest.mark.parametrize(
    ("code", "label"), [(0, "NE"), (1, "AN"), (3, "DI"), (4, "AF"), (5, "HA"), (6, "SA"), (7, "SU")]
)
def test_codes_are_those_of_the_makers(code, label):
    """0 neutral, 1 anger, 2 contempt, 3 disgust, 4 fear, 5 happy, 6 sadness, 7 surprise, as CK+'s own note says."""
    files = [f"S005/001/S005_001_{i:08d}.png" for i in (1, 2)] + ["E/S005_001_00000002_emotion.txt"]
    found = CKPLUS.listing(Source(None, tuple(files), lambda name: f"   {code:.7e}\n".encode()))
    assert [row["label"] for row in found.rows] == ["NE", label]


def test_every_other_frame_is_named_with_its_reason(tree):
    """Contempt, frames between, and the sequence whose label cannot be read are counted apart; none is lost."""
    reasons = Counter(e.reason.split(":")[0] for e in tree.manifest.excluded)
    assert reasons == {
        "a frame between neutral and peak": 18,
        "contempt is none of the seven expressions": 3,
        "its sequence has no emotion label": 6,
        "no emotion code": 1,
    }
    assert len(tree.manifest) + 18 + 3 + 6 == 10 * 6


@given(st.integers(1, 71), st.sampled_from("12345670"))
def test_sequences_of_any_length_are_split_without_rest(length, code):
    """Each frame is neutral, peak or named; the first is always neutral, and the peak has at most three."""
    frames = [f"S005/001/S005_001_{i:08d}.png" for i in range(1, length + 1)]
    note = "Emotion/S005/001/S005_001_00000011_emotion.txt"
    found = CKPLUS.listing(Source(None, (*frames, note), lambda name: f"  {float(code):.7e}\n".encode()))
    assert len(found.rows) + len(found.excluded) == length
    assert found.rows[0]["label"] == "NE"
    assert found.rows[0]["file"] == frames[0]
    assert len(found.rows) == 1 + (0 if code == "2" else min(3, length - 1))


def test_327_labelled_of_593_sequences():
    """At CK+'s own size: 593 sequences, 327 labelled, 18 of them contempt: 327 neutral and 927 peak frames."""
    frames, notes = [], {}
    for i in range(593):
        home = f"S{i // 5 + 5:03d}/{i % 5 + 1:03d}"
        stem = home.replace("/", "_")
        frames += [f"cohn-kanade-images/{home}/{stem}_{n:08d}.png" for n in range(1, 19)]
        if i < 327:
            code = 2 if i < 18 else (1, 3, 4, 5, 6, 7)[i % 6]
            notes[f"Emotion/{home}/{stem}_00000018_emotion.txt"] = f"   {code:.7e}\n".encode()
    found = CKPLUS.listing(Source(None, (*frames, *notes), notes.__getitem__))
    labels = Counter(row["label"] for row in found.rows)
    assert labels.pop("NE") == 327
    assert labels.total() == 3 * (327 - 18)


def test_class_folders_tell_person_and_sequence(folders):
    """Names in class folders give the person and the sequence; contempt is counted out, neutral is absent."""
    table = folders.manifest.table
    assert table["sequence"].str.match(r"S\d{3}/\d{3}").all()
    assert folders.manifest.people == ["S010", "S011", "S022"]
    assert table.groupby("sequence").size().eq(3).all()
    assert "NE" not in set(table["label"])
    assert {e.reason for e in folders.manifest.excluded} == {"contempt is none of the seven expressions"}
    assert len(folders.manifest.excluded) == 9


def test_happy_and_happiness_are_one_folder():
    """Copies that call a folder happiness or sad are read alike."""
    files = ("happiness/S010_004_00000017.png", "sad/S010_005_00000017.png")
    assert [r["label"] for r in CKPLUS48.listing(Source(None, files, bytes)).rows] == ["HA", "SA"]


def test_a_label_that_cannot_be_read_costs_its_sequence_alone():
    """A damaged emotion file is named with its sequence's frames; the others are used."""
    frames = [f"S00{s}/001/S00{s}_001_{i:08d}.png" for s in (5, 6) for i in range(1, 5)]
    notes = [f"Emotion/S00{s}/001/S00{s}_001_00000004_emotion.txt" for s in (5, 6)]

    def read(name):
        if "S005" in name:
            raise OSError("the disk is gone")
        return b"5.0"

    found = CKPLUS.listing(Source(None, (*frames, *notes), read))
    assert {row["subject"] for row in found.rows} == {"S006"}
    assert len(found.excluded) == 5
