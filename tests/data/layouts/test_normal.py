"""One person under several spellings is one person, in every layout; what was merged or missing is told, or refused."""

import csv
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layouts import face, save, write_csv

from fer_bench.data.datasets import load_dataset
from fer_bench.data.layouts.contract import Layout, Listing, pictures_of
from fer_bench.data.layouts.known import LAYOUTS, read_dataset
from fer_bench.data.layouts.normal import normal_rows
from fer_bench.data.manifest import as_manifest
from fer_bench.errors import UserError
from fer_bench.folds.splitters import make_folds
from fer_bench.labels import EMOTIONS

WAYS = {
    "zeros": lambda p, i: p if i % 2 else f"0{p}",
    "case": lambda p, i: ("Anna" if i % 2 else "anna") + p,
    "accents": lambda p, i: ("Jos\u00e9" if i % 2 else "Jose\u0301") + p,
    "floats": lambda p, i: p + (".0" if i % 2 else ""),
    "blanks": lambda p, i: "S 1" + p if i % 2 else "S  1" + p,
}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Four people with seven expressions each."""
    home = tmp_path_factory.mktemp("spelt")
    for person in range(1, 5):
        for label in EMOTIONS:
            save(face(f"AF{person:02d}{label}S"), home / f"{person}{label}.png")
    return home


def write_table(home, name, **columns):
    """A table of the pictures, with ``columns[name](person, row)`` in further columns."""
    path = home / f"{name}.csv"
    pairs = [(str(person), label) for person in range(1, 5) for label in EMOTIONS]
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["path", "label", *columns])
        for row, (person, label) in enumerate(pairs):
            table.writerow([f"{person}{label}.png", label, *(cell(person, row) for cell in columns.values())])
    return path


def load(path, **options):
    return load_dataset(str(path), workers=1, **options)


@pytest.mark.parametrize("way", WAYS)
def test_two_spellings_are_one_person(pictures, way):
    """Everybody has seven pictures, under a spelling that the table has; it is told how many were merged."""
    path = write_table(pictures, way, subject=WAYS[way])
    data = load(path)
    assert data.table.groupby("subject").size().tolist() == [7] * 4
    assert set(data.manifest.people) <= {WAYS[way](p, i) for p in "1234" for i in (0, 1)}
    (note,) = data.notes
    assert note.startswith("4 people stand under 2 spellings each, such as ")
    assert note.endswith(": one person (column subject)")


@pytest.mark.parametrize("way", WAYS)
def test_strict_refuses_two_spellings(pictures, way):
    """The rows to be mended are named, and mending them heals."""
    path = write_table(pictures, way, subject=WAYS[way])
    with pytest.raises(UserError, match=r"^`strict`: .* 4 people stand under 2 spellings .* the rows of 1.*\.png"):
        load(path, strict=True)
    assert len(load(write_table(pictures, "mended", subject=lambda p, i: WAYS[way](p, 0)), strict=True).manifest) == 28


def test_spellings_that_look_the_same_are_told_apart(pictures):
    """Two ways to write an accent would read as the same word twice."""
    (note,) = load(write_table(pictures, "accents", subject=WAYS["accents"])).notes
    assert r"'Jose\u03011' and 'Jos\xe91'" in note


@pytest.mark.parametrize("word", ["unknown", "NaN", "n/a", "?", "None", "null", "-"])
def test_a_word_for_nobody_is_no_person(pictures, word):
    """With it in some rows the table is refused as with empty cells, in all rows nobody is told apart."""
    path = write_table(pictures, "some", subject=lambda p, i: p if p < "3" else word)
    with pytest.raises(
        UserError, match=rf"filled in 14 rows and .*'{word[0]}.* in 14, the first in line 16".replace("?", r"\?")
    ):
        load(path)
    data = load(write_table(pictures, "all", subject=lambda p, i: word))
    assert data.manifest.people == []
    assert data.why_no_people == f"the column subject says {word!r}, which is taken as not given"
    assert data.notes == (f"28 of 28 pictures say {word!r} (column subject): taken as not given",)


def test_different_people_stay_different(pictures):
    """1 and 1a, Ann and Anne, 10 and 1, and 01 and 1 where not all are numbers."""
    names = ["1", "1a", "01", "10"]
    data = load(write_table(pictures, "near", subject=lambda p, i: names[int(p) - 1]))
    assert data.manifest.people == sorted(names)
    assert data.notes == ()


def test_the_same_holds_for_sessions_and_sequences(pictures):
    """Numbers and words alike; empty and unknown sessions are not given."""
    path = write_table(
        pictures,
        "sessions",
        session=lambda p, i: ["1", "01", "2", "unknown"][i % 4],
        sequence=lambda p, i: f"{'Film' if i % 2 else 'film'} {p}",
    )
    data = load(path)
    assert set(data.table["session"]) == {"01", "2", ""}
    assert data.table["sequence"].nunique() == 4
    assert data.notes == (
        "7 of 28 pictures say 'unknown' (column session): taken as not given",
        "1 session stands under 2 spellings, '01' and '1': one session (column session)",
        "4 sequences stand under 2 spellings each, such as 'Film 2' and 'film 2': one sequence (column sequence)",
    )


def test_words_for_views_are_kdefs_codes_where_all_are_known(pictures):
    """Half-left is HL; where left may be half or full, words stay the user's own."""
    words = ["Frontal", "half left", "half_right", "FL", "full-right", "straight"]
    data = load(write_table(pictures, "views", view=lambda p, i: words[i % 6]))
    assert set(data.table["view"]) == {"S", "HL", "HR", "FL", "FR"}
    assert data.notes == ()
    own = write_table(pictures, "own", view=lambda p, i: ["frontal", "left"][i % 2])
    assert set(load(own).table["view"]) == {"frontal", "left"}
    assert set(load(own, views="Frontal").table["view"]) == {"frontal"}


