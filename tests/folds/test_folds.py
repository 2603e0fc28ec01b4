"""Folds keep what their protocol promises, and the check proves it from the file alone."""

import pytest
from drawn import ALL, BY_IMAGE, BY_PERSON, CROSS_VALIDATION, QUICK, manifests
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_bench.data.datasets import load_dataset
from fer_bench.errors import UserError
from fer_bench.folds.check import check_folds, check_made
from fer_bench.folds.folds import Folds, read_folds
from fer_bench.folds.protocols import PROTOCOLS
from fer_bench.folds.splitters import make_folds
from fer_bench.folds.wording import verdict_lines


@settings(QUICK, max_examples=20)
@given(manifests(), st.sampled_from(CROSS_VALIDATION), st.integers(0, 5))
def test_each_image_is_tested_exactly_once(manifest, protocol, seed):
    """Over the folds of a cross-validation every image is tested once and trained on in all other folds."""
    folds = make_folds(manifest, protocol, seed)
    tested = folds.table[folds.table["role"] == "test"]
    assert sorted(tested["image"]) == sorted(manifest.table["image"])
    if PROTOCOLS[protocol].kind != "views":  # view-out leaves out the tested people's other views
        assert len(folds.table) == len(folds.numbers) * len(manifest)


@settings(QUICK, max_examples=20)
@given(manifests(), st.sampled_from(BY_PERSON), st.integers(0, 5))
def test_person_protocols_never_share_a_person(manifest, protocol, seed):
    """No random manifest makes a protocol by person put anybody into train and test."""
    assert check_made(make_folds(manifest, protocol, seed), manifest).people_apart == "proven"


@settings(QUICK, max_examples=10)
@given(manifests(), st.sampled_from(BY_IMAGE), st.integers(0, 5))
def test_image_protocols_are_stratified_and_leak(manifest, protocol, seed):
    """Splits by image hold each expression's share within one image, and the check tells that people leak."""
    folds = make_folds(manifest, protocol, seed)
    assert check_made(folds, manifest).people_apart == "refused"
    tested = folds.table[folds.table["role"] == "test"]
    counts = tested.groupby(["fold", "label"]).size().unstack(fill_value=0)
    assert (counts.max() - counts.min()).max() <= 1


@settings(QUICK, max_examples=10)
@given(manifests(), st.sampled_from(ALL), st.integers(0, 3))
def test_a_file_gives_the_same_folds_back(tmp_path_factory, manifest, protocol, seed):
    """Written and read, folds keep their hash; made again from the same arguments, too."""
    path = tmp_path_factory.mktemp("folds") / "folds.csv"
    folds = make_folds(manifest, protocol, seed)
    folds.write(path)
    assert read_folds(path).hash == folds.hash == make_folds(manifest, protocol, seed).hash


def test_kdef_has_seven_people_and_490_images_a_fold():
    """On 70 people the primary protocol tests 7 people and 490 images in each fold, three or four of either sex."""
    manifest = load_dataset("synthetic", people=None, workers=1).manifest
    folds = make_folds(manifest, "subject-10fold", 0)
    tested = folds.table[folds.table["role"] == "test"]
    assert tested.groupby("fold").size().eq(490).all()
    assert tested.groupby("fold")["subject"].nunique().eq(7).all()
    sexes = tested.assign(sex=tested["subject"].str[0]).groupby(["fold", "sex"])["subject"].nunique()
    assert sexes.between(3, 4).all()
    assert (make_folds(manifest, "holdout-10", 0).table["role"] == "test").sum() == 490


def test_one_leaked_image_is_found():
    """A single image of one person moved from test to train is refused, and the person is named."""
    manifest = load_dataset("synthetic", people=None, workers=1).manifest
    folds = make_folds(manifest, "subject-10fold", 0)
    table = folds.table.copy()
    row = table.index[(table["fold"] == 3) & (table["role"] == "test")][5]
    table.loc[row, "role"] = "train"
    (leak,) = check_made(Folds(folds.protocol, folds.manifest_hash, 0, table), manifest).people.leaks
    assert (leak.groups, leak.folds) == (1, 1)
    assert [(fold, train) for fold, _, train in leak.pairs] == [(3, table.loc[row, "image"])]


def test_too_few_people_are_refused_with_both_numbers():
    """Ten folds by person over seven people: the message says ten, seven, and what to do."""
    manifest = load_dataset("synthetic", people=7, workers=1).manifest
    with pytest.raises(UserError, match=r"at least 10 people, the data have 7; choose"):
        make_folds(manifest, "subject-10fold", 0)


@pytest.mark.parametrize("text", ["", "fold,role\n1,train\n", "# fer-bench folds 1; protocol=x\nfold\n1\n"])
def test_a_broken_file_is_one_clear_sentence(tmp_path, text):
    """A file that is no folds' file is named, with what was expected."""
    path = tmp_path / "folds.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=str(path)):
        read_folds(path)


def test_folds_for_other_data_are_refused(kdef_folder):
    """Folds that name images the data lack are not used in silence."""
    folds = make_folds(load_dataset("synthetic", people=7, workers=1).manifest, "subject-2fold", 0)
    other = load_dataset(str(kdef_folder), people=None, workers=1).manifest
    with pytest.raises(UserError, match="not in the data"):
        folds.indices(other, 0)


@pytest.mark.parametrize("claim", ["person", "image"])
@pytest.mark.parametrize("rows", ["", "0,train,AF01AFS,F01,AF\n0,test,AF01AFS,F01,AF\n"])
def test_broken_folds_are_refused_whatever_they_claim(tmp_path, rows, claim):
    """A file without folds, or with an image on both sides, proves nothing: refused under either claim."""
    path = tmp_path / "folds.csv"
    head = "# fer-bench folds 1; protocol=random-2fold; manifest=0; seed=0\nfold,role,image,subject,label\n"
    path.write_text(head + rows)
    verdict = check_folds(path, claim=claim)
    assert verdict.refused
    assert not any("proven" in line for line in verdict_lines(verdict))
