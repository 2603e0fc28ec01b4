"""KDEF's copy on Kaggle: recognised, used by image, never called subject-independent."""

from layouts import WORDS, WRITERS, write_kaggle_kdef

from fer_bench.data.datasets import load_dataset
from fer_bench.data.layouts.kaggle_kdef import KAGGLE_KDEF
from fer_bench.data.layouts.known import recognise
from fer_bench.data.sources.base import Source
from fer_bench.folds.protocols import PROTOCOLS, unsupported
from fer_bench.labels import EMOTIONS


def full_size() -> tuple[str, ...]:
    """The names of all 2,938: 140 groups of 21, but the two pictures whose names KDEF has broken."""
    names = [
        f"{word}/{group}_{3 * i + view}.jpg"
        for group in range(1, 141)
        for i, word in enumerate(WORDS.values())
        for view in (1, 2, 3)
    ]
    return tuple(sorted(set(names) - {"sad/60_18.jpg", "surprise/130_21.jpg"}))


def test_all_2938_names_are_recognised():
    """At the copy's own size every name is a row, and the groups are 140 sequences, not people."""
    source = Source(None, full_size(), bytes)
    assert recognise(source) is KAGGLE_KDEF
    found = KAGGLE_KDEF.listing(source)
    assert len(found.rows) == len({row["image"] for row in found.rows}) == 2938
    assert len({row["sequence"] for row in found.rows}) == 140
    assert not any(row.get("subject") for row in found.rows)
    assert {row["label"] for row in found.rows} == set(EMOTIONS)


def test_a_copy_packed_twice_is_still_recognised():
    """Kaggle's archives often hold everything twice; the doubles are dropped by name, not taken for larger groups."""
    files = tuple(f"{home}/{name}" for home in ("KDEF", "KDEF/KDEF") for name in full_size())
    assert recognise(Source(None, files, bytes)) is KAGGLE_KDEF


def test_other_class_folders_with_such_names_are_not_taken_for_it():
    """A few such names, other numbers or other pictures among them are class folders of somebody else."""
    renamed = (*full_size()[:-1], "angry/141_1.jpg")
    larger = (*full_size(), "angry/7_22.jpg")
    for files in (("angry/12_3.jpg",), full_size()[:2000], renamed, larger, (*full_size(), "angry/other.jpg")):
        assert recognise(Source(None, files, bytes)).name == "folders"


def test_a_part_of_the_copy_is_told_how_to_keep_its_groups(tmp_path):
    """Such names in other numbers are class folders, without KDEF's licence, and say what layout may be meant."""
    dataset = load_dataset(str(write_kaggle_kdef(tmp_path)), people=None, workers=2)
    assert dataset.layout == "folders"
    assert "KDEF" not in dataset.notice
    (note,) = dataset.notes
    assert "kaggle-kdef:PATH" in note
    named = load_dataset(WRITERS["kaggle-kdef"](tmp_path), people=None, workers=2)
    assert named.manifest.unit == "sequence"
    assert "their numbers do not prove" in named.notes[0]


def test_every_protocol_by_person_is_refused_with_the_reason(tmp_path):
    """Splits by person are refused because one person is two groups; splits by image are not."""
    dataset = load_dataset(WRITERS["kaggle-kdef"](tmp_path), people=None, workers=2)
    reasons = unsupported(dataset.manifest, dataset.why_no_people)
    by_person = {p.name for p in PROTOCOLS.values() if p.splits_by == "person"}
    assert by_person
    for name in by_person:
        assert "one person in one session" in reasons[name]
    assert "random-10fold" not in reasons
    assert "may be called subject-independent" in dataset.notice
