"""Which rows train and test a fold, on manifests small enough to write the answer down."""

import pytest

from fer_bench.data.manifest import as_manifest
from fer_bench.errors import UserError
from fer_bench.folds.splitters import make_folds


def manifest(people=12, views=("S", "FL"), sessions=("A", "B"), lacking=()):
    """Two expressions of each person, view and session, but for what is lacking, as (person, view, session)."""
    rows = [
        {"image": f"p{p:02d}{label}{v}{s}", "label": label, "subject": f"p{p:02d}", "view": v, "session": s}
        for p in range(people)
        for label in ("HA", "SA")
        for v in views
        for s in sessions
        if (p, v, s) not in lacking
    ]
    return as_manifest(rows, [], "small")


def parts(folds, column, whole):
    """Values of a column that train and test each fold."""
    known = whole.table.set_index("image")[column]
    table = folds.table.assign(value=known.loc[folds.table["image"]].to_numpy())
    return [
        tuple(sorted(set(rows.loc[rows["role"] == role, "value"])) for role in ("train", "test"))
        for _, rows in table.groupby("fold")
    ]


def test_without_a_seed_it_is_the_first():
    """The default seed is 0, other seeds and other protocols draw other folds."""
    small = manifest()
    assert make_folds(small, "subject-2fold").hash == make_folds(small, "subject-2fold", 0).hash
    assert make_folds(small, "subject-2fold").seed == 0
    assert len({make_folds(small, "random-2fold", seed).hash for seed in range(4)}) == 4


def test_each_protocol_has_as_many_folds_as_it_says():
    """Ten of profiles where there are more people, else one a person; two of two views; one a session and person."""
    numbers = {"frontal-to-profile": 10, "view-out": 4, "session-out": 2, "subject-loso": 12, "subject-10fold": 10}
    for name, n in numbers.items():
        folds = make_folds(manifest(), name, 3)
        assert list(folds.numbers) == list(range(n)), name
    assert len(make_folds(manifest(people=4), "frontal-to-profile", 0).numbers) == 4


def test_sessions_are_left_out_in_their_order():
    """The first fold tests the first session and trains on all others, whatever order the rows have."""
    small = manifest(sessions=("C", "A", "B"))
    assert parts(make_folds(small, "session-out"), "session", small) == [
        (["B", "C"], ["A"]),
        (["A", "C"], ["B"]),
        (["A", "B"], ["C"]),
    ]


def test_views_are_left_out_in_their_order_with_half_of_the_people_each():
    """Two folds a view, which test disjoint halves of the people and train on the other half's other views."""
    small = manifest(views=("S", "HL", "FL"))
    folds = make_folds(small, "view-out", 1)
    assert [test for _, test in parts(folds, "view", small)] == [["FL"], ["FL"], ["HL"], ["HL"], ["S"], ["S"]]
    for train, test in parts(folds, "subject", small):
        assert len(train) == len(test) == 6
        assert not set(train) & set(test)


@pytest.mark.parametrize("profile", ["FL", "FR"])
def test_either_full_profile_is_tested(profile):
    """frontal-to-profile takes left and right, and nothing between."""
    small = manifest(views=("S", profile, "HL"))
    for train, test in parts(make_folds(small, "frontal-to-profile"), "view", small):
        assert (train, test) == (["S"], [profile])


def test_a_fold_with_nothing_to_test_is_none():
    """People who lack a profile leave a gap in the folds, and the others are numbered without one."""
    lacking = [(person, "FL", session) for person in (0, 5) for session in "AB"]
    folds = make_folds(manifest(people=8, lacking=lacking), "frontal-to-profile", 0)
    assert list(folds.numbers) == list(range(6))


def test_a_fold_with_nothing_to_train_on_is_told():
    """Where one person alone is seen from another view, that person's half has nobody to learn from."""
    lacking = [(person, "FL", session) for person in range(1, 4) for session in "AB"]
    with pytest.raises(UserError, match=r"protocol view-out: fold [12] has 8 images to test, none to train on"):
        make_folds(manifest(people=4, lacking=lacking), "view-out", 0)


def test_random_parts_are_what_the_protocol_says():
    """Two folds test a half each, and every image has a role in each fold."""
    small = manifest(people=10)
    tested = [rows["role"].eq("test").mean() for _, rows in make_folds(small, "random-2fold").table.groupby("fold")]
    assert tested == [0.5, 0.5]
    for folds in (make_folds(small, name) for name in ("random-2fold", "random-10fold")):
        assert (folds.table.groupby("fold").size() == len(small)).all()


def test_an_unknown_protocol_is_told_with_its_neighbour():
    """What can be chosen, and what may have been meant."""
    with pytest.raises(UserError, match=r"`protocol` subject-10fol: no such .* did you mean subject-10fold\?"):
        make_folds(manifest(), "subject-10fol")
    with pytest.raises(UserError, match="protocol subject-10fold: it needs at least 10 people, the data have 4"):
        make_folds(manifest(people=4), "subject-10fold")
