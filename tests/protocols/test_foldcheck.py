"""`folds check` refuses what leaks, whatever the file says of itself, and accepts what does not."""

import pandas as pd
import pytest
from ckplus import write_split
from drawn import ALL, BY_PERSON, QUICK, manifests
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_bench.data.datasets import load_dataset
from fer_bench.data.manifest import as_manifest
from fer_bench.errors import UserError
from fer_bench.foldcheck import check_file, check_table
from fer_bench.folds import make_folds
from fer_bench.foldtables import FoldTable, name_facts, read_fold_table


@pytest.fixture(scope="module")
def kdef():
    """The manifest of a set of KDEF's size and names."""
    return load_dataset("synthetic", people=None, workers=1).manifest


@pytest.fixture(scope="module")
def leaky(kdef):
    """Ten folds by person over KDEF's names, of which one image of one person went from test to train."""
    table = make_folds(kdef, "subject-10fold", 0).table.copy()
    row = table.index[(table["fold"] == 3) & (table["role"] == "test")][5]
    table.loc[row, "role"] = "train"
    return table, str(table.loc[row, "image"])


def as_table(table, protocol="subject-10fold"):
    return FoldTable(protocol, "", 0, "", table)


def two_sides(**columns):
    """A fold of four images, of which the second and the third are on two sides."""
    sides = {"fold": 0, "role": ["train", "train", "test", "test"], "image": ["a", "b", "c", "d"]}
    return as_table(pd.DataFrame({**sides, "label": "HA", "subject": ["1", "2", "3", "4"], **columns}), "")


def test_the_popular_split_of_ckplus_is_refused(tmp_path):
    """People of CK+ who stand in train and test are found by the images' names alone, and their share is told."""
    share = write_split(tmp_path / "ck.csv", seed=11)
    assert share == pytest.approx(0.63, abs=0.01)
    verdict = check_file(tmp_path / "ck.csv")
    assert verdict.refused
    assert "REFUSED: these folds are not subject-independent" in verdict.lines
    people = next(line for line in verdict.lines if line.startswith("people: REFUSED"))
    assert f"of 984 tests ({100 * share:.0f} %)" in people
    assert "in 10 of 10 folds" in people
    assert "fold 0 tests CK+48/" in people


def test_one_image_of_one_person_of_kdef_is_enough(leaky):
    """A single leaked image refuses 10 folds of 4,900, and the pair is named; nothing else is wrong with them."""
    table, image = leaky
    verdict = check_table(as_table(table), "x")
    assert verdict.refused
    people = [line for line in verdict.lines if line.startswith("people: REFUSED, 1 person is")]
    assert len(people) == 1
    assert f"and trains on {image}" in people[0]
    assert "in 1 of 10 folds: 69 of 4,899 tests" in people[0]


@pytest.mark.parametrize("lie", [None, "", "session", "unique"])
def test_a_file_cannot_vouch_for_itself(leaky, lie):
    """Whatever the file's own column says of people, the images' names tell the same woman in two sessions."""
    table, image = leaky
    table = table.drop(columns="subject") if lie is None else table.assign(subject=lie)
    if lie == "session":
        table["subject"] = table["image"].str[:4]
    if lie == "unique":
        table["subject"] = table["image"]
    verdict = check_table(as_table(table), "x")
    assert verdict.refused
    assert any("by the images' names" in line and image in line for line in verdict.lines)


@settings(QUICK, max_examples=25)
@given(manifests(), st.sampled_from(BY_PERSON), st.integers(0, 5), st.booleans())
def test_every_protocol_by_person_is_accepted(manifest, protocol, seed, known):
    """No random manifest makes a built-in protocol by person look like a leak, with or without the manifest."""
    folds = make_folds(manifest, protocol, seed)
    file = FoldTable(protocol, folds.manifest_hash, seed, folds.hash, folds.table)
    verdict = check_table(file, "x", manifest=manifest if known else None)
    assert not verdict.refused, verdict.lines
    assert any(line.startswith("people: proven") for line in verdict.lines)


