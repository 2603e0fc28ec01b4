"""Each protocol trains on and tests what its sentence says; folds are even; what data cannot support is said."""

from dataclasses import replace

import numpy as np
import pytest
from drawn import QUICK, manifests
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedGroupKFold

from fer_bench.data.datasets import load_dataset
from fer_bench.data.manifest import as_manifest
from fer_bench.errors import UserError
from fer_bench.folds import protocols
from fer_bench.folds.balance import balance
from fer_bench.folds.check import check_made
from fer_bench.folds.protocols import PROTOCOLS, unsupported
from fer_bench.folds.splitters import make_folds
from fer_bench.labels import EMOTIONS


@pytest.fixture(scope="module")
def kdef():
    """The manifest of a set of KDEF's size and balance."""
    return load_dataset("synthetic", people=None, workers=1).manifest


def sides(folds, manifest):
    """Train and test rows of each fold with all that the manifest tells of them."""
    facts = manifest.table.drop(columns=["label", "subject"]).set_index("image")
    whole = folds.table.join(facts, on="image")
    for _, rows in whole.groupby("fold"):
        yield rows[rows["role"] == "train"], rows[rows["role"] == "test"]


def ragged(seed):
    """A manifest with as many people, films and expressions as CK+, drawn at random."""
    rng, rows = np.random.default_rng(seed), []
    for label, n in {"AN": 45, "DI": 59, "AF": 25, "HA": 69, "SA": 28, "SU": 83, "NE": 100}.items():
        for person in rng.choice(118, n, replace=False):
            subject = f"S{person:03d}"
            for frame in range(int(rng.integers(1, 4))):
                rows += [{"image": f"{subject}{label}{frame}", "label": label, "subject": subject}]
    return as_manifest(rows, [], "ragged")


@settings(QUICK, max_examples=10)
@given(manifests(), st.integers(0, 3))
def test_sessions_and_views_that_are_left_out_are_trained_on_by_nobody(manifest, seed):
    """session-out never trains on the tested session; view-out neither on the tested view nor on a tested person."""
    for train, test in sides(make_folds(manifest, "session-out", seed), manifest):
        assert set(train["session"]).isdisjoint(test["session"])
    folds = make_folds(manifest, "view-out", seed)
    assert len(folds.numbers) <= 2 * manifest.table["view"].nunique()
    for train, test in sides(folds, manifest):
        assert test["view"].nunique() == 1
        assert set(train["view"]).isdisjoint(test["view"])
        assert set(train["subject"]).isdisjoint(test["subject"])


@settings(QUICK, max_examples=10)
@given(manifests(), st.integers(0, 3))
def test_profiles_are_tested_once_after_training_on_straight_faces_of_others(manifest, seed):
    """frontal-to-profile trains on straight views alone and tests each full profile once, of other people."""
    tested = []
    for train, test in sides(make_folds(manifest, "frontal-to-profile", seed), manifest):
        assert set(train["view"]) == {"S"}
        assert set(train["subject"]).isdisjoint(test["subject"])
        tested += list(test["image"])
    assert sorted(tested) == sorted(manifest.table.loc[manifest.table["view"].isin(["FL", "FR"]), "image"])


def test_one_person_is_left_out_a_fold(kdef):
    """subject-loso has a fold for each of 70 people, tested on nobody else and trained on everybody else."""
    folds = make_folds(kdef, "subject-loso", 0)
    assert len(folds.numbers) == 70
    for train, test in sides(folds, kdef):
        assert test["subject"].nunique() == 1
        assert len(train) + len(test) == 4900


def test_the_authors_selected_split_tests_245_images(kdef):
    """akhand-selected tests 5 % of 4,900 images once, 35 of each expression, and is flagged as optimistic."""
    folds = make_folds(kdef, "akhand-selected", 0)
    tested = folds.table[folds.table["role"] == "test"]
    assert tested["label"].value_counts().to_dict() == dict.fromkeys(EMOTIONS, 35)
    assert [p.name for p in PROTOCOLS.values() if p.optimistic] == ["akhand-selected"]


def test_partners_have_as_much_to_train_on(kdef):
    """Protocols that are compared with each other train on the same number of images, within 2 %, on KDEF."""
    reasons = unsupported(kdef)

    def n_train(name):
        folds = make_folds(kdef, name, 0)
        return (folds.table["role"] == "train").sum() / folds.table["fold"].nunique()

    for rule in PROTOCOLS.values():
        for partner in rule.partners:
            assert rule.name not in reasons
            assert n_train(partner) == pytest.approx(n_train(rule.name), rel=0.02)
            assert rule.name in PROTOCOLS[partner].partners


