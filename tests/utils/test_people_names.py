"""A person's name has a normal form: spellings that differ only in writing are one, different names stay different."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_bench.utils.people_names import NOT_GIVEN, fold_name, gender_code, is_given, name_keys, shown_names

LETTERS = "abzABZéÉüñßøåŁžΣдЖ漢ק09-_."
BLANKS = [" ", "  ", "\t", "\u00a0", "\u2003 ", " \u200b", "\ufeff "]


@st.composite
def names(draw):
    """A name of one to three words that is not a word for "not given"."""
    words = draw(st.lists(st.text(LETTERS, min_size=1, max_size=6), min_size=1, max_size=3))
    name = " ".join(words)
    return name if is_given(name) else f"{name}x"


@st.composite
def spelt(draw, name):
    """Another spelling of a name: other blanks, another case, letters with accents as one sign or two."""
    case = draw(st.sampled_from([str, str.upper, str.lower, str.title, str.casefold]))
    form = draw(st.sampled_from(["NFC", "NFD"]))
    blank, before, after = (draw(st.sampled_from(BLANKS)) for _ in range(3))
    return before + unicodedata.normalize(form, blank.join(map(case, name.split(" ")))) + after


@given(st.data(), names())
def test_spellings_of_one_name_are_one(data, name):
    """Whatever the blanks, the case and the way to write accents, the normal form is the same."""
    one, two = data.draw(spelt(name)), data.draw(spelt(name))
    keys = name_keys([one], [two])
    assert keys[one] == keys[two] != ""


@given(names())
def test_the_normal_form_is_one(name):
    """Folding what is folded changes nothing, so that names can be compared again and again."""
    assert fold_name(fold_name(name)) == fold_name(name)


@given(st.text("abcdé123", min_size=1, max_size=5), st.text("abcdé123", min_size=1, max_size=5))
def test_different_names_stay_different(one, two):
    """Names of other letters are other people; plain digits are theirs by value alone."""
    same = one == two or (one.isdecimal() and two.isdecimal() and int(one) == int(two))
    keys = name_keys([one, two])
    assert (keys[one] == keys[two]) == same


@given(st.integers(0, 10**30), st.integers(0, 4), st.integers(-1, 3))
def test_a_number_is_its_value(number, before, after):
    """Zeros in front and a fraction of nothing do not count, for numbers of any length."""
    written = "0" * before + str(number) + ("" if after < 0 else "." + "0" * after)
    keys = name_keys([written], [str(number), "7.50", "007.5"])
    assert keys[written] == keys[str(number)]
    assert keys["7.50"] == keys["007.5"] != keys[written]


@pytest.mark.parametrize(
    "pair", [("1", "1a"), ("Ann", "Anne"), ("10", "1"), ("1", "1.5"), ("jose", "josé"), ("n", "ñ")]
)
def test_near_names_are_two(pair):
    """What is nearly a name is another name."""
    keys = name_keys(pair)
    assert keys[pair[0]] != keys[pair[1]]


def test_where_not_all_are_numbers_zeros_count():
    """01 and 1 are two where some name is a word; unknown is no name."""
    keys = name_keys(["01", "1", "p3"])
    assert keys["01"] != keys["1"]
    keys = name_keys(["01", "1", "unknown", ""])
    assert keys == {"01": "1", "1": "1", "unknown": "", "": ""}


def test_numbers_of_two_tables_are_numbers_of_both():
    """A file that says 01 means the data's 1; not where the other has names."""
    assert len(set(name_keys(["01"], ["1"]).values())) == 1
    assert len(set(name_keys(["01"], ["1", "p2"]).values())) == 3


@given(st.sampled_from(sorted(NOT_GIVEN)), st.data())
def test_words_for_not_given_are_no_name(word, data):
    """In any case and with any blanks."""
    assert not is_given(data.draw(spelt(word)))
    assert name_keys([word]) == {word: ""}


def test_jaffes_na_is_a_name():
    """NA is one of JAFFE's women."""
    assert is_given("NA")


def test_words_for_women_and_men():
    """Whole words alone: nothing is guessed from how a word begins."""
    assert {gender_code(word) for word in ("female", " Female", "F", "woman", "W")} == {"F"}
    assert {gender_code(word) for word in ("male", "MALE", "m", "Man ")} == {"M"}
    assert {gender_code(word) for word in ("", "unknown", "nan", "fem", "0", "diverse")} == {""}


def test_the_most_frequent_spelling_is_shown():
    """Of equally frequent ones the first in sort order, whatever the order of the rows."""
    keys = name_keys(["anna", "Anna", "ANNA", "bob", "-"])
    assert shown_names({"anna": 2, "ANNA": 1, "bob": 1, "-": 9}, keys) == {"anna": "anna", "bob": "bob"}
    assert shown_names({"anna": 2, "Anna": 2}, keys) == {"anna": "Anna"}