def test_views_may_be_asked_for_as_the_table_has_them(pictures):
    """Frontal pictures are found under that word and under the code that it became."""
    path = write_table(pictures, "asked", view=lambda p, i: ["frontal", "half left"][i % 2])
    assert len(load(path, views="frontal")) == len(load(path, views="s")) == 14


def test_words_for_women_and_men(pictures):
    """Known words say the same and nothing is told; others are not given, and told."""
    words = ["female", "Woman", "F", "male", "M", "unknown", "1"]
    data = load(write_table(pictures, "genders", gender=lambda p, i: words[i % 7]))
    assert data.table["gender"].value_counts().to_dict() == {"F": 12, "M": 8, "": 8}
    assert data.notes == (
        "8 of 28 pictures say '1' or 'unknown' (column gender), which is neither F nor M: taken as not given",
    )


def test_words_for_parts(pictures):
    """Known words are one part in any case; parts of one's own are merged and told."""
    words = ["Train", " training", "TEST", "Mine", "mine", "mine"]
    data = load(write_table(pictures, "parts", split=lambda p, i: words[i % 6]))
    assert set(data.table["split"]) == {"train", "test", "mine"}
    assert data.notes == ("1 part stands under 2 spellings, 'mine' and 'Mine': one part (column split)",)


def test_a_picture_in_two_rows_of_one_person_is_no_contradiction(pictures):
    """Two rows that spell its person differently are a double, not two people."""
    path = write_table(pictures, "double", subject=lambda p, i: f"P{p}")
    path.write_text(path.read_text() + "1AF.png,AF,p1\n")
    data = load(path)
    assert len(data) == 28
    assert [e.reason for e in data.manifest.excluded] == ["a second file of an image: 1AF.png is used"]


def test_a_table_without_variants_is_read_as_ever(tmp_path):
    """No spelling changes where there is one of each, not even an odd one, so that hashes stay."""
    data = load(write_csv(tmp_path), strict=True)
    assert data.notes == ()
    rows = [{"image": f"{i}", "file": f"{i}", "subject": name} for i, name in enumerate(["Jose\u0301", " b  c", "007"])]
    assert normal_rows(rows) == (rows, [])


def test_a_layout_of_a_package_is_read_alike(pictures, monkeypatch):
    """What is told of people is compared after any layout, and half-filled is refused with the words."""

    def layout(name):
        def listing(source):
            rows = [
                {"image": p.stem, "file": n, "label": p.stem[1:], "subject": name(p.stem)}
                for n, p in pictures_of(source)
            ]
            return Listing(rows, [], source, notes=("from the layout",))

        return Layout("lab", "the lab's", "names", lambda source: True, listing, {}, "The lab's.")

    monkeypatch.setitem(LAYOUTS, "lab", layout(lambda stem: stem[0] if stem[1] == "A" else f"0{stem[0]}"))
    data = read_dataset(f"lab:{pictures}", 1)
    assert data.manifest.people == ["01", "02", "03", "04"]
    assert data.notes[0] == "from the layout"
    assert data.notes[1].startswith("4 people stand under 2 spellings each, such as '01' and '1'")
    monkeypatch.setitem(LAYOUTS, "lab", layout(lambda stem: "unknown" if stem[0] == "4" else stem[0]))
    with pytest.raises(UserError, match=r"given for 21 pictures and not for 7 \('unknown' is taken as not given\)"):
        read_dataset(f"lab:{pictures}", 1)


def test_inspect_tells_what_was_merged(pictures, capsys):
    """The command shows the sentence, and names the option where it refuses."""
    from fer_bench.cli.inspect import inspect_lines

    data = load(write_table(pictures, "case", subject=WAYS["case"]))
    assert any(line.startswith("4 people stand under 2 spellings") for line in inspect_lines(data))


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 6), st.integers(0, 2**32))
def test_folds_by_person_never_split_anybody(people, seed):
    """However rows spell a name, its pictures are on one side of every fold."""
    rng = random.Random(seed)
    spellings = [str.upper, str.lower, str.title, lambda name: f" {name}", lambda name: name.replace(" ", "  ")]
    who = {f"{person}{label}": f"José {person}" for person in range(people) for label in EMOTIONS}
    rows = [
        {"image": image, "file": image, "label": image[1:], "subject": rng.choice(spellings)(name)}
        for image, name in who.items()
    ]
    normal, _ = normal_rows(rows)
    folds = make_folds(as_manifest(normal, [], "drawn"), "subject-2fold", 0)
    for fold in folds.numbers:
        train, test = ({who[image] for image in folds.images(fold, role)} for role in ("train", "test"))
        assert not train & test