def test_the_data_s_own_split_is_taken_as_it_is():
    """official trains on the training part and tests each test part; a part for validation is neither."""
    parts = {"Training": 6, "PublicTest": 3, "PrivateTest": 4}
    rows = [
        {"image": f"{part}{i}{label}", "label": label, "split": part}
        for part, n in parts.items()
        for i in range(n)
        for label in ("HA", "SA")
    ]
    manifest = as_manifest(rows, [], "fer")
    found = [(len(train), set(test["split"]), len(test)) for train, test in sides_of_official(manifest)]
    assert found == [(12, {"PrivateTest"}, 8), (12, {"PublicTest"}, 6)]
    third = as_manifest([{**row, "split": row["split"].replace("PublicTest", "validation")} for row in rows], [], "fer")
    assert [set(test["split"]) for _, test in sides_of_official(third)] == [{"PrivateTest"}]
    lacking = as_manifest([{**row, "split": "PublicTest"} for row in rows], [], "fer")
    assert "needs a part named train" in unsupported(lacking)["official"]


def sides_of_official(manifest):
    return list(sides(make_folds(manifest, "official", 0), manifest))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_ragged_data_are_dealt_evenly(seed):
    """On data as ragged as CK+, folds differ by one person at most and are no less even than scikit-learn's."""
    manifest = ragged(seed)
    folds = make_folds(manifest, "subject-10fold", 0)
    ours = balance(folds.table, manifest)
    assert ours.people == (11, 12)
    table = folds.table[folds.table["role"] == "test"].drop_duplicates("image").set_index("image")
    theirs = table.loc[manifest.table["image"]].reset_index()
    splitter = StratifiedGroupKFold(10, shuffle=True, random_state=0)
    for fold, (_, test) in enumerate(splitter.split(manifest.labels, manifest.labels, manifest.groups)):
        theirs.loc[test, "fold"] = fold
    assert ours.deviation < balance(theirs, manifest).deviation
    assert ours.deviation < 0.025
    assert f"at most {100 * ours.deviation:.1f} points" in ours.sentence


@settings(QUICK, max_examples=10)
@given(manifests(), st.sampled_from(["subject-10fold", "subject-2fold"]), st.integers(0, 3))
def test_women_and_men_are_even_within_one_person(manifest, protocol, seed):
    """Folds by person differ by at most one person, and by at most one of either sex."""
    folds = make_folds(manifest, protocol, seed)
    people = [test.drop_duplicates("subject") for _, test in sides(folds, manifest)]
    for counts in ([len(p) for p in people], *([int((p["gender"] == sex).sum()) for p in people] for sex in "FM")):
        assert max(counts) - min(counts) <= 1


def test_what_the_data_do_not_tell_is_a_reason():
    """Without people, sessions, views and a split, each protocol that needs them says so; the rest is supported."""
    rows = [{"image": f"{label}{i}", "label": label} for label in EMOTIONS for i in range(10)]
    manifest = as_manifest(rows, [], "plain")
    why, dataset = "the names hold groups of pictures, not people", load_dataset(people=1)
    reasons = unsupported(manifest, why)
    assert set(PROTOCOLS) - set(reasons) == {"random-10fold", "random-2fold", "holdout-10", "akhand-selected"}
    assert reasons["subject-10fold"] == "the names hold groups of pictures, not people"
    assert "do not give the session" in reasons["session-out"]
    assert "without a split" in reasons["official"]
    assert "`test_data`" in reasons["cross-dataset"]
    with pytest.raises(UserError, match="protocol subject-loso: the names hold groups"):
        make_folds(replace(dataset, manifest=manifest, why_no_people=why), "subject-loso")


def test_views_and_sessions_that_lack_are_named(kdef):
    """Straight faces of one session: the reasons name what is there."""
    rows = kdef.table[(kdef.table["view"] == "S") & (kdef.table["session"] == "A")].to_dict("records")
    reasons = unsupported(as_manifest(rows, [], "frontal"))
    assert "at least 2 sessions, the data have 1 (A)" in reasons["session-out"]
    assert "at least 2 views, the data have 1 (S)" in reasons["view-out"]
    assert "full profiles (FL or FR); the data have S" in reasons["frontal-to-profile"]


def test_a_table_of_folds_without_end_is_refused(kdef, monkeypatch):
    """Leaving one of many people out of many images is refused with a smaller protocol."""
    monkeypatch.setattr(protocols, "_MAX_ROWS", 1000)
    assert "choose subject-10fold" in unsupported(kdef)["subject-loso"]


def test_folds_without_people_prove_nothing():
    """A table that does not tell who is on a picture is never called disjoint."""
    rows = [{"image": f"{label}{i}", "label": label} for label in EMOTIONS for i in range(10)]
    manifest = as_manifest(rows, [], "plain")
    assert check_made(make_folds(manifest, "random-2fold", 0), manifest).people_apart == "unknown"