@settings(QUICK, max_examples=10)
@given(manifests(), st.sampled_from(sorted(set(ALL) - set(BY_PERSON))), st.integers(0, 5))
def test_no_other_protocol_passes_for_one_by_person(manifest, protocol, seed):
    """What a protocol by image or session promises holds; that people are apart is refused."""
    folds = make_folds(manifest, protocol, seed)
    file = FoldTable(protocol, folds.manifest_hash, seed, folds.hash, folds.table)
    assert not check_table(file, "x", manifest=manifest).refused
    assert "may be called subject-independent" in check_table(file, "x", manifest=manifest).lines[-1]
    assert check_table(file, "x", claim="person", manifest=manifest).refused


@pytest.mark.parametrize(
    ("column", "title", "under_image"),
    [("sequence", "sequences", False), ("sha256", "exact duplicates", True), ("phash", "near-duplicates", False)],
)
def test_films_and_copies_on_both_sides_are_refused(column, title, under_image):
    """Frames of one film, one file under two names and look-alikes break a claim by person, and are told otherwise."""
    hashes = ["1" * 64, "2" * 64, "2" * 64, "e" * 64]
    verdict = check_table(two_sides(**{column: hashes}), "x")
    assert verdict.refused
    line = next(line for line in verdict.lines if line.startswith(f"{title}: REFUSED"))
    assert "1 of 2 tests (50 %)" in line
    assert "fold 0 tests c and trains on b" in line
    assert check_table(two_sides(**{column: hashes}), "x", claim="image").refused == under_image
    assert not check_table(two_sides(**{column: ["1" * 64, "2" * 64, "d" * 64, "e" * 64]}), "x").refused


def test_a_session_on_both_sides_is_told_and_refused_where_it_is_the_claim():
    """Sessions are part of no promise but their own."""
    table = two_sides(session=["A", "B", "B", "B"])
    assert any(line.startswith("sessions: 2 of 2 tests") for line in check_table(table, "x").lines)
    assert not check_table(table, "x").refused
    assert check_table(table, "x", claim="session").refused
    assert check_table(two_sides(), "x", claim="session").refused, "what is not told is not proven"


def test_a_copy_under_another_name_is_found(tmp_path):
    """Pictures that were augmented before the split (the same name, with a tail) are no new pictures."""
    (tmp_path / "f.csv").write_text("role,image\ntrain,AF01AFS_flip.jpg\ntrain,AM02HAS.JPG\ntest,AF01AFS.JPG\n")
    verdict = check_file(tmp_path / "f.csv", claim="image")
    assert verdict.refused
    assert any("same pictures: REFUSED" in line and "AF01AFS_flip.jpg" in line for line in verdict.lines)


def test_people_who_are_not_told_are_not_proven(tmp_path):
    """Names that tell nothing, and no column of people: a claim by person is refused, one by image is not."""
    (tmp_path / "f.csv").write_text("role,image\ntrain,1.jpg\ntest,2.jpg\n")
    assert any("not proven, 2 of 2 images" in line for line in check_file(tmp_path / "f.csv").lines)
    assert check_file(tmp_path / "f.csv").refused
    assert not check_file(tmp_path / "f.csv", claim="image").refused


def test_two_half_told_sources_prove_nothing_together(tmp_path):
    """Half of the people by a column and half by names: one woman may go by two names, so nothing is proven."""
    (tmp_path / "f.csv").write_text("role,image,subject\ntrain,AF01AFS,\ntest,2.jpg,Anna\n")
    verdict = check_file(tmp_path / "f.csv")
    assert verdict.refused
    assert any("not proven, 1 of 2 images" in line for line in verdict.lines)


def test_the_manifest_of_a_run_is_found_beside_its_folds(tmp_path, kdef):
    """Folds in a run's folder are checked with its manifest.csv, if it is the one that they were made for."""
    folds = make_folds(kdef, "subject-2fold", 0)
    (tmp_path / "folds").mkdir()
    folds.write(tmp_path / "folds" / "subject-2fold.csv")
    kdef.table.to_csv(tmp_path / "manifest.csv", index=False)
    verdict = check_file(tmp_path / "folds" / "subject-2fold.csv")
    assert "with the manifest beside it (4900 images)" in verdict.lines
    assert "exact duplicates: none on both sides of a fold" in verdict.lines
    kdef.table.assign(sha256="x").to_csv(tmp_path / "manifest.csv", index=False)
    assert "exact duplicates: not told" in check_file(tmp_path / "folds" / "subject-2fold.csv").lines
    given_in = check_file(tmp_path / "folds" / "subject-2fold.csv", manifest=tmp_path / "manifest.csv")
    assert any("made for other data" in line for line in given_in.lines)
    assert given_in.refused, "every picture has the same hash"


