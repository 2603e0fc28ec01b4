"""Data and folds are told apart by one check, whoever asks; what it refuses is said before any figure."""

import pandas as pd
import pytest
from drawn import BY_PERSON, QUICK, manifests
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_bench.data.manifest import Dataset, as_manifest
from fer_bench.errors import UserError
from fer_bench.folds.check import check_folds, check_made
from fer_bench.folds.doubts import examine, examine_data
from fer_bench.folds.folds import Folds
from fer_bench.folds.given import user_folds
from fer_bench.folds.splitters import make_folds
from fer_bench.labels import EMOTIONS
from fer_bench.plan.plan import make_plan
from fer_bench.plan.request import Request

HASHES = [f"{i:x}{j:x}" * 32 for i in range(16) for j in range(16)]


@pytest.fixture(scope="module")
def sittings():
    """Six people in KDEF's names, whose column subject has the name of a sitting."""
    names = [f"{s}{sex}{n:02d}{label}S" for s in "AB" for sex in "FM" for n in (1, 2, 3) for label in EMOTIONS]
    return as_manifest([{"image": name, "label": name[4:6], "subject": name[:4]} for name in names], [], "sittings")


def parts(n=30, copies=6):
    """Pictures of nobody that is named, in a split of the maker's; some tested ones look like trained ones."""
    rows = []
    for i in range(n):
        split = "test" if i < n // 3 else "train"
        rows.append({"image": f"{split}/{i}", "label": EMOTIONS[i % 7], "split": split, "phash": HASHES[7 * i]})
    for i in range(copies):
        rows.append({**rows[i], "image": f"train/{i}_again", "split": "train", "sha256": f"{i}"})
    return as_manifest(rows, [], "parts")


def test_one_person_under_two_names_is_told_with_the_remedy(sittings):
    """Twelve names of six people are told by name, and the folds by person are refused by the images' names."""
    folds = make_folds(sittings, "subject-2fold", 0)
    found = examine(sittings, {"subject-2fold": folds, "random-2fold": make_folds(sittings, "random-2fold", 0)})
    clash, refused = found.warnings
    assert "12 of the column subject are 6, such as AF01 (AF01AFS) and BF01 (BF01AFS), who are one" in clash
    assert "make the column subject one name a person, such as F01" in clash
    assert refused.startswith("subject-2fold: REFUSED: these folds are not subject-independent; people: ")
    assert "(by the images' names)" in refused
    assert found.remarks == ()
    assert examine_data(sittings).warnings[0] == clash


def test_two_people_under_one_name_are_told(sittings):
    """A name that two people have is told, too."""
    table = sittings.table.assign(subject=sittings.table["subject"].str[1:3] + "x")
    (told,) = examine_data(as_manifest(table.to_dict("records"), [], "x")).warnings
    assert (
        "2 of the column subject are 6, such as F0x, who is F01 (AF01AFS) and F02 (AF02AFS) and F03 (AF03AFS)" in told
    )


def test_a_person_s_own_name_of_another_make_is_no_doubt(sittings):
    """Other names for the same people are one to one, and nothing is said."""
    table = sittings.table.assign(subject="person " + sittings.table["subject"].str[1:])
    found = examine_data(as_manifest(table.to_dict("records"), [], "x"))
    assert found.warnings == ()
    assert found.verdicts["subject-2fold"].people_apart == "proven"


def test_a_maker_s_split_with_copies_is_refused_and_told():
    """Six of ten test pictures have a copy in training: told with a remedy, and refused as the split of the maker."""
    found = examine_data(parts())
    (told,) = found.warnings
    assert told.startswith(
        "official: REFUSED: these folds do not keep what was claimed: no picture is in train and test"
    )
    assert "6 of 10 tests (60 %) look the same as a picture that is trained on" in told
    assert "keep a picture and its copies on one side" in told
    assert examine_data(parts(copies=0)).warnings == ()


def test_a_maker_s_split_is_refused_for_copies_of_named_people_too():
    """Whose pictures look the same does not matter where a maker says that two parts are apart."""
    named = parts().table.assign(subject="Anna")
    assert examine_data(as_manifest(named.to_dict("records"), [], "x")).verdicts["official"].refused


def test_pictures_of_nobody_that_look_the_same_are_copies_under_every_protocol(sittings):
    """Where nobody is named, look-alikes refuse folds by image; one person's own may be two expressions."""
    unnamed = parts(copies=0).table.assign(phash=HASHES[0])
    manifest = as_manifest(unnamed.to_dict("records"), [], "x")
    assert check_made(make_folds(manifest, "random-2fold", 0), manifest).refused
    one = as_manifest(sittings.table.assign(phash=HASHES[0]).to_dict("records"), [], "x")
    found = check_made(make_folds(one, "random-2fold", 0), one)
    assert found.accepted
    assert found.near_duplicates.state == "found"


