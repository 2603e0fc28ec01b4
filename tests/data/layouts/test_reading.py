"""What every layout shares: doubles, copies and contradictions taken out, and nothing left out in silence."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_bench.data.layouts.class_folders import relative_names
from fer_bench.data.layouts.reading import drop_copies, drop_doubles
from fer_bench.data.manifest import Excluded
from fer_bench.data.words import LABEL_WORDS, OTHER_EXPRESSIONS
from fer_bench.labels import EMOTION_NAMES, EMOTIONS

rows = st.lists(
    st.fixed_dictionaries(
        {
            "image": st.sampled_from("abcdef"),
            "label": st.sampled_from(EMOTIONS[:3]),
            "subject": st.sampled_from(["p1", "p2"]),
            "split": st.sampled_from(["train", "PublicTest", "PrivateTest", ""]),
            "sha256": st.sampled_from("0123"),
        }
    ),
    max_size=12,
).map(lambda listed: [{**row, "file": f"{i:02d}"} for i, row in enumerate(listed)])


@given(rows)
def test_every_file_is_used_or_named(listed):
    """After doubles and copies are dropped each file is either still there or excluded, exactly once."""
    unique, doubles = drop_doubles(listed)
    kept, copies = drop_copies(unique)
    files = [row["file"] for row in kept] + [e.file for e in [*doubles, *copies]]
    assert Counter(files) == Counter(row["file"] for row in listed)


@given(rows)
def test_what_stays_is_unique_in_name_and_content(listed):
    """No two kept rows share a name or a content, so that no split can put one picture on both sides."""
    kept, _ = drop_copies(drop_doubles(listed)[0])
    for column in ("image", "sha256"):
        assert len({row[column] for row in kept}) == len(kept)


@given(rows)
def test_contradictory_labels_and_people_leave_nothing_behind(listed):
    """A name or a content that stands under two labels or two people is used under neither."""
    unique, _ = drop_doubles(listed)
    kept, _ = drop_copies(unique)
    for column, before in (("image", listed), ("sha256", unique)):
        for stated in ("label", "subject"):
            told = {}
            for row in before:
                told.setdefault(row[column], set()).add(row[stated])
            assert not {row[column] for row in kept} & {value for value, said in told.items() if len(said) > 1}


@given(rows)
def test_copies_are_taken_from_training_and_not_from_testing(listed):
    """Where equal pictures of one label and person lie in several parts, the one that stays is no training picture."""
    unique, _ = drop_doubles(listed)
    kept, _ = drop_copies(unique)
    for column, before, after in (("image", listed, unique), ("sha256", unique, kept)):
        for row in after:
            parts = {r["split"] for r in before if r[column] == row[column]}
            assert row["split"] != "train" or parts == {"train"}


@pytest.mark.parametrize(("code", "name"), list(zip(EMOTIONS, EMOTION_NAMES, strict=True)))
def test_codes_and_names_mean_what_the_field_says(code, name):
    """Each code and its English name stand for the code; contempt stands for none of the seven."""
    assert LABEL_WORDS[code.lower()] == code
    assert LABEL_WORDS[name] == code
    assert not OTHER_EXPRESSIONS & set(LABEL_WORDS)
    assert not any(word.isdigit() for word in LABEL_WORDS)


@given(st.lists(st.text("ab", min_size=1, max_size=2), min_size=1, max_size=3))
def test_names_do_not_depend_on_where_the_data_lie(folders):
    """The same files under another folder have the same names."""
    files = ["happy/1.png", "sad/1.png"]
    assert relative_names(["/".join([*folders, file]) for file in files]) == files


def test_bytes_of_a_name_that_are_no_text_are_escaped():
    """An excluded file can always be written down."""
    assert Excluded("l\udce4s", "x").file == "l\\udce4s"
