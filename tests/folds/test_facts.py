"""What `check_folds` finds is told in fields, from which a program can decide."""

import numpy as np
import pytest

import fer_bench as fb
from fer_bench.folds.wording import verdict_lines


@pytest.fixture(scope="module")
def data():
    return fb.load_dataset(people=4, views=["S", "HL"])


def test_folds_by_person_are_proven(data):
    """People are proven apart by the data and by the names, with their numbers; balance is a fact, too."""
    found = fb.check_folds(fb.make_folds(data, "subject-2fold"), data=data)
    assert found.accepted
    assert (found.name, found.claim, found.n_folds, found.n_images, found.n_tests) == (
        *("subject-2fold", "person"),
        *(2, 112, 112),
    )
    assert found.people.state == "proven"
    assert found.people.counts == {"data": 4, "names": 4}
    assert found.people.leaks == ()
    assert {kind.state for kind in (found.sessions, found.duplicates, found.same_pictures)} == {"none"}
    assert found.sequences.state == found.near_duplicates.state == "unknown"
    assert found.balance.images == (56, 56)
    assert found.untrained == ()


def test_the_claim_decides_and_the_facts_stay(data):
    """The same people are in train and test whatever is claimed; only the claim by person is refused for it."""
    folds = fb.make_folds(data, "random-2fold")
    mild, strict = (fb.check_folds(folds, data=data, claim=claim) for claim in (None, "person"))
    assert (mild.claim, mild.accepted) == ("image", True)
    assert (strict.claim, strict.accepted) == ("person", False)
    assert mild.people == strict.people
    assert mild.people.state == "refused"
    (leak,) = mild.people.leaks
    assert leak.sources == ("data", "names")
    assert (leak.groups, leak.folds, leak.tests) == (4, 2, 112)
    fold, tested, trained = leak.pairs[0]
    train, test = (set(folds.images(fold, role)) for role in ("train", "test"))
    assert tested in test
    assert trained in train
    assert tested[1:4] == trained[1:4]


def test_a_file_is_checked_like_the_folds_in_it(data, tmp_path):
    """A path gives the same facts as the folds, and data may be a manifest."""
    folds = fb.make_folds(data, "session-out")
    folds.write(tmp_path / "f.csv")
    one = fb.check_folds(tmp_path / "f.csv", manifest=data.manifest)
    assert one == fb.check_folds(str(tmp_path / "f.csv"), data=data) == fb.check_folds(folds, data=data)
    assert one.claim == "session"
    assert one.accepted
    data.table.to_csv(tmp_path / "m.csv", index=False)
    assert fb.check_folds(folds, manifest=tmp_path / "m.csv") == one


def test_what_is_not_told_is_unknown(tmp_path):
    """Names that tell nothing leave people unknown, with how many images do not tell; the claim is refused."""
    (tmp_path / "f.csv").write_text("role,image\ntrain,1.jpg\ntest,2.jpg\n")
    found = fb.check_folds(tmp_path / "f.csv")
    assert (found.people.state, found.people.unknown, found.people.images) == ("unknown", 2, 2)
    assert not found.accepted
    assert found.balance is None


def test_broken_and_contradicting_tables_are_told_in_fields(tmp_path):
    """A side without images, and an image of two people, end the check; both are facts, and nothing else is claimed."""
    (tmp_path / "broken.csv").write_text("role,image\ntrain,a\ntrain,b\n")
    found = fb.check_folds(tmp_path / "broken.csv")
    assert found.broken
    assert (found.accepted, found.people, found.balance) == (False, None, None)
    (tmp_path / "two.csv").write_text("role,image,fold,subject\ntrain,a,0,p\ntest,b,0,q\ntest,a,1,r\ntrain,b,1,q\n")
    (told,) = fb.check_folds(tmp_path / "two.csv").contradictions
    assert (told.column, told.images, told.image, told.said) == ("subject", 1, "a", ("p", "r"))


def test_what_a_file_says_otherwise_than_the_data_is_a_fact(data, tmp_path):
    """A file that gives an image to another person is refused, with what each of them says."""
    table = fb.make_folds(data, "subject-2fold").table.copy()
    image = table["image"].iloc[0]
    table.loc[table["image"] == image, "subject"] = "F02" if image[1:4] != "F02" else "F01"
    table.to_csv(tmp_path / "f.csv", index=False)
    found = fb.check_folds(tmp_path / "f.csv", data=data)
    (told,) = found.differences
    assert (told.column, told.image, told.data) == ("subject", image, image[1:4])
    assert np.isin(told.file, ["F01", "F02"])
    assert not found.accepted


def test_data_and_a_manifest_are_not_both_given(data):
    """Two accounts of the images exclude each other."""
    with pytest.raises(fb.UserError, match="exclude each other"):
        fb.check_folds(fb.make_folds(data, "subject-2fold"), data=data, manifest=data.manifest)


def test_who_is_found_on_both_sides_is_told_whatever_else_is_unknown(tmp_path):
    """One person in both makes people refused, by one sentence; images that do not tell add no second verdict."""
    rows = "role,image,subject\ntrain,a,p\ntest,b,p\ntrain,c,\ntest,d,\n"
    (tmp_path / "f.csv").write_text(rows)
    found = fb.check_folds(tmp_path / "f.csv")
    assert (found.people.state, found.people.unknown) == ("refused", 2)
    assert [line.split(",")[0] for line in verdict_lines(found) if line.startswith("people")] == ["people: REFUSED"]