def test_a_copy_on_both_sides_is_somebody_under_two_names():
    """People apart by their names, but with one picture on both sides, are not apart."""
    rows = [
        {"image": f"{who}{i}", "label": EMOTIONS[i], "subject": who, "phash": HASHES[32 * i + 5 * k]}
        for k, who in enumerate("pqrs")
        for i in range(4)
    ]
    manifest = as_manifest(rows, [], "x")
    table = make_folds(manifest, "subject-2fold", 0)
    assert check_made(table, manifest).people_apart == "proven"
    (test, *_), (train, *_) = table.images(0, "test"), table.images(0, "train")
    twice = manifest.table.set_index("image")
    twice.loc[test, "phash"] = twice.loc[train, "phash"]
    same = as_manifest(twice.reset_index().to_dict("records"), [], "x")
    found = check_made(table, same)
    assert (found.people.state, found.people_apart, found.accepted) == ("proven", "refused", False)


@pytest.mark.parametrize("name", ["AF01AFS_aug1.jpg", "AF01AFS_flipped.png", "AF01AFS (2).JPG"])
def test_a_name_with_a_tail_is_a_copy(name):
    """What tools add to a name makes no other picture: on the other side of a split it is refused under any claim."""
    rows = [{"image": image, "label": "AF"} for image in ("AF01AFS.JPG", "AF02AFS.JPG", name)]
    manifest = as_manifest([*rows, {"image": "AF03HAS", "label": "HA"}], [], "x")
    table = pd.DataFrame(
        {"fold": 0, "role": ["test", "train", "train", "train"], "image": [r["image"] for r in rows] + ["AF03HAS"]}
    )
    found = check_made(Folds("official", manifest.hash, 0, table.assign(subject="", label="")), manifest)
    assert found.refused
    assert found.same_pictures.leak.pairs == ((0, "AF01AFS.JPG", name),)


def test_given_folds_that_promise_people_apart_are_held_to_the_whole_check(sittings, tmp_path):
    """A file of a protocol by person is refused by the images' names; one of no protocol runs, and tells."""
    folds = make_folds(sittings, "subject-2fold", 0)
    folds.write(tmp_path / "f.csv")
    with pytest.raises(UserError, match=r"it says subject-2fold, .* \(by the images' names\)"):
        user_folds(tmp_path / "f.csv", sittings)
    folds.table[["fold", "role", "image"]].to_csv(tmp_path / "mine.csv", index=False)
    given_in, _ = user_folds(tmp_path / "mine.csv", sittings)
    found = examine(sittings, {given_in.protocol: given_in})
    assert [told.startswith("people: by the images' names 12") for told in found.warnings] == [True]
    (remark,) = found.remarks
    assert remark.startswith("given-mine: no protocol's folds, which promise nothing of people; people: ")
    assert found.verdicts["given-mine"].refused


def test_copies_in_given_folds_of_no_protocol_are_a_warning():
    """That no picture is on both sides goes without saying."""
    manifest = parts()
    folds = make_folds(manifest, "official", 0)
    given_in = Folds("given-mine", manifest.hash, 0, folds.table)
    found = examine(manifest, {"given-mine": given_in})
    assert [told.partition(":")[0] for told in found.warnings] == ["given-mine"]


@settings(QUICK, max_examples=10)
@given(manifests(), st.sampled_from(BY_PERSON), st.integers(0, 5))
def test_sound_data_have_no_doubts(manifest, protocol, seed):
    """No random manifest with people who are told raises a warning."""
    found = examine(manifest, {protocol: make_folds(manifest, protocol, seed)})
    assert (found.warnings, found.remarks) == ((), ())


def test_strict_reading_refuses_what_is_else_told(sittings, monkeypatch):
    """A plan of folds that are refused goes on and tells; with strict it ends in a sentence."""
    dataset = Dataset("sittings", sittings, "", "", False, "none", lambda manifest, workers: iter(()))
    monkeypatch.setattr("fer_bench.plan.plan.open_data", lambda request, people: (dataset, []))
    asked = {"suite": "classical", "only": ("knn-pixels",), "protocols": ("subject-2fold",), "profile": "full"}
    plan = make_plan(Request(workers=1, **asked), fetch=False)
    assert [told.partition(":")[0] for told in plan.examined.warnings] == ["people", "subject-2fold"]
    assert set(plan.examined.warnings) <= set(plan.notes)
    with pytest.raises(
        UserError, match=r"^`strict`: people: by the images' names .*; without `strict` the run goes on"
    ):
        make_plan(Request(workers=1, strict=True, **asked), fetch=False)


def test_a_run_s_file_gets_the_verdict_of_the_run(sittings, tmp_path):
    """`folds check` on what a run wrote finds what the run found."""
    folds = make_folds(sittings, "subject-2fold", 0)
    (tmp_path / "folds").mkdir()
    folds.write(tmp_path / "folds" / "subject-2fold.csv")
    sittings.table.to_csv(tmp_path / "manifest.csv", index=False)
    by_file = check_folds(tmp_path / "folds" / "subject-2fold.csv")
    by_run = examine(sittings, {"subject-2fold": folds}).verdicts["subject-2fold"]
    assert by_file.notes == ("with the manifest beside it (84 images)",)
    assert (by_file.people, by_file.copies, by_file.accepted) == (by_run.people, by_run.copies, by_run.accepted)