def test_classes_that_a_fold_does_not_train_are_told():
    """An expression that is tested and not trained on is named."""
    verdict = check_table(two_sides(label=["HA", "HA", "HA", "SA"]), "x")
    assert any("trains on none of, such as SA in fold 0" in line for line in verdict.lines)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("image,fold\na.png,1\nb.png,2\nc.png,1\n", {(1, "test"): 2, (1, "train"): 1, (2, "test"): 1, (2, "train"): 2}),
        ("filename,usage\na,Training\nb,PublicTest\nc,PrivateTest\n", {(0, "train"): 1, (0, "test"): 2}),
        ("Path,Split\na,train\nb,val\nc,TEST\n", {(0, "train"): 2, (0, "test"): 1}),
        ("img,set,cv\na,train,first\nb,test,first\na,test,second\nb,train,second\n",
         {(0, "train"): 1, (0, "test"): 1, (1, "train"): 1, (1, "test"): 1}),
    ],
)  # fmt: skip
def test_tables_of_other_tools_are_read(tmp_path, text, rows):
    """Columns by their usual names, folds by name, validation as train, and tables that name only the test fold."""
    (tmp_path / "f.csv").write_text(text)
    table = read_fold_table(tmp_path / "f.csv").table
    assert table.groupby(["fold", "role"]).size().to_dict() == rows


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "cannot be read"),
        ("a,b\n1,2\n", "a column image"),
        ("image,subject\na,1\n", "role"),
        ("image,role\na,maybe\n", "holds 'maybe'; expected train"),
        ("image,fold\na,1\nb,\n", "row 3 has no fold"),
        ("image,role\n", "no row"),
        ("image,role\na,train\nb,test,1,2\n", "line 3"),
        ("# fer-bench folds 1; protocol=x; manifest=y; seed=0\nfold,role\n1,2,3\n1,2,3,4,5\n", "not a whole"),
    ],
)
def test_a_table_that_is_none_is_one_sentence(tmp_path, text, message):
    """A file that is no table of folds is refused with what was expected."""
    (tmp_path / "f.csv").write_text(text)
    with pytest.raises(UserError, match=message) as error:
        read_fold_table(tmp_path / "f.csv")
    assert "\n" not in str(error.value)


def test_names_tell_who_it_is():
    """CK+, KDEF and JAFFE name people in their files; other names tell nothing."""
    assert name_facts("CK+48/anger/S010_004_00000017.png").subject == "S010"
    assert name_facts("C:\\data\\S010_004_00000017_aug2.png").sequence == "S010/004"
    assert name_facts("KDEF/BF01/bf01anhl.jpg").subject == "F01"
    assert name_facts("AF01ANHL").session == "A"
    assert name_facts("KA.AN1.39.tiff").subject == "KA"
    assert name_facts("0001.png") is name_facts("AF36ANHL.JPG") is name_facts("AF01ANHLX.JPG") is None


def test_look_alikes_of_a_manifest_are_found():
    """Pictures that look the same under two people's names are found through the manifest's hashes."""
    rows = [
        {"image": f"{who}{label}", "label": label, "subject": who, "phash": f"{i:x}{j:x}" * 32}
        for i, who in enumerate("pqrs")
        for j, label in enumerate(["HA", "SA"])
    ]
    rows[7]["phash"] = rows[1]["phash"]
    manifest = as_manifest(rows, [], "x")
    whole = manifest.table[["image"]].assign(fold=0, role=["train"] * 4 + ["test"] * 4)
    verdict = check_table(FoldTable("", "", -1, "", whole), "x", manifest=manifest)
    assert verdict.refused
    assert any("near-duplicates: REFUSED" in line and "tests sSA and trains on pSA" in line for line in verdict.lines)
